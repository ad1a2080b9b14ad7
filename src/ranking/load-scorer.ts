/** From an artifact of any architecture to scores. */
import { dispose, type Tensor } from '@tensorflow/tfjs';
import {
  type Artifact,
  type ArtifactInfo,
  BIRTHS_TENSOR,
  FEATURE_PREFIX,
  SUPPORT_TENSOR,
} from '../checkpoint/artifact';
import { fromTensors } from '../checkpoint/item-features';
import { verifyParameters } from '../checkpoint/verify';
import { RecommenderError } from '../errors';
import { loadCode } from '../load-code';
import { configure } from '../models/configuration';
import { models } from '../models/index';
import type { Params, SessionModel } from '../models/model';
import { toTensor } from '../models/tensors';
import type { Catalogue, NdArray, Scorer } from '../types';
import { neuralScorer } from './neural-scorer';
import type { SessionScorer } from './session-scorer';

/** A trained network on the active backend. */
export interface Network<C = unknown> {
  readonly model: SessionModel<C>;
  readonly params: Params;
  /** As `configure` returns it. */
  readonly config: C;
  readonly catalogue: Catalogue;
  /** What turns scores into logits: as the artifact says, else by its loss; absent where neither tells. */
  readonly scale?: number;
}

/** A scorer that owns its weights: `dispose` frees them. `openSession` of `ranking/session-scorer` takes it. */
export type LoadedScorer = Scorer & {
  openSession?(): SessionScorer;
  /** What computes, and stays the scorer's; absent where a baseline counts. */
  readonly network?: Network;
};

/** What `loadScorer` wants to know of an artifact that does not exist yet. */
export const NAMELESS = {
  name: 'new model',
  version: '0',
  golden: { session: [], top: [] },
  training: {},
  licence: '',
  modelCard: '',
};

/**
 * Fetches the architecture of an artifact and builds its scorer on the active backend. Nothing is uploaded before every
 * weight has been checked.
 *
 * @throws RecommenderError as `loadArchitecture`; `bad-artifact` for a damaged configuration; `weights-mismatch` for a weight
 *   that is missing or has another shape or type than the architecture needs.
 */
export async function loadScorer(artifact: Artifact): Promise<LoadedScorer> {
  const { info, tensors } = artifact;
  const catalogue = catalogueOf(artifact);
  const { model, baseline } = await loadArchitecture(info);
  if (model) return loadNeural(model, artifact, catalogue, configuredBy(model, artifact));
  return baseline.scorer(tensors, catalogue, configuredBy(baseline, artifact));
}

/**
 * Fetches what computes an artifact: a network, or a baseline that counts. The second time it is there at once.
 *
 * @throws RecommenderError `bad-artifact` for an architecture that is none; `io` where its code cannot be fetched.
 */
export async function loadArchitecture({ architecture, name }: Pick<ArtifactInfo, 'architecture' | 'name'>) {
  const load = <T>(code: () => Promise<T>) => loadCode(`"${architecture}"`, code);
  if (Object.hasOwn(models, architecture)) return { model: await load(models[architecture]!.network) };
  const { baselines } = await load(() => import('../neighbours/index'));
  if (Object.hasOwn(baselines, architecture)) return { baseline: baselines[architecture]! };
  const known = [...Object.keys(models), ...Object.keys(baselines)].join(', ');
  throw new RecommenderError(
    'bad-artifact',
    `The artifact "${name}" has the architecture "${architecture}", which this version does not know. ` +
      `It knows ${known}; update Aisle or train the model again.`,
  );
}

/** What of an artifact tells of its items, users and clicks. */
export interface SideOf {
  readonly info: Pick<ArtifactInfo, 'items' | 'features'>;
  readonly tensors: Readonly<Record<string, NdArray>>;
}

/** What the architectures may know of the artifact's catalogue. */
export function catalogueOf({ info, tensors }: SideOf): Catalogue {
  const support = tensors[SUPPORT_TENSOR];
  check(SUPPORT_TENSOR, support, [info.items + 1]);
  const features = fromTensors(tensors);
  for (const [name, array] of Object.entries(features)) check(FEATURE_PREFIX + name, array, [info.items + 1]);
  const categories = Object.entries(info.features ?? {}).flatMap(([name, feature]) =>
    feature.kind === 'category' ? [[name, feature.values.length] as const] : [],
  );
  return { items: info.items, support: support.data, features, categories: Object.fromEntries(categories) };
}

/** When the artifact's items were new; nothing where its model does not read it. */
export function birthsOf({ info, tensors }: SideOf): Int32Array {
  if (!Object.values(info.features ?? {}).some(({ kind }) => kind === 'age')) return new Int32Array(0);
  const births = tensors[BIRTHS_TENSOR];
  check(BIRTHS_TENSOR, births, [info.items + 1]);
  return births.data as Int32Array;
}

function loadNeural<C>(
  model: SessionModel<C>,
  { info, tensors }: Artifact,
  catalogue: Catalogue,
  config: C,
): LoadedScorer {
  const { scale = model.logitScale?.(config) } = info;
  const specs = model.parameters(config, catalogue);
  verifyParameters(tensors, specs);
  const params: Record<string, Tensor> = {};
  try {
    for (const name of Object.keys(specs)) params[name] = toTensor(tensors[name]!);
    const scorer = neuralScorer(model, params, config, catalogue);
    return {
      ...scorer,
      network: { model, params, config, catalogue, ...(scale !== undefined && { scale }) } as Network,
      dispose() {
        scorer.dispose();
        dispose(params);
      },
    };
  } catch (error) {
    dispose(params);
    throw error;
  }
}

function check(name: string, array: NdArray | undefined, shape: readonly number[]): asserts array is NdArray {
  const got = array ? `[${array.shape.join(', ')}]` : 'nothing';
  const expected = `[${shape.join(', ')}]`;
  if (got === expected) return;
  throw new RecommenderError(
    'weights-mismatch',
    `Weights of "${name}" have the shape ${got}, expected ${expected}. Train the model again, or export it whole.`,
  );
}

/** A configuration that an artifact carries is the artifact's fault, not the user's. */
function configuredBy<C>(subject: Parameters<typeof configure<C>>[0], { info }: Artifact): C {
  try {
    return configure(subject, info.config);
  } catch (cause) {
    if (!(cause instanceof RecommenderError)) throw cause;
    const message = `The configuration of the artifact "${info.name}" cannot be used: ${cause.message}`;
    throw new RecommenderError('bad-artifact', message, { cause });
  }
}
