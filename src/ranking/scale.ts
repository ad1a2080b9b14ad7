/**
 * The scale β that turns scores into logits: p = softmax(β s) predicts clicks best that the model was not trained on. It is the
 * inverse temperature of Guo et al., "On Calibration of Modern Neural Networks", ICML 2017, https://arxiv.org/abs/1706.04599.
 *
 *     f(β)  = Σ (ln Σⱼ e^(β sⱼ) − β s_target)        cross-entropy, outer sums over predictions
 *     f′(β) = Σ (E[s] − s_target)     f″(β) = Σ Var[s]        moments under softmax(β s)
 *
 * One prediction more, whose target is any item alike, is added: without it β would grow for ever where every prediction is
 * right. f is convex, so that Newton's method from β = 0, kept inside a bracket, finds its least. Scores c times as large give a
 * scale that is c times as small.
 */
import { notFinite } from './top-k';

/** One pass over all predictions: scores of the candidates, `[n]`, −∞ for an item that is none, and the target's column. */
export type PredictionPass = (visit: (scores: Float32Array, target: number) => void) => Promise<void>;

/** Relative change at which β has been found: far below what a few thousand predictions can tell. */
const TOLERANCE = 1e-3;
const MOST_PASSES = 40;

/**
 * Fits the scale.
 *
 * @param pass Called several times, always over the same predictions.
 * @returns β > 0; undefined where there is no prediction, or targets score no higher than other items.
 * @throws RecommenderError `not-finite`.
 */
export async function fitScale(pass: PredictionPass): Promise<number | undefined> {
  let [beta, least, most] = [0, 0, Number.POSITIVE_INFINITY];
  for (let passes = 0; passes < MOST_PASSES; passes++) {
    const { slope, curvature } = await derivatives(pass, beta);
    if (beta === 0 && !(slope < 0)) return undefined;
    if (slope < 0) least = beta;
    else most = beta;
    const newton = beta - slope / curvature;
    const isInside = newton > least && newton < most;
    const next = isInside ? newton : most === Number.POSITIVE_INFINITY ? 2 * beta : (least + most) / 2;
    if (Math.abs(next - beta) <= TOLERANCE * beta) return next;
    beta = next;
  }
  return beta;
}

async function derivatives(pass: PredictionPass, beta: number): Promise<{ slope: number; curvature: number }> {
  let [count, targets, any, curvature] = [0, 0, 0, 0];
  await pass((scores, target) => {
    let top = Number.NEGATIVE_INFINITY;
    for (let j = 0; j < scores.length; j++) if (scores[j]! > top) top = scores[j]!;
    let [candidates, total, mass, first, second] = [0, 0, 0, 0, 0];
    for (let j = 0; j < scores.length; j++) {
      const below = scores[j]! - top;
      if (below === Number.NEGATIVE_INFINITY) continue;
      const power = Math.exp(beta * below);
      candidates++;
      total += below;
      mass += power;
      first += power * below;
      second += power * below * below;
    }
    const mean = first / mass;
    if (!Number.isFinite(mean)) throw notFinite(mean, target + 1);
    count++;
    targets += mean - (scores[target]! - top);
    any += mean - total / candidates;
    curvature += second / mass - mean * mean;
  });
  return { slope: targets + (count && any / count), curvature: curvature * (1 + 1 / count) };
}
