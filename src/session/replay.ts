/** A few sessions of a log that may travel with a model, so that a device which learns from one visitor does not forget the others. */
import type { Sessions } from '../types';
import { random } from './random';

/** What few people have clicked says something of them: only items with so many events come along. */
const MIN_SUPPORT = 5;
/** Of each session, its newest clicks. */
const MOST_CLICKS = 20;

/**
 * Draws sessions of two clicks or more, in a random order and without anything but their items: no time, user or id.
 *
 * @param support Events of each item, `[n + 1]`; clicks on items with fewer than five are left out.
 * @param count How many; fewer where the log has no more.
 * @returns Item indices, and the start of each session with one past the end of the last.
 */
export function drawReplay(
  { items, offsets }: Pick<Sessions, 'items' | 'offsets'>,
  support: ArrayLike<number>,
  count: number,
  seed: number,
): Pick<Sessions, 'items' | 'offsets'> {
  const order = Int32Array.from({ length: offsets.length - 1 }, (_, s) => s);
  const drawn: number[][] = [];
  for (const s of random(seed, 'replay').shuffle(order)) {
    if (drawn.length === count) break;
    const clicks = items.subarray(offsets[s]!, offsets[s + 1]!).filter((item) => support[item]! >= MIN_SUPPORT);
    if (clicks.length >= 2) drawn.push([...clicks.subarray(-MOST_CLICKS)]);
  }
  const starts = [0];
  for (const { length } of drawn) starts.push(starts.at(-1)! + length);
  return { items: Int32Array.from(drawn.flat()), offsets: Int32Array.from(starts) };
}
