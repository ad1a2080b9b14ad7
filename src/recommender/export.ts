/** The result of `privacy.export`, loaded on demand. */
import type { VisitorEvent, VisitorHistory } from '../session/visitor-history';
import type { DeviceNotes } from '../store/device-notes';
import type { EventStore } from '../store/event-store';
import { readQuarantine, readWaiting } from '../store/quarantine';
import type { StoredEvent } from '../store/records';
import { BACKENDS, LISTS, VARIANT } from './device-record';
import type { Learnt } from './learning-types';
import type { PrivacyExport } from './privacy-types';
import type { Status } from './types';

export interface ExportParts {
  readonly store: EventStore;
  readonly notes: DeviceNotes;
  readonly history: VisitorHistory<StoredEvent>;
  /** Undefined if nothing was learnt. */
  readonly learnt: () => Promise<Learnt | undefined>;
  /** Milliseconds since 1970. */
  readonly now: number;
  readonly status: () => Status;
}

export async function exported({ store, notes, history, learnt, now, status }: ExportParts): Promise<PrivacyExport> {
  await store.flush();
  await store.refresh();
  const taste = await learnt();
  const known = new Set(history.events().map(identityOf));
  const ahead = (await readWaiting(store, now / 1000)).filter((event) => !known.has(identityOf(event)));
  const { consent, consentBy, storage, model } = status();
  return {
    format: 'aisle-export',
    version: 1,
    exported: new Date(now).toISOString(),
    consent,
    consentBy,
    storage,
    ...(model && { model: { name: model.name, version: model.version } }),
    sessions: readable([...history.sessions(), ...(ahead.length > 0 ? [ahead] : [])]),
    ...(taste && { learnt: taste }),
    unreadable: storage === 'indexeddb' ? await readQuarantine(store) : [],
    device: await notes.read(BACKENDS),
    variant: await notes.read(VARIANT),
    lists: await notes.read(LISTS),
  };
}

const identityOf = ({ tab, number }: StoredEvent): string => `${tab}/${number}`;

/** Sessions in a readable form. */
export function readable(sessions: readonly (readonly VisitorEvent[])[]): PrivacyExport['sessions'] {
  return sessions.map((session) =>
    session.map(({ time, event, itemId, features, candidates, transaction }) => ({
      time: isoTime(time),
      event,
      itemId,
      ...(features && { features }),
      ...(candidates && { candidates }),
      ...(transaction !== undefined && { transaction }),
    })),
  );
}

/** A time beyond the range of dates is given as a number. */
export function isoTime(seconds: number): string {
  const date = new Date(1000 * seconds);
  return Number.isNaN(date.getTime()) ? String(seconds) : date.toISOString();
}
