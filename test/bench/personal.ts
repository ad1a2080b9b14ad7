/**
 * What learning on the device gains, for whom, and whom it harms:
 *
 *     npm run bench -- personal [--logs simulator,beauty,eshop] [--models NAME,…] [--rows adapter,uncounted,mixture,full]
 *                               [--visitors N] [--workers N] [--json]
 *
 * Trains a base model for each log and architecture on other visitors, once, and follows the held-out visitors in chunks of
 * 100, each kept in `.cache/personal`: a run that was ended goes on where it was. What is there goes to
 * `results/personal.json` after each row; other rows stay as they are. `npm run docs` writes `personal.md` and the table of
 * `docs/claims.md`, and marks the rows there whose base model or way of learning has changed since. Beauty and eshop need the logs of
 * `../shared`.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { GATE } from '../../src/train/tuning/gate';
import { ADAPTER } from '../../src/train/tuning/settings';
import { commit, host } from './machine';
import { type Base, baseOf, write } from './personal-base';
import { openLog, type PersonalLog } from './personal-logs';
import {
  LOG_NAMES,
  type LogName,
  MODEL_NAMES,
  type ModelName,
  ROW_NAMES,
  type RowName,
  rowKey,
  SEED,
} from './personal-plan';
import { REPORT_FILE, type Report, type Result, readReport } from './personal-report';
import { CHUNK, type Followed, fineTunersOf, follow, readChunk, stageOf, writeChunk } from './personal-rows';
import { figuresOf } from './personal-statistics';

const root = resolve(import.meta.dirname, '../..');
const work = join(root, '.cache/personal');
/** The last commit before anything here was built: the simulator has not changed since. */
const SIMULATOR = 'b9c500c';

interface Wanted {
  readonly logs: readonly LogName[];
  readonly models: readonly ModelName[];
  readonly rows: readonly RowName[];
  readonly visitors: number;
  /** This process takes the chunks whose number leaves this remainder. */
  readonly share: { readonly of: number; readonly own: number };
}

export async function main(args: readonly string[]): Promise<void> {
  const { values } = parseArgs({
    args: [...args],
    options: {
      logs: { type: 'string', default: LOG_NAMES.join() },
      models: { type: 'string', default: MODEL_NAMES.join() },
      rows: { type: 'string', default: ROW_NAMES.join() },
      visitors: { type: 'string', default: 'Infinity' },
      workers: { type: 'string', default: '1' },
      share: { type: 'string' },
      json: { type: 'boolean', default: false },
    },
  });
  const listed = <T extends string>(text: string, known: readonly T[], what: string): readonly T[] => {
    const unknown = text.split(',').find((name) => !known.includes(name as T));
    if (unknown !== undefined) throw new RangeError(`No ${what} "${unknown}"; there are ${known.join(', ')}.`);
    return text.split(',') as T[];
  };
  const workers = Number(values.workers);
  const wanted: Wanted = {
    logs: listed(values.logs, LOG_NAMES, 'log'),
    models: listed(values.models, MODEL_NAMES, 'model'),
    rows: listed(values.rows, ROW_NAMES, 'row'),
    visitors: Number(values.visitors),
    share: { of: workers, own: Number(values.share ?? 0) },
  };
  const command = `npm run bench -- personal ${args.filter((argument) => argument !== '--json').join(' ')}`.trim();
  if (workers > 1 && values.share === undefined) {
    // Base models first: two processes would both train them.
    for (const name of wanted.logs) {
      const log = await openLog(name);
      for (const model of wanted.models) (await baseOf(log, model, work)).scorer.dispose();
    }
    const others = Array.from({ length: workers - 1 }, (_, i) => helper(args, i + 1));
    await measure(wanted, command, true);
    await Promise.all(others);
  }
  await measure(
    { ...wanted, ...(values.share === undefined && { share: { of: 1, own: 0 } }) },
    command,
    values.share !== undefined,
  );
  if (values.json) console.log(JSON.stringify(shape()));
}

/** Another process that takes its share of the chunks. */
async function helper(args: readonly string[], share: number): Promise<void> {
  const program = [join(root, 'test/run.mjs'), join(root, 'test/bench/personal.ts'), ...args, '--share', String(share)];
  const child = spawn(process.execPath, program, { cwd: root, stdio: ['ignore', 'ignore', 'inherit'] });
  const [code] = (await once(child, 'exit')) as [number];
  if (code !== 0) throw new Error(`A process that shared the work ended with ${code}.`);
}

async function measure(
  { logs, models, rows, visitors, share }: Wanted,
  command: string,
  isPart: boolean,
): Promise<void> {
  for (const name of logs) {
    const log = await openLog(name);
    const reported = log.reported.slice(0, visitors);
    for (const model of models) {
      const base = await baseOf(log, model, work);
      const stage = await stageOf(log, base);
      for (const row of rows) {
        const key = rowKey(name, model, row);
        const { settings, make } = await fineTunersOf(row, model, stage, work);
        const found: Followed[] = [];
        const started = performance.now();
        for (let chunk = 0; chunk * CHUNK < reported.length; chunk++) {
          const file = join(work, `rows-${name}-${model}-${row}-${key}-${chunk}.safetensors`);
          const own = reported.slice(chunk * CHUNK, (chunk + 1) * CHUNK);
          let followed = readChunk(file);
          if (!(followed && followed.length >= own.length)) {
            if (chunk % share.of !== share.own) continue;
            followed = [];
            for (const visitor of own) followed.push(await follow(stage, visitor, make));
            writeChunk(file, followed);
          }
          found.push(...followed.slice(0, own.length));
        }
        if (isPart) continue;
        const result = {
          log: name,
          model,
          row,
          key,
          of: log.reported.length,
          ...figuresOf(found),
          settings,
          commit: commit(),
          command,
        };
        report(log, base, result);
        const { gated, ungated } = result;
        console.error(
          `${name} ${model} ${row}: gated ${interval(gated.difference)}, opened ${gated.opened.toFixed(3)}, of these worse ` +
            `${gated.worse.toFixed(3)}, lower ${gated.lower!.toFixed(3)}; ungated ${interval(ungated.difference)}; ` +
            `${Math.round((performance.now() - started) / 1000)} s`,
        );
      }
      base.scorer.dispose();
    }
  }
}

const interval = ({ mean, low, high }: { mean: number; low: number; high: number }): string =>
  `${mean.toFixed(4)} [${low.toFixed(4)}, ${high.toFixed(4)}]`;

/** Puts one row into the results; `npm run docs` writes their pages. */
function report(log: PersonalLog, { artifact }: Base, result: Result): void {
  const before = readReport();
  const others = before.results.filter(
    (old) => !(old.log === result.log && old.model === result.model && old.row === result.row),
  );
  const place = ({ log, model, row }: Result): number =>
    100 * LOG_NAMES.indexOf(log) + 10 * MODEL_NAMES.indexOf(model) + ROW_NAMES.indexOf(row);
  const protocols = { ...before.protocols, [log.name]: log.protocol };
  const { config, training } = artifact.info;
  const all: Report = {
    seed: SEED,
    simulator: SIMULATOR,
    adapter: ADAPTER,
    gate: GATE,
    protocols: Object.fromEntries(
      LOG_NAMES.filter((name) => name in protocols).map((name) => [name, protocols[name]!]),
    ),
    configurations: {
      ...before.configurations,
      [`${log.name} ${result.model}`]: { config, epochs: training.epochs as number },
    },
    results: [...others, result].sort((a, b) => place(a) - place(b)),
  };
  write(REPORT_FILE, `${JSON.stringify(all, null, 1)}\n`);
}

/** The results in the form of the other cases: the gated adapter beside the base. */
function shape() {
  const machine = host();
  const single = (value: number) => ({ median: value, min: value, max: value });
  const cases = readReport()
    .results.filter(({ row }) => row === 'adapter')
    .map(({ log, model, base, gated }) => ({
      case: `personal-${log}-${model}`,
      ours: single(gated['mrr@20']),
      peer: 'the same model, which learns nothing',
      theirs: single(base['mrr@20']),
      ratio: gated['mrr@20'] / base['mrr@20'],
      unit: 'MRR@20',
      runs: 1,
      threads: 1,
      facts: { low: gated.difference.low, high: gated.difference.high, opened: gated.opened, worse: gated.worse },
    }));
  return { machine, versions: { node: process.versions.node }, cases };
}
