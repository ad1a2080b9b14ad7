/**
 * The state of a model that was tuned on a device, as plain data: it crosses threads, is stored, exported, and carried over to
 * another version of the model. Item ids, never indices, so that another catalogue can tell what still holds.
 */
import type { NdArrays } from '../types';

/**
 * - `adapter`: the base stays as it is; a few vectors and counts are trained beside it.
 * - `full`: every parameter of the model is trained.
 */
export type TuneMethod = 'adapter' | 'full';

/** The model that was tuned. */
export interface BaseModel {
  readonly name: string;
  readonly version: string;
  readonly architecture: string;
  /** Of its weights and items: two models with the same one are the same. Hexadecimal. */
  readonly hash: string;
  /** Number of items n. */
  readonly items: number;
}

/** Which of the visitor's events were processed: newer ones are still to come. */
export interface TuningProgress {
  /** Events that were trained on, or refused by the guard. */
  readonly events: number;
  /** Time of the newest of them, in seconds since 1970; null before the first. */
  readonly through: number | null;
  /** How many of them have exactly that time. */
  readonly atThrough: number;
}

/**
 * Whether the tuned model may be used, and the evidence: every event was predicted by base and tuned before either knew it.
 * Finite numbers, whole where they count.
 */
export interface GateState {
  /** Whether the tuned model answers. */
  readonly isOpen: boolean;
  /** Events that were predicted by both. */
  readonly events: number;
  /** Natural logarithm of the evidence that tuned predicts this visitor better; 0 before the first event. */
  readonly evidence: number;
  /** The same that it predicts worse, since the gate opened last, or since the start. */
  readonly against: number;
  /** Running sums of the payoffs and of their squares, from which the next stake follows. */
  readonly sum: number;
  readonly squares: number;
  /** Sums of the reciprocal ranks over the events. */
  readonly base: number;
  readonly tuned: number;
  /** How often the gate opened. */
  readonly openings: number;
  /** How often the tuning was reset. */
  readonly rollbacks: number;
}

/** Events that look like no person's, which were not trained on. */
export interface GuardState {
  /** Counts by kind: too many in a short time, the same over and over, or without any preference. */
  readonly refused: { readonly rate: number; readonly repetition: number; readonly entropy: number };
  /** The newest events, oldest first, from which rate and repetition follow. */
  readonly recent: readonly { readonly itemId: string; readonly time: number }[];
  /** Decayed mean, in nats, of how much worse the base predicts the events than chance would; 0 before the first. */
  readonly surprise: number;
}

export interface Delta {
  readonly format: 1;
  readonly method: TuneMethod;
  readonly base: BaseModel;
  /** The items that arrays named `rows.*` and `slot.rows.*` have a row for, in their order. */
  readonly itemIds: readonly string[];
  /** Parameters by name; `slot.*` is the optimiser's state, `rows.count` decayed counts of the visitor's own events. */
  readonly arrays: NdArrays;
  /** Updates so far. */
  readonly step: number;
  readonly learnt: TuningProgress;
  readonly gate: GateState;
  readonly guard: GuardState;
}
