/** Tables of codes of product quantisation, as an artifact holds them. */
import { codedArray } from '../../../src/checkpoint/product-codes';
import { toStored } from '../../../src/checkpoint/write-safetensors';
import { random } from '../../../src/session/random';
import type { NdArray } from '../../../src/types';

/** A table of random codes, of numbers as large as those of `like`; row 0 is zeros. */
export function codedTable({ data, shape }: NdArray, seed: number) {
  const [rows, d] = shape as [number, number];
  const { integer, normal } = random(seed, 'codes');
  const m = Math.ceil(d / 6);
  let sum = 0;
  for (const x of data) sum += x * x;
  const size = Math.sqrt(sum / data.length);
  // Centroid 0 is zeros.
  const centroids = Float32Array.from({ length: 256 * d }, (_, i) => (i < d ? 0 : size * normal()));
  const bytes = Uint8Array.from({ length: rows * m }, (_, i) => (i < m ? 0 : integer(256)));
  const stored = toStored({ data: centroids, shape: [256, d] });
  return codedArray({ dtype: 'U8', shape: [rows, m], bytes }, 'table', stored, 'centroids', 'a file');
}

/** In place of each table with a row for every item. */
export function codedTables(tensors: Readonly<Record<string, NdArray>>, items: number, seed: number) {
  const tables = Object.entries(tensors).filter(([, { shape }]) => shape.length === 2 && shape[0]! > items);
  return Object.fromEntries(tables.map(([name, tensor], i) => [name, codedTable(tensor, seed + i)]));
}
