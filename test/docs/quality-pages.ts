/** Pages of what was measured, written from the committed rows: `npm run docs` writes them, a test compares. */
import { existsSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { objectivesPage } from '../bench/objectives/page';
import { readObjectives } from '../bench/objectives/record';
import { personalPage, personalSummary, readReport } from '../bench/personal-report';
import { goalsPage } from '../bench/quality/goals';
import { LOG_NAMES } from '../bench/quality/logs';
import { RESULTS, readResults, replace } from '../bench/quality/record';
import { page, summary } from '../bench/quality/tables';

const README = resolve(import.meta.dirname, '../../README.md');
/** The text between the marks of a name. */
const marked = (text: string, name: string, content: string): string =>
  text.replace(
    new RegExp(`<!-- ${name} -->\\n.*?<!-- /${name} -->`, 's'),
    () => `<!-- ${name} -->\n${content}\n<!-- /${name} -->`,
  );

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
  const report = readReport();
  add('personal.md', personalPage(report));
  const is = readFileSync(README, 'utf8');
  const shouldBe = marked(marked(is, 'quality', summary(readResults)), 'personal', personalSummary(report));
  found.set(README, { is, shouldBe });
  return found;
}

export function writePages(): void {
  for (const [path, { is, shouldBe }] of qualityPages()) if (is !== shouldBe) replace(path, shouldBe);
}

export const main = writePages;
