/** Public types of consent and of what a visitor can ask for. Types only. */
import type { VisitorEvent } from '../session/visitor-history';
import type { QuarantinedRecord } from '../store/transactions';
import type { Learnt } from './learning-types';

/**
 * `granted` and `denied`: the visitor's answer. `manual`: the page calls `privacy.consent`. `auto`: the page's consent platform
 * (Google Consent Mode, IAB TCF) and `privacy.consent`; without consent, nothing is stored. Global Privacy Control counts
 * with every value.
 */
export type ConsentOption = 'auto' | 'granted' | 'denied' | 'manual';

export type ConsentAnswer = 'granted' | 'denied';

/**
 * `unknown`: no source has answered, or one has still to answer; or, if the browser's tabs cannot send each
 * other messages, what was stored is gone for an unknown reason. Only `granted` stores.
 */
export type Consent = ConsentAnswer | 'unknown';

/**
 * `page`: the option `consent` and `privacy.consent`. `other-tab`: a denial in another tab counts here, until
 * there is a new consent.
 */
export type ConsentSource = 'privacy-control' | 'page' | 'consent-mode' | 'tcf' | 'shopify' | 'other-tab';

/** The answer of a source. `waiting`: it is present, but has not answered, or its answer is not reliable. */
export type ConsentWord = ConsentAnswer | 'waiting';

/** A source that is absent or gives no answer is missing. */
export type ConsentWords = Readonly<Partial<Record<ConsentSource, ConsentWord>>>;

export interface Privacy {
  /**
   * Everything that is known of the visitor, of every tab if it is stored, as readable JSON. Waiting events are
   * stored first: with `storage: 'indexeddb'`, all of the export is on the device.
   *
   * @throws RecommenderError `io` if the script that makes it cannot be loaded.
   */
  export(): Promise<PrivacyExport>;
  /**
   * Erases every trace of the visitor, in memory and on the device, in every tab. What is tracked later starts a new history. Paused
   * pages stay paused until they are left; the device forgets the pause, too.
   *
   * @throws RecommenderError `io` if the device does not confirm it.
   */
  erase(): Promise<void>;
  /**
   * The visitor's answer. `granted`: what was and will be tracked is stored, unless Global Privacy Control is on or, with
   * `consent: 'auto'`, the page's consent platform says otherwise. `denied`: what is stored is erased and no tab stores
   * again; events stay in each page's memory. `status.consent` has the result.
   *
   * @throws RangeError for another answer; RecommenderError `io` if the device does not confirm that it erased.
   */
  consent(answer: ConsentAnswer): Promise<void>;
  /**
   * From now on nothing more is recorded or learnt, in every tab; recommendations continue from what is known. It outlasts
   * reloads if events may be stored. It takes effect at once, as `status.paused` shows. The promise resolves when the device
   * has stored it, or cannot; it rejects only with `disposed`.
   */
  pause(): Promise<void>;
  /** Records again what is tracked from now on, in every tab. Settles as `pause` does. */
  resume(): Promise<void>;
}

export interface PrivacyExport {
  /** Tells the file from others. */
  readonly format: 'aisle-export';
  /** Of the format. */
  readonly version: 1;
  /** When, in ISO 8601. */
  readonly exported: string;
  /** The strictest answer, which counts. */
  readonly consent: Consent;
  /** The answers that it combines. */
  readonly consentBy: ConsentWords;
  /** Where the events are. */
  readonly storage: 'idle' | 'memory' | 'indexeddb';
  /** What recommends; absent until it is loaded. */
  readonly model?: { readonly name: string; readonly version: string };
  /** Oldest first, as are their events, under the ids that the model knows; times in ISO 8601. */
  readonly sessions: readonly (readonly (Pick<
    VisitorEvent,
    'event' | 'itemId' | 'features' | 'candidates' | 'transaction'
  > & {
    readonly time: string;
  })[])[];
  /** What was learnt from them; absent where nothing was. */
  readonly learnt?: Learnt;
  /** Stored records that could not be read, and why. */
  readonly unreadable: readonly QuarantinedRecord[];
  /** What was found out about the device, not the visitor: which backend computes the fastest. */
  readonly device?: unknown;
  /** The visitor's variant in the page's A/B test; absent where none was drawn. */
  readonly variant?: unknown;
  /** What the slots showed last, each list with its time; absent where they showed nothing. */
  readonly lists?: unknown;
}
