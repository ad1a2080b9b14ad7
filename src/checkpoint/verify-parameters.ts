/** Checks tensors against what they must be for one architecture. */
import { RecommenderError } from '../errors';
import type { NdArrays } from '../types';
import {
  BIRTHS_TENSOR,
  FEATURE_PREFIX,
  REPLAY_OFFSETS_TENSOR,
  REPLAY_TENSOR,
  SUPPORT_TENSOR,
  USERS_TENSOR,
} from './artifact';
import { isFloat } from './coded-array';
import { quote } from './json';
import { WEIGHTS } from './manifest';

/** Tensors of an artifact that belong to no architecture, besides those of features. */
const SHARED = [SUPPORT_TENSOR, BIRTHS_TENSOR, REPLAY_TENSOR, REPLAY_OFFSETS_TENSOR, USERS_TENSOR];

/**
 * Checks that every parameter is there, as float32 and in its shape, and that nothing else is.
 *
 * @param specs The architecture's `parameters(config, catalogue)`: shapes by name, and whether there is a row for each item.
 * @param what What holds the tensors, for messages. Default `weights.safetensors`.
 * @throws RecommenderError `weights-mismatch` that names the tensor, what was expected and what came.
 */
export function verifyParameters(
  tensors: NdArrays,
  specs: Readonly<Record<string, { readonly shape: readonly number[]; readonly rows?: unknown }>>,
  what = WEIGHTS,
): void {
  for (const [name, { shape, rows }] of Object.entries(specs)) {
    const expected = `float32 [${shape.join(', ')}]`;
    if (!Object.hasOwn(tensors, name)) {
      throw mismatch(`${what} lacks the tensor ${quote(name)}, expected ${expected}.`);
    }
    const tensor = tensors[name]!;
    if (rows !== undefined && tensor.shape.length === shape.length && tensor.shape[0] !== shape[0]) {
      throw new RecommenderError(
        'weights-mismatch',
        `${what}: tensor ${quote(name)} has ${tensor.shape[0]} rows, the catalogue needs ${shape[0]}. ` +
          'Export both from the same vocabulary.',
      );
    }
    const sameShape = tensor.shape.length === shape.length && shape.every((size, i) => size === tensor.shape[i]);
    if (!isFloat(tensor) || !sameShape) {
      const type = isFloat(tensor) ? 'float32' : 'int32';
      const got = `${type} [${tensor.shape.join(', ')}]`;
      const isTransposed = !sameShape && shape.length === 2 && [...tensor.shape].reverse().join() === shape.join();
      throw mismatch(
        `${what}: tensor ${quote(name)} must be ${expected}, got ${got}${isTransposed ? ', as if transposed' : ''}.`,
      );
    }
  }
  verifyNames(tensors, Object.keys(specs), what);
}

/**
 * Checks that there are no tensors but these, and those that every artifact may have of its items, users and sessions.
 *
 * @param what What holds the tensors, for messages. Default `weights.safetensors`.
 * @throws RecommenderError `weights-mismatch` that names the tensor.
 */
export function verifyNames(tensors: NdArrays, names: readonly string[], what = WEIGHTS): void {
  const known = new Set([...SHARED, ...names]);
  const surplus = Object.keys(tensors).find((name) => !known.has(name) && !name.startsWith(FEATURE_PREFIX));
  if (surplus !== undefined) {
    throw mismatch(`${what} has the tensor ${quote(surplus)}, which this architecture and configuration do not use.`);
  }
}

function mismatch(message: string): RecommenderError {
  return new RecommenderError('weights-mismatch', `${message} Export weights and configuration together.`);
}
