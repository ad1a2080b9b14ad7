/**
 * A note beside the events that is drawn once, whichever of the open pages does so first: the visitor's variant. So it is in no page's
 * memory; it is erased with the events.
 */
import { promisifyRequest } from 'idb-keyval';
import { Database } from './database';
import { NOTE } from './device-notes';

/** @param name Name of the database. Default `aisle`, that of the events. */
export function openSharedNote(note: string, name = 'aisle') {
  const database = new Database({ name, deadline: 1, onDeleted() {} });
  const key = NOTE + note;
  const stored = (store: IDBObjectStore) => promisifyRequest<unknown>(store.get(key));
  return {
    /** Undefined where there is none. It may be anything, because any script of this origin can write there. */
    read: (): Promise<unknown> => database.runIfExists('readonly', stored),
    /**
     * Writes it in the transaction that has found none that is kept. Creates no database, which would be one that was erased.
     *
     * @param isKept Whether what is stored stays.
     */
    draw: (isKept: (stored: unknown) => boolean, value: object): Promise<void> =>
      database.runIfExists('readwrite', async (store) => {
        if (!isKept(await stored(store))) store.put(value, key);
      }),
    close: (): void => database.close(),
  };
}
