/// <reference types="@webgpu/types" />
/** The WebGPU backend, with our own kernels where its are missing. A chunk of its own. */
import { engine, findBackendFactory, registerBackend, removeBackend } from '@tensorflow/tfjs';
import { WebGPUBackend } from '@tensorflow/tfjs-backend-webgpu/dist/backend_webgpu';
import { throwIfAborted } from '../../errors';
import { watch } from '../device-loss';
import { kernels } from '../kernels/webgpu/inference';
import type { BackendOptions, WebGpu } from './options';
import { addKernels } from './registry';
import { startTensorflow } from './tensorflow';

export const start = ({ webgpu, signal }: BackendOptions) =>
  startTensorflow(
    'webgpu',
    () => register(webgpu, signal),
    () => 1e-3,
    signal,
  );

/**
 * @param given WebGPU in Node; absent: the browser's.
 * @param signal A device that arrives once it has fired is given back.
 */
async function register(given: WebGpu | undefined, signal: AbortSignal | undefined): Promise<void> {
  if (given) provide(given);
  addKernels('webgpu', kernels);
  if (engine().registry.webgpu) return;
  // Opened here and not in the factory, whose errors TensorFlow.js swallows.
  const backend = await open(signal);
  if (findBackendFactory('webgpu')) removeBackend('webgpu');
  registerBackend('webgpu', () => backend, 4);
}

/** TensorFlow.js looks for WebGPU where browsers have it. */
function provide({ gpu, globals }: WebGpu): void {
  Object.assign(globalThis, globals);
  const { navigator } = globalThis as { navigator?: object };
  if (!navigator) Object.defineProperty(globalThis, 'navigator', { value: { gpu }, configurable: true });
  else if (!('gpu' in navigator)) Object.defineProperty(navigator, 'gpu', { value: gpu, configurable: true });
}

const LIMITS = [
  'maxComputeWorkgroupStorageSize',
  'maxComputeWorkgroupsPerDimension',
  'maxStorageBufferBindingSize',
  'maxBufferSize',
  'maxComputeWorkgroupSizeX',
  'maxComputeInvocationsPerWorkgroup',
] as const;

async function open(signal: AbortSignal | undefined): Promise<WebGPUBackend> {
  const { gpu } = (globalThis.navigator ?? {}) as { gpu?: GPU };
  if (!gpu) throw new Error('there is no WebGPU here');
  const adapter = await gpu.requestAdapter({ powerPreference: 'high-performance' });
  throwIfAborted(signal);
  if (!adapter) throw new Error('there is no WebGPU adapter');
  const requiredLimits = Object.fromEntries(LIMITS.map((name) => [name, adapter.limits[name]]));
  const device = await adapter.requestDevice({ requiredLimits });
  if (signal?.aborted) device.destroy(); // another start may have its own by now
  throwIfAborted(signal);
  const backend = new WebGPUBackend(device, adapter.info);
  let isLost = false;
  const lost = device.lost.then(({ reason, message }) => {
    isLost = true;
    return `the WebGPU device was lost (${message || reason})`;
  });
  const reply = async () => {
    device.pushErrorScope('internal');
    return device.popErrorScope();
  };
  watch(backend, lost, () => isLost, undefined, reply);
  const dispose = (): void => {
    WebGPUBackend.prototype.dispose.call(backend);
    device.destroy(); // its memory goes back now, and not when the garbage is collected
  };
  const read = readingSound(backend);
  return Object.assign(backend, { convertAndCacheOnCPU: numbersOf, read, readSync: refusing(backend), dispose });
}

/**
 * A program that the device refuses computes nothing, and TensorFlow.js goes on with what was in memory: the next
 * read throws instead.
 */
function readingSound(backend: WebGPUBackend): WebGPUBackend['read'] {
  let refusal: string | undefined;
  backend.device.addEventListener('uncapturederror', ({ error }) => {
    refusal ??= error.message.split('\n', 1)[0];
  });
  return async (dataId) => {
    const values = await WebGPUBackend.prototype.read.call(backend, dataId);
    if (refusal === undefined) return values;
    const message = `webgpu: the device refused a program: ${refusal}`;
    refusal = undefined; // later results may be right
    throw new Error(message);
  };
}

/**
 * Does not keep what was read beside the buffer: an update would leave the copy behind, and a read that was on its way
 * would put it back.
 */
const numbersOf = (_dataId: object, read: unknown) => read;

/** A synchronous read would hold the thread up until the GPU has finished. */
function refusing(backend: WebGPUBackend) {
  return (dataId: object) => {
    const { values } = backend.tensorMap.get(dataId);
    if (values != null) return values;
    throw new Error('webgpu: this tensor is on the GPU; read it with `await tensor.data()`.');
  };
}
