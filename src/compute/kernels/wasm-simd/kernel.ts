/** What the kernels of this folder ask of their tensors. */
import { type TensorInfo, util } from '@tensorflow/tfjs';

/** Numbers of a tensor. */
export const sizeOf = ({ shape }: TensorInfo): number => util.sizeFromShape(shape);

export const isFloat = (...tensors: readonly TensorInfo[]): boolean =>
  tensors.every(({ dtype }) => dtype === 'float32');
