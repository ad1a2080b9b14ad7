/**
 * What was learnt from the events, kept beside them: one record in their database, so that it is erased with them, written
 * in one transaction, so that a crash leaves the old one or the new one. Where events may not be stored, nothing is.
 *
 *     key     learnt
 *     value   { bytes, since }
 */
import { get } from 'idb-keyval';
import { within } from './database';
import type { EventStore } from './interface';
import { randomName, textOf } from './records';
import { LEARNT, LEARNT_NAME, moveAside } from './transactions';

/** What is kept. Its bytes are for others to read. */
export interface KeptDelta {
  /** What was learnt; absent where that was forgotten. */
  readonly bytes?: Uint8Array;
  /** Seconds since 1970: nothing of what happened up to then is to be learnt again. Absent where all is. */
  readonly since?: number;
}

/** What was found: something, nothing, or something that cannot be read. */
export type FoundDelta =
  | ({ readonly name: string | undefined } & KeptDelta)
  | { readonly name: string | undefined; readonly reason: string };

export interface DeltaStore {
  /** Undefined where nothing may be stored, where no event is, or where all was erased meanwhile. */
  read(): Promise<FoundDelta | undefined>;
  /**
   * Replaces what is kept, in every tab.
   *
   * @param isOver Asked inside the transaction, with the name of what is there: what was ended meanwhile, or replaced by
   *   another tab, is not written.
   * @returns Its name; undefined where it was not written. Rejects with what IndexedDB says.
   */
  write(kept: KeptDelta, isOver: (there: string | undefined) => boolean): Promise<string | undefined>;
  /** Takes what is kept under that name out of the way, and says why; nothing where another tab has replaced it. */
  setAside(name: string | undefined, reason: string): Promise<void>;
}

/** @param maxSize Most bytes of a record; a longer one is not read. */
export function createDeltaStore(store: Pick<EventStore, 'beside'>, maxSize: number): DeltaStore {
  return {
    read: () =>
      store.beside(async (records, { learnt }) => {
        const value: unknown = await get(LEARNT, within(records));
        return { name: learnt, ...checked(value, maxSize) };
      }),
    write({ bytes, since }, isOver) {
      const name = randomName();
      const value = { ...(bytes && { bytes }), ...(since !== undefined && { since }) };
      return store.beside(async (records, { epoch, paused, learnt }) => {
        // A pause ends the learning, and not the forgetting.
        if (epoch === undefined || (paused && bytes) || isOver(learnt)) return undefined;
        records.put(value, LEARNT);
        records.put(name, LEARNT_NAME);
        return name;
      }, true);
    },
    async setAside(name, reason) {
      await store.beside(async (records, { learnt }) => {
        if (learnt !== name) return undefined;
        const value: unknown = await get(LEARNT, within(records));
        records.delete(LEARNT_NAME);
        await moveAside(records, [[LEARNT, beginning(value), reason]]);
        return true;
      }, true);
    },
  };
}

function checked(value: unknown, maxSize: number): KeptDelta | { readonly reason: string } {
  if (value === undefined) return {};
  if (typeof value !== 'object' || value === null) return { reason: `it is no record but ${typeof value}` };
  const { bytes, since } = value as Record<string, unknown>;
  if (since !== undefined && !Number.isFinite(since)) return { reason: 'its time is no number' };
  const time = since === undefined ? {} : { since: since as number };
  if (bytes === undefined) return time;
  if (!(bytes instanceof Uint8Array)) return { reason: 'it holds no bytes' };
  if (bytes.length > maxSize) return { reason: `it is ${bytes.length} bytes long, at most ${maxSize} are read` };
  return { bytes, ...time };
}

/** How a record began, for whoever looks for what went wrong. */
function beginning(value: unknown): string {
  const bytes = (value as Partial<KeptDelta> | null)?.bytes;
  if (!(bytes instanceof Uint8Array)) return textOf(value);
  return Array.from(bytes.subarray(0, 300), (byte) => byte.toString(16).padStart(2, '0')).join(' ');
}
