/** The second half of a step with replaced-token detection: clicks are replaced, and the model tells which. */
import {
  add,
  cast,
  concat,
  gather,
  mul,
  notEqual,
  reshape,
  type Scalar,
  type Tensor,
  type Tensor1D,
  type Tensor2D,
  tensor1d,
  zerosLike,
} from '@tensorflow/tfjs-core';
import type { ObjectiveSpec, Params, PreparedTensors, ReplacedSpec, Run, SessionModel } from '../models/model';
import { atTemperature, type LossInput } from '../objectives/objective';
import { drawReplacements, replacedLoss } from '../objectives/replaced';
import type { Random } from '../session/random';

/**
 * Item indices with a draw in place of each target, `[B, W]` int32.
 *
 * @param items `[B, W]` int32.
 * @param cells Where each target stands, `[M]`, row-major in `items`.
 * @param draws The items to stand there, `[M]` int32.
 */
export function replaceClicks(items: Tensor2D, cells: Int32Array, draws: Tensor1D): Tensor2D {
  const from = Int32Array.from({ length: items.size }, (_, cell) => cell);
  cells.forEach((cell, m) => {
    from[cell] = items.size + m;
  });
  const both = concat([reshape(items, [items.size]), draws]);
  return reshape(gather(both, tensor1d(from, 'int32')), items.shape);
}

/** Clicks after some of them were replaced. */
export interface Replaced {
  /** `[B, W]` int32. */
  readonly items: Tensor2D;
  /** 1 where another item than the click's own was put, `[B, W]`: a draw of the same item is no replacement. */
  readonly labels: Tensor2D;
}

/**
 * Draws an item for each target by its scores, and puts it there. Nothing is differentiated.
 *
 * @param cells Where each target stands, `[M]`, row-major in `items`.
 * @param items The clicks that the network read, `[B, W]` int32: with swap noise not always those of the log.
 */
export function replaceTargets(
  { replaced, temperature = 1 }: ObjectiveSpec,
  input: LossInput,
  cells: Int32Array,
  items: Tensor2D,
  noise: Random,
): Replaced {
  const spec = replaced!;
  const drawn = drawReplacements(spec, atTemperature(input, temperature), noise);
  const draws = (
    spec.candidates === 'batch' ? gather(input.targets, drawn) : add(drawn, tensor1d([1], 'int32'))
  ) as Tensor1D;
  const labels = cast(notEqual(draws, input.targets), 'int32') as Tensor1D;
  return { items: replaceClicks(items, cells, draws), labels: replaceClicks(zerosLike(items), cells, labels) };
}

/** The discriminator's loss on replaced clicks. Side information stays the original clicks', and nothing is masked. */
export function discriminationLoss<C>(
  model: SessionModel<C>,
  params: Params,
  prepared: PreparedTensors,
  { items, labels }: Replaced,
  { over }: Pick<ReplacedSpec, 'over'>,
  config: C,
  run: Run,
): Scalar {
  const { masked: _, ...rest } = prepared;
  const logits = model.discriminate!(params, { ...rest, items }, config, run);
  const flat = (flags: Tensor) => reshape(cast(flags, 'float32'), [items.size]) as Tensor1D;
  return replacedLoss(logits, flat(labels), over === 'clicks' ? flat(notEqual(prepared.items!, 0)) : undefined);
}

/** A loss and its gradients; a parameter that took no part has none, whatever the type of TensorFlow.js says. */
export type Differentiated = { value: Tensor; grads: Tensor[] };

export function weightedSum(a: Differentiated, weightA: number, b: Differentiated, weightB: number): Differentiated {
  return {
    value: add(mul(a.value, weightA), mul(b.value, weightB)),
    grads: a.grads.map((gradient, i) => {
      const [ofA, ofB] = [gradient && mul(gradient, weightA), b.grads[i] && mul(b.grads[i], weightB)];
      return (ofA && ofB ? add(ofA, ofB) : (ofA ?? ofB)) as Tensor;
    }),
  };
}
