/** Whether the best row of a comparison is worse than an artifact that is there already, such as yesterday's. */
import { RecommenderError } from '../../errors';
import { reindex, sessionCount } from '../../session/event-log';
import { readOfPart, withoutMinima } from '../../session/options';
import { writeTsv } from '../../session/write';
import { readItemIds } from '../files/artifact-folder';
import { join, pieces, replaceFiles } from '../files/disk';
import { readEventsFile } from '../files/events-file';
import type { Observer } from '../observer';
import type { Parts } from './parts';
import { artifactOf, type Run, readRanks, testRun } from './run';
import { bySession, type Difference, type MetricName, pairedDifference } from './statistics';

export interface Gate {
  /** The artifact that is to be reached. */
  readonly artifact: string;
  /** The row that is compared with it, and its artifact, of the first seed. */
  readonly row: string;
  readonly trained: string;
  /** Predictions of items that both know. */
  readonly predictions: number;
  readonly metric: MetricName;
  /** In the metric: the artifact that is there minus the row's. */
  readonly behind: Difference;
  /** Whether the whole interval is above 0. */
  readonly isWorse: boolean;
}

/**
 * Asks both on the events of items that both know, and ranks those items alone, so that products that are new to one of them
 * neither help nor harm.
 *
 * @param runs Finished runs of single models, in the order of the seeds.
 * @param names Rows, the best first.
 * @throws RecommenderError `bad-input` if there is nothing that both can predict; `bad-artifact`; what `evaluate` throws.
 */
export async function gateOf(
  artifact: string,
  runs: readonly Run[],
  names: readonly string[],
  { test, read }: Parts,
  metric: MetricName,
  out: string,
  observer: Observer,
): Promise<Gate> {
  const run = names.flatMap((name) => runs.find(({ plan }) => plan.name === name) ?? [])[0]!;
  const trained = artifactOf(run.folder, run.plan);
  const known = new Set(await readItemIds(artifact));
  const shared = (await readItemIds(trained)).filter((id) => known.has(id));
  const { log } = reindex(
    await readEventsFile(test, { ...withoutMinima(read), minItems: 1, features: 'all' }, observer),
    shared,
  );
  if (sessionCount(log) === 0) {
    const both = `${artifact} and ${trained}`;
    throw new RecommenderError('bad-input', `${test}: no session holds two items that both ${both} know.`);
  }
  const folder = join(out, 'at-least');
  const data = 'known-to-both.tsv.gz';
  await replaceFiles(folder, { [data]: pieces(writeTsv(log), { gzip: true, signal: observer.signal }) });
  const scores = async (of: string) => {
    const plan = { ...run.plan, test: join(folder, data), read: readOfPart(read) };
    await testRun(folder, plan, { artifacts: [of], candidates: shared }, [], observer);
    return readRanks(folder);
  };
  const [theirs, ours] = [await scores(artifact), await scores(trained)];
  const behind = pairedDifference(bySession([theirs], metric), bySession([ours], metric));
  const predictions = ours.length;
  return { artifact, row: run.plan.name, trained, predictions, metric, behind, isWorse: behind.low > 0 };
}

/** In a sentence, for a report and the command line. */
export function gateSentence({ artifact, row, metric, predictions, behind, isWorse }: Gate): string {
  const figure = (value: number) => value.toFixed(4);
  const verdict = isWorse ? 'worse than' : 'not worse than';
  const interval = `${artifact} is ahead by ${figure(behind.mean)} [${figure(behind.low)}, ${figure(behind.high)}]`;
  return `${row} is ${verdict} ${artifact}: in ${metric}, on ${predictions} predictions of items that both know, ${interval}.`;
}
