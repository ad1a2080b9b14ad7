/**
 * Every kernel of ours on the WASM heap while one of its allocations makes that heap grow, which empties all views that
 * were taken of it before.
 */

import stock from 'virtual:tfjs-kernels/wasm/stock';
import {
  add,
  concat,
  div,
  engine,
  erf,
  exp,
  fused,
  gather,
  grads,
  type KernelConfig,
  matMul,
  maximum,
  minimum,
  mul,
  reshape,
  sigmoid,
  slice,
  split,
  sub,
  sum,
  type Tensor,
  type Tensor1D,
  type Tensor2D,
  tanh,
  tensor1d,
  tidy,
  tile,
  transpose,
} from '@tensorflow/tfjs';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import * as inference from '../../../src/compute/kernels/wasm/inference';
import * as training from '../../../src/compute/kernels/wasm/training';
import { stopBackend } from '../../../src/compute/running';
import { type AttentionParams, attention } from '../../../src/nn/attention';
import { bprMax } from '../../../src/nn/bpr-max';
import { crossEntropy, productCrossEntropy } from '../../../src/nn/cross-entropy';
import { dropout } from '../../../src/nn/dropout';
import { gelu } from '../../../src/nn/gelu';
import { layerNorm } from '../../../src/nn/layer-norm';
import { maskEqual } from '../../../src/nn/masked';
import { isSoak } from '../../soak-slice';
import { start } from '../backends/start';
import { closeTo, indicesOf, property, randomTensor } from './random';
import { onPlainCpu, useOnWasm } from './reference';

interface Module {
  readonly HEAPU8: Uint8Array;
  _malloc(bytes: number): number;
  _free(at: number): void;
}
const moduleOf = () => (engine().registry.wasm as unknown as { wasm: Module }).wasm;

/** Allocates so many bytes again and again until the heap grows. @returns The first block behind it, and those before. */
function allocateByGrowth(module: Module, bytes: number): { readonly at: number; readonly held: readonly number[] } {
  const held: number[] = [];
  const take = (size: number): number => {
    held.push(module._malloc(size));
    return held.at(-1)!;
  };
  const before = module.HEAPU8.length;
  const COARSE = 2 ** 18;
  for (let end = 0; end + 2 * COARSE < before; ) end = Math.max(end, take(COARSE) + COARSE);
  while (module.HEAPU8.length === before) take(bytes);
  return { at: held.pop()!, held };
}

/** The kernel of ours that runs, and how many allocations it has made: what the next one is called. */
const running = { kernel: '', allocation: 0 };

const watched = (config: KernelConfig): KernelConfig => ({
  ...config,
  kernelFunc(call) {
    Object.assign(running, { kernel: config.kernelName, allocation: 0 });
    try {
      return config.kernelFunc(call);
    } finally {
      running.kernel = '';
    }
  },
});

/** Allocations of our kernels in `run`, by name. The first called `forced` makes the heap grow. */
async function allocations<T>(run: () => Promise<T>, forced?: string) {
  const module = moduleOf();
  const { _malloc: allocate } = module;
  const names = new Set<string>();
  let grew = false;
  module._malloc = (bytes) => {
    const name = `${running.kernel} ${running.allocation++}`;
    if (running.kernel) names.add(name);
    if (name !== forced || grew) return allocate(bytes);
    module._malloc = allocate;
    const before = module.HEAPU8.length;
    const { at, held } = allocateByGrowth(module, bytes);
    grew = module.HEAPU8.length > before;
    for (const block of held) module._free(block);
    return at;
  };
  try {
    return { result: await run(), names, grew };
  } finally {
    module._malloc = allocate;
  }
}

/** Bytes of heap from which a new one is begun: each growth adds a fifth. */
const LARGE = 2 ** 27;

interface Sizes {
  readonly rows: number;
  readonly columns: number;
  readonly width: number;
  readonly seed: number;
}
type Case = (sizes: Sizes) => { inputs: () => Tensor[]; f: (...inputs: Tensor[]) => Tensor[] };

const ids = (count: number, limit: number, seed: number): Tensor1D => tensor1d(indicesOf(count, limit, seed), 'int32');

/** f and its slopes by the inputs, of which the last `fixed` are indices. */
const withSlopes =
  (f: (...inputs: Tensor[]) => Tensor, fixed = 0) =>
  (...inputs: Tensor[]): Tensor[] => {
    const given = inputs.slice(inputs.length - fixed);
    const by = inputs.slice(0, inputs.length - fixed);
    const y = f(...inputs);
    const weights = randomTensor(y.shape, 99);
    return [y, ...grads((...x) => sum(mul(f(...x, ...given), weights)))(by)];
  };

const pairs =
  (f: (a: Tensor, b: Tensor) => Tensor): Case =>
  ({ rows, columns, seed }) => ({
    inputs: () => [randomTensor([rows, columns], seed), randomTensor([columns], seed + 1)],
    f: withSlopes(f),
  });
const single =
  (f: (x: Tensor) => Tensor): Case =>
  ({ rows, columns, seed }) => ({
    inputs: () => [randomTensor([rows, columns], seed)],
    f: withSlopes(f),
  });
const product =
  (transposeA: boolean, transposeB: boolean, batch: number[] = []): Case =>
  ({ rows: m, columns: n, width: k, seed }) => ({
    inputs: () => [
      randomTensor([...batch, ...(transposeA ? [k, m] : [m, k])], seed),
      randomTensor([...batch, ...(transposeB ? [n, k] : [k, n])], seed + 1),
    ],
    f: (a, b) => [matMul(a!, b!, transposeA, transposeB)],
  });
const loss =
  (f: (scores: Tensor2D, positive: Tensor1D) => Tensor): Case =>
  ({ rows, columns, seed }) => ({
    inputs: () => [randomTensor([rows, columns], seed), ids(rows, columns, seed + 1)],
    f: withSlopes((scores, positive) => f(scores as Tensor2D, positive as Tensor1D), 1),
  });

const CASES: Readonly<Record<string, Case>> = {
  'gather, rows and columns': ({ rows, columns, seed }) => ({
    inputs: () => [randomTensor([rows, columns], seed), ids(rows, rows, seed + 1), ids(columns, columns, seed + 2)],
    f: withSlopes((x, i, j) => gather(gather(x!, i as Tensor1D), j as Tensor1D, 1), 2),
  }),
  slice: ({ rows, columns, seed }) => ({
    inputs: () => [randomTensor([rows, columns], seed)],
    f: (x) => [slice(x!, [1, 2], [rows - 1, columns - 3])],
  }),
  split: ({ rows, columns, seed }) => ({
    inputs: () => [randomTensor([rows, columns], seed), randomTensor([columns, 3 * rows], seed)],
    f: (x, y) => [...split(x!, [1, rows - 1]), ...split(y!, 3, 1)],
  }),
  'split of integers': ({ rows, seed }) => ({
    inputs: () => [reshape(ids(64 * rows, 50, seed), [rows, 64])],
    f: (x) => split(x!, [1, rows - 1]),
  }),
  tile: single((x) => tile(x, [2, 3])),
  concat: ({ rows, columns, width, seed }) => ({
    inputs: () => [randomTensor([rows, columns], seed), randomTensor([rows, width], seed + 1)],
    f: (x, y) => [concat([x!, y!], 1)],
  }),
  transpose: single((x) => transpose(x)),
  'sum over rows': single((x) => sum(x, 0)),
  'sum over the middle': ({ rows, columns, width, seed }) => ({
    inputs: () => [randomTensor([3, rows, columns], seed), randomTensor([2, 0, 64 * width], seed)],
    f: (x, nothing) => [sum(x!, 1), sum(nothing!, 1)],
  }),
  add: pairs(add),
  sub: pairs(sub),
  mul: pairs(mul),
  div: pairs((a, b) => div(a, add(mul(b, b), 0.5))),
  'maximum and minimum': ({ rows, columns, seed }) => ({
    inputs: () => [randomTensor([rows, columns], seed), randomTensor([columns], seed + 1)],
    f: (a, b) => [maximum(a!, b!), minimum(a!, b!)],
  }),
  'exp, tanh, sigmoid, erf': ({ rows, columns, seed }) => ({
    inputs: () => [randomTensor([rows, columns], seed)],
    f: (x) => [exp(x!), tanh(x!), sigmoid(x!), erf(x!)],
  }),
  gelu: single(gelu),
  dropout: single((x) => dropout(x, 0.3, 7)),
  'matMul A B': product(false, false),
  'matMul Aᵀ B': product(true, false),
  'matMul A Bᵀ': product(false, true),
  'matMul Aᵀ Bᵀ': product(true, true),
  'matMul of a batch': product(false, false, [3]),
  'matMul of a batch, turned': product(true, true, [3]),
  'matMul with bias': ({ rows: m, columns: n, width: k, seed }) => ({
    inputs: () => [randomTensor([m, k], seed), randomTensor([n, k], seed + 1), randomTensor([n], seed + 2)],
    f: (a, b, bias) => [
      fused.matMul({ a: a as Tensor2D, b: b as Tensor2D, transposeB: true, bias: bias!, activation: 'relu' }),
      fused.matMul({ a: a as Tensor2D, b: b as Tensor2D, transposeB: true, bias: bias! }),
    ],
  }),
  'cross-entropy': loss((s, positive) => crossEntropy(s, positive)),
  'cross-entropy, smooth': loss((s, positive) => crossEntropy(s, positive, 0.1)),
  'cross-entropy, guarded': loss((s, positive) => crossEntropy(s, positive, 0.1, 1e-6)),
  'cross-entropy of a product': ({ rows, columns, width, seed }) => ({
    inputs: () => [
      randomTensor([rows, width], seed),
      randomTensor([columns, width], seed + 1),
      ids(rows, columns, seed + 2),
    ],
    f: withSlopes(
      (c, e, positive) => productCrossEntropy(c as Tensor2D, e as Tensor2D, undefined, positive as Tensor1D, 0),
      1,
    ),
  }),
  'BPR-max': loss((s, positive) => bprMax(s, positive, 1.5)),
  'masking equal ids': ({ rows, columns, seed }) => ({
    inputs: () => [randomTensor([rows, columns], seed), ids(rows, 9, seed + 1), ids(columns, 9, seed + 2)],
    f: withSlopes((x, row, column) => maskEqual(x as Tensor2D, row as Tensor1D, column as Tensor1D), 2),
  }),
  'layer norm': ({ rows, columns: d, seed }) => ({
    inputs: () => [randomTensor([rows, d], seed), randomTensor([d], seed + 1), randomTensor([d], seed + 2)],
    f: withSlopes((x, gain, bias) => layerNorm(x as Tensor2D, gain as Tensor1D, bias as Tensor1D, 0.01)),
  }),
  attention: ({ width: T, seed }) => ({
    inputs: () => [randomTensor([2 * T, 8], seed, 0.4), randomTensor([8, 8], seed + 1, 0.3)],
    f: withSlopes((x, w) => {
      const layer = { w, b: randomTensor([8], seed) };
      const params = { query: layer, key: layer, value: layer, output: layer } as unknown as AttentionParams;
      return attention(params, x as Tensor2D, x as Tensor2D, { batch: 2, heads: 2 });
    }),
  }),
};

const sizes = fc.record({
  rows: fc.integer({ min: 9, max: 30 }),
  columns: fc.integer({ min: 64, max: 90 }),
  width: fc.integer({ min: 9, max: 24 }),
  seed: fc.nat(),
});

const flat = (tensors: Tensor[]): Tensor => concat(tensors.map((x) => reshape(x, [-1])));

describe.each([
  ['in JavaScript', async ({ kernels }: typeof training) => kernels],
  ['in WebAssembly of our own', ({ load }: typeof training) => load()],
])('kernels on WASM %s, on a heap that grows', (where, kernelsOf) => {
  /** Allocations that have made the heap grow. */
  const forced = new Set<string>();
  const theirs = new Set(stock);
  const isOurs = (config: KernelConfig) => !theirs.has(config);
  let ours: readonly KernelConfig[];
  let all: readonly KernelConfig[] | undefined;

  /** The backend on a heap that is not too large to grow a few times more. */
  async function begin(): Promise<void> {
    if (engine().registry.wasm && moduleOf().HEAPU8.length > LARGE) stopBackend('wasm');
    await start('wasm');
    if (!all) {
      const kernels = (await Promise.all([inference, training].map(kernelsOf))).flat();
      ours = kernels.filter(isOurs).map(watched);
      all = [...kernels.filter((config) => !isOurs(config)), ...ours];
    }
    useOnWasm(all);
    tidy(() => void tile(tensor1d([1]), [2])); // what the first kernel allocates for all of them
  }

  beforeAll(begin);
  afterAll(() => stopBackend('wasm'));

  test.each(Object.entries(CASES))('%s agrees with plain CPU', (_, of) =>
    property(
      sizes,
      async (example) => {
        const { inputs, f } = of(example);
        const run = () => flat(f(...inputs()));
        const expected = await onPlainCpu(run);
        const onWasm = async () => {
          const result = tidy(run);
          const values = [...(await result.data())];
          result.dispose();
          return values;
        };
        await begin();
        const { result, names } = await allocations(onWasm);
        closeTo(result, expected.values, 2e-4);
        for (const name of names) {
          await begin();
          let last = await allocations(onWasm, name);
          if (!last.grew) {
            // A workspace, which is kept between calls.
            stopBackend('wasm');
            await begin();
            last = await allocations(onWasm, name);
          }
          expect(last.grew, name).toBe(true);
          forced.add(name);
          closeTo(last.result, expected.values, 2e-4);
        }
      },
      isSoak ? 8 : 1,
    ),
  );

  test('these are all kernels of ours that make a tensor', () => {
    const makeNothing = ['AisleAdagrad', 'AisleAdam', 'Cast', 'Identity'];
    const missing = ours.map(({ kernelName }) => kernelName).filter((name) => !forced.has(`${name} 0`));
    expect([...new Set(missing)].sort()).toEqual(where === 'in JavaScript' ? makeNothing.toSpliced(2, 1) : makeNothing);
  });
});
