/**
 * Plants known errors of re-implementations in a copy of the sources, one by one, and runs the tests that should see
 * each:
 *
 *     node test/run.mjs test/reference/mutants.ts [PART OF A NAME]
 *
 * Prints which test fails for each. Exit 1 if an error survives, an edit no longer fits the sources, or the copy does
 * not pass its tests before any edit.
 */
import { spawnSync } from 'node:child_process';
import { cpSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { mutations as ofCaser } from './mutations-caser';
import { type Mutation, mutations as ofGru4rec } from './mutations-gru4rec';
import { mutations as ofSrgnn } from './mutations-srgnn';

export const mutations: readonly Mutation[] = [...ofGru4rec, ...ofSrgnn, ...ofCaser];

const ROOT = resolve(import.meta.dirname, '../..');
const COPIED = ['src', 'test', 'package.json', 'tsconfig.json', 'vite.config.ts'];

/** Outcome of a run of test files: names of the tests that failed, or why none ran. */
interface Run {
  readonly passed: number;
  readonly failed: readonly string[];
  readonly broken?: string;
}

interface Report {
  readonly numPassedTests: number;
  readonly testResults: readonly {
    readonly name: string;
    readonly message: string;
    readonly assertionResults: readonly { readonly status: string; readonly fullName: string }[];
  }[];
}

function runTests(copy: string, files: readonly string[]): Run {
  const output = join(copy, 'report.json');
  rmSync(output, { force: true });
  const vitest = join(copy, 'node_modules/vitest/vitest.mjs');
  const args = [vitest, 'run', '--project', 'node', '--reporter=json', `--outputFile=${output}`, ...files];
  const { stderr } = spawnSync(process.execPath, args, { cwd: copy, encoding: 'utf8' });
  let report: Report;
  try {
    report = JSON.parse(readFileSync(output, 'utf8')) as Report;
  } catch {
    return { passed: 0, failed: [], broken: stderr.trim().split('\n').at(-1) ?? 'no report' };
  }
  const failed = report.testResults.flatMap(({ assertionResults }) =>
    assertionResults.filter(({ status }) => status === 'failed').map(({ fullName }) => fullName.trim()),
  );
  const broken = report.testResults.find(({ message, assertionResults }) => message && assertionResults.length === 0);
  return { passed: report.numPassedTests, failed, ...(broken && { broken: broken.message.split('\n')[0]! }) };
}

/**
 * The file's text with every edit made.
 *
 * @throws Error if the text to replace does not occur exactly once.
 */
export function edited(text: string, { error, file, edits }: Mutation): string {
  return edits.reduce((before, [from, to]) => {
    const count = before.split(from).length - 1;
    if (count !== 1) throw new Error(`"${error}": the text to replace occurs ${count} times in ${file}: ${from}`);
    return before.replace(from, () => to);
  }, text);
}

export async function main([only = '']: string[]): Promise<void> {
  const copy = mkdtempSync(join(tmpdir(), 'aisle-mutants-'));
  try {
    for (const name of COPIED) cpSync(join(ROOT, name), join(copy, name), { recursive: true, force: true });
    symlinkSync(join(ROOT, 'node_modules'), join(copy, 'node_modules'));
    const chosen = mutations.filter(({ error }) => error.includes(only));
    const texts = chosen.map((mutation) => edited(readFileSync(join(copy, mutation.file), 'utf8'), mutation));
    const sound = runTests(copy, [...new Set(chosen.flatMap(({ tests }) => tests))]);
    if (sound.broken || sound.failed.length > 0 || sound.passed === 0) {
      console.error(`The sources do not pass before any edit: ${sound.broken ?? sound.failed.join('; ')}`);
      process.exitCode = 1;
      return;
    }
    console.log('# Errors of re-implementations, planted one by one\n');
    console.log(`Before any edit ${sound.passed} tests pass. Then, for each error, in its test files:\n`);
    console.log('| error | planted in | tests failing | the first of them |');
    console.log('| --- | --- | --- | --- |');
    let survived = 0;
    chosen.forEach((mutation, i) => {
      const { error, file, tests } = mutation;
      const path = join(copy, file);
      const original = readFileSync(path, 'utf8');
      writeFileSync(path, texts[i]!);
      const { failed, broken } = runTests(copy, tests);
      writeFileSync(path, original);
      if (failed.length === 0) survived++;
      const what = failed[0] ?? `**${broken ? `no test ran: ${broken}` : 'survived'}**`;
      const name = tests.map((test) => test.replace('test/', '')).join(', ');
      console.log(
        `| ${error} | ${file.replace('src/', '')} | ${failed.length} in ${name} | ${what.replaceAll('|', '/')} |`,
      );
    });
    console.log(`\n${chosen.length - survived} of ${chosen.length} are seen, ${survived} survive.`);
    if (survived > 0) process.exitCode = 1;
  } finally {
    rmSync(copy, { recursive: true, force: true });
  }
}
