/** The files that a comparison trains and tests on, and what of them `auto` may know. */
import { RecommenderError } from '../../errors';
import { selectSessions } from '../../session/event-log';
import { holdOut } from '../../session/hold-out';
import type { LogFacts } from '../../session/log-facts';
import type { ReadOptions } from '../../session/options';
import { windowsOf } from '../../session/windows';
import { factsOf } from '../configuration';
import { join } from '../files/disk';
import { readEventsFile } from '../files/events-file';
import type { Observer } from '../observer';
import type { CompareOptions } from '../options';
import { split } from '../split';

export interface Parts {
  readonly train: string;
  readonly test: string;
  /** How both are read: as they are where they were cut here, since cutting has applied the filters. */
  readonly read: ReadOptions;
  /** Clicks of each item in the training file. */
  readonly support: ReadonlyMap<string, number>;
}

/**
 * The files as they are given; where only one is, its last tenth is cut off as the test, unless every session of it holds
 * out its last events: then it is both.
 *
 * @throws RecommenderError `bad-input` if the two share no item: every model would fail one by one; or if the file cannot be cut.
 */
export async function partsOf(
  { data, test, holdout, out, read = {} }: CompareOptions,
  observer: Observer,
): Promise<Parts> {
  const tested = test ?? (holdout === undefined ? undefined : data);
  if (tested !== undefined) return withSupport({ train: data, test: tested, read }, observer);
  const folder = join(out, 'parts');
  await split({ data, read, out: folder, test: { share: 0.1 }, ...observer });
  return withSupport({ train: join(folder, 'train.tsv.gz'), test: join(folder, 'test.tsv.gz'), read: {} }, observer);
}

async function withSupport(files: Omit<Parts, 'support'>, observer: Observer): Promise<Parts> {
  const { train, test, read } = files;
  const known = await readEventsFile(train, read, observer);
  const support = new Map(known.itemIds.map((id, k) => [id, known.support[k + 1]!]));
  const asked = await readEventsFile(test, { minLength: 1, minItems: 1, ...read }, observer);
  if (asked.itemIds.some((id) => support.has(id))) return { ...files, support };
  throw new RecommenderError(
    'bad-input',
    `${test} shares no item with ${train}, so there is nothing to predict: are both of the same shop, with ids written alike?`,
  );
}

/**
 * What `auto` may know of a log in a comparison: what is learnt from, never the test part.
 *
 * @param cut The parts, once they are there; or the seconds of a window: of the incremental protocol only the first window is
 *   never tested.
 * @throws RecommenderError `bad-input` for a log that cannot be read or cut.
 */
export async function factsOfTraining(
  { data, test, holdout, read }: CompareOptions,
  cut: { readonly parts: () => Promise<Parts> } | { readonly seconds: number },
  observer: Observer,
): Promise<LogFacts> {
  if ('seconds' in cut) {
    const { seconds } = cut;
    return factsOf(data, read, observer, (log) => selectSessions(log, windowsOf(log, seconds)[0]!.sessions));
  }
  if (holdout !== undefined) return factsOf(data, read, observer, (log) => holdOut(log, holdout));
  if (test !== undefined) return factsOf(data, read, observer);
  // What was cut here is read as it is written.
  return factsOf((await cut.parts()).train, {}, observer);
}
