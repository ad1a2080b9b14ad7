import { engine, gather, getBackend, grad, matMul, mul, sum, tensor1d, tensor2d } from '@tensorflow/tfjs';
import { describe, expect, test, vi } from 'vitest';
import { missingKernels } from '../../../src/compute/backends/registry';
import { startBackend } from '../../../src/compute/backends/start';
import * as cpu from '../../../src/compute/kernels/cpu/inference';
import * as cpuTraining from '../../../src/compute/kernels/cpu/training';
import { inferenceKernels, trainingKernels } from '../../../src/compute/kernels/shared/names';
import * as wasm from '../../../src/compute/kernels/wasm/inference';
import * as wasmTraining from '../../../src/compute/kernels/wasm/training';
import { stopBackend } from '../../../src/compute/running';
import { registerTraining } from '../../../src/compute/training';
import { backends, start, wasmPath } from './start';

test.each([
  ['cpu', async () => [cpu.kernels, cpuTraining.kernels]],
  ['wasm', () => Promise.all([wasm.load(), wasmTraining.load()])],
])('learning replaces no kernel of a model that answers on %s', async (_, load) => {
  const [scoring, training] = (await load()).map((kernels) => kernels.map(({ kernelName }) => kernelName));
  expect(training!.filter((name) => scoring!.includes(name))).toEqual([]);
});

describe.each(backends)('backend %s', (name) => {
  test('starts, computes and has every kernel on the lists', async () => {
    await start(name);
    expect(getBackend()).toBe(name);
    expect(missingKernels(name, [...inferenceKernels, ...trainingKernels])).toEqual([]);
    const product = matMul(tensor2d([[1, 2]]), tensor2d([[3], [4]]));
    expect(await product.array()).toEqual([[11]]);
  });

  test('differentiates through gather, duplicates summed', async () => {
    await start(name);
    const weights = tensor2d([[1, 2], [3, 4], [5, 6]]); // biome-ignore format: a matrix
    const slope = grad((x) => sum(mul(gather(x, tensor1d([2, 0, 2], 'int32')), 2)))(weights);
    expect(await slope.array()).toEqual([[2, 2], [0, 0], [4, 4]]); // biome-ignore format: a matrix
  });

  test('can be stopped and started again', async () => {
    await start(name);
    stopBackend(name);
    expect(engine().registry[name]).toBeUndefined();
    await start(name);
    expect(await mul(tensor1d([2, 3]), 2).array()).toEqual([4, 6]);
  });
});

test('a backend that cannot start says so and leaves the other one active', async () => {
  await start('cpu');
  stopBackend('wasm');
  await expect(startBackend('wasm', { wasmPath: '/nowhere/' })).rejects.toMatchObject({ code: 'no-backend' });
  expect(getBackend()).toBe('cpu');
  expect(await mul(tensor1d([2, 3]), 2).array()).toEqual([4, 6]);
  await startBackend('wasm', { wasmPath });
  expect(getBackend()).toBe('wasm');
});

test('a module of WebAssembly that comes when nobody waits for it any more disturbs no other backend', async () => {
  for (const name of backends) stopBackend(name);
  const { instantiate } = WebAssembly;
  let arrive = () => {};
  const arrived = new Promise<void>((resolve) => {
    arrive = resolve;
  });
  const asked = vi.spyOn(WebAssembly, 'instantiate').mockImplementation((async (
    ...args: Parameters<typeof instantiate>
  ) => {
    await arrived;
    return instantiate(...args);
  }) as never);
  const late = new AbortController();
  const start = startBackend('wasm', { wasmPath, signal: late.signal });
  await expect.poll(() => asked.mock.calls.length).toBe(1);
  late.abort();
  const computes = async () => {
    expect(getBackend()).toBe('cpu');
    expect(await mul(tensor1d([2, 3]), 2).array()).toEqual([4, 6]);
  };
  await startBackend('cpu');
  await computes();
  arrive();
  await expect(start).rejects.toMatchObject({ code: 'aborted' });
  await computes();
  asked.mockRestore();
  await startBackend('wasm', { wasmPath });
  expect(await mul(tensor1d([2, 3]), 2).array()).toEqual([4, 6]);
});

test('training needs a running backend', async () => {
  for (const name of backends) stopBackend(name);
  await expect(registerTraining()).rejects.toMatchObject({ code: 'no-backend' });
});

test('an unknown backend is refused', async () => {
  await expect(startBackend('abacus' as never)).rejects.toMatchObject({ code: 'no-backend' });
});
