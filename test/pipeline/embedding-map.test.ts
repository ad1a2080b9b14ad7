import { expect, test } from 'vitest';
import { principalComponents } from '../../src/pipeline/embedding-map';

test('the first two components are the directions of most variance, the widest first', () => {
  // A plane in five dimensions: wide along a, narrow along b, shifted away from 0.
  const a = [0.6, 0, 0.8, 0, 0];
  const b = [0, 1, 0, 0, 0];
  const places = Array.from(
    { length: 40 },
    (_, i) => [10 * Math.cos((i * Math.PI) / 20), 3 * Math.sin((i * Math.PI) / 20)] as const,
  );
  const rows = places.map(([u, v]) => a.map((x, j) => 5 + u * x + v * b[j]!));
  const found = principalComponents(rows, 5);
  found.forEach(([x, y], i) => {
    expect(Math.abs(x)).toBeCloseTo(Math.abs(places[i]![0]), 1);
    expect(Math.abs(y)).toBeCloseTo(Math.abs(places[i]![1]), 1);
  });
});

test('rows without variance are at one place', () => {
  expect(
    principalComponents(
      [
        [1, 2],
        [1, 2],
      ],
      2,
    ),
  ).toEqual([
    [0, 0],
    [0, 0],
  ]);
});
