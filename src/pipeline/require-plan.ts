import type { OpenedArtifact } from '../checkpoint/artifact';
import { planOf } from '../engine/loading';
import { RecommenderError, reasonOf } from '../errors';

/**
 * Where nothing computes in place of a plan, one that is missing or damaged is the artifact's fault.
 *
 * @param where Starts the message.
 * @throws RecommenderError `bad-artifact`.
 */
export async function requirePlan(artifact: OpenedArtifact, where = ''): Promise<void> {
  await planOf(artifact).catch((cause) => {
    throw new RecommenderError('bad-artifact', `${where}${reasonOf(cause)}`, { cause });
  });
}
