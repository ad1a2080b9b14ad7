import { expect, test } from 'vitest';
import { WeightAverage } from '../../src/train/average';
import type { NdArrays } from '../../src/types';

const weights = (...values: number[]): NdArrays => ({ w: { data: Float32Array.from(values), shape: [values.length] } });

test('the mean is over the ends of the last epochs, fewer at first', () => {
  const average = new WeightAverage(3);
  average.add(weights(1, -2));
  expect(average.mean()).toEqual(weights(1, -2));
  average.add(weights(4, 0));
  expect(average.mean()).toEqual(weights(2.5, -1));
  average.add(weights(7, 8));
  expect(average.mean()).toEqual(weights(4, 2));
  average.add(weights(-2, 4));
  expect(average.mean()).toEqual(weights(3, 4));
  expect(average.ends).toEqual([weights(4, 0), weights(7, 8), weights(-2, 4)]);
});

test('goes on from what was saved, and leaves it alone', () => {
  const saved = [weights(2), weights(4)];
  const average = new WeightAverage(2, saved);
  average.add(weights(8));
  expect(average.mean()).toEqual(weights(6));
  expect(saved).toEqual([weights(2), weights(4)]);
});
