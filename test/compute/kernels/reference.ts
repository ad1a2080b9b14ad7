import stock from 'virtual:tfjs-kernels/cpu/stock';
import {
  getKernelsForBackend,
  type KernelConfig,
  type Rank,
  type Tensor,
  tidy,
  unregisterKernel,
} from '@tensorflow/tfjs';
import { expect } from 'vitest';
import { addKernels } from '../../../src/compute/backends/registry';
import { kernels as inference } from '../../../src/compute/kernels/cpu/inference';
import { kernels as training } from '../../../src/compute/kernels/cpu/training';
import * as wasmInference from '../../../src/compute/kernels/wasm/inference';
import * as wasmTraining from '../../../src/compute/kernels/wasm/training';
import { backends, start } from '../backends/start';
import { closeTo } from './random';

interface Result {
  readonly shape: number[];
  readonly dtype: string;
  readonly values: number[];
}

async function read(run: () => Tensor<Rank>): Promise<Result> {
  const result = tidy(run);
  const values = [...(await result.data())];
  result.dispose();
  return { shape: result.shape, dtype: result.dtype, values };
}

/** What TensorFlow.js' own kernels of the plain CPU backend make of it. */
export async function onPlainCpu(run: () => Tensor): Promise<Result> {
  await start('cpu');
  addKernels('cpu', stock);
  try {
    return await read(run);
  } finally {
    addKernels('cpu', [...inference, ...training]);
  }
}

/** Puts kernels in the place of all that WASM has. Default: those of an engine without SIMD. */
export function useOnWasm(
  kernels: readonly KernelConfig[] = [...wasmInference.kernels, ...wasmTraining.kernels],
): void {
  for (const { kernelName } of getKernelsForBackend('wasm')) unregisterKernel(kernelName, 'wasm');
  addKernels('wasm', kernels);
}

/** Holds that both backends, with our kernels, agree with TensorFlow.js on plain CPU: shape, type and every number. */
export async function agrees(run: () => Tensor, tolerance = 1e-5): Promise<void> {
  const expected = await onPlainCpu(run);
  for (const name of backends) {
    await start(name);
    const actual = await read(run);
    expect({ name, shape: actual.shape, dtype: actual.dtype }).toEqual({
      name,
      shape: expected.shape,
      dtype: expected.dtype,
    });
    closeTo(actual.values, expected.values, tolerance);
  }
}
