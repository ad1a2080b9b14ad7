/** The plain CPU backend: always available, slow, the yardstick of every kernel test. A chunk of its own in the page. */
import { findBackendFactory, registerBackend } from '@tensorflow/tfjs';
import { MathBackendCPU } from '@tensorflow/tfjs-backend-cpu/dist/backend_cpu';
import { kernels } from '../kernels/cpu/inference';
import { addKernels } from './registry';

/** Makes the backend and its inference kernels known to TensorFlow.js; `startBackend` starts it. */
export function registerCpu(): void {
  addKernels('cpu', kernels);
  if (findBackendFactory('cpu') == null) registerBackend('cpu', quietCpu, 1);
}

/** Without the advertisement for another package that TensorFlow.js prints at the first tensor in Node. */
function quietCpu(): MathBackendCPU {
  return Object.assign(new MathBackendCPU(), { firstUse: false });
}
