/** The parameters of the six language models. */
import type { ParameterSpec } from '../model';
import type { LanguageModelName } from './options';
import type { Size } from './settings';

/** Declares parameters of the usual kinds under their names. */
export function declare(size: Size) {
  const specs: Record<string, ParameterSpec> = {};
  const zeros = (columns: number): ParameterSpec => ({ shape: [columns], init: { kind: 'zeros' } });
  return {
    specs,
    matrix(name: string, shape: readonly number[], std = size.std) {
      specs[name] = { shape, init: { kind: 'normal', std } };
    },
    linear(name: string, rows: number, columns: number, std = size.std) {
      specs[`${name}.w`] = { shape: [rows, columns], init: { kind: 'normal', std } };
      specs[`${name}.b`] = zeros(columns);
    },
    /** A layer around the language model, which starts as PyTorch's do: uniform within ±1/√rows, its bias too. */
    around(name: string, rows: number, columns: number) {
      const init = { kind: 'uniform', limit: 1 / Math.sqrt(rows) } as const;
      specs[`${name}.w`] = { shape: [rows, columns], init };
      specs[`${name}.b`] = { shape: [columns], init };
    },
    /** @param std Spread of the gain around 1. */
    norm(name: string, std = 0, columns = size.d) {
      const init = std > 0 ? ({ kind: 'normal', mean: 1, std } as const) : ({ kind: 'ones' } as const);
      specs[`${name}.gain`] = { shape: [columns], init };
      specs[`${name}.bias`] = zeros(columns);
    },
  };
}

/** Declares the four affine maps of an attention layer. */
function declareAttention(
  linear: (name: string, rows: number, columns: number, std?: number) => void,
  name: string,
  d: number,
  outputStd?: number,
): void {
  for (const part of ['query', 'key', 'value']) linear(`${name}.${part}`, d, d);
  linear(`${name}.output`, d, d, outputStd);
}

/** The matrices of a relative attention layer before its output. */
export const RELATIVE = ['query', 'key', 'value', 'distance'] as const;

/** Declares the weights of a relative attention layer. */
function declareRelative(
  matrix: (name: string, shape: readonly number[]) => void,
  name: string,
  { d, heads, headWidth }: Size,
): void {
  for (const part of RELATIVE) matrix(`${name}.${part}`, [d, heads * headWidth]);
  matrix(`${name}.output`, [heads * headWidth, d]);
  for (const part of ['contentBias', 'distanceBias']) matrix(`${name}.${part}`, [heads, headWidth]);
}

function gru({ d, layers }: Size): Record<string, ParameterSpec> {
  const specs: Record<string, ParameterSpec> = {};
  const init = { kind: 'uniform', limit: 1 / Math.sqrt(d) } as const;
  for (let l = 0; l < layers; l++) {
    for (const name of ['wx', 'wh']) specs[`layers.${l}.${name}`] = { shape: [d, 3 * d], init };
    for (const name of ['bx', 'bh']) specs[`layers.${l}.${name}`] = { shape: [3 * d], init };
  }
  return specs;
}

function gpt2(size: Size): Record<string, ParameterSpec> {
  const { d, inner, layers, positions } = size;
  const residual = size.std / Math.sqrt(2 * layers); // each of the 2 · layers sums adds its share of variance
  const { specs, matrix, linear, norm } = declare(size);
  matrix('positions', [positions, d]);
  for (let l = 0; l < layers; l++) {
    norm(`layers.${l}.attention.norm`);
    declareAttention(linear, `layers.${l}.attention`, d, residual);
    norm(`layers.${l}.feed.norm`);
    linear(`layers.${l}.feed.inner`, d, inner);
    linear(`layers.${l}.feed.outer`, inner, d, residual);
  }
  norm('norm');
  return specs;
}

/**
 * Declares layers of attention and of two affine maps, each with a norm after it.
 *
 * @param std Spread of the norms' gains around 1.
 */
function declarePostNorm(
  { d, inner, layers }: Size,
  { linear, norm }: ReturnType<typeof declare>,
  declareAttention: (name: string) => void,
  std = 0,
): void {
  for (let l = 0; l < layers; l++) {
    declareAttention(`layers.${l}.attention`);
    norm(`layers.${l}.attention.norm`, std);
    linear(`layers.${l}.feed.inner`, d, inner);
    linear(`layers.${l}.feed.outer`, inner, d);
    norm(`layers.${l}.feed.norm`, std);
  }
}

function transformerXl(size: Size): Record<string, ParameterSpec> {
  const declared = declare(size);
  declarePostNorm(size, declared, (name) => declareRelative(declared.matrix, name, size), size.std);
  return declared.specs;
}

function bert(size: Size): Record<string, ParameterSpec> {
  const { d, positions } = size;
  const declared = declare(size);
  declared.matrix('positions', [positions, d]);
  declared.matrix('segment', [d]);
  declared.norm('norm');
  declarePostNorm(size, declared, (name) => declareAttention(declared.linear, name, d));
  return declared.specs;
}

function xlnet(size: Size): Record<string, ParameterSpec> {
  const declared = declare(size);
  if (size.twoStreams) declared.matrix('query', [size.d]);
  declarePostNorm(size, declared, (name) => declareRelative(declared.matrix, name, size));
  return declared.specs;
}

/** By name: shapes and starts. */
export const languageModelParameters: Readonly<
  Record<LanguageModelName, (size: Size) => Record<string, ParameterSpec>>
> = {
  gru,
  gpt2,
  'transformer-xl': transformerXl,
  bert,
  electra: bert,
  xlnet,
};
