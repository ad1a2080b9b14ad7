/**
 * The kernels behind `nn/attention-kernels.ts`: the weights, and what they read. Between the two come dropout and whoever
 * observes the weights.
 */
import type { TensorInfo } from '@tensorflow/tfjs';
import { float32, type KernelCall } from '../shared/kernel';
import type { WasmKernel, WasmViews } from '../wasm/memory';
import { simdOf } from './inference-module';

interface Sizes {
  readonly batch: number;
  readonly heads: number;
  readonly T: number;
  readonly K: number;
  readonly D: number;
  readonly R: number;
  readonly headsFirst: 0 | 1;
}

export function sizesOf({ inputs, attrs }: KernelCall): Sizes {
  const { batch, heads, headsFirst } = attrs as { batch: number; heads: number; headsFirst: boolean };
  const [queries, d] = inputs.q!.shape as [number, number];
  const K = inputs.k!.shape[0]! / batch;
  const R = inputs.r?.shape[0] ?? 0;
  return { batch, heads, T: queries / batch, K, D: d / heads, R, headsFirst: headsFirst ? 1 : 0 };
}

const shapeOf = ({ batch, heads, T, K, headsFirst }: Sizes): number[] =>
  headsFirst ? [heads, batch, T, K] : [batch, heads, T, K];

/** How far the bias, `[…, B or 1, …, T or 1, K]`, moves with each session and each query. */
function biasStrides(shape: readonly number[], K: number, headsFirst: boolean): [number, number] {
  const [sessions, rows] = [shape[headsFirst ? 1 : 0]!, shape[2]!];
  return [sessions === 1 ? 0 : rows * K, rows === 1 ? 0 : K];
}

export const attentionWeights: WasmKernel = {
  name: 'AisleAttentionWeights',
  plan(call) {
    const { inputs, attrs, backend } = call;
    const run = simdOf(backend);
    const sizes = sizesOf(call);
    const { batch, heads, T, K, D, R, headsFirst } = sizes;
    const strides = inputs.bias ? biasStrides(inputs.bias.shape, K, headsFirst === 1) : [0, 0];
    return {
      outputs: float32(shapeOf(sizes)),
      workspace: run.attentionScratch(T, K, R),
      compute(views, [out]) {
        const from = ['q', 'k', 'qw', 'r', 'sees', 'bias'].map((name) => addressOf(views, inputs[name]));
        const scalars = [batch, heads, T, K, D, R, attrs.scale as number, headsFirst];
        run.attentionWeights(...from, ...strides, views.at(out!), ...scalars, views.workspace);
      },
    };
  },
};

/** 0 for a tensor that is not there. */
export const addressOf = ({ at }: WasmViews, tensor: TensorInfo | undefined): number => (tensor ? at(tensor) : 0);

export const attentionRead: WasmKernel = {
  name: 'AisleAttentionRead',
  plan({ inputs, attrs, backend }) {
    const run = simdOf(backend);
    const [weights, v] = [inputs.weights!, inputs.v!];
    const { batch, heads, headsFirst } = attrs as { batch: number; heads: number; headsFirst: boolean };
    const [T, K] = weights.shape.slice(2) as [number, number];
    const d = v.shape[1]!;
    return {
      outputs: float32([batch * T, d]),
      workspace: run.gemmScratch(),
      compute({ at, workspace }, [out]) {
        const addresses = [weights, v, out!].map(at);
        run.attentionRead(...addresses, batch, heads, T, K, d / heads, headsFirst ? 1 : 0, workspace);
      },
    };
  },
};
