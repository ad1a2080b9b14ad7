import { expect, test } from 'vitest';
import { metricsOf, ndcgAt } from '../../src/train/metrics';

test.each([
  [1, 1],
  [2, 0.63093],
  [3, 0.5],
  [20, 0.22767],
  [21, 0],
])('NDCG@20 of rank %d is %d', (rank, gain) => {
  expect(ndcgAt(rank, 20)).toBeCloseTo(gain, 6);
});

test('averages over predictions and cuts off at k', () => {
  const metrics = metricsOf([1, 2, 5, 6], [1, 5]);
  expect(metrics).toEqual({
    'recall@1': 1 / 4,
    'mrr@1': 1 / 4,
    'ndcg@1': 1 / 4,
    'recall@5': 3 / 4,
    'mrr@5': (1 + 1 / 2 + 1 / 5) / 4,
    'ndcg@5': (1 + 1 / Math.log2(3) + 1 / Math.log2(6)) / 4,
  });
});

test('is 0, not NaN, where there was nothing to predict', () => {
  expect(metricsOf([], [20])).toEqual({ 'recall@20': 0, 'mrr@20': 0, 'ndcg@20': 0 });
});
