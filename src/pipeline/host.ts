/** What a training needs of where it runs: the files of Node, or those of a page. */
import type { Artifact, OpenedArtifact } from '../checkpoint/artifact';
import type { Slice } from '../compute/executor';
import type { BackendChoice, BackendName } from '../compute/types';
import type { Layout } from '../train/data-parallel';
import type { Spent } from '../train/fit';
import type { Products } from './catalogue/products';
import type { ConfigurationFiles } from './configuration';
import type { Observer, TrainingEpoch } from './observer';
import type { TrainOptions } from './options';
import type { OpenThread } from './threads';
import type { CreateHash } from './training-checkpoint';

/** Paths are those of the options, as they were given. Each function throws a `RecommenderError` that names the file. */
export interface TrainingHost extends ConfigurationFiles {
  /** Refuses, before hours of work, what cannot be written, or would replace an unfinished training. */
  readonly check: (options: TrainOptions) => Promise<void>;
  readonly readArtifact: (path: string) => Promise<OpenedArtifact>;
  readonly readCatalogue: (path: string, idColumn?: string, observer?: Observer) => Promise<Products>;
  /** What the model at a path is called. */
  readonly nameOf: (out: string) => string;
  /** What the checkpoint of the training at a path is called in messages. */
  readonly checkpointOf: (out: string) => string;
  readonly createHash: CreateHash;
  /** Undefined where there is none. */
  readonly readCheckpoint: (out: string) => Promise<Uint8Array | undefined>;
  readonly writeCheckpoint: (out: string, bytes: Uint8Array) => Promise<void>;
  readonly removeCheckpoint: (out: string) => Promise<void>;
  /** Replaces what is at the path, the checkpoint included. */
  readonly writeArtifact: (out: string, artifact: Artifact, options: { readonly report?: string }) => Promise<void>;
  /** Starts the file of `log` with the epochs so far. @returns Adds an epoch. */
  readonly startLog: (
    path: string,
    epochs: readonly TrainingEpoch[],
  ) => Promise<(epoch: TrainingEpoch) => Promise<void>>;
  /** Starts the first backend that works. @returns Its name. */
  readonly startBackend: (
    slice: Pick<Slice, 'start'>,
    choice: BackendChoice,
    observer: Observer,
  ) => Promise<BackendName>;
  readonly openThread: OpenThread;
  /** Refuses a training that needs more memory than there is, before it begins. @param events Of its largest log. @param kept Bytes that are held besides. */
  readonly checkMemory?: (model: string, layout: Layout, events: number, threads: number, kept?: number) => void;
  /** What work has taken since this was called, on top of what earlier runs of it took. */
  readonly stopwatch: () => (earlier?: Spent) => Spent;
  /** The most that the process has held so far, in bytes. */
  readonly peakMemory: () => number;
  /** What an artifact says of the programs that made it. */
  readonly software: () => Readonly<Record<string, string>>;
}
