/** Checks tensors against what they must be for one architecture. */
import { RecommenderError } from '../errors';
import type { NdArray } from '../types';
import { quote } from './json';

/** Tensors of an artifact that belong to no architecture. */
const SHARED_PREFIX = 'catalogue.';

/**
 * Checks that every parameter is there, as float32 and in its shape, and that nothing else is. Tensors under
 * `catalogue.` are not parameters and pass.
 *
 * @param specs The architecture's `parameters(config, catalogue)`: shapes by name, and whether there is a row for each item.
 * @param what What holds the tensors, for messages. Default `weights.safetensors`.
 * @throws RecommenderError `weights-mismatch` that names the tensor, what was expected and what came.
 */
export function verifyParameters(
  tensors: Readonly<Record<string, NdArray>>,
  specs: Readonly<Record<string, { readonly shape: readonly number[]; readonly rows?: unknown }>>,
  what = 'weights.safetensors',
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
    if (!(tensor.data instanceof Float32Array) || !sameShape) {
      const type = tensor.data instanceof Float32Array ? 'float32' : 'int32';
      const got = `${type} [${tensor.shape.join(', ')}]`;
      const isTurned = !sameShape && shape.length === 2 && [...tensor.shape].reverse().join() === shape.join();
      throw mismatch(
        `${what}: tensor ${quote(name)} must be ${expected}, got ${got}${isTurned ? ', as if transposed' : ''}.`,
      );
    }
  }
  const surplus = Object.keys(tensors).find((name) => !Object.hasOwn(specs, name) && !name.startsWith(SHARED_PREFIX));
  if (surplus !== undefined) {
    throw mismatch(`${what} has the tensor ${quote(surplus)}, which this architecture and configuration do not use.`);
  }
}

function mismatch(message: string): RecommenderError {
  return new RecommenderError('weights-mismatch', `${message} Export weights and configuration together.`);
}
