import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { configure } from '../../src/models/configuration';
import { readSessionIndex, SECONDS_PER_DAY, writeSessionIndex } from '../../src/neighbours/session-index';
import { neighbours } from '../../src/neighbours/session-knn';
import { type NeighbourRules, neighbourQuery } from '../../src/neighbours/session-neighbours';
import type { Sessions } from '../../src/types';
import { sessionsOf, worked } from './fixtures';

const [A, B, C, D, E] = [1, 2, 3, 4, 5] as const;
type Name = keyof typeof neighbours;

interface Query {
  readonly name: Name;
  readonly config?: object;
  readonly log?: Sessions;
  readonly items?: number;
}

/** Scores in session-rec's unit after the last click of a session, four days after the first session of the worked example. */
function scores({ name, config = {}, log = worked, items = 5 }: Query, session: number[], day = 4): number[] {
  const baseline = neighbours[name];
  const complete = configure(baseline, config as Record<string, unknown>) as never;
  const index = readSessionIndex(baseline.fit(log, { items }, complete), { items });
  const rules = baseline.rulesOf(complete);
  const { scores, age } = neighbourQuery(index, items, rules)(session, 0, session.length, day * SECONDS_PER_DAY);
  return Array.from(scores, (score) => (rules.normalize ? score : rules.recency(age, 0) * score));
}

const close = (got: number[], expected: readonly number[]) => {
  expect(got).toHaveLength(expected.length);
  got.forEach((value, i) => {
    expect(value).toBeCloseTo(expected[i]!, 6);
  });
};

describe('the worked example, session A B after A B C, B C D, A C E, B A D', () => {
  test.each<[Name, object, number[]]>([
    ['v-sknn', { normalize: false }, [1.625, 2.0, 1.375, 1.25, 0.125]],
    [
      'v-sknn',
      { normalize: false, similarity: 'cosine', weighting: 'quadratic', idfWeighting: 5 },
      [3.58518, 4.78024, 3.243735, 5.627953, 0.555314],
    ],
    ['stan', {}, [0.949626, 1.00435, 0.470683, 0.485503, 0.051244]],
    ['vstan', {}, [2.10846, 2.449017, 1.020553, 2.168127, 0.152483]],
  ])('%s %j', (name, config, expected) => close(scores({ name, config }, [A, B]), expected));

  test('SKNN adds plain cosines, each of 2/√6 or 1/√6', () => {
    const [two, one] = [2 / Math.sqrt(6), 1 / Math.sqrt(6)];
    const expected = [2 * two + one, 2 * two + one, two + 2 * one, two + one, one];
    close(
      scores({ name: 'sknn' }, [A, B]),
      expected.map((score) => score / expected[0]!),
    );
  });
});

describe('options', () => {
  const vsknn = { name: 'v-sknn', config: { normalize: false } } as const;

  test('without reminders the items of the session get nothing, the others the same', () => {
    close(scores({ ...vsknn, config: { normalize: false, remind: false } }, [A, B]), [0, 0, 1.375, 1.25, 0.125]);
  });

  test('pushed reminders are multiplied by their clicks plus one', () => {
    const plain = scores(vsknn, [A, B, A]);
    const pushed = scores({ ...vsknn, config: { normalize: false, pushReminders: true } }, [A, B, A]);
    close(pushed, [3 * plain[0]!, 2 * plain[1]!, ...plain.slice(2)]);
  });

  test('a λ of 0 switches its factor off', () => {
    const off = { lambdaSpw: 0, lambdaSnh: 0, lambdaInh: 0, lambdaIpw: 0, lambdaIdf: 0 };
    const [two, one] = [2 / Math.sqrt(6), 1 / Math.sqrt(6)];
    const expected = [2 * two + one, 2 * two + one, two + 2 * one, two + one, one];
    close(scores({ name: 'vstan', config: off }, [A, B]), expected);
  });

  test('half a day rounds to the even number of days', () => {
    const config = { normalize: false, weightingTime: true };
    const one = { name: 'v-sknn', config, log: { ...sessionsOf([[A, B]]), times: Float64Array.of(0, 0) } } as const;
    for (const [day, days] of [
      [0.5, 0],
      [1.5, 2],
      [2.5, 2],
      [2.6, 3],
    ] as const) {
      close(scores(one, [A], day).slice(0, 2), [(7 / 8) ** days, (7 / 8) ** days]);
    }
  });

  test.each<[Name, object]>([
    ['v-sknn', { normalize: false, weightingTime: true }],
    ['stan', {}],
    ['vstan', {}],
  ])('%s weighs sessions that end after now by how long before the newest of them they ended', (name, config) => {
    const DAY = 86_400;
    const log = { ...sessionsOf([[A, B], [A, C]]), times: Float64Array.of(0, 0, 9 * DAY, 9 * DAY) }; // biome-ignore format: one line
    const at = (day: number) => scores({ name, config, log }, [A], day);
    expect(at(-3650)).toEqual(at(9));
    const [, b, c] = at(-3650);
    expect(b).toBeGreaterThan(0);
    expect(b).toBeLessThan(c!);
    expect(c).toBeLessThanOrEqual(2);
  });

  test.each<[Name, object]>([
    ['v-sknn', { normalize: false, weightingTime: true }],
    ['stan', {}],
    ['vstan', {}],
  ])('%s ranks alike however long after the log it is asked, by scores that a float32 holds', async (name, config) => {
    const baseline = neighbours[name];
    const complete = configure(baseline, config as Record<string, unknown>) as never;
    const model = baseline.scorer(baseline.fit(worked, { items: 5 }, complete), { items: 5 }, complete);
    const at = (day: number) => model.score([{ items: [A, B], times: [0, day * SECONDS_PER_DAY] }]);
    const fresh = await at(3);
    expect([...fresh].every((score) => score > 0)).toBe(true);
    for (const day of [525, 20_000]) {
      const got = await at(day);
      for (let i = 0; i < 5; i++) expect(got[i]! / fresh[i]!).toBeCloseTo(1, 6);
    }
  });

  test('an item that the log does not have keeps its place in the session', () => {
    const unknown = scores(vsknn, [A, 77]);
    const alone = scores(vsknn, [A]);
    // Of two items one is shared, at the first of two places (weight 1/2), two clicks from the end.
    close(
      unknown,
      alone.map((score) => score / 8),
    );
  });

  test('a session of nothing known gets nothing', () => {
    for (const name of Object.keys(neighbours) as Name[]) expect(scores({ name }, [77, 78])).toEqual([0, 0, 0, 0, 0]);
  });
});

/** As the equations say it: every session is looked at, nothing is indexed. */
function plainly(log: Sessions, items: number, rules: NeighbourRules, session: number[], now: number): number[] {
  const all = Array.from({ length: log.offsets.length - 1 }, (_, s) => ({
    clicks: [...log.items.subarray(log.offsets[s]!, log.offsets[s + 1]!)],
    time: log.times[log.offsets[s + 1]! - 1]!,
  }));
  const cut = rules.lastNClicks > 0 ? session.slice(-rules.lastNClicks) : session;
  const n = cut.length;
  const own = [...new Set(cut)];
  const weight = (item: number) => rules.weight(cut.lastIndexOf(item) + 1, n);
  const ranked = all
    .filter(({ clicks }) => clicks.some((item) => session.includes(item)))
    .sort((a, b) => b.time - a.time)
    .slice(0, rules.sampleSize)
    .map((neighbour) => {
      const sum = own
        .filter((item) => neighbour.clicks.includes(item))
        .reduce((total, item) => total + weight(item), 0);
      const squares = own.reduce((total, item) => total + weight(item) ** 2, 0);
      const cosine = Math.sqrt(squares) * Math.sqrt(new Set(neighbour.clicks).size);
      const similar =
        (sum / (rules.similarity === 'vec' ? own.length : cosine)) * rules.recency(now - neighbour.time, 0);
      return { ...neighbour, similar };
    })
    .filter(({ similar }) => !rules.positiveOnly || similar > 0)
    .sort((a, b) => b.similar - a.similar) // stable: the more recent first
    .slice(0, rules.k);
  return Array.from({ length: items }, (_, i) => {
    const item = i + 1;
    if (!rules.remind && cut.includes(item)) return 0;
    const support = log.items.filter((other) => other === item).length;
    const idf = support > 0 ? Math.log(all.length / support) : 0;
    return ranked
      .filter(({ clicks }) => clicks.includes(item))
      .map(({ clicks, similar }) => {
        const latest = Math.max(...cut.map((other, p) => (clicks.includes(other) ? p + 1 : 0)));
        const meeting = Math.max(...cut.map((other) => clicks.lastIndexOf(other)));
        const close = rules.closeness?.(Math.abs(clicks.lastIndexOf(item) - meeting)) ?? 1;
        return similar * rules.nearness(latest, n) * close * (1 + idf * rules.idf);
      })
      .reduce((total, vote) => total + vote, 0);
  });
}

describe('the index', () => {
  const ITEMS = 8;
  const clicks = fc.array(fc.integer({ min: 1, max: ITEMS }), { minLength: 1, maxLength: 7 });

  test.each(Object.keys(neighbours) as Name[])('%s answers as if every session had been looked at', (name) => {
    fc.assert(
      fc.property(
        fc.array(clicks, { minLength: 1, maxLength: 25 }),
        clicks,
        fc.record({ k: fc.integer({ min: 1, max: 6 }), sampleSize: fc.integer({ min: 1, max: 8 }) }),
        (lists, session, given) => {
          const log = sessionsOf(lists);
          const baseline = neighbours[name];
          const config = configure(baseline, given) as never;
          const rules = { ...baseline.rulesOf(config), normalize: false };
          const index = readSessionIndex(baseline.fit(log, { items: ITEMS }, config), { items: ITEMS });
          const now = 100_000;
          const { scores: shares, age } = neighbourQuery(index, ITEMS, rules)(session, 0, session.length, now);
          const got = shares.map((share) => rules.recency(age, 0) * share);
          const expected = plainly(log, ITEMS, rules, session, now);
          for (let i = 0; i < ITEMS; i++) expect(got[i]).toBeCloseTo(expected[i]!, 9);
        },
      ),
      { seed: 41, numRuns: 300 },
    );
  });

  test('keeps no session that can never be a neighbour', () => {
    const arrays = writeSessionIndex(
      sessionsOf([
        [A, B],
        [A, B],
        [C, D],
        [A, B],
        [B, A, E],
      ]),
      { items: 5 },
      2,
    );
    // Sessions 0 and 1 hold A and B only, and two later ones do too.
    expect([...arrays['sessions.offsets']!.data]).toEqual([0, 2, 4, 7]);
    expect([...arrays['sessions.count']!.data]).toEqual([5]);
  });

  test('keeps times to the millisecond', () => {
    const time = 1_764_081_234.567;
    const log = { ...sessionsOf([[A, B]]), times: Float64Array.of(time - 1, time) };
    const index = readSessionIndex(writeSessionIndex(log, { items: 2 }, 10), { items: 2 });
    expect(Math.abs(index.times[0]! - time)).toBeLessThan(0.004);
  });

  test.each([
    ['sessions.items', Int32Array.of(1, 9), /item indices 1…2, got 9/],
    ['sessions.offsets', Int32Array.of(0, 5), /offsets from 0 to 2, got 0 to 5/],
    ['sessions.seconds', Float32Array.of(Number.NaN), /finite values/],
    ['sessions.positions', Int32Array.of(1), /2 values, got 1/],
  ])('refuses a damaged %s', (name, data, message) => {
    const arrays = writeSessionIndex(sessionsOf([[A, B]]), { items: 2 }, 10);
    const damaged = { ...arrays, [name]: { data, shape: [data.length] } };
    expect(() => readSessionIndex(damaged, { items: 2 })).toThrow(message);
  });
});
