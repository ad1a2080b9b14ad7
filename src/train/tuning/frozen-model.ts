/** The input of tuning: the frozen side of a model as plain arrays, and one event. */
import type { BaseModel } from '../../checkpoint/delta';
import { lagsOf } from '../../session/lags';
import type { ItemIndex, SessionInput } from '../../types';
import type { ItemAttribute } from './item-attributes';

/** A base model: its item side, and what is known of its items. Nothing here is ever written to. */
export interface FrozenModel {
  readonly base: BaseModel;
  /** `itemIds[k]` is the id of index k + 1. */
  readonly itemIds: readonly string[];
  /** E, `[n, d]` row-major: row k belongs to item index k + 1. Neither padding nor special tokens. */
  readonly table: Float32Array;
  /** b, `[n]`. Default 0. */
  readonly bias?: Float32Array;
  /** r, `[L]`: what items of the last L clicks score on top, by how many clicks ago. Default 0. */
  readonly repeats?: Float32Array;
  /** s: what turns the base's scores into logits. */
  readonly scale: number;
  /** Events of each item in the training log, `[n + 1]`, entry 0 unused. */
  readonly support: ArrayLike<number>;
  /** What the catalogue says of items; default nothing. */
  readonly attributes?: readonly ItemAttribute[];
  /** Anonymous sessions of others, as session vectors `[m, d]` with the items that came next, `[m]`: what must not get worse. */
  readonly replay?: {
    readonly vectors: Float32Array;
    readonly targets: Int32Array;
    /** For a base with scores for repeats. */
    readonly sessions?: readonly SessionInput[];
  };
}

/** Columns of items that a session holds, with what each scores on top. */
export function repeatedColumns(
  { repeats }: Pick<FrozenModel, 'repeats'>,
  session: SessionInput | undefined,
): [number, number][] {
  if (!repeats || !session) return [];
  return Array.from(lagsOf(session.items, repeats.length), ([item, lag]) => [item - 1, repeats[lag]!]);
}

/** One event of the visitor. */
export interface TuneEvent {
  readonly item: ItemIndex;
  /** Seconds since 1970. */
  readonly time: number;
  /** c, the base's vector of the session before this event, `[d]`; absent for a session's first event, which nothing predicts. */
  readonly vector?: Float32Array;
  /** The session before this event, for learners that encode it themselves and scores for repeats; absent for its first event. */
  readonly session?: SessionInput;
  /** Items that are no candidates, such as those already bought. */
  readonly hidden?: Iterable<ItemIndex>;
}

/** How one model predicted one event before training on it. */
export interface Predicted {
  /** Conservative: the event's item loses ties. */
  readonly rank: number;
  /** −log of its probability, in nats. */
  readonly loss: number;
}

/** The base and the tuned model on the same event, among the same candidates. */
export interface Pair {
  readonly base: Predicted;
  readonly tuned: Predicted;
}
