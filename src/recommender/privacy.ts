/** What a visitor may ask of the data about them. */
import type { VisitorEvent } from '../session/visitor-history';
import type { SetAside } from '../store/transactions';
import type { Consent, ConsentAnswer } from './consent';

export interface Privacy {
  /** Everything that is known of the visitor, in every tab where it is stored; as JSON, a person can read it. */
  export(): Promise<PrivacyExport>;
  /**
   * Erases every trace of the visitor, in memory and on the device, in every tab. What is tracked later counts anew.
   *
   * @throws RecommenderError `io` if the device does not confirm it.
   */
  erase(): Promise<void>;
  /**
   * The visitor's answer. `granted`: what was and will be tracked is stored, unless Global Privacy Control is on.
   * `denied`: what is stored is erased, and events stay in this page's memory. `status.consent` says what it came to.
   *
   * @throws RangeError for another answer; RecommenderError `io` if the device does not confirm that it erased.
   */
  consent(answer: ConsentAnswer): Promise<void>;
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
  readonly sessions: readonly (readonly { readonly time: string; readonly event: string; readonly itemId: string }[])[];
  /** Stored records that could not be read, and why. */
  readonly unreadable: readonly SetAside[];
  /** What was found out about the device, not the visitor: which backend computes the fastest. */
  readonly device?: unknown;
}

/** Sessions in words that a person reads. */
export function readable(sessions: readonly (readonly VisitorEvent[])[]): PrivacyExport['sessions'] {
  return sessions.map((session) => session.map(({ time, event, itemId }) => ({ time: isoTime(time), event, itemId })));
}

/** A time that no calendar has is given as its number. */
function isoTime(seconds: number): string {
  const date = new Date(1000 * seconds);
  return Number.isNaN(date.getTime()) ? String(seconds) : date.toISOString();
}
