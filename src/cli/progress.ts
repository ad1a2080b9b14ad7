import type { Sink } from './context';

/** Nothing is shown for work that takes less than this, in milliseconds. */
const QUIET = 1000;
const REDRAW = 100;
const LINE_EVERY = 5000;
const BAR = 24;

export interface ProgressOptions {
  /** What is being done, such as `Reading events.tsv`. */
  readonly label: string;
  /** All there is to do; absent where nobody knows. */
  readonly total?: number;
  /** What is counted, for the rate: `rows`, `sessions`; without it no rate is shown. */
  readonly unit?: string;
  /** Milliseconds of a clock that never goes back. Default `performance.now`. */
  readonly now?: () => number;
}

/** Progress of one piece of work: a bar on a terminal, a line every few seconds in a pipe, nothing if it is short. */
export interface Progress {
  /**
   * @param done How much of the total is done.
   * @param note Shown at the end of the line, such as a loss.
   */
  update(done: number, note?: string): void;
  /** Prints a line of its own, without tearing the bar. */
  print(line: string): void;
  /** Takes the bar away; a pipe gets a last line if it got any. */
  finish(note?: string): void;
}

/** Progress on `sink`, which is standard error in every command. */
export function createProgress(
  sink: Sink,
  { label, total, unit, now = () => performance.now() }: ProgressOptions,
): Progress {
  const started = now();
  let shownAt = Number.NEGATIVE_INFINITY;
  let drawn = false;
  let done = 0;
  let lastNote = '';

  const line = (finished: boolean): string => {
    const seconds = (now() - started) / 1000;
    const parts: string[] = [];
    const share = total ? Math.min(1, done / total) : undefined;
    if (share !== undefined && !finished) parts.push(`${Math.floor(share * 100)} %`);
    if (unit) parts.push(`${whole(done / Math.max(seconds, 1e-3))} ${unit}/s`);
    if (finished) parts.push(`${share !== undefined && share < 1 ? 'stopped after' : 'done in'} ${duration(seconds)}`);
    else if (share !== undefined && share > 0) parts.push(`${duration((seconds / share) * (1 - share))} left`);
    if (lastNote) parts.push(lastNote);
    const bar = sink.isTTY && share !== undefined && !finished ? `${drawBar(share)} ` : '';
    return `${label}  ${bar}${parts.join(' · ')}`;
  };
  const erase = (): void => {
    if (drawn && sink.isTTY) sink.write('\r\x1b[K');
    drawn = false;
  };
  return {
    update(value, note = '') {
      done = value;
      lastNote = note;
      const time = now();
      if (time - started < QUIET || time - shownAt < (sink.isTTY ? REDRAW : LINE_EVERY)) return;
      shownAt = time;
      if (sink.isTTY) sink.write(`\r\x1b[K${line(false).slice(0, (sink.columns ?? 80) - 1)}`);
      else sink.write(`${line(false)}\n`);
      drawn = true;
    },
    print(text) {
      erase();
      sink.write(`${text}\n`);
      shownAt = Number.NEGATIVE_INFINITY;
    },
    finish(note = '') {
      lastNote = note;
      const shown = drawn;
      erase();
      if (shown && !sink.isTTY) sink.write(`${line(true)}\n`);
    },
  };
}

function drawBar(share: number): string {
  const full = Math.round(share * BAR);
  return '█'.repeat(full) + '░'.repeat(BAR - full);
}

/** `8 s`, `2:05 min`, `1:02:05 h`. */
export function duration(seconds: number): string {
  const total = Math.round(seconds);
  if (total < 60) return `${total} s`;
  const two = (n: number): string => String(n).padStart(2, '0');
  const minutes = Math.floor(total / 60);
  if (minutes < 60) return `${minutes}:${two(total % 60)} min`;
  return `${Math.floor(minutes / 60)}:${two(minutes % 60)}:${two(total % 60)} h`;
}

/** A count with separators, `1,234,567`. */
export function whole(count: number): string {
  return Math.round(count).toLocaleString('en');
}
