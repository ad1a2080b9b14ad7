/** What a visitor may ask of the data about them. */
import { RecommenderError } from '../errors';
import type { Status } from '../recommender';
import type { VisitorEvent, VisitorHistory } from '../session/visitor-history';
import type { DeviceNotes } from '../store/device-notes';
import type { EventStore } from '../store/event-store';
import type { StoredEvent } from '../store/records';
import type { SetAside } from '../store/transactions';
import { checkedAnswer } from './arguments';
import { type Consent, type ConsentAnswer, type ConsentOption, consentOf } from './consent';
import { BACKENDS } from './device-record';

export interface Privacy {
  /**
   * Everything that is known of the visitor, in every tab where it is stored; as JSON, a person can read it. What waits to
   * be stored is stored first: where the export says `storage: 'indexeddb'`, all that it holds is on the device.
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
   * The visitor's answer. `granted`: what was and will be tracked is stored, unless Global Privacy Control is on.
   * `denied`: what is stored is erased and no tab stores any more; events stay in each page's memory. `status.consent` says
   * what it came to.
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
  /** Where the events are. */
  readonly storage: 'idle' | 'memory' | 'indexeddb';
  readonly model?: { readonly name: string; readonly version: string };
  /** Oldest first, as are their events; times in ISO 8601. */
  readonly sessions: readonly (readonly (Pick<VisitorEvent, 'event' | 'itemId' | 'features'> & {
    readonly time: string;
  })[])[];
  /** Stored records that could not be read, and why. */
  readonly unreadable: readonly SetAside[];
  /** What was found out about the device, not the visitor: which backend computes the fastest. */
  readonly device?: unknown;
}

/** Sessions in words that a person reads. */
export function readable(sessions: readonly (readonly VisitorEvent[])[]): PrivacyExport['sessions'] {
  return sessions.map((session) =>
    session.map(({ time, event, itemId, features }) => ({
      ...{ time: isoTime(time), event, itemId },
      ...(features && { features }),
    })),
  );
}

/** A time that no calendar has is given as its number. */
function isoTime(seconds: number): string {
  const date = new Date(1000 * seconds);
  return Number.isNaN(date.getTime()) ? String(seconds) : date.toISOString();
}

interface PrivacyParts {
  readonly store: EventStore;
  readonly notes: DeviceNotes;
  readonly history: VisitorHistory<StoredEvent>;
  readonly now: () => number;
  readonly status: () => Status;
  readonly update: (change: Partial<Status>) => void;
  readonly degrade: (code: string, message: string) => void;
  readonly mend: (code: string) => void;
  /** Throws `disposed`. */
  readonly assertAlive: () => void;
}

/** What `recommender.privacy` does, and `decide`: what the page's answer comes to, at the start and later. */
export function createPrivacy(parts: PrivacyParts): {
  readonly asked: Privacy;
  decide(answer: ConsentOption): Promise<void>;
} {
  const { store, notes, history, now, status, update, degrade, mend, assertAlive } = parts;

  async function decide(answer: ConsentOption): Promise<void> {
    const before = status().consent;
    const consent = consentOf(answer);
    update({ consent });
    if (consent === 'granted') {
      store.open();
      notes.allow();
    }
    if (consent !== 'denied') return;
    update({ storage: 'memory' });
    void notes.forbid();
    // A visit that was never stored goes on in memory; one that was is gone, in every tab.
    await confirmed(before === 'granted' ? store.erase(false) : store.discard());
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

  const asked: Privacy = {
    async export() {
      assertAlive();
      await store.flush();
      await store.refresh();
      const { consent, storage, model } = status();
      return {
        format: 'aisle-export',
        version: 1,
        exported: new Date(now()).toISOString(),
        consent,
        storage,
        ...(model && { model: { name: model.name, version: model.version } }),
        sessions: readable(history.sessions()),
        unreadable: await store.setAside(),
        device: await notes.read(BACKENDS),
      };
    },
    async erase() {
      assertAlive();
      await confirmed(Promise.all([store.erase(), notes.forget()]));
    },
    consent(answer) {
      assertAlive();
      return decide(checkedAnswer(answer));
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
  return { asked, decide };
}
