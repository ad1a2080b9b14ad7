import { expect, test } from 'vitest';
import { models } from '../../src/models/index';
import { baselines } from '../../src/neighbours/index';
import { documented, pages } from './option-tables';

test('every model has a page with its options', async () => {
  expect((await documented()).sort()).toEqual([...Object.keys(models), ...Object.keys(baselines)].sort());
});

test('the tables of options say what the code says; "npm run docs" writes them', async () => {
  for (const { is, shouldBe } of (await pages()).values()) expect(is).toBe(shouldBe);
});
