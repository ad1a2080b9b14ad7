/** How much of one scorer to mix into another: metrics of many weights from one pass over the predictions. */
import { throwIfAborted } from '../errors';
import { type Member, rescale, type Scale } from '../ranking/combine';
import { rankOf } from '../ranking/rank';
import { earlierSessions } from '../session/earlier';
import type { Sessions } from '../types';
import { checkProtocol, type EvaluateOptions, excludedFrom } from './evaluate';
import { type Metrics, metricsOf } from './metrics';
import { batchesByLength, predictionsOf, prefixOf } from './predictions';

export interface WeightResult {
  /** Share of the second scorer, 0…1. */
  readonly weight: number;
  /** Conservative. */
  readonly metrics: Metrics;
}

/**
 * What (1 − w) p₁ + w p₂ reaches for every weight w; p as `ranking/combine.ts` has it. Two blocks of scores are in memory.
 *
 * @throws RecommenderError `not-finite`; `aborted`; `bad-config` as `evaluate`.
 */
export async function mixWeights(
  first: Member,
  second: Member,
  weights: readonly number[],
  scale: Scale,
  sessions: Sessions,
  options: EvaluateOptions,
): Promise<WeightResult[]> {
  const { protocol, ks = [1, 5, 10, 20], target = 'test', signal, excluded } = options;
  const { seen = protocol === 'leave-one-out' ? 'drop' : 'keep' } = options;
  checkProtocol(options);
  const n = first.scorer.items;
  const predictions = predictionsOf(sessions, protocol, target);
  const total = predictions.positions.length;
  const ranks = weights.map(() => new Int32Array(total));
  const members = [first, second];
  const mixed = new Float32Array(n);
  const most = Math.max(...members.map(({ scorer }) => scorer.earlier ?? 0));
  const earlierOf = earlierSessions(sessions, most, options.past, target === 'valid' ? 1 : 0);
  let done = 0;
  for (const batch of batchesByLength(predictions.positions, n)) {
    const inputs = batch.map((p) => prefixOf(sessions, predictions, p, earlierOf));
    const blocks: Float32Array[] = [];
    for (const member of members) {
      const scores = await member.scorer.score(inputs);
      rescale(scores, n, member, scale);
      blocks.push(scores);
    }
    batch.forEach((p, i) => {
      const from = sessions.offsets[predictions.sessions[p]!]!;
      const last = from + predictions.positions[p]!;
      const exclude = excludedFrom(sessions.items.subarray(from, last + 1), seen, excluded);
      const [a, b] = blocks.map((block) => block.subarray(i * n, (i + 1) * n)) as [Float32Array, Float32Array];
      weights.forEach((weight, w) => {
        for (let column = 0; column < n; column++) {
          mixed[column] = Math.fround((1 - weight) * a[column]!) + weight * b[column]!;
        }
        ranks[w]![p] = rankOf(mixed, sessions.items[last + 1]!, exclude).conservative;
      });
    });
    done += batch.length;
    options.onProgress?.(done, total);
    throwIfAborted(signal);
  }
  return weights.map((weight, w) => ({ weight, metrics: metricsOf(ranks[w]!, ks) }));
}
