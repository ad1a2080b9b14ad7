/**
 * The mean of the weights at the ends of the last epochs, m of them at most:
 *
 *     w̄ = (1/m) Σ w_e
 *
 * Izmailov et al., "Averaging Weights Leads to Wider Optima and Better Generalization", UAI 2018,
 * https://arxiv.org/abs/1803.05407. Differs from the paper: the learning rate moves as the plan says, not in cycles, and
 * the mean moves on with the epochs, so that each can be validated. Holds m copies of all parameters.
 */
import type { NdArrays } from '../types';

export class WeightAverage {
  readonly #ends: NdArrays[];

  /**
   * @param epochs m.
   * @param saved `ends` of an average to go on from.
   */
  constructor(
    readonly epochs: number,
    saved: readonly NdArrays[] = [],
  ) {
    this.#ends = [...saved];
  }

  /** Weights at the ends of the last epochs, the oldest first. */
  get ends(): readonly NdArrays[] {
    return [...this.#ends];
  }

  /** Takes the weights at the end of an epoch in, and lets the oldest go. */
  add(weights: NdArrays): void {
    this.#ends.push(weights);
    if (this.#ends.length > this.epochs) this.#ends.shift();
  }

  /** Summed in 64 bits, in the order of the epochs. */
  mean(): NdArrays {
    const entries = Object.entries(this.#ends[0]!).map(([name, { data, shape }]) => {
      const sums = new Float64Array(data.length);
      for (const end of this.#ends) {
        end[name]!.data.forEach((value, i) => {
          sums[i]! += value;
        });
      }
      return [name, { data: Float32Array.from(sums, (sum) => sum / this.#ends.length), shape }] as const;
    });
    return Object.fromEntries(entries);
  }
}
