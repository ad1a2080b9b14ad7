import { expect, test } from 'vitest';
import { models } from '../../src/models/index';
import { baselines } from '../../src/neighbours/index';
import { documented, optionPages } from './option-tables';
import { pageNow } from './pages';

test('every model has a page with its options', async () => {
  expect((await documented()).sort()).toEqual([...Object.keys(models), ...Object.keys(baselines)].sort());
});

test('the tables of options say what the code says; "npm run docs" writes them', async () => {
  for (const [path, shouldBe] of await optionPages()) expect(pageNow(path), path).toBe(shouldBe);
});
