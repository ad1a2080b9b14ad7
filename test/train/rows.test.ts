import { describe, expect, test } from 'vitest';
import { random } from '../../src/session/random';
import { RowFinder, touch } from '../../src/train/rows';

const ids = (...values: number[]) => Int32Array.from(values);
const items = (...values: number[]) => ({
  items: { data: ids(...values), shape: [values.length], items: true as const },
});

const plain = ({ rows, inputs, targets, negatives }: ReturnType<RowFinder['find']>) => ({
  input: Array.from(rows.input),
  output: Array.from(rows.output),
  both: Array.from(rows.both),
  inputs: Array.from(inputs.items!.data),
  targets: Array.from(targets),
  negatives: Array.from(negatives),
});

describe('the rows that a step touches', () => {
  test('of separate tables: each id once, padding first, indices renumbered to them', () => {
    expect(plain(new RowFinder(10, false).find(items(7, 3, 7), ids(9, 3), ids(9, 5, 9)))).toEqual({
      input: [0, 7, 3],
      inputs: [1, 2, 1],
      output: [0, 9, 3, 5],
      both: [0, 7, 3],
      targets: [1, 2],
      negatives: [1, 3, 1],
    });
  });

  test('of a shared table: one list, outputs first, so that an item that is both has one row', () => {
    expect(plain(new RowFinder(10, true).find(items(7, 3, 7), ids(9, 3), ids(9, 5)))).toEqual({
      both: [0, 9, 3, 5, 7],
      input: [0, 9, 3, 5, 7],
      inputs: [4, 2, 4],
      // A bias belongs to outputs alone: its rows are the beginning of the list, without the inputs.
      output: [0, 9, 3, 5],
      targets: [1, 2],
      negatives: [1, 3],
    });
  });

  test('keep padding at row 0 and leave arrays that hold no items alone', () => {
    const last = { data: ids(7, 3), shape: [2] };
    const { inputs } = new RowFinder(10, false).find({ ...items(0, 7, 0, 3), last }, ids(1), ids());
    expect(Array.from(inputs.items!.data)).toEqual([0, 1, 0, 2]);
    expect(inputs.last).toBe(last);
  });

  test('may be those of hundreds of thousands of targets and repeats', () => {
    const many = Int32Array.from({ length: 200_000 }, (_, i) => 1 + (i % 49));
    const step = {
      inputs: [items(7)],
      ...{ targets: many, negatives: { ids: ids(3) }, repeated: { ids: many.slice().reverse() } },
    };
    const { rows, step: found } = touch(new RowFinder(50, false), step);
    for (const [renumbered, own] of [
      [found.targets, step.targets],
      [found.repeated.ids, step.repeated.ids],
    ] as const) {
      expect(renumbered.every((row, i) => rows.output[row] === own[i])).toBe(true);
    }
  });

  test.each([true, false])('lead back to the same items, step after step; shared: %s', (shared) => {
    const finder = new RowFinder(50, shared);
    const { integer } = random(3, 'rows');
    const draw = (count: number, least: number) =>
      Int32Array.from({ length: count }, () => least + integer(50 - least));
    for (let step = 0; step < 20; step++) {
      const [input, targets, negatives] = [draw(12, 0), draw(6, 1), draw(9, 1)];
      const found = finder.find(items(...input), targets, negatives);
      const back = (renumbered: ArrayLike<number>, rows: Int32Array) => Array.from(renumbered, (row) => rows[row]!);
      const role = shared ? 'both' : 'input';
      expect(back(found.inputs.items!.data, found.rows[role])).toEqual(Array.from(input));
      for (const rows of shared ? [found.rows.output, found.rows.both] : [found.rows.output]) {
        expect(back(found.targets, rows)).toEqual(Array.from(targets));
        expect(back(found.negatives, rows)).toEqual(Array.from(negatives));
      }
      for (const rows of Object.values(found.rows)) expect(new Set(rows).size).toBe(rows.length);
    }
  });
});
