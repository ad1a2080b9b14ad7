/** What is committed of benches: `results/NAME.json`, and the page beside it. */
import { existsSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';

export const RESULTS = resolve(import.meta.dirname, 'results');

/** @param none What there is where nothing was measured yet. */
export function readResult<T>(name: string, none: T): T {
  const file = join(RESULTS, `${name}.json`);
  return existsSync(file) ? JSON.parse(readFileSync(file, 'utf8')) : none;
}

export function writeResult(name: string, result: unknown, page?: string, indent = 1): void {
  replace(join(RESULTS, `${name}.json`), `${JSON.stringify(result, null, indent)}\n`);
  if (page !== undefined) replace(join(RESULTS, `${name}.md`), page);
}

/** A kill leaves the file that was, or the new one. */
export function replace(file: string, text: string): void {
  writeFileSync(`${file}.new`, text);
  renameSync(`${file}.new`, file);
}
