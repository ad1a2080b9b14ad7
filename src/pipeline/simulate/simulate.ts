/** The whole simulated log: a shop, its visitors, their visits. */
import { random } from '../../session/random';
import { PERIOD } from './calendar';
import { makeShop, type Shop } from './shop';
import { makeVisit } from './visit';
import { makeVisitor, visitCounts, visitTimes } from './visitors';

export interface SimulationOptions {
  /** Products in the shop, at least 10. */
  readonly items: number;
  /** Sessions in the log, at least as many as visitors. */
  readonly sessions: number;
  /** Visitors, at least 1. */
  readonly visitors: number;
  /** Any integer: another seed, another shop. */
  readonly seed: number;
}

/** A log in flat arrays. Sessions stand in the order of their start. */
export interface SimulatedLog {
  readonly shop: Shop;
  /** Session s holds the events `offsets[s]` … `offsets[s + 1] − 1`. */
  readonly offsets: Int32Array;
  /** Visitor of each session. */
  readonly visitors: Int32Array;
  /** Index into `shop.products` of each event. */
  readonly items: Int32Array;
  /** Seconds since 1970 of each event, to the millisecond, rising inside a session. */
  readonly times: Float64Array;
  /** Index into `EVENT_NAMES` of each event. */
  readonly events: Uint8Array;
}

/** Sizes that train a demo model in minutes. */
export const DEFAULT_OPTIONS: SimulationOptions = { items: 800, sessions: 40_000, visitors: 9_000, seed: 1 };

/** Between two visits of one visitor: longer than the gap at which logs are cut into sessions. */
const BREAK = 45 * 60;

/**
 * Simulates a shop's log. The result depends on the options alone: no clock, no other source of chance.
 *
 * @throws RangeError if a number is out of range.
 */
export function simulate(options: SimulationOptions): SimulatedLog {
  check(options);
  const { seed, visitors } = options;
  const shop = makeShop(seed, options.items, PERIOD);
  const counts = visitCounts(seed, visitors, options.sessions);

  const items: number[] = [];
  const times: number[] = [];
  const events: number[] = [];
  const starts: number[] = [];
  const owners: number[] = [];
  for (let v = 0; v < visitors; v++) {
    const visitor = makeVisitor(seed, v, counts[v]!, shop);
    const draws = random(seed, 'walks', v);
    const past: number[] = [];
    let free = 0;
    for (const planned of visitTimes(draws, visitor, PERIOD)) {
      const visit = makeVisit(shop, visitor, past, Math.max(planned, free), draws);
      starts.push(items.length);
      owners.push(v);
      for (let e = 0; e < visit.items.length; e++) {
        items.push(visit.items[e]!);
        times.push(visit.times[e]!);
        events.push(visit.events[e]!);
        past.push(visit.items[e]!);
      }
      free = times[times.length - 1]! + BREAK;
    }
  }
  starts.push(items.length);

  const order = [...owners.keys()].sort((a, b) => times[starts[a]!]! - times[starts[b]!]! || a - b);
  const log = {
    shop,
    offsets: new Int32Array(order.length + 1),
    visitors: Int32Array.from(order, (s) => owners[s]!),
    items: new Int32Array(items.length),
    times: new Float64Array(items.length),
    events: new Uint8Array(items.length),
  };
  let written = 0;
  order.forEach((s, place) => {
    for (let e = starts[s]!; e < starts[s + 1]!; e++, written++) {
      log.items[written] = items[e]!;
      log.times[written] = times[e]!;
      log.events[written] = events[e]!;
    }
    log.offsets[place + 1] = written;
  });
  return log;
}

function check({ items, sessions, visitors, seed }: SimulationOptions): void {
  const whole = (name: string, value: number, low: number, high: number) => {
    if (Number.isInteger(value) && value >= low && value <= high) return;
    throw new RangeError(`${name}: expected a whole number from ${low} to ${high}, got ${value}.`);
  };
  whole('items', items, 10, 1_000_000);
  whole('sessions', sessions, 1, 5_000_000);
  whole('visitors', visitors, 1, 5_000_000);
  whole('seed', seed, 0, 2 ** 32 - 1);
  if (visitors > sessions) {
    throw new RangeError(
      `visitors: each visitor comes at least once, so at most ${sessions} for as many sessions, got ${visitors}.`,
    );
  }
}
