import { expect, test } from 'vitest';
import { table } from '../../src/cli/table';

test('columns have the width that is given, or that of their longest cell', () => {
  const rows = [
    ['', 'recall', 'item'],
    ['markov', '0.5', 'sku-42'],
  ];
  expect(table(rows, [-8, 8, 'left'])).toEqual(['          recall  item', 'markov       0.5  sku-42']);
  expect(table(rows, ['left', 'right', 'right'])).toEqual(['        recall    item', 'markov     0.5  sku-42']);
});
