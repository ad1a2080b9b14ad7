/**
 * Networks beside the counting baseline that was best on the validation part, on the same predictions, with intervals:
 *
 *     node test/run.mjs test/bench/claims.ts LOG [--work DIR]
 *
 * Reads the ranks of rows that `quality.ts` has measured with the same `--work`, and writes `results/claims-LOG.json`. A row with a seed
 * whose ranks are not there is named and left as it was.
 */
import { resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { readRun } from '../../src/pipeline/compare/run';
import { readEventsFile } from '../../src/pipeline/files/events-file';
import type { Rank } from '../../src/pipeline/files/ranks';
import type { EventLog } from '../../src/session/event-log';
import { writeQuality } from '../docs/quality-pages';
import { commit } from './machine';
import {
  type Claim,
  currentRuns,
  differencesOf,
  divisionsOf,
  readClaims,
  type Seen,
  strataOf,
  writeClaims,
} from './quality/claims';
import { bestCounter, tunedName } from './quality/counters';
import { jobsOf, qualityContextOf, rowFolderOf } from './quality/jobs';
import { folderOf, LOG_NAMES, LOGS, type LogName } from './quality/logs';
import { readResults } from './quality/record';
import { rowsOf } from './quality/rows';

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
  if (!model) throw new Error(`No search over counting stands for ${name}: run counters.ts first.`);
  const context = await qualityContextOf(name, data, resolve(values.work));
  const { rows, partner } = readResults(name);
  const all = rowsOf(name, partner?.name);

  /** Ranks of each current run of a row, or the seeds that lack them. */
  const ranksOf = async (row: string) => {
    const runs = currentRuns(rows, row);
    const plans = all.filter((plan) => plan.name === row);
    const found = await Promise.all(
      jobsOf(
        context,
        all,
        plans,
        runs.map(({ seed }) => seed),
      ).map(async (job) => {
        const { folder, plan } = rowFolderOf(context, job);
        const run = await readRun(folder, plan);
        return { seed: job.seed, ranks: run?.ranks, dropped: run?.result.dropped };
      }),
    );
    const missing = found.filter(({ ranks }) => !ranks).map(({ seed }) => seed);
    const ranks = found.flatMap(({ ranks }) => (ranks ? [ranks] : []));
    return { keys: runs.map(({ key }) => key), ranks, missing, dropped: found[0]?.dropped };
  };

  const counter = tunedName(model);
  const counted = await ranksOf(counter);
  const ranks = counted.ranks[0];
  if (!ranks)
    throw new Error(`Measure "${counter}" first: quality.ts ${name} --rows "${counter}" --again --work ${values.work}`);
  const train = await readEventsFile(context.files.train);
  const seen = seenBy(ranks, train, await readEventsFile(context.files.test));
  const divisions = divisionsOf(supportOf(train, log.holdout ?? 0));
  const claims: Claim[] = [];
  for (const { name: row, form } of all) {
    if (form !== 'improved' && form !== 'faithful') continue;
    if (currentRuns(rows, row).length === 0) continue;
    const network = await ranksOf(row);
    if (network.missing.length > 0) {
      console.error(`${row}: no ranks of seed ${network.missing.join(', ')} in ${values.work}; left as it was`);
      claims.push(...readClaims(name).filter((old) => old.network.row === row));
      continue;
    }
    claims.push({
      network: { row, keys: network.keys },
      counter: { row: counter, keys: counted.keys },
      differences: differencesOf(network.ranks, ranks, log.shown),
      dropped: counted.dropped!,
      strata: strataOf(network.ranks, ranks, seen, divisions, log.shown[0]!),
      commit: commit(),
    });
    console.error(`${row}: compared with ${counter}`);
  }
  writeClaims(name, claims);
  writeQuality();
}

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
