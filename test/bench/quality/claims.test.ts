import { describe, expect, test } from 'vitest';
import type { Rank } from '../../../src/pipeline/files/ranks';
import { whichForClicks } from '../../docs/which-model';
import {
  bestOnTest,
  type Claim,
  type Counted,
  differencesOf,
  divisionsOf,
  readClaims,
  staleness,
  strataOf,
  verdict,
} from './claims';
import { LOG_NAMES, LOGS } from './logs';
import { type QualityRow, readResults } from './record';
import { bestCounter, tunedName } from './searches';

/** Ranks of 40 sessions of two predictions. */
const ranks = (rankOf: (session: number, position: number) => number): Rank[] =>
  Array.from({ length: 80 }, (_, p) => {
    const [session, position] = [p >> 1, p & 1];
    return { session: `s${session}`, position, item: `i${p}`, rank: rankOf(session, position) };
  });
const counter = ranks((session) => 1 + (session % 4));

test.each(LOG_NAMES.filter((log) => readClaims(log).networks.length > 0))(
  'every comparison of %s is of the rows that stand in its table, with the counting that was best on the validation part',
  (log) => {
    const { rows } = readResults(log);
    const { counted, networks } = readClaims(log);
    const counting = rows.filter(({ form }) => form === 'counted');
    expect(counted.map(({ row }) => row).sort()).toEqual(counting.map(({ name }) => name).sort());
    expect(counted.flatMap(({ keys }) => keys).sort()).toEqual(counting.map(({ key }) => key).sort());
    for (const claim of networks) {
      expect(staleness(claim, counted, rows), claim.network.row).toBeUndefined();
      expect(claim.counter.row).toBe(tunedName(bestCounter(log)!));
      const mean = (row: string, metric: string) => {
        const runs = rows.filter(({ name, stale }) => name === row && stale === undefined);
        return runs.reduce((sum, run) => sum + run.metrics.conservative[metric]!, 0) / runs.length;
      };
      for (const metric of LOGS[log].shown) {
        const rivals = [{ row: claim.counter.row, ...claim.differences[metric]! }];
        if (claim.besideBest[metric]) rivals.push(claim.besideBest[metric]);
        for (const { row, mean: difference, low, high } of rivals) {
          expect(difference).toBeCloseTo(mean(claim.network.row, metric) - mean(row, metric), 4);
          expect(low).toBeLessThanOrEqual(difference);
          expect(high).toBeGreaterThanOrEqual(difference);
        }
      }
    }
  },
);

test.each(LOG_NAMES.filter((log) => readClaims(log).networks.length > 0))(
  'no row that counts is left out where the best rows of a part of %s are named',
  (log) => {
    const { counted, networks } = readClaims(log);
    for (const { strata } of [...counted, ...networks])
      for (const [name, parts] of Object.entries(networks[0]!.strata))
        expect(strata[name]!.map(({ label, predictions }) => [label, predictions])).toEqual(
          parts.map(({ label, predictions }) => [label, predictions]),
        );
    const rows = whichForClicks()
      .split('\n')
      .filter((line) => line.includes(`quality-${log}.md`));
    for (const line of rows) {
      const division = line.includes('at most 5 times')
        ? ['how often the next item was clicked in training', 'at most 5 times']
        : ['the next item', line.includes('is new to the visit') ? 'is new to it' : 'was in the session'];
      const [name, label] = division as [string, string];
      const values = [...counted, ...networks].map(
        ({ strata }) => strata[name]!.find((part) => part.label === label)!.value,
      );
      const own = line.slice(line.indexOf(`quality-${log}.md`)).split(';')[0]!;
      const shown = Number(/ (\d+\.\d+)/.exec(own)![1]);
      expect(LOGS[log].inPercent ? shown / 100 : shown).toBeCloseTo(Math.max(...values), 4);
    }
  },
);

describe('a comparison', () => {
  test('is the difference of means over seeds, with an interval around it', () => {
    const seeds = [ranks(() => 1), ranks(() => 2)];
    const { 'mrr@20': mrr, 'recall@1': recall } = differencesOf(seeds, counter, ['mrr@20', 'recall@1']);
    // (1 + 1/2) / 2 against (1 + 1/2 + 1/3 + 1/4) / 4
    expect(mrr!.mean).toBeCloseTo(0.75 - 25 / 48, 5);
    expect(recall!.mean).toBeCloseTo(0.5 - 0.25, 5);
    expect(verdict(mrr!, 25 / 48)).toBe('better');
    expect(verdict(mrr!, 5)).toBe('better, < 5 %');
    expect(verdict(differencesOf([counter], counter, ['mrr@20'])['mrr@20']!, 25 / 48)).toBe('tie');
    expect(verdict(differencesOf([ranks(() => 30)], counter, ['mrr@20'])['mrr@20']!, 25 / 48)).toBe('worse');
  });

  test('is refused where the rows did not predict the same clicks', () => {
    const other = ranks(() => 1).map((rank) => ({ ...rank, item: `${rank.item}'` }));
    expect(() => differencesOf([other], counter, ['mrr@20'])).toThrow('did not predict the same');
    expect(() => differencesOf([counter.slice(1)], counter, ['mrr@20'])).toThrow('did not predict the same');
  });

  test('divides the predictions by what the session and the training part say', () => {
    const support = new Map([
      ['often', 100],
      ['rare', 5],
      ...Array.from({ length: 10 }, (_, i) => [`other ${i}`, 5] as const),
    ]);
    const seen = counter.map((_, p) =>
      p & 1 ? { clicks: ['rare', 'often'], target: 'often' } : { clicks: ['rare'], target: 'rare' },
    );
    const odd = seen.map(({ clicks }, p) => (p === 0 ? { clicks, target: 'often' } : seen[p]!));
    const runs = [ranks((_, position) => 1 + position)].map((run) =>
      run.map((rank, p) => ({ ...rank, item: odd[p]!.target })),
    );
    const strata = strataOf(runs, odd, divisionsOf(support), 'mrr@20');
    expect(strata['clicks seen']).toEqual([
      { label: '1', predictions: 40, value: 1 },
      { label: '2', predictions: 40, value: 0.5 },
    ]);
    expect(() => strataOf([counter], odd, divisionsOf(support), 'mrr@20')).toThrow('did not predict these clicks');
    expect(strata['how often the next item was clicked in training']!.map(({ predictions }) => predictions)).toEqual([
      39, 41,
    ]);
    expect(strata['the next item']!.map(({ label, predictions }) => [label, predictions])).toEqual([
      ['was in the session', 79],
      ['is new to it', 1],
    ]);
    expect(strata['how often the last item was clicked in training']!.map(({ predictions }) => predictions)).toEqual([
      40, 40,
    ]);
  });

  test('is stale once a row of it was measured with other settings, or with a seed more, or another counts better', () => {
    const row = (name: string, key: string, mrr = 0.2) =>
      ({
        name,
        key,
        form: name === 'caser' ? 'improved' : 'counted',
        metrics: { conservative: { 'mrr@20': mrr } },
      }) as unknown as QualityRow;
    const claim = {
      network: { row: 'caser', keys: ['a', 'b'] },
      counter: { row: 'sr, tuned', keys: ['c'] },
      besideBest: { 'mrr@20': { row: 'stan' } },
    } as unknown as Claim;
    const counted = [{ row: 'stan', keys: ['s'] } as unknown as Counted];
    const rows = [row('caser', 'a'), row('caser', 'b'), row('sr, tuned', 'c'), row('stan', 's', 0.3)];
    expect(bestOnTest(rows, 'mrr@20').name).toBe('stan');
    expect(staleness(claim, counted, rows)).toBeUndefined();
    expect(staleness(claim, counted, [...rows, row('caser', 'd')])).toContain('"caser" was measured again');
    expect(staleness(claim, counted, [...rows.slice(0, 2), row('sr, tuned', 'd'), rows[3]!])).toContain('"sr, tuned"');
    expect(staleness(claim, counted, [...rows.slice(0, 3), row('stan', 't', 0.3)])).toContain('"stan" was measured');
    expect(staleness(claim, counted, [...rows, row('vstan', 'v', 0.4)])).toContain('"stan" is not the best');
  });
});
