import { expect, test } from 'vitest';
import { batchesByLength } from '../../src/train/predictions';

test('batches of predictions are smaller where sessions are long, so that one of thousands of clicks finds memory', () => {
  const positions = Int32Array.from({ length: 1000 }, (_, p) => (p % 10 === 0 ? 40 * p : p % 7));
  const batches = [...batchesByLength(positions, 1000)];
  expect(batches.flat().sort((a, b) => a - b)).toEqual([...positions.keys()]);
  const longest = (batch: readonly number[]) => 1 + Math.max(...batch.map((p) => positions[p]!));
  for (const batch of batches) expect(batch.length === 1 || batch.length * longest(batch) <= 51_200).toBe(true);
  expect(batches.map(({ length }) => length).slice(0, 4)).toEqual([256, 256, 256, 133]);
  expect(batches.at(-1)).toHaveLength(1);
});
