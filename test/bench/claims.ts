/**
 * Networks beside counting on the same predictions, with intervals: beside the baseline that was best on the validation part, and
 * the row that is the best of the test part in a metric.
 *
 *     node test/run.mjs test/bench/claims.ts LOG [--work DIR]
 *
 * Reads the ranks of rows that `quality.ts` has measured with the same `--work`, and writes `results/claims-LOG.json`. What counts is
 * trained again where its ranks are not there, in seconds. A network with a seed whose ranks are not there is named and left as
 * it was.
 */
import { resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { observe } from '../../src/cli/progress';
import { computeRun, type Run, readRun } from '../../src/pipeline/compare/run';
import { readEventsFile } from '../../src/pipeline/files/events-file';
import type { Rank } from '../../src/pipeline/files/ranks';
import type { EventLog } from '../../src/session/event-log';
import { writeQuality } from '../docs/quality-pages';
import { commit } from './machine';
import {
  bestOnTest,
  type Claim,
  currentRuns,
  differencesOf,
  divisionsOf,
  readClaims,
  type Seen,
  strataOf,
  writeClaims,
} from './quality/claims';
import { jobsOf, qualityContextOf, rowFolderOf } from './quality/jobs';
import { folderOf, LOG_NAMES, LOGS, type LogName } from './quality/logs';
import { METRICS, type QualityRow, readResults } from './quality/record';
import { rowsOf } from './quality/rows';
import { bestCounter, tunedName } from './quality/searches';

export async function main(args: readonly string[]): Promise<void> {
  const { values, positionals } = parseArgs({
    args: [...args],
    allowPositionals: true,
    options: { work: { type: 'string', default: '.cache/quality' } },
  });
  const [name] = positionals as [LogName];
  if (!LOG_NAMES.includes(name)) throw new RangeError(`Name a log: ${LOG_NAMES.join(', ')}.`);
  const log = LOGS[name];
  const data = folderOf(log);
  if (!data) throw new Error(`The log ${log.folder} of ../shared is not here.`);
  const model = bestCounter(name);
  if (!model) throw new Error(`No search over counting stands for ${name}: run searches.ts first.`);
  const context = await qualityContextOf(name, data, resolve(values.work));
  const { rows, partner } = readResults(name);
  const all = rowsOf(name, partner?.name);
  const observer = observe({ stderr: process.stderr, signal: new AbortController().signal });

  /** Ranks of each current run of a row, or the seeds that lack them. */
  const ranksOf = async (row: string) => {
    const runs = currentRuns(rows, row);
    const plans = all.filter((plan) => plan.name === row);
    const seeds = runs.map(({ seed }) => seed);
    const found = await Promise.all(
      jobsOf(context, all, plans, seeds).map(async (job, i) => {
        const { folder, plan } = rowFolderOf(context, job);
        const run =
          (await readRun(folder, plan)) ??
          (job.row.form === 'counted' ? await computeRun(folder, plan, observer) : undefined);
        if (run && !hasFigures(run, runs[i]!))
          throw new Error(`${row}, seed ${job.seed}: ${folder} has other figures than the table. Measure it again.`);
        return { seed: job.seed, ranks: run?.ranks, dropped: run?.result.dropped };
      }),
    );
    const missing = found.filter(({ ranks }) => !ranks).map(({ seed }) => seed);
    const ranks = found.flatMap(({ ranks }) => (ranks ? [ranks] : []));
    return { keys: runs.map(({ key }) => key), ranks, missing, dropped: found[0]?.dropped };
  };

  const train = await readEventsFile(context.files.train);
  const test = await readEventsFile(context.files.test);
  const divisions = divisionsOf(supportOf(train, log.holdout ?? 0));
  const counters = new Map<string, Awaited<ReturnType<typeof ranksOf>>>();
  for (const { name: row, form } of all) {
    if (form === 'counted' && currentRuns(rows, row).length > 0) counters.set(row, await ranksOf(row));
  }
  const counter = tunedName(model);
  const { keys, ranks, dropped } = counters.get(counter)!;
  const seen = seenBy(ranks[0]!, train, test);
  const [first] = log.shown as [string];
  const counted = [...counters].map(([row, { keys, ranks }]) => ({
    row,
    keys,
    strata: strataOf(ranks, seen, divisions, first),
  }));
  const networks: Claim[] = [];
  for (const { name: row, form } of all) {
    if (form !== 'improved' && form !== 'faithful') continue;
    if (currentRuns(rows, row).length === 0) continue;
    const network = await ranksOf(row);
    if (network.missing.length > 0) {
      console.error(`${row}: no ranks of seed ${network.missing.join(', ')} in ${values.work}; left as it was`);
      networks.push(...readClaims(name).networks.filter((old) => old.network.row === row));
      continue;
    }
    const besideBest = log.shown.slice(0, 2).map((metric) => {
      const rival = bestOnTest(rows, metric).name;
      const found = differencesOf(network.ranks, counters.get(rival)!.ranks[0]!, [metric])[metric]!;
      return [metric, { row: rival, ...found }] as const;
    });
    networks.push({
      network: { row, keys: network.keys },
      counter: { row: counter, keys },
      differences: differencesOf(network.ranks, ranks[0]!, log.shown),
      besideBest: Object.fromEntries(besideBest),
      dropped: dropped!,
      strata: strataOf(network.ranks, seen, divisions, first),
      commit: commit(),
    });
    console.error(`${row}: compared with ${counter}`);
  }
  writeClaims(name, { counted, networks });
  writeQuality();
}

/** Whether a run is the one of a committed row, whose figures are rounded. */
const hasFigures = ({ result }: Run, { metrics }: QualityRow): boolean =>
  METRICS.every((name) => Math.abs(result.metrics.conservative[name]! - metrics.conservative[name]!) < 6e-6);

/** @param holdout Last events of every session that are not learnt from. */
function supportOf({ sessions, itemIds }: EventLog, holdout: number): Map<string, number> {
  const support = new Map<string, number>();
  for (let s = 0; s + 1 < sessions.offsets.length; s++) {
    for (let e = sessions.offsets[s]!; e < sessions.offsets[s + 1]! - holdout; e++) {
      const id = itemIds[sessions.items[e]! - 1]!;
      support.set(id, (support.get(id) ?? 0) + 1);
    }
  }
  return support;
}

/**
 * The clicks before each prediction, as models saw them: those on items of the training part.
 *
 * @throws Error where the file holds other clicks than were predicted.
 */
function seenBy(ranks: readonly Rank[], train: EventLog, { sessions, itemIds, sessionIds }: EventLog): Seen[] {
  const known = new Set(train.itemIds);
  const clicks = new Map<string, string[]>();
  for (const [s, id] of sessionIds.entries()) {
    const items = Array.from(
      sessions.items.subarray(sessions.offsets[s]!, sessions.offsets[s + 1]!),
      (item) => itemIds[item - 1]!,
    );
    clicks.set(
      id,
      items.filter((item) => known.has(item)),
    );
  }
  return ranks.map(({ session, position, item }) => {
    const all = clicks.get(session);
    if (all?.[position + 1] !== item)
      throw new Error(`The click after position ${position} of session ${session} is not the one that was predicted.`);
    return { clicks: all.slice(0, position + 1), target: item };
  });
}
