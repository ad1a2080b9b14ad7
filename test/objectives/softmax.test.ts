import { profile, tensor1d, tensor2d, tidy } from '@tensorflow/tfjs';
import { beforeAll, describe, expect, test } from 'vitest';
import {
  catalogueCrossEntropy,
  popularityLogQ,
  type SampledBatch,
  type Sampling,
  sampledBatch,
  sampledCrossEntropy,
} from '../../src/objectives/softmax';
import { backends, expectNoTensorsLeft, start } from '../compute/backends/start';
import { expectClose } from '../compute/kernels/random';
import { uploaded } from '../models/steps';

/** Scores of two vectors, (1, 0) and (0, 1), for items 1 to 4; padding would win by far. */
const R = [
  [2.0, -0.5, 0.3, -1.2],
  [0.1, 1.0, -0.4, 0.7],
];
const TABLE = [[50, 50], ...R[0]!.map((score, j) => [score, R[1]![j]!])];
const BIAS = [9, 0.1, -0.2, 0.3, 0];
const UNIT = [[1, 0], [0, 1]]; // biome-ignore format: rows of a matrix
const SUPPORT = [0, 10, 4, 2, 8];
const TARGETS = [1, 4];
const NEGATIVES = [3, 4, 3];
const score = (m: number, item: number): number => R[m]![item - 1]!;

/** −log of the share of the first. */
const loss = (scores: readonly number[]): number =>
  Math.log(scores.reduce((total, s) => total + Math.exp(s), 0)) - scores[0]!;

const outputs = (bias?: readonly number[], table: readonly (readonly number[])[] = TABLE) => ({
  table: tensor2d(table as number[][]),
  ...(bias && { bias: tensor1d(bias as number[]) }),
});

describe.each(backends)('%s', (backend) => {
  beforeAll(() => start(backend));

  expectNoTensorsLeft();

  describe('the softmax over the catalogue', () => {
    const lossOf = (
      targets: number[],
      options: Parameters<typeof catalogueCrossEntropy>[4],
      bias?: readonly number[],
    ) =>
      tidy(() => {
        const c = tensor2d(UNIT);
        return catalogueCrossEntropy(c, outputs(bias), tensor1d(targets, 'int32'), 4, options).dataSync()[0]!;
      });

    test('ranks the target among all real items, never among padding', () => {
      const expected = [3, 2].map((target, m) => {
        const others = [1, 2, 3, 4].filter((item) => item !== target);
        return loss([target, ...others].map((item) => score(m, item)));
      });
      expectClose([lossOf([3, 2], {})], [expected[0]! + expected[1]!]);
    });

    test('counts padding as one more item where its columns begin there', () => {
      const expected = [3, 2].map((target, m) => {
        const others = [1, 2, 3, 4].filter((item) => item !== target);
        return loss([...[target, ...others].map((item) => score(m, item)), 50]);
      });
      expectClose([lossOf([3, 2], { first: 0 })], [expected[0]! + expected[1]!], 1e-4);
    });

    test('adds the item bias, and spreads the mass of label smoothing over the other items', () => {
      const expected = [3, 2].map((target, m) => {
        const scores = [1, 2, 3, 4].map((item) => score(m, item) + BIAS[item]!);
        const all = Math.log(scores.reduce((total, s) => total + Math.exp(s), 0));
        return scores.reduce((total, s, j) => total + (j === target - 1 ? 0.7 : 0.1) * (all - s), 0);
      });
      expectClose([lossOf([3, 2], { smoothing: 0.3 }, BIAS)], [expected[0]! + expected[1]!]);
    });
  });

  describe('the softmax over the target and a sample', () => {
    const rowsOf = (sampled: SampledBatch, hit?: number, targets: readonly number[] = TARGETS): number[] =>
      tidy(() => {
        const batch = uploaded(sampled);
        const losses = sampledCrossEntropy(
          tensor2d(UNIT),
          outputs(),
          tensor1d(targets as number[], 'int32'),
          batch,
          undefined,
          hit,
        );
        return Array.from(losses.dataSync());
      });
    const sampling: Sampling = { nSample: 3, sampleAlpha: 0.75, logq: 1, logqOf: 'all' };
    const [targets, negatives] = [Int32Array.from(TARGETS), Int32Array.from(NEGATIVES)];
    const withoutHits = (target: number) => NEGATIVES.filter((item) => item !== target);

    test('compares each target with the negatives alone, without those that equal it', () => {
      const expected = TARGETS.map((target, m) => loss([target, ...withoutHits(target)].map((item) => score(m, item))));
      expectClose(rowsOf(sampledBatch(targets, { negatives })), expected);
    });

    test('gives negatives that equal the target the score asked for', () => {
      const expected = TARGETS.map((target, m) =>
        loss([score(m, target), ...NEGATIVES.map((item) => (item === target ? 0.25 : score(m, item)))]),
      );
      expectClose(rowsOf(sampledBatch(targets, { negatives }), 0.25), expected);
    });

    test('corrects target and negatives by the same log support^alpha', () => {
      const logq = popularityLogQ(sampling, SUPPORT);
      const batch = sampledBatch(targets, { negatives, logq });
      const correction = (item: number) => 0.75 * Math.log(SUPPORT[item]!);
      expectClose(batch.logqTargets!.data, TARGETS.map(correction), 1e-6);
      expectClose(batch.logqNegatives!.data, NEGATIVES.map(correction), 1e-6);
      const expected = TARGETS.map((target, m) =>
        loss([target, ...withoutHits(target)].map((item) => score(m, item) - correction(item))),
      );
      expectClose(rowsOf(batch), expected);
    });

    test('corrects draws alone by how often each is expected among them', () => {
      const batch = sampledBatch(targets, {
        negatives,
        logq: popularityLogQ({ ...sampling, logqOf: 'draws' }, SUPPORT),
      });
      const total = SUPPORT.slice(1).reduce((sum, count) => sum + count ** 0.75, 0);
      const correction = (item: number) => Math.log((3 * SUPPORT[item]! ** 0.75) / total);
      expectClose(batch.logqTargets!.data, [0, 0], 0);
      expectClose(batch.logqNegatives!.data, NEGATIVES.map(correction), 1e-6);
    });

    test('is corrected by the share asked for, and not at all at 0', () => {
      const half = popularityLogQ({ ...sampling, logq: 0.5 }, SUPPORT)!;
      expectClose(half.targets(Int32Array.of(1)), [0.5 * 0.75 * Math.log(10)], 1e-6);
      expect(popularityLogQ({ ...sampling, logq: 0 }, SUPPORT)).toBeUndefined();
    });

    test('stays finite for items without events, which uniform negatives may be', () => {
      const logq = popularityLogQ({ ...sampling, sampleAlpha: 0 }, [0, 10, 0])!;
      expectClose(logq.negatives(Int32Array.of(1, 2)), [0, 0], 0);
      const byPopularity = popularityLogQ(sampling, [0, 10, 0])!;
      expectClose(byPopularity.targets(Int32Array.of(2)), [0], 0);
    });
  });

  test('only the rows asked for are scored, whatever the catalogue', async () => {
    const table = Array.from({ length: 501 }, (_, i) => [Math.sin(i), Math.cos(i)]);
    const { kernels } = await profile(() => {
      tidy(() => {
        const sampled = sampledBatch(Int32Array.of(400, 2), { negatives: Int32Array.of(3, 450, 3) });
        const batch = uploaded(sampled);
        const side = outputs(
          table.map(([x]) => x!),
          table,
        );
        sampledCrossEntropy(tensor2d(UNIT), side, tensor1d([400, 2], 'int32'), batch);
      });
      return [] as never;
    });
    const rows = kernels.flatMap(({ outputShapes }) => outputShapes.flat());
    expect(rows.length).toBeGreaterThan(0);
    expect(Math.max(...rows.map((n) => n ?? 0))).toBeLessThan(20);
  });
});
