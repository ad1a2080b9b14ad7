/**
 * Rows of several models that are evaluated together: the ensemble of a row's seeds, and a row mixed with another, such as a
 * neighbour method. What they are made of was trained for rows of its own.
 */
import { RecommenderError } from '../../errors';
import type { Scale } from '../../ranking/combine';
import { evaluateCommand } from '../commands';
import { evaluateWeights } from '../evaluate';
import { basename, join, makeFolder, shortHash } from '../files/disk';
import type { Observer } from '../observer';
import { codeHash } from '../version';
import {
  artifactOf,
  CELLS,
  fileName,
  type Run,
  type RunPlan,
  type RunResult,
  testRun,
  validatedOf,
  writeRun,
} from './run';
import { countWithout, type ValidationPart, validationPart } from './validation-part';

export interface Ensemble {
  readonly name: string;
  /** Name of the row whose seeds are the equal parts, or that is mixed. */
  readonly of: string;
  /** Name of the row that is mixed in. */
  readonly with?: string;
  readonly combine: Scale;
  /** Share of what is mixed in. Default: the best of `WEIGHTS` on the validation part. */
  readonly weight?: number;
}

/** Shares that a validation part chooses from. */
const WEIGHTS = [0.05, 0.1, 0.15, 0.2, 0.3, 0.4, 0.5, 0.6, 0.8];

/** A finished run that is evaluated again. */
export type Part = Pick<Run, 'plan' | 'folder' | 'result'>;

/** A run of an ensemble that is to be computed. */
export interface EnsembleJob {
  readonly ensemble: Ensemble;
  /** All seeds, or the one that is mixed. */
  readonly parts: readonly Part[];
  readonly mixed?: Part;
}

/** The jobs of an ensemble: one of all seeds, or one for each seed that is mixed. */
export function ensembleJobs(ensemble: Ensemble, runs: readonly Part[]): EnsembleJob[] {
  const named = (name: string) => runs.filter(({ plan }) => plan.name === name);
  const parts = named(ensemble.of);
  if (ensemble.with === undefined) return parts.length > 1 ? [{ ensemble, parts }] : [];
  const others = named(ensemble.with);
  return parts.flatMap((part) => {
    const mixed = others.find(({ plan }) => plan.seed === part.plan.seed) ?? others[0];
    return mixed ? [{ ensemble, parts: [part], mixed }] : [];
  });
}

/** The plan of the ensemble's own run, never under the name of a model. */
export const ensemblePlan = ({ ensemble, parts, mixed }: EnsembleJob): RunPlan => ({
  ...parts[0]!.plan,
  backend: (mixed?.plan.isNeural ? mixed : parts[0]!).plan.backend,
  name: ensemble.name,
  model: ensemble.with === undefined ? 'ensemble' : 'mixture',
  config: {},
});

/** The folder's name contains a hash of the names of its parts' folders. */
export function ensembleFolder(out: string, { ensemble, parts, mixed }: EnsembleJob): string {
  const { name, of: _, with: __, ...how } = ensemble;
  const folders = [...parts, ...(mixed ? [mixed] : [])].map(({ folder }) => basename(folder));
  const hash = shortHash([how, folders, codeHash()]);
  return join(out, CELLS, `${fileName(name)}-${parts[0]!.plan.seed}-${hash}`);
}

/**
 * Evaluates the parts together. The share of a mixture is chosen on the validation part, with models not trained on it.
 *
 * @throws RecommenderError `bad-config` where nothing could choose; what `evaluate` throws; `aborted`.
 */
export async function computeEnsemble(folder: string, job: EnsembleJob, observer: Observer): Promise<Run> {
  const { ensemble, parts, mixed } = job;
  const { combine } = ensemble;
  const plan = ensemblePlan(job);
  const commands: string[] = [];
  await makeFolder(folder);
  const share = mixed && (await shareOf(ensemble, parts[0]!, mixed, folder, commands, observer));
  const mix = mixed && share && { mix: { dir: trainedOf(mixed), weights: [share.weight] } };
  const combination = { artifacts: parts.map(trainedOf), combine, ...mix };
  const tested = await testRun(folder, plan, combination, commands, observer);
  const all = [...parts, ...(mixed ? [mixed] : [])].map(({ result }) => result);
  const sum = (of: (result: RunResult) => number) => all.reduce((total, result) => total + of(result), 0);
  return writeRun(folder, plan, {
    epochs: [],
    ...tested,
    trainSeconds: sum((r) => r.trainSeconds),
    processorSeconds: sum((r) => r.processorSeconds),
    peakMemoryBytes: Math.max(...all.map((r) => r.peakMemoryBytes)),
    parameters: sum((r) => r.parameters),
    bytes: sum((r) => r.bytes),
    commands,
    blend: {
      by: combine,
      of: ensemble.of,
      ...(share ? { with: ensemble.with!, ...share } : { seeds: parts.map(({ plan }) => plan.seed) }),
    },
  });
}

const trainedOf = ({ folder, plan }: Part): string => artifactOf(folder, plan);

/** The given weight, or the best one on sessions that neither model has trained on. */
async function shareOf(
  { weight, combine }: Ensemble,
  first: Part,
  second: Part,
  folder: string,
  commands: string[],
  observer: Observer,
) {
  if (weight !== undefined) return { weight };
  const { artifacts, asking } = await unvalidated(first, second, folder, commands, observer);
  const options = {
    artifacts: [artifacts[0]],
    mix: { dir: artifacts[1], weights: WEIGHTS },
    combine,
    ...asking,
    backend: first.plan.backend,
  };
  commands.push(evaluateCommand(options));
  const { evaluation } = await evaluateWeights({ ...options, ...observer });
  const metric = 'mrr@20';
  const best = evaluation.weights.reduce((a, b) => (b.metrics[metric]! > a.metrics[metric]! ? b : a));
  return { weight: best.weight, chosen: { metric, value: best.metrics[metric]! } };
}

/** Both models trained without the validation part, and how to evaluate on that part. */
async function unvalidated(
  first: Part,
  second: Part,
  folder: string,
  commands: string[],
  observer: Observer,
): Promise<{ readonly artifacts: readonly [string, string]; readonly asking: ValidationPart['asking'] }> {
  const { plan } = first;
  if (plan.holdout !== undefined) {
    // The models have not trained on the event that chose the epochs.
    const { asking } = await validationPart(plan, folder, commands, observer);
    return { artifacts: [trainedOf(first), trainedOf(second)], asking };
  }
  if ([first, second].some(({ plan }) => plan.isNeural && plan.epochs !== undefined)) {
    throw new RecommenderError(
      'bad-config',
      'Which share of a mixture is best is chosen on the validation part, and with given epochs there is none. ' +
        'Leave the epochs out, or give the mixture a "weight".',
    );
  }
  if (!plan.isNeural) {
    throw new RecommenderError('bad-config', 'A mixture is of a network and something else; name the network first.');
  }
  const part = await validationPart(plan, join(folder, 'parts'), commands, observer);
  const counted = join(folder, 'counted');
  if (!second.plan.isNeural) await countWithout(second.plan, part, counted, commands, observer);
  const other = second.plan.isNeural ? validatedOf(second.folder) : counted;
  return { artifacts: [validatedOf(first.folder), other], asking: part.asking };
}
