import { test } from 'vitest';
import { sharedPath } from './shared';

/**
 * Declares a test that reads `../shared/data`. Where a file is missing, the test is skipped, and its name says why.
 *
 * @param files Files or folders of `../shared/data`; `run` gets their absolute paths.
 * @param timeout Milliseconds.
 */
export function testWithLogs(
  name: string,
  files: readonly string[],
  run: (...paths: string[]) => Promise<void>,
  timeout?: number,
): void {
  const paths = files.map((file) => sharedPath('data', file));
  const isMissing = paths.includes(undefined);
  test.skipIf(isMissing)(isMissing ? `${name} (skipped: no log)` : name, () => run(...(paths as string[])), timeout);
}
