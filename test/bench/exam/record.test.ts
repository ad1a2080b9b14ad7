import { expect, test } from 'vitest';
import { type Exam, examsPage, isExamined } from './record';

test('the page of exams has a table for each, the newest first, with networks beside the chosen counter', () => {
  const row = (name: string, mrr: number, more: object) => ({
    name,
    isNeural: false,
    config: {},
    validation: 0.2,
    metrics: { 'mrr@20': mrr, 'recall@20': 0.5 },
    processorSeconds: 2,
    ...more,
  });
  const difference = { mean: 0.02, low: 0.01, high: 0.03 };
  const differences = { 'mrr@20': difference, 'recall@20': { mean: -0.01, low: -0.02, high: 0.01 } };
  const exam: Exam = {
    version: '0.2.0',
    commit: 'abc',
    date: '2026-01-02',
    log: 'a shop',
    predictions: 1234,
    counter: 'sr',
    rows: [row('sr', 0.25, {}), row('pop', 0.1, {}), row('gru4rec', 0.27, { isNeural: true, differences })],
    machine: 'a machine',
  };
  const page = examsPage([{ ...exam, version: '0.1.0' }, exam]);
  expect(page.indexOf('## 0.2.0, 2026-01-02')).toBeLessThan(page.indexOf('## 0.1.0'));
  expect(page).toContain('a shop; 1,234 predictions. At abc. a machine.');
  const lines = page.split('\n').filter((line) => line.startsWith('| gru4rec') || line.includes(', tuned |'));
  expect(lines.slice(0, 3)).toEqual([
    '| gru4rec | 0.2700 | 0.5000 | 0.2000 | +0.0200 [+0.0100, +0.0300] better | −0.0100 [−0.0200, +0.0100] tie | 2.0 |',
    '| sr, tuned | 0.2500 | 0.5000 | 0.2000 | compared with | compared with | 2.0 |',
    '| pop, tuned | 0.1000 | 0.5000 | 0.2000 |  |  | 2.0 |',
  ]);
});

test('a version is examined once on each log, which its contents tell from others of the same name', () => {
  const ended: Exam = {
    version: '0.2.0',
    commit: 'abc',
    date: '2026-01-02',
    log: 'a shop',
    machine: 'a machine',
    predictions: 1,
    counter: 'sr',
    rows: [],
  };
  const exams = [ended, { ...ended, hash: 'a' }];
  const commit = 'abc';
  expect(isExamined(exams, { version: '0.2.0', commit })).toBe(true);
  expect(isExamined(exams, { version: '0.2.0', commit, hash: 'a' })).toBe(true);
  expect(isExamined(exams, { version: '0.2.0', commit, hash: 'b' })).toBe(false);
  expect(isExamined(exams, { version: '0.3.0', commit, hash: 'a' })).toBe(false);
});

test('an exam that was opened is ended by the same commit alone, and stands on the page', () => {
  const opened = {
    version: '0.2.0',
    commit: 'abc',
    date: '2026-01-02',
    log: 'a shop',
    hash: 'a',
    machine: 'a machine',
  };
  expect(isExamined([opened], opened)).toBe(false);
  expect(isExamined([opened], { ...opened, commit: 'other' })).toBe(true);
  expect(isExamined([opened], { ...opened, hash: 'b', commit: 'other' })).toBe(false);
  expect(examsPage([opened])).toContain('## 0.2.0, 2026-01-02\n\na shop; opened at abc, and not ended. a machine.');
});
