/**
 * Successive halving: many configurations for a few epochs, the better third of them for three times as many, and so on.
 * Jamieson & Talwalkar, "Non-stochastic Best Arm Identification and Hyperparameter Optimization", AISTATS 2016,
 * https://arxiv.org/abs/1502.07943; by thirds as in Li et al., "Hyperband", JMLR 2018, https://arxiv.org/abs/1603.06560.
 */

/** One in so many trials is promoted to the next rung, which trains as many times longer. */
const REDUCTION = 3;

export interface Rung {
  /** Epochs that a trial has trained at the end of the rung, those of earlier rungs included. */
  readonly epochs: number;
  /** Trials in it at most. */
  readonly trials: number;
}

/** Rungs for that many trials, the last with all `epochs`, the first with one at least. */
export function rungsOf(trials: number, epochs: number): Rung[] {
  let below = 0;
  while (REDUCTION ** (below + 1) <= Math.min(trials, epochs)) below++;
  return Array.from({ length: below + 1 }, (_, rung) => ({
    epochs: Math.round(epochs / REDUCTION ** (below - rung)),
    trials: Math.ceil(trials / REDUCTION ** rung),
  }));
}

/** The `count` best, the best first: by value, equal ones in the order given; those without a value never. */
export function best<T>(trials: readonly T[], count: number, rate: (trial: T) => number | undefined): T[] {
  return trials
    .flatMap((trial) => {
      const value = rate(trial);
      return value === undefined ? [] : [{ trial, value }];
    })
    .sort((a, b) => b.value - a.value)
    .slice(0, count)
    .map(({ trial }) => trial);
}
