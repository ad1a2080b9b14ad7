/**
 * What one visitor did on this device, and what of it the model reads. Time is an argument: nothing here reads a clock.
 *
 * How kinds of events weigh: a view 1, a cart 2, a purchase 3, any other kind as a view. A purchase implies a cart, and a
 * cart a view, so an event is read with the steps that it implies and that the session does not show yet: after a cart,
 * the model reads its item at least twice, after a purchase at least three times. A session in which every
 * step was reported reads as it would in a log of all events but removals. Where an earlier session fades (`recent`), its purchases
 * outlast its carts, and carts its views. A removal from the cart (`remove`) is not read; what was put
 * into it before is.
 *
 * Stronger signals imply the weaker ones: Wan & McAuley, "Item Recommendation on Monotonic Behavior Chains", RecSys 2018,
 * https://doi.org/10.1145/3240323.3240369
 */

import { max, stringify } from '../captured';
import { MAX_CLICKS, MAX_EVENTS, MAX_EVENTS_PER_MINUTE } from '../limits';
import type { Candidate } from '../types';

/** One event. */
export interface VisitorEvent {
  readonly itemId: string;
  /** Seconds since 1970. */
  readonly time: number;
  /** Kind of the event (`view`, `cart`, `purchase`, …). */
  readonly event: string;
  /** What else the page knows of it, by name. */
  readonly features?: Readonly<Record<string, number | string>>;
  /** The page that saw it, and its number there, from 0: with both, events have one order in every tab. */
  readonly tab?: string;
  readonly number?: number;
  /** What the page calls the item, best first. */
  readonly candidates?: readonly Candidate[];
  /** Names the page view within the tab. */
  readonly pageView?: string;
  /** Id of the order that a purchase belongs to: a purchase of one item counts once in it, however often it is reported. */
  readonly transaction?: string;
}

/**
 * What the model reads. `session`: the running session. `recent`: before it, what has not faded of earlier sessions, of
 * which one that ended d days ago keeps the ⌈m · 2^(−d/7)⌉ weightiest of the m clicks that are read of it, and none after
 * four weeks. `all`: before it, every event that is known.
 */
export type HistoryChoice = 'session' | 'recent' | 'all';

export interface Reading {
  /** Default `session`. */
  readonly history?: HistoryChoice | undefined;
  /** Most clicks that the model reads. Beyond it the older half goes, so that a cached state is cut rarely. Default `MAX_CLICKS`. */
  readonly maxLength?: number;
}

export interface VisitorHistoryOptions extends Reading {
  /** Seconds without an event after which the next one opens a new session. */
  readonly gap: number;
}

export interface ReadingOptions<E> extends VisitorHistoryOptions {
  /** The events as the model knows them. Default: as they came. */
  readonly read?: (events: readonly E[]) => readonly E[];
}

const DAY = 86_400;
const HALF_LIFE = 7 * DAY;
const FORGOTTEN = 28 * DAY;
/** Seconds in which a further report is of the same page view, where it is not named: page script, data layer, a redraw. */
const PAGE_VIEW = 60;

export class VisitorHistory<E extends VisitorEvent = VisitorEvent> {
  readonly #options: ReadingOptions<E>;
  #events: E[] = [];
  #pageView:
    | { name: string | undefined; viewed: string | undefined; from: number; reports: Map<string, string> }
    | undefined;

  constructor(options: ReadingOptions<E>) {
    this.#options = options;
  }

  /**
   * Whether this page has reported the event before, within one page view, in which each kind of event of each item
   * counts once; putting into the cart and taking out count in turn. A view of another item opens the next page view. Views with
   * candidates open none, since a page may find more candidates of its item later, and repeat only the last one. Remembers the
   * report.
   *
   * @param name Of the page view. Without one it lasts a minute.
   */
  isRepeated({ itemId, event, time, candidates, transaction }: VisitorEvent, name?: string): boolean {
    const before = this.#pageView;
    const item = candidates ? stringify(candidates) : itemId;
    const isOther = event === 'view' && before?.viewed !== undefined && before.viewed !== item;
    const report = stringify([event === 'remove' ? 'cart' : event, item, transaction]);
    if (
      !before ||
      before.name !== name ||
      (isOther && !candidates) ||
      (name === undefined && Math.abs(time - before.from) > PAGE_VIEW)
    ) {
      this.#pageView = {
        name,
        viewed: event === 'view' ? item : undefined,
        from: time,
        reports: new Map([[report, event]]),
      };
      return false;
    }
    if (event === 'view') before.viewed = item;
    const repeated = !isOther && before.reports.get(report) === event;
    if (before.reports.size > MAX_EVENTS_PER_MINUTE) before.reports.clear();
    before.reports.set(report, event);
    return repeated;
  }

  /**
   * Adds events, each in its place: by time, of one time by `tab` and `number`, without these in the order in which they
   * came. One that is known already, by the same three, is left out, so the order of arrival makes no difference.
   */
  add(events: readonly E[]): void {
    for (const event of events) {
      let at = this.#events.length;
      while (at > 0 && order(this.#events[at - 1]!, event) > 0) at--;
      const before = this.#events[at - 1];
      if (before?.tab !== undefined && event.tab !== undefined && order(before, event) === 0) continue;
      this.#events.splice(at, 0, event);
    }
    if (this.#events.length > MAX_EVENTS) this.#events.splice(0, this.#events.length - MAX_EVENTS / 2);
  }

  /** Forgets these events, by their `tab` and `number`. */
  remove(events: readonly E[]): void {
    const identity = ({ tab, number }: VisitorEvent) => `${tab}/${number}`;
    const gone = new Set(events.map(identity));
    this.#events = this.#events.filter((event) => event.tab === undefined || !gone.has(identity(event)));
  }

  /** All events as they came, oldest first. */
  events(): readonly E[] {
    return this.#events;
  }

  /** All sessions, oldest first, and their events, oldest first. */
  sessions(): readonly (readonly E[])[] {
    return sessionsOf(this.#read(this.#events), this.#options.gap);
  }

  /**
   * What the model reads at `now` (seconds since 1970), one entry for each click, oldest first; empty where nothing counts
   * any more.
   */
  at(now: number): readonly E[] {
    const { gap } = this.#options;
    // An event far ahead of the clock was written when the clock was wrong; it must not hide the running session.
    const past = this.#read(this.#events.filter(({ time }) => time <= now + gap));
    const sessions = sessionsOf(past, gap);
    const isRunning = now - (past.at(-1)?.time ?? Number.NEGATIVE_INFINITY) <= gap;
    const running = isRunning ? (sessions.pop() ?? []) : [];
    return readOf(sessions, running, now, this.#options);
  }

  #read(events: readonly E[]): readonly E[] {
    const once = withoutRepeats(events);
    return this.#options.read?.(once) ?? once;
  }

  /** Forgets everything. */
  clear(): void {
    this.#events = [];
    this.#pageView = undefined;
  }
}

/** What is read of an event. */
export type ReadEvent = Pick<VisitorEvent, 'itemId' | 'time'> & Partial<Pick<VisitorEvent, 'event'>>;

/**
 * What the model reads of earlier sessions and of the running one at `now`, as `VisitorHistory.at` says.
 *
 * @param leftOut Clicks of sessions before the earlier ones, of which nothing is read (`withoutUnread`).
 */
export function readOf<E extends ReadEvent>(
  earlier: readonly (readonly E[])[],
  running: readonly E[],
  now: number,
  { history = 'session', maxLength = MAX_CLICKS }: Reading,
  leftOut = 0,
): E[] {
  const clicked = history === 'session' ? [] : earlier.map(clicksOf);
  const before = history === 'recent' ? clicked.map((session) => fade(session, now)) : clicked;
  const clicks = [...before, clicksOf(running)].flat();
  const half = Math.floor(maxLength / 2);
  const surplus = leftOut + clicks.length - maxLength;
  return surplus > 0 ? clicks.slice(max(0, Math.ceil(surplus / half) * half - leftOut)) : clicks;
}

/** Whether the model reads an event of this kind. */
export const isRead = (event: ReadEvent): boolean => weightOf(event) > 0;

/** Each purchase of a transaction once, as it was reported first: a page of thanks that is loaded again reports it again. */
function withoutRepeats<E extends VisitorEvent>(events: readonly E[]): readonly E[] {
  const seen = new Set<string>();
  return events.filter(({ itemId, event, transaction }) => {
    if (transaction === undefined) return true;
    const key = stringify([event, itemId, transaction]);
    return !seen.has(key) && seen.add(key);
  });
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

/** A session as it is read: each event once, and once more for each step that it implies and that was not there before. */
function clicksOf<E extends ReadEvent>(session: readonly E[]): E[] {
  const standing = new Map<string, number>();
  return session.filter(isRead).flatMap((event) => {
    const before = standing.get(event.itemId) ?? 0;
    const times = max(1, weightOf(event) - before);
    standing.set(event.itemId, before + times);
    return Array<E>(times).fill(event);
  });
}

/** What is left of an earlier session: its weightiest clicks, of equal weight the newest, in the order of time. */
function fade<E extends ReadEvent>(clicks: readonly E[], now: number): E[] {
  const age = max(0, now - (clicks.at(-1)?.time ?? now));
  if (age > FORGOTTEN) return [];
  const kept = Math.ceil(clicks.length * 2 ** (-age / HALF_LIFE));
  const byWeight = [...clicks.keys()].sort((a, b) => weightOf(clicks[b]!) - weightOf(clicks[a]!) || b - a);
  return byWeight
    .slice(0, kept)
    .sort((a, b) => a - b)
    .map((at) => clicks[at]!);
}

/** From 0. A kind that is not listed weighs as much as a view. */
const weightOf = ({ event }: ReadEvent): number => {
  const weight = ['remove', 'view', 'cart', 'purchase'].indexOf(event!);
  return weight < 0 ? 1 : weight;
};

/** Less than 0 if `a` comes before `b`; 0 for one and the same event, and for two without identity at one time. */
function order(a: VisitorEvent, b: VisitorEvent): number {
  if (a.time !== b.time) return a.time - b.time;
  if (a.tab === undefined || b.tab === undefined) return 0;
  if (a.tab !== b.tab) return a.tab < b.tab ? -1 : 1;
  return (a.number ?? 0) - (b.number ?? 0);
}
