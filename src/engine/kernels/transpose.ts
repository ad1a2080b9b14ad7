/** Transposing on typed arrays, in blocks that stay in the nearest cache. */

const BLOCK = 16;

/** Writes the transpose of the `[rows, columns]` numbers from `start` on to `at`. The two ranges must not overlap. */
export function transposeBlock(
  from: Float32Array,
  start: number,
  to: Float32Array,
  at: number,
  rows: number,
  columns: number,
): void {
  for (let i0 = 0; i0 < rows; i0 += BLOCK) {
    const iEnd = Math.min(i0 + BLOCK, rows);
    for (let j0 = 0; j0 < columns; j0 += BLOCK) {
      const jEnd = Math.min(j0 + BLOCK, columns);
      for (let j = j0; j < jEnd; j++) {
        for (let i = i0, source = start + i0 * columns + j, target = at + j * rows; i < iEnd; i++, source += columns) {
          to[target + i] = from[source]!;
        }
      }
    }
  }
}
