import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';

test('no script loads what runs under Vitest alone', () => {
  const files = readdirSync(import.meta.dirname, { recursive: true, encoding: 'utf8' });
  const scripts = files.filter((file) => file.endsWith('.ts') && !file.endsWith('.test.ts'));
  expect(scripts.length).toBeGreaterThan(50);
  const wrong = scripts.filter((file) =>
    /from '(vitest|.*\/shared-chromium)'/.test(readFileSync(join(import.meta.dirname, file), 'utf8')),
  );
  expect(wrong).toEqual([]);
});
