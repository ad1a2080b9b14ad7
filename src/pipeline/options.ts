/** The options of every function of the pipeline. All of them also take an `Observer`. */
import type { Precision } from '../checkpoint/pack-tensors';
import type { BackendChoice } from '../compute/types';
import type { Scale } from '../ranking/combine';
import type { ReadOptions } from '../session/options';
import type { SplitOptions as CutOptions } from '../session/split';
import type { EvaluateOptions as RankingOptions } from '../train/evaluate';
import type { Protocol } from '../train/types';
import type { ConfigurationOptions } from './configuration';
import type { Observer } from './observer';

/** A log on disk. */
export interface DataOptions {
  /** A log: TSV, CSV or JSON objects, plain or gzip, or Parquet; a file, a folder, a glob, or `-` for standard input. */
  readonly data: string;
  /** How it is read. Default: every event is kept. */
  readonly read?: ReadOptions;
}

/** Options of `convert`. */
export interface ConvertOptions extends Observer, Pick<ReadOptions, 'sessionsBy' | 'skipBadRows'> {
  /** Name of the log, such as `movielens`. */
  readonly name: string;
  /** Its files, in the order in which they are read. */
  readonly files: readonly string[];
  /** The events file. */
  readonly out: string;
}

/** Options of `split`. */
export interface SplitOptions extends DataOptions, CutOptions, Observer {
  /** Folder for the parts. */
  readonly out: string;
}

/** What decides what a training learns. */
export interface TrainingOptions extends DataOptions, ConfigurationOptions {
  /** Folder to write; an artifact that is there is replaced. */
  readonly out: string;
  /** Passes over the log. Default: the configuration's. */
  readonly epochs?: number;
  /** Of everything random. Default 1. */
  readonly seed?: number;
  /**
   * What validates: `none`, `last:10%`, `last:7d`, `held-out` (the first event that `holdout` leaves out) or the path of a file.
   * Default: `none` with `epochs`, else `last:10%`.
   */
  readonly valid?: string;
  /** Path of what is known of the items: `catalogue.json`, a table with `item_id`, a product feed, or a catalogue's folder. */
  readonly catalogue?: string;
  /** Default `auto`. */
  readonly backend?: BackendChoice;
}

/** Options of `train`. */
export interface TrainOptions extends TrainingOptions, Observer {
  /** Path of the shop's rules for its slots, to put into the artifact. Default: none. */
  readonly rules?: string;
  /** Folder of an artifact to continue, with its settings; items that are new to it are added. */
  readonly from?: string;
  /** What turns scores into logits. Default: fitted on the validation part. */
  readonly scale?: number;
  /** Sessions of the log that travel with the model. Default 0. */
  readonly replay?: number;
  /** Default: that of `from`, else `UNLICENSED`. */
  readonly licence?: string;
  /** Share of the sessions to learn from, drawn by the seed: above 0, at most 1. Default: all. */
  readonly sampleSessions?: number;
  /**
   * Whether to train again on everything, validation part included, for as many epochs as it has chosen. Default: `yes` where a
   * validation part chooses.
   */
  readonly refit?: 'yes' | 'no';
  /** Path of a file for one JSON line an epoch. */
  readonly log?: string;
  /**
   * Threads that share each step, or, where steps cannot be shared, of which a second one trains on everything meanwhile. Default: one thread,
   * whose weights differ from those of shared steps.
   */
  readonly threads?: number;
  /** Resume the interrupted run in `out`. Default false. */
  readonly resume?: boolean;
  /** With `resume`: write the best epoch so far instead of training on. Default false. */
  readonly keepBest?: boolean;
  /** Discard an interrupted run in `out`. Default false. */
  readonly restart?: boolean;
}

/** An artifact that is mixed in, with its share: one number. Where `aisle evaluate` compares shares, several. */
export interface Mix {
  readonly dir: string;
  readonly weights: readonly number[];
}

/** Options of `evaluate`. */
export interface EvaluateOptions extends DataOptions, Pick<RankingOptions, 'ks' | 'seen' | 'target'>, Observer {
  /** Folders of artifacts: one, or the equal parts of an ensemble. */
  readonly artifacts: readonly string[];
  /** Another artifact with its one share of the scores. */
  readonly mix?: Mix;
  /** What of several artifacts is averaged. Default `probabilities`. */
  readonly combine?: Scale;
  /** Default `events`. */
  readonly protocol?: Protocol;
  /** Ids of the items that are candidates. Default: all that the artifacts know. */
  readonly candidates?: readonly string[];
  /** Path of a file for the rank of every prediction. */
  readonly ranks?: string;
  /** Default `auto`. */
  readonly backend?: BackendChoice;
}

/** A configuration that has been trained further. */
export interface TrialEvent {
  /** From 1. */
  readonly trial: number;
  /** What it has beside the base. */
  readonly config: Readonly<Record<string, unknown>>;
  /** Its rung and how many there are, its number in the rung and how many there are. */
  readonly rung: readonly [number: number, total: number];
  readonly place: readonly [count: number, total: number];
  /** The best so far; absent where the trial failed. */
  readonly best?: { readonly epoch: number; readonly value: number };
  readonly epochs: number;
  readonly seconds: number;
  /** Whether an earlier call has computed it. */
  readonly isCached: boolean;
  readonly failure?: string;
}

/** Options of `search`. */
export interface SearchOptions extends TrainingOptions, Observer {
  /** What decides: `last:10%`, `last:7d`, `held-out` or the path of a file. */
  readonly valid: string;
  /** What is searched besides, or otherwise, than the model declares: `a..b`, `a..b:log` or `a,b,c` by key. */
  readonly ranges?: Readonly<Record<string, string>>;
  /** Configurations to try. Default 27. */
  readonly trials?: number;
  /** What decides: recall, mrr or ndcg at 1, 5, 10 or 20. Default `mrr@20`. */
  readonly metric?: string;
  /** After every trial of a rung. */
  readonly onTrial?: (trial: TrialEvent) => void;
}

/** Options of `importWeights`. */
export interface ImportOptions extends Observer {
  /** Name of a reference implementation. */
  readonly from: string;
  /** Path of its state dict as safetensors. */
  readonly weights: string;
  /** Path of a JSON object of its parameters, by its own names. */
  readonly config: string;
  /** Path of the ids in the order of its item indices, without padding: a JSON list, or one a line. */
  readonly items: string;
  /** Folder to write; an artifact that is there is replaced. */
  readonly out: string;
  /** Only tensors whose names start so are read, without it. */
  readonly prefix?: string;
  /** Path of an events file that the weights were not trained on: the scale is fitted on it, and its events say what is popular. */
  readonly data?: string;
  /** How `data` is read. */
  readonly read?: ReadOptions;
  /** Default `UNLICENSED`. */
  readonly licence?: string;
}

/** Options of `pack`. */
export interface PackOptions extends Observer {
  /** Folder of the artifact. */
  readonly artifact: string;
  /** Of the weights. */
  readonly precision: Precision;
  /** How many items stay: those with most events in the training log. Default: all. */
  readonly topItems?: number;
  /** A counting model of the same items to mix into the network, with its one share of the probabilities. Default: none. */
  readonly mix?: Mix;
  /** Another folder to write; an artifact that is there is replaced. */
  readonly out: string;
}

/** A run of a comparison that has ended. */
export interface RunEvent {
  /** Name of its row. */
  readonly name: string;
  /** Absent where the row knows no seed, or has several. */
  readonly seed?: number;
  /** Of `incremental`: the window that was tested. */
  readonly step?: string;
  /** Its number from 1, and how many there are; absent for rows of several models. */
  readonly place?: readonly [count: number, total: number];
  readonly metric: string;
  /** Absent where the run failed. */
  readonly result?: {
    readonly value: number;
    readonly trainSeconds: number;
    /** Whether an earlier call has computed it. */
    readonly isCached: boolean;
  };
  /** Why there is no result. */
  readonly failure?: { readonly message: string; readonly error?: unknown };
}

/** An observer of a comparison. */
export interface RunObserver extends Observer {
  /** After every run, whether it was computed or there already. */
  readonly onRun?: (run: RunEvent) => void;
}

/** Options of `compare`. */
export interface CompareOptions extends DataOptions, RunObserver {
  /** Path of the events file to test on. Default: the last tenth of the sessions of `data`. */
  readonly test?: string;
  /** Folder for the report, and for the finished runs. */
  readonly out: string;
  /** Names of architectures and baselines. Default: all of them, or none where `variants` are given. */
  readonly models?: readonly string[];
  /** Configuration for those of `models` that have one of that name. */
  readonly preset?: string;
  /** Path of a JSON list of further rows. */
  readonly variants?: string;
  /** Folder of an artifact that the networks go on from, with its settings, instead of starting anew. */
  readonly from?: string;
  /** Path of what is known of the items, for rows that read it. */
  readonly catalogue?: string;
  /** How often each network is trained, with seeds 1 to n. Default 1. */
  readonly seeds?: number;
  /** Default: as many as a validation wants; 10 for each window of `incremental`. */
  readonly epochs?: number;
  /** What chooses the epochs: `last:10%`, `last:7d` or the path of a file. Default `last:10%`. */
  readonly valid?: string;
  /** 2: the last event of every session of `data` is the test, the one before chooses the epochs. */
  readonly holdout?: number;
  /** Folder of an artifact that the best row is compared with: `gate` of the report. */
  readonly atLeast?: string;
  /** Default `events`. */
  readonly protocol?: Protocol;
  /** Of `incremental`: the length of a window in seconds. Default a day. */
  readonly window?: number;
  /** Default `auto`. */
  readonly backend?: BackendChoice;
}
