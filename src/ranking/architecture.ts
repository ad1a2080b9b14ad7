/** What scores an artifact, apart from how it is computed. No tensors: a page whose model has a plan loads no TensorFlow.js. */
import { type ArtifactInfo, FEATURE_PREFIX, SUPPORT_TENSOR } from '../checkpoint/artifact';
import { within } from '../checkpoint/prefixes';
import { RecommenderError } from '../errors';
import { loaded } from '../loaded';
import { models } from '../models/index';
import type { Catalogue, NdArray, NdArrays, Scorer, SessionInput } from '../types';
import type { SessionScorer } from './session-scorer';

/** A trained network on a device, as explaining and learning use it: in plain arrays. */
export interface Network {
  /** What turns scores into logits: as the artifact says, else by its loss; absent where neither tells. */
  readonly scale?: number;
  /** Vectors `[B, d]` of sessions with at least one click. */
  encode(sessions: readonly SessionInput[]): Promise<Float32Array>;
  /** What scores by them, of the items alone. */
  itemSide(): Promise<ItemSide>;
  /** The same network with another table and bias. Its owner disposes it, this one's remains. */
  withItems(items: Pick<ItemSide, 'table'> & Required<Pick<ItemSide, 'bias'>>): LoadedScorer;
  /** The same architecture with some other parameters. Absent where a plan computes, which has its own. */
  withParameters?(parameters: NdArrays): LoadedScorer;
}

/** score of item i = c · table[i] + bias[i] + repeats[l], l clicks after item i was clicked last, if it was. */
export interface ItemSide {
  /** `[n, d]`: neither padding nor special tokens. */
  readonly table: Float32Array;
  /** `[n]`. */
  readonly bias?: Float32Array;
  readonly repeats?: Float32Array;
}

/** A scorer that owns its weights: `dispose` frees them. `openSession` of `ranking/session-scorer` takes it. */
export type LoadedScorer = Scorer & {
  openSession?(): SessionScorer;
  /** What computes, and stays the scorer's; absent where a baseline counts. */
  readonly network?: Network;
};

/** Whether a network computes it; else a baseline counts. */
export const isNeural = (architecture: string): boolean => Object.hasOwn(models, architecture);

/**
 * Fetches what reads an artifact: the specification of a network, or a baseline that counts. The second time it is there at once.
 *
 * @throws RecommenderError `bad-artifact` for an architecture that is none; `io` where its code cannot be fetched.
 */
export async function loadArchitecture({ architecture, name }: Pick<ArtifactInfo, 'architecture' | 'name'>) {
  const what = `"${architecture}"`;
  if (isNeural(architecture)) return { model: await loaded(models[architecture]!.spec(), what) };
  const { baselines } = await loaded(import('../neighbours/index'), what);
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
  readonly tensors: NdArrays;
}

/** What the architectures may know of the artifact's catalogue. */
export function catalogueOf({ info, tensors }: SideOf): Catalogue {
  const support = tensors[SUPPORT_TENSOR];
  checkShape(SUPPORT_TENSOR, support, [info.items + 1]);
  const features = within(FEATURE_PREFIX, tensors);
  for (const [name, array] of Object.entries(features)) checkShape(FEATURE_PREFIX + name, array, [info.items + 1]);
  const categories = Object.entries(info.features ?? {}).flatMap(([name, feature]) =>
    feature.kind === 'category' ? [[name, feature.values.length] as const] : [],
  );
  return { items: info.items, support: support.data, features, categories: Object.fromEntries(categories) };
}

/** @throws RecommenderError `weights-mismatch` for an array of another shape, or none. */
export function checkShape(
  name: string,
  array: NdArray | undefined,
  shape: readonly number[],
): asserts array is NdArray {
  const got = array ? `[${array.shape.join(', ')}]` : 'nothing';
  const expected = `[${shape.join(', ')}]`;
  if (got === expected) return;
  throw new RecommenderError(
    'weights-mismatch',
    `Weights of "${name}" have the shape ${got}, expected ${expected}. Train the model again, or export it whole.`,
  );
}
