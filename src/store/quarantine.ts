/** Reads for an export what no answer uses. A file of its own, because only an export loads it. */
import { promisifyRequest } from 'idb-keyval';
import type { EventStore } from './interface';
import { readAhead } from './record-reader';
import { QUARANTINE, type StoredEvent } from './records';
import { type QuarantinedRecord, rangeOf } from './transactions';

/** The records and the reasons; empty if nothing is stored or the database does not answer. */
export async function readQuarantine(store: Pick<EventStore, 'beside'>): Promise<readonly QuarantinedRecord[]> {
  const read = (records: IDBObjectStore): Promise<QuarantinedRecord[]> =>
    promisifyRequest(records.getAll(rangeOf(QUARANTINE)));
  return (await store.beside(read).catch(() => undefined)) ?? [];
}

/**
 * The events that wait because they are ahead of the clock; empty as `readQuarantine`.
 *
 * @param now Seconds since 1970.
 */
export async function readWaiting(store: Pick<EventStore, 'beside'>, now: number): Promise<readonly StoredEvent[]> {
  return (await store.beside((records) => readAhead(records, now)).catch(() => undefined)) ?? [];
}
