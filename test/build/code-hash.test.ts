import { execFileSync } from 'node:child_process';
import { mkdirSync, readdirSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { codeHash as hashOf } from '../../src/build/plugins';
import { codeHash } from '../../src/pipeline/version';
import { folder } from '../cli/program';
import { isSoak } from '../soak-slice';
import { plainEnv, ROOT } from './built';

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

test.runIf(isSoak)('two builds of the library, the embed and the command line are equal, byte for byte', async () => {
  const out = await folder();
  const build = (mode: string): Map<string, string> => {
    const target = join(out, mode);
    rmSync(target, { recursive: true, force: true });
    const argv = ['vite', 'build', '--mode', mode, '--logLevel', 'error', '--outDir', target];
    execFileSync('npx', argv, { cwd: ROOT, env: plainEnv() });
    const files = readdirSync(target, { recursive: true, encoding: 'utf8' }).sort();
    const isFile = (name: string) => statSync(join(target, name)).isFile();
    return new Map(files.filter(isFile).map((name) => [name, readFileSync(join(target, name), 'latin1')]));
  };
  for (const mode of ['lib', 'embed', 'cli']) {
    const first = build(mode);
    expect(first.size).toBeGreaterThan(5);
    expect(build(mode)).toEqual(first);
  }
});
