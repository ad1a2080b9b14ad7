import { parquetWriteBuffer } from 'hyparquet-writer';
import { describe, expect, test } from 'vitest';
import type { EventLog } from '../../src/session/event-log';
import type { ReadOptions } from '../../src/session/options';
import { read, readParquet, rowsOf } from './helpers';

interface Hit {
  readonly event_name: string;
  readonly event_timestamp: string;
  readonly user_pseudo_id?: string;
  readonly event_params: readonly { key: string; value: { int_value?: string; string_value?: string } }[];
  readonly items: readonly { item_id: string; item_name: string }[];
}

const AT = 1_714_550_400_000_000;
function hit(name: string, after: number, session: string | undefined, items: readonly string[], user?: string): Hit {
  const title = { key: 'page_title', value: { string_value: 'x' } };
  return {
    event_name: name,
    event_timestamp: `${AT + after}`,
    ...(user !== undefined && { user_pseudo_id: user }),
    event_params: [title, ...(session === undefined ? [] : [{ key: 'ga_session_id', value: { int_value: session } }])],
    items: items.map((id) => ({ item_id: id, item_name: `the ${id}` })),
  };
}

const HITS: readonly Hit[] = [
  hit('session_start', 0, '7', [], '1.2'),
  hit('view_item_list', 5, '7', ['a', 'b', 'c'], '1.2'),
  hit('view_item', 1_500_000, '7', ['a'], '1.2'),
  hit('add_to_cart', 2_000_000, '7', ['a'], '1.2'),
  hit('view_item', 2_500_000, '7', ['a'], '3.4'),
  hit('view_item', 2_600_000, undefined, ['a'], '3.4'),
  hit('view_item', 2_700_000, '7', ['a']),
  hit('view_item', 2_800_000, '7', ['(not set)'], '3.4'),
  hit('view_item', 2_900_000, '7', [], '3.4'),
  hit('remove_from_cart', 3_000_000, '7', ['b'], '3.4'),
  hit('purchase', 4_000_000, '7', ['b', 'c'], '1.2'),
];

const readers: [string, (hits: readonly Hit[], options?: ReadOptions) => Promise<EventLog>][] = [
  ['JSON objects', (hits, options) => read(hits.map((row) => `${JSON.stringify(row)}\n`).join(''), options)],
  ['Parquet', (hits, options) => readParquet(parquet(hits), 'log.tsv', options)],
];

/** As BigQuery writes it: lists of structs. */
function parquet(hits: readonly Hit[]) {
  const group = { repetition_type: 'OPTIONAL' } as const;
  const text = (name: string) => ({ name, type: 'BYTE_ARRAY', converted_type: 'UTF8', ...group }) as const;
  const list = (name: string, fields: number) =>
    [
      { name, converted_type: 'LIST', num_children: 1, ...group },
      { name: 'list', repetition_type: 'REPEATED', num_children: 1 },
      { name: 'element', num_children: fields, ...group },
    ] as const;
  const int64 = { type: 'INT64', ...group } as const;
  return parquetWriteBuffer({
    schema: [
      { name: 'root', num_children: 5 },
      text('event_name'),
      { name: 'event_timestamp', ...int64 },
      text('user_pseudo_id'),
      ...list('event_params', 2),
      text('key'),
      { name: 'value', num_children: 2, ...group },
      { name: 'int_value', ...int64 },
      text('string_value'),
      ...list('items', 2),
      text('item_id'),
      text('item_name'),
    ],
    columnData: [
      { name: 'event_name', data: hits.map((h) => h.event_name) },
      { name: 'event_timestamp', data: hits.map((h) => BigInt(h.event_timestamp)) },
      { name: 'user_pseudo_id', data: hits.map((h) => h.user_pseudo_id) },
      {
        name: 'event_params',
        data: hits.map((h) =>
          h.event_params.map(({ key, value: { int_value, string_value } }) => ({
            key,
            value: { int_value: int_value === undefined ? undefined : BigInt(int_value), string_value },
          })),
        ),
      },
      { name: 'items', data: hits.map((h) => h.items) },
    ],
    rowGroupSize: 4,
  });
}

describe.each(readers)('the export of Google Analytics 4 as %s', (_, reading) => {
  test('is an event for each item of a view, a cart, a removal and a purchase', async () => {
    const log = await reading(HITS, { minLength: 1 });
    const at = AT / 1e6;
    expect(rowsOf(log)).toEqual([
      ['1.2.7', 'a', at + 1.5],
      ['1.2.7', 'a', at + 2],
      ['1.2.7', 'b', at + 4],
      ['1.2.7', 'c', at + 4],
      ['3.4.7', 'a', at + 2.5],
      ['3.4.7', 'b', at + 3],
    ]);
    expect(Array.from(log.events!, (kind) => log.eventNames![kind])).toEqual(
      'view cart purchase purchase view remove'.split(' '),
    );
    expect(log.userIds).toEqual(['1.2', '3.4']);
    expect(log.report.dropped.otherKinds).toBe(2);
    expect(log.report.warnings).toEqual([
      'log.tsv: events of kind "remove" (1) are read as clicks, which a page does not do; --events view,cart,purchase leaves them out.',
      'log.tsv: 4 events of Google Analytics left out, because they have no visitor, session or item.',
    ]);
  });

  test('can be cut at pauses, and kept by kinds', async () => {
    const options = { sessionsBy: { by: 'gap', minutes: 0.01 }, events: ['view', 'purchase'], minLength: 1 } as const;
    const log = await reading(HITS, options);
    expect(rowsOf(log).map(([session, item]) => `${session} ${item}`)).toEqual([
      '1.2:1 a',
      '3.4:1 a',
      '1.2:2 b',
      '1.2:2 c',
    ]);
    expect(log.report.dropped.otherKinds).toBe(4);
  });

  test('is refused where a time is none', async () => {
    const bad = { ...HITS[2]!, event_timestamp: '-5' };
    const long = { ...HITS[2]!, items: [{ item_id: 'x'.repeat(1001), item_name: 'x' }] };
    await expect(reading([long])).rejects.toThrow(/an id is too long, expected at most 1000 characters, got "x{40}…"/);
    await expect(reading([bad])).rejects.toThrow('event_timestamp is no time, expected microseconds since 1970, got');
  });
});
