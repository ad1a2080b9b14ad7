/** The files of a page give the log, and the messages, that files on disk give the command line. */
import { gzipSync } from 'node:zlib';
import { parquetWriteBuffer } from 'hyparquet-writer';
import { describe, expect, test } from 'vitest';
import { contentOf, logName, logSource, previewEvents } from '../../src/pipeline/blob-source';
import { trainCommand } from '../../src/pipeline/commands';
import { readLog } from '../../src/pipeline/read-events';
import type { ReadOptions } from '../../src/session/options';
import { badLogs, GOOD } from '../cli/bad-logs';
import { rowsOf } from '../session/helpers';

const named = (name: string, content: string | Uint8Array) => ({
  name,
  blob: new Blob([content as Uint8Array<ArrayBuffer>]),
});
const read = (name: string, content: string | Uint8Array, options?: ReadOptions) =>
  readLog(logSource([named(name, content)]), options);

const parquet = new Uint8Array(
  parquetWriteBuffer({
    columnData: [
      { name: 'session_id', data: ['a', 'a', 'b', 'b'], type: 'STRING' },
      { name: 'item_id', data: ['x', 'y', 'y', 'z'], type: 'STRING' },
      { name: 'timestamp', data: [1, 2, 3, 4], type: 'DOUBLE' },
    ],
  }),
);

test.each([
  [['clicks.csv'], 'clicks.csv'],
  [['day-1.csv', 'day-2.csv'], "'day-*.csv'"],
  [['aba.csv', 'abaa.csv'], "'aba*.csv'"],
  [['a.csv', 'b.tsv'], "'*sv'"],
])('the command that trains on %j names them as %s', (names, expected) => {
  const data = logName(names.map((name) => ({ name })));
  expect(trainCommand({ data, model: 'gru4rec', out: 'model' })).toContain(`--data ${expected} `);
});

describe.each([
  ['plain', (content: string | Uint8Array) => content],
  ['packed', (content: string | Uint8Array) => gzipSync(content)],
])('%s', (_, packed) => {
  test.each([
    ['e.csv', GOOD],
    ['e.tsv', GOOD.replaceAll(',', '\t')],
    ['e.jsonl', '{"session_id":"a","item_id":"x","timestamp":1}\n{"session_id":"a","item_id":"y","timestamp":2}\n'],
    ['e.parquet', parquet],
  ])('%s gives the events', async (name, content) => {
    const log = await read(name, packed(content));
    expect(rowsOf(log).slice(0, 2)).toEqual([
      ['a', 'x', 1],
      ['a', 'y', 2],
    ]);
  });
});

// Node's own stream says later than a browser's that gzip is damaged; that case is tried in Chromium.
test.each(badLogs.filter(([what]) => what !== 'a damaged gzip file'))(
  'on %s says what the command line says',
  async (_, name, content, message) => {
    const failure = await read(name, content).catch((error: Error) => error);
    expect(failure).toMatchObject({ code: 'bad-input' });
    expect((failure as Error).message).toContain(`${message.startsWith(':') ? name : ''}${message}`);
  },
);

test('several files are one log', async () => {
  const rest = 'session_id,item_id,timestamp\nc,x,5\nc,z,6\n';
  const log = await readLog(logSource([named('1.csv', GOOD), named('2.csv.gz', gzipSync(rest))]));
  expect(log.itemIds).toEqual(['x', 'y', 'z']);
  expect(log.sessions.items).toHaveLength(6);
});

test('a gzip file of several parts, which browsers do not unpack, is refused by name', async () => {
  const twice = Buffer.concat([gzipSync(GOOD), gzipSync('c,x,5\nc,z,6\n')]);
  const failure = await read('e.csv.gz', twice).catch((error: Error) => error);
  // Node unpacks them, as the command line does.
  if (failure instanceof Error) expect(failure.message).toContain('e.csv.gz: the gzip file has several parts');
  else expect(failure.sessions.items).toHaveLength(6);
});

test('content is unpacked whole', async () => {
  expect(new TextDecoder().decode(await contentOf(named('e.gz', gzipSync(GOOD))))).toBe(GOOD);
});

describe('a preview', () => {
  const lines = Array.from({ length: 20_000 }, (_, i) => `${i >> 2},item-${i % 97},${1e9 + i},${i % 7}\n`).join('');

  test.each([
    ['plain', (text: string) => text],
    ['packed', (text: string) => gzipSync(text)],
  ])('of a %s table has its first rows, likely columns, and about how many rows there are', async (_, packed) => {
    const preview = await previewEvents(named('export.csv', packed(`Visit,SKU,date,price\n${lines}`)));
    expect(preview.names).toEqual(['Visit', 'SKU', 'date', 'price']);
    expect(preview.rows[0]).toEqual(['0', 'item-0', '1000000000', '0']);
    expect(preview.columns).toEqual({ session: 'Visit', item: 'SKU', time: 'date' });
    expect(preview.events / 20_000).toBeGreaterThan(0.8);
    expect(preview.events / 20_000).toBeLessThan(1.25);
  });

  test('takes the usual names before other words for them', async () => {
    const preview = await previewEvents(named('e.csv', 'user,session_id,product,item_id,timestamp\nu,s,p,i,1\n'));
    expect(preview.columns).toEqual({ user: 'user', session: 'session_id', item: 'item_id', time: 'timestamp' });
  });

  test('of the orders of a Shopify shop takes each order for a session', async () => {
    const preview = await previewEvents(named('orders.csv', 'Name,Email,Created at,Lineitem name,Lineitem sku\n'));
    expect(preview.columns).toEqual({ session: 'Name', item: 'Lineitem sku', time: 'Created at' });
  });

  test('of Parquet knows the number of rows', async () => {
    const preview = await previewEvents(named('e.parquet', parquet));
    expect(preview).toMatchObject({
      events: 4,
      columns: { session: 'session_id', item: 'item_id', time: 'timestamp' },
    });
    expect(preview.rows[3]).toEqual(['b', 'z', '4']);
  });

  test('of an export of Google Analytics 4 asks for no columns', async () => {
    const event = { event_name: 'view_item', event_timestamp: '1', user_pseudo_id: 'u', event_params: [], items: [] };
    const preview = await previewEvents(named('ga4.jsonl', `${JSON.stringify(event)}\n`));
    expect(preview.columns).toBeUndefined();
    expect(preview.rows[0]).toContain('view_item');
  });
});
