/** A model that was measured, with its ranks, as one file: a page that is opened again shows it as before. */

import { decodeSafetensors } from '../checkpoint/decode-safetensors';
import { prefixed, within } from '../checkpoint/prefixes';
import { encodeSafetensors } from '../checkpoint/write-safetensors';
import type { TrainedModel } from '../train/train-from-log';
import type { NdArray } from '../types';

const RANKS = 'ranks';

export interface MeasuredModel {
  readonly model: TrainedModel;
  /** Of each prediction of the validation part. */
  readonly ranks: Int32Array;
}

export function encodeModel({ model: { tensors, ...model }, ranks }: MeasuredModel): Uint8Array<ArrayBuffer> {
  const arrays: Record<string, NdArray> = {
    ...prefixed('tensor.', tensors),
    [RANKS]: { data: ranks, shape: [ranks.length] },
  };
  return encodeSafetensors(arrays, { model: JSON.stringify(model) }) as Uint8Array<ArrayBuffer>;
}

/** @throws RecommenderError `bad-artifact` for a damaged file. */
export function decodeModel(bytes: Uint8Array, file: string): MeasuredModel {
  const { tensors, metadata } = decodeSafetensors(bytes, file, bytes.length);
  const model = JSON.parse(metadata['model'] ?? '{}') as Omit<TrainedModel, 'tensors'>;
  return { model: { ...model, tensors: within('tensor.', tensors) }, ranks: tensors[RANKS]!.data as Int32Array };
}
