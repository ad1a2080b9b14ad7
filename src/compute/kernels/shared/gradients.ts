import tfjs from 'virtual:tfjs-kernels/gradients';
import { engine, type GradConfig, type Tensor } from '@tensorflow/tfjs';
import { bprMaxGradient } from './bpr-max';
import { meanGradient, sumGradient, tileGradient } from './broadcast-gradients';
import { crossEntropyGradient } from './cross-entropy';
import { dropoutGradient } from './dropout';
import { maskEqualGradient } from './mask-equal';

/** Of the kernel behind `nn/gelu.ts`, which only the SIMD module has. Registered on every backend. */
const geluGradient: GradConfig = {
  kernelName: 'AisleGelu',
  inputsToSave: ['x'],
  gradFunc: (dy, [x]) => ({ x: () => engine().runKernel('AisleGeluGrad', { dy: dy as Tensor, x: x! }) as Tensor }),
};

/**
 * The gradients of the kernels that the models run, which `names.ts` lists: TensorFlow.js', ours where its are slow, and
 * those of our own kernels.
 */
export const gradients: readonly GradConfig[] = [
  ...tfjs,
  sumGradient,
  meanGradient,
  tileGradient,
  crossEntropyGradient,
  bprMaxGradient,
  maskEqualGradient,
  dropoutGradient,
  geluGradient,
];
