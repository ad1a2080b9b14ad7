/** Names of arrays with a prefix that says what they belong to. */
import type { NdArray, NdArrays } from '../types';

export const prefixed = (prefix: string, arrays: NdArrays): Record<string, NdArray> =>
  Object.fromEntries(Object.entries(arrays).map(([name, array]) => [prefix + name, array]));

/** The arrays whose names start with the prefix, without it. */
export function within(prefix: string, arrays: NdArrays): Record<string, NdArray> {
  const entries = Object.entries(arrays).filter(([name]) => name.startsWith(prefix));
  return Object.fromEntries(entries.map(([name, array]) => [name.slice(prefix.length), array]));
}
