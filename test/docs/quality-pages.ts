/** Pages of what was measured, written from the committed rows: `npm run docs` writes them, a test compares. */
import { existsSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { objectivesPage } from '../bench/objectives/page';
import { readObjectives } from '../bench/objectives/record';
import { LOG_NAMES } from '../bench/quality/logs';
import { RESULTS, readResults, replace } from '../bench/quality/record';
import { page, summary } from '../bench/quality/tables';

const README = resolve(import.meta.dirname, '../../README.md');
const MARKED = /<!-- quality -->\n.*?<!-- \/quality -->/s;

/** Every file that holds such figures, with what it should hold. */
export function qualityPages(): Map<string, { readonly is: string; readonly shouldBe: string }> {
  const found = new Map<string, { is: string; shouldBe: string }>();
  for (const log of LOG_NAMES) {
    const results = readResults(log);
    if (results.rows.length === 0) continue;
    const path = join(RESULTS, `quality-${log}.md`);
    found.set(path, { is: existsSync(path) ? readFileSync(path, 'utf8') : '', shouldBe: page(log, results) });
  }
  const objectives = readObjectives();
  if (Object.keys(objectives).length > 0) {
    const path = join(RESULTS, 'objectives.md');
    found.set(path, { is: existsSync(path) ? readFileSync(path, 'utf8') : '', shouldBe: objectivesPage(objectives) });
  }
  const is = readFileSync(README, 'utf8');
  const shouldBe = is.replace(MARKED, `<!-- quality -->\n${summary(readResults)}\n<!-- /quality -->`);
  found.set(README, { is, shouldBe });
  return found;
}

export function writePages(): void {
  for (const [path, { is, shouldBe }] of qualityPages()) if (is !== shouldBe) replace(path, shouldBe);
}

export const main = writePages;
