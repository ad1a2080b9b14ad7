/** What may be asked of learning, and what `status` says of it. Types but for the words about the gate. */
import type { Delta, GateState, GuardState, TuneMethod } from '../checkpoint/delta';
import type { Explanation, TuneProgress } from '../engine/types';
import { CLOSED, GATE } from '../train/tuning/gate';

export type LearnChoice = 'auto' | 'manual';

/**
 * How to learn, and until when. A page that is hidden or left, or whose visitor saves data, ends the learning as well as the
 * signal does; each slice until then stays.
 */
export interface FineTuneOptions {
  /**
   * `adapter`: a few vectors and counts beside the model, a few kB. `full`: all of its weights. Default: as before, at first
   * `adapter`. Another one than before begins anew.
   */
  readonly method?: TuneMethod;
  /** Ends the call early: it rejects with `aborted`. What was learnt until then stays. */
  readonly signal?: AbortSignal;
  /** Told of every event, as it was predicted before it was learnt. */
  readonly onProgress?: (progress: TuneProgress) => void;
}

/** An event that was learnt, as it was predicted before: by the model alone, and with what had been learnt. */
export type PredictedEvent = Pick<TuneProgress, 'itemId' | 'base' | 'tuned'>;

/** So many of them `status.learning` remembers. */
export const REMEMBERED = 30;

export interface Taste {
  /**
   * What was learnt, as a file that only the passphrase opens: for another browser or device of the same visitor. It holds
   * which items were learnt from, how much each counts, and the time of the newest event; no other time, and no single events.
   *
   * @param passphrase At least 8 characters.
   * @throws RangeError for a shorter one; RecommenderError `nothing-learnt`; `insecure-context` in a page without https.
   */
  export(passphrase: string): Promise<Uint8Array>;
  /**
   * Goes on from such a file, in every tab; what was learnt here before is replaced.
   *
   * @throws RecommenderError `wrong-passphrase`; `bad-delta` for a file that is cut off, damaged or none of ours;
   *   `foreign-delta` where it was learnt on another model and nothing of it can be carried over; `not-allowed` while the
   *   visitor does not want it; `aborted` where all is erased or forgotten meanwhile; `insecure-context` in a page without
   *   https.
   */
  import(file: Uint8Array, passphrase: string): Promise<LearningStatus>;
  /** Forgets what was learnt, in every tab. The events stay, and are not learnt again: what is learnt next is of later ones. */
  forget(): Promise<void>;
}

/** Learning from the visitor on this device. All of it is loaded when it is asked for. */
export interface LearningCalls {
  /**
   * Learns what is new in the visitor's events, in short slices, each of which is kept; with `learn: 'auto'` that happens by
   * itself. What was learnt answers only while the gate is open: see `status.learning`. Where another tab learns, it waits, and
   * calls of one page take turns.
   *
   * @returns What `status.learning` says when nothing is left to learn.
   * @throws RangeError for a wrong option; RecommenderError `not-allowed` while recording is paused, storing denied, the page
   *   hidden, or data to be saved; `aborted` by `signal`, a pause, an erasure, by another tab that forgets or imports what is
   *   learnt, when the page is hidden, or before the next slice once data is to be saved; `not-tunable` where the model is a
   *   counting baseline, or nothing tells what turns its scores into probabilities.
   */
  fineTune(options?: FineTuneOptions): Promise<LearningStatus>;
  /**
   * Which of the visitor's clicks moved an item up or down, and by how much.
   *
   * @returns Null where nothing can be said: an item or clicks that the model does not know, or no probabilities.
   */
  explain(itemId: string): Promise<Explanation | null>;
  readonly taste: Taste;
}

/** What was learnt, and whether it is used. */
export interface LearningStatus {
  /**
   * `idle`: nothing is being learnt. `waiting`: for another tab that learns, or until the page is idle. `learning`. `unable`:
   * this model cannot learn here; `why` says why.
   */
  readonly state: 'idle' | 'waiting' | 'learning' | 'unable';
  readonly why?: string;
  readonly method: TuneMethod;
  /** Events that were learnt or refused, and steps of learning. */
  readonly events: number;
  readonly steps: number;
  /** Size of what was learnt. */
  readonly bytes: number;
  /** Where it is: nothing yet, in this page's memory, or on the device. */
  readonly storage: 'none' | 'memory' | 'indexeddb';
  readonly gate: GateStatus;
  /** Events that look like no visitor's, and were not learnt, by kind. */
  readonly refused: GuardState['refused'];
  /** The newest 30 of those that this page has learnt, the newest last. They are not stored. */
  readonly latest: readonly PredictedEvent[];
}

/** Whether what was learnt answers, and the numbers. */
export interface GateStatus extends Pick<GateState, 'isOpen' | 'events' | 'openings' | 'rollbacks'> {
  /** Mean reciprocal rank of the events, before they were learnt: by the model as it is, and with what had been learnt. */
  readonly base: number;
  readonly tuned: number;
  /** How many times likelier the events are if tuned predicts this visitor better; it opens at 5, twice that after each rollback. */
  readonly evidence: number;
  /** In words. */
  readonly why: string;
}

export function gateStatus(gate: GateState): GateStatus {
  const { isOpen, events, openings, rollbacks } = gate;
  const mean = (sum: number) => (events > 0 ? sum / events : 0);
  const evidence = Math.exp(Math.min(gate.evidence, 700));
  return {
    ...{ isOpen, events, openings, rollbacks, base: mean(gate.base), tuned: mean(gate.tuned), evidence },
    why: whyOf(gate, evidence),
  };
}

function whyOf({ isOpen, events, base, tuned, rollbacks }: GateState, evidence: number): string {
  const odds = `${evidence < 10 ? evidence.toFixed(1) : evidence.toPrecision(2)} : 1`;
  const needed = GATE.open * 2 ** rollbacks;
  if (isOpen) return `What was learnt predicted ${events} events better than the model alone (${odds}).`;
  const undone = rollbacks > 0 ? ` It has been undone ${rollbacks} time(s), when it had become worse.` : '';
  if (events < GATE.least) return `${events} of the ${GATE.least} events that it takes have been predicted.${undone}`;
  if (tuned < base) return `What was learnt ranks this visitor's items lower than the model alone.${undone}`;
  return `The evidence is ${odds}; ${needed} : 1 is asked for.${undone}`;
}

/** What is said before anything was learnt. */
export const UNLEARNT: LearningStatus = {
  ...{ state: 'idle', method: 'adapter', events: 0, steps: 0, bytes: 0, storage: 'none' },
  gate: gateStatus(CLOSED),
  refused: { rate: 0, repetition: 0, entropy: 0 },
  latest: [],
};

/** What is said of a delta. */
export function ofDelta({
  method,
  learnt,
  step,
  gate,
  guard,
}: Delta): Omit<LearningStatus, 'state' | 'storage' | 'bytes' | 'latest'> {
  return { method, events: learnt.events, steps: step, gate: gateStatus(gate), refused: guard.refused };
}
