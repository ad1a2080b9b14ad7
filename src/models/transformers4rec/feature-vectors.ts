/** Vectors of side information, by the equations of `features.ts`, and how they join the item's. */
import { add, gather, matMul, mul, reshape, softmax, type Tensor, type Tensor2D } from '@tensorflow/tfjs';
import { linear } from '../../nn/linear';
import type { Params, PreparedTensors } from '../model';
import { type Feature, featuresOf, isBare, isElementWise, isProjected, PROJECTION } from './features';
import { linearAt, type Named } from './language-model';
import type { T4RecConfig } from './options';

/**
 * Vectors of the features, `[B · W, columns]` each, and which of them are to be normalised as the item's are: element by
 * element, all are projected to the item vector's width before.
 */
export function featureVectors(
  params: Params,
  prepared: PreparedTensors,
  config: T4RecConfig,
): readonly { readonly name: string; readonly vectors: Tensor2D; readonly isNormed: boolean }[] {
  const at: Named = (name) => params[`features.${name}`]!;
  return featuresOf(config).map((feature) => {
    const { name } = feature;
    const vectors = vectorsOf(at, feature, prepared[`feature.${name}`]!, config);
    const isNarrow = isElementWise(config) && vectors.shape[1] !== config.itemEmbeddingDim;
    const wide = isNarrow ? linear(vectors, linearAt(at, name + PROJECTION)) : vectors;
    return { name, vectors: wide, isNormed: !isBare(feature, config) };
  });
}

function vectorsOf(at: Named, feature: Feature, values: Tensor, config: T4RecConfig): Tensor2D {
  const { name, kind } = feature;
  switch (kind) {
    case 'categorical':
      return gather(at(`${name}.table`) as Tensor2D, reshape(values, [values.size]));
    case 'numeric':
      return isProjected(feature, config) ? linear(values as Tensor2D, linearAt(at, name)) : (values as Tensor2D);
    case 'soft':
      return matMul(softmax(linear(values as Tensor2D, linearAt(at, name))), at(`${name}.table`) as Tensor2D);
    case 'cyclic':
      return values as Tensor2D;
  }
}

/**
 * A click's item vector x and its features f, put together element by element: x ⊙ (1 + Σ f), or x ⊙ Σ f.
 *
 * @param features `[rows, d]` each.
 */
export function elementWise(x: Tensor2D, features: readonly Tensor2D[], plusOne: boolean): Tensor2D {
  if (features.length === 0) return x;
  const sum = features.reduce((a, b) => add(a, b));
  return mul(x, plusOne ? add(sum, 1) : sum);
}
