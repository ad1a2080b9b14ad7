import { createReadStream } from 'node:fs';
import { createGunzip } from 'node:zlib';
import { describe, expect, test } from 'vitest';
import { type EventLog, reindex } from '../../src/session/event-log';
import { holdOut } from '../../src/session/hold-out';
import type { ReadOptions } from '../../src/session/options';
import { splitCounts, splitLog } from '../../src/session/split';
import { parseTime } from '../../src/session/time';
import { textOf } from '../docs/manual';
import { testWithLogs } from '../with-logs';
import { idsBySession, read, readText } from './helpers';

const DAY = 86400;
/** Session k: two events, k days after 1970 and `k · 0.4` days later; the last one ends last. */
const LOG = `session_id,item_id,timestamp\n${Array.from({ length: 10 }, (_, k) => `s${k},i${k},${k * DAY}\ns${k},i${(k + 1) % 10},${k * 1.4 * DAY}\n`).join('')}`;

describe('a split by time', () => {
  test('takes the sessions that start at or after a date', async () => {
    const { train, test: late } = splitLog(await read(LOG), { test: { from: 7 * DAY } });
    expect(train.sessionIds).toEqual(['s0', 's1', 's2', 's3', 's4', 's5', 's6']);
    expect(idsBySession(late)).toEqual({ s7: 'i7 i8', s8: 'i8 i9', s9: 'i9 i0' });
    expect(late.itemIds).toEqual(['i7', 'i8', 'i9', 'i0']);
  });

  test('takes the sessions that end at or after a date', async () => {
    const { test: late } = splitLog(await read(LOG), { by: 'end', test: { from: 7 * DAY } });
    expect(late.sessionIds).toEqual(['s5', 's6', 's7', 's8', 's9']);
  });

  test('takes the last days before the last event', async () => {
    const log = await read(LOG); // the last event is on day 12.6
    expect(splitLog(log, { test: { seconds: 4.6 * DAY } }).test.sessionIds).toEqual(['s8', 's9']);
    expect(splitLog(log, { by: 'end', test: { seconds: 4.6 * DAY } }).test.sessionIds).toEqual([
      's6',
      's7',
      's8',
      's9',
    ]);
  });

  test('takes the last share of the sessions', async () => {
    expect(splitLog(await read(LOG), { test: { share: 0.2 } }).test.sessionIds).toEqual(['s8', 's9']);
  });

  test('applies the rule again for the validation part', async () => {
    const split = splitLog(await read(LOG), { test: { from: 8 * DAY }, valid: { seconds: 3 * DAY } });
    // what is left ends on day 9.8
    expect(split.train.sessionIds).toEqual(['s0', 's1', 's2', 's3', 's4', 's5', 's6']);
    expect(split.valid!.sessionIds).toEqual(['s7']);
    expect(splitCounts(split)).toMatchObject({
      train: { sessions: 7, events: 14, items: 8 },
      valid: { sessions: 1, events: 2, items: 2 },
      test: { sessions: 2, events: 4, items: 3 },
      dropped: { shortSessions: { sessions: 0, events: 0 } },
    });
  });

  test('splits sequences, which have no times, by share only', async () => {
    const log = await read('u a b\nv b c\nw c d\nx d a\n', { format: 'sequences' });
    expect(splitLog(log, { test: { share: 0.25 } }).test.sessionIds).toEqual(['x']);
    expect(() => splitLog(log, { test: { from: 1 } })).toThrow('needs times');
  });

  test('leaves out sessions of which a hold-out has left nothing', async () => {
    const rows = [
      'u,a,10',
      'u,b,11',
      ...[20, 30, 40, 50].flatMap((at) => [0, 1, 2, 3].map((t) => `s${at},i${t},${at + t}`)),
    ];
    const held = holdOut(await read(`session_id,item_id,timestamp\n${rows.join('\n')}\n`), 2);
    for (const test of [{ seconds: 15 }, { share: 0.5 }]) {
      for (const by of ['start', 'end'] as const) {
        const { train, test: late } = splitLog(held, { by, test });
        expect([train.sessionIds, late.sessionIds]).toEqual([['s20', 's30'], ['s40', 's50']]); // biome-ignore format: one line
      }
    }
  });

  test('refuses an empty part and says what there is', async () => {
    const log = await read(LOG);
    expect(() => splitLog(log, { test: { from: 100 * DAY } })).toThrow(
      'The test part would be empty, expected at least one session in it; ' +
        'there are 10 sessions, which start between 1970-01-01T00:00:00Z and 1970-01-10T00:00:00Z.',
    );
    expect(() => splitLog(log, { test: { from: 0 } })).toThrow('The part before the test part would be empty');
    expect(() => splitLog(log, { test: { from: 100 * DAY } }, 'validation')).toThrow(
      'The validation part would be empty',
    );
  });

  test('carries users, kinds and features along', async () => {
    const log = await read(
      'session_id,item_id,timestamp,user_id,event,colour\na,x,1,u,view,red\na,y,2,u,cart,blue\nb,y,3,v,view,red\nb,z,4,v,buy,green\n',
      { features: 'all' },
    );
    const late = splitLog(log, { test: { from: 3 } }).test;
    expect(late.userIds).toEqual(['v']);
    expect(Array.from(late.events!, (kind) => late.eventNames![kind])).toEqual(['view', 'buy']);
    const colour = late.features!.get('colour')!;
    expect(Array.from(colour.codes, (code) => colour.names[code])).toEqual(['red', 'green']);
  });
});

test('a log in another vocabulary loses unknown items, then sessions that are too short', async () => {
  const log = await read('session_id,item_id,timestamp\na,x,1\na,new,2\na,y,3\nb,new,4\nb,x,5\nc,y,6\nc,x,7\n');
  const { log: known, dropped } = reindex(log, ['y', 'never', 'x']);
  expect(idsBySession(known)).toEqual({ a: 'x y', c: 'y x' });
  expect([...known.sessions.items]).toEqual([3, 1, 1, 3]);
  expect([...known.sessions.times]).toEqual([1, 3, 6, 7]);
  expect([...known.support]).toEqual([0, 2, 0, 2]);
  expect(dropped).toEqual({ events: 2, sessions: 1 });
});

describe('the protocols of the real logs', () => {
  const open = (path: string, options?: ReadOptions): Promise<EventLog> =>
    readText(
      path.endsWith('.gz') ? createReadStream(path).pipe(createGunzip()) : createReadStream(path),
      path,
      options,
    );
  const counts = (log: EventLog): [number, number, number] => [
    log.sessionIds.length,
    log.sessions.items.length,
    log.itemIds.length,
  ];
  const at = (date: string): { from: number } => ({ from: parseTime(date) });
  /** What docs/logs.md says of a part: sessions, events, items. */
  const written = (log: string, part: string): number[] => {
    const [, cells] = new RegExp(`^\\| ${log} \\| ${part} \\| (.*) \\|$`, 'm').exec(textOf('docs/logs.md'))!;
    return cells!.split(' | ').map((cell) => Number(cell.replaceAll(',', '')));
  };

  testWithLogs('eshop: by start day, as its notes count', ['eshop-clothing-2008/sessions.tsv.gz'], async (path) => {
    const log = await open(path!);
    expect(log.report.dropped.shortSessions.sessions).toBe(22102 - 17432);
    const { train, test: late } = splitLog(log, { test: at('2008-07-25') });
    expect(counts(train)).toEqual(written('eshop-clothing-2008', 'train'));
    expect(counts(late)).toEqual(written('eshop-clothing-2008', 'test'));
    const predictions = (part: EventLog): number[] => {
      const [sessions, events] = counts(reindex(part, train.itemIds).log);
      return [sessions, events - sessions];
    };
    expect(predictions(late)).toEqual([849, 6452]);
    const { train: early, valid } = splitLog(log, { test: at('2008-07-25'), valid: at('2008-07-18') });
    const [sessions, events] = counts(reindex(valid!, early.itemIds).log);
    expect([sessions, events - sessions]).toEqual([971, 7065]);
  });

  const retail = 'online-retail/sessions.tsv.gz';
  testWithLogs('online-retail: train before October, test in October', [retail], async (path) => {
    const { train, test: late } = splitLog(await open(path!), { test: at('2011-10-01') });
    expect(counts(train)).toEqual(written('Online Retail', 'train'));
    expect(counts(late)).toEqual(written('Online Retail', 'test'));
    const [sessions, events] = counts(late);
    expect([sessions, events - sessions]).toEqual([1770, 45917]);
    const known = new Set(train.itemIds);
    const { items, offsets } = late.sessions;
    const starts = new Set(offsets);
    const unreachable = items.filter((item, e) => !starts.has(e) && !known.has(late.itemIds[item - 1]!));
    expect(unreachable).toHaveLength(1729);
  });

  for (const [name, part, file, options] of [
    ['yoochoose-100k', 'train', 'yoochoose-100k/train.tsv.gz', {}],
    ['yoochoose-100k', 'test', 'yoochoose-100k/test.tsv.gz', {}],
    ['Diginetica', 'train', 'diginetica/train.tsv.gz', {}],
    ['Diginetica', 'test', 'diginetica/test.tsv.gz', {}],
    ['Amazon Beauty', 'all', 'amazon-beauty/sequences.txt', { format: 'sequences' }],
  ] as const) {
    testWithLogs(`${name}, ${part}, is of the size that docs/logs.md has`, [file], async (path) => {
      expect(counts(await open(path!, options))).toEqual(written(name, part));
    });
  }

  const parts = ['train', 'test'].map((part) => `diginetica/${part}.tsv.gz`);
  testWithLogs('diginetica: the repeated 5-core of both parts', parts, async (train, late) => {
    async function* both(): AsyncGenerator<Uint8Array> {
      yield* createReadStream(train!).pipe(createGunzip());
      let first = true;
      for await (const chunk of createReadStream(late!).pipe(createGunzip())) {
        const bytes = chunk as Uint8Array;
        yield first ? bytes.subarray(bytes.indexOf(10) + 1) : bytes; // its header is in the way
        first = false;
      }
    }
    const log = await readText(both(), 'both', { minSupport: 5, minLength: 5, iterative: true });
    expect(counts(log)).toEqual([71110, 572933, 29197]);
  });
});
