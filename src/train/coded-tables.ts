/**
 * Tables of product quantisation that learn: rows keep their codes, and the centroids move with the rest of the network.
 *
 *     E[i] = C[1][G[i][1]] ‖ … ‖ C[m][G[i][m]]       G: codes [rows, m], C[k]: the columns of piece k of centroids [256, d]
 *     ∂ℓ/∂C[k][c] = Σᵢ [G[i][k] = c] (∂ℓ/∂E[i])[k]
 *
 * Petrov & Macdonald, "RecJPQ: Training Large-Catalogue Sequential Recommenders", WSDM 2024, https://arxiv.org/abs/2312.06165.
 * Differs from the paper: codes and first centroids are those of a table that was trained, not of the log's singular vectors.
 */
import {
  concat,
  gather,
  reshape,
  slice,
  type Tensor,
  type Tensor1D,
  tensor1d,
  tidy,
  unsortedSegmentSum,
  zeros,
} from '@tensorflow/tfjs';
import { type CodedArray, isCoded } from '../checkpoint/coded-array';
import { CENTROID_COUNT, codedOf, pieceStart } from '../checkpoint/product-codes';
import type { ParameterSpec } from '../models/model';
import type { NdArrays } from '../types';

export class CodedTables {
  readonly #tables: ReadonlyMap<string, CodedArray>;

  /** @param params Parameters to start from, of which some may be codes. */
  constructor(params: NdArrays) {
    this.#tables = new Map(Object.entries(params).flatMap(([name, array]) => (isCoded(array) ? [[name, array]] : [])));
  }

  /** Undefined where none is. */
  static of(params: NdArrays): CodedTables | undefined {
    return Object.values(params).some(isCoded) ? new CodedTables(params) : undefined;
  }

  has(name: string): boolean {
    return this.#tables.has(name);
  }

  /** Parameters with the centroids in place of each table. */
  learnt(params: NdArrays): NdArrays {
    const centroids = [...this.#tables].map(([name, { centroids, shape }]) => {
      return [name, { data: centroids, shape: [CENTROID_COUNT, shape[1]!] }] as const;
    });
    return { ...params, ...Object.fromEntries(centroids) };
  }

  /** Parameters with the tables that centroids make, as artifacts hold them. */
  written(learnt: NdArrays): NdArrays {
    const tables = [...this.#tables].map(([name, { codes, shape }]) => {
      return [name, codedOf(codes, learnt[name]!.data as Float32Array, codes.length / shape[0]!)] as const;
    });
    return { ...learnt, ...Object.fromEntries(tables) };
  }

  /** Rows of a table. @param rows Default: all. */
  rows(name: string, centroids: Tensor, rows?: Int32Array): Tensor {
    const d = centroids.shape[1]!;
    // Whoever updates the centroids in place wants no other view of them.
    return tidy(() => {
      const x = gather(reshape(centroids, [centroids.size]), this.#places(name, rows));
      return reshape(x, [x.size / d, d]);
    });
  }

  /** The gradient of the centroids by that of rows. Where padding stays zero, so does centroid 0, of which it consists. */
  gradient(
    name: string,
    ofRows: Tensor,
    { rows: role, zeroRow = role !== undefined }: ParameterSpec,
    rows?: Int32Array,
  ): Tensor {
    const d = ofRows.shape[1]!;
    const flat = reshape(ofRows, [ofRows.size]);
    const sums = reshape(unsortedSegmentSum(flat, this.#places(name, rows), CENTROID_COUNT * d), [CENTROID_COUNT, d]);
    return zeroRow === true ? concat([zeros([1, d]), slice(sums, 1)]) : sums;
  }

  /** Where the numbers of rows lie among the centroids. */
  #places(name: string, rows?: Int32Array): Tensor1D {
    const { codes, shape } = this.#tables.get(name)!;
    const [count, d] = shape as [number, number];
    const m = codes.length / count;
    const chosen = rows?.length ?? count;
    const places = new Int32Array(chosen * d);
    for (let k = 0; k < m; k++) {
      const end = pieceStart(k + 1, d, m);
      for (let i = 0; i < chosen; i++) {
        const from = codes[(rows ? rows[i]! : i) * m + k]! * d;
        for (let j = pieceStart(k, d, m); j < end; j++) places[i * d + j] = from + j;
      }
    }
    return tensor1d(places, 'int32');
  }
}
