import { describe, expect, test } from 'vitest';
import type { NegativeSpec } from '../../src/models/model';
import { PopularitySampler } from '../../src/objectives/negatives';
import { random } from '../../src/session/random';
import { epochBatches } from '../../src/train/batches';
import { drawnNegatives } from '../../src/train/negative-source';
import { logOf, supportOf } from './helpers';

const SUPPORT = [0, 100, 1, 25, 4, 9, 64];
const DRAWS = 60_000;

/**
 * Pearson's statistic of counts against probabilities. With 5 degrees of freedom it exceeds 20.5 once in a thousand
 * seeds; the seeds here are fixed.
 */
function chiSquare(counts: ArrayLike<number>, probabilities: readonly number[], draws: number): number {
  return probabilities.reduce((total, p, i) => total + (counts[i]! - draws * p) ** 2 / (draws * p), 0);
}

const ofSupport = (alpha: number): number[] => {
  const weights = SUPPORT.slice(1).map((s) => s ** alpha);
  const total = weights.reduce((a, b) => a + b, 0);
  return weights.map((w) => w / total);
};

const counted = (alpha: number): number[] => {
  const sampler = new PopularitySampler(SUPPORT, alpha);
  const generator = random(11, 'draws');
  const counts = SUPPORT.slice(1).map(() => 0);
  for (let k = 0; k < DRAWS; k++) counts[sampler.draw(generator) - 1]!++;
  return counts;
};

describe('popularity-weighted draws', () => {
  test.each([0, 0.25, 0.5, 0.75, 1])('follow support^%d', (alpha) => {
    expect(chiSquare(counted(alpha), ofSupport(alpha), DRAWS)).toBeLessThan(20.5);
  });

  test('tell one alpha from the next', () => {
    expect(chiSquare(counted(0.5), ofSupport(0.6), DRAWS)).toBeGreaterThan(200);
    expect(chiSquare(counted(0.5), ofSupport(0), DRAWS)).toBeGreaterThan(200);
  });

  test('reach the first and the last item, and no index outside 1…n', () => {
    const sampler = new PopularitySampler([0, 1, 1, 1], 0.5);
    const at = (u: number) => sampler.draw({ ...random(1), uniform: () => u });
    expect([at(0), at(0.34), at(0.5), at(0.67), at(1 - 2 ** -32)]).toEqual([1, 2, 2, 3, 3]);
  });

  test('never draw an item without events, except uniformly', () => {
    const draws = (alpha: number) => {
      const sampler = new PopularitySampler([0, 5, 0, 5], alpha);
      const generator = random(2);
      return new Set(Array.from({ length: 200 }, () => sampler.draw(generator)));
    };
    expect(draws(0.5)).toEqual(new Set([1, 3]));
    expect(draws(0)).toEqual(new Set([1, 2, 3]));
    expect(() => new PopularitySampler([0, 0, 0], 0.5)).toThrow(RangeError);
  });
});

describe('the negatives of a step', () => {
  const log = logOf([
    [1, 2, 3, 1],
    [4, 5],
    [2, 6, 2],
  ]);
  const n = 6;
  const catalogue = { items: n, support: supportOf(log, n) };
  const sequences = { kind: 'sequences', maxLength: 10, sampling: 'shuffle' } as const;
  const batch = [...epochBatches(sequences, log, { batchSize: 3, fewestRows: 1, seed: 1, epoch: 0 })][0]!;
  const source = (spec: NegativeSpec, seed = 1) => drawnNegatives(spec, catalogue, log, seed);

  test('shared ones are as many as asked, drawn anew each step, alike for the same seed and step', () => {
    const spec = { kind: 'shared', inBatch: true, extra: 40, alpha: 0.5 } as const;
    const { ids, perTarget } = source(spec)(batch, 0);
    expect(perTarget).toBe(false);
    expect(ids).toHaveLength(40);
    expect(source(spec)(batch, 0).ids).toEqual(ids);
    expect(source(spec)(batch, 1).ids).not.toEqual(ids);
    expect(source(spec, 2)(batch, 0).ids).not.toEqual(ids);
  });

  test('shared ones follow the support of the training log to the power of alpha', () => {
    const draw = (alpha: number) => source({ kind: 'shared', inBatch: true, extra: 30_000, alpha })(batch, 0).ids;
    for (const alpha of [0, 1]) {
      const weights = Array.from(catalogue.support.subarray(1), (s) => s ** alpha);
      const total = weights.reduce((a, b) => a + b, 0);
      const counts = supportOf({ ...log, items: draw(alpha) }, n).subarray(1);
      expect(
        chiSquare(
          counts,
          weights.map((w) => w / total),
          30_000,
        ),
      ).toBeLessThan(20.5);
    }
  });

  test('of a position are uniform over the items outside its session', () => {
    const count = 3000;
    const { ids, perTarget } = source({ kind: 'per-position', count, reject: 'session' })(batch, 0);
    expect(perTarget).toBe(true);
    expect(ids).toHaveLength(batch.targets.length * count);
    batch.targets.forEach((_, m) => {
      const source = batch.sources![batch.origin!.row[m]!]!;
      const own = new Set(log.items.subarray(log.offsets[source]!, log.offsets[source + 1]!));
      const drawn = ids.subarray(m * count, (m + 1) * count);
      expect(drawn.every((id) => id >= 1 && id <= n && !own.has(id))).toBe(true);
      const others = [1, 2, 3, 4, 5, 6].filter((id) => !own.has(id));
      const counts = others.map((id) => drawn.filter((drawnId) => drawnId === id).length);
      expect(
        chiSquare(
          counts,
          others.map(() => 1 / others.length),
          count,
        ),
      ).toBeLessThan(20.5);
    });
  });

  test('of a position may be items of its session where nothing is refused, or nothing else is left', () => {
    const { ids } = source({ kind: 'per-position', count: 500, reject: 'none' })(batch, 0);
    expect(new Set(ids)).toEqual(new Set([1, 2, 3, 4, 5, 6]));
    const full = logOf([[1, 2, 1]]);
    const one = [...epochBatches(sequences, full, { batchSize: 1, fewestRows: 1, seed: 1, epoch: 0 })][0]!;
    const draw = drawnNegatives({ kind: 'per-position', count: 50, reject: 'session' }, { items: 2 }, full, 1);
    expect(new Set(draw(one, 0).ids)).toEqual(new Set([1, 2]));
  });

  test('of a row are as many for each session or window, whatever the number of its targets', () => {
    const windows = { kind: 'windows', length: 2, targets: 2 } as const;
    const rows = [...epochBatches(windows, log, { batchSize: 9, fewestRows: 1, seed: 1, epoch: 0 })][0]!;
    const count = 200;
    const { ids, perTarget, rows: drawers } = source({ kind: 'per-row', count, reject: 'session' })(rows, 0);
    expect({ perTarget, drawers }).toEqual({ perTarget: true, drawers: rows.sources!.length });
    expect(ids).toHaveLength(count * rows.sources!.length);
    expect(rows.targets.length).not.toBe(rows.sources!.length);
    rows.sources!.forEach((source, b) => {
      const own = new Set(log.items.subarray(log.offsets[source]!, log.offsets[source + 1]!));
      const others = [1, 2, 3, 4, 5, 6].filter((id) => !own.has(id));
      expect(new Set(ids.subarray(b * count, (b + 1) * count))).toEqual(new Set(others));
    });
  });

  test('of a row follow the support of the training log where they are asked to', () => {
    const masked = { kind: 'masked', maxLength: 9, masking: { kind: 'next', only: 'all' } } as const;
    const rows = [...epochBatches(masked, log, { batchSize: 9, fewestRows: 1, seed: 1, epoch: 0 })][0]!;
    const { ids } = source({ kind: 'per-row', count: 9000, reject: 'none', alpha: 1 })(rows, 0);
    const counts = Array.from({ length: n }, (_, i) => ids.filter((id) => id === i + 1).length / ids.length);
    counts.forEach((share, i) => {
      expect(share).toBeCloseTo(catalogue.support[i + 1]! / log.items.length, 1);
    });
    expect(counts[0]! / counts[2]!).toBeGreaterThan(1.8); // clicked twice as often
  });

  test('are none for the full softmax, or where none are asked for', () => {
    expect(source({ kind: 'catalogue' })(batch, 0).ids).toHaveLength(0);
    expect(source({ kind: 'shared', inBatch: true, extra: 0, alpha: 0.5 })(batch, 0).ids).toHaveLength(0);
  });
});
