/**
 * Plants known errors of re-implementations in a copy of the sources, one by one, and runs the tests that should see
 * each, until the first of them fails:
 *
 *     node test/run.mjs test/reference/mutants.ts [PART OF A NAME…] > test/bench/results/mutants.md
 *
 * Prints which test fails for each. Exit 1 if an error survives, an edit no longer fits the sources, or the copy does
 * not pass its tests before any edit.
 */
import { execFileSync } from 'node:child_process';
import { cpSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { createVitest, type Vitest } from 'vitest/node';
import { firstFailure, NO_TEST } from './first-failure';
import type { Mutation } from './mutation';
import { mutations as ofCaser } from './mutations-caser';
import { mutations as ofCl4srec } from './mutations-cl4srec';
import { mutations as ofEvaluation } from './mutations-evaluation';
import { mutations as ofGru4rec } from './mutations-gru4rec';
import { mutations as ofHostile } from './mutations-hostile';
import { mutations as ofRepeats } from './mutations-repeats';
import { mutations as ofSasrec } from './mutations-sasrec';
import { mutations as ofSrgnn } from './mutations-srgnn';
import { mutations as ofTransformers4rec } from './mutations-transformers4rec';

export const mutations: readonly Mutation[] = [
  ...ofGru4rec,
  ...ofSasrec,
  ...ofSrgnn,
  ...ofCaser,
  ...ofCl4srec,
  ...ofTransformers4rec,
  ...ofEvaluation,
  ...ofRepeats,
  ...ofHostile,
];

const ROOT = resolve(import.meta.dirname, '../..');
export const COPIED = [
  ...['src', 'test', 'public', 'docs', 'index.html', 'LICENSE', 'README.md'],
  ...['package.json', 'package-lock.json', 'tsconfig.json', 'vite.config.ts'],
];

/** Outcome of a run of test files: names of the tests that failed, or why none ran. */
interface Run {
  readonly passed: number;
  readonly failed: string[];
  readonly broken?: string;
}

async function runTests(vitest: Vitest, files: readonly string[]): Promise<Run> {
  const specifications = await vitest.globTestSpecifications([...files]);
  const { testModules, unhandledErrors } = await vitest.runTestSpecifications(specifications);
  // It tells of earlier runs too.
  const asked = testModules.filter((module) => specifications.some(({ moduleId }) => moduleId === module.moduleId));
  const tests = asked.flatMap(({ children }) => [...children.allTests()]);
  const failed = tests.filter((test) => test.result().state === 'failed').map(({ fullName }) => fullName);
  const broken = [...asked.flatMap((module) => module.errors()), ...(unhandledErrors as Error[])][0];
  const passed = tests.filter((test) => test.result().state === 'passed').length;
  return { passed, failed, ...(broken && { broken: broken.message.split('\n')[0]! }) };
}

/** Runs test files of the built files, which are built anew from what has changed. */
async function runBuilt(copy: string, files: readonly string[]): Promise<Omit<Run, 'passed'>> {
  const failure = await firstFailure(copy, files, 'built');
  if (failure?.startsWith(NO_TEST)) return { failed: [], broken: failure };
  return { failed: failure === undefined ? [] : [failure] };
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

export async function main(only: string[]): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'aisle-mutants-'));
  const copy = join(folder, 'aisle');
  let vitest: Vitest | undefined;
  try {
    for (const name of COPIED) cpSync(join(ROOT, name), join(copy, name), { recursive: true, force: true });
    symlinkSync(join(ROOT, 'node_modules'), join(copy, 'node_modules'));
    const chosen = mutations.filter(({ error }) => only.length === 0 || only.some((part) => error.includes(part)));
    const texts = chosen.map((mutation) => edited(readFileSync(join(copy, mutation.file), 'utf8'), mutation));
    // A test that is only slow has seen nothing.
    // Isolated: no run may meet modules of another.
    const options = {
      root: copy,
      watch: false,
      project: 'unit',
      isolate: true,
      bail: 1,
      reporters: [{}],
      testTimeout: 600_000,
    };
    vitest = await createVitest('test', options);
    const testsOf = (some: readonly Mutation[]) => [...new Set(some.flatMap(({ tests }) => tests))];
    const sound = await runTests(vitest, testsOf(chosen.filter(({ built }) => !built)));
    const inBuilt = testsOf(chosen.filter(({ built }) => built));
    const failure = inBuilt.length > 0 ? await firstFailure(copy, inBuilt, 'built') : undefined;
    if (failure) sound.failed.push(failure);
    if (sound.broken || sound.failed.length > 0 || sound.passed + inBuilt.length === 0) {
      console.error(`The sources do not pass before any edit: ${sound.broken ?? sound.failed.join('; ')}`);
      process.exitCode = 1;
      return;
    }
    const command = ['node test/run.mjs test/reference/mutants.ts', ...only.map((part) => `'${part}'`)].join(' ');
    console.log('# Errors of re-implementations, planted one by one\n');
    console.log(
      `Written by \`${command}\` at ${version()}. Before any edit ${sound.passed} tests pass, and those of built files;`,
    );
    console.log('with each error the tests named run until the first of them fails.\n');
    console.log('| error | planted in | tests | the first that fails |');
    console.log('| --- | --- | --- | --- |');
    let survived = 0;
    for (const [i, mutation] of chosen.entries()) {
      const { error, file, tests, built = false } = mutation;
      const path = join(copy, file);
      const original = readFileSync(path, 'utf8');
      const write = (text: string) => {
        writeFileSync(path, text);
        vitest!.invalidateFile(path);
      };
      write(texts[i]!);
      let { failed, broken } = await (built ? runBuilt(copy, tests) : runTests(vitest, tests));
      if (failed.length === 0 && !built) {
        // The run before may have ended at its first failure while it still read sources, and kept those without the edit.
        write(texts[i]!);
        ({ failed, broken } = await runTests(vitest, tests));
      }
      write(original);
      if (failed.length === 0) survived++;
      const first = failed[0] ?? `**${broken ? `no test ran: ${broken}` : 'survived'}**`;
      const where = tests.map((test) => test.replace(/^test\/|\.test\.ts$/g, '')).join(', ');
      console.log(`| ${error} | ${file.replace('src/', '')} | ${where} | ${first.replaceAll('|', '/')} |`);
    }
    console.log(`\n${chosen.length - survived} of ${chosen.length} are seen, ${survived} survive.`);
    process.exitCode = survived > 0 ? 1 : 0; // Vitest has set it to 1: tests have failed, as they should
  } finally {
    await vitest?.close();
    rmSync(folder, { recursive: true, force: true });
  }
}

/** The commit that the sources are of, and whether they have changed since. */
function version(): string {
  const git = (...args: string[]) => execFileSync('git', args, { cwd: ROOT, encoding: 'utf8' }).trim();
  const changes = git('status', '--porcelain', '--', 'src', 'test');
  return `commit ${git('rev-parse', '--short', 'HEAD')}${changes ? ', with changes' : ''}`;
}
