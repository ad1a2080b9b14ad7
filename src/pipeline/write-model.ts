/** Writes a trained or imported model as an artifact folder. */
import type { Artifact, ArtifactInfo } from '../checkpoint/artifact';
import { sha256 } from '../checkpoint/sha256';
import { encodeSafetensors } from '../checkpoint/write-safetensors';
import { models } from '../models/index';
import { defined } from './defined';
import { writeArtifactFolder } from './files/artifact-folder';
import { basename, resolve } from './files/disk';
import { type Observer, warn } from './observer';

export interface WrittenModel<T>
  extends Pick<ArtifactInfo, 'architecture' | 'config' | 'golden' | 'features' | 'scale' | 'licence'>,
    Pick<Artifact, 'itemIds' | 'tensors' | 'catalogue' | 'strategies' | 'rules'> {
  readonly training: T & ArtifactInfo['training'];
}

/**
 * Writes an artifact folder, whose name is the model's.
 *
 * @param cardOf Writes the model card.
 * @param discard Files beside an artifact's own that go.
 */
export async function writeModel<T>(
  out: string,
  { architecture, config, itemIds, tensors, features, scale, golden, training, licence, ...further }: WrittenModel<T>,
  cardOf: (about: Omit<ArtifactInfo, 'modelCard' | 'training'> & { readonly training: T }) => string,
  discard: readonly string[] = [],
): Promise<void> {
  const about = {
    name: basename(resolve(out)),
    // It follows from the content: the same training gives the same version.
    version: (await sha256(encodeSafetensors(tensors))).slice(0, 12),
    architecture,
    config,
    items: itemIds.length,
    ...defined({ features, scale }),
    golden,
    training,
    licence,
  };
  const artifact = { info: { ...about, modelCard: cardOf(about) }, itemIds, tensors, ...further };
  await writeArtifactFolder(out, artifact, { discard });
}

/** Whether something says what turns the scores of a network into logits: its loss, or a scale that was fitted. */
export async function hasScale(
  architecture: string,
  config: Readonly<Record<string, unknown>>,
  scale: number | undefined,
): Promise<boolean> {
  const { logitScale } = await models[architecture]!.network();
  return (scale ?? logitScale?.(config)) !== undefined;
}

export const warnOfNoScale = (why: string, observer: Observer): void =>
  warn(observer, `the model will not learn on devices, nor be mixed by probabilities: ${why}.`);
