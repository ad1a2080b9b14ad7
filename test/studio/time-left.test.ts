import { expect, test } from 'vitest';
import type { TrainingEpoch } from '../../src/pipeline/observer';
import { timeLeft } from '../../src/studio/time-left';

const at = (epoch: number, done: number, most = 10) => {
  return { label: 'gru4rec', done, total: 100, isFinished: false, part: [epoch, most] as const };
};
const ended = (epoch: number, seconds: number, refit?: true): TrainingEpoch => ({
  epoch,
  seconds,
  loss: 1,
  ...(refit && { refit }),
});

test('counts the training on everything, which has a tenth more sessions for each nine, and may have as many epochs', () => {
  expect(timeLeft(false)(at(3, 50), [ended(1, 9), ended(2, 9)])).toBeCloseTo(9 * 7.5);
  expect(timeLeft(true)(at(3, 50), [ended(1, 9), ended(2, 9)])).toBeCloseTo(9 * 7.5 + 10 * 10);
});

test('in the training on everything counts its own epochs', () => {
  const first = [ended(1, 9), ended(2, 9), ended(3, 9)];
  const left = timeLeft(true);
  expect(left(at(1, 0, 2), first)).toBeCloseTo(10 * 2);
  expect(left(at(2, 50, 2), [...first, ended(1, 12, true)])).toBeCloseTo(12 * 0.5);
});

test('within the first epoch goes by its steps since it began here', () => {
  let clock = 100;
  const left = timeLeft(false, () => clock);
  expect(left(at(1, 40), [])).toBeUndefined();
  clock += 2;
  expect(left(at(1, 50), [])).toBeCloseTo(20 * 9.5);
});

test('says nothing of work that is no epoch', () => {
  expect(timeLeft(true)({ label: 'Measuring', done: 1, total: 2, isFinished: false }, [ended(1, 9)])).toBeUndefined();
});
