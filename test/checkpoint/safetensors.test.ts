import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { decodeSafetensors } from '../../src/checkpoint/decode-safetensors';
import { fromHalf } from '../../src/checkpoint/half';
import { readSafetensors, type StoredTensor } from '../../src/checkpoint/safetensors';
import { encodeSafetensors, writeSafetensors } from '../../src/checkpoint/write-safetensors';
import { RecommenderError } from '../../src/errors';
import type { NdArray } from '../../src/types';
import { GOLDEN } from '../shared';
import { PATIENT, runs } from '../soak-slice';

const utf8 = (text: string) => new TextEncoder().encode(text);

/** A file with any header and any data behind it. */
function file(header: unknown, dataBytes = 0, declaredLength?: bigint): Uint8Array {
  const json =
    header instanceof Uint8Array ? header : utf8(typeof header === 'string' ? header : JSON.stringify(header));
  const bytes = new Uint8Array(8 + json.length + dataBytes);
  new DataView(bytes.buffer).setBigUint64(0, declaredLength ?? BigInt(json.length), true);
  bytes.set(json, 8);
  return bytes;
}
const f32 = (shape: unknown, begin: unknown, end: unknown) => ({ dtype: 'F32', shape, data_offsets: [begin, end] });
const MAX = Number.MAX_SAFE_INTEGER;

test('a header of any length leaves the numbers of a Node buffer readable', () => {
  for (let extra = 0; extra < 4; extra++) {
    const bytes = file({ __metadata__: { x: 'x'.repeat(extra) }, w: f32([1], 0, 4) }, 4);
    bytes.set(new Uint8Array(Float32Array.of(1.5).buffer), bytes.length - 4);
    const { tensors } = decodeSafetensors(Buffer.from(bytes.buffer), 'w.st');
    expect(tensors['w']!.data).toEqual(Float32Array.of(1.5));
  }
});

describe('the safetensors reader refuses, naming file and tensor,', () => {
  test.each<[string, Uint8Array, RegExp]>([
    ['an empty file', new Uint8Array(), /^w\.st is 0 bytes long/],
    ['seven bytes', new Uint8Array(7), /^w\.st is 7 bytes long; a safetensors file has at least 8/],
    ['a header of length 0', file('', 4), /declares a header of 0 bytes/],
    ['a header of length 1', file('{', 4), /declares a header of 1 bytes/],
    ['a header beyond the file', file('{}', 0, 3n), /declares a header of 3 bytes; expected 2 to 2/],
    ['a header of 2^53 bytes', file('{}', 0, 2n ** 53n), /declares a header of 9007199254740992 bytes/],
    ['a header of 2^64 - 1 bytes', file('{}', 0, 2n ** 64n - 1n), /declares a header of 18446744073709552000 bytes/],
    ['a header over the limit', file('{}', 1_048_577, 1_048_577n), /expected 2 to 1048576/],
    ['a web page', utf8('<!doctype html><html></html>'), /an HTML page/],
    [
      'a header that is not UTF-8',
      file(Uint8Array.of(0x7b, 0x22, 0xc3, 0x22, 0x7d)),
      /^w\.st: the header is not valid UTF-8/,
    ],
    ['a header that is not JSON', file('{"a":}'), /^w\.st: the header is not valid JSON/],
    ['a header that is a list', file('[]'), /has a header that is not a JSON object/],
    ['a header that is a number', file('17'), /has a header that is not a JSON object/],
    ['a header 100,000 levels deep', file('['.repeat(100_000)), /^w\.st: the header nests deeper than 64 levels/],
    ['objects 100,000 levels deep', file('{"a":'.repeat(100_000)), /nests deeper than 64 levels/],
    [
      'a name twice',
      file(`{"a":${JSON.stringify(f32([1], 0, 4))},"a":${JSON.stringify(f32([1], 4, 8))}}`, 8),
      /has the name "a" twice/,
    ],
    ['a name twice, once escaped', file('{"ab":1,"a\\u0062":1}'), /has the name "ab" twice/],
    ['a field of a tensor twice', file('{"a":{"dtype":"F32","dtype":"I8"}}'), /has the name "dtype" twice/],
    [
      'a tensor named __proto__',
      file(`{"__proto__":${JSON.stringify(f32([1], 0, 4))}}`, 4),
      /tensor "__proto__" .*has a name that is not allowed/,
    ],
    ['a tensor that is a number', file({ a: 3 }), /^w\.st: tensor "a" is no JSON object/],
    ['a tensor that is null', file({ a: null }), /tensor "a" is no JSON object/],
    ['metadata that is text', file({ __metadata__: 'x' }), /has __metadata__ that is not a JSON object/],
    ['metadata of numbers', file({ __metadata__: { x: 1 } }), /has __metadata__ that is not a JSON object of texts/],
    [
      'an unknown type',
      file({ a: { ...f32([1], 0, 4), dtype: 'F8_E4M3' } }, 4),
      /tensor "a" has the type "F8_E4M3"; known types are F64, F32/,
    ],
    ['an inherited name as type', file({ a: { ...f32([1], 0, 4), dtype: 'toString' } }, 4), /has the type "toString"/],
    ['no type', file({ a: { shape: [], data_offsets: [0, 4] } }, 4), /has the type nothing/],
    [
      'a shape of text',
      file({ a: f32('1', 0, 4) }, 4),
      /tensor "a" has the shape "1"; expected up to 16 whole numbers/,
    ],
    ['a negative length', file({ a: f32([-1], 0, 4) }, 4), /has the shape \[-1\]/],
    ['half a length', file({ a: f32([0.5, 2], 0, 4) }, 4), /has the shape \[0\.5,2\]/],
    [
      'a length of 2^53',
      file('{"a":{"dtype":"F32","shape":[9007199254740993],"data_offsets":[0,4]}}', 4),
      /has the shape \[9007199254740992\]/,
    ],
    [
      'a length of 1e999',
      file('{"a":{"dtype":"F32","shape":[1e999],"data_offsets":[0,4]}}', 4),
      /has the shape \[null\]/,
    ],
    ['a product that overflows', file({ a: f32([2 ** 40, 2 ** 40], 0, 4) }, 4), /larger than any file/],
    ['a product that overflows and then is empty', file({ a: f32([MAX, MAX, 0], 0, 0) }), /larger than any file/],
    [
      'a product that wraps to the right size in 64 bits',
      file({ a: f32([2 ** 32, 2 ** 32, 1], 0, 0) }),
      /larger than any file/,
    ],
    [
      'hundreds of dimensions',
      file({ a: f32(new Array(300).fill(1), 0, 4) }, 4),
      /has the shape \[1,1,.*; expected up to 16 whole numbers/,
    ],
    ['no offsets', file({ a: { dtype: 'F32', shape: [1] } }, 4), /has the offsets nothing; expected two/],
    [
      'three offsets',
      file({ a: { dtype: 'F32', shape: [1], data_offsets: [0, 4, 8] } }, 4),
      /has the offsets \[0,4,8\]/,
    ],
    ['a negative offset', file({ a: f32([1], -4, 0) }, 4), /has the offsets \[-4,0\]/],
    ['half an offset', file({ a: f32([1], 0.5, 4.5) }, 8), /has the offsets \[0\.5,4\.5\]/],
    ['an offset of 2^53', file({ a: f32([1], 0, 2 ** 53) }, 4), /has the offsets \[0,9007199254740992\]/],
    ['an offset of text', file({ a: f32([1], '0', '4') }, 4), /has the offsets \["0","4"\]/],
    [
      'decreasing offsets',
      file({ a: f32([1], 4, 0) }, 4),
      /tensor "a" has the offsets \[4,0\]; expected two whole numbers, ascending, from 0 to 4/,
    ],
    [
      'an end beyond the file',
      file({ a: f32([2], 0, 8) }, 4),
      /tensor "a" has the offsets \[0,8\]; expected two whole numbers, ascending, from 0 to 4/,
    ],
    [
      'a terabyte in a tiny file',
      file({ a: f32([2 ** 38], 0, 2 ** 40) }, 4),
      /has the offsets \[0,1099511627776\]; expected .* from 0 to 4/,
    ],
    [
      'fewer bytes than its shape',
      file({ a: f32([3], 0, 8) }, 8),
      /tensor "a" of type F32 and shape \[3\] needs 12 bytes, but has 8/,
    ],
    ['more bytes than its shape', file({ a: f32([], 0, 8) }, 8), /shape \[\] needs 4 bytes, but has 8/],
    [
      'overlapping tensors',
      file({ a: f32([2], 0, 8), b: f32([2], 4, 12) }, 12),
      /tensor "b" begins at byte 4, inside another/,
    ],
    [
      'the same bytes for two tensors',
      file({ a: f32([1], 0, 4), b: f32([1], 0, 4) }, 4),
      /tensor "b" begins at byte 0, inside another/,
    ],
    [
      'a hole before the first tensor',
      file({ a: f32([1], 4, 8) }, 8),
      /tensor "a" begins at byte 4; 4 bytes before it belong to none/,
    ],
    [
      'a hole between tensors',
      file({ b: f32([1], 8, 12), a: f32([1], 0, 4) }, 12),
      /tensor "b" begins at byte 8; 4 bytes/,
    ],
    ['trailing bytes', file({ a: f32([1], 0, 4) }, 5), /^w\.st has 1 bytes after its last tensor/],
    ['bytes that belong to no tensor at all', file({}, 4), /^w\.st has 4 bytes after/],
    [
      'an integer that does not fit',
      file({ a: { dtype: 'I64', shape: [1], data_offsets: [0, 8] } }, 8).fill(0x7f, -8),
      /tensor "a" holds 9187201950435737471 at position 0, which does not fit 32 bits/,
    ],
    ['a name as long as a book', file({ ['x'.repeat(10_000)]: 1 }), /^w\.st: tensor "x{77}…" is no JSON object/],
  ])('%s', (_, bytes, message) => {
    expect(() => decodeSafetensors(bytes, 'w.st')).toThrow(message);
    expect(() => decodeSafetensors(bytes, 'w.st')).toThrow(RecommenderError);
  });
});

describe('the safetensors reader', () => {
  test('reads every type', () => {
    const types = [
      ['F64', [1.5, -2], new Float64Array([1.5, -2])],
      ['F32', [1.5, -2], new Float32Array([1.5, -2])],
      ['F16', [1.5, -2], new Uint16Array([0x3e00, 0xc000])],
      ['BF16', [1.5, -2], new Uint16Array([0x3fc0, 0xc000])],
      ['I64', [2147483647, -2147483648], new BigInt64Array([2147483647n, -2147483648n])],
      ['I32', [7, -7], new Int32Array([7, -7])],
      ['I16', [7, -7], new Int16Array([7, -7])],
      ['I8', [7, -7], new Int8Array([7, -7])],
      ['U8', [7, 249], new Uint8Array([7, 249])],
      ['BOOL', [1, 0], new Uint8Array([1, 0])],
    ] as const;
    const stored = types.map(
      ([dtype, , { buffer }]) => [dtype, { dtype, shape: [2], bytes: new Uint8Array(buffer) }] as const,
    );
    const { tensors } = decodeSafetensors(writeSafetensors(new Map(stored)), 'w.st');
    for (const [dtype, values] of types) {
      expect([...tensors[dtype]!.data], dtype).toEqual(values);
      expect(tensors[dtype]!.data, dtype).toBeInstanceOf(dtype.includes('F') ? Float32Array : Int32Array);
    }
  });

  test('makes views where the alignment allows, and copies where it does not', () => {
    const bytes = encodeSafetensors({ a: { data: new Float32Array([1, 2]), shape: [2] } });
    expect(decodeSafetensors(bytes, 'w.st').tensors['a']!.data.buffer).toBe(bytes.buffer);
    const shifted = new Uint8Array(bytes.length + 1);
    shifted.set(bytes, 1);
    const { data } = decodeSafetensors(shifted.subarray(1), 'w.st').tensors['a']!;
    expect(data.buffer).not.toBe(shifted.buffer);
    expect([...data]).toEqual([1, 2]);
    const odd = file({ a: { dtype: 'U8', shape: [1], data_offsets: [0, 1] }, b: f32([1], 1, 5) }, 5);
    new DataView(odd.buffer).setFloat32(odd.length - 4, 0.5, true);
    expect([...decodeSafetensors(odd, 'w.st').tensors['b']!.data]).toEqual([0.5]);
  });

  test('reads scalars, empty tensors, an empty file, and entries in any order', () => {
    expect(decodeSafetensors(file({}), 'w.st')).toEqual({ tensors: {}, metadata: {} });
    const header = { b: f32([], 4, 8), none: f32([0, 5], 4, 4), a: f32([1, 1], 0, 4), __metadata__: { x: 'y' } };
    const { tensors, metadata } = decodeSafetensors(file(header, 8), 'w.st');
    expect(Object.keys(tensors).sort()).toEqual(['a', 'b', 'none']);
    expect(tensors['b']).toEqual({ data: new Float32Array(1), shape: [] });
    expect(tensors['none']).toEqual({ data: new Float32Array(0), shape: [0, 5] });
    expect(metadata).toEqual({ x: 'y' });
  });

  test('keeps names that a careless reader trips over', () => {
    const names = ['constructor', 'toString', 'a"b', 'ü/…', '', 'hasOwnProperty', '__metadata', '🧦'];
    const tensors = Object.fromEntries(names.map((name, i) => [name, { data: new Float32Array([i]), shape: [1] }]));
    expect(decodeSafetensors(encodeSafetensors(tensors), 'w.st').tensors).toEqual(tensors);
  });

  test('changed anywhere, reads whole or refuses with an error of its own', PATIENT, () => {
    const whole = encodeSafetensors(
      { a: { data: new Float32Array(6), shape: [2, 3] }, b: { data: new Int32Array(3), shape: [3] } },
      { config: '{"x":1}' },
    );
    const change = fc.record({ at: fc.nat(whole.length - 1), byte: fc.nat(255), cut: fc.option(fc.nat(whole.length)) });
    fc.assert(
      fc.property(fc.array(change, { minLength: 1, maxLength: 4 }), (changes) => {
        let bytes = whole.slice();
        for (const { at, byte, cut } of changes) {
          if (at < bytes.length) bytes[at] = byte;
          if (cut !== null) bytes = bytes.slice(0, cut);
        }
        try {
          const { tensors } = readSafetensors(bytes, 'w.st');
          let total = 0;
          for (const { bytes } of tensors.values()) total += bytes.length;
          expect(total).toBeLessThanOrEqual(bytes.length);
        } catch (error) {
          if (!(error instanceof RecommenderError)) throw error;
          expect(error.message).toMatch(/^w\.st/);
        }
      }),
      { seed: 1, numRuns: runs(500) },
    );
  });

  test('given any header, reads whole or refuses with an error of its own', PATIENT, () => {
    const size = fc.oneof(fc.nat(8), fc.constantFrom(-1, 0.5, 2 ** 31, 2 ** 53, MAX, 1e308, null, '4'));
    const tensor = fc.record(
      {
        dtype: fc.constantFrom('F32', 'I8', 'F16', 'I64', 'BOOL', 'X', 4, null),
        shape: fc.oneof(fc.array(size, { maxLength: 3 }), fc.anything()),
        data_offsets: fc.oneof(fc.array(size, { minLength: 2, maxLength: 2 }), fc.anything()),
      },
      { requiredKeys: [] },
    );
    const header = fc.dictionary(fc.oneof(fc.string(), fc.constantFrom('__proto__', '__metadata__', 'a')), tensor);
    fc.assert(
      fc.property(header, fc.nat(16), (entries, bytes) => {
        let text: string;
        try {
          text = JSON.stringify(entries);
        } catch {
          return; // BigInt and cycles have no JSON form
        }
        try {
          decodeSafetensors(file(text, bytes), 'w.st');
        } catch (error) {
          expect(error).toBeInstanceOf(RecommenderError);
        }
      }),
      { seed: 2, numRuns: runs(300) },
    );
  });
});

describe('the safetensors writer', () => {
  test('is undone by the reader, for any tensors and metadata', PATIENT, () => {
    const shape = fc.array(fc.nat(4), { maxLength: 3 });
    const tensor = fc.tuple(shape, fc.boolean()).chain(([shape, real]): fc.Arbitrary<NdArray> => {
      const length = shape.reduce((a, b) => a * b, 1);
      return real
        ? fc.float32Array({ minLength: length, maxLength: length }).map((data) => ({ data, shape }))
        : fc.int32Array({ minLength: length, maxLength: length }).map((data) => ({ data, shape }));
    });
    const name = fc.string({ unit: 'binary' }).filter((s) => s !== '__proto__' && s !== '__metadata__');
    const metadata = fc.dictionary(fc.string({ unit: 'grapheme' }), fc.string({ unit: 'grapheme' }), {
      noNullPrototype: true,
    });
    fc.assert(
      fc.property(fc.dictionary(name, tensor, { noNullPrototype: true }), metadata, (tensors, metadata) => {
        const bytes = encodeSafetensors(tensors, metadata);
        const read = decodeSafetensors(bytes, 'w.st');
        expect(read.tensors).toEqual(tensors);
        expect(read.metadata).toEqual(metadata);
      }),
      { seed: 3, numRuns: runs(100) },
    );
  });

  test('puts tensors in one order, aligned, whatever order they come in', () => {
    const a = { data: new Float32Array([1]), shape: [1] };
    const b = { data: new Int32Array([2]), shape: [1] };
    expect(encodeSafetensors({ b, a })).toEqual(encodeSafetensors({ a, b }));
    const odd: StoredTensor = { dtype: 'I8', shape: [3], bytes: new Uint8Array(3) };
    const wide: StoredTensor = { dtype: 'F32', shape: [1], bytes: new Uint8Array(4) };
    const { tensors } = readSafetensors(
      writeSafetensors(
        new Map([
          ['a', odd],
          ['b', wide],
        ]),
      ),
      'w.st',
    );
    expect(tensors.get('b')!.bytes.byteOffset % 8).toBe(0);
  });

  test('refuses a shape that does not fit, and reserved names', () => {
    const data = new Float32Array(3);
    expect(() => encodeSafetensors({ a: { data, shape: [2] } })).toThrow(RangeError);
    expect(() => encodeSafetensors({ __metadata__: { data, shape: [3] } })).toThrow(RangeError);
  });
});

test('every golden file is read, each number finite', () => {
  const names = readdirSync(GOLDEN).filter((name) => name.endsWith('.safetensors'));
  expect(names).toHaveLength(30);
  for (const name of names) {
    const { tensors, metadata } = decodeSafetensors(readFileSync(join(GOLDEN, name)), name);
    expect(JSON.parse(metadata['config']!), name).toBeTypeOf('object');
    for (const [tensor, { data, shape }] of Object.entries(tensors)) {
      expect(data.length, tensor).toBe(shape.reduce((a, b) => a * b, 1));
      expect(data.every(Number.isFinite), `${name} ${tensor}`).toBe(true);
    }
  }
});

test('a half in a file is the number that it stands for', () => {
  const bits = Uint16Array.from({ length: 65536 }, (_, i) => i);
  const stored = new Map([['h', { dtype: 'F16', shape: [65536], bytes: new Uint8Array(bits.buffer) } as const]]);
  const { data } = decodeSafetensors(writeSafetensors(stored), 'w.st').tensors['h']!;
  expect(data.every((x, i) => Object.is(x, fromHalf(i)))).toBe(true);
});
