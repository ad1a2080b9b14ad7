/**
 * The kernels behind `nn/attention-kernels.ts`: the weights, and what they read. Between the two come dropout and whoever
 * observes the weights.
 */
import type { SimdCall, SimdKernel } from './kernel';

interface Sizes {
  readonly batch: number;
  readonly heads: number;
  readonly T: number;
  readonly K: number;
  readonly D: number;
  readonly R: number;
  readonly headsFirst: 0 | 1;
}

/** `rows` names the input or its slope that has a row for every query, `keys` one that has a row for every key. */
function sizesOf({ inputs, attrs }: SimdCall, rows: string, keys: string): Sizes {
  const { batch, heads, headsFirst } = attrs as { batch: number; heads: number; headsFirst: boolean };
  const [queries, d] = inputs[rows]!.shape as [number, number];
  const K = inputs[keys]!.shape[0]! / batch;
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

export const attentionWeights: SimdKernel = {
  name: 'AisleAttentionWeights',
  run(call) {
    const { inputs, attrs, simd, output } = call;
    const sizes = sizesOf(call, 'q', 'k');
    const { batch, heads, T, K, D, R, headsFirst } = sizes;
    const out = output(shapeOf(sizes));
    const at = (name: string) => (inputs[name] ? simd.at(inputs[name]) : 0);
    const strides = inputs.bias ? biasStrides(inputs.bias.shape, K, headsFirst === 1) : [0, 0];
    const from = [...['q', 'k', 'qw', 'r', 'sees', 'bias'].map(at), ...strides, simd.at(out)];
    const work = simd.scratch(simd.run.attentionScratch(T, K, R));
    simd.run.attentionWeights(...from, batch, heads, T, K, D, R, attrs.scale as number, headsFirst, work);
    return out;
  },
};

/** `[∂q, ∂k]`, and in relative attention `∂qw` and `∂r`. */
export const attentionWeightsGrad: SimdKernel = {
  name: 'AisleAttentionWeightsGrad',
  run(call) {
    const { inputs, attrs, simd, output } = call;
    const { batch, heads, T, K, D, R, headsFirst } = sizesOf(call, 'q', 'k');
    const made = ['q', 'k', 'qw', 'r'].flatMap((name) => (inputs[name] ? [output(inputs[name].shape)] : []));
    const at = (name: string) => (inputs[name] ? simd.at(inputs[name]) : 0);
    const to = [0, 1, 2, 3].map((i) => (made[i] ? simd.at(made[i]) : 0));
    const from = ['dy', 'weights', 'q', 'k', 'qw', 'r', 'sees'].map(at);
    const work = simd.scratch(simd.run.attentionScratch(T, K, R));
    simd.run.attentionWeightsGradient(
      ...from,
      ...to,
      batch,
      heads,
      T,
      K,
      D,
      R,
      attrs.scale as number,
      headsFirst,
      work,
    );
    return made;
  },
};

export const attentionRead: SimdKernel = {
  name: 'AisleAttentionRead',
  run({ inputs, attrs, simd, output }) {
    const [weights, v] = [inputs.weights!, inputs.v!];
    const { batch, heads, headsFirst } = attrs as { batch: number; heads: number; headsFirst: boolean };
    const [T, K] = weights.shape.slice(2) as [number, number];
    const d = v.shape[1]!;
    const out = output([batch * T, d]);
    const addresses = [weights, v, out].map(simd.at);
    const work = simd.scratch(simd.run.gemmScratch());
    simd.run.attentionRead(...addresses, batch, heads, T, K, d / heads, headsFirst ? 1 : 0, work);
    return out;
  },
};

/** `[∂weights, ∂v]`. */
export const attentionReadGrad: SimdKernel = {
  name: 'AisleAttentionReadGrad',
  run({ inputs, attrs, simd, output }) {
    const [dy, weights, v] = [inputs.dy!, inputs.weights!, inputs.v!];
    const { batch, heads, headsFirst } = attrs as { batch: number; heads: number; headsFirst: boolean };
    const [T, K] = weights.shape.slice(2) as [number, number];
    const made = [output(weights.shape), output(v.shape)];
    const addresses = [dy, weights, v, ...made].map(simd.at);
    const work = simd.scratch(simd.run.gemmScratch());
    simd.run.attentionReadGradient(...addresses, batch, heads, T, K, v.shape[1]! / heads, headsFirst ? 1 : 0, work);
    return made;
  },
};
