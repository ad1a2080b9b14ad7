/** How long a model takes to answer. */
import { topK } from '../ranking/top-k';
import type { Model } from './ready-model';

/** Rounds of a measurement; the first, the golden check, has compiled and uploaded everything. */
const ROUNDS = 3;
/** A round ends after this time or so many inferences: clocks of browsers are coarse. */
const ROUND_MILLISECONDS = 16;
const MAX_RUNS = 20;

/**
 * Milliseconds of one inference of the artifact's golden session, read back: the mean of the best of several rounds. Inside a
 * slice, on the model's device.
 *
 * @param clock Milliseconds that only differ.
 */
export async function benchmark(model: Model, clock: () => number): Promise<number> {
  const session = model.session();
  const items = model.artifact.info.golden.session;
  let best = Number.POSITIVE_INFINITY;
  for (let round = 0; round < ROUNDS; round++) {
    const from = clock();
    let elapsed = 0;
    let runs = 0;
    do {
      session.forget(); // else the next run would cost nothing
      topK(await session.score({ items }), 1); // refuses what is not finite
      runs++;
      elapsed = clock() - from;
    } while (elapsed < ROUND_MILLISECONDS && runs < MAX_RUNS);
    best = Math.min(best, elapsed / runs);
  }
  session.forget();
  return best;
}
