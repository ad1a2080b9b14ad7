/** Reads the records that could not be read: for the visitor, who may ask what there is. */
import { promisifyRequest } from 'idb-keyval';
import type { EventStore } from './interface';
import { ASIDE } from './records';
import { rangeOf, type SetAside } from './transactions';

/** What was set aside, and why; empty where nothing is stored, or the database does not answer. */
export async function readAside(store: Pick<EventStore, 'beside'>): Promise<readonly SetAside[]> {
  const read = (records: IDBObjectStore): Promise<SetAside[]> => promisifyRequest(records.getAll(rangeOf(ASIDE)));
  return (await store.beside(read).catch(() => undefined)) ?? [];
}
