import { engine, getKernel, type KernelConfig, registerKernel, unregisterKernel } from '@tensorflow/tfjs';
import { guardKernel } from '../device-boundary';

/**
 * Registers kernels of one backend. A kernel later in the list replaces an earlier one of the same name, so our own
 * implementations come after those of TensorFlow.js. Calling it again with the same kernels changes nothing.
 */
export function addKernels(backendName: string, kernels: readonly KernelConfig[]): void {
  const chosen = new Map(kernels.map((kernel) => [kernel.kernelName, guardKernel(kernel)]));
  for (const kernel of chosen.values()) {
    const known = getKernel(kernel.kernelName, backendName);
    if (known === kernel) continue;
    if (known) unregisterKernel(kernel.kernelName, backendName);
    registerKernel(kernel);
    // TensorFlow.js prepares kernels when a backend starts; those that come later prepare here.
    const backend = engine().registry[backendName];
    if (backend && kernel.setupFunc) kernel.setupFunc(backend);
  }
}

/** Names of the given kernels that a backend lacks. */
export function missingKernels(backendName: string, names: readonly string[]): string[] {
  return names.filter((name) => getKernel(name, backendName) == null);
}
