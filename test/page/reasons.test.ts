/** What reasons on cards ask for. */
import { expect, test, vi } from 'vitest';
import { giveReasons } from '../../src/ui/reasons';

test.each([
  ['nothing is suggested', []],
  ['what is popular is suggested', ['popular', 'popular']],
  ['the model suggests', ['neural', 'popular']],
])('are explained once where %s, so that the code that is loaded tells nothing of the clicks', async (_, reasons) => {
  const explain = vi.fn(async () => null);
  const suggestions = reasons.map((reason, k) => ({ id: `${k}`, reason }));
  const recommender = { explain, products: async () => [] };
  await giveReasons({ frame: {} } as never, recommender as never, suggestions as never, () => true);
  expect(explain).toHaveBeenCalledTimes(1);
});
