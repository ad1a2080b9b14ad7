/** What the in-place updates of all backends share: their numbers, and the conditions that they have for their tensors. */
import { type NamedTensorInfoMap, type TensorInfo, util } from '@tensorflow/tfjs';

export type AdagradAttrs = Readonly<Record<'learningRate' | 'momentum' | 'epsilon', number>>;

export interface AdamAttrs
  extends Readonly<Record<'learningRate' | 'beta1' | 'beta2' | 'epsilon' | 'step' | 'weightDecay', number>> {
  readonly decay: 'coupled' | 'decoupled';
}

/** What Adam's step multiplies by, computed once: on a GPU it would lose digits. */
export const adamFactors = ({ learningRate, beta1, beta2, step, weightDecay, decay }: AdamAttrs) => ({
  coupled: decay === 'coupled' ? weightDecay : 0,
  shrink: decay === 'decoupled' ? 1 - learningRate * weightDecay : 1,
  rate: learningRate / (1 - beta1 ** step),
  scale: 1 / Math.sqrt(1 - beta2 ** step),
});

/**
 * @param written Names of the inputs that are written.
 * @param references How many tensors share a tensor's numbers.
 * @throws Error if shapes or types do not fit, or a tensor written to has an alias.
 */
export function checkShapes(
  kernel: string,
  inputs: NamedTensorInfoMap,
  written: readonly string[],
  references: (tensor: TensorInfo) => number,
): void {
  const param = inputs.param!;
  const gradient = inputs.gradient!;
  for (const name of written) {
    const tensor = inputs[name]!;
    if (tensor.dtype !== 'float32' || !util.arraysEqual(tensor.shape, param.shape)) {
      throw new Error(
        `${kernel}: ${name} is ${tensor.dtype} [${tensor.shape}], the parameter float32 [${param.shape}].`,
      );
    }
    if (references(tensor) > 1) {
      throw new Error(`${kernel}: a clone or reshape of ${name} is alive and would change too; dispose it first.`);
    }
  }
  const rows = inputs.rows;
  const fits = rows ? [rows.shape[0]!, ...param.shape.slice(1)] : param.shape;
  if (rows && (rows.dtype !== 'int32' || rows.shape.length !== 1)) {
    throw new Error(`${kernel}: rows must be int32 [r], got ${rows.dtype} [${rows.shape}].`);
  }
  if (gradient.dtype !== 'float32' || !util.arraysEqual(gradient.shape, fits)) {
    throw new Error(`${kernel}: expected values float32 [${fits}], got ${gradient.dtype} [${gradient.shape}].`);
  }
}
