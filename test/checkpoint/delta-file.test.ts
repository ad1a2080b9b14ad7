import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Delta } from '../../src/checkpoint/delta';
import { decodeDelta, encodeDelta, MAX_DELTA_BYTES } from '../../src/checkpoint/delta-file';
import { readSafetensors } from '../../src/checkpoint/safetensors';
import { encodeSafetensors, writeSafetensors } from '../../src/checkpoint/write-safetensors';
import { RecommenderError } from '../../src/errors';
import type { NdArray } from '../../src/types';
import { PATIENT, runs } from '../soak-slice';
import { tried } from '../tries';
import { DELTA } from './deltas';
import { mutated } from './mutations';

const number = fc.double({ noNaN: true, noDefaultInfinity: true }).filter((value) => !Object.is(value, -0));
const count = fc.nat();
const text = fc.oneof(fc.string({ minLength: 1 }), fc.constantFrom('__proto__', '🧦', '"', '\n'));
const flat = (length: number): fc.Arbitrary<NdArray> =>
  fc.oneof(
    fc.float32Array({ minLength: length, maxLength: length, noNaN: true, noDefaultInfinity: true }).map(array),
    fc.int32Array({ minLength: length, maxLength: length }).map(array),
  );
const array = (data: Float32Array | Int32Array): NdArray => ({ data, shape: [data.length] });
const deltas: fc.Arbitrary<Delta> = fc.uniqueArray(text, { maxLength: 5 }).chain((itemIds) =>
  fc.record({
    format: fc.constant(1 as const),
    method: fc.constantFrom('adapter', 'full'),
    base: fc.record({
      name: text,
      version: text,
      architecture: text,
      hash: fc.constant('0f'.repeat(32)),
      items: count,
    }),
    itemIds: fc.constant(itemIds),
    arrays: fc.record({
      a: fc.nat(9).chain(flat),
      'rows.b': flat(itemIds.length),
      'slot.rows.b': flat(itemIds.length),
    }),
    step: count,
    learnt: fc.record({ events: count, through: fc.option(number), atThrough: count }),
    gate: fc.record({
      isOpen: fc.boolean(),
      events: count,
      evidence: number,
      against: number,
      sum: number,
      squares: number,
      base: number,
      tuned: number,
      openings: count,
      rollbacks: count,
    }),
    guard: fc.record({
      refused: fc.record({ rate: count, repetition: count, entropy: count }),
      recent: fc.array(fc.record({ itemId: text, time: number }), { maxLength: 4 }),
      surprise: number,
    }),
  }),
);

/** What a decoder may do with bytes that are not whole: refuse them, in its own words. */
function expectRefused(bytes: Uint8Array): void {
  let read: unknown;
  try {
    read = decodeDelta(bytes);
  } catch (error) {
    expect(error).toBeInstanceOf(RecommenderError);
    expect(error).toMatchObject({ code: 'bad-delta', message: expect.stringMatching(/^The delta/) });
    return;
  }
  expect.fail(`read ${JSON.stringify(read)}`);
}

test(
  'a delta is read as it was written, and written again to the same bytes',
  () => {
    expect(decodeDelta(encodeDelta(DELTA))).toEqual(DELTA);
    fc.assert(
      fc.property(deltas, (delta) => {
        const file = encodeDelta(delta);
        expect(decodeDelta(file)).toEqual(delta);
        expect(encodeDelta(decodeDelta(file))).toEqual(file);
      }),
      { numRuns: runs(50), seed: 1 },
    );
  },
  PATIENT.timeout,
);

test(
  'a file that was damaged anywhere is refused',
  () => {
    const file = encodeDelta(DELTA);
    tried(runs(500));
    for (let seed = 0; seed < runs(500); seed++) {
      const bytes = mutated(file, seed);
      // Space between the header and the arrays says nothing, and nothing of what it says is lost with it.
      let same: Delta | undefined;
      try {
        same = decodeDelta(bytes);
      } catch {
        expectRefused(bytes);
      }
      if (same) expect(same, `seed ${seed}`).toEqual(DELTA);
    }
  },
  PATIENT.timeout,
);

describe('a file is refused that', () => {
  const rest = ({ arrays: _, ...others }: Delta) => others;
  /** Any JSON in the place of the fields, with the checksum of a writer that is not particular. */
  const written = (fields: unknown, arrays = DELTA.arrays): Uint8Array =>
    encodeDelta({ ...(fields as Delta), method: (fields as Delta).method ?? 'adapter', arrays });

  test.each<[string, Partial<Record<keyof Delta, unknown>>]>([
    ['has another format', { format: 2 }],
    ['was learnt in another way', { method: 'distilled' }],
    ['has no base', { base: undefined }],
    ['has a base without a hash', { base: { ...DELTA.base, hash: 'x' } }],
    ['has a base with half an item', { base: { ...DELTA.base, items: 0.5 } }],
    ['has a base with one field more', { base: { ...DELTA.base, url: 'https://elsewhere.example/' } }],
    ['has ids that are no list', { itemIds: 'abcde' }],
    ['has an id that is a number', { itemIds: ['a', 'b', 'c', 'd', 5] }],
    ['has an id twice', { itemIds: ['a', 'b', 'c', 'd', 'a'] }],
    ['has fewer ids than rows', { itemIds: ['a', 'b', 'c', 'd'] }],
    ['has an id of 1,001 characters', { itemIds: ['a', 'b', 'c', 'd', 'x'.repeat(1001)] }],
    ['has done −1 steps', { step: -1 }],
    ['has learnt 2^60 events', { learnt: { ...DELTA.learnt, events: 2 ** 60 } }],
    ['has learnt through a text', { learnt: { ...DELTA.learnt, through: 'today' } }],
    ['has a gate that is a list', { gate: [] }],
    ['has a gate without evidence', { gate: { ...DELTA.gate, evidence: undefined } }],
    ['has a gate whose evidence is not finite', { gate: { ...DELTA.gate, evidence: Number.NaN } }],
    ['has a gate that is open by 1', { gate: { ...DELTA.gate, isOpen: 1 } }],
    ['has a guard of another kind', { guard: { refused: { rate: 0, repetition: 0, boredom: 0 } } }],
    ['has one field more', { more: 1 } as object],
  ])('%s', (_, change) => {
    expectRefused(written({ ...rest(DELTA), ...change }));
  });

  test.each<[string, Record<string, NdArray>]>([
    ['has a number that is not finite', { a: { data: Float32Array.of(1, Number.NaN), shape: [2] } }],
    ['has a number beyond all', { a: { data: Float32Array.of(Number.POSITIVE_INFINITY), shape: [] } }],
    ['has rows of no item', { 'rows.a': { data: Float32Array.of(1, 2), shape: [2] } }],
    ['has one row without a dimension', { 'rows.a': { data: Float32Array.of(1), shape: [] } }],
    ["has rows of no item in the optimiser's state", { 'slot.rows.a': { data: Float32Array.of(1, 2), shape: [1, 2] } }],
    ['has an array with a name of another alphabet', { 'a b': { data: Float32Array.of(1), shape: [] } }],
  ])('%s', (_, arrays) => {
    expectRefused(written(rest(DELTA), arrays));
  });

  test('has arrays of another type', () => {
    const { tensors, metadata } = readSafetensors(encodeDelta(DELTA), 'x');
    const half = { dtype: 'F16', shape: [1], bytes: new Uint8Array(2) } as const;
    expectRefused(writeSafetensors(new Map([...tensors, ['half', half]]), metadata));
  });

  test('holds no delta but other tensors, or nothing', () => {
    expectRefused(encodeSafetensors(DELTA.arrays));
    expectRefused(encodeSafetensors(DELTA.arrays, { delta: '{' }));
    expectRefused(encodeSafetensors({}, { delta: '[]' }));
    expectRefused(new Uint8Array());
    expectRefused(new TextEncoder().encode('<!doctype html>'));
  });

  test('has the checksum of another', () => {
    const { tensors, metadata } = readSafetensors(encodeDelta(DELTA), 'x');
    expectRefused(
      writeSafetensors(tensors, { ...metadata, delta: metadata['delta']!.replace('"step":12', '"step":13') }),
    );
  });
});

test.each(['adapter', 'full'] as const)(
  'one that is larger than what "%s" may take is neither written nor read',
  (method) => {
    const size = MAX_DELTA_BYTES[method] / 4;
    const delta = { ...DELTA, method, arrays: { ...DELTA.arrays, a: { data: new Float32Array(size), shape: [size] } } };
    expect(() => encodeDelta(delta)).toThrow(expect.objectContaining({ code: 'bad-delta' }));
    expectRefused(new Uint8Array(MAX_DELTA_BYTES.full + 1));
    const { tensors, metadata } = readSafetensors(encodeDelta({ ...DELTA, method }), 'x');
    const more = { dtype: 'F32', shape: [size], bytes: new Uint8Array(4 * size) } as const;
    expectRefused(writeSafetensors(new Map([...tensors, ['a', more]]), metadata));
  },
);

test('there are the arrays of the file, and none that every object has', () => {
  expect(decodeDelta(encodeDelta(DELTA)).arrays['constructor']).toBeUndefined();
});
