/**
 * Runs the randomised tests in full and writes what came out to test/bench/results/soak.md:
 *
 *     npm run soak                 10,000 rounds of every property
 *     SOAK=500 npm run soak        that many
 *
 * A test takes part by reading SOAK, itself or through a helper that it imports; in a page by `inject('SOAK')`.
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
const { status } = spawnSync('npx', ['vitest', 'run', ...reporters, ...files], {
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
const seconds = (some) => (some.reduce((sum, row) => sum + (row.duration ?? 0), 0) / 1000).toFixed(1);
const byFile = groupBy(rows);
const fileLines = [...byFile].map(([file, some]) => {
  const bad = some.filter((row) => row.status !== 'passed').length;
  return `| ${file} | ${some.length - bad} | ${bad} | ${seconds(some)} |`;
});
const longest = [...rows].sort((a, b) => (b.duration ?? 0) - (a.duration ?? 0)).slice(0, 40);
const bad = rows.filter((row) => row.status !== 'passed');
const testLines = [...new Set([...bad, ...longest])].map(
  (row) => `| ${row.fullName.replaceAll('|', '\\|')} | ${row.status} | ${seconds([row])} |`,
);
const text = `# Soak

Written by \`npm run soak\`: the randomised tests, each property with at least ${Number(rounds).toLocaleString('en')} rounds.

${rows.length - failed} passed, ${failed} failed. Node ${process.version}, ${cpus().length} × ${cpus()[0]?.model.trim() ?? 'unknown'}.

| file | passed | failed | seconds |
| --- | --- | --- | --- |
${fileLines.join('\n')}

The tests that took longest, which are those that the rounds multiply:

| test | result | seconds |
| --- | --- | --- |
${testLines.join('\n')}
`;
mkdirSync(join(root, 'test/bench/results'), { recursive: true });
writeFileSync(join(root, 'test/bench/results/soak.md'), text);
process.exitCode = status ?? 1;

function groupBy(rows) {
  const groups = new Map();
  for (const row of rows) groups.set(row.file, [...(groups.get(row.file) ?? []), row]);
  return groups;
}
