import { type ColumnMetaData, type FileMetaData, parquetMetadata } from 'hyparquet';
import { ByteWriter, parquetWriteBuffer } from 'hyparquet-writer';
import { writeMetadata } from 'hyparquet-writer/src/metadata.js';
import { serializeTCompactProtocol } from 'hyparquet-writer/src/thrift.js';
import { describe, expect, test } from 'vitest';
import type { ReadOptions } from '../../src/session/options';
import { idsBySession, readParquet, rowsOf } from './helpers';

type Columns = Parameters<typeof parquetWriteBuffer>[0]['columnData'];

function write(
  columnData: Columns,
  options: Omit<Parameters<typeof parquetWriteBuffer>[0], 'columnData'> = {},
): ArrayBuffer {
  return parquetWriteBuffer({ columnData, ...options });
}

function read(buffer: ArrayBuffer, options: ReadOptions = {}) {
  return readParquet(
    { byteLength: buffer.byteLength, slice: (start, end) => buffer.slice(start, end) },
    'log.parquet',
    options,
  );
}

/** The writer has no INT96, whose bytes are those of 12 fixed ones: the type is changed in the metadata. */
function asInt96(times: readonly Uint8Array[]): ArrayBuffer {
  const text = (name: string) =>
    ({ name, type: 'BYTE_ARRAY', converted_type: 'UTF8', repetition_type: 'REQUIRED' }) as const;
  const bytes = {
    name: 'timestamp',
    type: 'FIXED_LEN_BYTE_ARRAY',
    type_length: 12,
    repetition_type: 'REQUIRED',
  } as const;
  const file = parquetWriteBuffer({
    schema: [{ name: 'root', num_children: 3 }, text('session_id'), text('item_id'), bytes],
    columnData: [
      { name: 'session_id', data: ['s', 's'] },
      { name: 'item_id', data: ['a', 'b'] },
      { name: 'timestamp', data: [...times], encoding: 'PLAIN' },
    ],
    statistics: false,
  });
  return withMetadata(file, (metadata) => {
    const { type_length: _, ...element } = metadata.schema[3]!;
    metadata.schema[3] = { ...element, type: 'INT96' };
    metadata.row_groups[0]!.columns[2]!.meta_data!.type = 'INT96';
  });
}

/** The file with other metadata, and with more bytes after its pages. */
function withMetadata(
  file: ArrayBuffer,
  change: (metadata: FileMetaData, pages: number) => void,
  more = new Uint8Array(),
): ArrayBuffer {
  const metadata = parquetMetadata(file);
  const pages = file.byteLength - metadata.metadata_length - 8;
  change(metadata, pages);
  const writer = new ByteWriter();
  writer.appendBytes(new Uint8Array(file, 0, pages));
  writer.appendBytes(more);
  // The writer has types of its own version of the reader.
  writeMetadata(writer, metadata as unknown as Parameters<typeof writeMetadata>[1]);
  writer.appendUint32(0x31524150); // PAR1
  return writer.getBuffer();
}

type PageHeader = Parameters<typeof serializeTCompactProtocol>[1];

/** A file of two events whose item ids are one page, by the fields of its header. */
function withPage(header: PageHeader, page: readonly number[], column: Partial<ColumnMetaData> = {}): ArrayBuffer {
  const one = (name: string, data: unknown[], type: 'INT32' | 'DOUBLE') => ({ name, data, type, nullable: false });
  const columns = [
    one('session_id', [1, 1], 'INT32'),
    one('item_id', [1, 2], 'INT32'),
    one('timestamp', [1, 2], 'DOUBLE'),
  ];
  const writer = new ByteWriter();
  serializeTCompactProtocol(writer, header);
  writer.appendBytes(Uint8Array.from(page));
  const chunk = writer.getBytes();
  const whole = write(columns, { codec: 'UNCOMPRESSED', statistics: false });
  return withMetadata(
    whole,
    (metadata, pages) => {
      const { meta_data } = metadata.row_groups[0]!.columns[1]!;
      const { dictionary_page_offset: _, ...rest } = meta_data!;
      const place = { data_page_offset: BigInt(pages), total_compressed_size: BigInt(chunk.length) };
      metadata.row_groups[0]!.columns[1]!.meta_data = { ...rest, ...place, ...column };
    },
    chunk,
  );
}

/** The header of a page of version 1 and of version 2. */
const pageV1 = (length: number, size: number | undefined, values: number, encoding: number): PageHeader => ({
  field_1: 0,
  field_2: length,
  field_3: size,
  field_5: { field_1: values, field_2: encoding, field_3: 3, field_4: 3 },
});
const pageV2 = (length: number, values: number, encoding: number): PageHeader => ({
  field_1: 3,
  field_2: length,
  field_3: length,
  field_8: { field_1: values, field_2: 0, field_3: values, field_4: encoding, field_5: 0, field_6: 0, field_7: false },
});
const PLAIN = 0;
const DELTA_BINARY_PACKED = 5;
const DELTA_BYTE_ARRAY = 7;
const RLE_DICTIONARY = 8;
/** Whole numbers below 2³², as a page has them: seven bits a byte. */
const MINUS_ONE = [0xff, 0xff, 0xff, 0xff, 0x0f];
const MANY = [0x81, 0x80, 0x80, 0x80, 0x02];

const IDS = ['a,b', '"q"', '😀', '__proto__', ' x ', '\ufeffy'];
const session = { name: 'session_id', data: ['s', 't', 's', 't', 's', 't'], type: 'STRING' as const };
const item = { name: 'item_id', data: IDS, type: 'STRING' as const };
const time = { name: 'timestamp', data: [1.5, 2, 3, 4, 5, 6], type: 'DOUBLE' as const };

describe('the Parquet reader', () => {
  test('refuses a file with a column that has no name', async () => {
    const nameless = withMetadata(write([session, item, time]), ({ schema }) => {
      schema[0] = { ...schema[0]!, num_children: 4 };
      schema.push({ name: undefined as never, type: 'INT32', repetition_type: 'OPTIONAL' });
    });
    await expect(read(nameless)).rejects.toMatchObject({
      code: 'bad-input',
      message: expect.stringContaining('a column has no name'),
    });
  });

  test('reads ids byte for byte, in any number of row groups', async () => {
    for (const rowGroupSize of [1, 2, 4, 100]) {
      const log = await read(write([session, item, time], { rowGroupSize }));
      expect(idsBySession(log)).toEqual({ s: 'a,b 😀  x ', t: '"q" __proto__ \ufeffy' });
      expect([...log.sessions.times]).toEqual([1.5, 3, 5, 2, 4, 6]);
      expect(log.report.rows).toBe(6);
    }
  });

  test('needs no id and no time in rows of kinds that are not asked for', async () => {
    const columns: Columns = [
      session,
      { ...item, data: ['x', '', 'y', null, 'z', 'x'] },
      { ...time, data: [1, 2, 3, 4, null, 6] },
      { name: 'event', data: ['view', 'login', 'view', 'login', '', 'view'], type: 'STRING' },
    ];
    const log = await read(write(columns), { events: ['view'], minLength: 1 });
    expect(idsBySession(log)).toEqual({ s: 'x y', t: 'x' });
    expect(log.report).toMatchObject({ badRows: 0, dropped: { otherKinds: 3 } });
    await expect(read(write(columns))).rejects.toThrow(/:2: item_id is empty/);
  });

  test('numbers sessions by first appearance also where a dictionary orders them otherwise', async () => {
    const same = { name: 'timestamp', data: [1, 1, 1, 1], type: 'DOUBLE' as const };
    const columns: Columns = [
      { name: 'session_id', data: ['z', 'a', 'z', 'a'], type: 'STRING' },
      { name: 'item_id', data: ['q', 'b', 'c', 'a'], type: 'STRING' },
      same,
    ];
    expect((await read(write(columns))).sessionIds).toEqual(['z', 'a']);
  });

  test.each([
    ['whole numbers as ids', [1n, 2n, 1n, 2n], 'INT64' as const, ['1', '2']],
    ['small whole numbers as ids', [1, 2, 1, 2], 'INT32' as const, ['1', '2']],
  ])('takes %s', async (_, data, type, ids) => {
    const columns: Columns = [
      { name: 'session_id', data: ['s', 's', 's', 's'], type: 'STRING' },
      { name: 'item_id', data, type },
      { name: 'timestamp', data: [1, 2, 3, 4], type: 'DOUBLE' },
    ];
    expect((await read(write(columns))).itemIds).toEqual(ids);
  });

  test.each([
    ['timestamps', [new Date(1396314141719), new Date(1396314191600)], 'TIMESTAMP' as const],
    ['milliseconds', [1396314141719n, 1396314191600n], 'INT64' as const],
    ['seconds', [1396314141.719, 1396314191.6], 'DOUBLE' as const],
    ['text', ['2014-04-01T01:02:21.719Z', '2014-04-01T01:03:11.6Z'], 'STRING' as const],
  ])('takes times as %s', async (_, data, type) => {
    const columns: Columns = [
      { name: 'session_id', data: ['s', 's'], type: 'STRING' },
      { name: 'item_id', data: ['a', 'b'], type: 'STRING' },
      { name: 'timestamp', data, type },
    ];
    expect([...(await read(write(columns))).sessions.times]).toEqual([1396314141.719, 1396314191.6]);
  });

  test('takes the INT96 times that Spark wrote for long', async () => {
    const nanoseconds = [1396314141719000000n, 1396314191600000000n];
    const int96 = nanoseconds.map((time) => {
      const bytes = new Uint8Array(12);
      const view = new DataView(bytes.buffer);
      view.setBigUint64(0, time % 86_400_000_000_000n, true);
      view.setUint32(8, Number(time / 86_400_000_000_000n) + 2_440_588, true); // the Julian day
      return bytes;
    });
    expect([...(await read(asInt96(int96))).sessions.times]).toEqual([1396314141.719, 1396314191.6]);
  });

  test('keeps users, kinds and features, and takes nulls in them', async () => {
    const columns: Columns = [
      session,
      item,
      time,
      { name: 'user_id', data: ['u', 'v', 'u', 'v', 'u', 'v'], type: 'STRING' },
      { name: 'event', data: ['view', null, 'view', 'cart', 'view', null], type: 'STRING', nullable: true },
      { name: 'price', data: [1.5, null, 2, 3, 4, 5], type: 'DOUBLE', nullable: true },
    ];
    const log = await read(write(columns), { features: 'all' });
    expect(log.userIds).toEqual(['u', 'v']);
    expect(Array.from(log.events!, (kind) => log.eventNames![kind])).toEqual(['view', 'view', 'view', '', 'cart', '']);
    const { codes, names } = log.features!.get('price')!;
    expect(Array.from(codes, (code) => names[code])).toEqual(['1.5', '2', '4', '', '3', '5']);
  });

  test('counts bad rows by number', async () => {
    const columns: Columns = [
      { name: 'session_id', data: ['s', 's', 's', 's'], type: 'STRING' },
      { name: 'item_id', data: ['a', null, '', 'b'], type: 'STRING', nullable: true },
      { name: 'timestamp', data: [1, 2, -3, 4], type: 'DOUBLE' },
    ];
    await expect(read(write(columns))).rejects.toThrow('log.parquet:2: item_id is empty, expected an id, got nothing.');
    const log = await read(write(columns), { skipBadRows: 2 });
    expect(rowsOf(log).map(([, id]) => id)).toEqual(['a', 'b']);
    expect(log.report.badRowExamples[1]).toBe(
      'log.parquet:3: timestamp is no time, expected a time of 1970 or later (not negative), got -3',
    );
  });

  test('refuses ids of items that are longer than a page tracks', async () => {
    const long = { ...item, data: ['x'.repeat(1001), ...item.data.slice(1)] };
    await expect(read(write([session, long as typeof item, time]))).rejects.toThrow(
      'log.parquet:1: item_id is not UTF-8, holds a NUL byte or is too long, expected UTF-8 text of at most 1000 characters',
    );
  });

  test.each<[string, Columns, string]>([
    ['a missing column', [session, { ...item, name: 'ItemID' }, time], 'no column "item_id"'],
    [
      'fractional numbers as ids',
      [session, { name: 'item_id', data: [1, 2, 3, 4, 5, 6], type: 'DOUBLE' }, time],
      'column "item_id" holds no ids: expected text or whole numbers, got DOUBLE.',
    ],
    [
      'truth values as times',
      [session, item, { name: 'timestamp', data: [true, true, true, true, true, true], type: 'BOOLEAN' }],
      'column "timestamp" holds no times: expected a timestamp, numbers or text, got BOOLEAN.',
    ],
  ])('refuses %s', async (_, columns, message) => {
    await expect(read(write(columns))).rejects.toThrow(message);
  });

  test.each<[string, ArrayBuffer, string]>([
    ['without a size', withPage(pageV1(4, undefined, 1, PLAIN), [1, 0, 0, 0]), 'a page of unknown bytes'],
    ['that ends behind its column', withPage(pageV1(8, 9, 2, PLAIN), [1, 0, 0, 0, 2, 0, 0, 0]), 'a page of 9 bytes'],
    ['that is huge when it is unpacked', withPage(pageV1(2 ** 31 - 1, 1, 2, PLAIN), [0]), 'bytes, unpacked'],
    ['of more values than rows', withPage(pageV1(12, 12, 3, PLAIN), Array(12).fill(0)), 'a page of 3 values'],
    [
      'with a run that is too long',
      withPage(pageV1(7, 7, 2, RLE_DICTIONARY), [1, ...MANY.with(0, 0x80), 1]),
      'a run of',
    ],
    ['of no bits, in a run without end', withPage(pageV2(6, 2, RLE_DICTIONARY), [0, ...MANY]), 'a run of'],
    ['of numbers of 33 bits', withPage(pageV1(2, 2, 2, RLE_DICTIONARY), [33, 2]), 'numbers of 33 bits'],
    [
      'of differences whose blocks go back',
      withPage(pageV1(10, 10, 2, DELTA_BINARY_PACKED), [0x80, 1, ...MINUS_ONE, 2, 2, 2]),
      'blocks of 128 values in 4294967295 parts',
    ],
    [
      'of texts, the ends of which go back',
      withPage(pageV1(14, 14, 2, DELTA_BYTE_ARRAY), [0x80, 1, 4, 2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]),
      'blocks of 0 values in 0 parts',
    ],
    [
      'packed in a frame that goes back',
      withPage(pageV1(4, 17, 1, PLAIN), [0, 0, 0, 0, 255, 255, 255, 248, ...Array(9).fill(0)], { codec: 'LZ4' }),
      'a frame of -8 bytes',
    ],
  ])('refuses a page %s', async (_, file, message) => {
    await expect(read(file)).rejects.toMatchObject({
      code: 'bad-input',
      message: expect.stringMatching(new RegExp(`^log.parquet: column "item_id" cannot be read: .*${message}`)),
    });
  });

  test.each<[string, (metadata: FileMetaData) => void, string]>([
    ['rows that its groups do not have', (metadata) => (metadata.num_rows = 7n), '7 rows, but 6 in its row groups'],
    [
      'a row group of many rows',
      ({ row_groups }) => (row_groups[0]!.num_rows = 10n ** 12n),
      'a row group of 1000000000000 rows',
    ],
    [
      'a column behind its end',
      ({ row_groups }) => (row_groups[0]!.columns[0]!.meta_data!.total_compressed_size = 10n ** 6n),
      'column "session_id" cannot be read: bytes',
    ],
  ])('refuses a file that says that it has %s', async (_, change, message) => {
    await expect(read(withMetadata(write([session, item, time]), change))).rejects.toMatchObject({
      code: 'bad-input',
      message: expect.stringContaining(message),
    });
  });

  test('refuses metadata with a number or a list without end, nested for ever, or of more columns than there are', async () => {
    const withFooter = (footer: readonly number[]) => {
      const length = [footer.length & 255, footer.length >> 8, 0, 0];
      return Uint8Array.from([80, 65, 82, 49, ...footer, ...length, 80, 65, 82, 49]).buffer;
    };
    // Version 1, a schema of a root of nine columns, no rows, and no row groups.
    const rootOnly = [0x15, 2, 0x19, 0x1c, 0x48, 1, 65, 0x15, 18, 0, 0x16, 0, 0x19, 0x0c, 0];
    const endless = [[0x16, ...Array(20_000).fill(255)], [0x19, 0xf5, ...MINUS_ONE], Array(1000).fill(0x1c)];
    for (const footer of [rootOnly, ...endless])
      await expect(read(withFooter(footer))).rejects.toMatchObject({
        code: 'bad-input',
        message: expect.stringContaining('no Parquet file, or a damaged one'),
      });
  });

  test('refuses a file that is none, or cut off', async () => {
    const whole = write([session, item, time]);
    const none = new TextEncoder().encode('session_id,item_id,timestamp\n').buffer;
    await expect(read(none)).rejects.toThrow('log.parquet: no Parquet file, or a damaged one');
    await expect(read(whole.slice(0, whole.byteLength - 20))).rejects.toThrow(
      'log.parquet: no Parquet file, or a damaged one',
    );
  });
});
