/** What tuning needs of a loaded model: its item side as plain arrays, and vectors of sessions. */
import { slice, tidy } from '@tensorflow/tfjs-core';
import { type OpenedArtifact, SUPPORT_TENSOR } from '../checkpoint/artifact';
import type { BaseModel } from '../checkpoint/delta';
import { readFinite } from '../compute/executor';
import { RecommenderError } from '../errors';
import type { Network } from '../ranking/load-scorer';
import { facetsOf } from '../train/tuning/facets';
import type { FrozenModel } from '../train/tuning/frozen-model';
import type { BaseNetwork } from '../train/tuning/full-parameters';
import type { Model } from './ready-model';

/** A model that was loaded, wherever it computes. */
export interface LoadedNetwork {
  readonly artifact: OpenedArtifact;
  /** Absent where a baseline counts. */
  readonly network: Omit<Network, 'params'> | undefined;
}

/** @throws RecommenderError `not-tunable` where a baseline counts: it has nothing that could be tuned. */
export function networkOf<N>({ network, artifact }: { network: N | undefined; artifact: OpenedArtifact }): N {
  if (network) return network;
  const { name, architecture } = artifact.info;
  throw new RecommenderError(
    'not-tunable',
    `"${name}" counts (${architecture}) and does not learn on the device. Load a model of a neural architecture.`,
  );
}

/** The network as its artifact holds it. */
export function baseNetwork(of: LoadedNetwork): BaseNetwork {
  const { model, config, catalogue } = networkOf(of);
  return { model, config, catalogue, tensors: of.artifact.tensors };
}

export function baseOf({ info, hash }: OpenedArtifact): BaseModel {
  const { name, version, architecture, items } = info;
  return { name, version, architecture, hash, items };
}

/** Made once for an artifact: the item side does not change, wherever it computes. */
const frozenModels = new WeakMap<OpenedArtifact, FrozenModel>();

/** Inside a slice, on the model's device. Benches that learn call it too: what they measure is what a page learns from. */
export async function frozenModelOf(model: Pick<Model, 'artifact' | 'network'>): Promise<FrozenModel> {
  const { artifact } = model;
  const known = frozenModels.get(artifact);
  if (known) return known;
  const { model: architecture, params, config, catalogue } = networkOf(model);
  const n = catalogue.items;
  const [rows, biases, lifts] = tidy(() => {
    const { table, bias, repeats } = architecture.outputs(params, config);
    return [slice(table, [1, 0], [n, -1]), bias && slice(bias, 1, n), repeats && slice(repeats, 0)];
  });
  const [table, bias, repeats] = await Promise.all([rows, biases, lifts].map((part) => part && readFinite(part)));
  const { itemIds, tensors, catalogue: products = [] } = artifact;
  const frozen: FrozenModel = {
    base: baseOf(artifact),
    ...{ itemIds, table: table! },
    ...(bias && { bias }),
    ...(repeats && { repeats }),
    support: tensors[SUPPORT_TENSOR]!.data,
    facets: facetsOf(products, itemIds),
  };
  frozenModels.set(artifact, frozen);
  return frozen;
}
