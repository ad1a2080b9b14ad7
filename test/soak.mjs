/**
 * Runs in full what `npm test` runs a slice of, and writes what came out to test/bench/results/soak.{json,md}; then plants
 * the known errors (`reference/mutants.ts`), and writes what came out to test/bench/results/mutants.md:
 *
 *     npm run soak                            10,000 rounds of every property
 *     npm run soak -- privacy/kills store/    the files whose path contains one of these; the rows of others stay
 *     npm run soak -- reference/mutants       the known errors alone
 *     npm run soak -- random-mutants          errors planted at random alone: results in test/bench/results/random-mutants.{json,md}
 *     SOAK=500 npm run soak                   that many rounds
 *
 * A test takes part by reading SOAK, itself or through a helper that it imports.
 */
import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { cpus } from 'node:os';
import { basename, join, relative, resolve } from 'node:path';

/** Tests of a file that are named with their own time. */
const NAMED = 5;

const root = resolve(import.meta.dirname, '..');
const results = join(root, 'test/bench/results');
const rounds = Number(process.env.SOAK ?? 10_000);
const patterns = process.argv.slice(2);

const sources = readdirSync(join(root, 'test'), { recursive: true, encoding: 'utf8' })
  .filter((name) => name.endsWith('.ts'))
  .map((name) => ({ path: join('test', name), text: readFileSync(join(root, 'test', name), 'utf8') }));
const readers = sources.filter(({ text }) => /(process\.env\b|inject\().*\bSOAK\b/.test(text));
const helpers = readers.map(({ path }) => basename(path, '.ts')).filter((name) => !name.endsWith('.test'));
const takesPart = ({ path, text }) =>
  path.endsWith('.test.ts') && (text.includes('SOAK') || helpers.some((helper) => text.includes(`/${helper}'`)));
const all = sources.filter(takesPart).map(({ path }) => path);
const MUTANTS = 'test/reference/mutants.ts';
const RANDOM_MUTANTS = 'test/reference/random-mutants.ts';
/** Most errors that are planted at random. */
const MOST_RANDOM = 150;
const isAsked = (path) => patterns.length === 0 || patterns.some((pattern) => path.includes(pattern));
const files = all.filter(isAsked);
if (files.length === 0 && !isAsked(MUTANTS) && !isAsked(RANDOM_MUTANTS)) {
  const there = [...all, MUTANTS, RANDOM_MUTANTS].join('\n  ');
  console.error(`No file that takes part has ${patterns.join(' or ')} in its path; there are\n  ${there}`);
  process.exit(2);
}
process.exitCode = Math.max(
  files.length > 0 ? soak() : 0,
  isAsked(MUTANTS) ? plantErrors() : 0,
  isAsked(RANDOM_MUTANTS) ? plantAtRandom() : 0,
);

/** @returns The exit status of the tests. */
function soak() {
  const report = join(root, '.cache/soak.json');
  mkdirSync(join(root, '.cache'), { recursive: true });
  rmSync(report, { force: true });
  const commit = execFileSync('git', ['rev-parse', '--short', 'HEAD'], { cwd: root, encoding: 'utf8' }).trim();
  const reporters = ['--reporter=default', '--reporter=json', `--outputFile.json=${report}`];
  const { status, signal } = spawnSync('npx', ['vitest', 'run', ...reporters, ...files], {
    cwd: root,
    stdio: 'inherit',
    env: { ...process.env, SOAK: String(rounds) },
  });

  if (!existsSync(report)) {
    console.error(`Vitest has ended (${signal ?? status}) without a report: no row is written.`);
    return status || 1;
  }
  const machine = `Node ${process.version}, ${cpus().length} × ${cpus()[0]?.model.trim() ?? 'unknown'}`;
  const secondsOf = (result) => Number(((result.duration ?? 0) / 1000).toFixed(1));
  const fresh = new Map();
  for (const { name, assertionResults } of JSON.parse(readFileSync(report, 'utf8')).testResults) {
    // A file that runs in Node and in the browser is reported twice.
    const path = relative(root, name);
    fresh.set(path, [...(fresh.get(path) ?? []), ...assertionResults]);
  }
  const rows = [...fresh].map(([file, tests]) => {
    const failed = tests.filter((test) => test.status === 'failed');
    const skipped = tests.filter((test) => test.status === 'pending' || test.status === 'skipped');
    const ran = tests.filter((test) => !skipped.includes(test));
    const longest = [...tests].sort((a, b) => secondsOf(b) - secondsOf(a)).slice(0, NAMED);
    const elsewhere = tests.flatMap(({ fullName, status }) => {
      const [, browser, name] = /^in '(\w+)' (.*)/.exec(fullName) ?? [];
      return browser ? [[`${browser} > ${name}`, status]] : [];
    });
    return {
      file,
      rounds,
      commit,
      machine,
      passed: tests.length - failed.length - skipped.length,
      failed: failed.length,
      skipped: skipped.length,
      // What a randomised test has tried; any other, one thing.
      tries: ran.reduce((sum, { meta }) => sum + (meta?.tries ?? 1), 0),
      seconds: Number(tests.reduce((sum, test) => sum + secondsOf(test), 0).toFixed(1)),
      tests: [...new Set([...failed, ...longest])].map((test) => ({
        name: test.fullName,
        result: test.status,
        seconds: secondsOf(test),
      })),
      // What each browser said, by test.
      ...(elsewhere.length > 0 && { browsers: Object.fromEntries(elsewhere) }),
    };
  });

  const file = join(results, 'soak.json');
  const before = existsSync(file) ? JSON.parse(readFileSync(file, 'utf8')) : [];
  const kept = before.filter((old) => all.includes(old.file) && !fresh.has(old.file));
  const merged = [...kept, ...rows].sort((a, b) => a.file.localeCompare(b.file));
  mkdirSync(results, { recursive: true });
  writeFileSync(file, `${JSON.stringify(merged, null, 1)}\n`);
  writeFileSync(join(results, 'soak.md'), page(merged));
  return status ?? 1;
}

/** @returns The exit status: 1 where an error survives. */
function plantErrors() {
  console.log('\nPlanting the known errors of re-implementations; results follow in test/bench/results/mutants.md.');
  const { status, stdout } = spawnSync(process.execPath, ['test/run.mjs', MUTANTS], {
    cwd: root,
    stdio: ['ignore', 'pipe', 'inherit'],
    encoding: 'utf8',
    maxBuffer: 1 << 26,
  });
  if (stdout.includes('survive.')) writeFileSync(join(results, 'mutants.md'), stdout);
  return status ?? 1;
}

/** @returns The exit status: 0 where the errors were planted, whichever survive. */
function plantAtRandom() {
  const argv = ['test/run.mjs', RANDOM_MUTANTS, String(Math.min(MOST_RANDOM, rounds))];
  return spawnSync(process.execPath, argv, { cwd: root, stdio: 'inherit' }).status ?? 1;
}

function page(entries) {
  const sum = (key) => entries.reduce((total, entry) => total + (entry[key] ?? 0), 0);
  const cell = (text) => text.replaceAll('|', '\\|');
  const fileLines = entries.map(
    (entry) =>
      `| ${entry.file} | ${entry.passed} | ${entry.failed} | ${entry.skipped ?? 0} | ${entry.tries ?? entry.passed} | ${entry.seconds} | ${entry.rounds} | ${entry.commit} |`,
  );
  const testLines = entries.flatMap((entry) =>
    entry.tests
      .filter((test) => test.seconds >= 1 || test.result !== 'passed')
      .map((test) => `| ${entry.file} | ${cell(test.name)} | ${test.result} | ${test.seconds} |`),
  );
  const machines = [...new Set(entries.map((entry) => entry.machine))];
  return `# Soak

Written by \`npm run soak\`: the randomised tests in full. \`SOAK\` is what they were told; each says in its own file how many
rounds, events or erasures that makes.

${sum('passed')} passed, ${sum('failed')} failed, ${sum('skipped')} skipped. ${machines.join('; ')}.

| file | passed | failed | skipped | tries | seconds | SOAK | commit |
| --- | --- | --- | --- | --- | --- | --- | --- |
${fileLines.join('\n')}

The tests of each file that took longest:

| file | test | result | seconds |
| --- | --- | --- | --- |
${testLines.join('\n')}
`;
}
