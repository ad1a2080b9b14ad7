/** Reads the quarantined records for an export. A file of its own, because only an export loads it. */
import { promisifyRequest } from 'idb-keyval';
import type { EventStore } from './interface';
import { QUARANTINE } from './records';
import { type QuarantinedRecord, rangeOf } from './transactions';

/** The records and the reasons; empty if nothing is stored or the database does not answer. */
export async function readQuarantine(store: Pick<EventStore, 'beside'>): Promise<readonly QuarantinedRecord[]> {
  const read = (records: IDBObjectStore): Promise<QuarantinedRecord[]> =>
    promisifyRequest(records.getAll(rangeOf(QUARANTINE)));
  return (await store.beside(read).catch(() => undefined)) ?? [];
}
