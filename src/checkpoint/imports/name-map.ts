/**
 * How the tensors of a reference implementation lie in ours: a list of rectangles, each copied from one of their
 * tensors into one of ours, transposed or not.
 */
import { RecommenderError } from '../../errors';
import type { NdArray, NdArrays } from '../../types';
import { quote } from '../json';
import { verifyParameters } from '../verify-parameters';

export type Shape = readonly number[];

/** Copies `rows × columns` numbers of our tensor. Tensors are read as matrices: see `asMatrix`. */
export interface Block {
  readonly theirs: string;
  readonly ours: string;
  /** Upper left corner in their matrix, and in ours. Default `[0, 0]`. */
  readonly from?: readonly [number, number];
  readonly to?: readonly [number, number];
  /** Rows and columns in ours; default: all of theirs. */
  readonly size?: readonly [number, number];
  /** Whether their rows are our columns: PyTorch keeps a linear layer as `[out, in]`, we as `[in, out]`. */
  readonly transpose?: boolean;
  /** Whether ours are the negatives of theirs: 1 − σ(x) = σ(−x) for who writes a gate the other way round. */
  readonly negate?: boolean;
}

export interface NameMap {
  /** Shape of each of their tensors. */
  readonly theirs: Readonly<Record<string, Shape>>;
  /** Shape of each of ours. */
  readonly ours: Readonly<Record<string, Shape>>;
  readonly blocks: readonly Block[];
  /** Their tensors whose row 0 must be zero, since our models never read it. */
  readonly zeroRows?: readonly string[];
  /** Their tensors that no computation reads: they must be there and of their shape, and are left. */
  readonly unused?: readonly string[];
  /** Rows of their tensors that belong to no item and are never read. Ours have no place for them. */
  readonly skippedRows?: Readonly<Record<string, readonly number[]>>;
}

/**
 * Our tensors from theirs. Places that no rectangle covers (padding rows) are zero.
 *
 * @param what What holds the tensors, for messages.
 * @throws RecommenderError `weights-mismatch` that names a tensor that is missing, not used, or of another shape.
 */
export function toOurs(
  map: NameMap,
  tensors: NdArrays,
  what = 'the reference weights',
): Record<string, NdArray<Float32Array>> {
  verifyParameters(tensors, specs(map.theirs), what);
  for (const name of map.zeroRows ?? []) {
    const { data, shape } = tensors[name]!;
    const at = data.subarray(0, asMatrix(shape)[1]).findIndex((x) => x !== 0);
    if (at >= 0) {
      throw new RecommenderError(
        'weights-mismatch',
        `${what}: tensor ${quote(name)} holds ${data[at]} in row 0, the padding row, which must be zero.`,
      );
    }
  }
  const results = Object.fromEntries(
    Object.entries(map.ours).map(([name, shape]) => [name, { data: new Float32Array(product(shape)), shape }]),
  );
  for (const block of map.blocks) {
    const { from = [0, 0], to = [0, 0], transpose = false, negate = false } = block;
    const sign = negate ? -1 : 1;
    const theirShape = asMatrix(map.theirs[block.theirs]!);
    const ourWidth = asMatrix(map.ours[block.ours]!)[1];
    const [rows, columns] = block.size ?? (transpose ? [theirShape[1], theirShape[0]] : theirShape);
    const theirs = tensors[block.theirs]!.data;
    const ours = results[block.ours]!.data;
    for (let r = 0; r < rows; r++) {
      for (let c = 0; c < columns; c++) {
        const theirRow = from[0] + (transpose ? c : r);
        const theirColumn = from[1] + (transpose ? r : c);
        ours[(to[0] + r) * ourWidth + to[1] + c] = sign * theirs[theirRow * theirShape[1] + theirColumn]!;
      }
    }
  }
  return results;
}

/** A vector is one row; of more than two dimensions the rest is one row each: a `[d, d, 1]` convolution is a matrix. */
function asMatrix(shape: Shape): [number, number] {
  if (shape.length < 2) return [1, product(shape)];
  return [shape[0]!, product(shape.slice(1))];
}

const product = (shape: Shape): number => shape.reduce((a, b) => a * b, 1);

const specs = (shapes: Readonly<Record<string, Shape>>) =>
  Object.fromEntries(Object.entries(shapes).map(([name, shape]) => [name, { shape }]));
