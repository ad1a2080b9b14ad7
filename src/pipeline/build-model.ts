/** From a trained or imported model to an artifact and its files. */
import type { Artifact, ArtifactInfo } from '../checkpoint/artifact';
import { README, REPORT, WEIGHTS } from '../checkpoint/manifest';
import { packArtifact } from '../checkpoint/pack';
import { type Precision, packTensors } from '../checkpoint/pack-tensors';
import { unpackTensors } from '../checkpoint/precision';
import { sha256 } from '../checkpoint/sha256';
import { writeSafetensors } from '../checkpoint/write-safetensors';
import { run } from '../compute/executor';
import { reasonOf } from '../errors';
import { models } from '../models/index';
import { isNeural } from '../ranking/architecture';
import { compileArtifact } from '../ranking/compile-plan';
import { defined } from './defined';
import { type Observer, warn } from './observer';
import { paperOf } from './paper';

export interface WrittenModel<T>
  extends Pick<ArtifactInfo, 'architecture' | 'config' | 'golden' | 'features' | 'scale' | 'mix' | 'licence'>,
    Pick<Artifact, 'itemIds' | 'tensors' | 'catalogue' | 'aliases' | 'strategies' | 'rules'> {
  /** Of the weights. Default `f32`. */
  readonly precision?: Precision;
  readonly training: T & ArtifactInfo['training'];
}

/** Writes the model card. */
export type CardOf<T> = (
  about: Omit<ArtifactInfo, 'modelCard' | 'training'> & { readonly paper: string; readonly training: T },
) => string;

/**
 * The artifact of a model, with its card and its compiled plan.
 *
 * @param observer Is warned where there will be no compiled plan.
 */
export async function buildModel<T>(
  name: string,
  model: WrittenModel<T>,
  cardOf: CardOf<T>,
  observer: Observer,
): Promise<Artifact> {
  const { architecture, config, itemIds, tensors, features, scale, mix, golden, training, licence, ...further } = model;
  const { precision = 'f32', ...parts } = further;
  const stored = await packTensors(tensors, precision);
  const settings = { architecture, config, items: itemIds.length, ...defined({ features, scale, mix }), golden };
  const artifact = {
    info: { name, version: '', ...settings, training, licence, modelCard: '' },
    itemIds,
    tensors,
    ...parts,
  };
  const plan = await compiled({ ...artifact, tensors: await unpackTensors(stored, WEIGHTS) }, observer);
  // Of all that pages read: a folder that is named by it never has to hold anything else.
  const { aliases, ...others } = parts;
  const facts = [
    await sha256(writeSafetensors(stored)),
    plan && (await sha256(plan)),
    { ...settings, licence, itemIds, aliases: aliases && [...aliases], ...others },
  ];
  const version = await sha256(JSON.stringify(facts));
  const about = { name, version: version.slice(0, 12), ...settings, training, licence };
  const modelCard = cardOf({ ...about, paper: await paperOf(architecture) });
  return { ...artifact, info: { ...about, modelCard }, ...defined({ plan }) };
}

/** All files of an artifact's folder by name, in the order in which they are written. @param report `report.html`. */
export async function artifactFiles(
  artifact: Artifact,
  { precision = 'f32', report }: { readonly precision?: Precision; readonly report?: string } = {},
): Promise<Map<string, Uint8Array>> {
  const text = new TextEncoder();
  return new Map([
    [README, text.encode(artifact.info.modelCard)],
    ...(report === undefined ? [] : [[REPORT, text.encode(report)] as const]),
    ...(await packArtifact(artifact, { precision })),
  ]);
}

/** The network as a compiled plan; undefined where a baseline counts, and, with a warning, where it cannot be compiled. */
async function compiled(artifact: Artifact, observer: Observer): Promise<Uint8Array | undefined> {
  if (!isNeural(artifact.info.architecture)) return undefined;
  try {
    // Numbers of plain CPU can be read at once.
    return await run(async (slice) => compileArtifact(artifact, await slice.start('cpu')));
  } catch (error) {
    warn(observer, `there is no compiled plan, so pages need TensorFlow.js: ${reasonOf(error).replace(/\.$/, '')}.`);
    return undefined; // a training of hours never fails for it
  }
}

/** Whether something says what turns the scores of a network into logits: its loss, or a scale that was fitted. */
export async function hasScale(
  architecture: string,
  config: Readonly<Record<string, unknown>>,
  scale: number | undefined,
): Promise<boolean> {
  const { logitScale } = await models[architecture]!.spec();
  return (scale ?? logitScale?.(config)) !== undefined;
}

export const warnOfNoScale = (why: string, observer: Observer): void =>
  warn(observer, `the model will not learn on devices, nor be mixed by probabilities: ${why}.`);
