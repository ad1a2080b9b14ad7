/**
 * safetensors, read and written: https://github.com/huggingface/safetensors#format.
 *
 *     8 bytes   header length N, unsigned little-endian
 *     N bytes   JSON: { "name": { "dtype", "shape", "data_offsets": [begin, end] }, …, "__metadata__": { text: text } }
 *     the rest  the tensors' bytes, row-major little-endian, without holes
 *
 * The reader trusts nothing: every size is checked against the bytes that are there before anything is allocated, so
 * that the largest allocation of a refused file is its parsed header. Typed arrays are little-endian on every machine
 * that runs JavaScript, hence the plain views.
 */
import type { RecommenderError } from '../errors';
import { MAX_HEADER_BYTES } from '../limits';
import type { NdArray } from '../types';
import { fromHalf, widen } from './half';
import { bad, htmlHint, isRecord, parseJson, quote, show } from './json';

/** Bytes of one value of each type that is read. */
export const SIZES = { F64: 8, F32: 4, F16: 2, BF16: 2, I64: 8, I32: 4, I16: 2, I8: 1, U8: 1, BOOL: 1 } as const;
export type DType = keyof typeof SIZES;

/** One tensor as stored. `bytes` is a view into the file. */
export interface StoredTensor {
  readonly dtype: DType;
  readonly shape: readonly number[];
  readonly bytes: Uint8Array;
}

export interface StoredFile {
  readonly tensors: ReadonlyMap<string, StoredTensor>;
  readonly metadata: Readonly<Record<string, string>>;
}

const MAX_RANK = 16;
export const METADATA = '__metadata__';

/**
 * Reads and checks the header; the tensors stay bytes.
 *
 * @param maxHeader Most bytes of the header. Default `MAX_HEADER_BYTES`.
 * @throws RecommenderError `bad-artifact` that names file and tensor.
 */
export function readSafetensors(bytes: Uint8Array, fileName: string, maxHeader = MAX_HEADER_BYTES): StoredFile {
  const header = readHeader(bytes, fileName, maxHeader);
  const data = bytes.subarray(8 + header.length);
  const metadata = readMetadata(header.json[METADATA], fileName);
  const spans: Span[] = [];
  for (const name of Object.keys(header.json)) {
    if (name !== METADATA) spans.push(readSpan(name, header.json[name], data.length, fileName));
  }
  // Entries may be in any order; their bytes must follow each other without a gap.
  spans.sort((a, b) => a.begin - b.begin || a.end - b.end);
  let end = 0;
  for (const span of spans) {
    if (span.begin < end) throw badTensor(fileName, span.name, `begins at byte ${span.begin}, inside another tensor.`);
    if (span.begin > end) {
      throw badTensor(
        fileName,
        span.name,
        `begins at byte ${span.begin}; ${span.begin - end} bytes before it belong to none.`,
      );
    }
    end = span.end;
  }
  if (end !== data.length) {
    throw bad(fileName, `has ${data.length - end} bytes after its last tensor that belong to none.`);
  }
  const tensors = new Map<string, StoredTensor>();
  for (const { name, dtype, shape, begin, end } of spans) {
    tensors.set(name, { dtype, shape, bytes: data.subarray(begin, end) });
  }
  return { tensors, metadata };
}

interface Span {
  readonly name: string;
  readonly dtype: DType;
  readonly shape: readonly number[];
  readonly begin: number;
  readonly end: number;
}

function readHeader(
  bytes: Uint8Array,
  fileName: string,
  maxHeader: number,
): { length: number; json: Record<string, unknown> } {
  const hint = htmlHint(bytes);
  if (bytes.length < 8) {
    throw bad(fileName, `is ${bytes.length} bytes long; a safetensors file has at least 8.${hint}`);
  }
  const view = new DataView(bytes.buffer, bytes.byteOffset, 8);
  const length = view.getUint32(0, true) + view.getUint32(4, true) * 2 ** 32; // exact up to 2⁵³, refused long before
  const most = Math.min(maxHeader, bytes.length - 8);
  if (length < 2 || length > most) {
    throw bad(fileName, `declares a header of ${length} bytes; expected 2 to ${most}.${hint}`);
  }
  const json = parseJson(bytes.subarray(8, 8 + length), `${fileName}: the header`);
  if (!isRecord(json)) throw bad(fileName, 'has a header that is not a JSON object.');
  return { length, json };
}

function readMetadata(value: unknown, fileName: string): Record<string, string> {
  if (value === undefined) return {};
  if (!isRecord(value) || Object.values(value).some((text) => typeof text !== 'string'))
    throw bad(fileName, `has ${METADATA} that is not a JSON object of texts.`);
  return value as Record<string, string>;
}

function readSpan(name: string, entry: unknown, available: number, fileName: string): Span {
  // An object's own `__proto__` survives JSON.parse but not the first assignment by name.
  if (name === '__proto__' || !isRecord(entry))
    throw badTensor(fileName, name, 'is no JSON object, or has a name that is not allowed.');
  const { dtype, shape, data_offsets: offsets } = entry;
  if (typeof dtype !== 'string' || !Object.hasOwn(SIZES, dtype)) {
    const known = Object.keys(SIZES).join(', ');
    throw badTensor(fileName, name, `has the type ${show(dtype)}; known types are ${known}.`);
  }
  if (!Array.isArray(shape) || shape.length > MAX_RANK || !shape.every(isSize)) {
    throw badTensor(fileName, name, `has the shape ${show(shape)}; expected up to ${MAX_RANK} whole numbers from 0.`);
  }
  const [begin, end] = (Array.isArray(offsets) && offsets.length === 2 && offsets.every(isSize) ? offsets : [1, 0]) as [
    number,
    number,
  ];
  if (begin > end || end > available) {
    throw badTensor(
      fileName,
      name,
      `has the offsets ${show(offsets)}; expected two whole numbers, ascending, from 0 to ${available}.`,
    );
  }
  let needed: number = SIZES[dtype as DType];
  for (const size of shape) {
    needed *= size;
    if (needed > Number.MAX_SAFE_INTEGER) {
      throw badTensor(fileName, name, `has the shape ${show(shape)}, larger than any file.`);
    }
  }
  if (needed !== end - begin) {
    throw badTensor(
      fileName,
      name,
      `of type ${dtype} and shape ${show(shape)} needs ${needed} bytes, but has ${end - begin}.`,
    );
  }
  return { name, dtype: dtype as DType, shape: shape.map((size) => size + 0), begin, end }; // -0 becomes 0
}

/**
 * Values of a stored tensor as plain numbers: float types as Float32Array, integer types as Int32Array; views into the file where
 * type and alignment allow, copies otherwise.
 *
 * @throws RecommenderError `bad-artifact` for a type that no file of ours has; `decodeSafetensors` reads others.
 */
export function toNdArray({ dtype, shape, bytes }: StoredTensor, name: string, fileName: string): NdArray {
  switch (dtype) {
    case 'F32':
      return { shape, data: new Float32Array(...aligned(bytes, 4)) };
    case 'I32':
      return { shape, data: new Int32Array(...aligned(bytes, 4)) };
    case 'F16':
      return { shape, data: widen(new Uint16Array(...aligned(bytes, 2)), fromHalf) };
    case 'I8':
      return { shape, data: Int32Array.from(new Int8Array(bytes.buffer, bytes.byteOffset, bytes.length)) };
    case 'U8':
      return { shape, data: Int32Array.from(bytes) };
    default:
      throw badTensor(
        fileName,
        name,
        `is of the type ${dtype}; Aisle writes F32, F16, I32, I8 and U8. Import it again.`,
      );
  }
}

/** Buffer, offset and length of a view of `size`-byte values; copies bytes that are not aligned to it. */
export function aligned(bytes: Uint8Array, size: number): [ArrayBufferLike, number, number] {
  const at = bytes.byteOffset % size === 0 ? bytes : new Uint8Array(bytes); // `slice` of a Buffer is no copy
  return [at.buffer, at.byteOffset, at.length / size];
}

function isSize(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 0;
}

export function badTensor(fileName: string, name: string, text: string): RecommenderError {
  return bad(`${fileName}: tensor ${quote(name)}`, text);
}
