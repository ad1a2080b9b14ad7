import { type AsyncBuffer, type FileMetaData, parquetMetadataAsync, parquetScan, type SchemaElement } from 'hyparquet';
import { compressors } from 'hyparquet-compressors';
import { RecommenderError, throwIfAborted } from '../errors';
import { buildLog } from './build';
import { Collector } from './collector';
import { type Layout, layoutOf } from './columns';
import type { EventLog } from './event-log';
import type { Interner } from './interner';
import type { ReadOptions } from './options';
import type { TimeReader } from './time';
import { quote } from './utf8';

/** A Parquet file: its length, and any part of it on request. */
export type { AsyncBuffer } from 'hyparquet';

/** A cell that is null or holds no characters; no id has this number. */
const EMPTY = -2;

/**
 * Reads a Parquet file of events into a log, one row group and one column at a time: memory is bounded by the largest
 * column chunk. Ids may be text or whole numbers; times numbers, text or Parquet timestamps and dates.
 *
 * @param file Name for messages; rows are counted from 1 in them.
 * @param onRows Called with the number of rows read so far, and of all.
 * @throws RecommenderError `bad-input` if it is no Parquet file, or a column has a type that cannot be what it is for.
 */
export async function readParquet(
  buffer: AsyncBuffer,
  file: string,
  options: ReadOptions = {},
  signal?: AbortSignal,
  onRows?: (done: number, total: number) => void,
): Promise<EventLog> {
  const metadata = await openMetadata(buffer, file);
  const columns = topLevel(metadata.schema);
  const layout = layoutOf([...columns.keys()], options, file);
  checkTypes(columns, layout, file);
  const collector = new Collector(file, options, layout);
  const open = (at: number): Promise<Column> => openColumn(buffer, metadata, columns.get(layout.names[at]!)!, file);
  const key = await open(layout.key);
  const item = await open(layout.item);
  const time = await open(layout.time);
  const user = collector.users && (await open(layout.user!));
  const kind = collector.kinds && (await open(layout.event!));
  const features = await Promise.all(layout.features.map(({ at }) => open(at)));

  const total = Number(metadata.num_rows);
  let first = 0;
  for (const group of metadata.row_groups) {
    throwIfAborted(signal);
    const end = first + Number(group.num_rows);
    addRows(collector, layout, first, {
      key: await key.codes(first, end, collector.keys),
      item: await item.codes(first, end, collector.items),
      time: await time.times(first, end, collector.times),
      user: user && (await user.codes(first, end, collector.users!)),
      kind: kind && (await kind.codes(first, end, collector.kinds!)),
      features: await Promise.all(features.map((column, f) => column.codes(first, end, collector.features[f]!.names))),
    });
    first = end;
    onRows?.(first, total);
  }
  return buildLog(collector, options, file);
}

/** One row group, numbered. */
interface Group {
  readonly key: Int32Array;
  readonly item: Int32Array;
  readonly time: Times;
  readonly user: Int32Array | undefined;
  readonly kind: Int32Array | undefined;
  readonly features: readonly Int32Array[];
}

interface Times {
  /** Seconds; NaN where the cell is no time. */
  readonly seconds: Float64Array;
  /** What was expected and what came, for each cell that is no time. */
  readonly faults: ReadonlyMap<number, string>;
}

function addRows(collector: Collector, layout: Layout, first: number, group: Group): void {
  const { key, item, time, user, kind, features } = group;
  const empty = features.map((_, f) => collector.features[f]!.names);
  const row: number[] = [];
  for (let k = 0; k < key.length; k++) {
    collector.rows++;
    const line = first + k + 1;
    const name = (at: number): string => layout.names[at]!;
    const fault = (at: number, code: number): void =>
      code === EMPTY
        ? collector.bad(line, `${name(at)} is empty`, 'expected an id, got nothing')
        : collector.bad(line, `${name(at)} is not UTF-8 or holds a NUL byte`, 'expected UTF-8 text, got other bytes');
    if (Number.isNaN(time.seconds[k]!)) {
      collector.bad(line, `${name(layout.time)} is no time`, time.faults.get(k)!);
      continue;
    }
    if (key[k]! < 0) fault(layout.key, key[k]!);
    else if (item[k]! < 0) fault(layout.item, item[k]!);
    else if (user?.[k] === -1) fault(layout.user!, -1);
    else if (kind?.[k] === -1) fault(layout.event!, -1);
    else {
      const optional = (codes: Int32Array | undefined, names: Interner | undefined): number => {
        const code = codes?.[k] ?? 0;
        return code === EMPTY ? names!.intern(NOTHING, 0, 0) : code;
      };
      for (let f = 0; f < features.length; f++) row[f] = optional(features[f], empty[f]);
      collector.add(
        key[k]!,
        item[k]!,
        time.seconds[k]!,
        optional(user, collector.users),
        optional(kind, collector.kinds),
        row,
      );
    }
  }
}

const NOTHING = new Uint8Array(0);

async function openMetadata(buffer: AsyncBuffer, file: string): Promise<FileMetaData> {
  try {
    return await parquetMetadataAsync(buffer);
  } catch (cause) {
    throw new RecommenderError('bad-input', `${file}: no Parquet file, or a damaged one: ${reason(cause)}.`, { cause });
  }
}

/** The columns of the file with their types; nested ones without a type of their own. */
function topLevel(schema: readonly SchemaElement[]): Map<string, SchemaElement> {
  const columns = new Map<string, SchemaElement>();
  const skip = (at: number): number => {
    let next = at + 1;
    for (let child = 0; child < (schema[at]!.num_children ?? 0); child++) next = skip(next);
    return next;
  };
  for (let at = 1; at < schema.length; at = skip(at)) columns.set(schema[at]!.name, schema[at]!);
  return columns;
}

function checkTypes(columns: ReadonlyMap<string, SchemaElement>, layout: Layout, file: string): void {
  const check = (at: number, expected: string, allowed: ReadonlySet<string>): void => {
    const name = layout.names[at]!;
    const { type, logical_type, converted_type, repetition_type } = columns.get(name)!;
    const fine =
      type !== undefined && allowed.has(type) && repetition_type !== 'REPEATED' && logical_type?.type !== 'DECIMAL';
    if (fine && converted_type !== 'DECIMAL') return;
    const got = repetition_type === 'REPEATED' || type === undefined ? 'a nested column' : (logical_type?.type ?? type);
    throw new RecommenderError('bad-input', `${file}: column "${name}" holds no ${expected}, got ${got}.`);
  };
  const ids = new Set(['BYTE_ARRAY', 'INT32', 'INT64', 'FIXED_LEN_BYTE_ARRAY']);
  check(layout.key, 'ids: expected text or whole numbers', ids);
  check(layout.item, 'ids: expected text or whole numbers', ids);
  check(
    layout.time,
    'times: expected a timestamp, numbers or text',
    new Set(['INT32', 'INT64', 'INT96', 'FLOAT', 'DOUBLE', 'BYTE_ARRAY']),
  );
  if (layout.user !== undefined) check(layout.user, 'ids: expected text or whole numbers', ids);
  if (layout.event !== undefined) check(layout.event, 'kinds of events: expected text', new Set(['BYTE_ARRAY']));
  const any = new Set([...ids, 'FLOAT', 'DOUBLE', 'BOOLEAN']);
  for (const { at } of layout.features) check(at, 'plain values', any);
}

/** One column of the file, read a row group at a time. */
interface Column {
  /** The cells as numbers of `interner`: −1 where a cell is no text, `EMPTY` where it is empty. */
  codes(rowStart: number, rowEnd: number, interner: Interner): Promise<Int32Array>;
  times(rowStart: number, rowEnd: number, reader: TimeReader): Promise<Times>;
}

async function openColumn(
  buffer: AsyncBuffer,
  metadata: FileMetaData,
  element: SchemaElement,
  file: string,
): Promise<Column> {
  // Text becomes a number where it is decoded: no string is made for a row. `interner` is set for the read that runs.
  let interner: Interner | undefined;
  const text = (bytes: Uint8Array | undefined): unknown => {
    if (!bytes || bytes.length === 0) return interner ? EMPTY : bytes;
    return interner ? interner.intern(bytes, 0, bytes.length) : bytes;
  };
  const moment =
    <T>(seconds: (value: T) => number) =>
    (value: T | undefined | null): number | undefined =>
      value === undefined || value === null ? undefined : seconds(value);
  const scan = await parquetScan({
    file: buffer,
    metadata,
    columns: [element.name],
    compressors,
    geoparquet: false,
    parsers: {
      stringFromBytes: text,
      jsonFromBytes: text,
      timestampFromMilliseconds: moment((value) => Number(value) / 1e3),
      timestampFromMicroseconds: moment((value) => Number(value) / 1e6),
      timestampFromNanoseconds: moment((value: bigint) => Number(value / 1000n) / 1e6),
      dateFromDays: moment((days) => days * 86400),
    },
  });
  const read = async (rowStart: number, rowEnd: number): Promise<ArrayLike<unknown>> => {
    const rows = rowEnd - rowStart;
    let cells: ArrayLike<unknown>;
    try {
      cells = await scan.readColumn({ column: element.name, rowStart, rowEnd });
    } catch (cause) {
      const what = `column "${element.name}" cannot be read: ${reason(cause)}`;
      throw new RecommenderError('bad-input', `${file}: ${what}. The file is damaged or cut off.`, { cause });
    }
    if (cells.length === rows) return cells;
    const what = `column "${element.name}" has ${cells.length} values in a group of ${rows} rows`;
    throw new RecommenderError('bad-input', `${file}: ${what}; the file is damaged.`);
  };
  return {
    async codes(rowStart, rowEnd, names) {
      interner = names;
      const cells = await read(rowStart, rowEnd);
      if (element.type === 'BYTE_ARRAY') return Int32Array.from(cells as ArrayLike<number>, (code) => code ?? EMPTY);
      return Int32Array.from({ length: cells.length }, (_, k) => codeOf(cells[k], names));
    },
    async times(rowStart, rowEnd, reader) {
      interner = undefined;
      return readTimes(await read(rowStart, rowEnd), reader, isMoment(element));
    },
  };
}

const encoder = new TextEncoder();

function codeOf(cell: unknown, names: Interner): number {
  if (cell === undefined || cell === null) return EMPTY;
  const bytes = cell instanceof Uint8Array ? cell : encoder.encode(String(cell));
  return bytes.length === 0 ? EMPTY : names.intern(bytes, 0, bytes.length);
}

function readTimes(cells: ArrayLike<unknown>, reader: TimeReader, moments: boolean): Times {
  const seconds = new Float64Array(cells.length);
  const faults = new Map<number, string>();
  for (let k = 0; k < cells.length; k++) {
    const cell = cells[k];
    reader.expected = 'a time';
    if (cell === undefined || cell === null) seconds[k] = Number.NaN;
    else if (cell instanceof Uint8Array) seconds[k] = reader.read(cell, 0, cell.length);
    else if (!moments) seconds[k] = reader.number(Number(cell));
    else {
      // A Parquet timestamp names its own unit; here it is in seconds already.
      reader.unit ??= 's';
      seconds[k] = Number(cell) >= 0 ? Number(cell) : Number.NaN;
      reader.expected = 'a time of 1970 or later (not negative)';
    }
    if (!Number.isNaN(seconds[k]!)) continue;
    const got = cell instanceof Uint8Array ? quote(cell) : (cell ?? 'nothing');
    faults.set(k, `expected ${reader.expected}, got ${got}`);
  }
  return { seconds, faults };
}

function isMoment({ type, converted_type, logical_type }: SchemaElement): boolean {
  const converted = ['TIMESTAMP_MILLIS', 'TIMESTAMP_MICROS', 'DATE'].includes(converted_type ?? '');
  return converted || type === 'INT96' || ['TIMESTAMP', 'DATE'].includes(logical_type?.type ?? '');
}

const reason = (cause: unknown): string => (cause instanceof Error ? cause.message : String(cause)).replace(/\.$/, '');
