/**
 * What training again on everything brings: of each log all but the last days are trained on by `aisle train` as it is, with and
 * without `--refit`, and the last days are predicted:
 *
 *     node test/run.mjs test/bench/refit.ts [--logs eshop,yoochoose] [--seeds N]
 *
 * The table goes to `results/refit.md`. Needs the logs.
 */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { evaluate } from '../../src/pipeline/evaluate';
import { duration, markdownTable, whole } from '../../src/pipeline/format';
import { split } from '../../src/pipeline/split';
import { train } from '../../src/pipeline/train';
import { sharedPath } from '../shared';
import { commit, machine } from './machine';

const DAY = 86_400;
const MODEL = 'gru4rec';
/** Narrower than the preset, so that a run takes minutes. */
const CONFIG = { layers: [64] };

/** A log, and how many of its last days are the test part; absent where the log comes with one. */
const LOGS: Readonly<
  Record<string, { readonly path: readonly string[]; readonly days?: number; readonly test?: string }>
> = {
  eshop: { path: ['data', 'eshop-clothing-2008', 'sessions.tsv.gz'], days: 7 },
  yoochoose: { path: ['data', 'yoochoose-100k', 'train.tsv.gz'], test: 'test.tsv.gz' },
};

export async function main(argv: readonly string[]): Promise<void> {
  const { values } = parseArgs({
    args: [...argv],
    options: { logs: { type: 'string', default: Object.keys(LOGS).join() }, seeds: { type: 'string', default: '1' } },
  });
  const place = await mkdtemp(join(tmpdir(), 'aisle-refit-'));
  const rows: string[][] = [];
  const code = commit();
  const started = performance.now();
  try {
    for (const name of values.logs.split(',')) {
      const parts = await partsOf(name, join(place, name));
      for (let seed = 1; seed <= Number(values.seeds); seed++) {
        for (const refit of ['no', 'yes'] as const) rows.push(await row(name, parts, join(place, refit), seed, refit));
      }
    }
  } finally {
    await rm(place, { recursive: true, force: true });
  }
  const seconds = (performance.now() - started) / 1000;
  await writeFile(resolve(import.meta.dirname, 'results/refit.md'), page(rows, argv, seconds, code));
}

interface Parts {
  readonly data: string;
  readonly test: string;
}

async function partsOf(name: string, out: string): Promise<Parts> {
  const { path, days, test } = LOGS[name] ?? {};
  if (!path) throw new RangeError(`No log is called ${name}. There are ${Object.keys(LOGS).join(', ')}.`);
  const data = sharedPath(...path);
  if (!data) throw new Error(`The log ${name} is not here.`);
  if (test !== undefined) return { data, test: sharedPath(...path.slice(0, -1), test)! };
  await split({ data, out, test: { seconds: days! * DAY } });
  return { data: join(out, 'train.tsv.gz'), test: join(out, 'test.tsv.gz') };
}

async function row(log: string, { data, test }: Parts, out: string, seed: number, refit: 'yes' | 'no') {
  const onMessage = ({ text }: { readonly text: string }) => console.log(text);
  const trained = await train({
    data,
    model: MODEL,
    config: CONFIG,
    out,
    seed,
    refit,
    onMessage,
    onEpoch: (epoch) => console.log(epoch),
  });
  const { evaluation } = await evaluate({ artifacts: [out], data: test });
  const { 'recall@20': recall, 'mrr@20': mrr } = evaluation.metrics.conservative;
  const cells = [
    ...[log, `${seed}`, refit, `${trained.best!.epoch} of ${trained.epochs.length}`],
    ...[whole(trained.refit ? trained.refit.items : trained.items), whole(evaluation.n)],
    ...[recall!.toFixed(4), mrr!.toFixed(4), whole(recall! * evaluation.n), duration(trained.seconds)],
  ];
  console.log(cells.join('  '));
  return cells;
}

function page(rows: readonly (readonly string[])[], argv: readonly string[], seconds: number, code: string): string {
  const titles = [
    ...['log', 'seed', '`--refit`', 'best epoch', 'items known', 'predictions', 'Recall@20', 'MRR@20'],
    ...['found in 20', 'training'],
  ];
  return `# Training again on everything

    ${['node test/run.mjs test/bench/refit.ts', ...argv].join(' ')}

\`aisle train --model ${MODEL} --set layers=${CONFIG.layers.join('/')}\` with its defaults (\`--preset auto\`, the last tenth of the sessions for validation), with and without a second
training on everything for as many epochs, from the same seed. eshop is trained on all but its last ${LOGS['eshop']!.days} days, which are predicted${rows.some(([log]) => log === 'yoochoose') ? '; yoochoose-100k comes in two parts' : ''}. Events of items that a model does not know are left out, so a model that knows more items has more
predictions; "found in 20" is how many targets were among the best 20. Conservative ties. ${duration(seconds)} in all.
Commit ${code}; ${machine()}.

${markdownTable(titles, rows).join('\n')}
`;
}
