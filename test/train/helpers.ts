import { random } from '../../src/session/random';
import type { NdArray, Sessions } from '../../src/types';

/** Sessions of item indices as flat arrays; event e happens at second e. */
export function logOf(sessions: readonly (readonly number[])[]): Sessions {
  const items = Int32Array.from(sessions.flat());
  const offsets = new Int32Array(sessions.length + 1);
  sessions.forEach((session, s) => {
    offsets[s + 1] = offsets[s]! + session.length;
  });
  return { items, times: Float64Array.from(items, (_, e) => e), offsets };
}

/** Events of each item, `[n + 1]`. */
export function supportOf({ items }: Sessions, n: number): Int32Array {
  const support = new Int32Array(n + 1);
  for (const item of items) support[item]!++;
  return support;
}

/** The bits of arrays, to compare them exactly: −0 differs from 0 and NaN equals itself. */
export function bitsOf(arrays: Readonly<Record<string, NdArray>>): Record<string, number[]> {
  return Object.fromEntries(
    Object.entries(arrays).map(([name, { data }]) => {
      const bytes = data.slice();
      return [name, Array.from(new Uint32Array(bytes.buffer, bytes.byteOffset, bytes.length))];
    }),
  );
}

/** 30 sessions of two to five clicks that walk a ring of items, each from where it is drawn. */
export function ringLog(items: number): Sessions {
  const { integer } = random(4, 'log');
  return logOf(
    Array.from({ length: 30 }, () => {
      const first = 1 + integer(items);
      return Array.from({ length: 2 + integer(4) }, (_, t) => 1 + ((first + t) % items));
    }),
  );
}

/** Sessions of random items 1…9 and lengths 1…7. */
export function randomLog(count: number, seed: number): Sessions {
  const { integer } = random(seed, 'log');
  return logOf(Array.from({ length: count }, () => Array.from({ length: 1 + integer(7) }, () => 1 + integer(9))));
}

/** The items of each session. */
export const listsOf = ({ items, offsets }: Pick<Sessions, 'items' | 'offsets'>): number[][] =>
  Array.from(offsets.slice(1), (end, s) => Array.from(items.subarray(offsets[s]!, end)));
