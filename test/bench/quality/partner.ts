/** What networks of a log are mixed with, chosen once for each log. */
import { mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { observe } from '../../../src/cli/progress';
import type { RunPlan } from '../../../src/pipeline/compare/run';
import { countWithout, validationPart } from '../../../src/pipeline/compare/validation-part';
import { evaluate } from '../../../src/pipeline/evaluate';
import { shortHash } from '../../../src/pipeline/files/disk';
import { LOGS, type LogName, type QualityLog, splitOf } from './logs';
import { type Partner, readResults, writeResults } from './record';
import { configOf, countedRowsOf } from './rows';

/** Rows that a network may be mixed with, of those that a log has. */
const CANDIDATES = ['sr', 'v-sknn', 'stan', 'vstan', 'v-sknn, grid'];

type Candidate = Pick<RunPlan, 'name' | 'model' | 'config'>;

/**
 * Name of the row that networks are mixed with. It is chosen where none is known, or one was chosen otherwise; rows that are
 * mixed with another one are then dropped.
 *
 * @param train The log's training part.
 * @param folder For what is written on the way.
 */
export async function partnerOf(name: LogName, train: string, folder: string): Promise<string> {
  const log = LOGS[name];
  const candidates = countedRowsOf(name)
    .filter((row) => CANDIDATES.includes(row.name))
    .map((row) => ({ name: row.name, model: row.model, config: configOf(row, undefined) }));
  const facts = { candidates, metric: log.shown[0], ...splitOf(name) };
  const key = shortHash(facts);
  const { partner: known, rows, ...rest } = readResults(name);
  if (known?.key === key) return known.name;
  console.error(`${name}: what networks are mixed with is chosen on the validation part`);
  const partner = { ...(await choosePartner(candidates, log, train, folder)), key };
  console.error(`${name}: ${partner.name}`);
  const isOf = (other: string | undefined) => other === undefined || other === partner.name;
  writeResults(name, { ...rest, partner, rows: rows.filter(({ blended }) => isOf(blended?.with)) });
  return partner.name;
}

/** The candidate that does best by the log's first metric on the validation part; of equal ones the first. */
export async function choosePartner(
  candidates: readonly Candidate[],
  { shown, ...how }: Pick<QualityLog, 'shown' | 'protocol' | 'valid' | 'holdout'>,
  train: string,
  folder: string,
): Promise<Omit<Partner, 'key'>> {
  const metric = shown[0]!;
  // Ctrl-C ends the process: nothing that was begun is worth keeping.
  const { signal } = new AbortController();
  const observer = observe({ stderr: process.stderr, signal });
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  const part = await validationPart({ ...how, train, read: {} }, join(folder, 'parts'), [], observer);
  const reached: Record<string, number> = {};
  for (const [i, candidate] of candidates.entries()) {
    const artifact = join(folder, `${i}`);
    await countWithout(candidate, part, artifact, [], observer);
    const { evaluation } = await evaluate({ artifacts: [artifact], ...part.asking, ...observer });
    reached[candidate.name] = Number(evaluation.metrics.conservative[metric]!.toFixed(5));
  }
  rmSync(folder, { recursive: true });
  const [best] = Object.entries(reached).reduce((a, b) => (b[1] > a[1] ? b : a));
  return { name: best, metric, reached };
}
