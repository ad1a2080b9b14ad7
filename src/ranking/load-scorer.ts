/** From an artifact of any architecture to scores, by TensorFlow.js. */
import { dispose, slice, type Tensor, type Tensor1D, type Tensor2D, tidy } from '@tensorflow/tfjs';
import type { Artifact } from '../checkpoint/artifact';
import { readFinite } from '../compute/executor';
import { loaded } from '../loaded';
import { models } from '../models/index';
import type { Params, SessionModel } from '../models/model';
import { toTensor, upload } from '../models/tensors';
import type { NdArrays, SessionInput } from '../types';
import { type ItemSide, type LoadedScorer, loadArchitecture, type Network } from './architecture';
import { type NetworkInfo, networkInfo } from './network-info';
import { INFERENCE, neuralScorer } from './neural-scorer';

/** A trained network on the active backend. */
export interface TensorNetwork<C = unknown> extends NetworkInfo<C> {
  readonly model: SessionModel<C>;
  readonly params: Params;
}

/** What `loadScorer` wants to know of an artifact that does not exist yet. */
export const NAMELESS = {
  name: 'new model',
  version: '0',
  golden: { session: [], top: [] },
  training: {},
  licence: '',
  modelCard: '',
};

/** Fetches the network of an architecture; the second time it is there at once. */
export const loadNetwork = (architecture: string): Promise<SessionModel<unknown>> =>
  loaded(models[architecture]!.network(), `"${architecture}"`);

/**
 * Fetches the architecture of an artifact and builds its scorer on the active backend. Nothing is uploaded before every
 * weight has been checked.
 *
 * @throws RecommenderError as `loadArchitecture` and `networkInfo`.
 */
export async function loadScorer(artifact: Artifact): Promise<LoadedScorer> {
  const { info, tensors } = artifact;
  const { model, baseline } = await loadArchitecture(info);
  if (baseline) {
    const { baselineScorer } = await loaded(import('./baseline-scorer'), 'counting');
    return baselineScorer(baseline, artifact);
  }
  const known = networkInfo<unknown>(model, artifact);
  const { network, dispose } = uploaded({ ...known, model: await loadNetwork(info.architecture) }, tensors);
  try {
    return scorerOf(network, dispose);
  } catch (error) {
    dispose();
    throw error;
  }
}

/** A network whose parameters are on the active backend, until it is disposed. */
export function uploaded<C>(
  of: Omit<TensorNetwork<C>, 'params'>,
  tensors: NdArrays,
): { readonly network: TensorNetwork<C>; dispose(): void } {
  const params: Record<string, Tensor> = {};
  const free = () => dispose(params);
  try {
    for (const name of Object.keys(of.model.parameters(of.config, of.catalogue)))
      params[name] = toTensor(tensors[name]!);
  } catch (error) {
    free();
    throw error;
  }
  return { network: { ...of, params }, dispose: free };
}

/** @param free Frees what the scorer owns beside its item side. */
function scorerOf<C>(network: TensorNetwork<C>, free: () => void): LoadedScorer {
  const { model, params, config, catalogue } = network;
  const scorer = neuralScorer(model, params, config, catalogue);
  return {
    ...scorer,
    network: computing(network),
    dispose() {
      scorer.dispose();
      free();
    },
  };
}

function computing<C>(network: TensorNetwork<C>): Network {
  const { model, params, config, catalogue, scale } = network;
  const { items: n } = catalogue;
  return {
    ...(scale !== undefined && { scale }),
    async encode(sessions: readonly SessionInput[]) {
      const prepared = model.prepare(sessions, config, catalogue);
      return readFinite(tidy(() => model.encode(params, upload(prepared), config, INFERENCE)));
    },
    async itemSide() {
      const parts = tidy(() => {
        const { table, bias, repeats } = model.outputs(params, config);
        return [slice(table, [1, 0], [n, -1]), bias && slice(bias, 1, n), repeats && slice(repeats, 0)];
      });
      const [table, bias, repeats] = await Promise.all(parts.map((part) => part && readFinite(part)));
      return { table: table!, ...(bias && { bias }), ...(repeats && { repeats }) } satisfies ItemSide;
    },
    withItems({ table, bias }) {
      /** With the row of padding, which is never scored. */
      const padded = (values: Float32Array, row: number): Float32Array => {
        const whole = new Float32Array(row + values.length);
        whole.set(values, row);
        return whole;
      };
      const d = table.length / n;
      const outputs: typeof model.outputs = (params, config) => ({
        ...model.outputs(params, config),
        table: toTensor({ data: padded(table, d), shape: [n + 1, d] }) as Tensor2D,
        bias: toTensor({ data: padded(bias, 1), shape: [n + 1] }) as Tensor1D,
      });
      return scorerOf({ ...network, model: { ...model, outputs } }, () => {});
    },
    withParameters(parameters) {
      const own = upload(parameters);
      try {
        return scorerOf({ ...network, params: { ...params, ...own } }, () => dispose(own));
      } catch (error) {
        dispose(own);
        throw error;
      }
    },
  };
}
