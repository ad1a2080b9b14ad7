import { expect, test } from 'vitest';
import { validationPart } from '../../../src/pipeline/compare/validation-part';

test('a validation part in a file of its own is read without the minima of the log', async () => {
  const plan = {
    train: 'log.csv',
    valid: 'late.csv',
    read: { minSupport: 5, timeUnit: 's' },
    protocol: 'events',
  } as const;
  const { learning, asking } = await validationPart(plan, 'parts', [], {});
  expect([learning.read, asking.read]).toEqual([plan.read, { timeUnit: 's' }]);
});
