/** What tuning needs of a loaded model: its item side as plain arrays, and vectors of sessions. */
import { type OpenedArtifact, REPLAY_OFFSETS_TENSOR, REPLAY_TENSOR, SUPPORT_TENSOR } from '../checkpoint/artifact';
import type { BaseModel } from '../checkpoint/delta';
import { RecommenderError } from '../errors';
import { loaded } from '../loaded';
import { loadArchitecture, type Network } from '../ranking/architecture';
import { fitScale } from '../ranking/scale';
import type { FrozenModel } from '../train/tuning/frozen-model';
import type { BaseNetwork } from '../train/tuning/full-parameters';
import { itemAttributesOf } from '../train/tuning/item-attributes';
import type { Model } from './model';

/** A loaded model, on any backend. */
export interface LoadedNetwork {
  readonly artifact: OpenedArtifact;
  /** Absent where a baseline counts. */
  readonly network: Pick<Network, 'scale'> | undefined;
}

/** Of a model on a device, what a frozen model is made of: benches make one without an engine. */
export type ScoringModel = Pick<Model, 'artifact' | 'scorer' | 'network'>;

/**
 * @throws RecommenderError `not-tunable` for a counting baseline, which has nothing to tune, or if nothing states the
 *   scale of a network's scores.
 */
export function networkOf<N extends Pick<Network, 'scale'>>(of: {
  readonly network: N | undefined;
  readonly artifact: OpenedArtifact;
}): N {
  const { network, artifact } = of;
  const { name, architecture } = artifact.info;
  if (!network) {
    throw new RecommenderError(
      'not-tunable',
      `"${name}" counts (${architecture}) and does not learn on the device. Load a model of a neural architecture.`,
    );
  }
  if (network.scale === undefined && replayOf(artifact).length === 0) throw noScale(name);
  return network;
}

/** More teach nothing further: one is replayed with each event. */
const MOST_SESSIONS = 64;

/** Each session without its last click, and that click. */
export function replayOf({ tensors }: OpenedArtifact): NonNullable<BaseNetwork['replay']> {
  const { [REPLAY_TENSOR]: clicks, [REPLAY_OFFSETS_TENSOR]: offsets } = tensors;
  if (!clicks || !offsets) return [];
  const starts = [...offsets.data.subarray(0, MOST_SESSIONS + 1)];
  return starts.slice(1).map((end, s) => ({
    session: { items: clicks.data.subarray(starts[s], end - 1) },
    target: clicks.data[end - 1]!,
  }));
}

const noScale = (name: string): RecommenderError =>
  new RecommenderError(
    'not-tunable',
    `"${name}" does not say what turns its scores into probabilities ("scale" in its manifest.json), so it does not learn ` +
      'on the device. Train it with a validation part, or import it with --data.',
  );

/** Made once for an artifact: a scale does not depend on where it is computed. */
const scales = new WeakMap<OpenedArtifact, number | undefined>();

/**
 * What turns the scores of a network into logits: as its artifact or its loss says, else fitted on the sessions that travel with
 * it. Undefined where nothing tells, and of a baseline. Inside a slice, on the model's device.
 */
export async function scaleOf({ scorer, network, artifact }: ScoringModel): Promise<number | undefined> {
  if (!network || network.scale !== undefined || scales.has(artifact)) return network?.scale ?? scales.get(artifact);
  const replay = replayOf(artifact);
  const scores = await scorer.score(replay.map(({ session }) => session));
  const scale = await fitScale(async (visit) => {
    for (const [s, { target }] of replay.entries())
      visit(scores.subarray(s * scorer.items, (s + 1) * scorer.items), target - 1);
  });
  scales.set(artifact, scale);
  return scale;
}

/** Made once for an artifact. */
const baseNetworks = new WeakMap<OpenedArtifact, Promise<BaseNetwork>>();

/** The network as its artifact holds it. The first time to be called outside of slices: it may fetch the specification. */
export function baseNetwork(artifact: OpenedArtifact): Promise<BaseNetwork> {
  const made = baseNetworks.get(artifact) ?? makeBaseNetwork(artifact);
  baseNetworks.set(artifact, made);
  made.catch(() => baseNetworks.delete(artifact));
  return made;
}

async function makeBaseNetwork(artifact: OpenedArtifact): Promise<BaseNetwork> {
  const [{ networkInfo }, { model }] = await Promise.all([
    loaded(import('../ranking/network-info'), 'specifications'),
    loadArchitecture(artifact.info),
  ]);
  const { config, catalogue } = networkInfo(model!, artifact);
  return { model: model!, config, catalogue, tensors: artifact.tensors };
}

export function baseOf({ info, hash }: OpenedArtifact): BaseModel {
  const { name, version, architecture, items } = info;
  return { name, version, architecture, hash, items };
}

/** Made once for an artifact: the item side is the same on every backend. */
const frozenModels = new WeakMap<OpenedArtifact, FrozenModel>();

/** Inside a slice, on the model's device. */
export async function frozenModelOf(model: ScoringModel): Promise<FrozenModel> {
  const { artifact } = model;
  const known = frozenModels.get(artifact);
  if (known) return known;
  const network = networkOf(model);
  const scale = await scaleOf(model);
  if (scale === undefined) throw noScale(artifact.info.name);
  const { itemIds, tensors, catalogue: products = [] } = artifact;
  const frozen: FrozenModel = {
    base: baseOf(artifact),
    itemIds,
    ...(await network.itemSide()),
    scale,
    support: tensors[SUPPORT_TENSOR]!.data,
    attributes: itemAttributesOf(products, itemIds),
  };
  frozenModels.set(artifact, frozen);
  return frozen;
}
