/** The session that runs while a visitor clicks: it ends after a pause, forgets double reports, and does not grow for ever. */

/** One click. */
export interface LiveEvent {
  readonly itemId: string;
  /** Seconds since 1970. */
  readonly time: number;
  /** Kind of the event (`view`, `cart`, `purchase`, …). */
  readonly event: string;
}

export interface LiveSessionOptions {
  /** Seconds without a click after which the next one opens a new session. */
  readonly gap: number;
  /** Most clicks that are kept. Beyond it the older half goes, so that a cached state is cut rarely. Default 512. */
  readonly maxLength?: number;
}

/** One product page often reports its view twice (page script and data layer). Seconds between such reports, at most. */
const DOUBLE_REPORT = 1;

/** Time is an argument: this class reads no clock. */
export class LiveSession {
  readonly #gap: number;
  readonly #maxLength: number;
  #events: LiveEvent[] = [];

  constructor({ gap, maxLength = 512 }: LiveSessionOptions) {
    this.#gap = gap;
    this.#maxLength = maxLength;
  }

  /**
   * Adds a click. One that arrives late takes its place by time; one from before the session's gap is of an earlier
   * session and is passed over.
   *
   * @returns Whether the session has changed.
   */
  add(event: LiveEvent): boolean {
    const last = this.#events.at(-1);
    if (last && event.time - last.time > this.#gap) this.#events = [];
    const first = this.#events[0];
    if (first && first.time - event.time > this.#gap) return false;
    let at = this.#events.length;
    while (at > 0 && this.#events[at - 1]!.time > event.time) at--;
    if (isDoubleReport(this.#events[at - 1], event) || isDoubleReport(this.#events[at], event)) return false;
    this.#events.splice(at, 0, event);
    if (this.#events.length > this.#maxLength) {
      this.#events.splice(0, this.#events.length - Math.ceil(this.#maxLength / 2));
    }
    return true;
  }

  /** The session's clicks, oldest first; empty where it has ended by `now` (seconds since 1970). */
  at(now: number): readonly LiveEvent[] {
    const last = this.#events.at(-1);
    return last && now - last.time <= this.#gap ? [...this.#events] : [];
  }
}

function isDoubleReport(a: LiveEvent | undefined, b: LiveEvent): boolean {
  return a?.itemId === b.itemId && a.event === b.event && Math.abs(a.time - b.time) <= DOUBLE_REPORT;
}
