/**
 * Tunes what counts, and networks, by the same `aisle search`: for each counting baseline of a log, or each row of a network that is
 * named, 27 settings, drawn with one seed from the declared space, on the validation part that chooses the networks' epochs, by
 * the metric that the log shows first. A network's first trial is its preset.
 *
 *     node test/run.mjs test/bench/searches.ts LOG [--rows NAME,…] [--work DIR]
 *
 * Default of `--rows`: every baseline. Every trial is committed, in `results/searches-LOG.json`; the best of each is a row of
 * `quality.ts`, "NAME, tuned", which asks the test part once, unless a network's preset is better. A search that was
 * interrupted goes on where it was.
 */
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { observe } from '../../src/cli/progress';
import { baselines } from '../../src/neighbours/index';
import { search } from '../../src/pipeline/search/search';
import { commit, machine } from './machine';
import { filesOf } from './quality/files';
import { folderOf, LOG_NAMES, LOGS, type LogName } from './quality/logs';
import { readResults } from './quality/record';
import { rowsOf } from './quality/rows';
import { writeSearch } from './quality/searches';

const TRIALS = 27;
const SEED = 1;

export async function main(args: readonly string[]): Promise<void> {
  const { values, positionals } = parseArgs({
    args: [...args],
    allowPositionals: true,
    options: { rows: { type: 'string' }, work: { type: 'string', default: '.cache/quality' } },
  });
  const [name] = positionals as [LogName];
  if (!LOG_NAMES.includes(name)) throw new RangeError(`Name a log: ${LOG_NAMES.join(', ')}.`);
  const log = LOGS[name];
  const data = folderOf(log);
  if (!data) throw new Error(`The log ${log.folder} of ../shared is not here; nothing to search on.`);
  const rows = rowsOf(name, undefined);
  const wanted = (values.rows?.split(',') ?? Object.keys(baselines)).map((wanted) => {
    const row = rows.find(({ name, form }) => name === wanted && (form === 'counted' || form === 'improved'));
    if (!row) throw new RangeError(`No row "${wanted}" to search for.`);
    if (row.form !== 'improved') return { row };
    const measured = readResults(name).rows.find((old) => old.name === wanted && old.seed === 1);
    if (!measured?.curve.length) {
      throw new RangeError(`What the preset itself has on the validation part is not known: measure ${wanted} first.`);
    }
    return { row, of: measured.key };
  });
  const work = resolve(values.work);
  const { train } = await filesOf(name, log, data, join(work, 'data'));
  const { signal } = new AbortController(); // Ctrl-C ends the process; the trials are kept
  for (const { row: planned, of } of wanted) {
    const { name: row, model, preset, set } = planned;
    const [metric] = log.shown;
    const begun = performance.now();
    const { best, space, trials } = await search({
      data: train,
      model,
      ...(preset !== undefined && { preset }),
      config: set,
      out: join(work, name, `search ${row}`),
      valid: log.holdout === undefined ? log.valid! : 'held-out',
      ...(log.holdout !== undefined && { holdout: log.holdout }),
      trials: TRIALS,
      seed: SEED,
      metric: metric!,
      ...observe({ stderr: process.stderr, signal }),
    });
    const { config } = trials[best.trial - 1]!;
    writeSearch(name, row, {
      ...(of && { of }),
      metric: metric!,
      seed: SEED,
      space,
      trials: trials.map(({ config, value, epochs }) => ({
        config,
        value: value ?? null,
        ...(preset !== undefined && { epochs: epochs.length }),
      })),
      best: { config, value: best.value },
      seconds: Math.round((performance.now() - begun) / 1000),
      commit: commit(),
      machine: machine(),
    });
    console.error(
      `${name}, ${row}: ${metric} ${best.value.toFixed(4)} by ${JSON.stringify(config)}, of ${trials.length}`,
    );
  }
}
