import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { EventLog } from '../../src/session/event-log';
import { Interner } from '../../src/session/interner';
import { sortByTime } from '../../src/session/sort';
import { isText } from '../../src/session/utf8';
import { writeTsv } from '../../src/session/write';
import { read, rowsOf } from './helpers';

const RUNS = { seed: 20140401, numRuns: 200 };
const encoder = new TextEncoder();

/** Ids as shops have them, and worse: any text but an empty one and NUL. */
const id = fc.oneof(
  fc.string({ unit: 'binary', minLength: 1, maxLength: 8 }).filter((text) => !text.includes('\0')),
  fc.constantFrom(
    '__proto__',
    'constructor',
    'a,b',
    '"',
    '""',
    '"a"',
    '"a ""b"""',
    ' a ',
    '\t',
    '\r',
    '\n',
    '\r\n',
    '😀',
    '\ufeffx',
    ';',
    '|',
    '\u2028',
  ),
);
const log = fc.array(fc.tuple(id, id, fc.integer({ min: 0, max: 5 })), { minLength: 1, maxLength: 12 });

/** What reading must give: sessions by first event, events by time, ties in file order. */
function expected(rows: readonly (readonly [string, string, number])[]): [string, string, number][] {
  const sessions = new Map<string, [string, string, number][]>();
  for (const [session, item, time] of rows)
    sessions.set(session, [...(sessions.get(session) ?? []), [session, item, time]]);
  const sorted = [...sessions.values()].map((events) => events.sort((a, b) => a[2] - b[2]));
  return sorted.sort((a, b) => a[0]![2] - b[0]![2]).flat();
}

const all = { minLength: 1, minItems: 1 };
const quoted = (text: string): string => `"${text.replaceAll('"', '""')}"`;
const written = (log: EventLog): Uint8Array => new Uint8Array([...writeTsv(log)].flatMap((piece) => [...piece]));

describe('ids survive byte for byte', () => {
  test('through quoted CSV', async () => {
    await fc.assert(
      fc.asyncProperty(
        log,
        fc.constantFrom(',', ';', '\t'),
        fc.integer({ min: 1, max: 40 }),
        async (rows, delimiter, size) => {
          const lines = rows.map(([session, item, time]) => [quoted(session), quoted(item), time].join(delimiter));
          const text = [['"session_id"', '"item_id"', '"timestamp"'].join(delimiter), ...lines].join('\n');
          expect(rowsOf(await read(text, all, size))).toEqual(expected(rows));
        },
      ),
      RUNS,
    );
  });

  test('through our own TSV, with users, kinds and features', async () => {
    await fc.assert(
      fc.asyncProperty(log, async (rows) => {
        const lines = rows.map(([session, item, time]) => [
          quoted(session),
          quoted(item),
          time,
          quoted(item),
          quoted(session),
          quoted(item),
        ]);
        const text = [['session_id', 'item_id', 'timestamp', 'user_id', 'event', 'f'], ...lines]
          .map((cells) => cells.join(','))
          .join('\n');
        const first = await read(text, { ...all, features: 'all' });
        const again = await read(written(first), { ...all, features: 'all' });
        expect(rowsOf(again)).toEqual(expected(rows));
        expect(again.itemIds).toEqual(first.itemIds);
        expect(again.userIds).toEqual(first.userIds);
        const kinds = ({ events, eventNames }: EventLog): unknown => Array.from(events!, (kind) => eventNames![kind]);
        expect(kinds(again)).toEqual(kinds(first));
        const features = ({ features }: EventLog): unknown =>
          Array.from(features!.get('f')!.codes, (code) => features!.get('f')!.names[code]);
        expect(features(again)).toEqual(features(first));
      }),
      RUNS,
    );
  });

  test('through a TSV without quoting', async () => {
    // Quotes that stand for themselves: no doubled one, and no comma between them.
    const plain = id.filter((text) => !/[\t\n\r]/.test(text) && !/^".*(""|,)/.test(text));
    await fc.assert(
      fc.asyncProperty(fc.array(fc.tuple(plain, plain), { minLength: 1, maxLength: 8 }), async (rows) => {
        const text = rows.map(([session, item], k) => `${session}\t${item}\t${k}\n`).join('');
        const log = await read(`session_id\titem_id\ttimestamp\n${text}`, all);
        expect(rowsOf(log)).toEqual(expected(rows.map(([session, item], k) => [session, item, k])));
      }),
      RUNS,
    );
  });

  test('times survive to the last bit', async () => {
    await fc.assert(
      fc.asyncProperty(fc.double({ min: 0, max: 9e10, noNaN: true }), async (time) => {
        const log = await read(`session_id,item_id,timestamp\na,x,${time}\na,y,${time}\n`);
        expect([...log.sessions.times]).toEqual([time, time].map((t) => t + 0));
        expect([...(await read(written(log))).sessions.times]).toEqual([...log.sessions.times]);
      }),
      RUNS,
    );
  });
});

test('the interner numbers texts as a Map does', () => {
  fc.assert(
    fc.property(
      fc.array(fc.string({ unit: 'binary', maxLength: 3 }).filter((text) => !text.includes('\0'))),
      (texts) => {
        const interner = new Interner();
        const map = new Map<string, number>();
        for (const text of texts) {
          if (!map.has(text)) map.set(text, map.size);
          const bytes = encoder.encode(` ${text}`);
          expect(interner.intern(bytes, 1, bytes.length)).toBe(map.get(text));
        }
        expect(interner.texts()).toEqual([...map.keys()]);
      },
    ),
    RUNS,
  );
});

test('the interner grows past its first tables', () => {
  const interner = new Interner();
  const ids = Array.from({ length: 5000 }, (_, k) => `item ${k}`);
  for (const text of ids) interner.intern(encoder.encode(text), 0, text.length);
  expect(interner.texts()).toEqual(ids);
  expect(ids.map((text) => interner.intern(encoder.encode(text), 0, text.length))).toEqual(ids.map((_, k) => k));
});

test('sorting by time is stable and equals the built-in sort', () => {
  fc.assert(
    fc.property(fc.array(fc.integer({ min: 0, max: 9 }), { maxLength: 200 }), (times) => {
      const order = Int32Array.from(times, (_, k) => k);
      const wanted = [...order].sort((a, b) => times[a]! - times[b]!);
      sortByTime(order, 0, order.length, (k) => times[k]!);
      expect([...order]).toEqual(wanted);
    }),
    RUNS,
  );
});

test('UTF-8 is judged as the platform decoder judges it', () => {
  const valid = (bytes: Uint8Array): boolean => {
    try {
      new TextDecoder('utf-8', { fatal: true }).decode(bytes);
      return !bytes.includes(0);
    } catch {
      return false;
    }
  };
  const byte = fc.oneof(
    fc.integer({ min: 0, max: 255 }),
    fc.constantFrom(0x80, 0x9f, 0xa0, 0xbf, 0xc1, 0xc2, 0xe0, 0xed, 0xef, 0xf0, 0xf4, 0xf5),
  );
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 5 }), fc.array(byte, { maxLength: 4 }), (a, b) => {
      for (const bytes of [a, Uint8Array.from(b)]) expect(isText(bytes, 0, bytes.length)).toBe(valid(bytes));
    }),
    { ...RUNS, numRuns: 3000 },
  );
});
