/** The two ways to fine-tune, adapter and all parameters, as the loop of `tune.ts` calls them. */
import type { NdArray } from '../../types';
import type { Pair, TuneEvent } from './frozen-model';

/** The state of a fine-tuner, as a delta holds it. */
export interface FineTunerState {
  /** Items that arrays named `rows.*` and `slot.rows.*` have rows for. */
  readonly itemIds: readonly string[];
  readonly arrays: Readonly<Record<string, NdArray>>;
  /** Updates so far. */
  readonly step: number;
}

export interface FineTuner {
  /** How the base model and the tuned one predict an event of a session that has begun. */
  predict(event: TuneEvent): Pair | Promise<Pair>;
  /** Learns the event that was predicted last. */
  update(event: TuneEvent): void | Promise<void>;
  /** Counts an event, whether it was predicted or not. */
  count(event: TuneEvent): void;
  /** Back to the start; what was counted stays. */
  reset(): void;
  /** Copies. */
  save(): FineTunerState | Promise<FineTunerState>;
}
