/**
 * How an architecture trains: the half of the seam that a page does not load. A training is the sampler (`rows`), the collate
 * function (`batch`) and the loss of its paper; `train/trainer.ts` is the loop over them and knows no more of any model.
 */
import type { Scalar } from '@tensorflow/tfjs';
import type { Streams, TrainingLog, Uploaded } from '../objectives/batch';
import type { Params, Run, SessionModel, State } from './model';

/** Rows that a step does not touch keep weight, accumulator and velocity. acc₀ = 0. */
interface AdagradSpec {
  readonly kind: 'adagrad';
  readonly learningRate: number;
  readonly momentum: number;
  readonly epsilon: number;
  readonly touchedRows: boolean;
}

interface AdamSpec {
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
}

/** The optimiser, as plain data that `train/optimiser.ts` carries out. */
export type OptimiserSpec = AdagradSpec | AdamSpec;

/** Adam; what is not given is as in the paper (Kingma & Ba, ICLR 2015) and in PyTorch. */
export const adam = (
  spec: Pick<AdamSpec, 'learningRate' | 'weightDecay' | 'touchedRows'> & Partial<AdamSpec>,
): AdamSpec => ({ kind: 'adam', beta1: 0.9, beta2: 0.999, epsilon: 1e-8, ...spec });

/** How the learning rate moves over a run. */
export type ScheduleSpec =
  | { readonly kind: 'constant' }
  | { readonly kind: 'linear' } // to 0 at the last step
  | { readonly kind: 'step'; readonly every: number; readonly factor: number }; // epochs

/** What is plain data of a training. */
export interface TrainingPlan {
  readonly epochs: number;
  readonly optimiser: OptimiserSpec;
  readonly schedule: ScheduleSpec;
  /** Epochs without a better validation after which training ends. Default 5. */
  readonly patience?: number;
  /** Of how many last epochs the mean weights are the result. Default 1. */
  readonly averageEpochs?: number;
  /** Last epochs that see only the latest share of the sessions, from a share of the learning rate to 0. Default: none. */
  readonly recent?: { readonly epochs: number; readonly share: number; readonly rate: number };
}

/** What a loss may read beside its batch. */
export interface TrainingRun extends Run {
  /** What the step before left, for running sessions. */
  readonly state: State | undefined;
  /** Items of the catalogue, n. */
  readonly items: number;
}

/** What a step computes. */
export interface Loss {
  readonly loss: Scalar;
  /** State of the running sessions for the next step. */
  readonly state?: State;
  /** Worth watching beside the loss, by name. */
  readonly measures?: Readonly<Record<string, Scalar>>;
  /**
   * A further loss, which is added. It is called after the gradients of the first loss are computed and its other tensors freed. What
   * the outer function computes is constant; the returned function is differentiated. A tensor of the first loss that `second`
   * reads must be kept by `keep`; `second` disposes it.
   */
  readonly second?: () => () => Scalar;
}

/** The training of an architecture. Rows are examples of a batch, B what a step reads of them. */
export interface Training<C = unknown, Row = unknown, B = unknown> {
  readonly network: SessionModel<C>;
  plan(config: C): TrainingPlan;
  /**
   * The rows of each batch of one epoch: the same for the same streams. Cheap: an epoch is iterated to count its steps, and to skip
   * those of a resumed epoch.
   */
  rows(log: TrainingLog, config: C, streams: Streams): Iterable<readonly Row[]>;
  /** All that a step reads, and all that it draws, as plain arrays. */
  batch(rows: readonly Row[], log: TrainingLog, config: C, streams: Streams): B;
  /** @param params Whole tables, or those of the touched rows with indices to match. */
  loss(params: Params, batch: Uploaded<B>, config: C, run: TrainingRun): Loss;
  /**
   * How many clicks a row shows and how many targets it has. A loss is a mean over targets, and so is that of an epoch. Absent: a
   * mean over steps.
   */
  size?(row: Row): { readonly clicks: number; readonly targets: number };
  /** Why the rows of a batch cannot be shared between threads, in words. Absent or undefined: they can. */
  indivisible?(config: C): string | undefined;
}
