import type { Tensor1D, Tensor2D } from '@tensorflow/tfjs-core';
import type { LinearParams } from '../nn/linear';
import type { Params } from './model';

/** The weights of a linear layer by its name. */
export const linearParams = (params: Params, name: string): LinearParams => ({
  w: params[`${name}.w`] as Tensor2D,
  b: params[`${name}.b`] as Tensor1D,
});
