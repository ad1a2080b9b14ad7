/** Scores by integers find the items and scores of 32 bits, to the bit. */
import { beforeAll, describe, expect, test } from 'vitest';
import { OP, type Plan } from '../../../src/compute/plan/plan';
import { loadQuantisedModule } from '../../../src/compute/plan/quantised';
import { startPlan } from '../../../src/compute/plan/runtime';
import { random } from '../../../src/session/random';
import { isSoak } from '../../soak-slice';
import { tableOf as tableIn } from './item-table';
import { loadPlanModule } from './module';

const SEEDS = Array.from({ length: isSoak ? 200 : 6 }, (_, seed) => seed);
const NOTHING = Number.NEGATIVE_INFINITY;
let planModule: WebAssembly.Module;
let quantiser: WebAssembly.Module;
beforeAll(async () => {
  planModule = await loadPlanModule();
  quantiser = (await loadQuantisedModule())!;
});

function tableOf(n: number, d: number, change?: Parameters<typeof tableIn>[4]) {
  const table = tableIn(planModule, quantiser, n, d, change);
  /** Columns with the bits of their scores. */
  const read = (k: number, found: number): string => {
    const bits = table.bitsOfScores(found);
    return Array.from(table.columns(k, found), (column, i) => `${column}: ${bits[i]}`).join();
  };
  return {
    ...table,
    exact: (k: number): string => read(k, table.score(k)),
    quick(k: number): string | undefined {
      const found = table.top(k);
      expect(table.isIntact()).toBe(true);
      return found === undefined ? undefined : read(k, found);
    },
    best: (k: number): number[] => [...table.columns(k, table.score(k))],
  };
}

type Table = ReturnType<typeof tableOf>;
type Draw = ReturnType<typeof random>;

const SIZES: readonly (readonly [n: number, d: number])[] = [
  [3000, 16],
  [2049, 7],
  [4095, 33],
  [2600, 64],
];
const K = 12;

/** Fills a table. @returns Whether integers must be enough for most answers, or for none; undefined: either. */
const TABLES: Readonly<Record<string, (table: Table, n: number, d: number, draw: Draw) => boolean | undefined>> = {
  'random numbers'(table, n, _, { normal }) {
    for (let i = 0; i < n; i++) table.setItem(i, () => normal(), 0.3 * normal());
    return true;
  },
  'no bias, and rows of very different size'(table, n, _, { normal, integer }) {
    for (let i = 0; i < n; i++) {
      const size = 2 ** (integer(20) - 10);
      table.setItem(i, () => size * normal());
    }
    return true;
  },
  'rows with one large number'(table, n, d, { normal, integer }) {
    for (let i = 0; i < n; i++) {
      const large = integer(d);
      table.setItem(i, (j) => (j === large ? 20 : 0.1) * normal(), normal());
    }
    return undefined;
  },
  'rows that come again'(table, n, d, { normal, integer }) {
    const rows = Array.from({ length: n >> 2 }, () => Float32Array.from({ length: d }, () => normal()));
    for (let i = 0; i < n; i++) {
      const row = rows[integer(rows.length)]!;
      table.setItem(i, (j) => row[j]!);
    }
    return true;
  },
  'rows of zeros, of both signs'(table, n, _, { normal, integer, uniform }) {
    for (let i = 0; i < n; i++) {
      const isZero = integer(3) > 0;
      table.setItem(i, () => (isZero ? (uniform() < 0.5 ? 0 : -0) : normal()), isZero ? -0 : 0);
    }
    return true;
  },
  'nothing but zeros'(table, n) {
    for (let i = 0; i < n; i++) table.setItem(i, () => 0);
    return false;
  },
  'scores that hardly differ'(table, n, d, { normal }) {
    const row = Float32Array.from({ length: d }, () => normal());
    for (let i = 0; i < n; i++) table.setItem(i, (j) => row[j]! + 1e-6 * normal());
    return false;
  },
  'denormal rows'(table, n, _, { normal, integer }) {
    for (let i = 0; i < n; i++) {
      const size = integer(4) === 0 ? 1 : 1e-41;
      table.setItem(i, () => size * normal(), size === 1 ? 0 : 1e-40 * normal());
    }
    return true;
  },
  'large numbers'(table, n, _, { normal }) {
    for (let i = 0; i < n; i++) table.setItem(i, () => 2 ** 36 * normal(), 2 ** 40 * normal());
    return undefined;
  },
  'numbers beyond the limits'(table, n, _, { normal }) {
    for (let i = 0; i < n; i++) table.setItem(i, () => 1e37 * normal());
    return false;
  },
  'a bias that outweighs all'(table, n, _, { normal }) {
    for (let i = 0; i < n; i++) table.setItem(i, () => normal(), i % 7 === 0 ? 1e6 * normal() : 0);
    return undefined;
  },
  'the largest biases'(table, n, _, { normal, integer }) {
    for (let i = 0; i < n; i++) table.setItem(i, () => normal(), integer(40) === 0 ? 3.4e38 : -3.4e38);
    return undefined;
  },
  'one number that is none'(table, n, _, { normal }) {
    for (let i = 0; i < n; i++) table.setItem(i, () => (i === 77 ? Number.NaN : normal()));
    return false;
  },
  'one infinite number'(table, n, _, { normal }) {
    for (let i = 0; i < n; i++) table.setItem(i, () => (i === 78 ? Number.POSITIVE_INFINITY : normal()));
    return false;
  },
};

test.each(Object.keys(TABLES))('%s', (name) => {
  let answers = 0;
  let quickAnswers = 0;
  let isEnough: boolean | undefined;
  for (const [n, d] of SIZES) {
    const table = tableOf(n, d);
    for (const seed of SEEDS) {
      const draw = random(seed, name, n, d);
      isEnough = TABLES[name]!(table, n, d, draw);
      table.update();
      for (const size of [1, 1e-4]) {
        table.setVector(() => size * draw.normal());
        for (const k of [1, K]) {
          const quick = table.quick(k);
          answers++;
          if (quick === undefined) continue;
          quickAnswers++;
          expect(quick, `${n}, ${d}, ${seed}`).toBe(table.exact(k));
        }
      }
    }
  }
  if (isEnough === true) expect(quickAnswers).toBeGreaterThan(answers / 2);
  if (isEnough === false) expect(quickAnswers).toBe(0);
});

test.each([1023, 1024])('sums as large as %i numbers can make them', (d) => {
  const n = 3000;
  const table = tableOf(n, d);
  const sign = (j: number) => (j % 3 === 0 ? -1 : 1);
  // Every byte is 127 or -127, and every number of the vector has the largest integer.
  for (let i = 0; i < n; i++) table.setItem(i, (j) => (i % 4 < 2 ? 1 : -1) * (1 + (n - i) / 100) * sign(j));
  table.update();
  for (const size of [1, -1]) {
    table.setVector((j) => size * sign(j));
    expect(table.quick(K)).toBeDefined();
    expect(table.quick(K)).toBe(table.exact(K));
  }
});

const STEP = 1 / 127;

/**
 * Items that score nearly the same, although their integers are as far apart as intervals reach: of each number almost half a step is
 * lost, upwards for the first ten, which are the best, downwards for the next twenty.
 */
function fillWorst(table: Table, n: number, d: number, { uniform, integer, normal }: Draw): void {
  const vector = Float32Array.from({ length: d }, () => (uniform() < 0.5 ? -1 : 1) * (1 + 0.1 * uniform()));
  const levels = Int32Array.from({ length: d }, () => integer(100) - 50);
  table.setVector((j) => vector[j]!);
  for (let i = 0; i < n; i++) {
    // The first number says how large a step is.
    const numberOf = (lost: (j: number) => number) => (j: number) =>
      j === 0 ? 1 : (levels[j]! - lost(j) * Math.sign(vector[j]!)) * STEP;
    if (i < 10)
      table.setItem(
        i,
        numberOf((j) => (j < d - 1 ? 0.501 : -0.499)),
      );
    else if (i < 30)
      table.setItem(
        i,
        numberOf(() => 0.499),
      );
    else table.setItem(i, () => 0.01 * normal(), -1000);
  }
  table.update();
}

test('the roundings of a large bias are in the intervals', () => {
  const isWrong = (share: number): boolean => {
    const table = tableOf(3000, 64, ({ quantise, scoreQuantised }) => ({
      quantise,
      scoreQuantised: (...given) => {
        given[12] *= share;
        return scoreQuantised(...given);
      },
    }));
    return SEEDS.some((seed) => {
      const { normal } = random(seed, 'large bias');
      for (let i = 0; i < 3000; i++) table.setItem(i, () => normal(), 1e8);
      table.setVector(() => normal());
      table.update();
      return (table.quick(K) ?? table.exact(K)) !== table.exact(K);
    });
  };
  expect(isWrong(0)).toBe(true);
  expect(isWrong(1)).toBe(false);
});

describe('where every number loses half a step', () => {
  /** Whether other items are found by intervals of this share. */
  const isWrong = (share: number, d: number): boolean => {
    const table = tableOf(3000, d, ({ quantise, scoreQuantised }) => ({
      quantise,
      scoreQuantised: (...given) => {
        given[11] *= share;
        return scoreQuantised(...given);
      },
    }));
    return SEEDS.some((seed) => {
      fillWorst(table, 3000, d, random(seed, 'worst'));
      const quick = table.quick(K);
      expect(quick).toBeDefined();
      return quick !== table.exact(K);
    });
  };

  test.each([16, 33, 64])('intervals of %i numbers are wide enough', (d) => {
    expect(isWrong(1, d)).toBe(false);
  });
  test.each([0.1, 0.6, 0.9])('and intervals %f times as wide are not', (share) => {
    expect(isWrong(share, 64)).toBe(true);
  });
});

test('what is excluded is never found, and what gets more is found with more', () => {
  const [n, d] = [3001, 24];
  const table = tableOf(n, d);
  for (const seed of SEEDS) {
    const { normal } = random(seed, 'excluded');
    for (let i = 0; i < n; i++) table.setItem(i, () => normal(), 0.1 * normal());
    table.setVector(() => normal());
    table.update();
    for (let round = 0; round < 4; round++) {
      for (const item of table.best(K)) table.setBias(item, NOTHING);
      table.setBias(100 * round, 50);
      const quick = table.quick(K);
      expect(quick).toBe(table.exact(K));
      expect(quick).toMatch(new RegExp(`(^|,)${100 * round}: `));
    }
  }
});

test('where nearly all are excluded, fewer are found', () => {
  const [n, d] = [3000, 8];
  const table = tableOf(n, d);
  const { normal } = random(1, 'few');
  for (let i = 0; i < n; i++) table.setItem(i, () => normal(), i % 500 === 3 ? 0 : NOTHING);
  table.setVector(() => normal());
  table.update();
  expect(table.quick(K)!.split(',')).toHaveLength(6);
  expect(table.quick(K)).toBe(table.exact(K));
});

test('a session without a direction, of denormal or of huge numbers, and a large part of all are left to 32 bits', () => {
  const [n, d] = [3000, 8];
  const table = tableOf(n, d);
  const { normal } = random(1, 'vectors');
  for (let i = 0; i < n; i++) table.setItem(i, () => normal());
  table.update();
  for (const size of [0, 1e-40, 1e20]) {
    table.setVector(() => size * normal());
    expect(table.quick(K)).toBe(undefined);
  }
  table.setVector(() => normal());
  expect(table.quick(n)).toBe(undefined);
  expect(table.quick(n + 1)).toBe(undefined);
  expect(table.quick(K)).toBe(table.exact(K));
});

test('follows a table that has changed', () => {
  const [n, d] = [3000, 8];
  const table = tableOf(n, d);
  const { normal } = random(1, 'changes');
  for (let i = 0; i < n; i++) table.setItem(i, () => normal());
  table.setVector(() => 1);
  table.update();
  table.setItem(1234, () => 9);
  table.update();
  expect(table.quick(1)).toBe(table.exact(1));
  expect(table.quick(1)).toMatch(/^1234: /);
});

describe('a running plan', () => {
  const [n, d] = [16_500, 128];
  /** Its session's vector is its input. */
  function planOf(bias: Float32Array): Plan {
    const width = 32 * Math.ceil(n / 32);
    const c = { at: 16, length: d };
    const given = 16 + d;
    const table = given + n * d;
    return {
      size: table + width * d + width,
      parameters: { items: { at: given, length: n * d } },
      literals: [{ at: table + width * d, data: bias }],
      setup: Int32Array.of(OP.table, given, n, d, table),
      programs: [
        { variables: [], min: [], max: [], inputs: { c }, results: [c], words: new Int32Array(0), varying: [] },
      ],
      items: { n, d, table, bias: table + width * d },
    };
  }

  test('of many items ranks as it scores, by its own items and by others, whatever is added', async () => {
    const { normal, integer } = random(5, 'plan');
    const items = Float32Array.from({ length: n * d }, () => normal());
    const bias = new Float32Array(32 * Math.ceil(n / 32)).fill(NOTHING, n);
    const running = startPlan(planModule, planOf(bias), () => ({ data: items }));
    const otherItems = () => {
      const [table, bias] = [n * d, n].map((length) => Float32Array.from({ length }, () => normal()));
      return running.withItems(table!, bias!);
    };
    const others = [otherItems(), otherItems()];
    const withoutCopies = running.memory.buffer.byteLength;
    for (let round = 0; round < 5; round++) {
      await new Promise((resolve) => setTimeout(resolve)); // the code for copies comes
      if (round === 3) {
        others[0]!.free();
        others[0] = otherItems(); // in the place that is free
      }
      running.run({ c: { data: Float32Array.from({ length: d }, () => normal()), shape: [d] } });
      for (const scored of [running.items, ...others]) {
        for (let often = 0; often < 20; often++) scored.top(1);
        const added = new Map<number, number>();
        for (const k of [1, 20, 100, ...(round === 0 ? [n + 5] : [])]) {
          const expected = Array.from(scored.scores(added), (score, i) => ({ index: i + 1, score }))
            .filter(({ score }) => score > NOTHING)
            .sort((a, b) => b.score - a.score || a.index - b.index)
            .slice(0, k);
          const { columns, scores } = scored.top(k, added);
          expect(Array.from(columns, (column, i) => ({ index: column + 1, score: scores[i]! }))).toEqual(expected);
          // The best are excluded, others get more.
          for (const { index } of expected.slice(0, 5)) added.set(index - 1, NOTHING);
          added.set(integer(n), 3);
        }
      }
    }
    const copies = running.memory.buffer.byteLength - withoutCopies;
    expect(copies).toBeGreaterThan(3 * n * d);
    expect(copies).toBeLessThan(3 * 1.1 * n * (d + 8));
  });
});
