/** Starts parameters from their specification, for every architecture. */
import { random } from '../session/random';
import type { NdArray } from '../types';
import type { Initialiser, ParameterSpec } from './model';
import { size } from './parameters';

/**
 * Initial values for every parameter.
 *
 * @param specs As declared by `SessionModel.parameters`.
 * @param seed Each parameter draws from a stream of its own name, so adding one changes no other.
 */
export function initialise(
  specs: Readonly<Record<string, ParameterSpec>>,
  seed: number,
): Record<string, NdArray<Float32Array>> {
  const arrays: Record<string, NdArray<Float32Array>> = {};
  for (const [name, { shape, init, rows, zeroRow = rows !== undefined }] of Object.entries(specs)) {
    const data = draw(init, size(shape), seed, name);
    if (zeroRow) data.fill(0, 0, size(shape.slice(1)));
    arrays[name] = { data, shape };
  }
  return arrays;
}

function draw(init: Initialiser, length: number, seed: number, name: string): Float32Array {
  const data = new Float32Array(length);
  const { uniform, normal } = random(seed, 'init', name);
  switch (init.kind) {
    case 'zeros':
      break;
    case 'ones':
      data.fill(1);
      break;
    case 'uniform':
      for (let i = 0; i < length; i++) data[i] = (2 * uniform() - 1) * init.limit;
      break;
    case 'normal':
      for (let i = 0; i < length; i++) data[i] = (init.mean ?? 0) + normal() * init.std;
      break;
  }
  return data;
}
