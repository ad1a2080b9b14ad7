/** Public types of learning on the device. Types only. */
import type { Delta, GateState, GuardState, TuneMethod } from '../checkpoint/delta';
import type { Explanation, TuneProgress } from '../engine/types';

export type LearnChoice = 'auto' | 'manual';

/** Learning from the visitor on this device. All of its code is loaded on demand. */
export interface LearningCalls {
  /**
   * Learns the visitor's new events in short slices, and stores each slice; with `learn: 'auto'` that happens automatically. The
   * result is used only while it predicts this visitor's clicks better than the base model: see `status.learning`. If another tab
   * learns, the call waits. The calls of one page run one after another.
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

/**
 * Options of `fineTune`. Learning also stops when the page is hidden or left, or the visitor saves data. Finished slices stay.
 */
export interface FineTuneOptions {
  /**
   * `adapter`: a few vectors and counts beside the model, a few kB. `full`: all of its weights. Default: the method used before, at
   * first `adapter`. A different method starts from the beginning.
   */
  readonly method?: TuneMethod;
  /** Ends the call early: it rejects with `aborted`. Finished slices stay. */
  readonly signal?: AbortSignal;
  /** Called for every event, with its prediction from before it was learnt. */
  readonly onProgress?: (progress: TuneProgress) => void;
}

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
  /**
   * Forgets what was learnt, in every tab. The events stay, and are not learnt again: what is learnt next is of later ones.
   *
   * @throws RecommenderError `io` where the device does not confirm it: this page has forgotten, and tries again later.
   */
  forget(): Promise<void>;
}

/** What was learnt, and whether it is used. */
export interface LearningStatus {
  /**
   * `idle`: nothing is being learnt. `waiting`: for another tab that learns, or until the page is idle. `learning`. `unable`: this
   * model cannot learn here, for the reason in `why`.
   */
  readonly state: 'idle' | 'waiting' | 'learning' | 'unable';
  /** Why it cannot learn, in words. */
  readonly why?: string;
  /** What is learnt: an adapter, or all parameters. */
  readonly method: TuneMethod;
  /** Events that were learnt or refused. */
  readonly events: number;
  /** Updates of the weights so far. */
  readonly steps: number;
  /** Size of what was learnt. */
  readonly bytes: number;
  /** Where it is: nothing yet, in this page's memory, or on the device. */
  readonly storage: 'none' | 'memory' | 'indexeddb';
  /** Whether what was learnt is used, and by what evidence. */
  readonly gate: GateStatus;
  /** Events that look like no visitor's, and were not learnt, by kind. */
  readonly refused: GuardState['refused'];
  /** The newest 30 of those that this page has learnt, the newest last. They are not stored. */
  readonly latest: readonly PredictedEvent[];
}

/** An event that was learnt, as it was predicted before: by the model alone, and with what had been learnt. */
export type PredictedEvent = Pick<TuneProgress, 'itemId' | 'base' | 'tuned'>;

/** Whether what was learnt answers, and the numbers. */
export interface GateStatus extends Pick<GateState, 'isOpen' | 'events' | 'openings' | 'rollbacks'> {
  /** Mean reciprocal rank of the events before they were learnt, by the model as it is. */
  readonly base: number;
  /** The same with what had been learnt. */
  readonly tuned: number;
  /** How many times likelier the events are if tuned predicts this visitor better; it opens at 5, twice that after each rollback. */
  readonly evidence: number;
  /** In words. */
  readonly why: string;
}

export interface Learnt {
  /** Of this object; another number has other fields. */
  readonly format: 1;
  /** What was learnt: an adapter, or all parameters. */
  readonly method: Delta['method'];
  /** What it was learnt on. */
  readonly model: { readonly name: string; readonly version: string; readonly hash: string };
  /** That were learnt or refused. */
  readonly events: number;
  /** Updates of the weights. */
  readonly steps: number;
  /** Time of the newest event that was learnt, in ISO 8601. */
  readonly through?: string;
  /** Size of what was learnt. */
  readonly bytes: number;
  /** Where it is. */
  readonly storage: LearningStatus['storage'];
  /** Whether it is used, and the numbers. */
  readonly gate: GateStatus;
  /** Events that look like no visitor's, and were not learnt, by kind. */
  readonly refused: LearningStatus['refused'];
  /** The newest events, oldest first, learnt or refused: how fast and how alike they come tells a machine. */
  readonly recent: readonly { readonly itemId: string; readonly time: string }[];
  /** Every item that was learnt from, with the visitor's events of it, older ones counting less. */
  readonly items: readonly Pick<Pull, 'itemId' | 'events'>[];
  /** The most frequent first. Levels of a category are joined by ` > `. */
  readonly favourites: { readonly categories: readonly Favourite[]; readonly brands: readonly Favourite[] };
  /** The strongest first. */
  readonly pulls: readonly Pull[];
}

/** One thing of which the visitor chose more than of others. */
export interface Favourite {
  /** The brand, or the levels of the category joined by ` > `. */
  readonly name: string;
  /** The visitor's events of it, older ones counting less. */
  readonly events: number;
  /** Of the visitor's events of which it is known, older ones counting less, 0…1. */
  readonly share: number;
}

/** An item that what was learnt moves up. */
export interface Pull {
  /** The item that is more, or less, likely. */
  readonly itemId: string;
  /** From the catalogue, where that has the item. */
  readonly title?: string;
  /** The visitor's events of it, older ones counting less. */
  readonly events: number;
  /** By how much it was learnt to be likelier, as a natural logarithm; beside what its counted events say. */
  readonly learnt: number;
}
