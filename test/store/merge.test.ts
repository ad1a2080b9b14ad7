/** What several tabs have stored makes one history, in whatever order it is read, and whatever lies between. */
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { VisitorHistory } from '../../src/session/visitor-history';
import { readQuarantine } from '../../src/store/quarantine';
import { decode, surplus } from '../../src/store/record-reader';
import { EVENTS, encode, FIRST_EVENTS, keyOf, type StoredEvent } from '../../src/store/records';
import { runs } from '../soak-slice';
import { closeAll, freshDatabase, page, raw, view } from './helpers';

const rounds = runs(200);
/** Rounds that open a database. */
const fewRounds = Math.min(1000, Math.ceil(rounds / 10));

beforeEach(freshDatabase);
afterEach(closeAll);

/** Few different times, so that many events of several tabs fall on one. */
const seen = fc.record({
  itemId: fc.constantFrom('a', 'b', '__proto__', '🧦'),
  event: fc.constantFrom('view', 'cart', 'purchase'),
  time: fc.integer({ min: 0, max: 12 }).map((minute) => 600 * minute),
});

/** What a few tabs have seen, as the records that they wrote: runs of one tab's events, numbered in its order. */
const records = fc
  .array(fc.array(fc.array(seen, { minLength: 1, maxLength: 6 }), { maxLength: 5 }), { minLength: 1, maxLength: 4 })
  .map((tabs) =>
    tabs.flatMap((written, t) => {
      let number = 0;
      return written.map((events) =>
        events.map((event): StoredEvent => ({ ...event, tab: `t${t}`, number: number++ })),
      );
    }),
  );

/** The history of someone who reads the records one by one. */
function read(values: readonly unknown[]): VisitorHistory<StoredEvent> {
  const history = new VisitorHistory<StoredEvent>({ gap: 1800, history: 'recent' });
  for (const value of values) {
    const events = decode(value);
    if (!('reason' in events)) history.add(events);
  }
  return history;
}

describe('the records of several tabs', () => {
  test('make the same history in whatever order they are read, each event once and in the order of its tab', () => {
    fc.assert(
      fc.property(
        records.chain((written) => {
          const texts = written.map(encode);
          return fc.record({
            written: fc.constant(written),
            inOrder: fc.constant(texts),
            // Told by a tab and read again, some come twice.
            shuffled: fc
              .subarray(texts)
              .chain((again) => fc.shuffledSubarray([...texts, ...again], { minLength: texts.length + again.length })),
          });
        }),
        ({ written, inOrder, shuffled }) => {
          const sessions = read(shuffled).sessions();
          expect(sessions).toEqual(read(inOrder).sessions());
          expect(read(shuffled).at(7200)).toEqual(read(inOrder).at(7200));
          const merged = sessions.flat();
          expect(merged).toHaveLength(written.flat().length);
          for (const [i, event] of merged.entries()) {
            const next = merged[i + 1];
            if (next === undefined) continue;
            expect(event.time).toBeLessThanOrEqual(next.time);
            if (event.time === next.time && event.tab === next.tab) expect(event.number).toBeLessThan(next.number);
          }
        },
      ),
      { numRuns: rounds, seed: 3 },
    );
  }, 600_000);

  test('are all read where others between them are torn, foreign or no records at all', async () => {
    const garbage = fc.oneof(
      fc.string(),
      fc.jsonValue(),
      fc.constantFrom(undefined, Number.NaN, new Date(0), new Uint8Array(3), ['1 x []']),
      records.filter((some) => some.length > 0).map((some) => ({ ...encode(some[0]!), rows: [] })),
      fc.constant('9 abc ["of a later release"]'),
    );
    const bad = fc.array(fc.tuple(fc.string({ maxLength: 8 }), garbage), { maxLength: 25 });
    await fc.assert(
      fc.asyncProperty(records, bad, async (written, others) => {
        freshDatabase();
        await page().store.append(view('first', 1)); // makes the database
        await raw((store) => {
          for (const [i, [key, value]] of others.entries())
            store.put(value, `${i % 2 === 0 ? EVENTS : FIRST_EVENTS}${key}/${i}x`);
          for (const [i, events] of written.entries()) store.put(encode(events), keyOf(events[0]!.tab, i));
        });
        const reader = page();
        await reader.store.flush();
        const names = (events: readonly StoredEvent[]) => events.map(({ tab, number }) => `${tab}/${number}`).sort();
        const found = reader.events.filter(({ itemId }) => itemId !== 'first');
        expect(names(found)).toEqual(names(written.flat()));
        expect(await reader.store.append(view('next', 2)), 'and more can be written').toBe(true);
        const aside = await readQuarantine(reader.store);
        const damaged = others.filter(([, value]) => {
          const found = decode(value);
          return 'reason' in found && !found.foreign;
        });
        expect(aside).toHaveLength(Math.min(16, damaged.length));
        await closeAll();
      }),
      { numRuns: fewRounds, seed: 4 },
    );
  }, 600_000);
});

describe('where there is too much', () => {
  const entry = fc.record({ size: fc.integer({ min: 1, max: 100 }), time: fc.integer({ min: 0, max: 40_000 }) });

  test('the newest sessions stay, as many as there is room for, or of the last one the newest records', () => {
    fc.assert(
      fc.property(fc.array(entry, { maxLength: 30 }), fc.integer({ min: 0, max: 2000 }), (some, target) => {
        const entries = some.map((one, i) => ({ ...one, key: `${i}` }));
        const byTime = [...entries].sort((a, b) => a.time - b.time);
        const gone = surplus(entries, target, 1800);
        expect(gone, 'the oldest go').toEqual(byTime.slice(0, gone.length).map(({ key }) => key));
        const sizeFrom = (start: number) => byTime.slice(start).reduce((total, { size }) => total + size, 0);
        expect(sizeFrom(gone.length)).toBeLessThanOrEqual(target);
        if (gone.length === 0) return;
        const opens = (i: number) => i <= 0 || byTime[i]!.time - byTime[i - 1]!.time > 1800;
        const endsSession = gone.length < byTime.length && opens(gone.length);
        let start = gone.length - 1;
        while (endsSession && !opens(start)) start--;
        expect(sizeFrom(start), 'and not more than must').toBeGreaterThan(target);
      }),
      { numRuns: rounds, seed: 5 },
    );
  }, 600_000);
});
