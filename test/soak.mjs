/**
 * Runs the randomised tests in full and writes what came out to test/bench/results/soak.md:
 *
 *     npm run soak                 10,000 rounds of every property
 *     SOAK=500 npm run soak        that many
 *
 * A test takes part by reading SOAK, itself or through a helper that it imports.
 */
import { spawnSync } from 'node:child_process';
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { cpus } from 'node:os';
import { basename, join, relative, resolve } from 'node:path';

const root = resolve(import.meta.dirname, '..');
const rounds = process.env.SOAK ?? '10000';

const sources = readdirSync(join(root, 'test'), { recursive: true, encoding: 'utf8' })
  .filter((name) => name.endsWith('.ts'))
  .map((name) => ({ path: join('test', name), text: readFileSync(join(root, 'test', name), 'utf8') }));
const readers = sources.filter(({ text }) => /process\.env\b.*\bSOAK\b/.test(text));
const helpers = readers.map(({ path }) => basename(path, '.ts')).filter((name) => !name.endsWith('.test'));
const takesPart = ({ path, text }) =>
  path.endsWith('.test.ts') && (text.includes('SOAK') || helpers.some((helper) => text.includes(`/${helper}'`)));
const files = sources.filter(takesPart).map(({ path }) => path);

const report = join(root, '.cache/soak.json');
mkdirSync(join(root, '.cache'), { recursive: true });
rmSync(report, { force: true });
const reporters = ['--reporter=default', '--reporter=json', `--outputFile.json=${report}`];
const { status } = spawnSync('npx', ['vitest', 'run', '--project', 'node', ...reporters, ...files], {
  cwd: root,
  stdio: 'inherit',
  env: { ...process.env, SOAK: rounds },
});

const { testResults } = JSON.parse(readFileSync(report, 'utf8'));
const rows = testResults
  .flatMap(({ name, assertionResults }) =>
    assertionResults.map((result) => ({ file: relative(root, name), ...result })),
  )
  .sort((a, b) => a.file.localeCompare(b.file) || a.fullName.localeCompare(b.fullName));
const failed = rows.filter((row) => row.status !== 'passed').length;
const line = ({ file, fullName, status, duration }) =>
  `| ${file} | ${fullName.replaceAll('|', '\\|')} | ${status} | ${((duration ?? 0) / 1000).toFixed(1)} |`;
const text = `# Soak

Written by \`npm run soak\`: the randomised tests with at least ${Number(rounds).toLocaleString('en')} rounds each.

${rows.length - failed} passed, ${failed} failed. Node ${process.version}, ${cpus().length} × ${cpus()[0]?.model.trim() ?? 'unknown'}.

| file | test | result | seconds |
| --- | --- | --- | --- |
${rows.map(line).join('\n')}
`;
mkdirSync(join(root, 'test/bench/results'), { recursive: true });
writeFileSync(join(root, 'test/bench/results/soak.md'), text);
process.exitCode = status ?? 1;
