/** Numbers that no learning reaches: a delta that has them was damaged or made up, however good its checksum. */
import type { Delta } from '../../checkpoint/delta';
import { MOST_SURPRISE_OF_ONE } from './guard';
import { ADAPTER, CAPS, FULL } from './settings';

/** What rounding to single precision may add. */
const ROUNDING = 1e-3;

type Numbers = Float32Array | Int32Array;
type Holds = (numbers: Numbers, rows: number) => boolean;

const between =
  (least: number, most: number): Holds =>
  (numbers) =>
    numbers.every((value: number) => value >= least - ROUNDING && value <= most + ROUNDING);
const within = (most: number): Holds => between(-most, most);
const isSum: Holds = (numbers) => numbers.every((value: number) => value >= 0);
const isAtMostLong = (numbers: Numbers, most: number): boolean => {
  let norm = 0;
  for (let k = 0; k < numbers.length; k++) norm += numbers[k]! * numbers[k]!;
  return Math.sqrt(norm) <= most + ROUNDING;
};
/** Where every event leaves a share of the counts before it, no count passes this. */
const isCount = (decay: number): Holds => between(0, 1 / (1 - decay));

const LIMITS: Readonly<Record<Delta['method'], Readonly<Record<string, Holds>>>> = {
  adapter: {
    shift: (numbers) => isAtMostLong(numbers, CAPS.shift),
    gain: within(CAPS.gain),
    weights: (numbers, rows) =>
      between(...CAPS.baseWeight)(numbers.subarray(0, 1), rows) && within(CAPS.weight)(numbers.subarray(1), rows),
    'rows.bias': within(CAPS.bias),
    'rows.count': isCount(ADAPTER.decay),
  },
  full: {
    'rows.values': (numbers, rows) => {
      const width = numbers.length / rows;
      return Array.from({ length: rows }, (_, r) => numbers.subarray(r * width, (r + 1) * width)).every((row) =>
        isAtMostLong(row, FULL.caps.row),
      );
    },
    'rows.count': isCount(FULL.decay),
  },
};
const isBlock: Holds = (numbers) => isAtMostLong(numbers, FULL.caps.block);

/** The name of what is beyond its limits; undefined where nothing is. */
export function beyondLimits({ method, itemIds, arrays, gate, guard }: Delta): string | undefined {
  if (Math.min(gate.squares, gate.against, gate.base, gate.tuned) < 0) return 'gate';
  if (Math.abs(guard.surprise) > MOST_SURPRISE_OF_ONE + ROUNDING) return 'guard';
  const limitOf = (name: string): Holds | undefined =>
    name.startsWith('slot.') ? isSum : name.startsWith('block.') ? isBlock : LIMITS[method][name];
  return Object.keys(arrays).find((name) => limitOf(name)?.(arrays[name]!.data, itemIds.length) === false);
}
