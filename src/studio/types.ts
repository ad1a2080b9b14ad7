/** What the studio's page and its worker tell each other: plain data. */
import type { NamedBlob } from '../pipeline/blob-source';
import type { AnswerTime, Standing } from '../pipeline/held-out';
import type { LogShape } from '../pipeline/log-shape';
import type { Message, Progress, TrainingEpoch } from '../pipeline/observer';
import type { TrainOptions } from '../pipeline/options';
import type { FileSummary } from '../pipeline/read-events';
import type { TrainResult } from '../pipeline/training';
import type { Slice } from '../pipeline/validation';
import type { ReadOptions } from '../session/options';

/** What the worker tells of its own accord. */
export type Note =
  | ({ readonly kind: 'message' } & Message)
  | ({ readonly kind: 'progress' } & Progress)
  | { readonly kind: 'epoch'; readonly run: string; readonly epoch: TrainingEpoch }
  | { readonly kind: 'racer'; readonly row: Row };
export type Notes = (note: Note) => void;

export interface ReadChoice {
  readonly files: readonly NamedBlob[];
  readonly read: ReadOptions;
  /** `catalogue.json`, a table with `item_id`, or a product feed. */
  readonly products?: NamedBlob | undefined;
}

/** What is known of a log that was read. */
export interface LogState {
  readonly name: string;
  readonly read: ReadOptions;
  readonly products?: string | undefined;
  readonly summary: FileSummary;
  readonly shape: LogShape;
  /** Absent where the log is too small for a validation part. */
  readonly heldOut?: { readonly sessions: number; readonly predictions: number };
}

/** A training that is to begin, or to go on. */
export interface TrainRequest
  extends Pick<TrainOptions, 'model' | 'preset' | 'config' | 'seed' | 'epochs' | 'threads' | 'backend'> {
  /** Name of the run, and of its model. */
  readonly run: string;
}

/** A model beside the others. */
export interface Row {
  readonly name: string;
  readonly architecture: string;
  /** Whether it counts the log, in place of learning from it. */
  readonly isCounted: boolean;
  /** Absent where nothing was held out. */
  readonly standing?: Standing;
  /** The best counting model that it is compared with. */
  readonly rival?: string;
  readonly slices?: { readonly byClicks: readonly Slice[]; readonly byLastItem: readonly Slice[] };
  readonly seconds: number;
  /** Of its files, and of a network also its weights and how long it answers. */
  readonly bytes?: number;
  readonly parameters?: number;
  readonly answer?: AnswerTime;
  readonly verdict?: string;
  readonly epochs?: TrainResult['epochs'];
  readonly auto?: string;
}

/** A run as it is kept: without a row, it has not ended. */
export interface SavedRun {
  readonly request: TrainRequest;
  /** Epochs that have ended, with those of the training on everything. */
  readonly epochs: readonly TrainingEpoch[];
  readonly row?: Row;
}

/** A run that an earlier visit has left. */
export interface RestoredRun extends SavedRun {
  /** Of one without a row: whether it goes on from where it was. */
  readonly hasCheckpoint: boolean;
}

/** Adds an epoch; one that a training repeats after an interruption takes the place of its first time. */
export function addEpoch(epochs: TrainingEpoch[], epoch: TrainingEpoch): void {
  const at = epochs.findIndex((one) => one.epoch === epoch.epoch && one.refit === epoch.refit);
  epochs.splice(at < 0 ? epochs.length : at, 1, epoch);
}

export interface SavedState {
  /** Names of the files of the log; `log/0`, `log/1` … hold them. */
  readonly log: readonly string[];
  readonly products?: string | undefined;
  readonly read: ReadOptions;
  readonly runs: readonly SavedRun[];
}
