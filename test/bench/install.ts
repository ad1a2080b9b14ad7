/**
 * What `npm install` of the packed package takes, in an empty folder:
 *
 *     node test/run.mjs test/bench/install.ts
 *
 * Packs what is built, and installs it three times, each time with a cache of its own. The table goes to `results/install.md`.
 */
import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { pack } from '../../src/build/release';
import { markdownTable } from '../../src/pipeline/format';
import { plainEnv } from '../build/built';
import { commit, machine } from './machine';

const TIMES = 3;

export async function main(): Promise<void> {
  const place = mkdtempSync(join(tmpdir(), 'aisle-install-'));
  try {
    const { tarball, files } = await pack(place);
    const runs = Array.from({ length: TIMES }, (_, k) => install(tarball, join(place, `${k}`)));
    const seconds = runs.map((run) => run.seconds).sort((a, b) => a - b);
    const { bytes, packages } = runs[0]!;
    const rows = [
      ['packages', `${packages}`],
      ['files', files.length.toLocaleString('en')],
      ['tarball', `${(statSync(tarball).size / 1e6).toFixed(1)} MB`],
      ['on the disk', `${(bytes / 1e6).toFixed(1)} MB`],
      [`seconds, median of ${TIMES}`, seconds[TIMES >> 1]!.toFixed(1)],
    ];
    writeFileSync(resolve(import.meta.dirname, 'results/install.md'), page(rows));
    console.log(rows.map((row) => row.join('  ')).join('\n'));
  } finally {
    rmSync(place, { recursive: true });
  }
}

function install(tarball: string, folder: string) {
  mkdirSync(folder);
  writeFileSync(join(folder, 'package.json'), '{ "private": true }');
  const begun = performance.now();
  const argv = ['install', '--no-audit', '--no-fund', '--cache', join(folder, 'cache'), tarball];
  execFileSync('npm', argv, { cwd: folder, env: plainEnv(), stdio: 'ignore' });
  const seconds = (performance.now() - begun) / 1000;
  const modules = join(folder, 'node_modules');
  const all = readdirSync(modules, { recursive: true, encoding: 'utf8' });
  const bytes = all.reduce((sum, path) => sum + 512 * statSync(join(modules, path)).blocks, 0); // as the disk counts
  const packages = readdirSync(modules).filter((name) => !name.startsWith('.')).length;
  return { seconds, bytes, packages };
}

const page = (rows: readonly (readonly string[])[]): string => `# Installing the package

Written by \`node test/run.mjs test/bench/install.ts\` at ${commit()}, ${machine()}: \`npm install\` of the packed
tarball in an empty folder, with an empty cache.

${markdownTable(['', ''], rows).join('\n')}
`;
