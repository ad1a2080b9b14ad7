import { describe, expect, test } from 'vitest';
import { inputItems, outputItems } from '../../src/objectives/batch';
import { random } from '../../src/session/random';
import { RowFinder } from '../../src/train/row-finder';

const ids = (...values: number[]) => Int32Array.from(values);

/** A batch, and the finder's answer to it as plain numbers. */
const batchOf = (inputs: Int32Array, targets: Int32Array, negatives: Int32Array) => ({
  inputs: [{ items: inputItems(inputs) }],
  targets: outputItems(targets),
  negatives: outputItems(negatives),
});
function found(finder: RowFinder, ...arrays: Parameters<typeof batchOf>) {
  const { rows, batch } = finder.touch(batchOf(...arrays));
  return {
    input: Array.from(rows.input),
    output: Array.from(rows.output),
    both: Array.from(rows.both),
    inputs: Array.from(batch.inputs[0]!.items.data),
    targets: Array.from(batch.targets.data),
    negatives: Array.from(batch.negatives.data),
  };
}

describe('the rows that a step touches', () => {
  test('of separate tables: each id once, padding first, indices renumbered to them', () => {
    expect(found(new RowFinder(10, false), ids(7, 3, 7), ids(9, 3), ids(9, 5, 9))).toEqual({
      input: [0, 7, 3],
      inputs: [1, 2, 1],
      output: [0, 9, 3, 5],
      both: [0, 7, 3],
      targets: [1, 2],
      negatives: [1, 3, 1],
    });
  });

  test('of a shared table: one list, outputs first, so that an item that is both has one row', () => {
    expect(found(new RowFinder(10, true), ids(7, 3, 7), ids(9, 3), ids(9, 5))).toEqual({
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
    const { batch } = new RowFinder(10, false).touch({ items: inputItems(ids(0, 7, 0, 3)), last, carried: ids(7) });
    expect(Array.from(batch.items.data)).toEqual([0, 1, 0, 2]);
    expect(batch.last).toBe(last);
    expect(Array.from(batch.carried)).toEqual([7]);
  });

  test('may be those of hundreds of thousands of targets and repeats', () => {
    const many = Int32Array.from({ length: 200_000 }, (_, i) => 1 + (i % 49));
    const reversed = many.slice().reverse();
    const { rows, batch } = new RowFinder(50, false).touch(batchOf(ids(7), many, reversed));
    for (const [renumbered, own] of [
      [batch.targets.data, many],
      [batch.negatives.data, reversed],
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
      const { rows, batch } = finder.touch(batchOf(input, targets, negatives));
      const back = (renumbered: ArrayLike<number>, list: Int32Array) => Array.from(renumbered, (row) => list[row]!);
      expect(back(batch.inputs[0]!.items.data, rows[shared ? 'both' : 'input'])).toEqual(Array.from(input));
      for (const list of shared ? [rows.output, rows.both] : [rows.output]) {
        expect(back(batch.targets.data, list)).toEqual(Array.from(targets));
        expect(back(batch.negatives.data, list)).toEqual(Array.from(negatives));
      }
      for (const list of Object.values(rows)) expect(new Set(list).size).toBe(list.length);
    }
  });
});
