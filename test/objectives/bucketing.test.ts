import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { cl4srecBatch, cl4srecNetwork, cl4srecTraining } from '../../src/models/cl4srec-training';
import { configure } from '../../src/models/configuration';
import { sasrecBatch, sasrecNetwork, sasrecTraining } from '../../src/models/sasrec-training';
import type { Training } from '../../src/models/training';
import { lengthBuckets } from '../../src/objectives/bucketing';
import type { SequenceBatch } from '../../src/objectives/examples';
import { Trainer } from '../../src/train/trainer';
import { start } from '../compute/backends/start';
import { logOf, supportOf } from '../train/helpers';

const cellsOf = (groups: readonly ArrayLike<number>[], lengths: readonly number[]): number =>
  groups.reduce((sum, group) => sum + 1024 + group.length * Math.max(...Array.from(group, (row) => lengths[row]!)), 0);

/** Every way to cut the distinct lengths into runs. */
function* cuts(lengths: readonly number[]): Generator<number[][]> {
  const distinct = [...new Set(lengths)].sort((a, b) => a - b);
  for (let bits = 0; bits < 2 ** (distinct.length - 1); bits++) {
    const groups: number[][] = [[]];
    distinct.forEach((length, i) => {
      groups.at(-1)!.push(...lengths.flatMap((other, row) => (other === length ? [row] : [])));
      if ((bits >> i) & 1) groups.push([]);
    });
    yield groups.filter((group) => group.length > 0);
  }
}

describe('length buckets', () => {
  const log = fc.array(fc.integer({ min: 1, max: 8 }), { minLength: 1, maxLength: 300 });
  const scaled = fc.tuple(log, fc.constantFrom(1, 25)).map(([lengths, by]) => lengths.map((length) => length * by));

  test('hold every row once, shorter ones first, in the fewest cells that there are', () => {
    fc.assert(
      fc.property(scaled, (lengths) => {
        const buckets = lengthBuckets(lengths);
        expect(buckets.flatMap((bucket) => [...bucket]).sort((a, b) => a - b)).toEqual([...lengths.keys()]);
        for (const [g, bucket] of buckets.entries()) {
          expect([...bucket]).toEqual([...bucket].sort((a, b) => a - b));
          const longestBefore = Math.max(0, ...Array.from(buckets[g - 1] ?? [], (row) => lengths[row]!));
          for (const row of bucket) expect(lengths[row]).toBeGreaterThan(longestBefore);
        }
        expect(cellsOf(buckets, lengths)).toBe(Math.min(...[...cuts(lengths)].map((cut) => cellsOf(cut, lengths))));
      }),
      { seed: 5, numRuns: 60 },
    );
  });

  test('few clicks stay together', () => {
    expect(lengthBuckets([3, 1, 9, 2])).toEqual([Int32Array.of(0, 1, 2, 3)]);
  });

  test('one long session stands apart from many short ones', () => {
    const buckets = lengthBuckets([...Array.from({ length: 50 }, () => 2), 50]);
    expect(buckets.map(({ length }) => length)).toEqual([50, 1]);
  });
});

describe('training in buckets', () => {
  const items = 30;
  const lengths = Array.from({ length: 60 }, (_, s) => (s % 12 === 0 ? 40 - (s % 5) : 2 + (s % 3)));
  const log = logOf(
    lengths.map((length, s) => Array.from({ length }, (_, t) => 1 + ((s * 7 + t * (1 + (s % 4))) % items))),
  );
  type AnyTraining = Training<Record<string, unknown>>;
  const apart = {
    sasrec: sasrecTraining as unknown as AnyTraining,
    cl4srec: cl4srecTraining as unknown as AnyTraining,
  };
  /** With all sessions in one rectangle. */
  const trims = () => false;
  const together = {
    sasrec: {
      ...sasrecTraining,
      batch: (...args) => sasrecBatch({ ...sasrecNetwork, trims }, ...args),
    } as typeof sasrecTraining as unknown as AnyTraining,
    cl4srec: {
      ...cl4srecTraining,
      batch: (...args) => cl4srecBatch({ ...cl4srecNetwork, trims }, ...args),
    } as typeof cl4srecTraining as unknown as AnyTraining,
  };
  const common = { hiddenUnits: 8, numHeads: 2, maxlen: 40, batchSize: 60, dropoutRate: 0, dropoutEmbed: 0, lr: 0.01 };

  test.each([
    ['sasrec, positions from the start', 'sasrec', { norm: 'pre', positions: 'start' }],
    ['sasrec, positions from the end', 'sasrec', { norm: 'pre', positions: 'end', maskPadding: 'true' }],
    ['sasrec, sampled, touched rows', 'sasrec', { loss: 'sampled', nSample: 20, sparseUpdates: true }],
    ['sasrec, repeats', 'sasrec', { positions: 'start', repeatLags: 5 }],
    ['sasrec, binary cross-entropy', 'sasrec', { loss: 'bce', negatives: 2 }],
    ['cl4srec', 'cl4srec', { lambda: 0.5 }],
    ['cl4srec, sampled, touched rows', 'cl4srec', { lambda: 0.5, loss: 'sampled', nSample: 20, sparseUpdates: true }],
  ] as const)('%s: the same steps as with all sessions in one rectangle', async (_, name, given) => {
    await start('wasm');
    expect(lengthBuckets(lengths.map((length) => length - 1)).length).toBeGreaterThan(1);
    const config = configure(apart[name].network, { ...common, ...given });
    const trained = async (training: AnyTraining) => {
      let widest = 0;
      const watched: AnyTraining = {
        ...training,
        batch(...args) {
          const batch = training.batch(...args) as SequenceBatch;
          for (const { items } of batch.inputs) widest = Math.max(widest, items!.data.length);
          return batch;
        },
      };
      const catalogue = { items, support: supportOf(log, items) };
      const trainer = new Trainer({ training: watched, config, catalogue, sessions: log, seed: 3 });
      const losses = [await trainer.runEpoch(), await trainer.runEpoch()];
      const weights = await trainer.weights();
      trainer.dispose();
      return { losses, weights, widest };
    };
    const [buckets, rectangle] = [await trained(apart[name]), await trained(together[name])];
    expect(rectangle.widest).toBeGreaterThanOrEqual(60 * 39);
    expect(buckets.widest).toBeLessThan(rectangle.widest / 2);
    buckets.losses.forEach((loss, epoch) => {
      expect(loss).toBeCloseTo(rectangle.losses[epoch]!, 5);
    });
    for (const [name, { data }] of Object.entries(rectangle.weights)) {
      if (name.endsWith('key.b')) continue; // no score depends on it: its slope is rounding, which Adam makes steps of
      data.forEach((weight, k) => {
        expect(Math.abs(weight - buckets.weights[name]!.data[k]!), name).toBeLessThan(1e-4);
      });
    }
  });
});
