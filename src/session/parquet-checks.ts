/**
 * Checks what a Parquet file says of itself before the library reads it. The library takes the numbers of a damaged file as they are:
 * a page without a size never ends, and a run of two billion equal values fills the memory. Here sizes and offsets must lie in the
 * file, a page holds no more values than its rows, and a run no more than its page.
 *
 * https://parquet.apache.org/docs/file-format/, https://parquet.apache.org/docs/file-format/data-pages/encodings/
 */
import type { AsyncBuffer, ColumnMetaData, Compressors, FileMetaData, SchemaTree } from 'hyparquet';
import { quiet } from '../errors';
import { MAX_PARQUET_PAGE, MAX_PARQUET_ROWS } from '../limits';

const MAX_DEPTH = 32;

/** Fields of a struct by number. */
type Fields = ReadonlyMap<number, unknown>;

/** Reads bytes one after the other. @throws RangeError beyond the last one. */
class Cursor {
  readonly #view: DataView;
  offset: number;

  constructor(view: DataView, offset = 0) {
    this.#view = view;
    this.offset = offset;
  }

  byte(): number {
    return this.#view.getUint8(this.offset++);
  }

  uint32(): number {
    this.offset += 4;
    return this.#view.getUint32(this.offset - 4, true);
  }

  byteAt(offset: number): number {
    return this.#view.getUint8(offset);
  }

  varint(): number {
    let value = 0;
    for (let scale = 1; scale < 128 ** 10; scale *= 128) {
      const byte = this.byte();
      value += (byte & 127) * scale;
      if (byte < 128) return value;
    }
    throw new Error('a number has more than ten bytes');
  }

  zigzag(): number {
    const value = this.varint();
    return value % 2 === 0 ? value / 2 : -(value + 1) / 2;
  }

  /** A struct of Thrift's compact protocol: https://github.com/apache/thrift/blob/master/doc/specs/thrift-compact-protocol.md */
  struct(depth = 0): Fields {
    const fields = new Map<number, unknown>();
    let id = 0;
    for (;;) {
      const head = this.byte();
      if ((head & 15) === 0) return fields;
      id = head >> 4 ? id + (head >> 4) : this.zigzag();
      if (id < 1 || id > 0x7fff) throw new Error(`it has a field of the number ${id}`);
      fields.set(id, this.#value(head & 15, depth));
    }
  }

  /** @returns Undefined for what no check reads. */
  #value(type: number, depth: number): unknown {
    if (depth > MAX_DEPTH) throw new Error(`it is nested more than ${MAX_DEPTH} deep`);
    switch (type) {
      case 1: // true
      case 2: // false
        return type === 1;
      case 3: // a byte
        this.offset++;
        return undefined;
      case 4: // whole numbers of 16, 32 and 64 bits
      case 5:
      case 6:
        return this.zigzag();
      case 7: // a double
        this.offset += 8;
        return undefined;
      case 8: {
        const length = this.varint(); // of bytes
        this.offset += length;
        return undefined;
      }
      case 9: // a list
        this.#list(depth);
        return undefined;
      case 12:
        return this.struct(depth + 1);
      default:
        throw new Error(`it has a field of an unknown type, ${type}`);
    }
  }

  #list(depth: number): void {
    const head = this.byte();
    const [short, type] = [head >> 4, head & 15];
    const length = short === 15 ? this.varint() : short;
    // An element has a byte or more; a truth value, too, which as a field has none.
    for (let i = 0; i < length; i++) this.#value(Math.max(type, 3), depth + 1);
  }
}

/** The end of a file, from its metadata on. @throws Error where numbers or lists in it have no end. */
export async function checkedFooter(buffer: AsyncBuffer): Promise<ArrayBuffer> {
  const { byteLength } = buffer;
  const end = await buffer.slice(Math.max(0, byteLength - 8), byteLength);
  const length = end.byteLength === 8 ? new DataView(end).getUint32(0, true) : Number.POSITIVE_INFINITY;
  if (length > byteLength - 8) return end; // the library says what is wrong with it
  const footer = await buffer.slice(byteLength - 8 - length, byteLength);
  const isParquet = new TextDecoder('latin1').decode(new Uint8Array(footer, length + 4)) === 'PAR1';
  if (isParquet) new Cursor(new DataView(footer, 0, length)).struct();
  return footer;
}

/** @throws Error for numbers of rows that cannot be. */
export function checkRows({ num_rows, row_groups }: FileMetaData): void {
  const rows = row_groups.map((group) => Number(group.num_rows));
  const wrong = rows.find((count) => !isCount(count, MAX_PARQUET_ROWS));
  if (wrong !== undefined) throw new Error(`a row group of ${wrong} rows, expected 0 to ${MAX_PARQUET_ROWS}`);
  const sum = rows.reduce((total, count) => total + count, 0);
  if (sum !== Number(num_rows)) throw new Error(`${num_rows} rows, but ${sum} in its row groups`);
}

const isCount = (value: unknown, most: number): value is number =>
  Number.isInteger(value) && (value as number) >= 0 && (value as number) <= most;

function count(fields: Fields, id: number, what: string, most: number): number {
  const value = fields.get(id);
  if (isCount(value, most)) return value;
  throw new Error(`a page of ${value ?? 'unknown'} ${what}, expected 0 to ${most}`);
}

/** A column of a row group. */
interface Chunk {
  /** First byte in the file, and the one after the last. */
  readonly start: number;
  readonly end: number;
  readonly column: ColumnMetaData;
  /** Most values that its pages may have. */
  readonly most: number;
  /** The greatest repetition level and definition level. */
  readonly levels: readonly [repetition: number, definition: number];
}

/** The columns of all row groups, in the order of the file. */
function chunksOf({ row_groups }: FileMetaData, root: SchemaTree): Chunk[] {
  const chunks: Chunk[] = [];
  for (const { columns, num_rows } of row_groups)
    for (const { meta_data: column } of columns) {
      if (!column) continue; // the library refuses it
      const levels = levelsOf(column.path_in_schema, root);
      if (!levels) throw new Error(`a column ${column.path_in_schema.join('.')} that its schema does not have`);
      const start = Number(column.dictionary_page_offset || column.data_page_offset);
      const end = start + Number(column.total_compressed_size);
      chunks.push({ start, end, column, most: levels[0] > 0 ? MAX_PARQUET_ROWS : Number(num_rows), levels });
    }
  return chunks.sort((a, b) => a.start - b.start);
}

function levelsOf(path: readonly string[], root: SchemaTree): Chunk['levels'] | undefined {
  let [node, definition] = [root, 0];
  let repetition = root.element.repetition_type === 'REPEATED' ? 1 : 0; // as the library counts
  for (const name of path) {
    const child = node.children.find(({ element }) => element.name === name);
    if (!child) return undefined;
    node = child;
    const { repetition_type } = node.element;
    if (repetition_type !== 'REQUIRED') definition++;
    if (repetition_type === 'REPEATED') repetition++;
  }
  return [repetition, definition];
}

/** A page that the library has still to unpack. */
interface PackedPage {
  readonly bytes: Uint8Array;
  /** Bytes when it is unpacked. */
  readonly length: number;
  readonly check: (unpacked: Uint8Array) => void;
}

/**
 * The file and the decompressors for the library, which check what it reads by them.
 *
 * @param root Of the metadata's schema.
 */
export function checkedFile(
  buffer: AsyncBuffer,
  metadata: FileMetaData,
  root: SchemaTree,
  all: Compressors,
): { readonly file: AsyncBuffer; readonly compressors: Compressors } {
  const chunks = chunksOf(metadata, root);
  const firstAt = new Map(chunks.map(({ start }, i) => [start, i] as const).toReversed());
  /** Of the bytes of one chunk: its pages by their offset. */
  const packed = new WeakMap<ArrayBufferLike, ReadonlyMap<number, PackedPage>>();

  const unpacking = Object.entries(all).map(([codec, unpack]) => [
    codec,
    (input: Uint8Array, length: number): Uint8Array => {
      if (codec === 'LZ4') checkFrames(viewOf(input));
      const page = unpack(input, length);
      packed.get(input.buffer)?.get(input.byteOffset)?.check(page);
      return page;
    },
  ]);
  const compressors: Compressors = Object.fromEntries(unpacking);

  function unpackedBy(codec: string, { bytes, length }: PackedPage): Uint8Array {
    const unpack = compressors[codec as keyof Compressors];
    if (unpack) return unpack(bytes, length);
    throw new Error(`unsupported compression codec: ${codec}`);
  }

  async function slice(start: number, end: number): Promise<ArrayBuffer> {
    if (!(start >= 0 && start <= end && end <= buffer.byteLength))
      throw new Error(`bytes ${start} to ${end} of a file of ${buffer.byteLength}`);
    const bytes = await buffer.slice(start, end);
    for (let i = firstAt.get(start) ?? chunks.length; i < chunks.length && chunks[i]!.start < end; i++) {
      const chunk = chunks[i]!;
      if (chunk.end > end) continue;
      const pages = packedPages(new DataView(bytes, chunk.start - start, chunk.end - chunk.start), chunk);
      if (chunk.start === start && chunk.end === end)
        packed.set(bytes, new Map(pages.map((page) => [page.bytes.byteOffset, page])));
      // Of several chunks the library makes copies, which cannot be told apart.
      else for (const page of pages) page.check(unpackedBy(chunk.column.codec, page));
    }
    return bytes;
  }

  return {
    compressors,
    file: {
      byteLength: buffer.byteLength,
      slice(start, end = buffer.byteLength) {
        const bytes = slice(start, end);
        void quiet(() => bytes); // the library may have failed before it waits for them
        return bytes;
      },
    },
  };
}

/** Walks through a chunk's pages as the library does, and checks what is not packed. */
function packedPages(view: DataView, { column, most, levels }: Chunk): PackedPage[] {
  const pages: PackedPage[] = [];
  const isFlat = levels[0] === 0 && column.path_in_schema.length === 1;
  const cursor = new Cursor(view);
  let left = most;
  while (cursor.offset < view.byteLength - 1 && !(isFlat && left === 0)) {
    const header = cursor.struct();
    const length = count(header, 2, 'bytes, unpacked', MAX_PARQUET_PAGE);
    const size = count(header, 3, 'bytes', view.byteLength - cursor.offset);
    const bytes = new Uint8Array(view.buffer, view.byteOffset + cursor.offset, size);
    cursor.offset += size;
    const take = (values: Uint8Array, isPacked: boolean, length: number, check: PackedPage['check']): void => {
      if (isPacked && column.codec !== 'UNCOMPRESSED') pages.push({ bytes: values, length, check });
      else check(values);
    };
    switch (header.get(1)) {
      case 0: {
        const fields = structIn(header, 5);
        const values = count(fields, 1, 'values', left);
        left -= values;
        take(bytes, true, length, (page) => checkPage(page, values, fields.get(2), column, levels));
        break;
      }
      case 2:
        count(structIn(header, 7), 1, 'values', length);
        break;
      case 3: {
        const fields = structIn(header, 8);
        const values = count(fields, 1, 'values', left);
        left -= values;
        const nulls = count(fields, 2, 'nulls', values);
        count(fields, 3, 'rows', values);
        const definition = count(fields, 5, 'bytes of levels', Math.min(size, length));
        const repetition = count(fields, 6, 'bytes of levels', Math.min(size, length) - definition);
        if (levels[0] > 0) checkRuns(new Cursor(viewOf(bytes)), widthOf(levels[0]), values);
        if (levels[1] > 0) checkRuns(new Cursor(viewOf(bytes), repetition), widthOf(levels[1]), values);
        const unpacked = length - definition - repetition;
        const isPacked = fields.get(7) !== false && unpacked > 0;
        take(bytes.subarray(repetition + (levels[1] > 0 ? definition : 0)), isPacked, unpacked, (page) =>
          checkValues(new Cursor(viewOf(page)), values - nulls, fields.get(4), fields.get(4) === RLE, 0),
        );
      }
    }
  }
  return pages;
}

function structIn(header: Fields, id: number): Fields {
  const fields = header.get(id);
  if (fields instanceof Map) return fields;
  throw new Error('a page has no header of its type');
}

const viewOf = ({ buffer, byteOffset, byteLength }: Uint8Array): DataView =>
  new DataView(buffer, byteOffset, byteLength);
/** Bits of numbers up to `most`. */
const widthOf = (most: number): number => 32 - Math.clz32(most);

const RLE = 3;
const DICTIONARIES: readonly unknown[] = [2, 8];
const DELTAS: readonly unknown[] = [5, 6, 7];
const DELTA_BYTE_ARRAY = 7;

/** A page of version 1: levels before its values. */
function checkPage(
  page: Uint8Array,
  values: number,
  encoding: unknown,
  { type }: ColumnMetaData,
  [repetition, definition]: Chunk['levels'],
): void {
  const cursor = new Cursor(viewOf(page));
  const passLevels = (most: number): number => {
    const end = cursor.uint32() + cursor.offset;
    const found = checkRuns(cursor, widthOf(most), values, most);
    cursor.offset = end;
    return found;
  };
  if (repetition > 0) passLevels(repetition);
  const present = definition > 0 ? passLevels(definition) : values;
  checkValues(cursor, present, encoding, type === 'BOOLEAN', 1);
}

/** @param leastWidth Bits of a dictionary's numbers from which the library reads runs. */
function checkValues(cursor: Cursor, values: number, encoding: unknown, isBoolean: boolean, leastWidth: number): void {
  if (encoding === RLE || DICTIONARIES.includes(encoding)) {
    const width = isBoolean ? 1 : cursor.byte();
    if (isBoolean) cursor.uint32(); // the length
    if (width > 32) throw new Error(`a page of numbers of ${width} bits, expected 0 to 32`);
    if (width >= leastWidth) checkRuns(cursor, width, values);
  } else if (DELTAS.includes(encoding)) {
    checkDeltas(cursor, values);
    if (encoding === DELTA_BYTE_ARRAY) checkDeltas(cursor, values);
  }
}

/** Values by which a writer may fill up the last run of packed bits. */
const FILLING = 504;

/**
 * Passes over runs, of equal values or of packed bits.
 *
 * @returns How many of the values are `wanted`.
 */
function checkRuns(cursor: Cursor, width: number, values: number, wanted?: number): number {
  let found = 0;
  let seen = 0;
  while (seen < values) {
    const header = cursor.varint();
    const isPacked = header % 2 === 1;
    const run = isPacked ? 4 * (header - 1) : header / 2;
    const left = values - seen;
    if (run > left + (isPacked ? FILLING : 0)) throw new Error(`a run of ${run} values where ${left} are left`);
    const from = cursor.offset;
    if (!isPacked) {
      let value = 0;
      for (let i = 0; i < (width + 7) >> 3; i++) value += cursor.byte() * 256 ** i;
      if (value === wanted) found += run;
    } else {
      cursor.offset += Math.max(1, (run / 8) * width); // the library reads a byte of an empty run, too
      for (let i = 0; wanted !== undefined && i < Math.min(run, left); i++) {
        const bit = i * width;
        const pair = cursor.byteAt(from + (bit >> 3)) + 256 * cursor.byteAt(from + ((bit + width - 1) >> 3));
        const isInOne = bit >> 3 === (bit + width - 1) >> 3;
        const value = ((isInOne ? pair & 255 : pair) >> (bit & 7)) & (2 ** width - 1);
        if (value === wanted) found++;
      }
    }
    seen += run;
  }
  return found;
}

/** Passes over differences in blocks, which consist of smaller ones. */
function checkDeltas(cursor: Cursor, values: number): void {
  const [block, parts] = [cursor.varint(), cursor.varint()];
  const each = block / parts;
  if (!(each > 0 && each % 8 === 0)) throw new Error(`blocks of ${block} values in ${parts} parts`);
  cursor.varint(); // how many values there are
  cursor.varint(); // the first one
  for (let seen = 1; seen < values; ) {
    cursor.varint(); // the least difference
    const widths = cursor.offset;
    cursor.offset += parts;
    for (let i = 0; i < parts && seen < values; i++, seen += each)
      cursor.offset += (each / 8) * cursor.byteAt(widths + i);
  }
}

/** The frames of Hadoop's LZ4: the library goes back by a negative size, for ever. */
function checkFrames(view: DataView): void {
  for (let at = 0; at < view.byteLength - 8; ) {
    const [length, size] = [view.getInt32(at), view.getInt32(at + 4)];
    if (size < 0 && length === 0) throw new Error(`a frame of ${size} bytes`);
    if (size < 0 || size > view.byteLength - at - 8) return; // no frames of Hadoop
    at += 8 + size;
  }
}
