/** Whether a scorer gives the answer that its artifact has stored: the same numbers on every backend, or none at all. */
import type { GoldenCheck } from '../checkpoint/artifact';
import type { Scorer } from '../types';
import type { SessionScorer } from './session-scorer';
import { topK } from './top-k';

/** The answer to store with an artifact: the best items of a session of item indices. */
export async function goldenAnswer(scorer: Scorer, session: readonly number[]): Promise<GoldenCheck> {
  const top = topK(await scorer.score([{ items: session }]), 20);
  return { session: [...session], top: top.map(({ index, score }) => ({ index, score })) };
}

/**
 * Scores the golden session and compares: every item of the golden top must have its score, and no other item may rank
 * above them. Items whose scores are equal within the tolerance may change places.
 *
 * @param tolerance How far a score may be off, as a share of the largest golden score, or of 1 if that is larger.
 * @returns What is wrong, in words; undefined where nothing is.
 */
export async function goldenMismatch(
  scorer: SessionScorer,
  { session, top }: GoldenCheck,
  tolerance: number,
): Promise<string | undefined> {
  const scores = await scorer.score({ items: session });
  const best = topK(scores, top.length);
  const most = tolerance * top.reduce((largest, { score }) => Math.max(largest, Math.abs(score)), 1);
  for (const [place, { index, score }] of top.entries()) {
    const got = scores[index - 1];
    if (got === undefined) return `item index ${index} does not exist`;
    if (Math.abs(got - score) > most) return `item index ${index} must score ${score}, got ${got}`;
    const rival = best[place]!;
    if (Math.abs(rival.score - score) > most) {
      return `place ${place + 1} belongs to item index ${index} (${score}), got ${rival.index} (${rival.score})`;
    }
  }
  return undefined;
}
