/** Which items a loss is taken over: all of them, or a sample of a large catalogue. */
import { random } from '../../session/random';
import { SAMPLE, SAMPLE_ABOVE } from './settings';

export interface Candidates {
  /** Item columns, 0…n − 1, ascending; absent: all. */
  readonly columns?: Int32Array;
  /** How many items each candidate represents; absent: one. */
  readonly weights?: Float64Array;
  /** The place of a column among the candidates; undefined where it is none. */
  readonly placeOf: (column: number) => number | undefined;
}

const ALL: Candidates = { placeOf: (column) => column };

/**
 * The target and the visitor's own items, and of a large catalogue so many drawn from the rest, each of which stands for its
 * share of them: sums over all items are met in expectation (Bengio and Senécal, "Adaptive importance sampling", 2008).
 *
 * @param own Columns that are always there.
 * @param step Names the draw.
 */
export function candidatesOf(items: number, target: number, own: Int32Array, step: number): Candidates {
  if (items <= SAMPLE_ABOVE) return ALL;
  const fixed = new Set([target - 1, ...own]);
  const drawn = new Set<number>();
  const draws = random(0, 'candidates', step);
  while (drawn.size < SAMPLE) {
    const column = draws.integer(items);
    if (!fixed.has(column)) drawn.add(column);
  }
  const columns = Int32Array.from([...fixed, ...drawn]).sort();
  const share = (items - fixed.size) / SAMPLE;
  const places = new Map([...columns].map((column, place) => [column, place]));
  return {
    columns,
    weights: Float64Array.from(columns, (column) => (fixed.has(column) ? 1 : share)),
    placeOf: (column) => places.get(column),
  };
}
