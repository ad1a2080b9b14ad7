/**
 * The seam: what an architecture declares, and all that the rest of the project knows of it.
 *
 * A model is a set of pure functions and plain descriptions. Scoring, losses, negatives, batches, optimisers, top-k,
 * evaluation and fine-tuning read the descriptions and are written once, elsewhere. CONTRIBUTING.md shows how each of
 * the six architectures fits.
 */
import type { Tensor, Tensor1D, Tensor2D } from '@tensorflow/tfjs-core';
import type { Activation } from '../nn/activation';
import type { Random } from '../session/random';
import type { Catalogue, NdArray, SessionInput, Sessions, WantedFeature } from '../types';

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
   * Set on tables with one row per item (row 0 is padding, rows 1…n the items, further rows special tokens): whether
   * the rows of a step's input items, output items (targets and negatives) or both are read. A step that trains by
   * touched rows loads and updates only those.
   */
  readonly rows?: 'input' | 'output' | 'both';
  /**
   * Row 0 starts at zero and stays there; with `start` it starts there and learns, as the padding row of a tied softmax
   * does that counts the padding column. Default true where `rows` is set.
   */
  readonly zeroRow?: boolean | 'start';
}

/** A prepared array. `items` marks arrays whose values are item indices. */
export interface PreparedArray extends NdArray {
  readonly items?: true;
}

/** What `prepare` makes of sessions, by name: plain arrays, no tensors. */
export type Prepared = Readonly<Record<string, PreparedArray>>;

/** The same arrays as tensors. */
export type PreparedTensors = Readonly<Record<string, Tensor>>;

/** How a forward pass runs: `dropout` is the identity outside training. */
export interface Run {
  readonly dropout: <T extends Tensor>(x: T, rate: number) => T;
  /** Told of intermediate results by name, to compare them with a reference implementation's. They stay the model's. */
  readonly observe?: (name: string, x: Tensor) => void;
}

/** What `prepare` is told of a training step. */
export interface TrainingDraw {
  /** The step's own stream of random numbers, for noise on the inputs. */
  readonly random: Random;
  /** For `masked` rows: what is hidden of each session. */
  readonly hidden?: readonly HiddenClicks[];
}

/** Which clicks of a session must be predicted, and from what. */
export interface HiddenClicks {
  /** 1 for the clicks to predict, `[n]`. */
  readonly targets: Uint8Array;
  /** For `spans`: place of each target in the order of prediction, −1 for clicks that everyone sees, `[n]`. */
  readonly ranks?: Int32Array;
}

/** The item side of a model: score of item i = vector · table[i] + bias[i]. */
export interface Outputs {
  /** `[n + 1, d]` (further rows of special tokens are never scored); row 0 is padding and never scored. */
  readonly table: Tensor2D;
  /** `[n + 1]`; entry 0 unused. */
  readonly bias?: Tensor1D;
  /** `[L]`: added to the score of an item of the session's last L clicks, by how many clicks ago it was clicked last. */
  readonly repeats?: Tensor1D;
}

/** A session carried from click to click: one more click is one step. Every tensor is `[B, …]`. */
export type State = readonly Tensor[];

/** Models whose session vector follows from the previous one and one click. */
export interface Stepping<C> {
  /** The state before the first click, for B sessions. */
  start(config: C, batch: number): State;
  /** The state after one more click; `items` is `[B]` int32. */
  step(params: Params, state: State, items: Tensor1D, config: C, run: Run): State;
  /** The session vector of a state, `[B, d]`. */
  vector(state: State): Tensor2D;
}

/**
 * Which rows a training batch holds.
 *
 * - `session-parallel`: one click of `batchSize` running sessions, state carried on (`stepping` needed), GRU4Rec §2.
 * - `sequences`: whole sessions; every click but the last predicts the next one (`positions` needed).
 * - `prefixes`: every prefix of every session with its next item, read through `encode`.
 * - `windows`: `length` clicks with the following `targets` items, slid over every session, read through `encode`. A
 *   session shorter than that gives one, with its newest clicks as targets, all if they are no more; with `partial` the
 *   window also slides over the start of every session, and shows one click at least.
 * - `masked`: whole sessions, some of whose clicks must be predicted, read through `positions`. `prepare` is told which.
 */
export type TrainingRows =
  | { readonly kind: 'session-parallel' }
  | {
      readonly kind: 'sequences';
      readonly maxLength: number;
      readonly sampling: 'shuffle' | 'with-replacement';
      readonly sameLength?: SameLength;
    }
  | { readonly kind: 'prefixes'; readonly maxLength: number; readonly sameLength?: SameLength }
  | {
      readonly kind: 'windows';
      readonly length: number;
      readonly targets: number;
      readonly partial?: boolean;
      /** How many of the same visitor's earlier sessions go along, in training and wherever the model is asked. Default 0. */
      readonly earlier?: number;
    }
  | {
      readonly kind: 'masked';
      readonly maxLength: number;
      readonly masking: MaskingSpec;
      /** Whether targets are the log's items, or what noise in `prepare` made of them. Default log. */
      readonly labels?: 'log' | 'prepared';
      /** Every prefix of two clicks or more is a session of its own as well. Default false. */
      readonly prefixes?: boolean;
      readonly sameLength?: SameLength;
    };

/** Batches of sessions, or prefixes, of one length each, with about that many clicks in all. Default: of `batchSize` sessions. */
export interface SameLength {
  readonly clicks: number;
}

/** Which clicks of a session are predicted. */
export type MaskingSpec =
  /** Each but the first, or only the last one, from those before it: read at the click before. */
  | { readonly kind: 'next'; readonly only: 'all' | 'last' }
  /** Each with this probability, at least one and not all; read where it stood. */
  | { readonly kind: 'tokens'; readonly probability: number }
  /** Spans of 1…maxSpan clicks, about this share of all; predicted in a random order, read where they stood. */
  | { readonly kind: 'spans'; readonly probability: number; readonly maxSpan: number };

/** Where the items come from that a target is compared with. */
export type NegativeSpec =
  /** Every item of the catalogue: the full softmax. */
  | { readonly kind: 'catalogue' }
  /**
   * One set for the whole batch: the batch's targets if `inBatch`, and `extra` ids drawn with replacement with
   * probability ∝ support^alpha; with `log-uniform` the item of popularity rank r (from 0) ∝ log((r + 2)/(r + 1)), each
   * at most once, and `extra` is the number of draws.
   */
  | {
      readonly kind: 'shared';
      readonly inBatch: boolean;
      readonly extra: number;
      readonly alpha: number;
      readonly distribution?: 'power' | 'log-uniform';
    }
  /** `count` uniform ids for each position on its own; `reject: 'session'` redraws items of that session. */
  | { readonly kind: 'per-position'; readonly count: number; readonly reject: 'session' | 'none' }
  /**
   * The same for each row of the batch, a session or window, whose targets share them; drawn with replacement with
   * probability ∝ support^alpha. Default alpha 0, uniform.
   */
  | {
      readonly kind: 'per-row';
      readonly count: number;
      readonly reject: 'session' | 'none';
      readonly alpha?: number;
    };

/** The loss, as plain data that `objectives/` carries out. */
export interface ObjectiveSpec {
  /** `softmax-bce`: a binary cross-entropy over the softmax of all columns. */
  readonly loss: 'cross-entropy' | 'softmax-bce' | 'bpr-max' | 'top1' | 'top1-max' | 'bpr' | 'bce' | 'gbce';
  readonly negatives: NegativeSpec;
  /** Applied to the scores before the loss; ignored by `cross-entropy`, `softmax-bce`, `bce` and `gbce`. Default linear. */
  readonly finalActivation?: Activation;
  /** Share of log q subtracted from the scores of a sampled cross-entropy, 0…1. Default 0. */
  readonly logq?: number;
  /**
   * Which columns it is subtracted from where a target is compared with draws only: all, or, by the share of the draws that
   * each is expected to have, the draws. Default all.
   */
  readonly logqOf?: 'all' | 'draws';
  /**
   * Where the columns of log q split into targets and extra ids: after the `live` rows, or always after the `nominal`
   * batch size as the official code does. Default live.
   */
  readonly logqSplit?: 'nominal' | 'live';
  /**
   * Mask negatives that equal a row's target, or set their scores to this number: of losses over columns where the target has one
   * of its own, so not `inBatch`. Default false.
   */
  readonly maskHits?: boolean | number;
  /** Calibration t of `gbce`, 0…1. Default 0. */
  readonly calibration?: number;
  /** Weight of BPR-max's score regularisation. Default 0. */
  readonly bpreg?: number;
  /** Target mass given to the other columns, 0…1. Default 0. */
  readonly labelSmoothing?: number;
  /** Whether that mass is shared by the other columns, or by all, the target's included (PyTorch). Default others. */
  readonly labelSmoothingOver?: 'others' | 'all';
  /** What a cross-entropy divides its scores by, corrections included. Default 1. */
  readonly temperature?: number;
  /** Whether the full softmax counts row 0, padding, as one more item that is never right. Default false. */
  readonly paddingColumn?: boolean;
  /** Replaced-token detection beside the loss, for models with `discriminate`. Default none. */
  readonly replaced?: ReplacedSpec;
  /** Added to the probabilities of a sampled cross-entropy inside their logarithm. Default 0. */
  readonly guard?: number;
  /**
   * `nominal`: sum over rows / nominal batch size. `mean`: mean over the targets. `balanced`, of `bce`: mean over the
   * targets plus mean over the negatives, so that both weigh the same whatever their numbers.
   */
  readonly reduction: 'nominal' | 'mean' | 'balanced';
  /**
   * Added to the loss: the weight times the sum over the parameters named of ‖table‖₂, or of its square (`power: 2`).
   * Default none.
   */
  readonly l2?: { readonly weight: number; readonly params: readonly string[]; readonly power?: 1 | 2 };
  /** Default none. */
  readonly contrastive?: ContrastiveSpec;
}

/**
 * A second loss beside the next-item loss: two random views of every session of a batch of B must be alike and unlike
 * all other views. For rows of whole sessions.
 *
 *     loss = mainWeight · loss + weight · mean over the 2B views a, b the other view of a's session, of
 *            −log( e^(s_ab/τ) / Σ_{c ≠ a} e^(s_ac/τ) )
 */
export interface ContrastiveSpec {
  /** At 0 no view is drawn. */
  readonly weight: number;
  /** Weight of the next-item loss. Default 1. */
  readonly mainWeight?: number;
  /** What makes a view of a session; each view draws one of them. */
  readonly augmentations: readonly Augmentation[];
  /** Whether both views of a session may draw the same one. */
  readonly allowSame: boolean;
  /** s: of the vectors as they are, or scaled to length 1. */
  readonly similarity: 'dot' | 'cosine';
  /** τ. */
  readonly temperature: number;
  /** Leave sessions that are equal to a's out of the denominator: they would be false negatives. */
  readonly maskDuplicates: boolean;
}

/** What makes a view of a session of n clicks; `ratio` is a share of n. */
export interface Augmentation {
  /** Keep that many clicks in a row; hide that many behind the mask token n + 1; shuffle that many in a row. */
  readonly kind: 'crop' | 'mask' | 'reorder';
  readonly ratio: number;
}

/**
 * Clark et al., "ELECTRA", ICLR 2020: a draw from the model's own scores takes the place of each target, and the model
 * must tell which clicks were replaced.
 *
 *     loss = generatorWeight · loss + weight · binary cross-entropy
 */
export interface ReplacedSpec {
  readonly weight: number;
  readonly generatorWeight: number;
  /** Replacements are drawn among the batch's targets, or all items. */
  readonly candidates: 'batch' | 'catalogue';
  /** Which columns the binary cross-entropy is a mean over: clicks only, or padding too. */
  readonly over: 'clicks' | 'all';
}

/** The optimiser, as plain data that `train/` carries out. */
export type OptimiserSpec =
  /** Rows that a step does not touch keep weight, accumulator and velocity. acc₀ = 0. */
  | {
      readonly kind: 'adagrad';
      readonly learningRate: number;
      readonly momentum: number;
      readonly epsilon: number;
      readonly touchedRows: boolean;
    }
  | {
      readonly kind: 'adam';
      readonly learningRate: number;
      readonly beta1: number;
      readonly beta2: number;
      readonly epsilon: number;
      /** `coupled` adds decay·w to the gradient, `decoupled` shrinks w by learningRate·decay. */
      readonly weightDecay: { readonly amount: number; readonly kind: 'coupled' | 'decoupled' };
      readonly touchedRows: boolean;
      /** Gradients are scaled down to this norm, taken over all of them together. Default: as they are. */
      readonly clipNorm?: number;
    };

/** How the learning rate moves over a run. */
export type ScheduleSpec =
  | { readonly kind: 'constant' }
  | { readonly kind: 'linear' } // to 0 at the last step
  | { readonly kind: 'step'; readonly every: number; readonly factor: number }; // epochs

/** Everything that training needs to know of a configured model. */
export interface TrainingPlan {
  readonly rows: TrainingRows;
  readonly batchSize: number;
  readonly epochs: number;
  readonly objective: ObjectiveSpec;
  readonly optimiser: OptimiserSpec;
  readonly schedule: ScheduleSpec;
  /** Epochs without a better validation after which training ends. Default 5. */
  readonly patience?: number;
  /** Of how many last epochs the mean weights are the result. Default 1. */
  readonly averageEpochs?: number;
  /** Last epochs that see only the latest share of the sessions, from a share of the learning rate to 0. Default: none. */
  readonly recent?: { readonly epochs: number; readonly share: number; readonly rate: number };
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

export type OptionSpecs<C> = { readonly [K in keyof C]-?: OptionSpec<C[K]> };

/** Configurations hold plain values only, so that they can be written to a manifest. */
export type ConfigValue = number | boolean | string | readonly number[];
export type ModelConfig = Readonly<Record<string, ConfigValue>>;

/** An architecture. `C` is its configuration: names of the reference implementation in camelCase. */
export interface SessionModel<C = ModelConfig> {
  readonly name: string;
  /** Citation in one line: authors, title, venue, link. */
  readonly paper: string;
  readonly options: OptionSpecs<C>;
  /** Checks that span several keys; throws `bad-config`. */
  check?(config: C): void;
  /** Sets the options that follow from the training log; throws `bad-config` if it lacks what the others need. */
  complete?(config: C, sessions: Sessions): C;
  /**
   * What the model reads beside item ids. What the log has a column for, or is an age, comes in as `SessionInput.features`,
   * what only the catalogue has as `Catalogue.features`. Default: nothing.
   */
  features?(config: C): readonly WantedFeature[];
  /** Whether the numbers of users mean something: then the artifact holds who they are. Default: not. */
  knowsUsers?(config: C): boolean;
  /** Every parameter with shape, start and role. */
  parameters(config: C, catalogue: Catalogue): Readonly<Record<string, ParameterSpec>>;
  /**
   * Plain arrays for a batch of sessions. Keeps the most recent clicks of sessions that are too long.
   *
   * @param training Given in training only: what is drawn for the step.
   */
  prepare(sessions: readonly SessionInput[], config: C, catalogue: Catalogue, training?: TrainingDraw): Prepared;
  /** One vector per session, `[B, d]`. */
  encode(params: Params, prepared: PreparedTensors, config: C, run: Run): Tensor2D;
  /**
   * For `sequences` and `masked`: one vector per click, `[B · W, d]`, where W is the width of the prepared array `items`, `[B, W]`.
   * `prepare` may make W as short as the longest session of the batch. Click t (0-based) of a session of n clicks, n
   * counted after truncation, stands in column `column(t, n, W, config)`.
   */
  readonly positions?: {
    readonly column: (t: number, n: number, width: number, config: C) => number;
    /** Whether W is the longest session's length, and a session's vectors do not depend on W. Default: not. */
    readonly trims?: (config: C) => boolean;
    readonly encode: (params: Params, prepared: PreparedTensors, config: C, run: Run) => Tensor2D;
  };
  /** What a contrastive loss compares: one vector per session, `[B, …]`. Default: what `encode` gives. */
  view?(params: Params, prepared: PreparedTensors, config: C, run: Run): Tensor2D;
  readonly stepping?: Stepping<C>;
  /**
   * For `objective.replaced`: whether the click in each column of `items` was replaced, as a logit, `[B · W]`. `prepared`
   * holds the replacements in `items`, and nothing is masked.
   */
  discriminate?(params: Params, prepared: PreparedTensors, config: C, run: Run): Tensor1D;
  outputs(params: Params, config: C): Outputs;
  training(config: C): TrainingPlan;
}
