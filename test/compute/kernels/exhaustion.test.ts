import { engine, fill, matMul, memory, ones, type Tensor2D } from '@tensorflow/tfjs';
import type { BackendWasm } from '@tensorflow/tfjs-backend-wasm/dist/backend_wasm';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { addKernels } from '../../../src/compute/backends/registry';
import { startBackend } from '../../../src/compute/backends/start';
import { kernels, load } from '../../../src/compute/kernels/wasm/inference';
import { simdOf } from '../../../src/compute/kernels/wasm-simd/inference-module';
import { stopBackend } from '../../../src/compute/running';
import { wasmPath } from '../backends/start';

beforeAll(() => startBackend('wasm', { wasmPath }));
afterAll(() => stopBackend('wasm'));

test('a tensor larger than any address is refused, and not made smaller', () => {
  const { numTensors } = memory();
  expect(() => fill([1_250_000_000], 1)).toThrow('WebAssembly has no room for 5000000000 bytes more');
  expect(memory().numTensors).toBe(numTensors);
});

test.each([
  ['the transpose of its left-hand side', async () => kernels, () => 131072],
  ['the scratch of our own WebAssembly', load, (backend: BackendWasm) => simdOf(backend).gemmScratch()],
])(
  'a product that finds no memory for %s says so, gives back what it had, and computes once there is some',
  async (_, kernelsOf, bytesOf) => {
    addKernels('wasm', await kernelsOf());
    const backend = engine().registry.wasm as BackendWasm;
    const module = backend.wasm as unknown as { _malloc(bytes: number): number; _free(at: number): void };
    const [a, b] = [ones([512, 64]) as Tensor2D, ones([512, 64]) as Tensor2D];
    const held: number[] = [];
    const takeAll = (bytes: number): void => {
      try {
        for (;;) held.push(module._malloc(bytes));
      } catch {
        // used up
      }
    };
    const bytes = bytesOf(backend);
    // The product itself takes 16 kB.
    const forProduct = module._malloc(20_000);
    for (const bytes of [2 ** 28, 2 ** 24, 2 ** 20, 2 ** 16, 2 ** 12]) takeAll(bytes);
    module._free(forProduct);
    const before = { tensors: memory().numTensors, data: backend.numDataIds() };
    expect(() => matMul(a, b, true)).toThrow(`WebAssembly has no room for ${bytes} bytes more; its memory is 4096 MB`);
    expect({ tensors: memory().numTensors, data: backend.numDataIds() }).toEqual(before);
    for (const at of held) module._free(at);
    expect(new Set(await matMul(a, b, true).data())).toEqual(new Set([512]));
  },
);
