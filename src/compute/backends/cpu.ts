/** The plain CPU backend: always available, slow, the yardstick of every kernel test. A chunk of its own in the page. */
import { findBackendFactory, registerBackend } from '@tensorflow/tfjs';
import { MathBackendCPU } from '@tensorflow/tfjs-backend-cpu/dist/backend_cpu';
import { kernels } from '../kernels/cpu/inference';
import type { BackendOptions } from './options';
import { addKernels } from './registry';
import { startTensorflow } from './tensorflow';

export const start = ({ signal }: BackendOptions) => startTensorflow('cpu', register, () => 1e-4, signal);

function register(): void {
  addKernels('cpu', kernels);
  if (findBackendFactory('cpu') == null) registerBackend('cpu', quietCpu, 1);
}

/** Without the advertisement for another package that TensorFlow.js prints at the first tensor in Node. */
function quietCpu(): MathBackendCPU {
  return Object.assign(new MathBackendCPU(), { firstUse: false });
}
