/** The kernel behind `nn/dropout.ts`: which numbers stay is a hash of seed and position, so no mask is ever stored. */
import { engine, type GradConfig, type Tensor, util } from '@tensorflow/tfjs';
import { dropoutKeys } from './dropout-keys';
import { float32, type Kernel } from './kernel';

export const dropout: Kernel = {
  name: 'AisleDropout',
  plan({ inputs, attrs }) {
    const x = inputs.x!;
    const rate = attrs.rate as number;
    const { first, second, bound } = dropoutKeys(rate, attrs.seed as number);
    return {
      outputs: float32(x.shape),
      compute({ floats }, [out]) {
        const [from, to] = [floats(x), floats(out!)];
        const size = util.sizeFromShape(x.shape);
        // Compared in 31 bits, and chosen without a branch, which at random would be mispredicted.
        const threshold = bound - 1;
        const factors = Float64Array.of(0, 1 / (1 - rate));
        for (let i = 0, counter = first; i < size; i++) {
          let h = counter ^ (counter >>> 16);
          h = Math.imul(h, 0x7feb352d);
          h = ((h ^ (h >>> 15)) + second) | 0;
          h = Math.imul(h, -0x7b935975); // 0x846ca68b
          h ^= h >>> 16;
          to[i] = from[i]! * factors[(threshold - (h >>> 1)) >>> 31]!;
          counter = (counter - 0x61c88647) | 0; // + 0x9e3779b9
        }
      },
    };
  },
};

export const dropoutGradient: GradConfig = {
  kernelName: 'AisleDropout',
  gradFunc: (dy, _saved, attrs) => ({
    x: () => engine().runKernel('AisleDropout', { x: dy as Tensor }, attrs) as Tensor,
  }),
};
