/** Reference weights as our parameters, and our tensors under the reference's names, through the product's importer. */
import type { Tensor } from '@tensorflow/tfjs';
import type { Importer } from '../../../src/checkpoint/imports/importer';
import { type NameMap, toOurs } from '../../../src/checkpoint/imports/name-map';
import { configure } from '../../../src/models/configuration';
import type { ParameterSpec, SessionModel } from '../../../src/models/model';
import { upload } from '../../../src/models/tensors';
import type { Catalogue, NdArray, NdArrays } from '../../../src/types';
import type { GoldenFile } from './compare';

export interface Imported<C> {
  readonly config: C;
  readonly catalogue: Catalogue;
  readonly specs: Readonly<Record<string, ParameterSpec>>;
  /** Tensors of the file that no computation reads, by their names. */
  readonly unused: readonly string[];
  /** Tensors of the file under a prefix, as our parameters. */
  load(prefix: string): Record<string, Tensor>;
  /** Our tensors as entries `PREFIX + their name`; tensors that took no part are zero. */
  entries(prefix: string, ours: Readonly<Record<string, Tensor>>): Promise<Record<string, ArrayLike<number>>>;
}

/**
 * @param support Events of each item, where the loss needs it.
 * @param variant Reference options that differ from the file's, such as another loss.
 */
export function imported<C>(
  file: GoldenFile,
  importer: Importer,
  model: SessionModel<C>,
  support?: ArrayLike<number>,
  variant: Readonly<Record<string, unknown>> = {},
): Imported<C> {
  const { items, config: given } = importer.config({ ...file.config, ...variant });
  const config = configure(model, given);
  const n = items!;
  const catalogue = { items: n, ...(support && { support }) };
  const specs = model.parameters(config, catalogue);
  const map = importer.map(config as Readonly<Record<string, unknown>>, n);
  return {
    config,
    catalogue,
    specs,
    unused: map.unused ?? [],
    load(prefix) {
      const theirs = Object.entries(file.tensors).filter(([name]) => name.startsWith(prefix));
      const tensors = Object.fromEntries(theirs.map(([name, array]) => [name.slice(prefix.length), array]));
      return upload(toOurs(map, tensors, `${file.name} ${prefix}`));
    },
    async entries(prefix, ours) {
      const arrays: Record<string, NdArray> = {};
      for (const [name, { shape }] of Object.entries(specs)) {
        const length = shape.reduce((a, b) => a * b, 1);
        const data = ours[name] ? ((await ours[name].data()) as Float32Array).slice() : new Float32Array(length);
        arrays[name] = { data, shape };
      }
      const theirs = Object.entries(toTheirs(map, arrays));
      return Object.fromEntries(theirs.map(([name, { data }]) => [prefix + name, data]));
    },
  };
}

/**
 * Their tensors from ours, so that gradients and weights after a step can be compared under their names. Places that ours do not
 * have are zero.
 */
export function toTheirs(map: NameMap, tensors: NdArrays): Record<string, NdArray<Float32Array>> {
  const theirs: Record<string, NdArray<Float32Array>> = {};
  const places: Record<string, NdArray> = {};
  const targets: [Float32Array, number][] = [];
  for (const [name, shape] of Object.entries(map.theirs)) {
    const data = new Float32Array(shape.reduce((a, b) => a * b, 1));
    theirs[name] = { data, shape };
    places[name] = { data: data.map((_, i) => targets.push([data, i])), shape };
  }
  // The number of the place, from 1, that each of ours comes from; below 0 where it is negated.
  const sources = toOurs({ ...map, zeroRows: [] }, places);
  for (const [name, { data }] of Object.entries(sources)) {
    data.forEach((place, i) => {
      const [target, at] = targets[Math.abs(place) - 1] ?? [];
      if (target) target[at!] = Math.sign(place) * tensors[name]!.data[i]!;
    });
  }
  return theirs;
}

/** The numbers of tensors, as entries `PREFIX + name`. Disposes the tensors. */
export async function read(tensors: Readonly<Record<string, Tensor>>, prefix = '') {
  const entries: Record<string, ArrayLike<number>> = {};
  for (const [name, value] of Object.entries(tensors)) {
    entries[prefix + name] = (await value.data()).slice();
  }
  for (const value of new Set(Object.values(tensors))) value.dispose(); // one may stand under two names
  return entries;
}
