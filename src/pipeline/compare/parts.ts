/** The files that a comparison trains and tests on, and the facts that `auto` may use. */
import { RecommenderError } from '../../errors';
import { reindex, selectSessions, sessionCount } from '../../session/event-log';
import { holdOut } from '../../session/hold-out';
import type { LogFacts } from '../../session/log-facts';
import { type ReadOptions, readOfPart, withoutMinima } from '../../session/options';
import { windowsOf } from '../../session/windows';
import { factsOf } from '../configuration';
import { join } from '../files/disk';
import { readEventsFile } from '../files/events-file';
import type { Observer } from '../observer';
import type { CompareOptions } from '../options';
import { warnOfShared } from '../read-events';
import { split } from '../split';
import { isFile } from '../training-parts';

export interface Parts {
  readonly train: string;
  readonly test: string;
  /** How to read both. */
  readonly read: ReadOptions;
  /** Clicks of each item in the training file. */
  readonly support: ReadonlyMap<string, number>;
}

/**
 * The given files. If there is only one, its last tenth becomes the test part; with `holdout`, the file is both.
 *
 * @throws RecommenderError `bad-input` if no model could predict anything of the test part; or if the file cannot be cut.
 */
export async function partsOf(
  { data, test, valid, holdout, out, read = {} }: CompareOptions,
  observer: Observer,
): Promise<Parts> {
  const tested = test ?? (holdout === undefined ? undefined : data);
  if (tested !== undefined)
    return withSupport({ train: data, test: tested, read }, observer, test === undefined ? { holdout } : { valid });
  const folder = join(out, 'parts');
  await split({ data, read, out: folder, test: { share: 0.1 }, ...observer });
  const files = { train: join(folder, 'train.tsv.gz'), test: join(folder, 'test.tsv.gz') };
  return withSupport({ ...files, read: readOfPart(read) }, observer, { valid });
}

/** With `holdout`, the last events of each session are the test part, and there is no file of it. */
async function withSupport(
  files: Omit<Parts, 'support'>,
  observer: Observer,
  { holdout, valid }: { readonly holdout?: number | undefined; readonly valid?: string | undefined } = {},
): Promise<Parts> {
  const { train, test, read } = files;
  const known = await readEventsFile(train, read, observer);
  const counts = holdout === undefined ? known.support : holdOut(known, holdout).support;
  const support = new Map(known.itemIds.map((id, k) => [id, counts[k + 1]!]));
  if (holdout !== undefined) return { ...files, support };
  const readWhole = (path: string) =>
    readEventsFile(path, { ...withoutMinima(read), minLength: 1, minItems: 1 }, observer);
  const tested = await readWhole(test);
  warnOfShared({ log: known, name: train }, { log: tested, name: test }, observer);
  if (valid !== undefined && isFile(valid))
    warnOfShared({ log: await readWhole(valid), name: valid }, { log: tested, name: test }, observer);
  if (sessionCount(reindex(tested, known.itemIds).log) > 0) return { ...files, support };
  throw new RecommenderError(
    'bad-input',
    tested.itemIds.some((id) => support.has(id))
      ? `No session of ${test} has two items that ${train} knows, so there is nothing to predict. Take a larger test part.`
      : `${test} shares no item with ${train}, so there is nothing to predict: are both of the same shop, with ids written alike?`,
  );
}

/**
 * The facts that `auto` may use in a comparison: those of the training part, never of the test part.
 *
 * @param cut Makes the parts; or the seconds of a window, because the incremental protocol tests all windows but the first.
 * @throws RecommenderError `bad-input` for a log that cannot be read or cut.
 */
export async function factsOfTraining(
  { data, test, holdout, read }: CompareOptions,
  cut: { readonly parts: () => Promise<Parts> } | { readonly seconds: number },
  observer: Observer,
): Promise<LogFacts> {
  if ('seconds' in cut) {
    const { seconds } = cut;
    return factsOf(data, read, readEventsFile, observer, (log) =>
      selectSessions(log, windowsOf(log, seconds)[0]!.sessions),
    );
  }
  if (holdout !== undefined) return factsOf(data, read, readEventsFile, observer, (log) => holdOut(log, holdout));
  if (test !== undefined) return factsOf(data, read, readEventsFile, observer);
  const parts = await cut.parts();
  return factsOf(parts.train, parts.read, readEventsFile, observer);
}
