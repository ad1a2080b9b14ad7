/** What an artifact's configuration says of its network. No tensors; a page whose model has a plan seldom needs it. */
import { type Artifact, MIX_PREFIX } from '../checkpoint/artifact';
import { verifyParameters } from '../checkpoint/verify-parameters';
import { RecommenderError } from '../errors';
import { configure } from '../models/configuration';
import type { ModelSpec } from '../models/model';
import type { Catalogue } from '../types';
import { catalogueOf } from './architecture';

/** What is known of a network before it computes. */
export interface NetworkInfo<C = unknown> {
  readonly model: ModelSpec<C>;
  /** As `configure` returns it. */
  readonly config: C;
  readonly catalogue: Catalogue;
  /** What turns scores into logits: as the artifact says, else by its loss; absent where neither tells. */
  readonly scale?: number;
}

/**
 * What is known of an artifact's network before it computes. Every weight has been checked.
 *
 * @throws RecommenderError `bad-artifact` for a damaged configuration; `weights-mismatch` for a weight that is missing or has
 *   another shape or type than the architecture needs.
 */
export function networkInfo<C>(model: ModelSpec<C>, artifact: Artifact): NetworkInfo<C> {
  const { info, tensors } = artifact;
  const catalogue = catalogueOf(artifact);
  const config = configuredBy(model, artifact);
  const own = Object.entries(tensors).filter(([name]) => !(info.mix && name.startsWith(MIX_PREFIX)));
  verifyParameters(Object.fromEntries(own), model.parameters(config, catalogue));
  const { scale = model.logitScale?.(config) } = info;
  return { model, config, catalogue, ...(scale !== undefined && { scale }) };
}

/** A configuration that an artifact carries is the artifact's fault, not the user's. */
export function configuredBy<C>(subject: Parameters<typeof configure<C>>[0], { info }: Artifact): C {
  try {
    return configure(subject, info.config);
  } catch (cause) {
    if (!(cause instanceof RecommenderError)) throw cause;
    const message = `The configuration of the artifact "${info.name}" cannot be used: ${cause.message}`;
    throw new RecommenderError('bad-artifact', message, { cause });
  }
}
