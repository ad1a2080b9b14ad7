/** Where a network has its items: their vectors, on the plane of most variance. */
import { loadScorer, NAMELESS } from '../ranking/load-scorer';
import type { TrainedModel } from '../train/train-from-log';
import { defined } from './defined';

/** Items that are placed: the most clicked ones. */
const MOST_ITEMS = 2000;
const ITERATIONS = 60;

export interface PlacedItem {
  readonly item: string;
  readonly x: number;
  readonly y: number;
  readonly events: number;
}

/**
 * The most clicked items by their first two principal components. A backend must be running.
 *
 * @returns Undefined for a model that counts: it has no vectors.
 */
export async function embeddingMap(
  { architecture, config, features, tensors }: TrainedModel,
  itemIds: readonly string[],
  support: Int32Array,
): Promise<readonly PlacedItem[] | undefined> {
  const info = { ...NAMELESS, architecture, config, items: itemIds.length, ...defined({ features }) };
  const scorer = await loadScorer({ info, itemIds, tensors });
  try {
    const side = await scorer.network?.itemSide();
    if (!side) return undefined;
    const d = side.table.length / itemIds.length;
    const items = itemIds.map((_, k) => k).sort((a, b) => support[b + 1]! - support[a + 1]! || a - b);
    const shown = items.slice(0, MOST_ITEMS);
    const rows = shown.map((k) => side.table.subarray(k * d, (k + 1) * d));
    const places = principalComponents(rows, d);
    return shown.map((k, i) => ({ item: itemIds[k]!, x: places[i]![0], y: places[i]![1], events: support[k + 1]! }));
  } finally {
    scorer.dispose();
  }
}

/**
 * Rows on their first two principal components, by power iteration with deflation. Signs are those that make the largest
 * coordinate of each component positive.
 *
 * @param rows `[n, d]`.
 */
export function principalComponents(
  rows: readonly ArrayLike<number>[],
  d: number,
): (readonly [x: number, y: number])[] {
  const mean = new Float64Array(d);
  for (const row of rows) for (let j = 0; j < d; j++) mean[j]! += row[j]! / rows.length;
  const centred = rows.map((row) => Float64Array.from({ length: d }, (_, j) => row[j]! - mean[j]!));
  const first = component(centred, d, []);
  const second = component(centred, d, [first]);
  return centred.map((row) => [dot(row, first), dot(row, second)]);
}

/** The direction of most variance that is orthogonal to those before. */
function component(rows: readonly Float64Array[], d: number, before: readonly Float64Array[]): Float64Array {
  // No data has this as an orthogonal direction but by intent.
  let direction = Float64Array.from({ length: d }, (_, j) => 1 + 0.1 * Math.sin(j + 1));
  for (let iteration = 0; iteration < ITERATIONS; iteration++) {
    const next = new Float64Array(d);
    for (const row of rows) {
      const along = dot(row, direction);
      for (let j = 0; j < d; j++) next[j]! += along * row[j]!;
    }
    for (const other of before) {
      const along = dot(next, other);
      for (let j = 0; j < d; j++) next[j]! -= along * other[j]!;
    }
    const length = Math.sqrt(dot(next, next));
    if (length < 1e-12) return new Float64Array(d); // no variance is left
    direction = next.map((value) => value / length);
  }
  const largest = direction.reduce((best, value) => (Math.abs(value) > Math.abs(best) ? value : best), 0);
  return largest < 0 ? direction.map((value) => -value) : direction;
}

function dot(a: Float64Array, b: Float64Array): number {
  let sum = 0;
  for (let j = 0; j < a.length; j++) sum += a[j]! * b[j]!;
  return sum;
}
