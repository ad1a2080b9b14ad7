/**
 * Stores the adapter that was learnt from the events. It is one record in the database of the events, so it is erased with
 * them. One transaction writes it, so a crash leaves the old record or the new one. Nothing is stored without consent.
 *
 *     key     learnt
 *     value   { bytes, since }
 */
import { promisifyRequest } from 'idb-keyval';
import type { EventStore } from './interface';
import { quarantine, textOf } from './record-reader';
import { QUARANTINE, randomName } from './records';
import { LEARNT, LEARNT_NAME } from './transactions';

/** The stored record. This module does not read its bytes. */
export interface KeptDelta {
  /** The encoded delta; absent after it was forgotten. */
  readonly bytes?: Uint8Array;
  /** Seconds since 1970: events up to then are not learnt again. Default: all events are learnt. */
  readonly since?: number;
}

/** A record, no record, or the reason why the record cannot be read. */
export type FoundDelta =
  | ({ readonly name: string | undefined } & KeptDelta)
  | { readonly name: string | undefined; readonly reason: string };

export interface DeltaStore {
  /** Undefined if nothing may be stored, no event is stored, or everything was erased meanwhile. */
  read(): Promise<FoundDelta | undefined>;
  /**
   * Replaces the record, in every tab.
   *
   * @param isOver Called inside the transaction with the name of the stored record. If it returns true, nothing is written:
   *   the learning has ended, or another tab has replaced the record.
   * @returns The name of the new record; undefined if nothing was written. Rejects with the error of IndexedDB.
   */
  write(delta: KeptDelta, isOver: (there: string | undefined) => boolean): Promise<string | undefined>;
  /**
   * Quarantines the record of that name, with the reason; its `since` stays, so that nothing forgotten is learnt again. Does
   * nothing if another tab has replaced the record.
   */
  quarantine(name: string | undefined, reason: string): Promise<void>;
}

/** @param maxSize Most bytes of a record; a longer one is not read. */
export function createDeltaStore(store: Pick<EventStore, 'beside'>, maxSize: number): DeltaStore {
  return {
    read: () =>
      store.beside(async (records, { learnt }) => {
        const value: unknown = await promisifyRequest(records.get(LEARNT));
        return { name: learnt, ...checked(value, maxSize) };
      }),
    write({ bytes, since }, isOver) {
      const name = randomName();
      const value = { ...(bytes && { bytes }), ...(since !== undefined && { since }) };
      return store.beside(async (records, { epoch, paused, learnt }) => {
        // While recording is paused, learning cannot be stored, but forgetting can.
        if (epoch === undefined || (paused && bytes) || isOver(learnt)) return undefined;
        records.put(value, LEARNT);
        records.put(name, LEARNT_NAME);
        if (!bytes) records.delete(QUARANTINE + LEARNT); // what is forgotten was in there, too
        records.transaction.commit?.(); // a page that is being left gets no success event
        return name;
      }, true);
    },
    async quarantine(name, reason) {
      await store.beside(async (records, { learnt }) => {
        if (learnt !== name) return undefined;
        const value: unknown = await promisifyRequest(records.get(LEARNT));
        records.delete(LEARNT_NAME);
        await quarantine(records, [[LEARNT, beginning(value), reason]]);
        const { since } = (value ?? {}) as KeptDelta;
        if (!Number.isFinite(since)) return true;
        records.put({ since }, LEARNT);
        records.put(randomName(), LEARNT_NAME);
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

/** The beginning of a record, to help find out what went wrong. */
function beginning(value: unknown): string {
  const bytes = (value as Partial<KeptDelta> | null)?.bytes;
  if (!(bytes instanceof Uint8Array)) return textOf(value);
  return Array.from(bytes.subarray(0, 300), (byte) => byte.toString(16).padStart(2, '0')).join(' ');
}
