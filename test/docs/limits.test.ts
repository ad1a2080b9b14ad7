/** The page of limits has every number of `src/limits.ts`. */
import { expect, test } from 'vitest';
import * as limits from '../../src/limits';
import { textOf } from './manual';

const numbers = Object.entries(limits).filter(([, limit]) => typeof limit === 'number');
const MIB = 1024 * 1024;
const printed = (limit: number): string => (limit % MIB === 0 ? `${limit / MIB} MiB` : limit.toLocaleString('en'));

test.each(numbers)('docs/limits.md says %s', (_, limit) => {
  const cells = textOf('docs/limits.md').match(/\|[^|\n]*/g)!;
  expect(cells.some((cell) => cell.startsWith(`| ${printed(limit as number)}`))).toBe(true);
});
