/** What holds for the epochs of every training. */
import { describe, expect, test } from 'vitest';
import { configure } from '../../src/models/configuration';
import { models } from '../../src/models/index';
import { streamsOf } from '../../src/train/step';
import type { Sessions } from '../../src/types';
import { listsOf, logOf, randomLog } from './helpers';

type Row = { readonly source?: number; readonly at?: number } & Readonly<Record<string, unknown>>;

const CASES: readonly [string, Readonly<Record<string, unknown>>][] = [
  ['gru4rec', { batchSize: 4 }],
  ['gru4rec', { batchSize: 4, nSample: 0 }],
  ['sasrec', { batchSize: 4, maxlen: 4 }],
  ['sasrec', { maxlen: 4, batching: 'same-length', batchClicks: 9 }],
  ['cl4srec', { batchSize: 4, maxlen: 4 }],
  ['srgnn', { batchSize: 4, maxlen: 4 }],
  ['srgnn', { maxlen: 4, batching: 'same-length', batchClicks: 9 }],
  ['caser', { batchSize: 4, L: 3, T: 1, windows: 'all' }],
  ['transformers4rec', { batchSize: 4, totalSeqLength: 4, lm: 'bert', objective: 'mlm' }],
  ['transformers4rec', { batchSize: 4, totalSeqLength: 4, lm: 'bert', objective: 'mlm', trainOnPrefixes: true }],
  ['transformers4rec', { totalSeqLength: 4, lm: 'xlnet', objective: 'plm', batching: 'same-length', batchClicks: 9 }],
];

async function rowsOf(name: string, given: object, sessions: Sessions, { first = 0, seed = 3, epoch = 1 } = {}) {
  const training = await models[name]!.training();
  const config = configure<Record<string, unknown>>(training.network, given as Record<string, unknown>);
  const log = { sessions, catalogue: { items: 9 }, first };
  return [...training.rows(log, config, streamsOf(seed, epoch))] as readonly (readonly Row[])[];
}

describe.each(CASES)('epochs of %s %j', (name, given) => {
  test('are counted without a look at the clicks', async () => {
    const log = randomLog(60, 5);
    const unread: Sessions = {
      ...log,
      get items(): never {
        throw new Error('read to count');
      },
    };
    expect((await rowsOf(name, given, unread)).length).toBe((await rowsOf(name, given, log)).length);
    expect(await rowsOf(name, given, logOf([[1], [2]]))).toEqual([]);
  });

  test('are the same for the same seed and epoch, and come in another order for others', async () => {
    const rows = async (over = {}) => JSON.stringify(await rowsOf(name, given, randomLog(60, 5), over));
    const expected = await rows();
    expect(await rows()).toBe(expected);
    // Running sessions go through the log as it is.
    for (const over of [{ epoch: 2 }, { seed: 4 }]) expect((await rows(over)) === expected).toBe(name === 'gru4rec');
  });

  test('over the latest sessions are those of a log that begins there, by the numbers of the whole one', async () => {
    const log = randomLog(50, 8);
    const first = 31;
    const late = logOf(listsOf(log).slice(first));
    const begin = log.offsets[first]!;
    /** Numbers of sessions, and places of events, as they are in the whole log. */
    const shifted = (row: Row) =>
      Object.fromEntries(
        Object.entries(row).map(([key, value]) => {
          if (key === 'source') return [key, (value as number) + first];
          const isPlace = typeof value === 'number' && key !== 'carriedFrom';
          return [key, isPlace ? value + begin : value];
        }),
      );
    const got = await rowsOf(name, given, log, { first });
    expect(got.length).toBeGreaterThan(2);
    expect(got).toEqual((await rowsOf(name, given, late)).map((batch) => batch.map(shifted)));
  });
});
