import { expect, test } from 'vitest';
import { OP, type Plan } from '../../../src/compute/plan/plan';
import { startPlan } from '../../../src/compute/plan/runtime';
import { random } from '../../../src/session/random';
import { loadPlanModule } from './module';

const planModule = await loadPlanModule();
const A = 64;
const B = 4096;
const PANELS = 8192;
const BIAS = 16384;
const TO = 17408;
const SIZE = 32768;

interface Shape {
  readonly m: number;
  readonly k: number;
  readonly n: number;
  readonly heads: number;
  readonly relu: boolean;
  readonly isTransposed: boolean;
  /** Whether rows of the heads lie side by side, `[m, heads, k]`, and those of the product too, where they are whole tiles. */
  readonly isJoined: boolean;
}

/** One product for each head, as a plan. */
function planOf({ m, k, n, heads, relu, isTransposed, isJoined }: Shape): Plan {
  const [aStep, lda] = isJoined ? [k, heads * k] : [m * k, k];
  const [toStep, ldc] = isJoined && n % 8 === 0 ? [n, heads * n] : [m * n, n];
  const panels = Math.ceil(n / 8) * 8 * k;
  const pack = [OP.pack, B, isTransposed ? k : n, Number(isTransposed), k, n, PANELS, heads, k * n, panels];
  const rows = [m, k, n, Number(relu), heads, aStep, panels, toStep, lda, ldc];
  const place = (at: number, length: number) => ({ at, length });
  return {
    size: SIZE,
    parameters: {},
    literals: [],
    setup: new Int32Array(0),
    items: { n: 1, d: 1, table: 16, bias: 48 },
    programs: [
      {
        variables: [],
        min: [],
        max: [],
        inputs: { a: place(A, heads * m * k), b: place(B, heads * k * n), bias: place(BIAS, n) },
        results: [place(TO, heads * m * n), place(TO - 16, 16), place(TO + heads * m * n + 8, 16)],
        words: Int32Array.of(...pack, OP.matmul, A, PANELS, BIAS, TO, ...rows),
        varying: [],
      },
    ],
  };
}

test('products of all heights and widths, of heads apart and side by side, write their own numbers and no others', () => {
  const { integer, uniform } = random(1, 'products');
  for (let m = 1; m <= 9; m++) {
    for (let n = 1; n <= 41; n++) {
      const [k, heads, flags] = [1 + integer(9), 1 + integer(3), integer(8)];
      const [relu, isTransposed, isJoined] = [1, 2, 4].map((flag) => (flags & flag) > 0) as [boolean, boolean, boolean];
      const shape = { m, k, n, heads, relu, isTransposed, isJoined };
      const numbers = (length: number) => Float32Array.from({ length }, () => uniform() - 0.5);
      const [a, b, bias] = [numbers(heads * m * k), numbers(heads * k * n), numbers(n)];
      const running = startPlan(planModule, planOf(shape), () => undefined);
      const input = (data: Float32Array) => ({ data, shape: [data.length] });
      const [found, before, behind] = running.run({ a: input(a), b: input(b), bias: input(bias) });
      const expected = new Float32Array(heads * m * n);
      for (let h = 0; h < heads; h++) {
        for (let i = 0; i < m; i++) {
          for (let j = 0; j < n; j++) {
            let sum = bias[j]!;
            for (let p = 0; p < k; p++) {
              const left = isJoined ? a[(i * heads + h) * k + p]! : a[(h * m + i) * k + p]!;
              sum += left * b[h * k * n + (isTransposed ? j * k + p : p * n + j)]!;
            }
            const at = isJoined && n % 8 === 0 ? (i * heads + h) * n + j : (h * m + i) * n + j;
            expected[at] = relu ? Math.max(0, sum) : sum;
          }
        }
      }
      const far = found!.findIndex((value, at) => Math.abs(value - expected[at]!) > 1e-5);
      expect({ shape, far }).toEqual({ shape, far: -1 });
      expect([...before!, ...behind!].filter((value) => value !== 0)).toEqual([]);
    }
  }
});
