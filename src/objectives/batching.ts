/** How the examples of an epoch fall into batches. */
import type { Random } from '../session/random';

/** Each example once, in a random order; the last batch may be smaller. */
export function* shuffled<R>(examples: readonly R[], batchSize: number, random: Random): Generator<readonly R[]> {
  const order = random.shuffle(Int32Array.from(examples, (_, i) => i));
  for (let b = 0; b < order.length; b += batchSize) yield pick(examples, order.subarray(b, b + batchSize));
}

/**
 * Examples of one length together, as many as hold `clicks` clicks, at least one, in a random order. Short sessions, the most,
 * so make small batches without padding: several times more steps from the same work.
 */
export function* sameLength<R>(
  examples: readonly R[],
  lengthOf: (example: R) => number,
  clicks: number,
  random: Random,
): Generator<readonly R[]> {
  const groups = new Map<number, number[]>();
  examples.forEach((example, i) => {
    const length = lengthOf(example);
    const group = groups.get(length);
    if (group) group.push(i);
    else groups.set(length, [i]);
  });
  const batches: Int32Array[] = [];
  for (const [length, group] of groups) {
    const order = random.shuffle(Int32Array.from(group));
    const size = Math.max(1, Math.floor(clicks / length));
    for (let b = 0; b < order.length; b += size) batches.push(order.subarray(b, b + size));
  }
  for (const b of random.shuffle(Int32Array.from(batches, (_, b) => b))) yield pick(examples, batches[b]!);
}

const pick = <R>(examples: readonly R[], order: Int32Array): R[] => Array.from(order, (i) => examples[i]!);
