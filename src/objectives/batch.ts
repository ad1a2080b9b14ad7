/** A batch: plain arrays under the names that a loss reads them by, as tensors. */
import type { Tensor, Tensor1D, Tensor2D } from '@tensorflow/tfjs';
import type { Random } from '../session/random';
import type { Catalogue, NdArray, Sessions } from '../types';

/** A plain array of a batch, which the loss sees as a `T`. */
export interface BatchArray<T extends Tensor = Tensor> extends NdArray {
  /** The values are item indices: of clicks that the network reads (`input`), or of items that it scores (`output`). */
  readonly items?: 'input' | 'output';
  /** Never present: carries T for the compiler. */
  readonly as?: T;
}

/** What `prepare` makes of sessions, by name: plain arrays, no tensors. */
export type Prepared = Readonly<Record<string, BatchArray>>;

/** A batch with tensors in place of its `BatchArray`s; everything else stays as it is. */
export type Uploaded<B> =
  B extends BatchArray<infer T>
    ? T
    : B extends ArrayBufferView | ((...args: never[]) => unknown)
      ? B
      : B extends readonly (infer E)[]
        ? readonly Uploaded<E>[]
        : B extends object
          ? { readonly [K in keyof B]: Uploaded<B[K]> }
          : B;

export const vector = (data: Int32Array | Float32Array): BatchArray<Tensor1D> => ({ data, shape: [data.length] });

export const matrix = (data: Int32Array | Float32Array, rows: number): BatchArray<Tensor2D> => ({
  data,
  shape: [rows, rows === 0 ? 0 : data.length / rows],
});

/** Indices of items that the network reads, `[B]`. */
export const inputItems = (data: Int32Array): BatchArray<Tensor1D> => ({ ...vector(data), items: 'input' });

/** Indices of items that are scored, `[K]`. */
export const outputItems = (data: Int32Array): BatchArray<Tensor1D> => ({ ...vector(data), items: 'output' });

/** A batch with every `BatchArray` replaced by what `f` makes of it. */
export function mapArrays(batch: unknown, f: (array: BatchArray) => unknown): unknown {
  if (typeof batch !== 'object' || batch === null || ArrayBuffer.isView(batch)) return batch;
  if (Array.isArray(batch)) return batch.map((part) => mapArrays(part, f));
  if ('data' in batch && 'shape' in batch) return f(batch as BatchArray);
  return Object.fromEntries(Object.entries(batch).map(([name, part]) => [name, mapArrays(part, f)]));
}

/** What a model learns from. */
export interface TrainingLog {
  readonly sessions: Sessions;
  readonly catalogue: Catalogue;
  /** The first session that is learned from; those before it are known only as earlier sessions of a visitor. */
  readonly first: number;
}

/** The random streams of an epoch or of a step, by name. */
export type Streams = (name: string) => Random;
