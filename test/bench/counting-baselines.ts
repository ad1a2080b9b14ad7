/**
 * The counting baselines on the real logs, beside the figures that the logs' READMEs state:
 *
 *     node test/run.mjs test/bench/counting-baselines.ts [LOG…]
 *
 * Writes `results/counting-baselines.md` when all logs are asked for, else prints.
 */
import { writeFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { baselines } from '../../src/neighbours/index';
import { markdownTable } from '../../src/pipeline/format';
import type { EvaluateResult } from '../../src/train/evaluate';
import { metricsOf } from '../../src/train/metrics';
import {
  type LogName,
  peerRanks,
  realLog,
  run,
  type SplitLog,
  STATED,
  STATED_PREDICTIONS,
} from '../neighbours/real-logs';

const LOGS = Object.keys(STATED) as LogName[];
const RESULTS = fileURLToPath(new URL('./results/counting-baselines.md', import.meta.url));
const METRICS = ['recall@5', 'recall@10', 'recall@20', 'mrr@10', 'mrr@20', 'ndcg@10', 'ndcg@20'];

/** Further settings worth a row: what the definitions leave open. */
const VARIANTS: readonly (readonly [model: string, config: object])[] = [
  ['item-knn', { lambda: 0 }],
  ['markov', { ties: 'equal' }],
  ['markov', { pruning: 0 }],
  ['sr', { ties: 'equal' }],
];

const INTRODUCTION = `# Counting baselines on the real logs

    node test/run.mjs test/bench/counting-baselines.ts

Every event after the first of every test session is a prediction, all items of the training part are candidates, items
of the session stay in, targets lose ties (conservative). "stated" are the figures of the log's README, "standard" ours
where targets win ties. \`evaluate\` leaves out events of items that were never sold in the training part; the READMEs
keep them as misses. The rows compared with stated figures follow the READMEs; where the two differ, a row "unknown
items left out" shows what \`aisle evaluate\` prints.

What the definitions leave open, and what ours are:

- Markov, AR, SR: rules of equal weight rank by which pair the log shows first (\`ties=first-seen\`, the default). That is
  how the stated rows were counted, as far as four digits tell; \`ties=equal\` leaves them tied.
- Markov, AR, SR keep the 20 strongest rules of an item (\`pruning=20\`, session-rec); \`pruning=0\` keeps all, which only
  shows beyond rank 20.
- Item-kNN is the GRU4Rec repository's (events counted, damped by 20, 100 neighbours); the stated rows are a cosine of
  sessions, another definition.

Seconds are wall time, on a machine that did other work as well.
`;

export async function main(names: readonly string[]): Promise<void> {
  const logs = names.length > 0 ? LOGS.filter((name) => names.includes(name)) : LOGS;
  let report = INTRODUCTION;
  for (const name of logs) {
    const log = await realLog(name);
    if (!log) throw new Error(`The log ${name} of ../shared is not here; nothing is written.`);
    report += await section(name, log);
    if (name === 'yoochoose-100k') report += await peers(log);
  }
  if (logs.length === LOGS.length) await writeFile(RESULTS, report);
  else process.stdout.write(report);
}

async function section(name: LogName, log: SplitLog): Promise<string> {
  const known = new Set(log.train.itemIds);
  const hasNovel = log.test.itemIds.some((id) => !known.has(id));
  const rows: string[][] = [];
  let predictions = 0;
  const settings = [...Object.keys(baselines).map((model) => [model, {}] as const), ...VARIANTS];
  for (const [model, config] of settings) {
    const { result, fitSeconds } = await run(log, model, config, 'miss');
    predictions = result.n;
    const label = [model, ...Object.entries(config).map(([key, value]) => `${key}=${value}`)].join(' ');
    const stated = Object.keys(config).length === 0 ? STATED[name][model] : undefined;
    const seconds = [fitSeconds, result.seconds].map((time) => time.toFixed(1));
    if (stated)
      rows.push(
        row(
          `${model}, stated`,
          METRICS.map((metric) => stated[metric]),
          ['', '', '', ''],
        ),
      );
    rows.push(row(label, figures(result, 'conservative'), [...lists(result), ...seconds]));
    rows.push(row(`${label}, standard`, figures(result, 'standard'), ['', '', '', '']));
    if (hasNovel && Object.keys(config).length === 0) {
      const dropped = (await run(log, model, config, 'drop')).result;
      const title = `${label}, unknown items left out (${dropped.n} predictions)`;
      rows.push(row(title, figures(dropped, 'conservative'), [...lists(dropped), '', '']));
    }
    console.error(`${name}: ${label}`);
  }
  const head = ['baseline', ...METRICS, 'coverage@20', 'popularity@20', 'fit s', 'evaluate s'];
  const counts = `${predictions} predictions, the README says ${STATED_PREDICTIONS[name]}; ${known.size} items.`;
  return `\n## ${name}\n\n${counts}\n\n${markdownTable(head, rows).join('\n')}\n`;
}

/** SR and AR on the predictions for which session-rec's own ranks are known. */
async function peers(log: SplitLog): Promise<string> {
  const ks = [5, 10, 20];
  const keys = [...ks.map((k) => `recall@${k}`), 'mrr@20', 'ndcg@20'];
  const rows: string[][] = [];
  for (const model of ['sr', 'ar'] as const) {
    for (const ties of ['first-seen', 'equal']) {
      const { ours, theirs } = await peerRanks(log, model, { ties });
      const same = ours.filter((rank, i) => rank === theirs[i]).length;
      const line = (title: string, ranks: number[], rest: string) => {
        const metrics = metricsOf(ranks, ks);
        return [title, ...keys.map((key) => metrics[key]!.toFixed(4)), rest];
      };
      if (ties === 'first-seen') rows.push(line(`${model}, session-rec`, theirs, ''));
      rows.push(line(`${model} ties=${ties}`, ours, `${same} of ${ours.length}`));
    }
  }
  const head = ['baseline', ...keys, 'same rank'];
  const note = "The predictions of peer-ranks.tsv: session-rec's own lists of 50 (settings unknown) beside ours.";
  return `\n${note}\n\n${markdownTable(head, rows).join('\n')}\n`;
}

const figures = ({ metrics }: EvaluateResult, ties: 'conservative' | 'standard') =>
  METRICS.map((metric) => metrics[ties][metric]);
const lists = (result: EvaluateResult) => [result['coverage@20'].toFixed(3), result['popularity@20'].toFixed(3)];
const row = (title: string, values: readonly (number | undefined)[], rest: readonly string[]) => [
  title,
  ...values.map((value) => value?.toFixed(4) ?? ''),
  ...rest,
];
