import { mkdirSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { codeHash as hashOf } from '../../src/build/plugins';
import { codeHash } from '../../src/pipeline/version';
import { folder } from '../cli/program';

test('the hash of the code changes with all that trains or evaluates, and with nothing else', async () => {
  const root = await folder();
  for (const name of ['train', 'ui', 'build']) mkdirSync(join(root, 'src', name), { recursive: true });
  const write = (path: string, text: string) => writeFileSync(join(root, path), text);
  write('package-lock.json', '{}');
  write('src/train/loss.ts', '1');
  write('src/ui/card.ts', '1');
  const seen = [hashOf(root)];
  write('src/ui/card.ts', '2');
  write('src/build/plugin.ts', '1');
  expect(hashOf(root)).toBe(seen[0]);
  const changes = [
    () => write('src/train/loss.ts', '2'),
    () => renameSync(join(root, 'src/train/loss.ts'), join(root, 'src/train/losses.ts')),
    () => write('src/types.ts', ''),
    () => write('package-lock.json', '{ }'),
  ];
  for (const change of changes) {
    change();
    expect(seen).not.toContain(hashOf(root));
    seen.push(hashOf(root));
  }
});

test('the command line knows the hash of its own code, run from the sources too', () => {
  expect(codeHash()).toMatch(/^[0-9a-f]{12}$/);
});
