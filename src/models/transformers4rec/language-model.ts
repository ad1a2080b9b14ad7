/** What the meta-architecture knows of a language model, and the six that there are. */
import type { Tensor, Tensor1D, Tensor2D, Tensor3D } from '@tensorflow/tfjs';
import type { LinearParams } from '../../nn/linear';
import type { ParameterSpec, Run } from '../model';
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

export interface LanguageModel {
  parameters(size: Size): Record<string, ParameterSpec>;
  /** A vector for each column, `[B · W, d]`: from the query stream where pairs are hidden. */
  forward(at: Named, clicks: Clicks, size: Size, run: Run): Tensor2D;
}

/** The affine map of that name. */
export const linearAt = (at: Named, name: string): LinearParams => ({
  w: at(`${name}.w`) as Tensor2D,
  b: at(`${name}.b`) as Tensor1D,
});

/** Declares parameters of the usual kinds under their names. */
export function declare(size: Size) {
  const specs: Record<string, ParameterSpec> = {};
  const zeros = (columns: number): ParameterSpec => ({ shape: [columns], init: { kind: 'zeros' } });
  return {
    specs,
    matrix(name: string, shape: readonly number[], std = size.std) {
      specs[name] = { shape, init: { kind: 'normal', std } };
    },
    linear(name: string, rows: number, columns: number, std = size.std) {
      specs[`${name}.w`] = { shape: [rows, columns], init: { kind: 'normal', std } };
      specs[`${name}.b`] = zeros(columns);
    },
    /** A layer around the language model, which starts as PyTorch's do: uniform within ±1/√rows, its bias too. */
    around(name: string, rows: number, columns: number) {
      const init = { kind: 'uniform', limit: 1 / Math.sqrt(rows) } as const;
      specs[`${name}.w`] = { shape: [rows, columns], init };
      specs[`${name}.b`] = { shape: [columns], init };
    },
    /** @param std Spread of the gain around 1. */
    norm(name: string, std = 0, columns = size.d) {
      const init = std > 0 ? ({ kind: 'normal', mean: 1, std } as const) : ({ kind: 'ones' } as const);
      specs[`${name}.gain`] = { shape: [columns], init };
      specs[`${name}.bias`] = zeros(columns);
    },
  };
}
