/**
 * What one visitor did on this device, and what of it the model reads. Time is an argument: nothing here reads a clock.
 *
 * How kinds of events weigh. Every event is a click of its item at its time, so an item that is viewed, put into the cart
 * and bought stands three times in the session, as in a log of all events. Where an earlier session fades (`recent`), its
 * purchases outlast its carts, and carts its views. A kind without a weight counts as a view.
 */

/** One event. */
export interface VisitorEvent {
  readonly itemId: string;
  /** Seconds since 1970. */
  readonly time: number;
  /** Kind of the event (`view`, `cart`, `purchase`, …). */
  readonly event: string;
}

/**
 * What the model reads. `session`: the running session. `recent`: before it, what has not faded of earlier sessions, of
 * which one that ended d days ago keeps its ⌈m · 2^(−d/7)⌉ weightiest of m events, and none after four weeks. `all`:
 * before it, every event that is known.
 */
export type HistoryChoice = 'session' | 'recent' | 'all';

export interface VisitorHistoryOptions {
  /** Seconds without an event after which the next one opens a new session. */
  readonly gap: number;
  /** Default `session`. */
  readonly history?: HistoryChoice;
  /** Most events that the model reads. Beyond it the older half goes, so that a cached state is cut rarely. Default 512. */
  readonly maxLength?: number;
}

const WEIGHTS: ReadonlyMap<string, number> = new Map([
  ['view', 1],
  ['cart', 2],
  ['purchase', 3],
]);
const DAY = 86_400;
const HALF_LIFE = 7 * DAY;
const FORGOTTEN = 28 * DAY;
/** Seconds in which further reports of the item on show are the same page view: page script, data layer, a redraw. */
const PAGE_VIEW = 60;
/** Most events that are known. Beyond it the older half goes. */
const MAX_KNOWN = 10_000;

export class VisitorHistory<E extends VisitorEvent = VisitorEvent> {
  readonly #gap: number;
  readonly #history: HistoryChoice;
  readonly #maxLength: number;
  #events: E[] = [];
  #pageView: { readonly itemId: string; readonly from: number; readonly kinds: Set<string> } | undefined;

  constructor({ gap, history = 'session', maxLength = 512 }: VisitorHistoryOptions) {
    this.#gap = gap;
    this.#history = history;
    this.#maxLength = maxLength;
  }

  /**
   * Whether this page has reported the event before, within one page view: reports of one item in a row, in which each
   * kind counts once. Remembers the report.
   */
  isRepeated({ itemId, event, time }: VisitorEvent): boolean {
    const view = this.#pageView;
    if (view?.itemId !== itemId || Math.abs(time - view.from) > PAGE_VIEW) {
      this.#pageView = { itemId, from: time, kinds: new Set([event]) };
      return false;
    }
    const repeated = view.kinds.has(event);
    view.kinds.add(event);
    return repeated;
  }

  /** Adds events, each in its place by time; of one time, in the order in which they came. */
  add(...events: readonly E[]): void {
    for (const event of events) {
      let at = this.#events.length;
      while (at > 0 && this.#events[at - 1]!.time > event.time) at--;
      this.#events.splice(at, 0, event);
    }
    if (this.#events.length > MAX_KNOWN) this.#events.splice(0, this.#events.length - MAX_KNOWN / 2);
  }

  /** All sessions, oldest first, and their events, oldest first. */
  sessions(): readonly (readonly E[])[] {
    return sessionsOf(this.#events, this.#gap);
  }

  /** What the model reads at `now` (seconds since 1970), oldest first; empty where nothing counts any more. */
  at(now: number): readonly E[] {
    // An event far ahead of the clock was written when the clock was wrong; it must not hide the running session.
    const past = this.#events.filter(({ time }) => time <= now + this.#gap);
    const earlier = sessionsOf(past, this.#gap);
    const running = now - (past.at(-1)?.time ?? Number.NEGATIVE_INFINITY) <= this.#gap ? (earlier.pop() ?? []) : [];
    const read = { session: [], recent: earlier.flatMap((session) => fade(session, now)), all: earlier.flat() };
    const events = [...read[this.#history], ...running];
    const half = Math.floor(this.#maxLength / 2);
    const surplus = events.length - this.#maxLength;
    return surplus > 0 ? events.slice(Math.ceil(surplus / half) * half) : events;
  }

  /** Forgets everything. */
  clear(): void {
    this.#events = [];
    this.#pageView = undefined;
  }
}

function sessionsOf<E extends VisitorEvent>(events: readonly E[], gap: number): E[][] {
  const sessions: E[][] = [];
  let last: E | undefined;
  for (const event of events) {
    if (last === undefined || event.time - last.time > gap) sessions.push([]);
    sessions.at(-1)!.push(event);
    last = event;
  }
  return sessions;
}

/** What is left of an earlier session: its weightiest events, of equal weight the newest, in the order of time. */
function fade<E extends VisitorEvent>(session: readonly E[], now: number): E[] {
  const age = Math.max(0, now - session.at(-1)!.time);
  if (age > FORGOTTEN) return [];
  const kept = Math.ceil(session.length * 2 ** (-age / HALF_LIFE));
  const weight = (at: number) => WEIGHTS.get(session[at]!.event) ?? 1;
  const byWeight = [...session.keys()].sort((a, b) => weight(b) - weight(a) || b - a);
  return byWeight
    .slice(0, kept)
    .sort((a, b) => a - b)
    .map((at) => session[at]!);
}
