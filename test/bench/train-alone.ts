/**
 * What `aisle train` prints with no flag but the model:
 *
 *     node test/run.mjs test/bench/train-alone.ts [--logs NAME,…] [--work DIR] [--threads N]
 *
 * Results go to `results/train-alone.{json,md}`; rows of other logs stay. A training that was interrupted goes on where it was. Needs the
 * logs; those of the simulator it makes.
 */
import { existsSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { parseArgs } from 'node:util';
import { run } from '../../src/cli/main';
import { observe } from '../../src/cli/progress';
import { openThreadOf } from '../../src/pipeline/files/threads';
import { nodeHost } from '../../src/pipeline/files/training-host';
import type { Progress } from '../../src/pipeline/observer';
import { EVENTS_FILE } from '../../src/pipeline/simulate/files';
import { trainOn } from '../../src/pipeline/training';
import { CHECKPOINT } from '../../src/pipeline/training-checkpoint';
import { type Measured, verdict } from '../../src/pipeline/validation';
import { buildChanged, built } from '../build/built';
import { writeQuality } from '../docs/quality-pages';
import { commit, machine } from './machine';
import { filesOf } from './quality/files';
import { folderOf, LOGS as QUALITY_LOGS } from './quality/logs';
import {
  LOGS,
  type Log,
  type LogResult,
  MODEL,
  readTrainAlone,
  SHOPS,
  type ShopName,
  writeTrainAlone,
} from './train-alone/record';

/** Its threads are those of the built program: Node starts none from TypeScript. */
const HOST = { ...nodeHost, openThread: openThreadOf(pathToFileURL(join(built('cli'), 'thread.js'))) };

export async function main(argv: readonly string[]): Promise<void> {
  const { values } = parseArgs({
    args: [...argv],
    options: {
      logs: { type: 'string', default: Object.keys(LOGS).join() },
      work: { type: 'string', default: '.cache/train-alone' },
      threads: { type: 'string' },
    },
  });
  const names = values.logs.split(',');
  const unknown = names.find((name) => !Object.hasOwn(LOGS, name));
  if (unknown !== undefined)
    throw new RangeError(`No log is called ${unknown}. There are ${Object.keys(LOGS).join(', ')}.`);
  buildChanged(['cli']);
  for (const log of names as Log[]) {
    const result = await trained(log, resolve(values.work), values.threads);
    console.log(`${log}: ${result.line}`);
    writeTrainAlone({ ...readTrainAlone(), [log]: result });
    writeQuality();
  }
}

const isShop = (log: Log): log is ShopName => Object.hasOwn(SHOPS, log);

/** The log's file, as the pages of quality cut it; eshop, which they cut for a test of its newest week, is whole. */
async function dataOf(log: Log, work: string): Promise<string> {
  if (isShop(log)) {
    const out = join(work, `shop of ${log}`);
    const flags = Object.entries(SHOPS[log]).flatMap(([flag, value]) => [`--${flag}`, `${value}`]);
    const code = await run(['simulate', '--out', out, ...flags], { stdout: process.stdout, stderr: process.stderr });
    if (code !== 0) throw new Error('The shop could not be simulated.');
    return join(out, EVENTS_FILE);
  }
  const folder = folderOf(QUALITY_LOGS[log]);
  if (!folder) throw new Error(`The log ${log} is not here.`);
  if (log === 'eshop') return join(folder, 'sessions.tsv.gz');
  return (await filesOf(log, QUALITY_LOGS[log], folder, work)).train;
}

async function trained(log: Log, work: string, threads = '1'): Promise<LogResult> {
  const data = await dataOf(log, join(work, 'data'));
  const out = join(work, log);
  const { onProgress, ...observer } = observe({ stderr: process.stderr, signal: new AbortController().signal });
  let comparison = 0;
  const timed = (progress: Progress): void => {
    onProgress?.(progress);
    if (!progress.label.startsWith('Comparing')) return;
    if (progress.isFinished) comparison += performance.now() / 1000;
    else if (progress.done === 0) comparison = -performance.now() / 1000;
  };
  const options = {
    data,
    model: MODEL,
    out,
    resume: existsSync(join(out, CHECKPOINT)),
    ...(threads !== '1' && { threads: Number(threads) }),
  };
  const { result, validation } = await trainOn(HOST, { ...options, ...observer, onProgress: timed }, true);
  const { auto, best, epochs, refit, seconds } = result;
  if (!validation || !refit) throw new Error(`${log}: nothing was compared, or nothing trained again.`);
  return {
    line: verdict(validation, result),
    preset: auto!.preset,
    seconds: Math.round(seconds),
    comparisonSeconds: Math.round(comparison),
    threads: Number(threads),
    epochs: epochs.length,
    bestEpoch: best!.epoch,
    predictions: validation.predictions,
    network: rounded(validation.model),
    counting: validation.counting.map(rounded),
    refit: { events: refit.events, items: refit.items },
    commit: commit(),
    machine: machine(),
  };
}

const rounded = ({ metrics, ...rest }: Measured): Measured => ({
  ...rest,
  metrics: Object.fromEntries(Object.entries(metrics).map(([name, value]) => [name, Number(value.toFixed(5))])),
});
