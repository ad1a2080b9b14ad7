/** What tuning needs of a loaded model: its item side as plain arrays, and vectors of sessions. */
import { slice, type Tensor, tidy } from '@tensorflow/tfjs-core';
import { type OpenedArtifact, SUPPORT_TENSOR } from '../checkpoint/artifact';
import type { BaseModel } from '../checkpoint/delta';
import { RecommenderError } from '../errors';
import type { Network } from '../ranking/load-scorer';
import { facetsOf } from '../train/tuning/facets';
import type { BaseNetwork } from '../train/tuning/full-parameters';
import type { Ground } from '../train/tuning/ground';
import type { Model } from './ready-model';

/** @throws RecommenderError `not-tunable` where a baseline counts: it has nothing that could be tuned. */
export function networkOf({ scorer, artifact }: Pick<Model, 'scorer' | 'artifact'>): Network {
  if (scorer.network) return scorer.network;
  const { name, architecture } = artifact.info;
  throw new RecommenderError(
    'not-tunable',
    `"${name}" counts (${architecture}) and does not learn on the device. Load a model of a neural architecture.`,
  );
}

/** The network as its artifact holds it. */
export function baseNetwork(model: Pick<Model, 'artifact' | 'scorer'>): BaseNetwork {
  const { model: architecture, config, catalogue } = networkOf(model);
  return { model: architecture, config, catalogue, tensors: model.artifact.tensors };
}

export function baseOf({ info, hash }: OpenedArtifact): BaseModel {
  const { name, version, architecture, items } = info;
  return { name, version, architecture, hash, items };
}

/** Made once for an artifact: the item side does not change, wherever it computes. */
const grounds = new WeakMap<OpenedArtifact, Ground>();

/** Inside a turn, on the model's backend. Benches that learn call it too: what they measure is what a page learns by. */
export async function groundOf(model: Pick<Model, 'artifact' | 'scorer'>): Promise<Ground> {
  const { artifact } = model;
  const known = grounds.get(artifact);
  if (known) return known;
  const { model: architecture, params, config, catalogue } = networkOf(model);
  const n = catalogue.items;
  const [rows, biases, lifts] = tidy(() => {
    const { table, bias, repeats } = architecture.outputs(params, config);
    return [slice(table, [1, 0], [n, -1]), bias && slice(bias, 1, n), repeats && slice(repeats, 0)];
  });
  const [table, bias, repeats] = await Promise.all([read(rows!), biases && read(biases), lifts && read(lifts)]);
  const { itemIds, tensors, catalogue: products = [] } = artifact;
  const ground: Ground = {
    base: baseOf(artifact),
    ...{ itemIds, table },
    ...(bias && { bias }),
    ...(repeats && { repeats }),
    support: tensors[SUPPORT_TENSOR]!.data,
    facets: facetsOf(products, itemIds),
  };
  grounds.set(artifact, ground);
  return ground;
}

/** Reads a tensor, and frees it. */
export async function read(values: Tensor): Promise<Float32Array> {
  try {
    return (await values.data()) as Float32Array;
  } finally {
    values.dispose();
  }
}
