/** The gradients of the kernels of `attention.ts`. */
import { float32 } from '../shared/kernel';
import type { WasmKernel } from '../wasm/memory';
import { addressOf, sizesOf } from './attention';
import { simdOf } from './training-module';

/** `[∂q, ∂k]`, and in relative attention `∂qw` and `∂r`. */
export const attentionWeightsGrad: WasmKernel = {
  name: 'AisleAttentionWeightsGrad',
  plan(call) {
    const { inputs, attrs, backend } = call;
    const run = simdOf(backend);
    const { batch, heads, T, K, D, R, headsFirst } = sizesOf(call);
    return {
      outputs: ['q', 'k', 'qw', 'r'].flatMap((name) => (inputs[name] ? [float32(inputs[name].shape)] : [])),
      workspace: run.attentionScratch(T, K, R),
      compute(views, made) {
        const names = ['dy', 'weights', 'q', 'k', 'qw', 'r', 'sees'];
        const from = names.map((name) => addressOf(views, inputs[name]));
        const to = [0, 1, 2, 3].map((i) => addressOf(views, made[i]));
        const scalars = [batch, heads, T, K, D, R, attrs.scale as number, headsFirst];
        run.attentionWeightsGradient(...from, ...to, ...scalars, views.workspace);
      },
    };
  },
};

/** `[∂weights, ∂v]`. */
export const attentionReadGrad: WasmKernel = {
  name: 'AisleAttentionReadGrad',
  plan({ inputs, attrs, backend }) {
    const run = simdOf(backend);
    const [dy, weights, v] = [inputs.dy!, inputs.weights!, inputs.v!];
    const { batch, heads, headsFirst } = attrs as { batch: number; heads: number; headsFirst: boolean };
    const [T, K] = weights.shape.slice(2) as [number, number];
    return {
      outputs: [float32(weights.shape), float32(v.shape)],
      workspace: run.gemmScratch(),
      compute({ at, workspace }, made) {
        const addresses = [dy, weights, v, ...made].map(at);
        const scalars = [batch, heads, T, K, v.shape[1]! / heads, headsFirst ? 1 : 0];
        run.attentionReadGradient(...addresses, ...scalars, workspace);
      },
    };
  },
};
