/**
 * Files that share a process share TensorFlow.js and globals, too: each starts without backends, kernels, tensors, stubs, mocks,
 * timers and IndexedDB of the file before, and without relaxed SIMD, which the command line switches on in Node 20: its products
 * differ in the last digits.
 */
import { setFlagsFromString } from 'node:v8';
import { engine, getKernelsForBackend, removeBackend, unregisterKernel } from '@tensorflow/tfjs';
import { afterAll, vi } from 'vitest';
import { runningBackends, stopBackend } from '../../src/compute/running';

afterAll(() => {
  if (process.versions.node.startsWith('20.')) setFlagsFromString('--no-experimental-wasm-relaxed-simd');
  vi.unstubAllGlobals();
  vi.restoreAllMocks();
  vi.useRealTimers(); // last: a spy on a fake timer would leave that, which never rings
  Reflect.deleteProperty(globalThis, 'indexedDB');
  for (const name of runningBackends()) stopBackend(name);
  const { registryFactory } = engine();
  for (const name of Object.keys(registryFactory)) {
    removeBackend(name);
    for (const { kernelName } of getKernelsForBackend(name)) unregisterKernel(kernelName, name);
  }
  engine().reset();
});
