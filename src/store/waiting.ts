/** The queue of events to be stored, in the order of arrival, each with the promise of its caller. */
import { min } from '../captured';
import { MAX_WAITING } from '../limits';
import { lengthOf, type StoredEvent } from './records';

/** Most events, and most characters, of one record: the size cap takes whole records. */
const MAX_BATCH = 500;
const MAX_BATCH_LENGTH = 50_000;

export class WaitingEvents {
  #batchLength = MAX_BATCH_LENGTH;
  #waiting: { readonly event: StoredEvent; readonly settle: (stored: boolean) => void }[] = [];

  get length(): number {
    return this.#waiting.length;
  }

  /** @returns True when the event is stored, false when it is dropped. A full queue drops its older half. */
  add(event: StoredEvent): Promise<boolean> {
    let settle = (_: boolean) => {};
    const stored = new Promise<boolean>((resolve) => {
      settle = resolve;
    });
    this.#waiting.push({ event, settle }); // outside of the promise, so that the caller gets the error of a page that has replaced push
    if (this.#waiting.length > MAX_WAITING)
      for (const lost of this.#waiting.splice(0, MAX_WAITING / 2)) lost.settle(false);
    return stored;
  }

  /** The events of the next record: the first one, and as many more as fit. */
  batch(): readonly StoredEvent[] {
    let length = 0;
    const end = this.#waiting.findIndex(({ event }, i) => {
      length += lengthOf([event]);
      return i >= MAX_BATCH || (i > 0 && length > this.#batchLength);
    });
    return this.#waiting.slice(0, end < 0 ? undefined : end).map(({ event }) => event);
  }

  /** Makes the next record smaller; later ones may grow again. */
  shrink(): void {
    this.#batchLength /= 4;
  }

  /** Marks the events up to this number as stored. */
  stored(number: number): void {
    this.#batchLength = min(MAX_BATCH_LENGTH, 2 * this.#batchLength);
    const left = this.#waiting.findIndex(({ event }) => event.number > number);
    for (const { settle } of this.#waiting.splice(0, left < 0 ? this.#waiting.length : left)) settle(true);
  }

  /** Empties the queue. @returns The events that will not be stored. */
  drop(): readonly StoredEvent[] {
    return this.#waiting.splice(0).map(({ event, settle }) => {
      settle(false);
      return event;
    });
  }
}

/** A pause that can be ended early. It does not keep Node running. */
export function sleep(milliseconds: number): { readonly over: Promise<void>; wake(): void } {
  let wake = () => {};
  const over = new Promise<void>((resolve) => {
    const timer = setTimeout(resolve, milliseconds);
    (timer as { unref?: () => void }).unref?.();
    wake = () => {
      clearTimeout(timer);
      resolve();
    };
  });
  return { over, wake: () => wake() };
}
