/**
 * AdaGrad-Norm: one step length for a whole block of parameters.
 *
 *     v ← v + ‖∂‖²      θ ← θ − η ∂ / √(1 + v)
 *
 * Ward, Wu and Bottou, "AdaGrad stepsizes", JMLR 2020, https://arxiv.org/abs/1806.01811. Its state is one number a block,
 * and with few examples it does not, as Adagrad by element does, move every element by the same step at first.
 */

/** A block with its start θ₀, its state and what holds it. */
export interface Block {
  readonly values: Float32Array;
  /** Default 0. */
  readonly start?: number;
  /** Sum of squared gradients, at `slot`. */
  readonly slots: Float32Array;
  readonly slot: number;
}

/**
 * Moves a block against its gradient.
 *
 * @param rate η.
 * @param anchor α: pulls towards the start, α (θ − θ₀).
 */
export function move(
  { values, start = 0, slots, slot }: Block,
  gradient: ArrayLike<number>,
  rate: number,
  anchor: number,
): void {
  let norm = 0;
  for (let k = 0; k < values.length; k++) {
    const pulled = gradient[k]! + anchor * (values[k]! - start);
    norm += pulled * pulled;
  }
  slots[slot]! += norm;
  const length = rate / Math.sqrt(1 + slots[slot]!);
  for (let k = 0; k < values.length; k++) values[k]! -= length * (gradient[k]! + anchor * (values[k]! - start));
}

/** Shortens a vector to at most this length. */
export function capNorm(values: Float32Array, most: number): void {
  let norm = 0;
  for (let k = 0; k < values.length; k++) norm += values[k]! * values[k]!;
  if (norm <= most * most) return;
  const factor = most / Math.sqrt(norm);
  for (let k = 0; k < values.length; k++) values[k]! *= factor;
}

/** Brings every element between two bounds. */
export function clamp(values: Float32Array, least: number, most: number): void {
  for (let k = 0; k < values.length; k++) values[k] = Math.min(Math.max(values[k]!, least), most);
}
