/** Checks tensors against what they must be for every artifact. */
import { RecommenderError } from '../errors';
import type { NdArray, NdArrays } from '../types';
import { REPLAY_OFFSETS_TENSOR, REPLAY_TENSOR, SUPPORT_TENSOR } from './artifact';
import { isFloat } from './coded-array';
import { quote } from './json';
import { WEIGHTS } from './manifest';

/** Rows after the items, for special tokens such as a mask. */
export const MAX_SPECIAL_ROWS = 8;

/**
 * Checks what holds for every architecture: the support, and one row per item in the item tables.
 *
 * @throws RecommenderError `bad-artifact` that names the tensor.
 */
export function checkTensors(tensors: NdArrays, items: number): void {
  const support = Object.hasOwn(tensors, SUPPORT_TENSOR) ? tensors[SUPPORT_TENSOR] : undefined;
  if (!support) throw bad(`${WEIGHTS}: tensor ${quote(SUPPORT_TENSOR)} is missing; every artifact needs it.`);
  const { data, shape } = support;
  if (!(data instanceof Int32Array) || shape.length !== 1 || shape[0] !== items + 1) {
    const type = data instanceof Int32Array ? 'int32' : 'float32';
    throw bad(
      `${WEIGHTS}: tensor ${quote(SUPPORT_TENSOR)} must be int32 [${items + 1}] for ${items} items, got ${type} [${shape.join(', ')}].`,
    );
  }
  const negative = data.findIndex((count) => count < 0);
  if (negative >= 0)
    throw bad(`${WEIGHTS}: tensor ${quote(SUPPORT_TENSOR)} holds ${data[negative]} at index ${negative}.`);
  if (!isReplay(tensors, items)) {
    throw bad(`${WEIGHTS}: the sessions in ${quote(REPLAY_TENSOR)} are damaged; export the model again.`);
  }
  for (const [name, tensor] of Object.entries(tensors)) {
    const rows = tensor.shape[0] ?? 0;
    if (isItemTable(name, tensor) && (rows < items + 1 || rows > items + 1 + MAX_SPECIAL_ROWS)) {
      throw bad(
        `${WEIGHTS}: tensor ${quote(name)} has ${rows} rows, but ${items} items need ${items + 1}; export weights and items from the same vocabulary.`,
      );
    }
  }
}

/** No sessions, or sessions of two items or more. */
function isReplay({ [REPLAY_TENSOR]: replay, [REPLAY_OFFSETS_TENSOR]: starts }: NdArrays, items: number): boolean {
  if (!replay && !starts) return true;
  if (!(replay?.data instanceof Int32Array && starts?.data instanceof Int32Array)) return false;
  const offsets = starts.data;
  return (
    offsets[0] === 0 &&
    offsets.at(-1) === replay.data.length &&
    offsets.every((start, s) => s === 0 || start >= offsets[s - 1]! + 2) &&
    replay.data.every((item) => item >= 1 && item <= items)
  );
}

/** By the naming rule of the models: `items`, `inputs` and `*.items` are tables, `bias` is the items' bias. */
function isItemTable(name: string, tensor: NdArray): boolean {
  const { shape } = tensor;
  if (!isFloat(tensor)) return false;
  if (shape.length === 1) return name === 'bias';
  return shape.length === 2 && (name === 'items' || name === 'inputs' || name.endsWith('.items'));
}

function bad(message: string): RecommenderError {
  return new RecommenderError('bad-artifact', message);
}
