/** Pages of what was measured, written from the committed rows. */
import { readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { examsPage, readExams } from '../bench/exam/record';
import { type Row, ratiosOf } from '../bench/inference-results';
import { objectivesPage } from '../bench/objectives/page';
import { readObjectives } from '../bench/objectives/record';
import { personalPage, personalSummary, readReport } from '../bench/personal-report';
import { readClaims } from '../bench/quality/claims';
import { goalsPage } from '../bench/quality/goals';
import { LOG_NAMES } from '../bench/quality/logs';
import { readResults } from '../bench/quality/record';
import { additions, besideSummary, headline, page, summary } from '../bench/quality/tables';
import { RESULTS } from '../bench/results';
import { readTrainAlone, trainAlonePage } from '../bench/train-alone/record';
import { costs } from './costs';
import { neighbours, smallSteps, trainings } from './measured';
import { marked, type Pages, pageNow, writePages } from './pages';
import { whichForClicks, whichModel } from './which-model';

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
  if (Object.keys(objectives).length > 0) add('objectives.md', objectivesPage(objectives, readResults));
  const exams = readExams();
  if (exams.length > 0) add('release-exams.md', examsPage(exams));
  add('train-alone.md', trainAlonePage(readTrainAlone()));
  const report = readReport();
  add('personal.md', personalPage(report));
  const claims = join(ROOT, 'docs/claims.md');
  const withQuality = marked(pageNow(claims), 'quality', summary(readResults));
  const withAdditions = marked(withQuality, 'additions', additions(readResults));
  const withRatios = marked(withAdditions, 'peers', peerRatios());
  const withTrainings = marked(withRatios, 'training', trainings());
  const withSteps = marked(withTrainings, 'small', smallSteps());
  const withNeighbours = marked(withSteps, 'neighbours', neighbours());
  const withIntervals = marked(withNeighbours, 'beside', besideSummary(readResults, readClaims));
  pages.set(claims, marked(withIntervals, 'personal', personalSummary(report)));
  const models = join(ROOT, 'docs/models.md');
  pages.set(models, marked(marked(pageNow(models), 'kinds', whichModel()), 'clicks', whichForClicks()));
  const scale = join(ROOT, 'docs/scale.md');
  pages.set(scale, marked(pageNow(scale), 'costs', costs()));
  const readme = join(ROOT, 'README.md');
  return pages.set(readme, marked(pageNow(readme), 'headline', headlines().join('\n')));
}

const peers = (): string[][] =>
  readFileSync(join(RESULTS, 'peers.md'), 'utf8')
    .split('\n')
    .map((line) => line.split('|').map((cell) => cell.trim()));

const answers = (): readonly Row[] => JSON.parse(readFileSync(join(RESULTS, 'inference.json'), 'utf8'));

const short = (value: unknown): string => Number(value).toPrecision(3);

/** What a row's code took of a peer's time, of one sitting or of several. */
const shareOf = (row: Row, to: string): string => {
  const ratios = ratiosOf(row);
  return ratios.length === 1 ? short(ratios[0]) : `${short(ratios[0])}${to}${short(ratios.at(-1))}`;
};
const sittingsOf = (row: Row): string => {
  const count = ratiosOf(row).length;
  return count === 1 ? 'in one sitting' : `in ${count} sittings`;
};

/** Every answer that was timed beside another runtime. */
function peerRatios(): string {
  const rows = answers().flatMap((row) => {
    const { case: name, ours, theirs, peer, facts, commit } = row;
    if (!name.startsWith('infer-') || !peer.startsWith('ONNX')) return [];
    const of = (which: string) =>
      `the ${which} answer ${short(facts![`${which} answer, ms`])} ms, the peer's ${short(facts![`${which} answer of the peer, ms`])}`;
    const times = `ours ${short(ours.median)} ms; ${of('first')}; ${of('fifth')}`;
    const last = `${ratiosOf(row).length > 1 ? 'of the last, ' : ''}the peer ${short(theirs!.median)} ms, ${times}`;
    return [`* ${name}: ${shareOf(row, ' to ')} of the time of ${peer} ${sittingsOf(row)}; ${last} (at ${commit})`];
  });
  const beside = peers().flatMap(([, name, , ratio, ours, peer, ...rest]) =>
    name?.startsWith('infer-') ? [`* ${name}: ${ratio} of the time of ${peer}; ours ${ours} (at ${rest.at(-2)})`] : [],
  );
  return [...rows, ...beside].join('\n');
}

/** What the README says of all that was measured. */
function headlines(): string[] {
  const row = (name: string): Row => {
    const found = answers().find(({ case: other }) => other === name);
    if (!found) throw new Error(`inference.json has no case "${name}".`);
    return found;
  };
  const [gru4rec, sasrec] = [row('infer-plan-gru4rec'), row('infer-plan-sasrec')];
  const { ours, theirs, facts } = row('cold');
  const ms = (median: number, most: string) => `${Math.round(median)} ms (${facts![most]})`;
  const [mine, peers] = [
    ms(ours.median, '95th percentile of the first answer, ms'),
    ms(theirs!.median, 'the same of the peer, ms'),
  ];
  const of = (which: string) =>
    `${short(sasrec.facts![`${which} answer, ms`])} ms (theirs ${short(sasrec.facts![`${which} answer of the peer, ms`])})`;
  return [
    `* ${headline('diginetica', readResults('diginetica'), readClaims('diginetica'))}`,
    `* **Speed**: a warm recommendation takes ${shareOf(gru4rec, '–')} (GRU4Rec) and ${shareOf(sasrec, '–')} (SASRec, 10,000 items) of ONNX Runtime Web's time ${sittingsOf(sasrec)}; SASRec's first answer ${of('first')}, its fifth ${of('fifth')} ([table](test/bench/results/inference.md)). A second page, its thread slowed 4 times, has suggestions after ${mine}, one with ONNX Runtime Web after ${peers} (median, 95th percentile).`,
    '* **Equal to the reference**: outputs, losses and gradients from the same weights, and weights after training: `npm run golden -- test/golden`.',
  ];
}

export const writeQuality = (): void => writePages(qualityPages());

export const main = writeQuality;
