/** One tab learns at a time: by the browser's locks or, where there are none, by a lease in the database. */
import { get } from 'idb-keyval';
import { RecommenderError } from '../errors';
import { within } from './database';
import type { EventStore } from './interface';
import { randomName } from './records';
import { sleep } from './waiting';

const LOCK = 'aisle-tune';
/** Key of the lease: who has it, and until when. */
export const LEASE = 'lease';
/** Milliseconds for which a lease holds, unless it is renewed; a tab that dies is waited for as long. */
const LASTS = 10_000;
/** Milliseconds between two looks at a lease that another tab has. */
const LOOK = 250;

export interface OneTrainerOptions {
  readonly store: Pick<EventStore, 'beside'>;
  /** Milliseconds since 1970. */
  readonly now: () => number;
  /** Ends the waiting: the call rejects with `aborted`. */
  readonly signal: AbortSignal;
  /** Another tab learns now, and is waited for. */
  readonly onWaiting?: () => void;
}

/** Told now and then by whoever works. False where another tab has taken over, as it may from one that was frozen. */
export type StillAlone = () => Promise<boolean>;

/**
 * Runs work while no other tab of this origin does the like. A tab that dies gives its lock back.
 *
 * @see https://www.w3.org/TR/web-locks/
 */
export async function asOneTrainer<T>(
  { store, now, signal, onWaiting = () => {} }: OneTrainerOptions,
  work: (stillAlone: StillAlone) => Promise<T>,
): Promise<T> {
  let isAsked = false;
  const granted = (): Promise<T> => {
    isAsked = true;
    return work(async () => true);
  };
  try {
    const { locks } = navigator;
    const at = await locks.request(LOCK, { ifAvailable: true }, (lock) =>
      lock ? granted().then((value) => ({ value })) : null,
    );
    if (at) return at.value;
    onWaiting();
    return await locks.request(LOCK, { signal }, granted);
  } catch (error) {
    if (isAsked) throw error;
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
  /** Takes the lease where it is free or ours. Where nothing may be stored, there is nothing to share. */
  const take = async (): Promise<boolean> => {
    const taken = store.beside(async (records) => {
      const lease = leaseOf(await get(LEASE, within(records)));
      const left = lease.until - now();
      // A clock that was wrong when it was taken must not keep it for ever.
      if (lease.holder !== holder && left > 0 && left <= LASTS) return false;
      records.put({ holder, until: now() + LASTS }, LEASE);
      return true;
    }, true);
    return (await taken.catch(() => undefined)) ?? true;
  };
  for (let isWaiting = false; !(await take()); isWaiting = true) {
    if (!isWaiting) onWaiting();
    if (signal.aborted) throw aborted();
    const pause = sleep(LOOK);
    signal.addEventListener('abort', pause.wake, { once: true });
    await pause.over;
    signal.removeEventListener('abort', pause.wake);
  }
  try {
    if (signal.aborted) throw aborted();
    return await work(take);
  } finally {
    await store
      .beside(async (records) => {
        const lease = leaseOf(await get(LEASE, within(records)));
        if (lease.holder === holder) records.delete(LEASE);
        return undefined;
      }, true)
      .catch(() => {}); // it ends by itself
  }
}

/** Anything may lie there. */
function leaseOf(value: unknown): { readonly holder?: string; readonly until: number } {
  const { holder, until } = (value ?? {}) as Record<string, unknown>;
  return typeof holder === 'string' && Number.isFinite(until) ? { holder, until: until as number } : { until: 0 };
}

const aborted = (): RecommenderError =>
  new RecommenderError('aborted', 'The learning was ended while another tab was learning.');
