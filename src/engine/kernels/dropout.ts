/** The kernel behind `nn/dropout.ts`: which numbers stay is a hash of seed and position, so no mask is ever stored. */
import { engine, type GradConfig, type Tensor, util } from '@tensorflow/tfjs-core';
import type { OwnKernel } from './memory';

/** A bijection of 32-bit integers that scatters neighbours ("lowbias32", C. Wellons, "Hash function prospector", 2018). */
function scatter(x: number): number {
  let h = x ^ (x >>> 16);
  h = Math.imul(h, 0x7feb352d);
  h ^= h >>> 15;
  h = Math.imul(h, 0x846ca68b);
  return h ^ (h >>> 16);
}

export const dropout: OwnKernel = {
  name: 'AisleDropout',
  run({ inputs, attrs, memory }) {
    const x = inputs.x!;
    const rate = attrs.rate as number;
    const seed = attrs.seed as number;
    const out = memory.output(x.shape, 'float32');
    const from = memory.floats(x);
    const to = memory.floats(out);
    const size = util.sizeFromShape(x.shape);
    // Two keys: with one alone, two seeds would give the same bits at shifted positions.
    const first = scatter(seed | 0);
    const second = scatter(first ^ Math.floor(seed / 2 ** 32) ^ 0x9e3779b9);
    // Compared in 31 bits, and chosen without a branch, which at random would be mispredicted.
    const threshold = Math.floor(rate * 2 ** 31) - 1;
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
    return out;
  },
};

export const dropoutGradient: GradConfig = {
  kernelName: 'AisleDropout',
  gradFunc: (dy, _saved, attrs) => ({
    x: () => engine().runKernel('AisleDropout', { x: dy as Tensor }, attrs) as Tensor,
  }),
};
