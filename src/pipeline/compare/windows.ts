/**
 * The incremental protocol: train on window t, test on window t + 1. Moreira et al., "Transformers4Rec", RecSys 2021,
 * https://doi.org/10.1145/3460231.3474255, §4: the sessions of each window, a day of a shop, are tested half by half, one to
 * tune on and one to report, on their last item; what is reported is the mean over windows.
 */
import { RecommenderError } from '../../errors';
import { type EventLog, type Reindexed, reindex, selectSessions, sessionCount } from '../../session/event-log';
import { type ReadOptions, readOfPart } from '../../session/options';
import { isoTime } from '../../session/split';
import { DAY } from '../../session/time';
import { halves, type Window, windowsOf } from '../../session/windows';
import { writeTsv } from '../../session/write';
import { join, pieces, replaceFiles } from '../files/disk';
import { readEventsFile } from '../files/events-file';
import { plural } from '../format';
import { inform, type Observer, warn } from '../observer';

/**
 * What a model trains on before window t + 1: from scratch on all windows so far, or on the last n; or on window t alone,
 * starting from the weights of the window before.
 */
export type Retrain = { readonly from: 'all' | 'before' } | { readonly from: 'last'; readonly windows: number };

/** @throws RecommenderError `bad-config` */
export function parseRetrain(text: string): Retrain {
  if (text === 'all' || text === 'before') return { from: text };
  const windows = Number(/^last:([1-9]\d*)$/.exec(text)?.[1]);
  if (windows > 0) return { from: 'last', windows };
  throw new RecommenderError(
    'bad-config',
    `"${text}" is no way to retrain; expected all, last:N (windows) or before (go on from the window before).`,
  );
}

export const retrainText = (how: Retrain): string => (how.from === 'last' ? `last:${how.windows}` : how.from);

/** GRU4Rec, which its authors retrain from scratch, has the two rows of the paper. Baselines count all windows again. */
export function usualRetrain(model: string, isNeural: boolean): readonly Retrain[] {
  if (!isNeural) return [{ from: 'all' }];
  return model === 'gru4rec' ? [{ from: 'all' }, { from: 'last', windows: 6 }] : [{ from: 'before' }];
}

/** One step of the protocol. */
export interface Step {
  /** The window that is tested, as its first day or minute: `2014-04-02`. */
  readonly name: string;
  readonly test: string;
  /** Events of items that were not known before, and sessions too short without them, that `test` lacks. */
  readonly dropped: Reindexed['dropped'];
  /** The training file for a way of retraining. */
  readonly train: (how: Retrain) => string;
}

export interface Windows {
  readonly steps: readonly Step[];
  /** How to read the files of all steps. */
  readonly read: ReadOptions;
  /** Clicks of each item in the whole log. */
  readonly support: ReadonlyMap<string, number>;
}

export interface WindowsOptions {
  /** Length of a window in seconds. */
  readonly seconds: number;
  /** Which half of a window's sessions is tested. */
  readonly half: 'valid' | 'test';
  /** Ways of retraining that the rows use. */
  readonly retrains: readonly Retrain[];
}

/** Warn of windows with fewer test sessions, because the mean weights all windows equally. */
const FEW = 20;

/**
 * Cuts a log into windows and writes the files of every step into a folder. A test part keeps only items that every way of
 * retraining has seen, so that all rows predict the same events. A window without such sessions is not tested.
 *
 * @throws RecommenderError `bad-input` if the log holds fewer than two windows, or none shares items with those before.
 */
export async function writeWindows(
  data: string,
  folder: string,
  read: ReadOptions | undefined,
  { seconds, half, retrains }: WindowsOptions,
  observer: Observer,
): Promise<Windows> {
  const log = await readEventsFile(data, { ...read, features: 'all' }, observer);
  const windows = windowsOf(log, seconds);
  const names = windows.map(({ from }) => nameOf(from, seconds));
  const steps: Step[] = [];
  let since = 0; // the first window that no step has learnt from yet
  for (let t = 0; t + 1 < windows.length; t++) {
    const firstOf = firstWindowOf(since, t);
    const train = (how: Retrain): string => `train-${names[firstOf(how)]}-to-${names[t]}.tsv.gz`;
    const sets = retrains.map((how) => ({
      how,
      log: selectSessions(log, joined(windows.slice(firstOf(how), t + 1))),
    }));
    // A model that continues training knows all items so far, not only those of the window.
    const soFar = selectSessions(log, joined(windows.slice(0, t + 1))).itemIds;
    const known = sets.reduce(
      (ids, { how, log: { itemIds } }) => (how.from === 'last' ? common(ids, itemIds) : ids),
      soFar,
    );
    const { log: tested, dropped } = reindex(selectSessions(log, halves(windows[t + 1]!)[half]), known);
    const sessions = sessionCount(tested);
    if (sessions === 0) {
      inform(observer, `${names[t + 1]} is not tested: it holds no session of two items that were known before.`);
      continue;
    }
    if (sessions < FEW) {
      const count = plural(sessions, 'session');
      warn(observer, `${names[t + 1]} is tested on ${count} only, and counts as much as any other window.`);
    }
    const test = `${half}-${names[t + 1]}.tsv.gz`;
    await write(
      folder,
      { [test]: tested, ...Object.fromEntries(sets.map((set) => [train(set.how), set.log])) },
      observer,
    );
    since = t + 1;
    steps.push({ name: names[t + 1]!, test: join(folder, test), dropped, train: (how) => join(folder, train(how)) });
  }
  if (steps.length === 0) {
    throw new RecommenderError(
      'bad-input',
      `No window of ${data} shares items with those before it: nothing to predict.`,
    );
  }
  return { steps, read: readOfPart(read), support: new Map(log.itemIds.map((id, k) => [id, log.support[k + 1]!])) };
}

function common(ids: readonly string[], others: readonly string[]): string[] {
  const set = new Set(others);
  return ids.filter((id) => set.has(id));
}

/** The first window of the training part that ends with window t: of a model that goes on, the first that it has not learnt. */
const firstWindowOf =
  (since: number, t: number) =>
  (how: Retrain): number => {
    if (how.from === 'last') return Math.max(0, t - how.windows + 1);
    return how.from === 'all' ? 0 : since;
  };

const joined = (windows: readonly Window[]): Int32Array =>
  Int32Array.from(windows.flatMap(({ sessions }) => [...sessions])).sort();

async function write(folder: string, logs: Readonly<Record<string, EventLog>>, { signal }: Observer): Promise<void> {
  const files = Object.entries(logs).map(([name, log]) => [name, pieces(writeTsv(log), { gzip: true, signal })]);
  await replaceFiles(folder, Object.fromEntries(files)).catch((error) => {
    throw signal?.aborted ? new RecommenderError('aborted', 'Interrupted while the windows were written.') : error;
  });
}

/** `2014-04-02` for windows of whole days, else with hour and minute: `2014-04-02T15-00`. */
function nameOf(from: number, seconds: number): string {
  const text = isoTime(from);
  return seconds % DAY === 0 ? text.slice(0, 10) : text.slice(0, 16).replaceAll(':', '-');
}
