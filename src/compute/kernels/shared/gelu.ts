/** The gradient of the kernel behind `nn/gelu.ts`, which only the SIMD module has; without its binary, for all backends. */
import { engine, type GradConfig, type Tensor } from '@tensorflow/tfjs-core';

export const geluGradient: GradConfig = {
  kernelName: 'AisleGelu',
  inputsToSave: ['x'],
  gradFunc: (dy, [x]) => ({ x: () => engine().runKernel('AisleGeluGrad', { dy: dy as Tensor, x: x! }) as Tensor }),
};
