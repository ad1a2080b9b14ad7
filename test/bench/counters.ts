/**
 * Tunes what counts as `aisle search` tunes networks: for each counting baseline of a log 27 settings, drawn with one seed from its declared
 * space, on the validation part that chooses the networks' epochs, by the metric that the log shows first.
 *
 *     node test/run.mjs test/bench/counters.ts LOG [--models NAME,…] [--work DIR]
 *
 * Every trial is committed, in `results/counters-LOG.json`; the best of each baseline is a row of `quality.ts`, "NAME, tuned", which asks
 * the test part once. A search that was interrupted goes on where it was.
 */
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { observe } from '../../src/cli/progress';
import { baselines } from '../../src/neighbours/index';
import { search } from '../../src/pipeline/search/search';
import { commit, machine } from './machine';
import { readCounters, writeCounters } from './quality/counters';
import { filesOf } from './quality/files';
import { folderOf, LOG_NAMES, LOGS, type LogName } from './quality/logs';

const TRIALS = 27;
const SEED = 1;

export async function main(args: readonly string[]): Promise<void> {
  const { values, positionals } = parseArgs({
    args: [...args],
    allowPositionals: true,
    options: { models: { type: 'string' }, work: { type: 'string', default: '.cache/quality' } },
  });
  const [name] = positionals as [LogName];
  if (!LOG_NAMES.includes(name)) throw new RangeError(`Name a log: ${LOG_NAMES.join(', ')}.`);
  const log = LOGS[name];
  const data = folderOf(log);
  if (!data) throw new Error(`The log ${log.folder} of ../shared is not here; nothing to search on.`);
  const work = resolve(values.work);
  const { train } = await filesOf(name, log, data, join(work, 'data'));
  const { signal } = new AbortController(); // Ctrl-C ends the process; the trials are kept
  for (const model of values.models?.split(',') ?? Object.keys(baselines)) {
    const [metric] = log.shown;
    const begun = performance.now();
    const { best, space, trials } = await search({
      data: train,
      model,
      out: join(work, name, `search ${model}`),
      valid: log.holdout === undefined ? log.valid! : 'held-out',
      ...(log.holdout !== undefined && { holdout: log.holdout }),
      trials: TRIALS,
      seed: SEED,
      metric: metric!,
      ...observe({ stderr: process.stderr, signal }),
    });
    writeCounters(name, model, {
      metric: metric!,
      seed: SEED,
      space,
      trials: trials.map(({ config, value }) => ({ config, value: value ?? null })),
      best: { config: best.config, value: best.value },
      seconds: Math.round((performance.now() - begun) / 1000),
      commit: commit(),
      machine: machine(),
    });
    const tried = readCounters(name)[model]!.trials.length;
    console.error(
      `${name}, ${model}: ${metric} ${best.value.toFixed(4)} by ${JSON.stringify(best.config)}, of ${tried}`,
    );
  }
}
