/** Transposing on typed arrays, in blocks that stay in the nearest cache. */

const BLOCK = 16;

/** Matrices of up to this many numbers fit into the cache as they are. */
const SMALL = 4096;

/** Writes the transpose of the `[rows, columns]` numbers from `start` on to `at`. The two ranges must not overlap. */
export function transposeBlock(
  from: Float32Array,
  start: number,
  to: Float32Array,
  at: number,
  rows: number,
  columns: number,
): void {
  const block = rows * columns <= SMALL ? SMALL : BLOCK;
  for (let i0 = 0; i0 < rows; i0 += block) {
    const iEnd = Math.min(i0 + block, rows);
    for (let j0 = 0; j0 < columns; j0 += block) {
      const jEnd = Math.min(j0 + block, columns);
      for (let j = j0; j < jEnd; j++) {
        for (let i = i0, source = start + i0 * columns + j, target = at + j * rows; i < iEnd; i++, source += columns) {
          to[target + i] = from[source]!;
        }
      }
    }
  }
}
