/** Whole sessions through a model that moves click by click. */
import { expandDims, notEqual, type Tensor1D, type Tensor2D, unstack, where } from '@tensorflow/tfjs-core';
import type { Params, Run, Stepping } from './model';

/**
 * The session vectors of left-padded sessions, `[B, W]` item indices → `[B, d]`; padding leaves the state alone.
 */
export function encodeBySteps<C>(
  stepping: Stepping<C>,
  params: Params,
  items: Tensor2D,
  config: C,
  run: Run,
): Tensor2D {
  const [batch] = items.shape;
  let state = stepping.start(config, batch);
  for (const clicks of unstack(items, 1) as Tensor1D[]) {
    const isClick = expandDims(notEqual(clicks, 0), 1); // [B, 1]
    const next = stepping.step(params, state, clicks, config, run);
    state = next.map((value, i) => where(isClick, value, state[i]!));
  }
  return stepping.vector(state);
}
