/** The second half of a step with replaced-token detection: clicks are replaced, and the model tells which. */
import {
  cast,
  concat,
  gather,
  notEqual,
  reshape,
  type Scalar,
  type Tensor,
  type Tensor1D,
  type Tensor2D,
  tensor1d,
} from '@tensorflow/tfjs-core';
import type { Params, PreparedTensors, ReplacedSpec, Run, SessionModel } from '../models/model';
import { replacedLoss } from '../objectives/replaced';

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
