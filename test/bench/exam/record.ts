/** The history of exams, `results/release-exams.json`, and its page. */
import { markdownTable, whole } from '../../../src/pipeline/format';
import { type Claim, verdict } from '../quality/claims';
import { readResult, writeResult } from '../results';

/** What the tables show, and what the counter is chosen by: the first. */
export const METRICS = ['mrr@20', 'recall@20'] as const;

/** A model that was tested once. */
export interface ExamRow {
  readonly name: string;
  readonly isNeural: boolean;
  readonly config: Readonly<Record<string, unknown>>;
  /** On the validation part, by the first metric; it chose the epochs, or the settings of what counts. */
  readonly validation: number;
  /** On the test part, targets losing ties. */
  readonly metrics: Readonly<Record<string, number>>;
  /** A network − the counter that was best on the validation part. */
  readonly differences?: Claim['differences'];
  /** Of the training that was tested. */
  readonly processorSeconds: number;
}

/** An exam whose first row may have asked the test part. */
export interface Opened {
  readonly version: string;
  readonly commit: string;
  readonly date: string;
  /** What was opened, in words. */
  readonly log: string;
  /** Hash of its file; absent for the simulator's, which has another for each commit. */
  readonly hash?: string;
  readonly machine: string;
}

/** An exam that has ended. */
export interface Exam extends Opened {
  readonly predictions: number;
  /** Name of the row that networks are compared with. */
  readonly counter: string;
  readonly rows: readonly ExamRow[];
}

/** The oldest first. */
export const readExams = (): (Opened | Exam)[] => readResult('release-exams', []);

export const writeExams = (exams: readonly Opened[]): void => writeResult('release-exams', exams);

type Which = Pick<Opened, 'version' | 'hash'>;

/** Whether both are of one version on one log: by the file's contents, whatever its name; without a hash, on the simulator's. */
export const isSameExam = (a: Which, b: Which): boolean => a.version === b.version && a.hash === b.hash;

/** Whether an exam was there before. One that was opened may go on, by the commit that opened it. */
export const isExamined = (
  exams: readonly (Opened | Exam)[],
  wanted: Pick<Opened, 'version' | 'hash' | 'commit'>,
): boolean => exams.some((exam) => isSameExam(exam, wanted) && ('rows' in exam || exam.commit !== wanted.commit));

/** The newest exam first. */
export const examsPage = (exams: readonly (Opened | Exam)[]): string =>
  [
    '# Exams of releases',
    '',
    '    npm run release-exam',
    '',
    'Opens a log that no preset and no search has seen, once for each version: all six architectures as `--preset auto` makes them,',
    'epochs chosen on the last tenth of the training part and trained again on all of it, and every counting baseline at the best of 27',
    'settings, or of all where there are fewer, chosen on the same tenth. Each row asks the test part once. Networks are compared with the counting baseline that had the best',
    'mrr@20 on the validation part, in both metrics; the interval is that of a paired bootstrap over sessions. "< 5 %": a difference of less',
    'than 5 % of the counting figure.',
    '',
    'Here the log is our own simulator’s, of a seed that follows from the commit. That proves little: a simulator knows nothing that its',
    'authors did not. With `--data FILE` the exam opens a log of yours.',
    '',
    ...[...exams].reverse().flatMap(section),
  ].join('\n');

function section(exam: Opened | Exam): string[] {
  const { version, commit, date, log, machine } = exam;
  const title = `## ${version}, ${date}`;
  if (!('rows' in exam)) return [title, '', `${log}; opened at ${commit}, and not ended. ${machine}.`, ''];
  const { predictions, counter, rows } = exam;
  const figure = (value: number) => value.toFixed(4);
  const signed = (value: number) => `${value < 0 ? '−' : '+'}${figure(Math.abs(value))}`;
  const beside = rows.find(({ name }) => name === counter)!;
  const compared = ({ name, differences }: ExamRow): string[] => {
    if (!differences) return METRICS.map(() => (name === counter ? 'compared with' : ''));
    return METRICS.map((metric) => {
      const difference = differences[metric]!;
      const { mean, low, high } = difference;
      return `${signed(mean)} [${signed(low)}, ${signed(high)}] ${verdict(difference, beside.metrics[metric]!)}`;
    });
  };
  const titles = [
    'row',
    ...METRICS,
    `validation, ${METRICS[0]}`,
    ...METRICS.map((metric) => `${metric}, − ${counter}`),
  ];
  const lines = [...rows]
    .sort((a, b) => b.metrics[METRICS[0]]! - a.metrics[METRICS[0]]!)
    .map((row) => [
      row.isNeural ? row.name : `${row.name}, tuned`,
      ...METRICS.map((metric) => figure(row.metrics[metric]!)),
      figure(row.validation),
      ...compared(row),
      row.processorSeconds.toFixed(row.processorSeconds < 10 ? 1 : 0),
    ]);
  return [
    title,
    '',
    `${log}; ${whole(predictions)} predictions. At ${commit}. ${machine}.`,
    '',
    ...markdownTable([...titles, 'processor seconds'], lines),
    '',
  ];
}
