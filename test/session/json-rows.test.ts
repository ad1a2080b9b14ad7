import { describe, expect, test } from 'vitest';
import type { ReadOptions } from '../../src/session/options';
import { idsBySession, read, rowsOf } from './helpers';

const lines = (...rows: readonly unknown[]): string => rows.map((row) => `${JSON.stringify(row)}\n`).join('');
const LOG = lines(
  { session_id: 'a', item_id: 'x', timestamp: 1 },
  { session_id: 'a', item_id: 'y', timestamp: 2 },
  { session_id: 'b', item_id: 'y', timestamp: 3 },
);

describe('JSON objects, one a line', () => {
  test.each([
    ['as they are', LOG],
    ['with Windows line ends and a byte order mark', `\ufeff${LOG.replaceAll('\n', '\r\n')}`],
    ['with empty lines and spaces', `\n${LOG.replaceAll('\n', '\n\n').replaceAll('{', ' { ')}`],
    ['without a newline at the end', LOG.trimEnd()],
    ['in any order of names', LOG.replace(/"session_id":"b",(.*)}/, '$1,"session_id":"b"}')],
  ])('are read %s', async (_, text) => {
    const log = await read(text, { minLength: 1 });
    expect(rowsOf(log)).toEqual([
      ['a', 'x', 1],
      ['a', 'y', 2],
      ['b', 'y', 3],
    ]);
    expect(log.report.rows).toBe(3);
  });

  test('give the same log for every size of the pieces they come in', async () => {
    const whole = await read(LOG);
    for (let size = 1; size < 50; size += 7) expect(await read(LOG, {}, size)).toEqual(whole);
  });

  test('need no item where their kind is not asked for', async () => {
    const text = lines(
      { session_id: 'a', event: 'view', item_id: 'x', timestamp: 1 },
      { session_id: 'a', event: 'login', timestamp: 2 },
      { session_id: 'a', event: 'view', item_id: 'y', timestamp: 3 },
    );
    const log = await read(text, { events: ['view'] });
    expect(log.report).toMatchObject({ badRows: 0, dropped: { otherKinds: 1 } });
  });

  test('keep ids byte for byte: numbers beyond 2⁵³, with zeros, and texts with escapes', async () => {
    const ids = [
      '9007199254740993',
      '-1',
      '1.50',
      '1e3',
      '"12345678901234567"',
      '"a\\"b\\\\"',
      '"\\u00e9"',
      'true',
      '" x "',
    ];
    const text = ids.map((id, k) => `{"session_id":"s","item_id":${id},"timestamp":${k}}\n`).join('');
    const expected = ['9007199254740993', '-1', '1.50', '1e3', '12345678901234567', 'a"b\\', 'é', 'true', ' x '];
    expect((await read(text)).itemIds).toEqual(expected);
  });

  test('have fields of objects as columns, under names with dots', async () => {
    const text = lines(
      { visit: { id: 1 }, item: { id: 'x', more: { price: 5 } }, at: '2024-05-01', 'a.b': 1 },
      { visit: { id: 1 }, item: { id: 'y', more: null }, at: '2024-05-02', 'a.b': 2 },
    );
    const columns = { session: 'visit.id', item: 'item.id', time: 'at', event: 'a.b' };
    const log = await read(text, { columns, features: ['item.more.price'] });
    expect(idsBySession(log)).toEqual({ 1: 'x y' });
    expect(log.eventNames).toEqual(['1', '2']);
    expect(log.features!.get('item.more.price')!.names).toEqual(['5', '']);
  });

  test('may leave out what is null, and have lists as features', async () => {
    const text = lines(
      { session_id: 's', item_id: 'x', timestamp: 1 },
      { session_id: 's', item_id: 'y', timestamp: 2, user_id: 'u', event: 'cart', tags: ['a', 'b'] },
      { session_id: 's', item_id: 'z', timestamp: 3, user_id: null, event: null },
    );
    const log = await read(text, { features: 'all' });
    expect(Array.from(log.events!, (kind) => log.eventNames![kind])).toEqual(['', 'cart', '']);
    expect(log.features!.get('tags')!.names).toEqual(['', '["a","b"]']);
  });

  test('warn of a column that comes late, and refuse a late user or kind', async () => {
    const many = LOG.repeat(400);
    const late = (fields: object) => many + lines({ session_id: 'a', item_id: 'x', timestamp: 9, ...fields });
    const { report } = await read(late({ price: 1 }));
    expect(report.warnings).toEqual([
      'log.tsv: left out price: no column of a later line or file is read that the first 1,000 lines lack.',
    ]);
    await expect(read(late({ event: 'cart' }))).rejects.toThrow(
      'log.tsv:1201: the first "event", expected it within the first 1,000 lines of the first file. ' +
        'Write it into the first line, null where there is none.',
    );
    await expect(read(late({ who: 'u' }), { columns: { user: 'who' } })).rejects.toThrow('log.tsv: no column "who"');
  });

  test.each<[string, string, ReadOptions, string]>([
    ['a list', `[${LOG}`, {}, "log.tsv:1: a JSON list, expected objects, one a line. Write it with  jq -c '.[]'"],
    [
      'a cut line',
      `${LOG}{"session_id":`,
      {},
      'log.tsv:4: no valid JSON, expected an object, got "{\\"session_id\\":".',
    ],
    ['a value that is no object', `${LOG}5\n`, {}, 'log.tsv:4: no valid JSON, expected an object, got "5".'],
    ['no object at all', '{x}\n', {}, 'log.tsv:1: no valid JSON, expected an object, got "{x}".'],
    ['objects of Python', `{'session_id': 1}\n`, {}, `no valid JSON, expected an object, got "{'session_id': 1}".`],
    ['an empty object', '{}\n', {}, 'log.tsv:1: no valid JSON, expected an object, got none.'],
    ['a missing id', LOG + lines({ session_id: 'a', timestamp: 4 }), {}, 'log.tsv:4: item_id is empty, expected an id'],
    [
      'a missing column',
      lines({ session_id: 'a', item: { id: 'x' }, timestamp: 1 }),
      {},
      'no column "item_id", expected ids of items under that name; got "session_id", "item.id", "timestamp". ' +
        'Is it --columns item=item.id ?',
    ],
    [
      'a column with blanks',
      lines({ session_id: 'a', ' item id ': 'x', timestamp: 1 }),
      {},
      "Is it --columns 'item= item id ' ?",
    ],
    [
      'a list of items',
      LOG + lines({ session_id: 'a', item_id: ['x', 'y'], timestamp: 1 }),
      {},
      'log.tsv:4: item_id is a list, expected text or a number (a field of an object is named as item_id.field), ' +
        'got "[\\"x\\",\\"y\\"]".',
    ],
    [
      'an object as an id',
      LOG + lines({ session_id: { id: 1 }, item_id: 'x', timestamp: 1 }),
      {},
      'log.tsv:4: session_id is an object, expected text or a number (a field of an object is named as session_id.field)',
    ],
    ['a NUL byte', LOG + lines({ session_id: 'a', item_id: 'x\0', timestamp: 1 }), {}, 'item_id holds a NUL byte'],
    ['a bad time', LOG.replace('3}', '"x"}'), {}, 'log.tsv:3: timestamp is no time'],
  ])('are refused for %s', async (_, text, options, message) => {
    await expect(read(text, options)).rejects.toThrow(message);
  });

  test('may be tolerated where they are bad', async () => {
    const log = await read(`${LOG}nonsense\n{"session_id":"b","item_id":"z","timestamp":4}\n`, { skipBadRows: 1 });
    expect(idsBySession(log)).toEqual({ a: 'x y', b: 'y z' });
    expect(log.report).toMatchObject({ rows: 5, badRows: 1 });
  });
});

test('an atomic file of RecBole has types in its header', async () => {
  const text = 'user_id:token\titem_id:token\trating:float\ttimestamp:float\n1\t10\t5\t100\n1\t11\t4\t200\n';
  const log = await read(text, { sessionsBy: { by: 'user' }, features: ['rating'] });
  expect(idsBySession(log)).toEqual({ 1: '10 11' });
  const named = { columns: { item: 'rating:float' }, sessionsBy: { by: 'user' } } as const;
  expect(idsBySession(await read(text, named))).toEqual({ 1: '5 4' });
  await expect(read(text)).rejects.toThrow('Or form sessions per user: --sessions-by gap:30.');
});
