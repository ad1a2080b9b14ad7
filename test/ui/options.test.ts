/** Options of the page elements, by themselves. */
import { expect, test } from 'vitest';
import { partOptions } from '../../src/ui/options';

test.each([
  ['nothing is said', {}, 'auto'],
  ['it is left undefined', { learn: undefined }, 'auto'],
  ['the page says when', { learn: 'manual' as const }, 'manual'],
])('what is new is learnt by itself, unless the page wants to say when: %s', (_, given, learn) => {
  expect(partOptions({ modelUrl: '/models/demo/', ...given } as never).recommender.learn).toBe(learn);
});
