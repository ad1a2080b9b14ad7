/** Pages of what was measured, written from the committed rows: `npm run docs` writes them, a test compares. */
import { existsSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { objectivesPage } from '../bench/objectives/page';
import { readObjectives } from '../bench/objectives/record';
import { goalsPage } from '../bench/quality/goals';
import { LOG_NAMES } from '../bench/quality/logs';
import { RESULTS, readResults, replace } from '../bench/quality/record';
import { page, summary } from '../bench/quality/tables';

const README = resolve(import.meta.dirname, '../../README.md');
const MARKED = /<!-- quality -->\n.*?<!-- \/quality -->/s;

/** Every file that holds such figures, with what it should hold. */
export function qualityPages(): Map<string, { readonly is: string; readonly shouldBe: string }> {
  const found = new Map<string, { is: string; shouldBe: string }>();
  const add = (name: string, shouldBe: string): void => {
    const path = join(RESULTS, name);
    found.set(path, { is: existsSync(path) ? readFileSync(path, 'utf8') : '', shouldBe });
  };
  for (const log of LOG_NAMES) {
    const results = readResults(log);
    if (results.rows.length === 0) continue;
    add(`quality-${log}.md`, page(log, results));
  }
  add('goals.md', goalsPage(readResults));
  const objectives = readObjectives();
  if (Object.keys(objectives).length > 0) add('objectives.md', objectivesPage(objectives));
  const is = readFileSync(README, 'utf8');
  const shouldBe = is.replace(MARKED, `<!-- quality -->\n${summary(readResults)}\n<!-- /quality -->`);
  found.set(README, { is, shouldBe });
  return found;
}

export function writePages(): void {
  for (const [path, { is, shouldBe }] of qualityPages()) if (is !== shouldBe) replace(path, shouldBe);
}

export const main = writePages;
