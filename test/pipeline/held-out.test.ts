import { expect, test } from 'vitest';
import { standingOf } from '../../src/pipeline/held-out';

/** Thirty sessions of three predictions. */
const sessions = Int32Array.from({ length: 90 }, (_, p) => Math.floor(p / 3));

test('a standing has the means of both metrics inside their intervals', () => {
  const { recall, mrr } = standingOf(
    sessions,
    Int32Array.from(sessions, (_, p) => (p % 3 === 0 ? 1 : 40)),
  );
  expect(recall.mean.mean).toBeCloseTo(1 / 3);
  expect(mrr.mean.mean).toBeCloseTo(1 / 3);
  for (const { low, mean, high } of [recall.mean, mrr.mean]) {
    expect(low).toBeLessThanOrEqual(mean);
    expect(high).toBeGreaterThanOrEqual(mean);
  }
  expect(mrr.gain).toBeUndefined();
});

test('beside a rival it has the difference on the same predictions', () => {
  const own = Int32Array.from(sessions, () => 2);
  const rival = Int32Array.from(sessions, (s) => (s < 15 ? 4 : 2));
  const { gain } = standingOf(sessions, own, rival).mrr;
  expect(gain!.mean).toBeCloseTo(0.125);
  expect(gain!.low).toBeGreaterThan(0);
});
