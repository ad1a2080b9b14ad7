import { expect, test } from 'vitest';
import { builtChild, Contender } from './contender';
import type { FirstAnswers } from './infer-child';

test('what is timed answers alike by the plan, by our kernels, and without them', { timeout: 120_000 }, async () => {
  const child = await builtChild('infer-child.ts');
  try {
    const lists = ['plan', 'ours', 'stock'].map(async (side) => {
      const contender = new Contender(process.execPath, [child.program, side, 'sasrec']);
      const { items } = (await contender.line()) as FirstAnswers;
      expect((await contender.sample(1)).ms).toHaveLength(1);
      await contender.close();
      return items;
    });
    const [plan, ours, stock] = await Promise.all(lists);
    expect(plan).toHaveLength(20);
    expect([ours, stock]).toEqual([plan, plan]);
  } finally {
    await child.remove();
  }
});
