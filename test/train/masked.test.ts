import { tensor1d, tidy } from '@tensorflow/tfjs-core';
import { beforeAll, describe, expect, test } from 'vitest';
import type { MaskingSpec } from '../../src/models/model';
import { epochBatches } from '../../src/train/batches';
import { clip } from '../../src/train/optimiser';
import { start } from '../compute/backends/start';
import { logOf } from './helpers';

beforeAll(() => start('cpu'));

const log = logOf([[1, 2, 3], [4], [5, 6, 7, 8, 9], [1, 9]]);
const batchesOf = (masking: MaskingSpec, seed = 1, epoch = 0) => [
  ...epochBatches({ kind: 'masked', maxLength: 4, masking }, log, { batchSize: 2, fewestRows: 1, seed, epoch }),
];

describe('masked rows', () => {
  test.each<[string, MaskingSpec]>([
    ['next', { kind: 'next', only: 'all' }],
    ['the last one', { kind: 'next', only: 'last' }],
    ['tokens', { kind: 'tokens', probability: 0.4 }],
    ['spans', { kind: 'spans', probability: 0.5, maxSpan: 2 }],
  ])('%s: every target is the item that is hidden, read where the masking says', (_, masking) => {
    const back = masking.kind === 'next' ? 1 : 0;
    const seen: number[][] = [];
    for (const { input, targets, origin, hidden } of batchesOf(masking)) {
      if (input.kind !== 'sessions') throw new Error('expected sessions');
      targets.forEach((item, m) => {
        const row = origin!.row[m]!;
        const at = origin!.click[m]! + back;
        expect(input.sessions[row]!.items[at]).toBe(item);
        expect(hidden![row]!.targets[at]).toBe(1);
      });
      const count = hidden!.reduce((total, { targets }) => total + targets.filter(Boolean).length, 0);
      expect(targets.length).toBe(count);
      seen.push(...input.sessions.map(({ items }) => Array.from(items)));
    }
    // Sessions of one click teach nothing, of longer ones than the model sees the newest clicks.
    const expected = [
      [1, 2, 3],
      [1, 9],
      [6, 7, 8, 9],
    ];
    expect(seen.toSorted((a, b) => Number(a.join('')) - Number(b.join('')))).toEqual(
      expected.toSorted((a, b) => Number(a.join('')) - Number(b.join(''))),
    );
  });

  test('with prefixes, each of them of two clicks or more is a session of its own', () => {
    const rows = {
      kind: 'masked',
      maxLength: 4,
      masking: { kind: 'tokens', probability: 0.4 },
      prefixes: true,
    } as const;
    const batches = [...epochBatches(rows, log, { batchSize: 2, fewestRows: 1, seed: 1, epoch: 0 })];
    const seen = batches.flatMap(({ input }) => (input.kind === 'sessions' ? input.sessions : []));
    const expected = ['1,2', '1,2,3', '1,9', '5,6', '5,6,7', '5,6,7,8', '6,7,8,9'];
    expect(seen.map(({ items }) => Array.from(items).join()).toSorted()).toEqual(expected);
  });

  test('are the same for the same seed and epoch, and others for another', () => {
    const masking = { kind: 'tokens', probability: 0.5 } as const;
    expect(batchesOf(masking)).toEqual(batchesOf(masking));
    expect(batchesOf(masking, 1, 1)).not.toEqual(batchesOf(masking));
    expect(batchesOf(masking, 2)).not.toEqual(batchesOf(masking));
  });
});

test('gradients whose norm, taken over all of them, is too large are scaled down together; others stay', () => {
  const clipped = (most: number) =>
    tidy(() => {
      const { a, b } = clip({ a: tensor1d([3, 0]), b: tensor1d([4]) }, most);
      return [...a!.dataSync(), ...b!.dataSync()];
    });
  expect(clipped(10)).toEqual([3, 0, 4]);
  clipped(1).forEach((value, i) => {
    expect(value).toBeCloseTo([0.6, 0, 0.8][i]!, 5);
  });
});
