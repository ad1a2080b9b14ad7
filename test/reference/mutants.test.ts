import { existsSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { expect, test } from 'vitest';
import { edited, mutations } from './mutants';

const ROOT = resolve(import.meta.dirname, '../..');

test.each(mutations)('the edit for "$error" still fits the sources, and its tests exist', (mutation) => {
  const text = readFileSync(join(ROOT, mutation.file), 'utf8');
  expect(edited(text, mutation)).not.toBe(text);
  for (const path of mutation.tests) expect(existsSync(join(ROOT, path)), path).toBe(true);
});
