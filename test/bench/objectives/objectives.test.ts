import { expect, test } from 'vitest';
import type { QualityRow } from '../quality/record';
import { rowsOf } from '../quality/rows';
import { objectivesPage } from './page';
import {
  type AllObjectiveResults,
  type ClaimTest,
  claimsOf,
  type Gap,
  OBJECTIVE_LOGS,
  readObjectives,
  verdictOf,
} from './record';

const gap = (low: number, high: number): Gap => ({ mean: (low + high) / 2, low, high, bySeed: [low, high] });

test.each([
  ['above 0', 0.001, 0.003, 'reproduced', 'reproduced'],
  ['about 0', -0.001, 0.003, 'undecided', 'reproduced'],
  ['below 0', -0.003, -0.001, 'refuted', 'refuted'],
  ['about 0 and wide', -0.02, 0.01, 'undecided', 'undecided'],
  ['a little below 0, where seeds disagree,', -0.003, -0.001, 'undecided', 'undecided', [-0.004, 0.001]],
] as const)('an interval %s', (_, low, high, greater, orEqual, bySeed: readonly number[] = [low, high]) => {
  const claim = { better: 'a', worse: 'b' };
  expect(verdictOf(claim, { ...gap(low, high), bySeed }, 0.4)).toBe(greater);
  expect(verdictOf({ ...claim, orEqual: true }, { ...gap(low, high), bySeed }, 0.4)).toBe(orEqual);
});

test('nothing is decided where seeds contradict each other', () => {
  const claim = { better: 'a', worse: 'b' };
  expect(verdictOf(claim, { ...gap(0.001, 0.003), bySeed: [0.005, -0.001] }, 0.4)).toBe('undecided');
  expect(verdictOf(claim, { ...gap(-0.003, -0.001), bySeed: [-0.005, 0.001] }, 0.4)).toBe('undecided');
});

test('every row that a claim is about is planned on a log that tests it', () => {
  const planned = OBJECTIVE_LOGS.map((log) => ({
    names: new Set(rowsOf(log, undefined).map(({ name }) => name)),
    claims: claimsOf(log),
  }));
  for (const claim of planned.flatMap(({ claims }) => claims)) {
    const has = planned.filter(({ claims }) => claims.includes(claim));
    expect(has.some(({ names }) => names.has(claim.better) && names.has(claim.worse))).toBe(true);
  }
});

test('the page tells rows, the best first, and gaps both ways of predicting', () => {
  const figures = (value: number) => ({ 'ndcg@20': value, 'recall@20': 2 * value });
  const row = (name: string, value: number) => ({
    name,
    seeds: [1, 2],
    all: [figures(value), figures(value + 0.02)],
    last: [figures(value / 2), figures(value / 2)],
  });
  const claim: ClaimTest = {
    better: 'xlnet-mlm',
    worse: 'xlnet-clm',
    seeds: [1, 2],
    all: gap(0.01, 0.03),
    last: gap(-0.02, -0.01),
  };
  const measured = (name: string, seed: number, value: number) =>
    ({ name, seed, metrics: { conservative: { 'ndcg@20': value } } }) as unknown as QualityRow;
  const pairs = [
    ['xlnet-mlm', 'xlnet-clm'],
    ['cl4srec', 'sasrec'],
  ].flatMap(([better, worse]) => [
    measured(better!, 1, 0.21),
    measured(worse!, 1, 0.2),
    measured(better!, 2, 0.23),
    measured(worse!, 2, 0.2),
  ]);
  const page = (results: AllObjectiveResults, rows = pairs) => objectivesPage(results, () => ({ rows }));
  const eshop = { rows: [row('xlnet-clm', 0.2), row('xlnet-mlm', 0.3)], tests: [claim] };
  const text = page({ eshop });
  expect(page({ eshop }, [measured('xlnet-mlm', 1, 0.22), ...pairs.slice(1)])).toMatch(
    /by seed \+0.0100, \+0.0300 \| stale \|.* stale \|/,
  );
  expect(text).toContain('| xlnet-mlm | 2 | 0.3100 (0.3000 to 0.3200) | 0.6200 (0.6000 to 0.6400) | 0.1500 (0.1500 to');
  expect(text.indexOf('| xlnet-mlm |')).toBeLessThan(text.indexOf('| xlnet-clm |'));
  expect(text).toContain(
    '| xlnet-mlm > xlnet-clm | 2 | +0.0200 [+0.0100, +0.0300]; by seed +0.0100, +0.0300 | reproduced | −0.0150',
  );
  expect(text.match(/^## .*/gm)).toEqual(['## eshop-clothing-2008']);

  const second = { ...claim, better: 'cl4srec', worse: 'sasrec' };
  const beauty = { rows: [row('sasrec', 0.2), row('cl4srec', 0.3)], tests: [second] };
  const once = page({ 'amazon-beauty': beauty });
  expect(once).toContain('| cl4srec | 2 | 0.3100 (0.3000 to 0.3200) | 0.6200 (0.6000 to 0.6400) |\n');
  expect(once).toContain(
    '| cl4srec > sasrec | 2 | +0.0200 [+0.0100, +0.0300]; by seed +0.0100, +0.0300 | reproduced |\n',
  );
});

test('what is committed is of claims that are made, and of rows that it shows', () => {
  const committed = readObjectives();
  for (const log of OBJECTIVE_LOGS) {
    const { rows, tests } = committed[log] ?? { rows: [], tests: [] };
    const shown = new Set(rows.map(({ name }) => name));
    for (const { better, worse } of tests) {
      expect(claimsOf(log).some((claim) => claim.better === better && claim.worse === worse)).toBe(true);
      expect([shown.has(better), shown.has(worse)]).toEqual([true, true]);
    }
  }
});
