/** The first rows of an events file as it is written, and what its columns may be: for a person to check before it is read. */

import { likelyColumns } from './columns';
import { isGa4 } from './ga4';
import { COLUMNS, type ColumnNames } from './options';
import { TableReader } from './read-table';

export interface Preview {
  /** Rows of the whole file, estimated from the first ones. */
  readonly events: number;
  readonly names: readonly string[];
  /** Cells as text, in the order of `names`. */
  readonly rows: readonly (readonly string[])[];
  /** What the columns may be; absent for an export of Google Analytics 4, which is read by itself. */
  readonly columns?: ColumnNames;
}

/** Rows that are shown. */
export const PREVIEW_ROWS = 6;

/**
 * @param head The first bytes of the content, unpacked.
 * @param length Bytes of the whole content, estimated.
 * @throws RecommenderError `bad-input` as the readers of the whole file.
 */
export function previewText(head: Uint8Array, length: number, file: string): Preview {
  const end = head.length >= length ? head.length : head.lastIndexOf(0x0a) + 1 || head.length;
  const bytes = head.subarray(0, end);
  const begin = bytes.find((byte) => byte > 0x20 && byte < 0x80);
  const lines = bytes.reduce((count, byte) => count + Number(byte === 0x0a), 0);
  const events = Math.round((lines * length) / Math.max(1, end));
  return begin === 0x7b ? ofObjects(bytes, events) : ofTable(bytes, events, file);
}

function ofTable(bytes: Uint8Array, events: number, file: string): Preview {
  let names: readonly string[] = [];
  const rows: string[][] = [];
  const reader = new TableReader(file, Object.values(COLUMNS), {
    header: (found) => {
      names = found;
    },
    row: (_, cell) => {
      if (rows.length < PREVIEW_ROWS) rows.push(names.map((_, at) => cell(at)));
    },
    bad: () => {}, // the reading says what is wrong, and where
  });
  reader.push(bytes);
  reader.finish();
  return preview(names, rows, events);
}

function ofObjects(bytes: Uint8Array, events: number): Preview {
  const objects: Readonly<Record<string, unknown>>[] = [];
  for (const line of new TextDecoder().decode(bytes).split('\n')) {
    if (objects.length === PREVIEW_ROWS) break;
    try {
      const value: unknown = JSON.parse(line);
      if (typeof value === 'object' && value !== null) objects.push(value as Readonly<Record<string, unknown>>);
    } catch {} // the reading says what is wrong, and where
  }
  return previewObjects(objects, events);
}

/** Of rows that are objects. @param columns All names, where the rows do not have them all. */
export function previewObjects(
  rows: readonly Readonly<Record<string, unknown>>[],
  events: number,
  columns: readonly string[] = [],
): Preview {
  const names = [...new Set([...columns, ...rows.flatMap((row) => Object.keys(row))])];
  return preview(
    names,
    rows.map((row) => names.map((name) => textOf(row[name]))),
    events,
  );
}

const preview = (names: readonly string[], rows: Preview['rows'], events: number): Preview => ({
  events,
  names,
  rows,
  ...(!isGa4(names) && { columns: likelyColumns(names) }),
});

function textOf(value: unknown): string {
  if (value === undefined || value === null) return '';
  if (value instanceof Date) return value.toISOString();
  if (typeof value !== 'object') return String(value);
  return JSON.stringify(value, (_, inner) => (typeof inner === 'bigint' ? Number(inner) : inner));
}
