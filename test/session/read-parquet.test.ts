import { type FileMetaData, parquetMetadata } from 'hyparquet';
import { ByteWriter, parquetWriteBuffer } from 'hyparquet-writer';
import { writeMetadata } from 'hyparquet-writer/src/metadata.js';
import { describe, expect, test } from 'vitest';
import type { ReadOptions } from '../../src/session/options';
import { readParquet, rowsOf, sessionsOf } from './helpers';

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

/** The file with other metadata. */
function withMetadata(file: ArrayBuffer, change: (metadata: FileMetaData) => void): ArrayBuffer {
  const metadata = parquetMetadata(file);
  change(metadata);
  const writer = new ByteWriter();
  writer.appendBytes(new Uint8Array(file, 0, file.byteLength - metadata.metadata_length - 8));
  // The writer has types of its own version of the reader.
  writeMetadata(writer, metadata as unknown as Parameters<typeof writeMetadata>[1]);
  writer.appendUint32(0x31524150); // PAR1
  return writer.getBuffer();
}

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
      expect(sessionsOf(log)).toEqual({ s: 'a,b 😀  x ', t: '"q" __proto__ \ufeffy' });
      expect([...log.sessions.times]).toEqual([1.5, 3, 5, 2, 4, 6]);
      expect(log.report.rows).toBe(6);
    }
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

  test('refuses a file that is none, or cut off', async () => {
    const whole = write([session, item, time]);
    const none = new TextEncoder().encode('session_id,item_id,timestamp\n').buffer;
    await expect(read(none)).rejects.toThrow('log.parquet: no Parquet file, or a damaged one');
    await expect(read(whole.slice(0, whole.byteLength - 20))).rejects.toThrow(
      'log.parquet: no Parquet file, or a damaged one',
    );
  });
});
