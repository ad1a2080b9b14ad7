/**
 * How vectors become scores: by their product, or by its cosine over a temperature, for every architecture that offers both.
 *
 *     sⱼ = c · E[j] / τ                    dot
 *     sⱼ = (c / ‖c‖) · (E[j] / ‖E[j]‖) / τ   cosine, which also reads clicks as E[x] / ‖E[x]‖, times a scale
 *
 * Gupta et al., "NISER: Normalized Item and Session Representations to Handle Popularity Bias", 2019,
 * https://arxiv.org/abs/1909.04276: the vectors of popular items grow long, and win by that alone.
 */

import { gather, mul, reshape, type Tensor, type Tensor1D, type Tensor2D } from '@tensorflow/tfjs';
import { normaliseRows } from '../nn/normalise-rows';
import type { ScoringConfig } from './scoring-options';

/** Factors of embedded clicks: √d, √d/2 or 1. */
export type InputScale = 'sqrt' | 'half-sqrt' | 'none';

/** Cosines lie in ±1: without it a softmax over thousands of items could tell hardly any apart. */
const COSINE_TEMPERATURE = 1 / 16;

const isCosine = ({ scoring }: ScoringConfig): boolean => scoring === 'cosine';

/**
 * The factor of embedded clicks, √d/2 with cosine scoring.
 *
 * @param plain With scoring by product.
 */
export function scaleOf(config: ScoringConfig, d: number, plain: InputScale): number {
  return factorOf(isCosine(config) ? 'half-sqrt' : plain, d);
}

export const factorOf = (scale: InputScale, d: number): number =>
  ({ sqrt: Math.sqrt(d), 'half-sqrt': Math.sqrt(d) / 2, none: 1 })[scale];

/** E[x] times the scale, `[rows, d]` for as many indices x of any shape; with cosine scoring of length 1 before that. */
export function clickVectors(table: Tensor2D, items: Tensor, config: ScoringConfig, scale: number): Tensor2D {
  const x: Tensor2D = gather(table, reshape(items, [items.size]) as Tensor1D);
  const e = isCosine(config) ? normaliseRows(x) : x;
  return scale === 1 ? e : mul(e, scale);
}

/** The vectors that score, `[B, d]`: c, with cosine scoring of length 1, over the temperature. */
export function scoringVector(c: Tensor2D, config: ScoringConfig): Tensor2D {
  const vector = isCosine(config) ? normaliseRows(c) : c;
  const divisor = config.temperature || (isCosine(config) ? COSINE_TEMPERATURE : 1);
  return divisor === 1 ? vector : mul(vector, 1 / divisor);
}

/** The table that scores: E, with cosine scoring with rows of length 1. */
export const scoringTable = (table: Tensor2D, config: ScoringConfig): Tensor2D =>
  isCosine(config) ? normaliseRows(table) : table;
