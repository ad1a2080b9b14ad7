/**
 * IAB Europe's Transparency and Consent Framework v2.2, by `__tcfapi` of the page's consent platform.
 *
 * Aisle is not a vendor of the framework: the shop itself stores, on its own pages. The visitor's consent to these purposes
 * counts, for every vendor:
 *
 * - 1, "Store and/or access information on a device";
 * - 5, "Create profiles to personalise content", and 6, "Use profiles to select personalised content": a list of
 *   suggestions is content made from a profile, although that never leaves the device.
 *
 * Consent to all three means `granted`, anything less `denied`: legitimate interest does not replace consent. While the platform
 * shows its dialogue, the earlier answer counts. If the GDPR does not apply (`gdprApplies: false`), there is no answer, which is
 * not consent. If a platform has not answered, fails, or reports an error, its answer is awaited: an earlier `granted` no longer
 * counts, an earlier `denied` does.
 *
 * @see https://github.com/InteractiveAdvertisingBureau/GDPR-Transparency-and-Consent-Framework/blob/master/TCFv2/IAB%20Tech%20Lab%20-%20CMP%20API%20v2.md
 * @see https://iabeurope.eu/iab-europe-transparency-consent-framework-policies/ (appendix A: purposes)
 */
import type { ConsentWord } from './privacy-types';

export const PURPOSES = [1, 5, 6];

type Listener = (data: unknown, success: unknown) => void;
export type TcfApi = (command: string, version: number, callback: Listener, parameter?: unknown) => void;

export interface TcfData {
  readonly listenerId?: unknown;
  readonly gdprApplies?: unknown;
  readonly cmpStatus?: unknown;
  readonly eventStatus?: unknown;
  readonly purpose?: { readonly consents?: Readonly<Record<number, unknown>> };
}

/** @param report Called with each answer of the platform. */
export function createTcf(report: (word: ConsentWord | undefined, isNew: boolean) => void) {
  let api: TcfApi | undefined;
  let word: ConsentWord | undefined;
  let stopped = false;
  const listening = new Map<unknown, TcfApi>();

  function say(next: ConsentWord | undefined, isNew = false): void {
    word = next;
    report(word, isNew);
  }
  /** An unreliable answer does not revoke a denial. */
  function doubt(): void {
    if (word !== 'denied') say('waiting');
  }

  function hear(data: TcfData | null, success: unknown): void {
    const answer = success === true && data ? answerOf(data) : 'doubtful';
    if (answer === 'doubtful') doubt();
    else if (answer !== 'asking') say(answer, data?.eventStatus === 'useractioncomplete');
  }

  function leave(id: unknown, from: TcfApi): void {
    try {
      from('removeEventListener', 2, () => {}, id);
    } catch {
      // The platform is gone, so it calls no listener.
    }
  }

  return {
    /** Queries a platform that was not queried yet. The page's first one is a stub that queues calls. */
    look(): void {
      const found = (globalThis as { __tcfapi?: unknown }).__tcfapi;
      if (typeof found !== 'function' || found === api) return;
      const queried = found as TcfApi;
      api = queried;
      if (word === undefined) say('waiting');
      try {
        queried('addEventListener', 2, (data, success) => {
          try {
            const id = (data as TcfData | null)?.listenerId;
            if (stopped) return leave(id, queried);
            if (id !== undefined) listening.set(id, queried);
            hear(data as TcfData | null, success);
          } catch {
            doubt(); // the platform's data throws when it is read
          }
        });
      } catch {
        doubt();
      }
    },
    stop(): void {
      stopped = true;
      for (const [id, from] of listening) leave(id, from);
    },
  };
}

/** `asking`: the earlier answer counts. `doubtful`: the answer is not reliable. */
function answerOf({ gdprApplies, cmpStatus, eventStatus, purpose }: TcfData) {
  if (cmpStatus === 'error') return 'doubtful';
  if (gdprApplies === false) return undefined;
  if (gdprApplies !== true) return 'doubtful';
  if (eventStatus !== 'tcloaded' && eventStatus !== 'useractioncomplete') return 'asking';
  return PURPOSES.every((number) => purpose?.consents?.[number] === true) ? 'granted' : 'denied';
}
