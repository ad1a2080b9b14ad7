/** What the backends of TensorFlow.js have in common. It has a single active one per thread. */
import { engine, getBackend, memory, removeBackend, setBackend } from '@tensorflow/tfjs';
import { throwIfAborted } from '../../errors';
import { guardTransfers } from '../device-boundary';
import { inferenceKernels } from '../kernels/shared/names';
import type { RunningDevice } from '../running';
import type { TensorBackend } from '../types';
import { missingKernels } from './registry';

/**
 * Makes a backend the active one.
 *
 * @param register Makes it known to TensorFlow.js, with its inference kernels.
 * @param tolerance Of the device.
 * @throws An error that says why it does not start; the backend that was active before stays active.
 */
export async function startTensorflow(
  name: TensorBackend,
  register: () => unknown,
  tolerance: () => number,
  signal: AbortSignal | undefined,
): Promise<RunningDevice> {
  guardTransfers();
  const before = engine().backendName as string | null;
  try {
    await register();
    throwIfAborted(signal);
    if (!(await setBackend(name)) || getBackend() !== name) throw new Error('TensorFlow.js does not take it');
    const missing = missingKernels(name, inferenceKernels);
    if (missing.length > 0) throw new Error(`kernels missing: ${missing.join(', ')}`);
  } catch (error) {
    // Another start may be on its way: leave it alone.
    if (!signal?.aborted && before !== null && before !== name && engine().registry[before]) await setBackend(before);
    throw error;
  }
  return {
    name,
    instance: engine().registry[name]!,
    tolerance: tolerance(),
    memory() {
      const { numTensors, numBytes } = memory();
      return { tensors: numTensors, bytes: numBytes };
    },
    activate: async () => engine().backendName === name || setBackend(name),
    stop: () => remove(name),
  };
}

/** The tensors on it are freed, too. */
function remove(name: TensorBackend): void {
  if (!engine().registry[name]) return;
  try {
    removeBackend(name);
  } catch {
    // What was on a lost device may refuse to be freed. TensorFlow.js must forget it all the same.
    delete engine().registry[name];
    removeBackend(name);
  }
}
