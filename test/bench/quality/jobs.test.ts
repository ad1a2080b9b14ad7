import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { isOfThisCode, outdated, startOf } from './jobs';
import { LOG_NAMES } from './logs';
import { readResults } from './record';
import { networksOf } from './searches';

test.each(LOG_NAMES)('rows of %s have the settings of today, or are called stale', (log) => {
  const results = readResults(log);
  expect(outdated(log, results)).toEqual([]);
  const { rows } = results;
  const changed = { ...results, rows: rows.map((row) => ({ ...row, key: 'of other settings' })) };
  const fresh = rows.filter(({ stale }) => stale === undefined);
  const searches = Object.keys(networksOf(log)).map((row) => `the search of ${row}`);
  expect(outdated(log, changed)).toEqual([...fresh.map(({ name, seed }) => `${name}, seed ${seed}`), ...searches]);
});

test('rows of `auto` are outdated once the log is another', () => {
  const { facts, ...results } = readResults('online-retail');
  const found = outdated('online-retail', { ...results, facts: { ...facts!, events: facts!.events / 100 } });
  expect(found).toContain('sasrec, seed 1');
});

test('a finished cell is used again for a stale row only where this code has begun it; an unfinished one goes on', () => {
  const folder = mkdtempSync(join(tmpdir(), 'aisle-cell-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  const start = startOf(folder);
  const write = (code: string | undefined) =>
    writeFileSync(join(folder, 'start.json'), JSON.stringify({ ...start, code }));
  write('other');
  expect(isOfThisCode(folder)).toBe(true);
  writeFileSync(join(folder, 'result.json'), '{}');
  expect(isOfThisCode(folder)).toBe(false);
  write(undefined);
  expect(isOfThisCode(folder)).toBe(false);
  write(start.code);
  expect(isOfThisCode(folder)).toBe(true);
});
