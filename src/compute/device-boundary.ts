/**
 * The boundary between our code and a device: kernels, uploads and reads. A failure there is a `BackendFault`. A failure anywhere
 * else is an error of our own and does not cost a backend.
 */
import { engine, type KernelConfig } from '@tensorflow/tfjs';
import { type Device, deviceFailed } from './backend-fault';
import { isSound, lostFault } from './device-loss';
import type { BackendName } from './types';

type DataId = Parameters<ReturnType<typeof engine>['read']>[0];

let isGuarded = false;

/** Makes TensorFlow.js' uploads and reads raise `BackendFault`, whatever backend they run on. Later calls do nothing. */
export function guardTransfers(): void {
  if (isGuarded) return;
  isGuarded = true;
  const runtime = engine();
  const { makeTensor, read, readSync } = runtime;
  const deviceOf = (instance: object): Device => {
    const name = Object.keys(runtime.registry).find((key) => runtime.registry[key] === instance);
    return { name: (name ?? runtime.backendName) as BackendName, instance };
  };
  const holderOf = (dataId: DataId) =>
    deviceOf(
      (runtime as unknown as { state: { tensorInfo: WeakMap<object, { backend: object }> } }).state.tensorInfo.get(
        dataId,
      )!.backend,
    );
  runtime.makeTensor = function (...args) {
    try {
      return makeTensor.apply(this, args);
    } catch (error) {
      throw deviceFailed(deviceOf(args[3] ?? this.backend), error);
    }
  };
  runtime.read = async function (dataId) {
    const holder = holderOf(dataId);
    try {
      const values = await read.call(this, dataId);
      if (!isSound(holder)) throw lostFault(holder);
      return values;
    } catch (error) {
      throw deviceFailed(holder, error);
    }
  };
  runtime.readSync = function (dataId) {
    const holder = holderOf(dataId);
    try {
      return readSync.call(this, dataId);
    } catch (error) {
      throw deviceFailed(holder, error);
    }
  };
}

const guarded = new WeakMap<KernelConfig, KernelConfig>();

/** Wraps a kernel so that its errors are faults of its backend. Returns the same object at every call. */
export function guardKernel(kernel: KernelConfig): KernelConfig {
  const known = guarded.get(kernel);
  if (known) return known;
  const { kernelFunc } = kernel;
  const made: KernelConfig = {
    ...kernel,
    kernelFunc(call) {
      try {
        return kernelFunc(call);
      } catch (error) {
        throw deviceFailed({ name: kernel.backendName as BackendName, instance: call.backend as object }, error);
      }
    },
  };
  guarded.set(kernel, made);
  return made;
}
