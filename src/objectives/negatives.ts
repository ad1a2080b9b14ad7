/** Negative items: which ids a step compares its targets with. Plain arrays, no tensors. */
import type { NegativeSpec } from '../models/model';
import type { Random } from '../session/random';

/** Draws item indices 1…n. */
export interface Sampler {
  draw(random: Random): number;
}

/** Draws item indices 1…n with probability ∝ support^alpha. */
export class PopularitySampler implements Sampler {
  readonly #cumulative: Float64Array;

  /**
   * @param support Events of each item, `[n + 1]`, entry 0 unused.
   * @param alpha 0 uniform over all items, 1 by popularity. Items without events are drawn only at 0.
   * @throws RangeError if no item can be drawn.
   */
  constructor(support: ArrayLike<number>, alpha: number) {
    const n = support.length - 1;
    this.#cumulative = new Float64Array(n);
    let sum = 0;
    for (let i = 1; i <= n; i++) {
      sum += support[i]! ** alpha;
      this.#cumulative[i - 1] = sum;
    }
    if (!(sum > 0)) throw new RangeError('PopularitySampler: no item has any event; pass the training log’s support.');
    for (let i = 0; i < n; i++) this.#cumulative[i]! /= sum;
    this.#cumulative[n - 1] = 1; // whatever rounding left of it
  }

  draw(random: Random): number {
    const u = random.uniform();
    const cumulative = this.#cumulative;
    let low = 0;
    let high = cumulative.length - 1;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (cumulative[middle]! > u) high = middle;
      else low = middle + 1;
    }
    return low + 1;
  }
}

/** The negatives of one step. */
export interface Negatives {
  /** `[K]` shared by the batch, or `[M, K]` for each target or row on its own; empty where none are drawn. */
  readonly ids: Int32Array;
  /** Whether each target, or each row, has its own. */
  readonly perTarget: boolean;
  /** Into how many rows of the same length the ids fall, where each row of the batch has its own. */
  readonly rows?: number;
}

/**
 * Draws the negatives of one step.
 *
 * @param sampler Draws by popularity; absent: uniform.
 * @param targets The step's targets, `[M]`.
 * @param rows Rows of the batch, sessions or windows, for `per-row`.
 * @param seen For `reject: 'session'`: the items of the session of each target, for `per-row` of each row.
 */
export function drawNegatives(
  spec: NegativeSpec,
  sampler: Sampler | undefined,
  random: Random,
  targets: Int32Array,
  items: number,
  seen: (target: number) => ReadonlySet<number>,
  rows = 0,
): Negatives {
  switch (spec.kind) {
    case 'catalogue':
      return { ids: new Int32Array(0), perTarget: false };
    case 'shared': {
      const ids = new Int32Array(spec.extra);
      for (let k = 0; k < ids.length; k++) ids[k] = sampler!.draw(random);
      const once = spec.distribution === 'log-uniform';
      return { ids: once ? Int32Array.from(new Set(ids)) : ids, perTarget: false };
    }
    case 'per-position':
    case 'per-row': {
      const { kind, count, reject } = spec;
      const draw = () => (sampler ? sampler.draw(random) : 1 + random.integer(items));
      const drawers = kind === 'per-row' ? rows : targets.length;
      const ids = new Int32Array(drawers * count);
      for (let m = 0; m < drawers; m++) {
        const refused = reject === 'session' ? seen(m) : undefined;
        for (let k = 0; k < count; k++) ids[m * count + k] = drawOutside(draw, items, refused);
      }
      return { ids, perTarget: true, ...(kind === 'per-row' && { rows }) };
    }
  }
}

/** An id outside `refused`; any id once the session holds the whole catalogue, where none is outside. */
function drawOutside(draw: () => number, items: number, refused: ReadonlySet<number> | undefined): number {
  for (;;) {
    const id = draw();
    if (!refused?.has(id) || refused.size >= items) return id;
  }
}
