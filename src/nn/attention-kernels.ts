/** Attention as two kernels, for backends that have them: the weights of all heads, and what those read. */
import {
  customGrad,
  engine,
  type GradSaveFunc,
  type NamedTensorMap,
  type Tensor,
  type Tensor2D,
  type Tensor4D,
} from '@tensorflow/tfjs';
import { hasKernel } from './kernels';

export const hasAttentionKernels = (): boolean => hasKernel('AisleAttentionWeights');

/** How rows and columns belong to sessions and heads. */
export interface Heads {
  readonly batch: number;
  readonly heads: number;
  /** Weights are `[heads, B, T, K]` instead of `[B, heads, T, K]`. */
  readonly headsFirst: boolean;
}

export interface WeightsInput {
  /** Queries, `[B · T, d]`, and keys, `[B · K, d]`; heads are neighbouring columns. */
  readonly q: Tensor2D;
  readonly k: Tensor2D;
  /** Relative attention: queries for distances, `[B · T, d]`, and encoded distances, `[R, d]`. */
  readonly relative?: { readonly qw: Tensor2D; readonly r: Tensor2D } | undefined;
  /** Factor of a query's scores, `[…, B, T, 1]`. */
  readonly sees?: Tensor | undefined;
  /** Added to the scores: a 4-D tensor with the sessions where the weights have them, and 1 for the heads. */
  readonly bias?: Tensor4D | undefined;
  /** Factor of all scores. */
  readonly scale: number;
}

/** The softmax of the scores. Neither `sees` nor `bias` has a slope. */
export function attentionWeights(
  { q, k, relative, sees, bias, scale }: WeightsInput,
  { batch, heads, headsFirst }: Heads,
): Tensor4D {
  const attrs = { batch, heads, headsFirst, scale };
  const run = (kernel: string, inputs: Readonly<Record<string, Tensor | undefined>>) => {
    const given = Object.entries(inputs).filter(([, tensor]) => tensor !== undefined);
    return engine().runKernel(kernel, Object.fromEntries(given) as NamedTensorMap, attrs);
  };
  const weigh = customGrad((...inputs) => {
    const save = inputs.pop() as unknown as GradSaveFunc;
    const [q, k, qw, r] = inputs as Tensor[];
    const weights = run('AisleAttentionWeights', { q, k, qw, r, sees, bias }) as Tensor4D;
    save([weights, ...(inputs as Tensor[]), ...(sees ? [sees] : [])]);
    return {
      value: weights,
      gradFunc: (dy: Tensor, saved: Tensor[]) => {
        const [weights, q, k, ...rest] = saved;
        const [qw, r, seen] = relative ? rest : [undefined, undefined, ...rest];
        return run('AisleAttentionWeightsGrad', { dy, weights, q, k, qw, r, sees: seen }) as unknown as Tensor[];
      },
    };
  });
  return weigh(...(relative ? [q, k, relative.qw, relative.r] : [q, k])) as Tensor4D;
}

/**
 * The sum of the values, `[B · K, d]`, by their weights.
 *
 * @returns `[B · T, d]`, the heads joined.
 */
export function attentionRead(weights: Tensor4D, v: Tensor2D, { batch, heads, headsFirst }: Heads): Tensor2D {
  const attrs = { batch, heads, headsFirst };
  const read = customGrad((...inputs) => {
    const [weights, v, save] = inputs as unknown as [Tensor, Tensor, GradSaveFunc];
    save([weights, v]);
    return {
      value: engine().runKernel('AisleAttentionRead', { weights, v }, attrs) as Tensor2D,
      gradFunc: (dy: Tensor, saved: Tensor[]) => {
        const [weights, v] = saved as [Tensor, Tensor];
        return engine().runKernel('AisleAttentionReadGrad', { dy, weights, v }, attrs) as unknown as Tensor[];
      },
    };
  });
  return read(weights, v) as Tensor2D;
}
