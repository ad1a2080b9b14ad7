/**
 * The model interface: what the specification and the network of an architecture declare, and all that a page needs of it. How it trains
 * is `training.ts`.
 *
 * Both are pure functions and plain descriptions. Scoring, top-k, evaluation and fine-tuning read them and are
 * written once, elsewhere. CONTRIBUTING.md shows how each of the six architectures fits.
 */
import type { Tensor, Tensor1D, Tensor2D } from '@tensorflow/tfjs';
import type { Outputs } from '../nn/scores';
import type { Prepared } from '../objectives/batch';
import type { Catalogue, SessionInput, Sessions, WantedFeature } from '../types';

/** Parameters by name. The names are those of the artifact's `weights.safetensors`. */
export type Params = Readonly<Record<string, Tensor>>;

/** How a parameter starts. `uniform` draws from ±limit, `normal` from N(mean, std), mean 0 where it is not given. */
export type Initialiser =
  | { readonly kind: 'zeros' }
  | { readonly kind: 'ones' }
  | { readonly kind: 'uniform'; readonly limit: number }
  | { readonly kind: 'normal'; readonly std: number; readonly mean?: number };

/** Shape, start and role of one parameter. */
export interface ParameterSpec {
  readonly shape: readonly number[];
  readonly init: Initialiser;
  /**
   * Set on tables with one row per item (row 0 is padding, rows 1…n the items, further rows special tokens): whether the rows of
   * a batch's `input` items, of its `output` items or of both are read. A step that trains by touched rows loads and updates
   * only those.
   */
  readonly rows?: 'input' | 'output' | 'both';
  /**
   * `true`: row 0 starts at zero and stays there. `start`: it starts at zero and learns, for a tied softmax whose sum includes the
   * padding column. Default: `true` if `rows` is set.
   */
  readonly zeroRow?: boolean | 'start';
  /** Set on tables with one row per user: later trainings add users behind those that are known. */
  readonly perUser?: true;
}

export type { Prepared };

/** The same arrays as tensors. */
export type PreparedTensors = Readonly<Record<string, Tensor>>;

/** Sessions as arrays, by what a specification's `reading` has made of a configuration. */
// biome-ignore lint/suspicious/noExplicitAny: every architecture has a reading of its own.
export type ReadSessions<R = any> = (sessions: readonly SessionInput[], reading: R, catalogue: Catalogue) => Prepared;

/** How a forward pass runs: `dropout` is the identity outside training. */
export interface Run {
  readonly dropout: <T extends Tensor>(x: T, rate: number) => T;
  /** Whether nothing is learnt from what is computed: parameters that change no answer may be left out. Default: no. */
  readonly isAnswer?: boolean;
  /** Receives intermediate results by name, to compare them with a reference implementation's. They stay the model's. */
  readonly observe?: (name: string, x: Tensor) => void;
}

/** A session carried from click to click: one more click is one step. Every tensor is `[B, …]`. */
export type State = readonly Tensor[];

/** Networks whose session vector follows from the previous one and one click. */
export interface Stepping<C> {
  /** The state before the first click, for B sessions. */
  start(config: C, batch: number): State;
  /** The state after one more click; `items` is `[B]` int32. */
  step(params: Params, state: State, items: Tensor1D, config: C, run: Run): State;
  /** The session vector of a state, `[B, d]`. */
  vector(state: State): Tensor2D;
}

/** One configuration key: what `--set`, `--help`, the docs and the checks know of it. */
export type OptionSpec<T = unknown> = {
  readonly default: T;
  readonly doc: string;
  /** Where the default comes from, and why. */
  readonly source: string;
} /** `words` are names for values: `layersize` for −1. */ & (
  | {
      readonly type: 'integer' | 'number';
      readonly min: number;
      readonly max: number;
      readonly words?: Readonly<Record<string, number>>;
    }
  | { readonly type: 'boolean' }
  | { readonly type: 'integers'; readonly min: number; readonly max: number } // written 100/100
  | { readonly type: 'choice'; readonly choices: readonly string[] }
  | { readonly type: 'text'; readonly form: string } // `form` says in words how it is written
);

export type OptionSpecs<C = Record<string, unknown>> = { readonly [K in keyof C]-?: OptionSpec<C[K]> };

/** The configuration that options describe: a value for each. */
export type ConfigOf<S> = { readonly [K in keyof S]: S[K] extends { readonly default: infer T } ? T : never };

/**
 * Options that older versions had, by name: the value that is left, first as messages name it, then in its other spellings.
 * Configurations with that value are still read.
 */
export type RemovedOptions = Readonly<Record<string, number | boolean | string | readonly (number | string)[]>>;

/** Configurations hold plain values only, so that they can be written to a manifest. */
export type ConfigValue = number | boolean | string | readonly number[];
export type ModelConfig = Readonly<Record<string, ConfigValue>>;

/** Throws `bad-config` with this sentence behind the model's name. */
export type Refuse = (sentence: string) => never;

/**
 * The specification of an architecture: what reads its configuration and sessions, without TensorFlow.js. `C` is its configuration:
 * names of the reference implementation in camelCase.
 */
export interface ModelSpec<C = ModelConfig> {
  readonly name: string;
  /** Citation in one line: authors, title, venue, link. */
  readonly paper: string;
  readonly options: OptionSpecs<C>;
  /** Default: none. */
  readonly removed?: RemovedOptions;
  /** The option that says how many epochs it trains at most. */
  readonly epochsOption: string;
  /** Checks that span several keys. */
  check?(config: C, refuse: Refuse): void;
  /** Sets the options that follow from the training log; throws `bad-config` if it lacks what the others need. */
  complete?(config: C, sessions: Sessions): C;
  /**
   * What the network reads beside item ids. What the log has a column for, or is an age, comes in as `SessionInput.features`,
   * what only the catalogue has as `Catalogue.features`. Default: nothing.
   */
  features?(config: C): readonly WantedFeature[];
  /** Whether the numbers of users mean something: then the artifact holds who they are. Default: not. */
  knowsUsers?(config: C): boolean;
  /** How many of the same visitor's earlier sessions the network reads. Default 0. */
  earlier?(config: C): number;
  /** What scores are multiplied by to be the logits of the softmax that the model learned; undefined for other losses. */
  logitScale?(config: C): number | undefined;
  /** Every parameter with shape, start and role. */
  parameters(config: C, catalogue: Catalogue): Readonly<Record<string, ParameterSpec>>;
  /**
   * What reading sessions takes of a configuration, with nothing left open: plain data, which a compiled plan holds, so that a page
   * need not load this specification. Default: the page does.
   */
  reading?(config: C, catalogue: Catalogue): object;
  /** Plain arrays for a batch of sessions. Keeps the most recent clicks of sessions that are too long. */
  prepare(sessions: readonly SessionInput[], config: C, catalogue: Catalogue): Prepared;
}

/** The network of an architecture, which computes with tensors. */
export interface SessionModel<C = ModelConfig> extends ModelSpec<C> {
  /** One vector per session, `[B, d]`. */
  encode(params: Params, prepared: PreparedTensors, config: C, run: Run): Tensor2D;
  readonly stepping?: Stepping<C>;
  /** The item side: score of item i = vector · table[i] + bias[i]. */
  outputs(params: Params, config: C): Outputs;
}
