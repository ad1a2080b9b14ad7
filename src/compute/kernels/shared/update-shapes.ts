/** The conditions that every in-place update has for its tensors, on all backends. */
import { type NamedTensorInfoMap, type TensorInfo, util } from '@tensorflow/tfjs';

/**
 * @param gradient The input with a row for each row that is written.
 * @param written Names of the inputs that are written.
 * @param references How many tensors share a tensor's numbers.
 * @throws Error if shapes or types do not fit, or a tensor written to has an alias.
 */
export function checkShapes(
  kernel: string,
  inputs: NamedTensorInfoMap,
  gradient: TensorInfo,
  written: readonly string[],
  references: (tensor: TensorInfo) => number,
): void {
  const param = inputs.param!;
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
