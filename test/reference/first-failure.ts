import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { plainEnv } from '../build/built';

/** Seconds after which an error that makes a loop endless is seen. */
const PATIENCE = 300;
/** Where files are built first. */
const PATIENCE_BUILT = 1200;

/** How the first failure of a run begins where it is that of no test. */
export const NO_TEST = 'no test could run';

/**
 * Runs test files of a copy of the checkout until one test fails.
 *
 * @returns Its name; undefined where none does.
 */
export async function firstFailure(
  copy: string,
  files: readonly string[],
  project: 'unit' | 'built' = 'unit',
): Promise<string | undefined> {
  const report = join(copy, 'report.json');
  rmSync(report, { force: true });
  const argv = ['vitest', 'run', '--project', project, '--bail', '1', '--reporter=json', `--outputFile=${report}`];
  // A group of its own, which ends as a whole: a loop without an end runs in a process of the test runner's.
  const child = spawn('npx', [...argv, ...files], { cwd: copy, env: plainEnv(), stdio: 'ignore', detached: true });
  const isOver = await ended(child, project === 'built' ? PATIENCE_BUILT : PATIENCE);
  if (!isOver) return 'a loop without an end';
  if (!existsSync(report)) return NO_TEST;
  const { success, testResults } = JSON.parse(readFileSync(report, 'utf8')) as {
    success: boolean;
    testResults: { name: string; message?: string; assertionResults: { status: string; fullName: string }[] }[];
  };
  if (success) return undefined;
  const failed = testResults
    .flatMap(({ assertionResults }) => assertionResults)
    .find(({ status }) => status === 'failed');
  if (failed) return failed.fullName;
  const why = testResults.find(({ message }) => message)?.message?.split('\n')[0] ?? 'an error outside of tests';
  return project === 'built' ? `${NO_TEST}: ${why}` : why;
}

/** @returns False if it had to be ended. */
function ended(child: ChildProcess, seconds: number): Promise<boolean> {
  return new Promise((settle) => {
    const timer = setTimeout(() => {
      process.kill(-child.pid!, 'SIGKILL');
      settle(false);
    }, 1000 * seconds);
    child.on('exit', () => {
      clearTimeout(timer);
      settle(true);
    });
  });
}
