/** Parquet files of other programs: `parquet-fixtures/write.mjs` wrote them. */
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { readEventsFile } from '../../src/pipeline/files/events-file';
import type { EventLog } from '../../src/session/event-log';
import { read, rowsOf } from '../session/helpers';
import { dayOf, EVENTS, type FixtureEvent, numberOf } from './parquet-fixtures/events.mjs';

const folder = join(import.meta.dirname, 'parquet-fixtures');
const files = readdirSync(folder).filter((name) => name.endsWith('.parquet'));

const ITEMS: Readonly<Record<string, (event: FixtureEvent) => string>> = {
  item_id: ({ item }) => item,
  item_category: ({ item }) => item,
  item_int64: ({ item }) => `${numberOf(item)}`,
  item_uint64: ({ item }) => `${numberOf(item)}`,
  item_int32: ({ item }) => `${numberOf(item) - 9_007_199_254_740_992n}`,
  'product.id': ({ item }) => item,
  'product.number': ({ item }) => `${numberOf(item)}`,
  'product.more.id': ({ item }) => item,
};
const TIMES = ['millis', 'micros', 'nanos', 'zone', 'date', 'int64', 'double', 'text'].map((type) => `time_${type}`);

/** Columns that a writer's files have beside those of all; and the least number of files. */
const WRITERS: Readonly<Record<string, { files: number; items: readonly string[]; times: readonly string[] }>> = {
  duckdb: { files: 8, items: Object.keys(ITEMS).filter((name) => name !== 'item_category'), times: TIMES },
  polars: {
    files: 6,
    items: ['item_id', 'item_category', 'item_int64'],
    times: TIMES.filter((name) => name !== 'time_zone'),
  },
  'parquet-wasm': {
    files: 6,
    items: ['item_id', 'item_category', 'item_int64', 'product.id', 'product.number'],
    times: TIMES.filter((name) => name !== 'time_zone'),
  },
  'hyparquet-writer': {
    files: 5,
    items: ['item_id', 'item_int64'],
    times: ['time_millis', 'time_int64', 'time_double', 'time_text'],
  },
};

/** The same events, read from text. */
function expected(item: string, time: string) {
  const seconds = (event: FixtureEvent) => (time === 'time_date' ? dayOf(event) * 86_400 : event.milliseconds / 1000);
  const cells = (e: FixtureEvent) => [e.session, ITEMS[item]!(e), seconds(e), e.event, e.price ?? ''];
  const rows = EVENTS.map((event) => cells(event).map((cell) => `"${`${cell}`.replaceAll('"', '""')}"`));
  const header = 'session_id,item_id,timestamp,event,price';
  return read(`${header}\n${rows.join('\n')}\n`, { features: ['price'] });
}

/** The kind and the price of each event, as text. */
function cellsOf({ events, eventNames, features }: EventLog): (readonly string[])[] {
  const { codes, names } = features!.get('price')!;
  return Array.from(events!, (kind, e) => [eventNames![kind]!, names[codes[e]!]!]);
}

describe.each(Object.entries(WRITERS))('%s', (writer, { files: count, items, times }) => {
  const written = files.filter((name) => name.startsWith(`${writer}-`));
  test('has its files', () => expect(written).toHaveLength(count));

  const cases = [...items.map((item) => [item, 'time_millis']), ...times.map((time) => ['item_id', time])];
  test.each(written)('%s gives the events, whatever their types', async (name) => {
    for (const [item, time] of cases) {
      const columns = { item: item!, time: time! };
      const log = await readEventsFile(join(folder, name), { columns, features: ['price'] });
      const same = await expected(item!, time!);
      expect(rowsOf(log), `${item}, ${time}`).toEqual(rowsOf(same));
      expect(cellsOf(log), `${item}, ${time}`).toEqual(cellsOf(same));
    }
  });
});

test('a column that is nested is refused by its name', async () => {
  const path = join(folder, 'duckdb-zstd-v1.parquet');
  const reading = (item: string) => readEventsFile(path, { columns: { item, time: 'time_millis' } });
  await expect(reading('product')).rejects.toThrow(
    `${path}: column "product" holds no ids: expected text or whole numbers, got a nested column; name one of its fields ` +
      'with --columns: product.id, product.number, product.more.',
  );
  await expect(reading('tags')).rejects.toThrow(
    'column "tags" holds no ids: expected text or whole numbers, got a nested column, a list of several values a row; ' +
      'write the file with one row for each value.',
  );
  await expect(reading('product.colour')).rejects.toThrow('no column "product.colour", expected ids of items');
});
