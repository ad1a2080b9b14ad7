import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { fromBfloat16, fromHalf, MAX_HALF, toHalf } from '../../src/checkpoint/half';
import { PATIENT, runs } from '../soak-slice';

/** Every finite half that is not negative, ascending: bit patterns 0 … 0x7bff are in order. */
const halves = Float64Array.from({ length: 0x7c00 }, (_, bits) => fromHalf(bits));

/** The nearest half by search, ties to the even bit pattern: what `toHalf` must agree with. */
function nearest(value: number): number {
  const x = Math.abs(value);
  let low = 0;
  let high = halves.length; // stands for infinity, whose place in the order is 65536
  const at = (i: number) => (i < halves.length ? halves[i]! : 65536);
  while (high - low > 1) {
    const middle = (low + high) >> 1;
    if (at(middle) <= x) low = middle;
    else high = middle;
  }
  const below = x - at(low);
  const above = at(high) - x;
  const bits = above < below || (above === below && high % 2 === 0) || x >= 65536 ? high : low;
  return (value < 0 || Object.is(value, -0) ? 0x8000 : 0) | bits;
}

describe('halves', () => {
  test.each([
    [0, 0x0000],
    [-0, 0x8000],
    [1, 0x3c00],
    [-2, 0xc000],
    [MAX_HALF, 0x7bff],
    [65519.996, 0x7bff],
    [65520, 0x7c00],
    [1e30, 0x7c00],
    [-Infinity, 0xfc00],
    [Infinity, 0x7c00],
    [2 ** -14, 0x0400],
    [2 ** -14 - 2 ** -24, 0x03ff],
    [2 ** -14 - 2 ** -26, 0x0400],
    [2 ** -24, 0x0001],
    [2 ** -25, 0x0000],
    [2 ** -25 * (1 + 2 ** -20), 0x0001],
    [3 * 2 ** -25, 0x0002],
    [1 + 2 ** -11, 0x3c00],
    [1 + 3 * 2 ** -11, 0x3c02],
    [1.4e-45, 0x0000],
  ])('%d is stored as %i', (value, bits) => {
    expect(toHalf(value)).toBe(bits);
  });

  test('are kept by a round trip, all 65,536 of them', () => {
    for (let bits = 0; bits < 65536; bits++) {
      const value = fromHalf(bits);
      if (Number.isNaN(value)) expect(Number.isNaN(fromHalf(toHalf(value)))).toBe(true);
      else if (toHalf(value) !== bits) expect.fail(`${bits} became ${toHalf(value)}`);
    }
  });

  test('are the nearest ones to any 32-bit float, ties to even', PATIENT, () => {
    fc.assert(
      fc.property(
        fc.oneof(fc.float({ noNaN: true }), fc.float({ min: Math.fround(-1e-4), max: Math.fround(1e-4), noNaN: true })),
        (value) => {
          expect(toHalf(value)).toBe(nearest(value));
        },
      ),
      { seed: 1, numRuns: runs(5_000) },
    );
  });

  test('between two neighbours round to the even one', PATIENT, () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 0x7bfe }), (bits) => {
        expect(toHalf((halves[bits]! + halves[bits + 1]!) / 2)).toBe(bits + (bits % 2));
      }),
      { seed: 2, numRuns: runs(2_000) },
    );
  });
});

test('a bfloat16 is the upper half of a 32-bit float', () => {
  expect(fromBfloat16(0x3f80)).toBe(1);
  expect(fromBfloat16(0xc000)).toBe(-2);
  expect(fromBfloat16(0x0001)).toBe(2 ** -133);
  expect(fromBfloat16(0x7f80)).toBe(Infinity);
  expect(fromBfloat16(0x7fc0)).toBeNaN();
});
