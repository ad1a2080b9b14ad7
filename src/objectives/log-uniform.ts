/** Log-uniform sampling, Zipf's law by rank: the sampler of Transformers4Rec's library and of TensorFlow. */
import type { Random } from '../session/random';
import type { Sampler } from './negatives';

/** Draws items by popularity rank r = 0…n − 1, the most clicked first, with probability log((r + 2)/(r + 1)) / log(n + 1). */
export interface LogUniformSampler extends Sampler {
  /**
   * What the library takes for the chance of each item, by index, to be among `draws` draws: 1 − (1 + p)^−draws; entry 0 is
   * 0. The chance itself is 1 − (1 − p)^draws; a sign slipped there, which costs the most frequent items up to 1 %.
   */
  chances(draws: number): Float64Array;
}

const samplers = new WeakMap<ArrayLike<number>, LogUniformSampler>();

/** @param support Events of each item, `[n + 1]`, entry 0 unused; equal ones rank by index. */
export function logUniform(support: ArrayLike<number>): LogUniformSampler {
  let sampler = samplers.get(support);
  if (!sampler) {
    sampler = make(support);
    samplers.set(support, sampler);
  }
  return sampler;
}

function make(support: ArrayLike<number>): LogUniformSampler {
  const n = support.length - 1;
  const ranked = Int32Array.from({ length: n }, (_, i) => i + 1).sort((a, b) => support[b]! - support[a]! || a - b);
  const byDraws = new Map<number, Float64Array>();
  return {
    // The inverse of the distribution function log(r + 1) / log(n + 1).
    draw: (random: Random) => ranked[Math.min(n - 1, Math.floor((n + 1) ** random.uniform()) - 1)]!,
    chances(draws) {
      let chances = byDraws.get(draws);
      if (!chances) {
        chances = new Float64Array(n + 1);
        for (let r = 0; r < n; r++) {
          const p = Math.log((r + 2) / (r + 1)) / Math.log(n + 1);
          chances[ranked[r]!] = -Math.expm1(-draws * Math.log1p(p));
        }
        byDraws.set(draws, chances);
      }
      return chances;
    },
  };
}
