import { duration, whole } from '../pipeline/format';
import type { Observer, Task, TrainingEpoch } from '../pipeline/observer';
import type { RunEvent, RunObserver } from '../pipeline/options';
import type { Context, Sink } from './context';
import { traceOf, withFlags } from './errors';

/** Nothing is shown for work that takes less than this, in milliseconds. */
const QUIET = 1000;
const REDRAW = 100;
const LINE_EVERY = 5000;
const BAR = 24;

/**
 * Shows a task on `sink`, which is standard error in every command: a bar on a terminal, a line every few seconds in a pipe,
 * nothing if it is short.
 *
 * @param now Milliseconds of a clock that never goes back.
 */
export function createProgress(sink: Sink, { label, total, unit }: Task, now = () => performance.now()) {
  const started = now();
  let shownAt = Number.NEGATIVE_INFINITY;
  let drawn = false;
  let done = 0;
  let note = '';

  const line = (finished: boolean): string => {
    const seconds = (now() - started) / 1000;
    const parts: string[] = [];
    const share = total ? Math.min(1, done / total) : undefined;
    if (share !== undefined && !finished) parts.push(`${Math.floor(share * 100)} %`);
    if (unit) parts.push(`${whole(done / Math.max(seconds, 1e-3))} ${unit}/s`);
    if (finished) parts.push(`${share !== undefined && share < 1 ? 'stopped after' : 'done in'} ${duration(seconds)}`);
    else if (share !== undefined && share > 0) parts.push(`${duration((seconds / share) * (1 - share))} left`);
    if (note) parts.push(note);
    const bar = sink.isTTY && share !== undefined && !finished ? `${drawBar(share)} ` : '';
    return `${label}  ${bar}${parts.join(' · ')}`;
  };
  return {
    /** @param newNote Shown at the end of the line, such as a loss. */
    update(value: number, newNote = ''): void {
      done = value;
      note = newNote;
      const time = now();
      if (time - started < QUIET || time - shownAt < (sink.isTTY ? REDRAW : LINE_EVERY)) return;
      shownAt = time;
      if (sink.isTTY) sink.write(`\r\x1b[K${line(false).slice(0, (sink.columns ?? 80) - 1)}`);
      else sink.write(`${line(false)}\n`);
      drawn = true;
    },
    /** Removes the bar. A pipe that got lines gets a last one. */
    finish(): void {
      note = '';
      if (drawn) sink.write(sink.isTTY ? '\r\x1b[K' : `${line(true)}\n`);
      drawn = false;
    },
  };
}

function drawBar(share: number): string {
  const full = Math.round(share * BAR);
  return '█'.repeat(full) + '░'.repeat(BAR - full);
}

/** An observer that writes to standard error, with the signal of Ctrl-C. */
export function observe({ stderr, signal }: Pick<Context, 'stderr' | 'signal'>): Observer {
  const bars = new Map<string, ReturnType<typeof createProgress>>();
  return {
    signal,
    onProgress(progress) {
      const { label, done, note, isFinished } = progress;
      const bar = bars.get(label);
      if (!bar) bars.set(label, createProgress(stderr, progress));
      else if (!isFinished) bar.update(done, note);
      else {
        bar.finish();
        bars.delete(label);
      }
    },
    onMessage: ({ level, text }) => stderr.write(`${level === 'warning' ? 'Warning: ' : ''}${withFlags(text)}\n`),
    onEpoch: (epoch) => stderr.write(`${epochLine(epoch)}\n`),
  };
}

function epochLine({ epoch, loss, measures = {}, seconds, valid, refit }: TrainingEpoch): string {
  const parts = Object.entries(measures).map(([name, value]) => `  ${name} ${value.toFixed(4)}`);
  const metrics = valid ? `  recall@20 ${valid['recall@20']!.toFixed(4)}  mrr@20 ${valid['mrr@20']!.toFixed(4)}` : '';
  return `${refit ? 'refit ' : ''}epoch ${epoch}  loss ${loss.toFixed(4)}${parts.join('')}${metrics}  ${duration(seconds)}`;
}

/** The same for comparisons. */
export const observeRuns = (context: Context): RunObserver => ({
  ...observe(context),
  onRun(run) {
    context.stderr.write(`${runLine(run)}\n`);
    if (context.isVerbose && run.failure) context.stderr.write(`${traceOf(run.failure.error)}\n`);
  },
});

function runLine({ name, seed, step, place, metric, result, failure }: RunEvent): string {
  const what = [name, ...(seed === undefined ? [] : [`seed ${seed}`]), ...(step === undefined ? [] : [step])];
  const label = `${place ? `[${place.join('/')}] ` : ''}${what.join(', ')}`;
  if (!result) return `${label}: no result. ${withFlags(failure!.message)}`;
  const how = result.isCached ? ', was there already' : place ? `, trained in ${duration(result.trainSeconds)}` : '';
  return `${label}: ${metric} ${result.value.toFixed(4)}${how}`;
}
