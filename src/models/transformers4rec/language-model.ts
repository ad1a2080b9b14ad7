/** What the meta-architecture knows of a language model. */
import type { Tensor, Tensor1D, Tensor2D, Tensor3D } from '@tensorflow/tfjs';
import type { LinearParams } from '../../nn/linear';
import type { Run } from '../model';
import type { Size } from './settings';

/** Clicks as a language model reads them. */
export interface Clicks {
  /** Merged features, `[B · W, d]`, row-major by session; sessions start in column 0. */
  readonly x: Tensor2D;
  readonly batch: number;
  readonly width: number;
  /** 1 for columns that others may see, 0 for padding, `[B · W, 1]`. Default: all are seen. */
  readonly real?: Tensor2D | undefined;
  /** For two streams: 1 where the row may not see the column, `[B, W, W]`. */
  readonly hiddenPairs?: Tensor3D | undefined;
}

/** A parameter of the model by its name inside it. */
export type Named = (name: string) => Tensor;

/** A vector for each column, `[B · W, d]`: from the query stream where pairs are hidden. */
export type LanguageModel = (at: Named, clicks: Clicks, size: Size, run: Run) => Tensor2D;

/** The affine map of that name. */
export const linearAt = (at: Named, name: string): LinearParams => ({
  w: at(`${name}.w`) as Tensor2D,
  b: at(`${name}.b`) as Tensor1D,
});
