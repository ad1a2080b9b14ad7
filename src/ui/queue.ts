/** `window.aisle`: the array that a page may fill before the script is there. */
import type { Aisle } from './types';

/** Marks the array of a page in which an embed runs. */
const RUNS = Symbol.for('aisle.embed');

/** The page's array, marked as taken; undefined where another embed of this page has it. */
export function takeQueue(): Aisle | undefined {
  const page = globalThis as unknown as { aisle?: Aisle & { [RUNS]?: true } };
  // A page may hold an element with the id "aisle" under this name.
  if (!Array.isArray(page.aisle)) page.aisle = [];
  if (page.aisle[RUNS]) return undefined;
  Object.defineProperty(page.aisle, RUNS, { value: true });
  return page.aisle;
}
