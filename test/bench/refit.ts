/**
 * What training again on everything brings: of each log all but the last days are trained on by `aisle train` as it is, with and
 * without `--refit`, and the last days are predicted:
 *
 *     node test/run.mjs test/bench/refit.ts [--logs eshop,diginetica] [--seeds N] [--work DIR]
 *
 * A training is interrupted where it begins again on everything: what `--keep-best` writes there is the model without `--refit`. The table
 * goes to `results/refit.md`. Interrupted, the same command goes on where it was. Needs the logs.
 */
import { existsSync } from 'node:fs';
import { cp, rm, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { evaluate } from '../../src/pipeline/evaluate';
import { duration, markdownTable, whole } from '../../src/pipeline/format';
import type { Observer } from '../../src/pipeline/observer';
import { split } from '../../src/pipeline/split';
import { train } from '../../src/pipeline/train';
import type { TrainResult } from '../../src/pipeline/training';
import { CHECKPOINT } from '../../src/pipeline/training-checkpoint';
import { verdict } from '../../src/pipeline/validation';
import { sharedPath } from '../shared';
import { commit, machine } from './machine';

const DAY = 86_400;
const MODEL = 'gru4rec';
/** Narrower than the presets, so that a run takes minutes. */
const WIDTH = 64;

interface Log {
  readonly path: readonly string[];
  /** How many of its last days are the test part; absent where the log comes with one. */
  readonly days?: number;
  readonly test?: string;
}

const LOGS: Readonly<Record<string, Log>> = {
  eshop: { path: ['data', 'eshop-clothing-2008', 'sessions.tsv.gz'], days: 7 },
  diginetica: { path: ['data', 'diginetica', 'train.tsv.gz'], test: 'test.tsv.gz' },
};

export async function main(argv: readonly string[]): Promise<void> {
  const { values } = parseArgs({
    args: [...argv],
    options: {
      logs: { type: 'string', default: Object.keys(LOGS).join() },
      seeds: { type: 'string', default: '1' },
      work: { type: 'string', default: '.cache/refit' },
    },
  });
  const work = resolve(values.work);
  const rows: string[][] = [];
  const code = commit();
  const started = performance.now();
  for (const name of values.logs.split(',')) {
    const parts = await partsOf(name, join(work, name));
    for (let seed = 1; seed <= Number(values.seeds); seed++) {
      const place = join(work, `${name}-${seed}`);
      rows.push(...(await bothRows(name, parts, place, seed)));
      const seconds = (performance.now() - started) / 1000;
      await writeFile(resolve(import.meta.dirname, 'results/refit.md'), page(rows, argv, seconds, code));
      await rm(place, { recursive: true });
    }
  }
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
  if (!existsSync(join(out, 'test.tsv.gz'))) await split({ data, out, test: { seconds: days! * DAY } });
  return { data: join(out, 'train.tsv.gz'), test: join(out, 'test.tsv.gz') };
}

/** Both rows of one training: the copy that is made where the second training begins is kept as it is, the original goes on. */
async function bothRows(log: string, parts: Parts, place: string, seed: number): Promise<string[][]> {
  const [out, copy] = [join(place, 'yes'), join(place, 'no')];
  const atRefit = new AbortController();
  const options = { data: parts.data, model: MODEL, config: { layers: [WIDTH] }, seed };
  const begun = existsSync(join(out, CHECKPOINT));
  const told = (more: Partial<Observer> = {}): Observer => ({
    onMessage: ({ text }) => console.log(text),
    onEpoch: (epoch) => {
      console.log(JSON.stringify(epoch));
      if (epoch.refit) atRefit.abort();
    },
    ...more,
  });
  if (!existsSync(copy)) {
    const first = train({ ...options, out, resume: begun, ...told({ signal: atRefit.signal }) });
    await first.catch((error: unknown) => {
      if (!atRefit.signal.aborted) throw error;
    });
  }
  await rm(copy, { recursive: true, force: true });
  await cp(out, copy, { recursive: true });
  const kept = await train({ ...options, out: copy, resume: true, keepBest: true, ...told() });
  const refitted = await train({ ...options, out, resume: true, ...told() });
  return [await row(log, parts.test, copy, seed, 'no', kept), await row(log, parts.test, out, seed, 'yes', refitted)];
}

async function row(log: string, test: string, out: string, seed: number, refit: string, trained: TrainResult) {
  const { evaluation } = await evaluate({ artifacts: [out], data: test });
  const { 'recall@20': recall, 'mrr@20': mrr } = evaluation.metrics.conservative;
  const cells = [
    ...[log, `${seed}`, refit, `${trained.best!.epoch} of ${trained.epochs.length}`],
    ...[whole(trained.refit ? trained.refit.items : trained.items), whole(evaluation.n)],
    ...[recall!.toFixed(4), mrr!.toFixed(4), whole(recall! * evaluation.n)],
  ];
  const { baseline, epochs, best } = trained;
  console.log(cells.join('  '), duration(trained.seconds));
  console.log(
    verdict({ model: { model: MODEL, metrics: epochs[best!.epoch - 1]!.valid! }, baseline: baseline! }, trained),
  );
  return cells;
}

function page(rows: readonly (readonly string[])[], argv: readonly string[], seconds: number, code: string): string {
  const titles = [
    ...['log', 'seed', '`--refit`', 'best epoch', 'items known', 'predictions', 'Recall@20', 'MRR@20'],
    'found in 20',
  ];
  return `# Training again on everything

    ${['node test/run.mjs test/bench/refit.ts', ...argv].join(' ')}

\`aisle train --model ${MODEL} --set layers=${WIDTH}\` with its other defaults (\`--preset auto\`, the last tenth of the sessions for validation), with and without a second training on everything for as many epochs, from the same seed. eshop is trained on all but its last ${LOGS['eshop']!.days} days, which
are predicted; Diginetica on its training part, and its test part, the week after it, is predicted, once per row. Events of items that a model does not know are left out, so a model that knows more items has more
predictions; "found in 20" is how many targets were among the best 20. Conservative ties. ${duration(seconds)} in all.
Commit ${code}; ${machine()}.

${markdownTable(titles, rows).join('\n')}
`;
}
