import { grads, memory, type Tensor1D, type Tensor2D, tensor1d, tensor2d, tidy } from '@tensorflow/tfjs';
import { beforeAll, describe, expect, test } from 'vitest';
import { configure } from '../../src/models/configuration';
import { type SasrecConfig, sasrec } from '../../src/models/sasrec';
import { sasrecLoss } from '../../src/models/sasrec-training';
import { sampledBinaryCrossEntropy } from '../../src/nn/sampled-binary';
import { matrix, outputItems, vector } from '../../src/objectives/batch';
import { positiveWeight } from '../../src/objectives/losses';
import { random } from '../../src/session/random';
import { backends, start } from '../compute/backends/start';
import { uploaded } from '../models/steps';
import { finiteDifferences } from '../reference/finite-differences';
import { softplus } from '../reference/weights64';

describe('the weight of the target', () => {
  test.each([
    [3416, 0.75, 0.3062225],
    [3416, 0, 1],
    [3416, 1, 0.0749634],
    [1_271_638, 0.75, 0.250151],
  ])('of %d items at t = %d is %d with 256 negatives', (items, t, expected) => {
    expect(positiveWeight(t, 256, items)).toBeCloseTo(expected, 6);
  });

  test('counts the items without the target: n − 1', () => {
    expect(positiveWeight(1, 3, 101)).toBeCloseTo(0.03, 12);
  });

  test('does what the published transformation of the target’s score does', () => {
    const beta = positiveWeight(0.75, 256, 3416);
    for (const [s, loss, transformed] of [
      [-2, 0.651313, 0.085495],
      [0, 0.212257, 1.441951],
      [2, 0.038868, 3.228081],
      [5, 0.002056, 6.185774],
    ] as const) {
      expect(beta * softplus(-s)).toBeCloseTo(loss, 6);
      expect(softplus(-transformed)).toBeCloseTo(loss, 6);
      expect(-Math.log((1 / (1 + Math.exp(-s))) ** -beta - 1)).toBeCloseTo(transformed, 5);
    }
  });
});

/** One target of score 1.5 against 0.5, −1 and 0, in a catalogue of 101 items. */
function worked(given: Partial<SasrecConfig>): number {
  const batch = {
    inputs: [],
    positions: vector(Int32Array.of(0)),
    targets: outputItems(Int32Array.of(1)),
    negatives: matrix(Int32Array.of(2, 3, 4), 1),
  };
  return tidy(() => {
    const table = tensor2d([[0], [1.5], [0.5], [-1], ...Array.from({ length: 98 }, () => [0])]);
    const config = configure(sasrec, given);
    return sasrecLoss(tensor2d([[1]]), { table }, {}, uploaded(batch), config, 101).dataSync()[0]!;
  });
}

describe.each(backends)('%s', (backend) => {
  beforeAll(() => start(backend));

  test('gBCE gives the worked example, and its mean over target and negatives at t = 0 is that of bce', () => {
    expect(worked({ loss: 'gbce' })).toBeCloseTo(0.508843, 5);
    expect(worked({ loss: 'gbce', gbceT: 0 })).toBeCloseTo(0.545475, 5);
    expect(worked({ loss: 'bce' }) / 4).toBeCloseTo(0.545475, 5);
  });

  const [ROWS, COUNT, D, N] = [5, 3, 4, 7];
  const { normal, integer } = random(2, 'gbce');
  const draw = (length: number) => Float64Array.from({ length }, normal);
  const [c, e, b] = [draw(ROWS * D), draw(N * D), draw(N)];
  const targets = Int32Array.from({ length: ROWS }, () => integer(N));
  // Few ids, so that a target is among its own negatives and a negative occurs twice.
  const negatives = Int32Array.from({ length: ROWS * COUNT }, () => integer(N));
  const BETA = 0.3;
  const reference = (): number => {
    const score = (m: number, id: number) =>
      Array.from({ length: D }, (_, j) => c[m * D + j]! * e[id * D + j]!).reduce((x, y) => x + y, b[id]!);
    return Array.from({ length: ROWS }, (_, m) => {
      const own = negatives.subarray(m * COUNT, (m + 1) * COUNT);
      return BETA * softplus(-score(m, targets[m]!)) + own.reduce((sum, id) => sum + softplus(score(m, id)), 0);
    }).reduce((x, y) => x + y, 0);
  };

  test.each([1, 2, 5, 100])('sums block by block, %d rows each, with the gradients of finite differences', (block) => {
    const before = memory().numTensors;
    const { value, gradients } = tidy(() => {
      const loss = (c: Tensor2D, e: Tensor2D, b: Tensor1D) =>
        sampledBinaryCrossEntropy(
          c,
          e,
          b,
          tensor1d(targets, 'int32'),
          tensor2d(negatives, [ROWS, COUNT], 'int32'),
          BETA,
          block,
        );
      const values = [
        tensor2d(Float32Array.from(c), [ROWS, D]),
        tensor2d(Float32Array.from(e), [N, D]),
        tensor1d(Float32Array.from(b)),
      ] as const;
      const slopes = grads((...t) => loss(t[0] as Tensor2D, t[1] as Tensor2D, t[2] as Tensor1D))([...values]);
      return { value: loss(...values).dataSync()[0]!, gradients: slopes.map((g) => Array.from(g.dataSync())) };
    });
    expect(memory().numTensors).toBe(before);
    expect(value / reference()).toBeCloseTo(1, 5);
    [c, e, b].forEach((values, i) => {
      const expected = finiteDifferences(values, reference);
      expected.forEach((slope, k) => {
        expect(Math.abs(gradients[i]![k]! - slope)).toBeLessThan(1e-4);
      });
    });
  });
});
