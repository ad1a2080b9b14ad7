import { expect, test } from 'vitest';
import { readRules } from '../../src/pipeline/rules';

const read = (...rules: object[]) =>
  readRules('rules.json', {
    readInput: async () =>
      new TextEncoder().encode(JSON.stringify(rules.map((rule) => ({ do: 'bury', id: 'a', ...rule })))),
  });

test.each([
  [{ factor: 3 }, 'factor is for a boost, and does nothing in a bury'],
  [{ do: 'boost', position: 2 }, 'position is for a pin, and does nothing in a boost'],
  [{ from: 'week 3' }, 'from must be a date in ISO 8601, such as 2026-12-24, got "week 3"'],
  [{ until: '2026-11-31' }, 'until must be a date in ISO 8601, such as 2026-12-24, got "2026-11-31"'],
  [{ until: '12/24/2026' }, 'until must be a date in ISO 8601, such as 2026-12-24, got "12/24/2026"'],
  [{ from: 'Christmas' }, 'from must be a date in ISO 8601, such as 2026-12-24, got "Christmas"'],
  [{ from: '2026-12-24', until: '2026-12-01' }, 'from must be before until, got "2026-12-24" and "2026-12-01"'],
  [
    { strategy: 'for-yuo' },
    'strategy "for-yuo" is none of for-you, related, popular, recent, bought-together, trending; did you mean "for-you"?',
  ],
])('the command line refuses a rule with %j', async (rule, sentence) => {
  await expect(read({}, rule)).rejects.toMatchObject({
    code: 'bad-input',
    message: `rules.json: rule 2: ${sentence}.`,
  });
});

test('rules with days, instants, a strategy, a place or a factor are taken as they are', async () => {
  const rule = { from: '2026-12-01', until: '2026-12-24T18:00:00+01:00', strategy: 'bought-together' };
  expect(await read(rule)).toEqual([{ do: 'bury', id: 'a', ...rule }]);
  const own = [
    { do: 'pin', id: 'a', position: 2 },
    { do: 'boost', id: 'a', factor: 3 },
  ];
  expect(await read(...own)).toEqual(own);
});
