import {
  type AsyncBuffer,
  type Compressors,
  type FileMetaData,
  type ParquetScan,
  parquetMetadata,
  parquetReadObjects,
  parquetScan,
  parquetSchema,
  type SchemaElement,
  type SchemaTree,
} from 'hyparquet';
import { compressors } from 'hyparquet-compressors';
import { RecommenderError, throwIfAborted } from '../errors';
import { MAX_ID } from '../limits';
import { type Collector, collectorOf, type LogFile } from './collector';
import { type Layout, layoutOf } from './columns';
import { addGa4Row, GA4_COLUMNS, GA4_NAMES, isGa4 } from './ga4';
import type { Interner } from './interner';
import type { ReadOptions } from './options';
import { checkedFile, checkedFooter, checkRows } from './parquet-checks';
import { PREVIEW_ROWS, type Preview, previewObjects } from './preview';
import type { TimeReader } from './time';
import { quote } from './utf8';

/** A Parquet file: its length, and any part of it on request. */
export type { AsyncBuffer } from 'hyparquet';

/** A cell that is null or holds no characters; no id has this number. */
const EMPTY = -2;

/**
 * Reads a Parquet file of events, one row group and one column at a time: memory is bounded by the largest
 * column chunk. Ids may be text or whole numbers; times numbers, text or Parquet timestamps and dates.
 *
 * @param log Rows are counted from 1 in its messages.
 * @param onRows Called with the number of rows read so far, and of all.
 * @returns The rows, for `buildLog`.
 * @throws RecommenderError `bad-input` if it is no Parquet file, or a column has a type that cannot be what it is for.
 */
export async function readParquet(
  buffer: AsyncBuffer,
  log: LogFile,
  options: ReadOptions = {},
  signal?: AbortSignal,
  onRows?: (done: number, total: number) => void,
): Promise<Collector> {
  const file = log.name;
  if (options.recipe?.time) {
    const { name, files } = options.recipe;
    throw new RecommenderError(
      'bad-input',
      `${file}: a Parquet file, expected the text of ${name} as published: ${files}.`,
    );
  }
  const parquet = await openParquet(buffer, file);
  const { metadata } = parquet;
  const tree = parquet.schema.children;
  if (isGa4(tree.map(({ element }) => element.name)) && options.columns === undefined)
    return readGa4(parquet, log, options, signal, onRows);
  const columns = columnsOf(tree, options);
  const layout = layoutOf([...columns.keys()], options, file, log.constants);
  checkTypes(columns, layout, file);
  const collector = collectorOf(log, options, layout);
  const open = (at: number): Promise<Column> => {
    const found = columns.get(layout.names[at]!);
    return found ? openColumn(parquet, found, file) : constantColumn(layout.constants[at - columns.size]!);
  };
  const key = await open(layout.key);
  const item = await open(layout.item);
  const time = await open(layout.time);
  const user = collector.users && (await open(layout.user!));
  const kind = collector.kinds && (await open(layout.event!));
  // `collector` has the features in the order of the first file.
  const features = await Promise.all(collector.layout!.features.map(({ at }) => open(at)));

  await eachGroup(metadata, signal, onRows, async (first, end) => {
    addRows(collector, layout, first, {
      key: await key.codes(first, end, collector.keys),
      item: await item.codes(first, end, collector.items),
      time: await time.times(first, end, collector.times),
      user: user && (await user.codes(first, end, collector.users!)),
      kind: kind && (await kind.codes(first, end, collector.kinds!)),
      features: await Promise.all(features.map((column, f) => column.codes(first, end, collector.features[f]!.names))),
    });
  });
  return collector;
}

/**
 * The first rows of a file, for a person.
 *
 * @throws RecommenderError `bad-input` if it is no Parquet file, or is damaged.
 */
export async function previewParquet(buffer: AsyncBuffer, file: string): Promise<Preview> {
  const { schema, ...parquet } = await openParquet(buffer, file);
  const names = schema.children.map(({ element }) => element.name);
  try {
    const events = Number(parquet.metadata.num_rows);
    const rowEnd = Math.min(PREVIEW_ROWS, events);
    return previewObjects(await parquetReadObjects({ ...parquet, rowEnd }), events, names);
  } catch (cause) {
    const what = `the first rows cannot be read: ${reason(cause)}`;
    throw new RecommenderError('bad-input', `${file}: ${what}. The file is damaged or cut off.`, { cause });
  }
}

/** Calls `read` with the first row of each row group and the end of it. */
async function eachGroup(
  { num_rows, row_groups }: FileMetaData,
  signal: AbortSignal | undefined,
  onRows: ((done: number, total: number) => void) | undefined,
  read: (first: number, end: number) => Promise<void>,
): Promise<void> {
  let first = 0;
  for (const group of row_groups) {
    throwIfAborted(signal);
    const end = first + Number(group.num_rows);
    if (end > first) await read(first, end);
    first = end;
    onRows?.(first, Number(num_rows));
  }
}

/** The export of Google Analytics 4, whose lists are read as objects: a few columns of one row group at a time. */
async function readGa4(
  { schema, ...parquet }: OpenParquet,
  log: LogFile,
  options: ReadOptions,
  signal: AbortSignal | undefined,
  onRows: ((done: number, total: number) => void) | undefined,
): Promise<Collector> {
  const collector = collectorOf(log, options, layoutOf(GA4_NAMES, options, log.name));
  const found = new Set(schema.children.map(({ element }) => element.name));
  const names = GA4_COLUMNS.filter((name) => found.has(name));
  const scan = await parquetScan({ ...parquet, columns: names, geoparquet: false });
  await eachGroup(parquet.metadata, signal, onRows, async (rowStart, rowEnd) => {
    const cells = await Promise.all(
      names.map((column) => readCells(scan, { column, rowStart, rowEnd }, column, log.name)),
    );
    for (let k = 0; k < rowEnd - rowStart; k++) {
      const row = Object.fromEntries(names.map((name, c) => [name, cells[c]![k]]));
      addGa4Row(collector, row, rowStart + k + 1);
    }
  });
  return collector;
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
    const optional = (codes: Int32Array | undefined, names: Interner | undefined): number => {
      const code = codes?.[k] ?? 0;
      return code === EMPTY ? names!.intern(NOTHING, 0, 0) : code;
    };
    const isBad = Number.isNaN(time.seconds[k]!) || key[k]! < 0 || item[k]! < 0 || user?.[k] === -1;
    if (isBad && collector.leavesOut(optional(kind, collector.kinds))) continue;
    if (Number.isNaN(time.seconds[k]!)) {
      collector.bad(line, `${name(layout.time)} is no time`, time.faults.get(k)!);
      continue;
    }
    if (key[k]! < 0) fault(layout.key, key[k]!);
    else if (item[k] === -1) {
      const expected = `expected UTF-8 text of at most ${MAX_ID} characters, got other bytes`;
      collector.bad(line, `${name(layout.item)} is not UTF-8, holds a NUL byte or is too long`, expected);
    } else if (item[k]! < 0) fault(layout.item, item[k]!);
    else if (user?.[k] === -1) fault(layout.user!, -1);
    else if (kind?.[k] === -1) fault(layout.event!, -1);
    else {
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

/** A file as the library reads it. */
interface OpenParquet {
  readonly metadata: FileMetaData;
  readonly schema: SchemaTree;
  readonly file: AsyncBuffer;
  readonly compressors: Compressors;
}

async function openParquet(buffer: AsyncBuffer, file: string): Promise<OpenParquet> {
  try {
    const metadata = parquetMetadata(await checkedFooter(buffer));
    if (metadata.schema.some(({ name }) => typeof name !== 'string')) throw new Error('a column has no name');
    checkRows(metadata);
    const schema = parquetSchema(metadata);
    return { metadata, schema, ...checkedFile(buffer, metadata, schema, compressors) };
  } catch (cause) {
    throw new RecommenderError('bad-input', `${file}: no Parquet file, or a damaged one: ${reason(cause)}.`, { cause });
  }
}

/** A column with one value a row, or a nested one, which is refused where it is read. */
interface Found {
  readonly tree: SchemaTree;
  /** Of a field of a struct: the structs that it is in, from the top. */
  readonly above: readonly SchemaTree[];
}

/** The columns of the file by name; of a struct also the fields that the options name, as `item.id`. */
function columnsOf(tree: readonly SchemaTree[], options: ReadOptions): Map<string, Found> {
  const columns = new Map<string, Found>();
  for (const top of tree) columns.set(top.element.name, { tree: top, above: [] });
  const { columns: named = {}, features = [] } = options;
  for (const name of [...Object.values(named), ...(features === 'all' ? [] : features)]) {
    if (columns.has(name)) continue;
    const found = fieldOf(tree, name);
    if (found) columns.set(name, found);
  }
  return columns;
}

function fieldOf(trees: readonly SchemaTree[], name: string): Found | undefined {
  for (const tree of trees) {
    const { element, children } = tree;
    if (element.name === name) return { tree, above: [] };
    if (!name.startsWith(`${element.name}.`) || element.repetition_type === 'REPEATED') continue;
    const found = fieldOf(children, name.slice(element.name.length + 1));
    if (found) return { tree: found.tree, above: [tree, ...found.above] };
  }
  return undefined;
}

function checkTypes(columns: ReadonlyMap<string, Found>, layout: Layout, file: string): void {
  const check = (at: number, expected: string, allowed: ReadonlySet<string>): void => {
    const name = layout.names[at]!;
    const found = columns.get(name);
    if (!found) return; // a constant, which is text
    const { type, logical_type, converted_type, repetition_type } = found.tree.element;
    const isNested = repetition_type === 'REPEATED' || type === undefined;
    const fine = !isNested && allowed.has(type) && logical_type?.type !== 'DECIMAL' && converted_type !== 'DECIMAL';
    if (fine) return;
    const got = isNested ? nestedAs(found.tree, name) : (logical_type?.type ?? converted_type ?? type);
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

/** What a nested column is, and what to do about it. */
function nestedAs({ element, children }: SchemaTree, name: string): string {
  const isStruct = element.repetition_type !== 'REPEATED' && !['LIST', 'MAP'].includes(element.converted_type ?? '');
  if (!isStruct) return 'a nested column, a list of several values a row; write the file with one row for each value';
  const fields = children.slice(0, 10).map((child) => `${name}.${child.element.name}`);
  return `a nested column; name one of its fields with --columns: ${fields.join(', ')}`;
}

/** One column of the file, read a row group at a time. */
interface Column {
  /** The cells as numbers of `interner`: −1 where a cell is no text, `EMPTY` where it is empty. */
  codes(rowStart: number, rowEnd: number, interner: Interner): Promise<Int32Array>;
  times(rowStart: number, rowEnd: number, reader: TimeReader): Promise<Times>;
}

async function openColumn(parquet: OpenParquet, { tree, above }: Found, file: string): Promise<Column> {
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
  const { element } = tree;
  const [column, ...path] = [...above, tree].map((one) => one.element.name);
  const { metadata, compressors } = parquet;
  const scan = await parquetScan({
    file: parquet.file,
    metadata: path.length > 0 ? onlyField(metadata, tree, above) : metadata,
    columns: [column!],
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
    const cells = await readCells(scan, { column: column!, rowStart, rowEnd }, tree.path.join('.'), file);
    return path.length > 0 ? Array.from(cells, (cell) => path.reduce(memberOf, cell)) : cells;
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

const memberOf = (struct: unknown, name: string): unknown =>
  (struct as Readonly<Record<string, unknown>> | null | undefined)?.[name];

async function readCells(
  scan: ParquetScan,
  range: { readonly column: string; readonly rowStart: number; readonly rowEnd: number },
  name: string,
  file: string,
): Promise<ArrayLike<unknown>> {
  const rows = range.rowEnd - range.rowStart;
  let cells: ArrayLike<unknown>;
  try {
    cells = await scan.readColumn(range);
  } catch (cause) {
    const what = `column "${name}" cannot be read: ${reason(cause)}`;
    throw new RecommenderError('bad-input', `${file}: ${what}. The file is damaged or cut off.`, { cause });
  }
  if (cells.length === rows) return cells;
  const what = `column "${name}" has ${cells.length} values in a group of ${rows} rows`;
  throw new RecommenderError('bad-input', `${file}: ${what}; the file is damaged.`);
}

/** The metadata of a file that has nothing but this field of a struct, so that its other fields are not read. */
function onlyField(metadata: FileMetaData, tree: SchemaTree, above: readonly SchemaTree[]): FileMetaData {
  const name = tree.path.join('.');
  const parents = [metadata.schema[0]!, ...above.map(({ element }) => element)];
  return {
    ...metadata,
    schema: [...parents.map((element) => ({ ...element, num_children: 1 })), tree.element],
    row_groups: metadata.row_groups.map((group) => ({
      ...group,
      columns: group.columns.filter(({ meta_data }) => meta_data?.path_in_schema.join('.') === name),
    })),
  };
}

/** A column that the path of the file gives. */
async function constantColumn(cell: Uint8Array): Promise<Column> {
  return {
    codes: async (rowStart, rowEnd, names) =>
      new Int32Array(rowEnd - rowStart).fill(cell.length === 0 ? EMPTY : names.intern(cell, 0, cell.length)),
    times: async (rowStart, rowEnd, reader) => readTimes(new Array(rowEnd - rowStart).fill(cell), reader, false),
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
