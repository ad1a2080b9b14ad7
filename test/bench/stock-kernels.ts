/** TensorFlow.js as it comes, to measure what our kernels are worth. */

import stock from 'virtual:tfjs-kernels/wasm/stock';
import { getKernelsForBackend, registerGradient, unregisterKernel } from '@tensorflow/tfjs';
import { meanGradConfig } from '@tensorflow/tfjs-core/dist/gradients/Mean_grad';
import { sumGradConfig } from '@tensorflow/tfjs-core/dist/gradients/Sum_grad';
import { tileGradConfig } from '@tensorflow/tfjs-core/dist/gradients/Tile_grad';
import { addKernels } from '../../src/compute/backends/registry';
import { kernels as training } from '../../src/compute/kernels/wasm/training';

/**
 * Puts TensorFlow.js' kernels and gradients in the place of ours on WASM. What it has none of, such as the gradient of
 * `gather` and updates in place, stays ours in JavaScript.
 */
export function useStockKernels(): void {
  const kept = new Set(training.map(({ kernelName }) => kernelName));
  for (const { kernelName } of getKernelsForBackend('wasm')) {
    if (kernelName.startsWith('Aisle') && !kept.has(kernelName)) unregisterKernel(kernelName, 'wasm');
  }
  addKernels('wasm', [...training, ...stock]);
  for (const gradient of [sumGradConfig, meanGradConfig, tileGradConfig]) registerGradient(gradient);
}
