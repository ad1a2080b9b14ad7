import { grad, memory, type Tensor2D, tensor1d, tensor2d, tidy } from '@tensorflow/tfjs';
import { beforeAll, describe, expect, test } from 'vitest';
import { meanSimilarities, ntXent } from '../../src/objectives/contrastive';
import { random } from '../../src/session/random';
import { backends, start } from '../compute/backends/start';
import { finiteDifferences } from '../reference/finite-differences';
import { contrastiveLoss } from '../reference/sasrec';

/** Two sessions with two views each: z1, then z2. */
const VIEWS = [
  [1, 0],
  [0, 2],
  [0.8, 0.6],
  [-0.6, 0.8],
];
const groupsOf = (count: number) => Int32Array.from({ length: count }, (_, i) => i % (count / 2));
const loss = (
  views: readonly (readonly number[])[],
  similarity: 'dot' | 'cosine',
  tau: number,
  groups = groupsOf(views.length),
): number =>
  tidy(() => ntXent(tensor2d(views as number[][]), tensor1d(groups, 'int32'), similarity, tau).dataSync()[0]!);

describe.each(backends)('%s', (backend) => {
  beforeAll(() => start(backend));

  test('NT-Xent gives the worked example, anchor by anchor', () => {
    expect(loss(VIEWS, 'dot', 1)).toBeCloseTo(0.62656, 5);
    expect(loss(VIEWS, 'cosine', 0.5)).toBeCloseTo(0.43019, 5);
    expect((0.528229 + 0.627123 + 1.078802 + 0.272086) / 4).toBeCloseTo(contrastiveLoss(VIEWS, 1, false), 6);
    expect((0.233257 + 0.627123 + 0.627123 + 0.233257) / 4).toBeCloseTo(contrastiveLoss(VIEWS, 0.5, true), 6);
  });

  test('vectors near zero give log(2B − 1): neither the anchor nor a fourth term counts', () => {
    const zero = (B: number) => Array.from({ length: 2 * B }, () => [0, 0, 0]);
    expect(loss(zero(256), 'dot', 1) / 6.23637).toBeCloseTo(1, 5);
    expect(loss(zero(3), 'cosine', 0.1)).toBeCloseTo(Math.log(5), 5);
    expect(loss(zero(1), 'dot', 1)).toBeCloseTo(0, 6);
  });

  test('views of equal sessions are no negatives of each other where they share a group', () => {
    const { normal } = random(4, 'views');
    const views = Array.from({ length: 8 }, () => Array.from({ length: 3 }, normal));
    const groups = Int32Array.of(0, 1, 0, 3, 0, 1, 0, 3);
    const expected = contrastiveLoss(views, 0.7, false, (a, c) => groups[a] !== groups[c]);
    expect(loss(views, 'dot', 0.7, groups)).toBeCloseTo(expected, 5);
    expect(Math.abs(expected - contrastiveLoss(views, 0.7, false))).toBeGreaterThan(0.01);
  });

  test.each([
    ['dot', 1],
    ['dot', 3],
    ['cosine', 0.2],
  ] as const)('%s over %d: has the gradient of finite differences and leaves no tensor behind', (similarity, tau) => {
    const { normal } = random(9, 'views');
    const values = Float64Array.from({ length: 6 * 4 }, normal);
    const groups = Int32Array.of(0, 1, 0, 0, 1, 0);
    const rows = () => Array.from({ length: 6 }, (_, i) => Array.from(values.subarray(4 * i, 4 * i + 4)));
    const reference = () => contrastiveLoss(rows(), tau, similarity === 'cosine', (a, c) => groups[a] !== groups[c]);
    const before = memory().numTensors;
    const slopes = tidy(() => {
      const f = (z: Tensor2D) => ntXent(z, tensor1d(groups, 'int32'), similarity, tau);
      return Array.from(grad((z) => f(z as Tensor2D))(tensor2d(rows())).dataSync());
    });
    expect(memory().numTensors).toBe(before);
    finiteDifferences(values, reference).forEach((slope, k) => {
      expect(Math.abs(slopes[k]! - slope)).toBeLessThan(1e-4);
    });
  });

  test('the mean similarities are those of pairs, and of views of different sessions', () => {
    const measured = (similarity: 'dot' | 'cosine', views = VIEWS) =>
      tidy(() => {
        const { positive, negative } = meanSimilarities(tensor2d(views), similarity);
        return [positive.dataSync()[0]!, negative.dataSync()[0]!];
      });
    const cosines = VIEWS.map((row) => row.map((x) => x / Math.hypot(...row)));
    for (const [similarity, z] of [
      ['dot', VIEWS],
      ['cosine', cosines],
    ] as const) {
      const s = (a: number, c: number) => z[a]![0]! * z[c]![0]! + z[a]![1]! * z[c]![1]!;
      const [positive, negative] = measured(similarity);
      expect(positive).toBeCloseTo((s(0, 2) + s(1, 3)) / 2, 5);
      expect(negative).toBeCloseTo((s(0, 1) + s(0, 3) + s(2, 1) + s(2, 3)) / 4, 5);
    }
    expect(measured('dot', [VIEWS[1]!, VIEWS[3]!])).toEqual([expect.closeTo(1.6, 5), 0]);
  });
});
