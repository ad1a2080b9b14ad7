import { existsSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { expect, test } from 'vitest';
import { pageNow } from './pages';
import { RISKS, reliabilityPage, reliabilityPages } from './reliability';

const TESTS = resolve(import.meta.dirname, '..');

test('the page of risks is what the results of the tests say; "npm run docs" writes it', () => {
  const pages = reliabilityPages();
  expect(pages.size).toBe(1);
  for (const [path, shouldBe] of pages) expect(pageNow(path)).toBe(shouldBe);
});

test('every risk is there once, in order, and its tests are', () => {
  const ids = [15, 15, 1].flatMap((count, i) => Array.from({ length: count }, (_, n) => `${'RSA'[i]}${n + 1}`));
  expect(RISKS.map(({ id }) => id)).toEqual(ids);
  const engines = ['engines.test.ts', 'risks.ts']
    .map((file) => readFileSync(join(TESTS, 'engines', file), 'utf8'))
    .join();
  for (const { in: files, elsewhere = [], notElsewhere } of RISKS) {
    expect(elsewhere.length > 0, 'tried in other browsers, or why not').toBe(notElsewhere === undefined);
    expect(files.filter((file) => !existsSync(join(TESTS, `${file}.test.ts`)))).toEqual([]);
    expect(elsewhere.filter((name) => !engines.includes(name.replace('beside it', '%s')))).toEqual([]);
  }
});

test('a row counts what passed in each place, and shows what failed', () => {
  const counts = (passed: number, failed = 0) => ({ passed, failed, skipped: 0 });
  const run = {
    commit: 'abc',
    machine: 'a machine',
    seconds: 1,
    files: {
      'ui/guest': counts(4),
      'compute/fallback.built': counts(1, 1),
      'recommender/consent.built': counts(3),
      'engines/engines > Firefox > the embed works under a strict security policy': counts(1),
      'engines/engines > WebKit > a visit is stored after consent, and so on': counts(1),
    },
  };
  const soak = [{ file: 'test/recommender/consent.built.test.ts', seconds: 9, tries: 5000, ...counts(1200) }];
  const lines = reliabilityPage(run, soak).split('\n');
  const cells = (id: string) =>
    lines
      .find((line) => line.startsWith(`| ${id} `))!
      .split(' | ')
      .slice(2);
  expect(cells('S6')).toEqual(['**1 failed**', '–', '–', '1', 'not tried', 'not tried', '1 |']);
  expect(cells('S11')).toEqual(['3', '1,200', '5,000', 'not tried', '1', 'not tried', '0 |']);
  expect(cells('S14')).toEqual(['not tried', '–', '–', 'not tried', 'not tried', 'not tried', '0 |']);
});

test('where the soak has run all tests in the browsers, its results count', () => {
  const run = { commit: 'abc', machine: 'a machine', seconds: 1, files: {} };
  const browsers = {
    'Firefox > markup in a catalogue is text': 'passed',
    'WPE > markup in a catalogue is text': 'failed',
  };
  const soak = [{ file: 'test/engines/engines.test.ts', seconds: 9, passed: 1, failed: 1, skipped: 0, browsers }];
  const line = reliabilityPage(run, soak)
    .split('\n')
    .find((text) => text.startsWith('| S4 '))!;
  expect(line.split(' | ').slice(2)).toEqual(['not tried', '–', '–', '1', 'not tried', '**1 failed**', '1 |']);
});
