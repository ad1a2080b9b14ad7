import { type Tensor1D, type Tensor2D, tensor1d, tensor2d, tidy } from '@tensorflow/tfjs';
import { beforeAll, describe, expect, test } from 'vitest';
import { activate } from '../../src/nn/activation';
import { bprMax } from '../../src/nn/bpr-max';
import { crossEntropy } from '../../src/nn/cross-entropy';
import { bpr, softmaxBinaryCrossEntropy, top1, top1Max } from '../../src/objectives/losses';
import { backends, expectNoTensorsLeft, start } from '../compute/backends/start';
import { expectClose } from '../compute/kernels/random';

/** Two rows, the positives on the diagonal, two extra columns. */
const R = [
  [2.0, -0.5, 0.3, -1.2],
  [0.1, 1.0, -0.4, 0.7],
];

type Loss = (r: Tensor2D, positive: Tensor1D) => Tensor1D;

/** Row losses of a matrix of scores whose positives stand in the given columns. */
const rowsOf = (loss: Loss, scores: readonly number[][] = R, positive: readonly number[] = [0, 1]): number[] =>
  tidy(() => Array.from(loss(tensor2d(scores as number[][]), tensor1d(positive as number[], 'int32')).dataSync()));

const halfElu: Loss = (s, positive) => bprMax(activate(s, { kind: 'elu', alpha: 0.5 }), positive, 0);
const halfEluWithPenalty: Loss = (s, positive) => bprMax(activate(s, { kind: 'elu', alpha: 0.5 }), positive, 1);
const linear: Loss = (s, positive) => bprMax(s, positive, 0);
const linearWithPenalty: Loss = (s, positive) => bprMax(s, positive, 1);
const plain: Loss = (s, positive) => crossEntropy(s, positive);

const softmax = (s: readonly number[]): number[] => {
  const e = s.map(Math.exp);
  const total = e.reduce((a, b) => a + b, 0);
  return e.map((x) => x / total);
};

describe.each(backends)('%s', (backend) => {
  beforeAll(() => start(backend));

  expectNoTensorsLeft();

  describe('the worked example', () => {
    test.each<[string, Loss, number[]]>([
      ['cross-entropy', plain, [0.26661, 0.872959]],
      ['BPR-max, rank part', linear, [0.125522, 0.423817]],
      ['BPR-max with its regularisation', linearWithPenalty, [0.125522 + 0.313096, 0.423817 + 0.291626]],
      ['BPR-max after elu-0.5, rank part', halfElu, [0.13058, 0.426772]],
      ['BPR-max after elu-0.5 with its regularisation', halfEluWithPenalty, [0.13058 + 0.083216, 0.426772 + 0.257334]],
      ['BPR, its own term included', bpr, [0.979776, 1.809074]],
      ['TOP1', top1, [0.665651, 0.768736]],
      ['TOP1-max', top1Max, [0.689265, 0.917076]],
    ])('%s gives the row losses', (_, loss, expected) => {
      expectClose(rowsOf(loss), expected);
    });
  });

  describe('the weights of the max losses', () => {
    /** Their derivative by bpreg reads them: Σⱼ wⱼ rⱼ². */
    const penalty = (s: readonly number[][], positive?: readonly number[]): number[] => {
      const [without, withIt] = [rowsOf(linear, s, positive), rowsOf(linearWithPenalty, s, positive)];
      return withIt.map((x, b) => x - without[b]!);
    };

    test('are a softmax over the negatives alone', () => {
      const weights = [
        [0, 0.268664, 0.597922, 0.133414],
        [0.29166, 0, 0.176901, 0.531439],
      ];
      const expected = weights.map((w, b) => w.reduce((total, x, j) => total + x * R[b]![j]! ** 2, 0));
      expectClose(penalty(R), expected);
    });

    test("do not feel the positive's score", () => {
      const moved = R.map((row, b) => row.map((s, j) => (j === b ? s + 37 : s)));
      expectClose(penalty(moved), penalty(R));
    });

    test('take the positive wherever it stands', () => {
      const turned = R.map((row) => [row[3]!, row[0]!, row[2]!, row[1]!]);
      for (const loss of [plain, linearWithPenalty, top1, top1Max, bpr]) {
        expectClose(rowsOf(loss, turned, [1, 3]), rowsOf(loss));
      }
    });
  });

  test('a constant added to a whole row leaves cross-entropy and BPR alone, and moves BPR-max and TOP1', () => {
    const raised = R.map((row) => row.map((s) => s + 3));
    for (const loss of [plain, bpr, linear]) expectClose(rowsOf(loss, raised), rowsOf(loss));
    for (const loss of [linearWithPenalty, top1, top1Max]) {
      const [before, after] = [rowsOf(loss), rowsOf(loss, raised)];
      before.forEach((x, b) => {
        expect(Math.abs(x - after[b]!)).toBeGreaterThan(0.01);
      });
    }
  });

  test('no loss overflows on scores of a thousand, whichever side they are on', () => {
    const extreme = [
      [1000, -1000, 0],
      [-1000, 1000, 500],
      [0, 0, 0],
    ];
    const rows = (loss: Loss) => rowsOf(loss, extreme, [0, 0, 0]);
    expectClose(rows(plain), [0, 2000, Math.log(3)], 1e-2);
    // Without a guard log 0 would be infinite: the guard makes it −log 1e-24.
    expectClose(rows(linear), [0, -Math.log(1e-24), Math.log(2)], 1e-3);
    const third = Math.log(3) + 2 * Math.log(3 / 2);
    expectClose(rows(softmaxBinaryCrossEntropy), [0, 2000 + 500, third], 1e-2);
    expectClose(rows(bpr), [Math.log(2), 3500 + Math.log(2), 3 * Math.log(2)], 1e-2);
    for (const loss of [top1, top1Max]) expect(rows(loss).every(Number.isFinite)).toBe(true);
  });

  describe('label smoothing', () => {
    const columns = R[0]!.length;
    const expected = (smoothing: number) =>
      R.map((row, b) => {
        const p = softmax(row);
        const goal = p.map((_, j) => smoothing / columns + (j === b ? 1 - smoothing : 0));
        return p.reduce((total, x, j) => total - goal[j]! * Math.log(x), 0);
      });

    test('of the code: (1 − eK/(K − 1)) (−log pᵢ) + e/(K − 1) Σ −log pⱼ', () => {
      const e = 0.2;
      const rows = R.map((row, b) => {
        const logs = softmax(row).map((x) => -Math.log(x));
        const all = logs.reduce((x, y) => x + y, 0);
        return (1 - (e * columns) / (columns - 1)) * logs[b]! + (e / (columns - 1)) * all;
      });
      expectClose(
        rowsOf((s, positive) => crossEntropy(s, positive, e)),
        rows,
      );
    });

    test('spreads the mass e′/K over all columns, where e = e′ (K − 1)/K', () => {
      const smoothing = 0.3;
      const e = (smoothing * (columns - 1)) / columns;
      expectClose(
        rowsOf((s, positive) => crossEntropy(s, positive, e)),
        expected(smoothing),
      );
    });
  });

  test('a binary cross-entropy over the softmax also counts what every other item got', () => {
    const expected = R.map((s, b) => {
      const p = softmax(s);
      return p.reduce((total, share, j) => total - Math.log(j === b ? share : 1 - share), 0);
    });
    expectClose(rowsOf(softmaxBinaryCrossEntropy), expected);
  });
});
