/**
 * Which clicks of a session are hidden and must be predicted, as the codes of Transformers4Rec choose them. Plain arrays,
 * no tensors.
 */
import type { Random } from '../session/random';

/** Which clicks of a session must be predicted. */
export interface HiddenClicks {
  /** 1 for the clicks to predict, `[n]`. */
  readonly targets: Uint8Array;
  /** For permutations: place of each target in the order of prediction, −1 for clicks that everyone sees, `[n]`. */
  readonly ranks?: Int32Array;
}

/** clm: every click but the first of n ≥ 2, each from the clicks before it. */
export const nextClicks = (n: number): HiddenClicks => ({ targets: new Uint8Array(n).fill(1, 1) });

/** mlm: each of n ≥ 2 clicks with the given probability, at least one and not all. */
export function maskedTokens(n: number, probability: number, random: Random): HiddenClicks {
  const targets = new Uint8Array(n).map(() => Number(random.uniform() < probability));
  targets[random.integer(n)] = 1;
  return { targets: releaseOne(targets, random) };
}

/**
 * plm: spans of uniform length 1…maxSpan, each somewhere in a context of ⌊length / probability⌋ clicks; contexts follow one
 * another. They are predicted in a random order.
 */
export function maskedSpans(n: number, probability: number, maxSpan: number, random: Random): HiddenClicks {
  const targets = new Uint8Array(n);
  for (let context = 0; context < n; ) {
    const length = 1 + random.integer(maxSpan);
    const span = Math.floor(length / probability);
    const start = context + random.integer(span - length + 1);
    if (start < n) targets.fill(1, start, Math.min(n, start + length));
    context += span;
  }
  if (!targets.includes(1)) targets[random.integer(n)] = 1;
  releaseOne(targets, random);
  return { targets, ranks: ranks(targets, random) };
}

/** Something must be left to predict from: where all clicks are targets, a random one is not. */
function releaseOne(targets: Uint8Array, random: Random): Uint8Array {
  if (!targets.includes(0)) targets[random.integer(targets.length)] = 0;
  return targets;
}

/** Place of each target in a random order of all clicks; −1 for clicks that everyone sees. */
function ranks(targets: Uint8Array, random: Random): Int32Array {
  const order = random.shuffle(Int32Array.from(targets, (_, i) => i));
  const ranks = new Int32Array(targets.length).fill(-1);
  order.forEach((column, rank) => {
    if (targets[column]) ranks[column] = rank;
  });
  return ranks;
}
