/** The files that a comparison trains and tests on. */
import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { join } from 'node:path';
import { RecommenderError } from '../../errors';
import { eventsArguments } from '../command-line';
import type { Context } from '../context';
import { readEventsFile } from '../events-file';
import { type EventsFlags, readOptions } from '../options';
import { runJson } from '../run-json';

export interface Parts {
  readonly train: string;
  readonly test: string;
  /** Flags that say how both are read: none where they were cut here, since cutting has applied them. */
  readonly reading: readonly string[];
  /** Clicks of each item in the training file. */
  readonly support: ReadonlyMap<string, number>;
}

export interface PartsFlags extends EventsFlags {
  readonly data: string;
  readonly test?: string;
  readonly out: string;
  readonly holdout?: number;
}

/**
 * The files as they are given; where only one is, its last tenth is cut off as the test, unless every session of it holds
 * out its last events: then it is both.
 *
 * @throws RecommenderError `bad-input` if the two share no item: every model would fail one by one.
 * @throws CommandError if the file cannot be cut.
 */
export async function partsOf(flags: PartsFlags, context: Context): Promise<Parts> {
  const tested = flags.test ?? (flags.holdout === undefined ? undefined : flags.data);
  if (tested !== undefined) {
    const files = { train: flags.data, test: tested, reading: eventsArguments(flags) };
    return { ...files, support: await sharedItems(files, flags, context) };
  }
  const folder = join(flags.out, 'parts');
  const argv = ['split', '--data', flags.data, '--out', folder, '--test', 'last:10%', ...eventsArguments(flags)];
  await runJson(argv, context);
  const files = { train: join(folder, 'train.tsv.gz'), test: join(folder, 'test.tsv.gz'), reading: [] };
  return { ...files, support: await sharedItems(files, {}, context) };
}

async function sharedItems(
  { train, test }: Pick<Parts, 'train' | 'test'>,
  flags: EventsFlags,
  context: Context,
): Promise<ReadonlyMap<string, number>> {
  const known = await readEventsFile(train, readOptions(flags), context);
  const support = new Map(known.itemIds.map((id, k) => [id, known.support[k + 1]!]));
  const asked = await readEventsFile(test, { minLength: 1, minItems: 1, ...readOptions(flags) }, context);
  if (asked.itemIds.some((id) => support.has(id))) return support;
  throw new RecommenderError(
    'bad-input',
    `${test} shares no item with ${train}, so there is nothing to predict: are both of the same shop, with ids written alike?`,
  );
}

/** What a file holds, as a hash. */
export async function contentOf(path: string): Promise<string> {
  const hash = createHash('sha256');
  for await (const piece of createReadStream(path)) hash.update(piece as Buffer);
  return hash.digest('hex');
}
