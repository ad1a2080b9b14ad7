/** Expands a trained model's vocabulary, so that it can learn from a later log with more items, and users. */
import { isCoded } from '../checkpoint/coded-array';
import { RecommenderError } from '../errors';
import type { ParameterSpec } from '../models/model';
import { size } from '../models/parameters';
import type { NdArray } from '../types';

/**
 * Parameters for a catalogue of `items` items from those of its first `known.items`: rows of known items and all other
 * weights as they were trained, rows of new items as a fresh model starts them. Rows of special tokens stay behind the last
 * item's, rows of new users behind those of the known ones. A table that is codes stays so where it gets no rows.
 *
 * @param specs What the model has for the larger catalogue.
 * @param fresh Initial values by the same specification.
 * @throws RecommenderError `weights-mismatch` for weights of another shape: they were trained with another configuration.
 */
export function expandVocabulary(
  specs: Readonly<Record<string, ParameterSpec>>,
  fresh: Readonly<Record<string, NdArray>>,
  known: { readonly items: number; readonly tensors: Readonly<Record<string, NdArray>> },
  items: number,
): Record<string, NdArray> {
  const more = items - known.items;
  if (more < 0) throw new RangeError(`expandVocabulary: expected at least ${known.items} items, got ${items}.`);
  const entries = Object.entries(specs).map(([name, { shape, rows, perUser }]) => {
    const before = known.tensors[name];
    const [length = 1, ...rest] = shape;
    const users = Math.min(length, before?.shape[0] ?? 0);
    const expected = rows ? [length - more, ...rest] : perUser ? [users, ...rest] : shape;
    if (!(before && String(before.shape) === String(expected))) {
      throw new RecommenderError(
        'weights-mismatch',
        `The weights "${name}" to go on from have the shape [${before?.shape ?? ''}], expected [${expected}]: they were ` +
          'trained with another configuration, or with other features of the items. Train without `from`.',
      );
    }
    if (isCoded(before) && String(shape) === String(before.shape)) return [name, before] as const;
    if (perUser) {
      const data = (fresh[name]!.data as Float32Array).slice();
      data.set(before.data);
      return [name, { data, shape }] as const;
    }
    if (!rows || more === 0) return [name, { data: before.data.slice(), shape }] as const;
    const width = size(rest);
    const data = (fresh[name]!.data as Float32Array).slice();
    const old = before.data as Float32Array;
    data.set(old.subarray(0, (known.items + 1) * width));
    data.set(old.subarray((known.items + 1) * width), (items + 1) * width);
    return [name, { data, shape }] as const;
  });
  return Object.fromEntries(entries);
}
