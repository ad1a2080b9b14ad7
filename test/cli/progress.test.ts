import { expect, test } from 'vitest';
import { createProgress } from '../../src/cli/progress';
import { duration } from '../../src/pipeline/format';

/** Work of ten seconds in a hundred steps of a clock that the test moves. */
function work(isTTY: boolean, seconds: number, columns = 80): string {
  let written = '';
  let time = 5000;
  const sink = { isTTY, columns, write: (text: string) => (written += text) };
  const progress = createProgress(sink, { label: 'Reading log.tsv', total: 1000, unit: 'rows' }, () => time);
  for (let step = 1; step <= 100; step++) {
    time += seconds * 10;
    progress.update(step * 10, step > 50 ? 'loss 1.25' : '');
  }
  progress.finish();
  return written;
}

test('work under a second shows nothing', () => {
  expect(work(true, 0.9)).toBe('');
  expect(work(false, 0.9)).toBe('');
});

test('a pipe gets a line every five seconds and one at the end', () => {
  expect(work(false, 10)).toBe(
    'Reading log.tsv  10 % · 100 rows/s · 9 s left\n' +
      'Reading log.tsv  60 % · 100 rows/s · 4 s left · loss 1.25\n' +
      'Reading log.tsv  100 rows/s · done in 10 s\n',
  );
});

test('a terminal gets one line that is drawn again, and taken away at the end', () => {
  const frames = work(true, 10).split('\r\x1b[K');
  expect(frames[0]).toBe('');
  expect(frames[1]).toBe('Reading log.tsv  ██░░░░░░░░░░░░░░░░░░░░░░ 10 % · 100 rows/s · 9 s left');
  expect(frames.at(-1)).toBe('');
  expect(frames.join('')).not.toContain('\n');
});

test('work that ends early is not called done', () => {
  let written = '';
  let time = 0;
  const progress = createProgress(
    { write: (text: string) => (written += text) },
    { label: 'Reading log.tsv', total: 10 },
    () => time,
  );
  time = 3000;
  progress.update(5);
  progress.finish();
  expect(written).toBe('Reading log.tsv  50 % · 3 s left\nReading log.tsv  stopped after 3 s\n');
});

test('the line of a narrow terminal is cut, never wrapped', () => {
  for (const frame of work(true, 10, 30).split('\r\x1b[K')) expect(frame.length).toBeLessThan(30);
});

test.each([
  [8.4, '8 s'],
  [125, '2:05 min'],
  [3725, '1:02:05 h'],
])('%d seconds read %s', (seconds, text) => {
  expect(duration(seconds)).toBe(text);
});
