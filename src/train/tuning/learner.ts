/** What the loop of `tune.ts` asks of a model that learns, adapter or all parameters. */
import type { NdArray } from '../../types';
import type { Pair, TuneEvent } from './frozen-model';

/** A learner as a delta holds it. */
export interface SavedLearner {
  /** Items that arrays named `rows.*` and `slot.rows.*` have rows for. */
  readonly itemIds: readonly string[];
  readonly arrays: Readonly<Record<string, NdArray>>;
  /** Updates so far. */
  readonly step: number;
}

export interface Learner {
  /** How base and tuned predict an event of a session that has begun. */
  predict(event: TuneEvent): Pair | Promise<Pair>;
  /** Learns the event that was predicted last. */
  learn(event: TuneEvent): void | Promise<void>;
  /** Counts an event, whether it was predicted or not. */
  count(event: TuneEvent): void;
  /** Back to the start; what was counted stays. */
  reset(): void;
  /** Copies. */
  save(): SavedLearner | Promise<SavedLearner>;
}
