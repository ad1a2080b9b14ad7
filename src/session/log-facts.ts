/** What tells one kind of log from another, in a few numbers. */
import { type ClickLog, sessionCount } from './event-log';

export interface LogFacts {
  readonly items: number;
  readonly events: number;
  readonly sessions: number;
  /** Events of a session: the mean, and what 95 % of the sessions do not exceed. */
  readonly meanLength: number;
  readonly longLength: number;
  /** Share of the events after the first of a session whose item was in the session before. */
  readonly repeated: number;
  /** Seconds from the first to the last event of a session, the median; absent for logs without times. */
  readonly span?: number;
}

/** Counts them. Sessions of one event teach nothing, and do not count. */
export function logFacts({ sessions }: Pick<ClickLog, 'sessions'>, items: number): LogFacts {
  const { items: clicks, times, offsets } = sessions;
  const lengths: number[] = [];
  const spans: number[] = [];
  const lastSession = new Int32Array(items + 1).fill(-1);
  let repeats = 0;
  let events = 0;
  let hasTimes = false;
  for (let s = 0; s < sessionCount({ sessions }); s++) {
    const [from, end] = [offsets[s]!, offsets[s + 1]!];
    if (end - from < 2) continue;
    lengths.push(end - from);
    spans.push(times[end - 1]! - times[from]!);
    events += end - from;
    for (let e = from; e < end; e++) {
      if (lastSession[clicks[e]!] === s) repeats++;
      lastSession[clicks[e]!] = s;
      hasTimes ||= times[e] !== 0;
    }
  }
  const count = lengths.length;
  lengths.sort((a, b) => a - b);
  spans.sort((a, b) => a - b);
  return {
    items,
    events,
    sessions: count,
    meanLength: count === 0 ? 0 : events / count,
    longLength: lengths[Math.ceil(0.95 * count) - 1] ?? 0,
    repeated: events === count ? 0 : repeats / (events - count),
    ...(hasTimes && { span: spans[count >> 1] ?? 0 }),
  };
}
