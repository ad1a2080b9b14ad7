/** What the lock file brings in: under which licences, from where, and whether an advisory is open about what is bundled. */
import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { expect, test } from 'vitest';
import { isSoak } from '../soak-slice';

const ROOT = resolve(import.meta.dirname, '../..');
/** Licences under which a package may be bundled, or may build and test. */
const ALLOWED = new Set([
  'MIT',
  'ISC',
  '0BSD',
  'BSD-2-Clause',
  'BSD-3-Clause',
  'Apache-2.0',
  'BlueOak-1.0.0',
  'Python-2.0',
  'MPL-2.0',
]);

interface Locked {
  readonly integrity?: string;
  readonly resolved?: string;
  readonly link?: boolean;
  readonly hasInstallScript?: boolean;
}
interface Manifest {
  readonly license?: string;
  readonly licenses?: readonly { readonly type: string }[];
}

const read = (path: string): unknown => JSON.parse(readFileSync(join(ROOT, path), 'utf8'));
const { packages } = read('package-lock.json') as { packages: Readonly<Record<string, Locked>> };
const dependencies = Object.entries(packages).filter(([path]) => path !== '');

test('every package that is installed has a licence that allows its use', () => {
  // Those of other platforms are not installed.
  const installed = dependencies.map(([path]) => path).filter((path) => existsSync(join(ROOT, path, 'package.json')));
  expect(installed.length).toBeGreaterThan(100);
  const others = installed.flatMap((path) => {
    const { license, licenses = [] } = read(join(path, 'package.json')) as Manifest;
    const named = license?.split(/ (?:OR|AND) /) ?? licenses.map(({ type }) => type);
    return named.length > 0 && named.every((name) => ALLOWED.has(name.replace(/[()]/g, '')))
      ? []
      : [`${path}: ${named}`];
  });
  expect(others).toEqual([]);
});

test('every package is pinned by a hash, and names no place to come from but the registry that is set', () => {
  const loose = dependencies.filter(([, { integrity }]) => !integrity?.startsWith('sha512-')).map(([path]) => path);
  expect(loose).toEqual([]);
  const elsewhere = dependencies.filter(([, { resolved, link }]) => link || resolved !== undefined);
  expect(elsewhere).toEqual([]);
});

test.runIf(isSoak)('no advisory is open about what is bundled', ({ skip }) => {
  const argv = ['audit', '--json', '--omit=dev'];
  const { stdout } = spawnSync('npm', argv, { cwd: ROOT, encoding: 'utf8', timeout: 120_000 });
  const { metadata, vulnerabilities, message } = JSON.parse(stdout || '{}') as {
    metadata?: object;
    vulnerabilities?: Readonly<Record<string, { severity: string }>>;
    message?: string;
  };
  if (!metadata) skip(`the registry does not answer: ${message ?? 'no output'}`);
  expect(vulnerabilities).toEqual({});
});
