/** The kernel behind `maskEqual` of `nn/masked.ts`: a copy, and a visit of the few cells that are masked. */
import { engine, type GradConfig, type Tensor } from '@tensorflow/tfjs';
import { float32, type Kernel } from './kernel';

/** `out[m, k] = value` where `rowIds[m] = columnIds[k]`, else `x[m, k]`. */
export const maskEqual: Kernel = {
  name: 'AisleMaskEqual',
  plan({ inputs, attrs }) {
    const [x, rowIds, columnIds] = [inputs.x!, inputs.rowIds!, inputs.columnIds!];
    const [rows, columns] = x.shape as [number, number];
    if (x.shape.length !== 2 || rowIds.shape[0] !== rows || columnIds.shape[0] !== columns) {
      throw new Error(`maskEqual: ids [${rowIds.shape}] and [${columnIds.shape}] do not fit scores [${x.shape}].`);
    }
    const value = attrs.value as number;
    return {
      outputs: float32(x.shape),
      compute({ floats, ints }, [out]) {
        const to = floats(out!);
        to.set(floats(x));
        const places = new Map<number, number[]>();
        ints(columnIds).forEach((id, k) => {
          const found = places.get(id);
          if (found) found.push(k);
          else places.set(id, [k]);
        });
        ints(rowIds).forEach((id, m) => {
          for (const k of places.get(id) ?? []) to[m * columns + k] = value;
        });
      },
    };
  },
};

/** Masked scores have no gradient. */
export const maskEqualGradient: GradConfig = {
  kernelName: 'AisleMaskEqual',
  inputsToSave: ['rowIds', 'columnIds'],
  gradFunc: (dy, [rowIds, columnIds]) => ({
    x: () =>
      engine().runKernel(
        'AisleMaskEqual',
        { x: dy as Tensor, rowIds: rowIds!, columnIds: columnIds! },
        { value: 0 },
      ) as Tensor,
  }),
};
