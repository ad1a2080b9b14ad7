import { minimum, mul, type Tensor2D, type Tensor4D, tensor1d, tensor2d, tidy } from '@tensorflow/tfjs';
import { beforeAll, describe, expect, test } from 'vitest';
import { startBackend } from '../../src/compute/backends/start';
import { type AttentionParams, attention, causalBias, keyBias } from '../../src/nn/attention';
import { feedForward } from '../../src/nn/feed-forward';
import { type LinearParams, linear } from '../../src/nn/linear';
import { oneQueryAttention } from '../../src/nn/one-query-attention';
import { random } from '../../src/session/random';

beforeAll(() => startBackend('cpu'));

const D = 6;
const numbers = (name: string, length: number) => {
  const { normal } = random(5, name);
  return Array.from({ length }, normal);
};
const rows = (name: string, count: number) => {
  const values = numbers(name, count * D);
  return Array.from({ length: count }, (_, i) => values.slice(i * D, (i + 1) * D));
};
const plain = (name: string) => ({ w: rows(`${name}.w`, D), b: numbers(`${name}.b`, D) });
const tensors = ({ w, b }: ReturnType<typeof plain>): LinearParams => ({ w: tensor2d(w), b: tensor1d(b) });
const affine = (x: number[][], { w, b }: ReturnType<typeof plain>) =>
  x.map((row) => b.map((bias, j) => row.reduce((total, value, i) => total + value * w[i]![j]!, bias)));

/** Attention of one sequence in loops; `sees[t][s]` says which keys a query sees. A query that sees none gets zeros. */
function reference(x: number[][], y: number[][], heads: number, sees: boolean[][], project: boolean): number[][] {
  const [Q, K, V] = [affine(x, plain('query')), affine(y, plain('key')), affine(y, plain('value'))];
  const width = D / heads;
  const joined = Q.map((q, t) =>
    q.map((_, j) => {
      const first = Math.floor(j / width) * width;
      const columns = Array.from({ length: width }, (_, i) => first + i);
      const e = K.map((k, s) =>
        sees[t]![s] ? Math.exp(columns.reduce((total, c) => total + q[c]! * k[c]!, 0) / Math.sqrt(width)) : 0,
      );
      const total = e.reduce((a, b) => a + b, 0);
      return total === 0 ? 0 : e.reduce((sum, weight, s) => sum + (weight / total) * V[s]![j]!, 0);
    }),
  );
  return project ? affine(joined, plain('output')) : joined;
}

const params = (project: boolean): AttentionParams => ({
  query: tensors(plain('query')),
  key: tensors(plain('key')),
  value: tensors(plain('value')),
  ...(project && { output: tensors(plain('output')) }),
});

const close = (got: Tensor2D, expected: number[][]) => {
  got.arraySync().forEach((row, i) => {
    row.forEach((value, j) => {
      expect(value).toBeCloseTo(expected[i]![j]!, 5);
    });
  });
};

describe.each([1, 2, 3])('attention with %d heads', (heads) => {
  test.each([true, false])('lets queries see the past and real keys only (output projection: %s)', (project) => {
    const [x, y] = [rows('x', 8), rows('y', 8)];
    const real = [0, 0, 1, 1, 1, 1, 1, 1]; // two sequences of four; the first is padded on the left
    const expected = [0, 1].flatMap((b) => {
      const sees = Array.from({ length: 4 }, (_, t) =>
        Array.from({ length: 4 }, (_, s) => s <= t && real[b * 4 + s] === 1),
      );
      return reference(x.slice(b * 4, b * 4 + 4), y.slice(b * 4, b * 4 + 4), heads, sees, project);
    });
    tidy(() => {
      const queryMask = tensor2d(real, [8, 1]);
      const bias = minimum(causalBias(4), keyBias(queryMask, 2)) as Tensor4D;
      close(attention(params(project), tensor2d(x), tensor2d(y), { batch: 2, heads, bias, queryMask }), expected);
    });
  });

  test.each([attention, oneQueryAttention])('takes fewer queries than keys: %o', (attend) => {
    const [x, y] = [rows('x', 2), rows('y', 6)];
    const real = [0, 1, 1, 1, 1, 1];
    const expected = [0, 1].flatMap((b) => {
      const sees = real.slice(b * 3, b * 3 + 3).map((one) => one === 1);
      return reference([x[b]!], y.slice(b * 3, b * 3 + 3), heads, [sees], true);
    });
    tidy(() => {
      const bias = keyBias(tensor2d(real, [6, 1]), 2);
      close(attend(params(true), tensor2d(x), tensor2d(y), { batch: 2, heads, bias }), expected);
    });
  });

  test('stays finite where a query sees no key at all', () => {
    tidy(() => {
      const bias = keyBias(tensor2d([0, 0], [2, 1]), 1);
      const x = tensor2d(rows('x', 2));
      const values = attention(params(true), x, x, { batch: 1, heads, bias }).dataSync();
      expect(Array.from(values).every(Number.isFinite)).toBe(true);
    });
  });

  test('drops out attention weights, `[B, heads, queries, keys]`', () => {
    const shapes: number[][] = [];
    tidy(() => {
      const x = tensor2d(rows('x', 6));
      attention(params(false), x, x, {
        batch: 2,
        heads,
        dropout: (weights) => {
          shapes.push(weights.shape);
          return weights;
        },
      });
    });
    expect(shapes).toEqual([[2, heads, 3, 3]]);
  });
});

test('the feed-forward layer is affine, relu, affine, with dropout after each map', () => {
  const x = rows('x', 3);
  const inner = affine(x, plain('inner')).map((row) => row.map((value) => 2 * Math.max(value, 0)));
  const expected = affine(inner, plain('outer')).map((row) => row.map((value) => 2 * value));
  tidy(() => {
    const double = (t: Tensor2D) => mul(t, 2) as Tensor2D;
    close(feedForward(tensor2d(x), tensors(plain('inner')), tensors(plain('outer')), { dropout: double }), expected);
  });
});

test('a linear map multiplies rows from the left', () => {
  const x = rows('x', 3);
  tidy(() => {
    close(linear(tensor2d(x), tensors(plain('any'))), affine(x, plain('any')));
  });
});
