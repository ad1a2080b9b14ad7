/** The scale of a model, fitted on sessions that it was not trained on. */
import { fitScale } from '../ranking/scale';
import { earlierSessions } from '../session/earlier';
import { random } from '../session/random';
import type { Scorer, Sessions } from '../types';
import type { EvaluateOptions } from './evaluate';
import { batchesByLength, predictionsOf, prefixOf } from './predictions';

/** More predictions would tell β no better than it needs to be known: so many give it to about 1 %. */
const MOST_PREDICTIONS = 2048;

/**
 * Fits what turns the scores of a model into logits, on at most 2,048 predictions that are drawn from all.
 *
 * @param sessions As `evaluate` takes them.
 * @param options As of `evaluate`; `protocol` says what is predicted, and `leave-one-out` leaves out the items of the input.
 * @returns As `fitScale`.
 */
export async function validationScale(
  scorer: Scorer,
  sessions: Sessions,
  { protocol, past }: Pick<EvaluateOptions, 'protocol' | 'past'>,
): Promise<number | undefined> {
  const predictions = predictionsOf(sessions, protocol, 'test');
  const all = Int32Array.from(predictions.positions.keys());
  const drawn = random(0, 'scale').shuffle(all).slice(0, MOST_PREDICTIONS).sort();
  const positions = drawn.map((p) => predictions.positions[p]!);
  const earlierOf = earlierSessions(sessions, scorer.earlier ?? 0, past);
  const n = scorer.items;
  return fitScale(async (visit) => {
    for (const batch of batchesByLength(positions, n)) {
      const inputs = batch.map((at) => prefixOf(sessions, predictions, drawn[at]!, earlierOf));
      const scores = await scorer.score(inputs);
      batch.forEach((at, b) => {
        const row = scores.subarray(b * n, (b + 1) * n);
        const p = drawn[at]!;
        const first = sessions.offsets[predictions.sessions[p]!]!;
        const end = first + predictions.positions[p]! + 1;
        const target = sessions.items[end]!;
        if (protocol === 'leave-one-out') {
          for (const item of sessions.items.subarray(first, end)) {
            if (item !== target) row[item - 1] = Number.NEGATIVE_INFINITY;
          }
        }
        visit(row, target - 1);
      });
    }
  });
}
