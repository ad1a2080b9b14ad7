/**
 * Learning from one visitor, event by event: predict by base and tuned, let the gate judge, learn.
 *
 * Nothing here knows time, storage or threads: stop after any event, `save`, and a new `Tuning` from that delta goes on bit for
 * bit as this one would have. See docs/learning.md.
 */
import type { Delta, GateState, GuardState, TuneMethod, TuningProgress } from '../../checkpoint/delta';
import { Adapter } from './adapter';
import type { FineTuner } from './fine-tuner';
import type { FrozenModel, Pair, TuneEvent } from './frozen-model';
import { CLOSED, GATE, type GateSettings, judge } from './gate';
import { INITIAL_GUARD, type RefusalReason, watch } from './guard';

/** What became of one event. */
export interface Tuned {
  /** As base and tuned predicted it; absent for the first event of a session. */
  readonly predicted?: Pair;
  /** Why it was not trained on. */
  readonly refused?: RefusalReason;
  /** What the gate did after it. */
  readonly gate?: 'opened' | 'rolled back';
}

export interface TuningOptions<L extends FineTuner> {
  readonly frozen: FrozenModel;
  readonly method: TuneMethod;
  readonly fineTuner: L;
  /** The state so far; `fineTuner` was made from it. */
  readonly delta?: Delta;
  /** False: a bench measures without. */
  readonly gate?: GateSettings | false;
}

export class Tuning<L extends FineTuner = FineTuner> {
  readonly fineTuner: L;
  readonly #frozen: FrozenModel;
  readonly #method: TuneMethod;
  readonly #settings: GateSettings | false;
  #gate: GateState;
  #guard: GuardState;
  #progress: TuningProgress;

  constructor({ frozen, method, fineTuner, delta, gate = GATE }: TuningOptions<L>) {
    this.fineTuner = fineTuner;
    this.#frozen = frozen;
    this.#method = method;
    this.#settings = gate;
    this.#gate = delta?.gate ?? CLOSED;
    this.#guard = delta?.guard ?? INITIAL_GUARD;
    this.#progress = delta?.learnt ?? { events: 0, through: null, atThrough: 0 };
  }

  /** Whether recommendations may use the tuned model. */
  get gate(): GateState {
    return this.#gate;
  }

  get guard(): GuardState {
    return this.#guard;
  }

  /** Takes one more event, the oldest that is new. */
  async step(event: TuneEvent): Promise<Tuned> {
    const isBegun = event.vector !== undefined || event.session !== undefined;
    const predicted = isBegun ? await this.fineTuner.predict(event) : undefined;
    const itemId = this.#frozen.itemIds[event.item - 1]!;
    const surprise = predicted && predicted.base.loss - Math.log(this.#frozen.itemIds.length);
    const { state, nonsense } = watch(this.#guard, { itemId, time: event.time }, surprise);
    this.#guard = state;
    this.#advance(event.time);
    if (nonsense) return { ...(predicted && { predicted }), refused: nonsense };
    const change = predicted && this.#judge(predicted);
    if (change === 'rolled back') await this.fineTuner.reset();
    else if (predicted) await this.fineTuner.update(event);
    this.fineTuner.count(event);
    return { ...(predicted && { predicted }), ...(change && { gate: change }) };
  }

  #judge(predicted: Pair): Tuned['gate'] {
    if (!this.#settings) return undefined;
    const before = this.#gate;
    this.#gate = judge(before, predicted, this.#settings);
    if (this.#gate.rollbacks > before.rollbacks) return 'rolled back';
    return this.#gate.openings > before.openings ? 'opened' : undefined;
  }

  #advance(time: number): void {
    const { events, through, atThrough } = this.#progress;
    const isNewer = through === null || time > through;
    this.#progress = {
      events: events + 1,
      through: isNewer ? time : through,
      atThrough: isNewer ? 1 : atThrough + (time === through ? 1 : 0),
    };
  }

  /** Everything that is needed to go on, as plain data; a copy. */
  async save(): Promise<Delta> {
    const { itemIds, arrays, step } = await this.fineTuner.save();
    return {
      format: 1,
      method: this.#method,
      base: this.#frozen.base,
      itemIds,
      arrays,
      step,
      learnt: this.#progress,
      gate: this.#gate,
      guard: this.#guard,
    };
  }
}

/** A tuning by adapter, from the start or from where a delta ended. */
export function tuneAdapter(frozen: FrozenModel, delta?: Delta): Tuning<Adapter> {
  const fineTuner = new Adapter(frozen, delta);
  return new Tuning({ frozen, method: 'adapter', fineTuner, ...(delta && { delta }) });
}
