/** The table of `architectures.ts`: one for each log, every row beside Markov. */
import { NOTES } from './architectures-notes';

/** One model, trained on one part of a log. */
export interface Row {
  readonly log: string;
  readonly model: string;
  readonly part: 'validation' | 'test';
  /** Names what the row follows from. */
  readonly key: string;
  readonly flags: string;
  readonly predictions: number;
  /** Conservative ties. */
  readonly metrics: Readonly<Record<string, number>>;
  /** 0 for counting baselines. */
  readonly epochs: number;
  /** Of training. */
  readonly seconds: number;
  readonly parameters: number;
  /** Of `weights.safetensors` in single precision. */
  readonly bytes: number;
  readonly commit: string;
}

/** A run of `official-gru4rec.json`: ours with the official options. */
export interface OurOfficialRun {
  readonly run: string;
  readonly command: string;
  readonly conservative: Readonly<Record<string, number>>;
  readonly trainSeconds: number;
}

/** A run of the official code, as `../shared/spec/official-runs.json` has it. */
export interface OfficialRun {
  readonly run: string;
  readonly data: string;
  readonly recall: Readonly<Record<string, number>>;
  readonly mrr: Readonly<Record<string, number>>;
  readonly fitSeconds: number;
}

const METRICS = ['recall@5', 'recall@10', 'recall@20', 'mrr@10', 'mrr@20', 'ndcg@20'];
const HEAD = [
  'model',
  ...METRICS,
  'beside Markov',
  'validation mrr@20',
  'epochs',
  'training, s',
  'parameters',
  'bytes',
];

const INTRODUCTION = `# The architectures on two real logs

Full ranking of all items of the training part, every event after the first of every test session is a prediction, items
of the session stay in, conservative ties, seed 1. Trained on all that comes before the test part, with the log's preset
(\`--preset yoochoose-100k\`, \`--preset eshop\`), whose number of epochs and other options were chosen on the validation part:
the last day of train on yoochoose-100k, 18 to 24 July on eshop, trained on what comes before. Validation figures are those
of models trained so. Which presets were tried out, and which were carried over to their likes, is told below the tables.

"beside Markov" is the difference in MRR@20, in hundredths. Seconds are wall time on a machine that did a lot of other work:
they say what it took there, not which model is faster. Bytes are those of \`weights.safetensors\` in single precision.
GRU4Rec's official rows are means over three seeds: the official PyTorch code, and ours with its options.

    node test/run.mjs test/bench/architectures.ts
`;

/**
 * @param ours Our runs with the official options.
 * @param official Runs of the official code; empty where its figures are not at hand.
 * @param open What was not run on the test part yet, a line for each log.
 */
export function table(
  rows: readonly Row[],
  ours: readonly OurOfficialRun[],
  official: readonly OfficialRun[],
  open: readonly string[],
): string {
  const logs = [...new Set(rows.map(({ log }) => log))];
  const sections = logs.map((log) => section(log, rows, ours, official));
  const missing = open.length === 0 ? [] : ['## Not run yet', '', ...open.map((line) => `- ${line}`), ''];
  return [INTRODUCTION, ...sections, ...missing, NOTES].join('\n');
}

function section(
  log: string,
  all: readonly Row[],
  ours: readonly OurOfficialRun[],
  official: readonly OfficialRun[],
): string {
  const rows = all.filter((row) => row.log === log);
  const of = (part: Row['part'], model: string) => rows.find((row) => row.part === part && row.model === model);
  const markov = of('test', 'markov')?.metrics['mrr@20'];
  const predictions = (part: Row['part']) => rows.find((row) => row.part === part)?.predictions ?? 0;
  const beside = (mrr: number): string => (markov === undefined ? '' : signed(100 * (mrr - markov)));
  const inOrder = [...rows.filter(({ part }) => part === 'test'), ...rows];
  const lines = [...new Set(inOrder.map(({ model }) => model))].map((model) => {
    const test = of('test', model);
    const valid = of('validation', model)?.metrics['mrr@20'];
    const { metrics, epochs, seconds, parameters, bytes } = test ?? of('validation', model)!;
    const figures = METRICS.map((metric) => (test ? digits(metrics[metric]) : ''));
    const gap = test ? beside(metrics['mrr@20']!) : '';
    const rest = [epochs === 0 ? '' : String(epochs), String(seconds), whole(parameters), whole(bytes)];
    return cells([model, ...figures, gap, digits(valid), ...rest]);
  });
  const runs = [...new Set(ours.filter(({ command }) => command.includes(`--data ${log} `)).map(({ run }) => run))];
  const officialLines = runs.flatMap((run) => {
    const mine = ours.filter((candidate) => candidate.run === run);
    const theirs = official
      .filter((candidate) => candidate.run === run && candidate.data === log)
      .slice(0, mine.length);
    const rest = (seconds: readonly number[]) => ['', '', String(Math.round(mean(seconds))), '', ''];
    const own = METRICS.map((metric) => mean(mine.map(({ conservative }) => conservative[metric]!)));
    const line = [
      cells([
        `gru4rec, options of ${run}`,
        ...own.map(digits),
        beside(own[4]!),
        ...rest(mine.map((r) => r.trainSeconds)),
      ]),
    ];
    if (theirs.length === 0) return line;
    const figure = (metric: string): number | undefined => {
      const [name, k] = metric.split('@') as ['recall' | 'mrr' | 'ndcg', string];
      return name === 'ndcg' ? undefined : mean(theirs.map((their) => their[name][k]!));
    };
    const figures = METRICS.map(figure);
    line.push(
      cells([
        `official code, ${run}`,
        ...figures.map(digits),
        beside(figures[4]!),
        ...rest(theirs.map((r) => r.fitSeconds)),
      ]),
    );
    return line;
  });
  return [
    `## ${log}`,
    '',
    `${whole(predictions('test'))} predictions, validation ${whole(predictions('validation'))}.`,
    '',
    cells(HEAD),
    cells(HEAD.map(() => '---')),
    ...lines,
    ...officialLines,
    '',
  ].join('\n');
}

const digits = (value: number | undefined): string => value?.toFixed(4) ?? '';
const signed = (value: number): string => `${value < 0 ? '−' : '+'}${Math.abs(value).toFixed(2)}`;
const whole = (value: number): string => value.toLocaleString('en');
const mean = (values: readonly number[]): number => values.reduce((sum, value) => sum + value, 0) / values.length;
const cells = (texts: readonly string[]): string => `| ${texts.join(' | ')} |`;
