/** What training needs beyond inference: gradients and their kernels. Loaded only where a model learns. */
import { getGradient, type KernelConfig, registerGradient } from '@tensorflow/tfjs';
import { RecommenderError } from '../errors';
import { loaded } from '../loaded';
import { addKernels, missingKernels } from './backends/registry';
import { gradients } from './kernels/shared/gradients';
import { trainingKernels } from './kernels/shared/names';
import { runningBackends } from './running';
import type { BackendName, TensorBackend } from './types';

/** A chunk for each backend. */
const KERNELS: Readonly<Record<TensorBackend, () => Promise<{ readonly kernels: readonly KernelConfig[] }>>> = {
  cpu: () => import('./kernels/cpu/training'),
  wasm: async () => ({ kernels: await (await import('./kernels/wasm/training')).load() }),
  webgl: () => import('./kernels/webgl/training'),
  webgpu: () => import('./kernels/webgpu/training'),
};

const canTrain = (name: BackendName): name is TensorBackend => Object.hasOwn(KERNELS, name);

/** The kernels that training needs on a backend, fetched. The second time they are there at once. */
export const loadTraining = async (name: TensorBackend): Promise<readonly KernelConfig[]> =>
  (await loaded(KERNELS[name](), `training on "${name}"`)).kernels;

/**
 * Makes the backends that are running able to train: registers gradients and the kernels they need. Call it after
 * `startBackend`, and again after starting another backend; a repeated call changes nothing.
 *
 * @param names Default: all that run.
 *
 * @throws RecommenderError `no-backend` if no backend has been started; `io` where code cannot be fetched.
 */
export async function registerTraining(
  names: readonly TensorBackend[] = runningBackends().filter(canTrain),
): Promise<void> {
  for (const gradient of gradients) {
    if (getGradient(gradient.kernelName) !== gradient) registerGradient(gradient);
  }
  if (names.length === 0) {
    throw new RecommenderError('no-backend', 'registerTraining: no backend is running; call startBackend first.');
  }
  for (const name of names) {
    const kernels = await loadTraining(name);
    addKernels(name, kernels);
    const missing = missingKernels(name, trainingKernels);
    if (missing.length > 0) {
      throw new RecommenderError('no-backend', `The backend "${name}" cannot train: it lacks ${missing.join(', ')}.`);
    }
  }
}
