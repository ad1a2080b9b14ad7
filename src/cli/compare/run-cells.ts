/** Runs the cells of a comparison one after the other; what is there already is not repeated. */
import { RecommenderError } from '../../errors';
import type { Context } from '../context';
import { CommandError } from '../errors';
import { duration } from '../progress';
import { type Blend, blendFolder, blendJobs, blendPlan, computeBlend } from './blend';
import { artifactOf, type Cell, type CellPlan, cellFolder, computeCell, readCell } from './cell';
import { overWindows } from './merge';
import { contentOf, type Parts } from './parts';
import type { Failure } from './rows';
import type { MetricName } from './statistics';
import type { Variant } from './variants';
import { type Retrain, retrainText, usualRetrain, type Windows } from './windows';

/** Networks learn so many epochs in each window, as in the paper. */
const EPOCHS_PER_WINDOW = 10;

/** One model with one seed: one cell, or one per window. */
interface Run {
  readonly name: string;
  readonly seed: number;
  readonly plans: readonly CellPlan[];
  /** Whether each cell goes on from the artifact of the one before. */
  readonly goesOn: boolean;
}

export interface RunOptions {
  readonly seeds: readonly number[];
  readonly protocol: string;
  readonly backend: string;
  readonly epochs?: number;
  readonly valid?: string;
  readonly holdout?: number;
}

/** A variant with one way of retraining, which its name tells where the model has several. */
export interface WindowedVariant extends Variant {
  readonly retrain: Retrain;
}

export const windowedVariants = (variants: readonly Variant[]): WindowedVariant[] =>
  variants.flatMap((variant) => {
    const { name, model, isNeural, retrain } = variant;
    const usual = retrain ? [retrain] : usualRetrain(model, isNeural);
    return usual.map((how) => ({
      ...{ ...variant, retrain: how },
      name: usual.length > 1 ? `${name}, ${retrainText(how)}` : name,
    }));
  });

export const runsOnParts = (variants: readonly Variant[], parts: Parts, options: RunOptions): Run[] =>
  seeded(variants, options).map(({ variant: { retrain: _, ...variant }, seed }) => {
    const { train, test, reading } = parts;
    return {
      name: variant.name,
      seed,
      goesOn: false,
      plans: [{ ...variant, ...common(variant, seed, options), train, test, reading }],
    };
  });

export const runsOnWindows = (variants: readonly WindowedVariant[], { steps }: Windows, options: RunOptions): Run[] =>
  seeded(variants, options).map(({ variant: { retrain, ...variant }, seed }) => ({
    name: variant.name,
    seed,
    goesOn: retrain.from === 'before',
    plans: steps.map(({ name: step, test, train }) => ({
      ...{ ...variant, ...common(variant, seed, { epochs: EPOCHS_PER_WINDOW, ...options }), protocol: 'last-item' },
      ...{ train: train(retrain), test, step, reading: [] },
    })),
  }));

/** Counting knows no seed. */
function seeded<V extends Variant>(variants: readonly V[], { seeds }: RunOptions) {
  return variants.flatMap((variant) =>
    (variant.isNeural ? seeds : seeds.slice(0, 1)).map((seed) => ({ variant, seed })),
  );
}

function common({ isNeural }: Variant, seed: number, { protocol, backend, epochs, valid, holdout }: RunOptions) {
  return {
    ...{ seed, protocol, backend },
    ...(isNeural && epochs !== undefined && { epochs }),
    ...(isNeural && valid !== undefined && { valid }),
    ...(holdout !== undefined && { holdout }),
  };
}

/**
 * @param out Folder of the comparison.
 * @returns A cell for each run that gave a result, and what the others said.
 * @throws RecommenderError `aborted` with finished cells kept.
 * @throws CommandError if no run gave a result: it ends as the first of them did.
 */
export async function runCells(
  out: string,
  runs: readonly Run[],
  metric: MetricName,
  context: Pick<Context, 'run' | 'stderr' | 'signal'>,
): Promise<{ readonly cells: readonly Cell[]; readonly failures: readonly Failure[] }> {
  const contents: Record<string, string> = {};
  const cells: Cell[] = [];
  const failures: Failure[] = [];
  let first: CommandError | undefined;
  const total = runs.reduce((sum, { plans }) => sum + plans.length, 0);
  let count = 0;
  for (const { name, seed, plans, goesOn } of runs) {
    const done: Cell[] = [];
    let from: string | undefined;
    for (const planned of plans) {
      const plan = from === undefined ? planned : { ...planned, from };
      const { train, test, catalogue = train } = plan;
      const validation = plan.valid === undefined || plan.valid.startsWith('last:') ? train : plan.valid;
      for (const file of [train, test, catalogue, validation]) contents[file] ??= await contentOf(file);
      const what = [name, ...(plan.isNeural ? [`seed ${seed}`] : []), ...(plan.step === undefined ? [] : [plan.step])];
      const label = `[${++count}/${total}] ${what.join(', ')}`;
      const folder = cellFolder(out, plan, contents);
      const known = await readCell(folder, plan);
      try {
        const cell = known ?? (await computeCell(folder, plan, context));
        done.push(cell);
        const { metrics, trainSeconds } = cell.result;
        const how = known ? 'was there already' : `trained in ${duration(trainSeconds)}`;
        context.stderr.write(`${label}: ${metric} ${metrics.conservative[metric]!.toFixed(4)}, ${how}\n`);
      } catch (error) {
        if (!(error instanceof CommandError)) throw error;
        first ??= error;
        const where = plan.step === undefined ? '' : `${plan.step}: `;
        failures.push({ name, seed, message: `${where}${error.message}` });
        context.stderr.write(`${label}: no result. ${error.message}\n`);
        // A mean over other windows than the other rows have would compare with nothing.
        count += plans.length - plans.indexOf(planned) - 1;
        break;
      }
      if (goesOn) from = artifactOf(folder, plan);
    }
    if (done.length === plans.length) cells.push(plans[0]!.step === undefined ? done[0]! : overWindows(done));
  }
  if (cells.length > 0) return { cells, failures };
  throw new CommandError(first!.exitCode, `No model gave a result. The first said: ${failures[0]!.message}`);
}

/**
 * Runs the rows of several models, once those that they are made of are there.
 *
 * @throws RecommenderError `aborted` with finished cells kept.
 */
export async function runBlends(
  out: string,
  blends: readonly Blend[],
  done: readonly Cell[],
  metric: MetricName,
  context: Pick<Context, 'run' | 'stderr' | 'signal'>,
): Promise<{ readonly cells: readonly Cell[]; readonly failures: readonly Failure[] }> {
  const cells: Cell[] = [];
  const failures: Failure[] = [];
  const fail = (name: string, seed: number, message: string) => {
    failures.push({ name, seed, message });
    context.stderr.write(`${name}: no result. ${message}\n`);
  };
  for (const blend of blends) {
    const jobs = blendJobs(blend, done);
    if (jobs.length === 0) fail(blend.name, 1, 'Its parts gave no result, or are one seed only: --seeds 3.');
    for (const job of jobs) {
      const folder = blendFolder(out, job);
      try {
        const known = await readCell(folder, blendPlan(job));
        const cell = known ?? (await computeBlend(folder, job, context));
        cells.push(cell);
        const how = known ? ', was there already' : '';
        context.stderr.write(
          `${blend.name}: ${metric} ${cell.result.metrics.conservative[metric]!.toFixed(4)}${how}\n`,
        );
      } catch (error) {
        const isAborted = error instanceof RecommenderError && error.code === 'aborted';
        if (isAborted || !(error instanceof RecommenderError || error instanceof CommandError)) throw error;
        fail(blend.name, job.parts[0]!.plan.seed, error.message);
      }
    }
  }
  return { cells, failures };
}
