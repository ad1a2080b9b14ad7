/** Loss, rank and gradient of a softmax over candidates, on plain arrays. */
import type { Predicted } from './frozen-model';

/** Stands for −∞ among scores: no candidate. Finite, so that differences of scores are. */
export const EXCLUDED = -1e30;

/**
 * −log softmax(scores)[target] and the target's rank; the scores become probabilities minus the target's indicator, which is
 * the loss's gradient by the scores.
 *
 * @param scores `[n]` in logits; overwritten.
 * @param target Column of the target.
 * @param weights How many items each column represents, `[n]`. Default 1 each.
 */
export function crossEntropy(scores: Float64Array, target: number, weights?: Float64Array): Predicted {
  const own = scores[target]!;
  let largest = own;
  let rank = 0;
  for (let i = 0; i < scores.length; i++) {
    const score = scores[i]!;
    if (score > largest) largest = score;
    if (score >= own && score !== EXCLUDED) rank += weights ? weights[i]! : 1;
  }
  let sum = 0;
  for (let i = 0; i < scores.length; i++) {
    const power = scores[i]! === EXCLUDED ? 0 : Math.exp(scores[i]! - largest) * (weights ? weights[i]! : 1);
    scores[i] = power;
    sum += power;
  }
  for (let i = 0; i < scores.length; i++) scores[i] = scores[i]! / sum;
  scores[target] = scores[target]! - 1;
  return { rank: Math.max(1, Math.round(rank)), loss: Math.log(sum) + largest - own };
}
