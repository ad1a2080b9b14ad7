/**
 * Which clicks of a session are hidden and must be predicted, as the codes of Transformers4Rec choose them. Plain arrays,
 * no tensors.
 */
import type { HiddenClicks, MaskingSpec } from '../models/model';
import type { Random } from '../session/random';

/**
 * Draws what one session of at least two clicks must predict.
 *
 * @param n Its clicks.
 */
export function drawHidden(spec: MaskingSpec, n: number, random: Random): HiddenClicks {
  switch (spec.kind) {
    case 'next': {
      const targets = new Uint8Array(n);
      targets.fill(1, spec.only === 'last' ? n - 1 : 1);
      return { targets };
    }
    case 'tokens':
      return { targets: tokens(n, spec.probability, random) };
    case 'spans': {
      const targets = spans(n, spec.probability, spec.maxSpan, random);
      return { targets, ranks: ranks(targets, random) };
    }
  }
}

/** Each click with the given probability. */
function tokens(n: number, probability: number, random: Random): Uint8Array {
  const targets = new Uint8Array(n).map(() => Number(random.uniform() < probability));
  targets[random.integer(n)] = 1;
  return releaseOne(targets, random);
}

/**
 * Spans of uniform length 1…maxSpan, each somewhere in a context of ⌊length / probability⌋ clicks; contexts follow one
 * another.
 */
function spans(n: number, probability: number, maxSpan: number, random: Random): Uint8Array {
  const targets = new Uint8Array(n);
  for (let context = 0; context < n; ) {
    const length = 1 + random.integer(maxSpan);
    const span = Math.floor(length / probability);
    const start = context + random.integer(span - length + 1);
    if (start < n) targets.fill(1, start, Math.min(n, start + length));
    context += span;
  }
  if (!targets.includes(1)) targets[random.integer(n)] = 1;
  return releaseOne(targets, random);
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
