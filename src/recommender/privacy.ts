/** What a visitor may ask of the data about them. */
import { RecommenderError } from '../errors';
import type { Status } from '../recommender';
import type { VisitorEvent, VisitorHistory } from '../session/visitor-history';
import type { DeviceNotes } from '../store/device-notes';
import type { EventStore } from '../store/event-store';
import type { StoredEvent } from '../store/records';
import type { SetAside } from '../store/transactions';
import { checkedAnswer } from './arguments';
import { type Consent, type ConsentAnswer, type ConsentParts, type ConsentWords, createConsent } from './consent';
import type { createLearner } from './learner';
import type { Learnt } from './learnt';
import { loaded } from './loaded';

export interface Privacy {
  /**
   * Everything that is known of the visitor, in every tab where it is stored; as JSON, a person can read it. What waits to
   * be stored is stored first: where the export says `storage: 'indexeddb'`, all that it holds is on the device.
   *
   * @throws RecommenderError `io` if the script that makes it cannot be loaded.
   */
  export(): Promise<PrivacyExport>;
  /**
   * Erases every trace of the visitor, in memory and on the device, in every tab. What is tracked later counts anew. Pages
   * that are paused stay so until they are left; the device forgets that, too.
   *
   * @throws RecommenderError `io` if the device does not confirm it.
   */
  erase(): Promise<void>;
  /**
   * The visitor's answer. `granted`: what was and will be tracked is stored, unless Global Privacy Control is on or, with
   * `consent: 'auto'`, the page's consent platform says otherwise. `denied`: what is stored is erased and no tab stores any
   * more; events stay in each page's memory. `status.consent` says what it came to.
   *
   * @throws RangeError for another answer; RecommenderError `io` if the device does not confirm that it erased.
   */
  consent(answer: ConsentAnswer): Promise<void>;
  /**
   * From now on nothing more is recorded or learnt, in every tab; recommendations go on from what is known. Kept over
   * reloads where events may be stored. In force at once, and told by `status.paused`; the promise resolves when the device
   * has it, or cannot: it never rejects but with `disposed`.
   */
  pause(): Promise<void>;
  /** Records again what is tracked from now on, in every tab. Settles as `pause` does. */
  resume(): Promise<void>;
}

export interface PrivacyExport {
  readonly format: 'aisle-export';
  readonly version: 1;
  /** When, in ISO 8601. */
  readonly exported: string;
  readonly consent: Consent;
  /** What that is the sum of. */
  readonly consentBy: ConsentWords;
  /** Where the events are. */
  readonly storage: 'idle' | 'memory' | 'indexeddb';
  readonly model?: { readonly name: string; readonly version: string };
  /** Oldest first, as are their events; times in ISO 8601. */
  readonly sessions: readonly (readonly (Pick<VisitorEvent, 'event' | 'itemId' | 'features'> & {
    readonly time: string;
  })[])[];
  /** What was learnt from them; absent where nothing was. */
  readonly learnt?: Learnt;
  /** Stored records that could not be read, and why. */
  readonly unreadable: readonly SetAside[];
  /** What was found out about the device, not the visitor: which backend computes the fastest. */
  readonly device?: unknown;
}

interface PrivacyParts {
  readonly options: Pick<ConsentParts, 'consent' | 'dataLayer'>;
  readonly store: EventStore;
  readonly notes: DeviceNotes;
  readonly history: VisitorHistory<StoredEvent>;
  readonly learner: Pick<ReturnType<typeof createLearner>, 'look' | 'tell'>;
  readonly now: () => number;
  readonly status: () => Status;
  readonly update: (change: Partial<Status>) => void;
  readonly degrade: (code: string, message: string) => void;
  readonly mend: (code: string) => void;
  /** Throws `disposed`. */
  readonly assertAlive: () => void;
}

/** What `recommender.privacy` does, and the consent on which it rests. */
export function createPrivacy(parts: PrivacyParts) {
  const { options, store, notes, history, learner, now, status, update, degrade, mend, assertAlive } = parts;
  /** Whether the visit has been stored, or was about to be. */
  let isStored = false;

  async function decide(consent: Consent, consentBy: ConsentWords, isNews: boolean): Promise<void> {
    update({ consent, consentBy, ...(consent !== 'granted' && { storage: 'memory' }) });
    if (!isNews) return;
    if (consent === 'granted') {
      isStored = true;
      store.open();
      notes.allow('yes');
      learner.look();
      return;
    }
    void notes.forbid();
    if (consent === 'unknown') return store.hold();
    // A visit that was never stored goes on in memory; one that was is gone, in every tab.
    const wasStored = isStored;
    isStored = false;
    await confirmed(wasStored ? store.erase(false) : store.discard());
  }

  async function confirmed(erasure: Promise<unknown>): Promise<void> {
    try {
      await erasure;
      mend('not-erased');
    } catch (error) {
      const message = `The device does not confirm that what was stored is erased. ${(error as Error).message}`;
      degrade('not-erased', message);
      throw new RecommenderError('io', message, { cause: error });
    }
  }

  const consent = createConsent({
    ...options,
    decide,
    onUnread(error) {
      if (error === undefined) return mend('consent-unread');
      degrade('consent-unread', `Nothing is stored until the page's consent can be read. ${(error as Error).message}`);
    },
  });

  const asked: Privacy = {
    async export() {
      assertAlive();
      const { exported } = await loaded(import('./export'));
      return exported({ store, notes, history, learner, now: now(), status });
    },
    async erase() {
      assertAlive();
      await confirmed(Promise.all([store.erase(), notes.forget()]));
      await learner.tell((learning) => learning.settled());
    },
    consent(answer) {
      assertAlive();
      return consent.hear('page', checkedAnswer(answer), true);
    },
    async pause() {
      assertAlive();
      await store.pause(true);
    },
    async resume() {
      assertAlive();
      await store.pause(false);
    },
  };
  return {
    asked,
    start: consent.start,
    lookAgain: consent.lookAgain,
    close: consent.close,
    /** Another tab has ended the storing, and what was stored is gone. */
    withdrawn(word: 'denied' | 'unknown'): void {
      isStored = false;
      void notes.forbid();
      update({ consent: word, consentBy: consent.withdrawn(word), storage: 'memory' });
    },
  };
}
