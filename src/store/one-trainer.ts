/** Lets one tab learn at a time, by the Web Locks API or, without it, by a lease in the database. */
import { promisifyRequest } from 'idb-keyval';
import { quiet, RecommenderError } from '../errors';
import type { EventStore } from './interface';
import { randomName } from './records';
import { sleep } from './waiting';

const LOCK = 'aisle-tune';
/** Key of the lease: its holder and its end. */
export const LEASE = 'lease';
/** Milliseconds until a lease expires unless it is renewed; a tab that crashes blocks the others for as long. */
const LEASE_TIME = 10_000;
/** Milliseconds between two attempts to take a lease that another tab holds. */
const RETRY_AFTER = 250;

export interface OneTrainerOptions {
  readonly store: Pick<EventStore, 'beside'>;
  /** Milliseconds since 1970. */
  readonly now: () => number;
  /** Ends the wait: the call rejects with `aborted`. */
  readonly signal: AbortSignal;
  /** Called if another tab is learning, so that this one waits. */
  readonly onWaiting?: () => void;
}

/** The work calls it now and then. False if another tab has taken over, as it may from a frozen tab. */
export type StillAlone = () => Promise<boolean>;

/**
 * Runs work while no other tab of this origin learns. A tab that crashes releases its lock.
 *
 * @see https://www.w3.org/TR/web-locks/
 */
export async function asOneTrainer<T>(
  { store, now, signal, onWaiting = () => {} }: OneTrainerOptions,
  work: (stillAlone: StillAlone) => Promise<T>,
): Promise<T> {
  let hasStarted = false;
  const granted = (): Promise<T> => {
    hasStarted = true;
    return work(async () => true);
  };
  try {
    const { locks } = navigator;
    const at = await locks.request(LOCK, { ifAvailable: true }, async (lock) =>
      lock ? { value: await granted() } : null,
    );
    if (at) return at.value;
    onWaiting();
    return await locks.request(LOCK, { signal }, granted);
  } catch (error) {
    if (hasStarted) throw error;
    if (signal.aborted) throw aborted();
  }
  return byLease(store, now, signal, onWaiting, work);
}

async function byLease<T>(
  store: Pick<EventStore, 'beside'>,
  now: () => number,
  signal: AbortSignal,
  onWaiting: () => void,
  work: (stillAlone: StillAlone) => Promise<T>,
): Promise<T> {
  const holder = randomName();
  /** Takes the lease if it is free or ours. If nothing may be stored, no lease is needed. */
  const take = async (): Promise<boolean> => {
    let isOurs: boolean | undefined;
    await quiet(async () => {
      isOurs = await store.beside(async (records) => {
        const lease = leaseOf(await promisifyRequest(records.get(LEASE)));
        const left = lease.until - now();
        // A lease that was taken by a wrong clock must not last for ever.
        if (lease.holder !== holder && left > 0 && left <= LEASE_TIME) return false;
        records.put({ holder, until: now() + LEASE_TIME }, LEASE);
        return true;
      }, true);
    });
    return isOurs ?? true;
  };
  for (let isWaiting = false; !(await take()); isWaiting = true) {
    if (!isWaiting) onWaiting();
    if (signal.aborted) throw aborted();
    const pause = sleep(RETRY_AFTER);
    signal.addEventListener('abort', pause.wake, { once: true });
    await pause.over;
    signal.removeEventListener('abort', pause.wake);
  }
  try {
    if (signal.aborted) throw aborted();
    return await work(take);
  } finally {
    // If it stays, it expires by itself.
    await quiet(() =>
      store.beside(async (records) => {
        const lease = leaseOf(await promisifyRequest(records.get(LEASE)));
        if (lease.holder === holder) records.delete(LEASE);
        return undefined;
      }, true),
    );
  }
}

/** The stored value may be anything. */
function leaseOf(value: unknown): { readonly holder?: string; readonly until: number } {
  const { holder, until } = (value ?? {}) as Record<string, unknown>;
  return typeof holder === 'string' && Number.isFinite(until) ? { holder, until: until as number } : { until: 0 };
}

const aborted = (): RecommenderError =>
  new RecommenderError('aborted', 'The learning was ended while another tab was learning.');
