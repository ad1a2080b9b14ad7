/** When items were new, for a model that reads how old they are. */
import { BIRTHS_TENSOR } from '../checkpoint/artifact';
import { checkShape, type SideOf } from './architecture';

/** When the artifact's items were new; nothing where its model does not read it. */
export function birthsOf({ info, tensors }: SideOf): Int32Array {
  if (!Object.values(info.features ?? {}).some(({ kind }) => kind === 'age')) return new Int32Array(0);
  const births = tensors[BIRTHS_TENSOR];
  checkShape(BIRTHS_TENSOR, births, [info.items + 1]);
  return births.data as Int32Array;
}
