/** `recommender.privacy`: the visitor's control over their data. */
import { RecommenderError } from '../errors';
import { loaded } from '../loaded';
import type { VisitorHistory } from '../session/visitor-history';
import type { DeviceNotes } from '../store/device-notes';
import type { EventStore } from '../store/event-store';
import type { StoredEvent } from '../store/records';
import { checkedAnswer } from './arguments';
import { type ConsentParts, createConsent } from './consent';
import type { createLazyPersonalisation } from './personalisation/lazy-personalisation';
import type { Consent, ConsentWords, Privacy } from './privacy-types';
import type { DegradationCode, Status } from './types';

interface PrivacyParts {
  readonly options: Pick<ConsentParts, 'consent' | 'consentMap' | 'dataLayer'>;
  readonly store: EventStore;
  readonly notes: DeviceNotes;
  readonly history: VisitorHistory<StoredEvent>;
  readonly personalisation: Pick<ReturnType<typeof createLazyPersonalisation>, 'look' | 'ifLoaded'>;
  readonly now: () => number;
  readonly status: () => Status;
  readonly update: (change: Partial<Status>) => void;
  readonly degrade: (code: DegradationCode, message: string) => void;
  readonly mend: (code: DegradationCode) => void;
  /** Throws `disposed`. */
  readonly assertAlive: () => void;
}

/** The calls of `recommender.privacy`, and consent. */
export function createPrivacy(parts: PrivacyParts) {
  const { options, store, notes, history, now, status, update, degrade, mend, assertAlive, personalisation } = parts;
  /** Whether the visit has been stored, or was about to be. */
  let isStored = false;

  async function decide(consent: Consent, consentBy: ConsentWords, isNews: boolean): Promise<void> {
    update({ consent, consentBy, ...(consent !== 'granted' && { storage: 'memory' }) });
    if (consent !== 'unknown') mend('consent-ignored');
    if (!isNews) return;
    if (consent === 'granted') {
      isStored = true;
      store.open();
      notes.allow('yes');
      personalisation.look();
      return;
    }
    void notes.forbid();
    if (consent === 'unknown') return store.hold();
    // A visit that was never stored continues in memory; a stored one is erased in every tab.
    const wasStored = isStored;
    isStored = false;
    await confirmed(wasStored ? store.erase(false) : store.discard());
  }

  async function confirmed(erasure: Promise<unknown>): Promise<void> {
    try {
      await erasure;
      mend('not-erased');
    } catch (error) {
      const message = `The device does not confirm the erasure. ${(error as Error).message}`;
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
    onIgnored: (message) => degrade('consent-ignored', message),
  });

  /** Rejects after `dispose`. */
  async function alive<T>(call: () => Promise<T>): Promise<T> {
    assertAlive();
    return call();
  }

  const calls: Privacy = {
    export: () =>
      alive(async () => {
        const { exported } = await loaded(import('./export'));
        const learnt = () => personalisation.ifLoaded((loaded) => loaded.learnt());
        return exported({ store, notes, history, learnt, now: now(), status });
      }),
    erase: () =>
      alive(async () => {
        await confirmed(Promise.all([store.erase(), notes.forget()]));
        await personalisation.ifLoaded((loaded) => loaded.settled());
      }),
    consent(answer) {
      const word = checkedAnswer(answer);
      return alive(() => consent.hear('page', word, true));
    },
    pause: () => alive(() => store.pause(true)),
    resume: () => alive(() => store.pause(false)),
  };
  return {
    calls,
    start: consent.start,
    lookAgain: consent.lookAgain,
    close: consent.close,
    /** Consent was granted and is unknown now: what may not be stored must not be learnt. */
    isHeld: () => isStored && status().consent === 'unknown',
    /** Another tab has withdrawn consent, and the stored data are gone. */
    withdrawn(word: 'denied' | 'unknown'): void {
      isStored &&= word === 'unknown';
      void notes.forbid();
      update({ consent: word, consentBy: consent.withdrawn(word), storage: 'memory' });
    },
  };
}
