import { describe, expect, test } from 'vitest';
import type { Rank } from '../../../src/pipeline/files/ranks';
import { type Claim, differencesOf, divisionsOf, readClaims, staleness, strataOf, verdict } from './claims';
import { bestCounter, tunedName } from './counters';
import { LOG_NAMES, LOGS } from './logs';
import { type QualityRow, readResults } from './record';

/** Ranks of 40 sessions of two predictions. */
const ranks = (rankOf: (session: number, position: number) => number): Rank[] =>
  Array.from({ length: 80 }, (_, p) => {
    const [session, position] = [p >> 1, p & 1];
    return { session: `s${session}`, position, item: `i${p}`, rank: rankOf(session, position) };
  });
const counter = ranks((session) => 1 + (session % 4));

test.each(LOG_NAMES.filter((log) => readClaims(log).length > 0))(
  'every comparison of %s is of the rows that stand in its table, with the counting that was best on the validation part',
  (log) => {
    const { rows } = readResults(log);
    for (const claim of readClaims(log)) {
      expect(staleness(claim, rows), claim.network.row).toBeUndefined();
      expect(claim.counter.row).toBe(tunedName(bestCounter(log)!));
      const mean = (row: string, metric: string) => {
        const runs = rows.filter(({ name, stale }) => name === row && stale === undefined);
        return runs.reduce((sum, run) => sum + run.metrics.conservative[metric]!, 0) / runs.length;
      };
      for (const metric of LOGS[log].shown) {
        const { mean: difference, low, high } = claim.differences[metric]!;
        expect(difference).toBeCloseTo(mean(claim.network.row, metric) - mean(claim.counter.row, metric), 4);
        expect(low).toBeLessThanOrEqual(difference);
        expect(high).toBeGreaterThanOrEqual(difference);
      }
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
    const strata = strataOf([ranks((_, position) => 1 + position)], counter, odd, divisionsOf(support), 'mrr@20');
    expect(strata['clicks seen']).toEqual([
      { label: '1', predictions: 40, network: 1, counter: 0.52083 },
      { label: '2', predictions: 40, network: 0.5, counter: 0.52083 },
    ]);
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

  test('is stale once a row of it was measured with other settings, or with a seed more', () => {
    const row = (name: string, key: string) => ({ name, key }) as QualityRow;
    const claim = {
      network: { row: 'caser', keys: ['a', 'b'] },
      counter: { row: 'sr, tuned', keys: ['c'] },
    } as unknown as Claim;
    const rows = [row('caser', 'a'), row('caser', 'b'), row('sr, tuned', 'c')];
    expect(staleness(claim, rows)).toBeUndefined();
    expect(staleness(claim, [...rows, row('caser', 'd')])).toContain('"caser" was measured again');
    expect(staleness(claim, [...rows.slice(0, 2), row('sr, tuned', 'd')])).toContain('"sr, tuned"');
  });
});
