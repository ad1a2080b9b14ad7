/** What several language models are built of. */
import type { Tensor1D, Tensor2D } from '@tensorflow/tfjs-core';
import type { AttentionParams } from '../../nn/attention';
import { layerNorm } from '../../nn/layer-norm';
import type { RelativeAttentionParams } from '../../nn/relative-attention';
import { linearAt, type Named } from './language-model';
import type { Size } from './settings';

/** Declares the four affine maps of an attention layer. */
export function declareAttention(
  linear: (name: string, rows: number, columns: number, std?: number) => void,
  name: string,
  d: number,
  outputStd?: number,
): void {
  for (const part of ['query', 'key', 'value']) linear(`${name}.${part}`, d, d);
  linear(`${name}.output`, d, d, outputStd);
}

export const attentionAt = (at: Named, name: string): AttentionParams => ({
  query: linearAt(at, `${name}.query`),
  key: linearAt(at, `${name}.key`),
  value: linearAt(at, `${name}.value`),
  output: linearAt(at, `${name}.output`),
});

export const normAt = (at: Named, name: string, x: Tensor2D, epsilon: number): Tensor2D =>
  layerNorm(x, at(`${name}.gain`) as Tensor1D, at(`${name}.bias`) as Tensor1D, epsilon);

const RELATIVE = ['query', 'key', 'value', 'distance'] as const;

/** Declares the weights of a relative attention layer. */
export function declareRelative(
  matrix: (name: string, shape: readonly number[]) => void,
  name: string,
  { d, heads, headWidth }: Size,
): void {
  for (const part of RELATIVE) matrix(`${name}.${part}`, [d, heads * headWidth]);
  matrix(`${name}.output`, [heads * headWidth, d]);
  for (const part of ['contentBias', 'distanceBias']) matrix(`${name}.${part}`, [heads, headWidth]);
}

export const relativeAt = (at: Named, name: string): RelativeAttentionParams =>
  Object.fromEntries(
    [...RELATIVE, 'output', 'contentBias', 'distanceBias'].map((part) => [part, at(`${name}.${part}`)]),
  ) as unknown as RelativeAttentionParams;
