/** What several language models are built of. */
import type { Tensor1D, Tensor2D, Tensor4D } from '@tensorflow/tfjs';
import { type AttentionParams, attention } from '../../nn/attention';
import { layerNorm } from '../../nn/layer-norm';
import type { RelativeAttentionParams } from '../../nn/relative-attention';
import type { Run } from '../model';
import { linearAt, type Named } from './language-model';
import { RELATIVE } from './language-model-parameters';
import type { Size } from './settings';

const attentionAt = (at: Named, name: string): AttentionParams => ({
  query: linearAt(at, `${name}.query`),
  key: linearAt(at, `${name}.key`),
  value: linearAt(at, `${name}.value`),
  output: linearAt(at, `${name}.output`),
});

/** Attention of layer l over x `[B · W, d]`; its weights go to `observe`, then through dropout. */
export function attentionOf(
  at: Named,
  l: number,
  x: Tensor2D,
  { batch, bias }: { readonly batch: number; readonly bias: Tensor4D | undefined },
  { heads, attentionDropout }: Size,
  { dropout, observe }: Run,
): Tensor2D {
  return attention(attentionAt(at, `layers.${l}.attention`), x, x, {
    batch,
    heads,
    bias,
    dropout: (weights) => {
      observe?.(`attention.${l}`, weights);
      return dropout(weights, attentionDropout);
    },
  });
}

export const normAt = (at: Named, name: string, x: Tensor2D, epsilon: number): Tensor2D =>
  layerNorm(x, at(`${name}.gain`) as Tensor1D, at(`${name}.bias`) as Tensor1D, epsilon);

export const relativeAt = (at: Named, name: string): RelativeAttentionParams =>
  Object.fromEntries(
    [...RELATIVE, 'output', 'contentBias', 'distanceBias'].map((part) => [part, at(`${name}.${part}`)]),
  ) as unknown as RelativeAttentionParams;
