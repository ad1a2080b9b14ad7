/** The kernels that only WASM has, against plain ops on plain CPU. */
import { setFlagsFromString } from 'node:v8';
import {
  add,
  concat,
  div,
  erf,
  exp,
  grads,
  maximum,
  memory,
  minimum,
  mul,
  sigmoid,
  split,
  sub,
  sum,
  type Tensor,
  type Tensor1D,
  type Tensor2D,
  type Tensor4D,
  tanh,
  tensor,
  tidy,
  tile,
  transpose,
} from '@tensorflow/tfjs';
import fc from 'fast-check';
import { beforeAll, describe, expect, test, vi } from 'vitest';
import * as inference from '../../../src/compute/kernels/wasm/inference';
import * as training from '../../../src/compute/kernels/wasm/training';
import { SIMD_BINARY } from '../../../src/compute/kernels/wasm-simd/binary';
import { SIMD_BINARY as FUSED_BINARY } from '../../../src/compute/kernels/wasm-simd/binary-fused';
import type { SimdExports } from '../../../src/compute/kernels/wasm-simd/inference-module';
import { type AttentionParams, attention, causalBias } from '../../../src/nn/attention';
import { gelu } from '../../../src/nn/gelu';
import { hasKernel } from '../../../src/nn/kernels';
import { layerNorm } from '../../../src/nn/layer-norm';
import { distanceCodes, type RelativeAttentionParams, relativeAttention } from '../../../src/nn/relative-attention';
import { start } from '../backends/start';
import { floatsOf, property, randomTensor } from './random';
import { agrees } from './reference';

/** The slope of Σ f(x) ⊙ w by one of the inputs. */
const slope = (f: (...inputs: Tensor[]) => Tensor, inputs: Tensor[], by: number): Tensor =>
  grads((...x) => {
    const y = f(...x);
    return sum(mul(y, randomTensor(y.shape, 99)));
  })(inputs)[by]!;

/** Value, and slopes by all inputs. */
async function agreesWithSlopes(
  f: (...inputs: Tensor[]) => Tensor,
  inputs: () => Tensor[],
  tolerance = 1e-4,
): Promise<void> {
  await agrees(() => f(...inputs()), tolerance);
  const count = tidy(() => inputs().length);
  for (let by = 0; by < count; by++) await agrees(() => slope(f, inputs(), by), tolerance);
}

test('WASM has the kernels of whole layers, which plain CPU does without', async () => {
  const names = ['AisleLayerNorm', 'AisleGelu', 'AisleAttentionWeights', 'AisleCrossEntropyWithSlope'];
  await start('cpu');
  expect(names.filter(hasKernel)).toEqual([]);
  await start('wasm');
  expect(names.filter(hasKernel)).toEqual(names);
});

test.each([
  ['scores', inference],
  ['trains', training],
])('an engine without SIMD %s on the kernels that there are', async (_, { kernels, load }) => {
  expect((await load()).length).toBeGreaterThan(kernels.length);
  const validate = vi.spyOn(WebAssembly, 'validate').mockReturnValue(false);
  try {
    expect(await load()).toBe(kernels);
    expect(validate).toHaveBeenCalledTimes(2); // with fused products, and without
  } finally {
    validate.mockRestore();
    await load();
  }
});

test('products are those of plain SIMD, whether or not the engine fuses multiplication and addition', () => {
  if (process.versions.node.startsWith('20.')) setFlagsFromString('--experimental-wasm-relaxed-simd');
  const sizes = fc.record({
    m: fc.nat(40),
    k: fc.integer({ min: 1, max: 300 }),
    n: fc.nat(300),
    tA: fc.boolean(),
    tB: fc.boolean(),
    seed: fc.nat(),
  });
  const product = productOf(SIMD_BINARY);
  const fused = productOf(FUSED_BINARY);
  return property(sizes, async ({ m, k, n, tA, tB, seed }) => {
    const [a, b] = [floatsOf(m * k, seed), floatsOf(k * n, seed + 1)];
    const [plain, other] = [product(a, b, [m, k, n], tA, tB), fused(a, b, [m, k, n], tA, tB)];
    for (const [i, value] of plain.entries())
      expect(Math.abs(other[i]! - value)).toBeLessThanOrEqual(2e-5 * Math.sqrt(k));
  });
});

/** Products by a binary with a memory of its own. */
function productOf(hex: string) {
  const memory = new WebAssembly.Memory({ initial: 64 });
  const module = new WebAssembly.Module(Buffer.from(hex, 'hex'));
  const { gemm } = new WebAssembly.Instance(module, { env: { memory } }).exports as unknown as SimdExports;
  return (a: ArrayLike<number>, b: ArrayLike<number>, size: [number, number, number], tA: boolean, tB: boolean) => {
    const [m, k, n] = size;
    const [atB, atC] = [4 * a.length, 4 * (a.length + b.length)];
    const floats = new Float32Array(memory.buffer);
    floats.set(a);
    floats.set(b, a.length);
    const scratch = (atC + 4 * m * n + 15) & ~15;
    gemm(0, tA ? m : k, tA ? 1 : 0, atB, tB ? k : n, tB ? 1 : 0, atC, n, m, k, n, 0, 0, scratch);
    return floats.slice(atC / 4, atC / 4 + m * n);
  };
}

describe('two operands', () => {
  const shapes = fc.record({
    full: fc.array(fc.integer({ min: 0, max: 9 }), { minLength: 0, maxLength: 4 }),
    left: fc.array(fc.boolean(), { minLength: 4, maxLength: 4 }),
    right: fc.array(fc.boolean(), { minLength: 4, maxLength: 4 }),
    fewer: fc.nat(4),
    seed: fc.nat(),
  });

  test.each([
    ['add', add],
    ['sub', sub],
    ['mul', mul],
    ['max', maximum],
    ['min', minimum],
    ['div', (a: Tensor, b: Tensor) => div(a, add(mul(b, b), 0.5))],
  ] as const)('agree with plain CPU when they %s, however they broadcast', (_, f) =>
    property(shapes, ({ full, left, right, fewer, seed }) =>
      agrees(() => {
        const a = full.map((size, i) => (left[i] ? 1 : size));
        const b = full.map((size, i) => (right[i] ? 1 : size)).slice(Math.min(fewer, full.length));
        return f(randomTensor(a, seed), randomTensor(b, seed + 1));
      }),
    ),
  );
});

describe('functions of single numbers', () => {
  const xs = [...Array.from({ length: 2001 }, (_, i) => (i - 1000) / 50), 0, -0, 1e-6, -1e-3, 88, -60];

  test.each([
    ['tanh', tanh],
    ['sigmoid', sigmoid],
    ['erf', erf],
    ['gelu', gelu],
    ['exp', (x: Tensor) => exp(mul(x, 0.5))],
  ] as const)('%s agrees with plain CPU from far below to far above 0', (_, f) =>
    agrees(() => (f as (x: Tensor) => Tensor)(tensor(xs.filter((x) => x < 20 || f !== exp))), 5e-6),
  );

  test('exp of what is masked is 0, and of large numbers infinite', async () => {
    await start('wasm');
    const got = [...(await exp(tensor([-6e4, -88, 0, 88, 89, 1e5])).data())];
    expect([got[0], got[1], got[2]]).toEqual([0, 0, 1]);
    expect(got[3]! / Math.exp(88)).toBeCloseTo(1, 5);
    expect(got.slice(4)).toEqual([Number.POSITIVE_INFINITY, Number.POSITIVE_INFINITY]);
  });

  test('gelu has the slope of plain CPU', () =>
    property(fc.record({ length: fc.integer({ min: 1, max: 30 }), seed: fc.nat() }), ({ length, seed }) =>
      agrees(() => slope(gelu, [randomTensor([length], seed)], 0), 1e-5),
    ));
});

describe('numbers that only move', () => {
  const cases = fc.record({
    shape: fc.array(fc.integer({ min: 0, max: 21 }), { minLength: 2, maxLength: 4 }),
    axis: fc.nat(3),
    sizes: fc.array(fc.integer({ min: 0, max: 6 }), { minLength: 1, maxLength: 3 }),
    seed: fc.nat(),
  });
  const resized = (shape: number[], axis: number, size: number) => shape.map((old, i) => (i === axis ? size : old));

  test('are joined as on plain CPU along every axis, empty parts too', () =>
    property(cases, ({ shape, axis, sizes, seed }) =>
      agrees(() => {
        const along = axis % shape.length;
        return concat(
          sizes.map((size, i) => randomTensor(resized(shape, along, size), seed + i)),
          along,
        );
      }),
    ));

  test('are split as on plain CPU along every axis', () =>
    property(cases, ({ shape, axis, sizes, seed }) =>
      agrees(() => {
        const along = axis % shape.length;
        const total = sizes.reduce((a, b) => a + b, 0);
        const parts = split(randomTensor(resized(shape, along, total), seed), sizes, along);
        return parts[sizes.length - 1]!;
      }),
    ));

  test('are transposed as on plain CPU, in the last two axes and in all', () =>
    property(cases, ({ shape, seed }) =>
      agrees(() => {
        const last = shape.map((_, i) => (i < shape.length - 2 ? i : 2 * shape.length - 3 - i));
        return transpose(randomTensor(shape, seed), seed % 2 === 0 ? last : undefined);
      }),
    ));
});

test('layer normalisation agrees with plain CPU, value and slopes, over widths and many rows', () =>
  property(
    fc.record({ rows: fc.integer({ min: 1, max: 150 }), d: fc.integer({ min: 1, max: 40 }), seed: fc.nat() }),
    ({ rows, d, seed }) =>
      agreesWithSlopes(
        (x, gain, bias) => layerNorm(x as Tensor2D, gain as Tensor1D, bias as Tensor1D, 0.01),
        () => [randomTensor([rows, d], seed), randomTensor([d], seed + 1), randomTensor([d], seed + 2)],
        2e-4,
      ),
    12,
  ));

test('tiling has the slope of plain CPU over random repeats', () =>
  property(
    fc.record({
      shape: fc.array(fc.integer({ min: 1, max: 4 }), { minLength: 1, maxLength: 3 }),
      reps: fc.array(fc.integer({ min: 1, max: 3 }), { minLength: 3, maxLength: 3 }),
      seed: fc.nat(),
    }),
    ({ shape, reps, seed }) =>
      agrees(() => slope((x) => tile(x, reps.slice(0, shape.length)), [randomTensor(shape, seed)], 0)),
  ));

const sizes = fc.record({
  batch: fc.integer({ min: 1, max: 3 }),
  heads: fc.constantFrom(1, 2, 3),
  width: fc.constantFrom(2, 5, 8),
  queries: fc.integer({ min: 1, max: 9 }),
  more: fc.integer({ min: 0, max: 3 }),
  isMasked: fc.boolean(),
  seed: fc.nat(),
});

test('attention agrees with plain CPU, value and slopes, over sizes, heads and masks', () =>
  property(
    sizes,
    ({ batch, heads, width, queries: T, more, isMasked, seed }) => {
      const d = heads * width;
      const K = isMasked ? T : T + more;
      const names = ['query', 'key', 'value', 'output'] as const;
      const f = (x: Tensor, y: Tensor, ...weights: Tensor[]) => {
        const params = Object.fromEntries(
          names.map((name, i) => [name, { w: weights[i], b: randomTensor([d], seed + i) }]),
        ) as unknown as AttentionParams;
        const options = { batch, heads, bias: isMasked ? causalBias(T) : undefined };
        return attention(params, x as Tensor2D, y as Tensor2D, options);
      };
      return agreesWithSlopes(f, () => [
        randomTensor([batch * T, d], seed, 0.4),
        randomTensor([batch * K, d], seed + 1, 0.4),
        ...names.map((_, i) => randomTensor([d, d], seed + 2 + i, 0.3)),
      ]);
    },
    8,
  ));

test('relative attention agrees with plain CPU, value and slopes, back only or both ways, and where nothing is seen', () =>
  property(
    fc.record({ sizes, looksBack: fc.boolean(), blind: fc.boolean() }),
    ({ sizes: { batch, heads, width, queries: T, more, isMasked, seed }, looksBack, blind }) => {
      const d = heads * width;
      const K = T + more;
      const even = d % 2 === 0 ? d : d + 1;
      const names = ['query', 'key', 'value', 'distance', 'contentBias', 'distanceBias', 'output'] as const;
      const shapeOf = (name: (typeof names)[number]) =>
        name.endsWith('Bias') ? [heads, width] : name === 'output' ? [d, even] : [even, d];
      const f = (x: Tensor, y: Tensor, ...weights: Tensor[]) => {
        const params = Object.fromEntries(
          names.map((name, i) => [name, weights[i]]),
        ) as unknown as RelativeAttentionParams;
        const hidden = tensor(
          floatsOf(batch * T * K, seed + 20).map((x) => (x > 1 ? -6e4 : 0)),
          [1, batch, T, K],
        ) as Tensor4D;
        const sees = tensor(
          floatsOf(batch * T, seed + 21).map((x) => (x > 1 ? 0 : 1)),
          [1, batch, T, 1],
        ) as Tensor4D;
        return relativeAttention(params, x as Tensor2D, y as Tensor2D, distanceCodes(T, K, even, looksBack, 0), {
          batch,
          heads,
          bias: isMasked ? hidden : undefined,
          sees: blind ? sees : undefined,
        });
      };
      return agreesWithSlopes(
        f,
        () => [
          randomTensor([batch * T, even], seed, 0.3),
          randomTensor([batch * K, even], seed + 1, 0.3),
          ...names.map((name, i) => randomTensor(shapeOf(name), seed + 2 + i, 0.3)),
        ],
        3e-4,
      );
    },
    6,
  ));

describe('on wasm', () => {
  beforeAll(() => start('wasm'));

  test('a step of all kernels leaves no tensor behind', () => {
    const run = () =>
      tidy(() => {
        const x = randomTensor<Tensor2D>([12, 8], 1);
        const weights = (i: number) => ({
          w: randomTensor<Tensor2D>([8, 8], i, 0.3),
          b: randomTensor<Tensor1D>([8], i),
        });
        const params = { query: weights(2), key: weights(3), value: weights(4), output: weights(5) };
        const [gain, bias] = [randomTensor<Tensor1D>([8], 6), randomTensor<Tensor1D>([8], 7)];
        const f = (x: Tensor) =>
          gelu(layerNorm(attention(params, x as Tensor2D, x as Tensor2D, { batch: 3, heads: 2 }), gain, bias, 1e-5));
        slope(f, [x], 0);
      });
    run();
    const before = memory().numTensors;
    run();
    expect(memory().numTensors).toBe(before);
  });
});
