import { ones, tensor1d, tensor2d, tidy } from '@tensorflow/tfjs';
import { beforeAll, describe, expect, test } from 'vitest';
import { drawReplacements, replacedLoss, replaceTargets } from '../../src/objectives/replaced-tokens';
import { random } from '../../src/session/random';
import { backends, expectNoTensorsLeft, start } from '../compute/backends/start';

describe.each(backends)('%s', (backend) => {
  beforeAll(() => start(backend));

  expectNoTensorsLeft();

  test('draws take the places of the targets, and one of the same item is no replacement', () => {
    const { items, labels } = tidy(() => {
      const clicks = tensor2d([[5, 6, 7, 8]], [1, 4], 'int32');
      const [targets, draws] = [tensor1d([6, 8], 'int32'), tensor1d([9, 8], 'int32')];
      const replaced = replaceTargets(clicks, Int32Array.of(1, 3), targets, draws);
      return { items: replaced.items.arraySync(), labels: replaced.labels.arraySync() };
    });
    expect(items).toEqual([[5, 9, 7, 8]]);
    expect(labels).toEqual([[0, 1, 0, 0]]);
  });

  test('items of the batch are drawn from the softmax of their scores', () => {
    const M = 400;
    const times = [0, 300, 0, 100, 0];
    const scores = [0, 0.5, -1, 1, 0]; // by item; entry 0 is padding
    const drawn = tidy(() => {
      const outputs = { table: tensor2d(scores.map((s) => [s])) };
      // One target in four is item 3, the others are item 1.
      const targets = Int32Array.from({ length: M }, (_, m) => (m % 4 === 0 ? 3 : 1));
      const draws = drawReplacements(ones([M, 1]), outputs, tensor1d(targets, 'int32'), random(1));
      return Array.from(draws.dataSync());
    });
    const mass = scores.map((s, item) => times[item]! * Math.exp(s));
    const total = mass.reduce((a, b) => a + b, 0);
    for (const item of [1, 2, 3, 4]) {
      const share = drawn.filter((other) => other === item).length / M;
      expect(Math.abs(share - mass[item]! / total), `item ${item}`).toBeLessThan(0.06);
    }
  });

  test('the loss is a mean over the columns that count', () => {
    const z = [0.5, -2, 3];
    const y = [1, 0, 1];
    const rows = z.map((x, i) => Math.log1p(Math.exp(x)) - x * y[i]!);
    const lossOf = (counts?: number[]) =>
      tidy(() => {
        const [labels, weights] = [tensor1d(y, 'int32'), counts && tensor1d(counts, 'int32')];
        return replacedLoss(tensor1d(z), labels, weights).dataSync()[0]!;
      });
    expect(lossOf()).toBeCloseTo((rows[0]! + rows[1]! + rows[2]!) / 3, 5);
    expect(lossOf([7, 0, 3])).toBeCloseTo((rows[0]! + rows[2]!) / 2, 5);
  });
});
