/**
 * Which training objective, and which side information, is better than which: Transformers4Rec's Table 2 in small, and
 * CL4SRec's second loss.
 *
 *     node test/run.mjs test/bench/objectives.ts [--work DIR]
 *
 * Asks no model: it reads the ranks of the rows that `quality.ts` has left in the same `--work`, compares each pair of
 * `objectives/record.ts` over the seeds that both have, and writes `results/objectives.json` with its page. Of what has no ranks
 * there, what was known stays.
 */
import { resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { readRun } from '../../src/pipeline/compare/run';
import { bySession, pairedDifference } from '../../src/pipeline/compare/statistics';
import type { Rank } from '../../src/pipeline/files/ranks';
import { metricsOf } from '../../src/train/metrics';
import { writeQuality } from '../docs/quality-pages';
import {
  type ClaimTest,
  claimsOf,
  type Figures,
  type Gap,
  METRIC,
  METRICS,
  OBJECTIVE_LOGS,
  type ObjectiveLog,
  type ObjectiveResults,
  type ObjectiveRow,
  readObjectives,
  writeObjectives,
} from './objectives/record';
import { jobsOf, qualityContextOf, rowFolderOf } from './quality/jobs';
import { folderOf, LOGS } from './quality/logs';
import { readResults } from './quality/record';
import { rowsOf } from './quality/rows';

/** Ranks by seed. */
type Runs = ReadonlyMap<number, readonly Rank[]>;

export async function main(args: readonly string[]): Promise<void> {
  const { values } = parseArgs({ args: [...args], options: { work: { type: 'string', default: '.cache/quality' } } });
  for (const log of OBJECTIVE_LOGS) {
    const rows = await ranksOf(log, resolve(values.work));
    console.error(`${log}: ranks of ${[...rows.keys()].join(', ') || 'no row'}`);
    if (rows.size === 0) continue;
    const known = readObjectives();
    writeObjectives({ ...known, [log]: merged(log, known[log], compared(log, rows)) });
  }
  writeQuality();
}

/** Of every row that claims are about: of the seeds that are committed and whose ranks are there. */
async function ranksOf(log: ObjectiveLog, work: string): Promise<Map<string, Map<number, readonly Rank[]>>> {
  const found = new Map<string, Map<number, readonly Rank[]>>();
  const data = folderOf(LOGS[log]);
  const { rows, partner } = readResults(log);
  if (!data || rows.length === 0) return found;
  const wanted = new Set(claimsOf(log).flatMap(({ better, worse }) => [better, worse]));
  const context = await qualityContextOf(log, data, work);
  const all = rowsOf(log, partner?.name);
  const named = all.filter(({ name }) => wanted.has(name));
  const seeds = [...new Set(rows.map(({ seed }) => seed))].sort((a, b) => a - b);
  for (const job of jobsOf(context, all, named, seeds)) {
    const { name } = job.row;
    if (!rows.some((row) => row.name === name && row.key === job.key)) continue;
    const { folder, plan } = rowFolderOf(context, job);
    const run = await readRun(folder, plan);
    if (run) found.set(name, new Map([...(found.get(name) ?? []), [job.seed, run.ranks]]));
  }
  return found;
}

function compared(log: ObjectiveLog, ranks: ReadonlyMap<string, Runs>): ObjectiveResults {
  const rows = [...ranks].map(
    ([name, runs]): ObjectiveRow => ({
      name,
      seeds: [...runs.keys()],
      all: [...runs.values()].map(figuresOf),
      last: [...runs.values()].map((run) => figuresOf(lastOf(run))),
    }),
  );
  const tests = claimsOf(log).flatMap((claim): ClaimTest[] => {
    const [better, worse] = [ranks.get(claim.better), ranks.get(claim.worse)];
    const seeds = [...(better?.keys() ?? [])].filter((seed) => worse?.has(seed));
    if (!better || !worse || seeds.length === 0) return [];
    const of = (runs: Runs) => seeds.map((seed) => runs.get(seed)!);
    const [a, b] = [of(better), of(worse)];
    return [{ ...claim, seeds, all: gapOf(a, b), last: gapOf(a.map(lastOf), b.map(lastOf)) }];
  });
  return { rows, tests };
}

/** What is new in the place of what was known by the same names. */
function merged(log: ObjectiveLog, known: ObjectiveResults | undefined, fresh: ObjectiveResults): ObjectiveResults {
  if (!known) return fresh;
  const rows = known.rows.filter(({ name }) => !fresh.rows.some((row) => row.name === name));
  const isFresh = (test: ClaimTest) =>
    fresh.tests.some(({ better, worse }) => test.better === better && test.worse === worse);
  const order = ({ better, worse }: ClaimTest) =>
    claimsOf(log).findIndex((claim) => claim.better === better && claim.worse === worse);
  const tests = [...known.tests.filter((test) => !isFresh(test)), ...fresh.tests];
  return { rows: [...rows, ...fresh.rows], tests: tests.sort((a, b) => order(a) - order(b)) };
}

function gapOf(a: readonly (readonly Rank[])[], b: readonly (readonly Rank[])[]): Gap {
  const { mean, low, high } = pairedDifference(bySession(a, METRIC), bySession(b, METRIC));
  const bySeed = a.map((ranks, i) => digits(figuresOf(ranks)[METRIC] - figuresOf(b[i]!)[METRIC]));
  return { mean: digits(mean), low: digits(low), high: digits(high), bySeed };
}

function figuresOf(ranks: readonly Rank[]): Figures {
  const metrics = metricsOf(
    ranks.map(({ rank }) => rank),
    [20],
  );
  return Object.fromEntries(METRICS.map((name) => [name, digits(metrics[name]!)])) as Figures;
}

/** The last prediction of every session. */
const lastOf = (ranks: readonly Rank[]): Rank[] => [...new Map(ranks.map((rank) => [rank.session, rank])).values()];

const digits = (value: number): number => Number(value.toFixed(5));
