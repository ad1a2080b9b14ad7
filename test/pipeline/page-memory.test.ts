import { describe, expect, test } from 'vitest';
import { logName } from '../../src/pipeline/blob-source';
import { memoryLimit, refuseLargeTraining, refuseLongLog } from '../../src/pipeline/page-memory';

test('a page may take 1.5 GB, or half of a smaller machine', () => {
  expect([undefined, 8, 2].map(memoryLimit)).toEqual([1.5e9, 1.5e9, 1e9]);
});

describe('before it begins, a page refuses', () => {
  test('a log that it cannot hold, with the command that trains on it', () => {
    expect(() => refuseLongLog('log.csv.gz', 5e6, memoryLimit(8))).not.toThrow();
    expect(() => refuseLongLog('log.csv.gz', 50e6, memoryLimit(8))).toThrow(
      'log.csv.gz holds about 50 million events, which take about 4.8 GB, and a page has 1.5 GB. ' +
        'Train on it with the command line: aisle train --data log.csv.gz',
    );
  });

  test('a log of several parts, by the glob that the command line reads', () => {
    const name = logName([{ name: 'day-1.csv' }, { name: 'day-2.csv' }]);
    expect(() => refuseLongLog(name, 50e6, memoryLimit(8))).toThrow("aisle train --data 'day-*.csv' --model");
  });

  test('a training whose weights it cannot hold', () => {
    const layout = { itemEmbedding: 400_000 * 100, gru: 60_000 };
    const one = { events: 150_000, threads: 1 };
    expect(() => refuseLargeTraining('gru4rec', { itemEmbedding: 217 * 100 }, one, memoryLimit(8))).not.toThrow();
    expect(() => refuseLargeTraining('gru4rec', layout, one, memoryLimit(8))).toThrow(
      /gru4rec would have 40,060,000 weights on 150,000 events, which take about 2\.\d GB, and a page has 1\.5 GB.* aisle train --data /,
    );
  });

  test('a training that it could hold on one thread, and cannot on four', () => {
    const layout = { itemEmbedding: 150_000 * 100 };
    const on = (threads: number) => () =>
      refuseLargeTraining('sasrec', layout, { events: 1e6, threads }, memoryLimit(8));
    expect(on(1)).not.toThrow();
    expect(on(4)).toThrow(
      /on 1,000,000 events, on 4 threads, which take about 2\.\d GB.* Choose fewer threads, smaller layers/,
    );
  });
});
