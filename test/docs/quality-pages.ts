/** Pages of what was measured, written from the committed rows. */
import { readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { examsPage, readExams } from '../bench/exam/record';
import { objectivesPage } from '../bench/objectives/page';
import { readObjectives } from '../bench/objectives/record';
import { personalPage, personalSummary, readReport } from '../bench/personal-report';
import { readClaims } from '../bench/quality/claims';
import { goalsPage } from '../bench/quality/goals';
import { LOG_NAMES } from '../bench/quality/logs';
import { RESULTS, readResults } from '../bench/quality/record';
import { additions, besideSummary, headline, page, summary } from '../bench/quality/tables';
import { marked, type Pages, pageNow, writePages } from './pages';

const ROOT = resolve(import.meta.dirname, '../..');

/** Every page that holds such figures. */
export function qualityPages(): Pages {
  const pages = new Map<string, string>();
  const add = (name: string, shouldBe: string) => pages.set(join(RESULTS, name), shouldBe);
  for (const log of LOG_NAMES) {
    const results = readResults(log);
    if (results.rows.length > 0) add(`quality-${log}.md`, page(log, results, readClaims(log)));
  }
  add('goals.md', goalsPage(readResults));
  const objectives = readObjectives();
  if (Object.keys(objectives).length > 0) add('objectives.md', objectivesPage(objectives));
  const exams = readExams();
  if (exams.length > 0) add('release-exams.md', examsPage(exams));
  const report = readReport();
  add('personal.md', personalPage(report));
  const claims = join(ROOT, 'docs/claims.md');
  const withQuality = marked(pageNow(claims), 'quality', summary(readResults));
  const withAdditions = marked(withQuality, 'additions', additions(readResults));
  const withRatios = marked(withAdditions, 'peers', peerRatios());
  const withIntervals = marked(withRatios, 'beside', besideSummary(readResults, readClaims));
  pages.set(claims, marked(withIntervals, 'personal', personalSummary(report)));
  const readme = join(ROOT, 'README.md');
  return pages.set(readme, marked(pageNow(readme), 'headline', headlines().join('\n')));
}

const peers = (): string[][] =>
  readFileSync(join(RESULTS, 'peers.md'), 'utf8')
    .split('\n')
    .map((line) => line.split('|').map((cell) => cell.trim()));

/** Every answer that was timed beside another runtime. */
function peerRatios(): string {
  const rows = peers().flatMap(([, name, , ratio, ours, peer, ...rest]) =>
    name?.startsWith('infer-') ? [`* ${name}: ${ratio} of the time of ${peer}; ours ${ours} (at ${rest.at(-2)})`] : [],
  );
  return rows.join('\n');
}

/** What the README says of all that was measured. */
function headlines(): string[] {
  const cells = (start: string): string[] => {
    const row = peers().find(([, first]) => `${first} `.startsWith(start));
    if (!row) throw new Error(`peers.md has no row "${start}".`);
    return row;
  };
  const ratio = (name: string) => cells(`infer-plan-${name} `)[3];
  const [, , , ours] = cells('cold: ');
  const [, , , theirs] = cells('a page with ONNX Runtime Web in a worker, the visit');
  const plan = `**Speed**: a recommendation takes ${ratio('gru4rec')} (GRU4Rec) and ${ratio('sasrec')} (SASRec, 10,000 items) of ONNX Runtime Web's time in one sitting ([the table](test/bench/results/peers.md) has its commit, and others);`;
  return [
    `* ${headline('diginetica', readResults('diginetica'))}`,
    `* ${plan} a second page, slowed down 4 times, has its suggestions after ${ours}, one with ONNX Runtime Web after ${theirs} (median, 95th percentile).`,
    '* **Equal to the reference**: outputs, losses, gradients and the weights after an epoch, from the same weights: `npm run golden -- test/golden`.',
  ];
}

export const writeQuality = (): void => writePages(qualityPages());

export const main = writeQuality;
