/** What training needs beyond inference: gradients and their kernels. Loaded only where a model learns. */
import { engine, getGradient, registerGradient } from '@tensorflow/tfjs-core';
import { RecommenderError } from '../../errors';
import { gradients } from '../kernels/gradients';
import { trainingKernels } from '../kernels/names';
import { ownGradients, ownTraining } from '../kernels/own-training';
import { addKernels, missingKernels } from './registry';

/**
 * Makes the backends that are running able to train: registers gradients and the kernels they need. Call it after
 * `startBackend`, and again after starting another backend; a repeated call changes nothing.
 *
 * @throws RecommenderError `no-backend` if no backend has been started.
 */
export async function registerTraining(): Promise<void> {
  for (const gradient of [...gradients, ...ownGradients]) {
    if (getGradient(gradient.kernelName) !== gradient) registerGradient(gradient);
  }
  const running = (['cpu', 'wasm'] as const).filter((name) => engine().registry[name] !== undefined);
  if (running.length === 0) {
    throw new RecommenderError('no-backend', 'registerTraining: no backend is running; call startBackend first.');
  }
  for (const name of running) {
    const { kernels } = name === 'cpu' ? await import('./training-cpu') : await import('./training-wasm');
    addKernels(name, [...kernels, ...ownTraining(name)]);
    const missing = missingKernels(name, trainingKernels);
    if (missing.length > 0) {
      throw new RecommenderError('no-backend', `The backend "${name}" cannot train: it lacks ${missing.join(', ')}.`);
    }
  }
}
