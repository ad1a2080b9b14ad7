/** Computes the runs of a comparison one after the other, and reuses finished ones. */

import { RecommenderError } from '../../errors';
import type { Metrics } from '../../train/metrics';
import { defined } from '../defined';
import { isAborted, sentenceOf } from '../errors';
import { inputHash } from '../files/events-file';
import { observerOf } from '../observer';
import type { RunObserver } from '../options';
import { computeEnsemble, type Ensemble, ensembleFolder, ensembleJobs, ensemblePlan } from './ensemble';
import type { Parts } from './parts';
import type { Failure } from './rows';
import { artifactOf, computeRun, type Run, type RunPlan, type RunResult, readRun, runFolder } from './run';
import type { MetricName } from './statistics';
import type { Variant } from './variants';
import { type Retrain, retrainText, usualRetrain, type Windows } from './windows';

/** Epochs of a network in each window, as in the paper. */
const EPOCHS_PER_WINDOW = 10;

/** One model with one seed: one run, or one for each window. */
interface Series {
  readonly name: string;
  readonly seed: number;
  readonly plans: readonly RunPlan[];
  /** Whether each run continues the artifact of the one before. */
  readonly goesOn: boolean;
  /** Of windows: what each test part lacks. */
  readonly dropped?: readonly RunResult['dropped'][];
}

export interface RunOptions extends Pick<RunPlan, 'protocol' | 'backend' | 'epochs' | 'valid' | 'holdout' | 'from'> {
  readonly seeds: readonly number[];
}

/** The results of several series. */
export interface Outcome {
  readonly runs: readonly Run[];
  readonly failures: readonly Failure[];
}

/** A variant with one way of retraining, which its name says where the model has several. */
export interface WindowedVariant extends Variant {
  readonly retrain: Retrain;
}

export const windowedVariants = (variants: readonly Variant[]): WindowedVariant[] =>
  variants.flatMap((variant) => {
    const { name, model, isNeural, retrain } = variant;
    const usual = retrain ? [retrain] : usualRetrain(model, isNeural);
    return usual.map((how) => ({
      ...variant,
      retrain: how,
      name: usual.length > 1 ? `${name}, ${retrainText(how)}` : name,
    }));
  });

export const seriesOnParts = (variants: readonly Variant[], parts: Parts, options: RunOptions): Series[] =>
  seeded(variants, options).map(({ variant: { retrain: _, ...variant }, seed }) => {
    const { train, test, read } = parts;
    return {
      name: variant.name,
      seed,
      goesOn: false,
      plans: [{ ...variant, ...common(variant, seed, options), train, test, read }],
    };
  });

export const seriesOnWindows = (
  variants: readonly WindowedVariant[],
  { steps, read }: Windows,
  options: RunOptions,
): Series[] =>
  seeded(variants, options).map(({ variant: { retrain, ...variant }, seed }) => ({
    name: variant.name,
    seed,
    goesOn: retrain.from === 'before',
    dropped: steps.map(({ dropped }) => dropped),
    plans: steps.map(({ name: step, test, train }) => ({
      ...variant,
      ...common(variant, seed, { epochs: EPOCHS_PER_WINDOW, ...options }),
      protocol: 'last-item',
      train: train(retrain),
      test,
      step,
      read,
    })),
  }));

/** Counting baselines have one seed. */
function seeded<V extends Variant>(variants: readonly V[], { seeds }: RunOptions) {
  return variants.flatMap((variant) =>
    (variant.isNeural ? seeds : seeds.slice(0, 1)).map((seed) => ({ variant, seed })),
  );
}

function common({ isNeural }: Variant, seed: number, { protocol, backend, epochs, valid, holdout, from }: RunOptions) {
  const computing = isNeural ? { backend, ...defined({ epochs, valid, from }) } : { backend: 'auto' as const };
  return { seed, protocol, ...computing, ...defined({ holdout }) };
}

/**
 * @param out Folder of the comparison.
 * @returns A run for each series that gave a result, and the reasons of the others.
 * @throws RecommenderError `aborted` with finished runs kept.
 * @throws Error if no series gave a result; its code, if any, is that of the first failure.
 */
export async function computeSeries(
  out: string,
  series: readonly Series[],
  metric: MetricName,
  observer: RunObserver,
): Promise<Outcome> {
  const contents: Record<string, string> = {};
  const runs: Run[] = [];
  const failures: (Failure & { readonly error: unknown })[] = [];
  const total = series.reduce((sum, { plans }) => sum + plans.length, 0);
  let count = 0;
  for (const { name, seed, plans, goesOn, dropped } of series) {
    const done: Run[] = [];
    let from: string | undefined;
    for (const planned of plans) {
      const plan = from === undefined ? planned : { ...planned, from };
      const { train, test, catalogue = train, step } = plan;
      const start = planned.from ?? train;
      const validation = plan.valid === undefined || plan.valid.startsWith('last:') ? train : plan.valid;
      for (const file of [train, test, catalogue, validation, start])
        contents[file] ??= await inputHash(file, observer);
      const folder = runFolder(out, plan, contents);
      const place = [++count, total] as const;
      const event = { name, place, metric, ...(plan.isNeural && { seed }), ...defined({ step }) };
      try {
        const known = await readRun(folder, plan);
        const run = known ?? (await computeRun(folder, plan, observerOf(observer)));
        done.push(run);
        observer.onRun?.({ ...event, result: resultOf(run, metric, known !== undefined) });
      } catch (error) {
        if (isAborted(error)) throw error;
        const message = sentenceOf(error);
        failures.push({ name, seed, message: `${step === undefined ? '' : `${step}: `}${message}`, error });
        observer.onRun?.({ ...event, failure: { message, error } });
        // A mean over fewer windows is not comparable with the other rows.
        count += plans.length - plans.indexOf(planned) - 1;
        break;
      }
      if (goesOn) from = artifactOf(folder, plan);
    }
    if (done.length === plans.length) runs.push(dropped ? overWindows(done, dropped) : done[0]!);
  }
  if (runs.length > 0) return { runs, failures: failures.map(({ error: _, ...failure }) => failure) };
  const { message, error: cause } = failures[0]!;
  const sentence = `No model gave a result. The first said: ${message}`;
  if (cause instanceof RecommenderError) throw new RecommenderError(cause.code, sentence, { cause });
  throw new Error(sentence, { cause });
}

const resultOf = ({ result }: Run, metric: MetricName, isCached: boolean) => ({
  value: result.metrics.conservative[metric]!,
  trainSeconds: result.trainSeconds,
  isCached,
});

/**
 * Evaluates the rows of several models, whose parts are finished.
 *
 * @throws RecommenderError `aborted` with finished runs kept.
 */
export async function computeEnsembles(
  out: string,
  ensembles: readonly Ensemble[],
  done: readonly Run[],
  metric: MetricName,
  observer: RunObserver,
): Promise<Outcome> {
  const runs: Run[] = [];
  const failures: Failure[] = [];
  for (const ensemble of ensembles) {
    const { name } = ensemble;
    const fail = (seed: number, message: string, error?: unknown) => {
      failures.push({ name, seed, message });
      observer.onRun?.({ name, metric, failure: { message, error } });
    };
    const jobs = ensembleJobs(ensemble, done);
    if (jobs.length === 0) fail(1, 'Its parts gave no result, or are one seed only: `seeds` 3.');
    for (const job of jobs) {
      const folder = ensembleFolder(out, job);
      try {
        const known = await readRun(folder, ensemblePlan(job));
        const run = known ?? (await computeEnsemble(folder, job, observerOf(observer)));
        runs.push(run);
        observer.onRun?.({ name, metric, result: resultOf(run, metric, known !== undefined) });
      } catch (error) {
        if (isAborted(error)) throw error;
        fail(job.parts[0]!.plan.seed, sentenceOf(error), error);
      }
    }
  }
  return { runs, failures };
}

/**
 * Unweighted means over windows; times, predictions and dropped events add up. Ranks and epochs are concatenated.
 */
function overWindows(runs: readonly Run[], dropped: readonly RunResult['dropped'][]): Run {
  const results = runs.map(({ result }) => result);
  const sum = (of: (result: RunResult) => number) => results.reduce((total, result) => total + of(result), 0);
  const mean = (of: (result: RunResult) => number) => sum(of) / results.length;
  const metrics = (ties: 'conservative' | 'standard'): Metrics =>
    Object.fromEntries(
      Object.keys(results[0]!.metrics[ties]).map((name) => [name, mean((result) => result.metrics[ties][name]!)]),
    );
  const last = results.at(-1)!;
  const epochs = results.flatMap((result) => result.epochs).map((epoch, i) => ({ ...epoch, epoch: i + 1 }));
  return {
    plan: runs.at(-1)!.plan,
    folder: runs.at(-1)!.folder,
    result: {
      epochs,
      metrics: { conservative: metrics('conservative'), standard: metrics('standard') },
      coverage: mean(({ coverage }) => coverage),
      popularity: mean(({ popularity }) => popularity),
      predictions: sum(({ predictions }) => predictions),
      sessions: sum(({ sessions }) => sessions),
      dropped: dropped.reduce((all, { events, sessions }) => ({
        events: all.events + events,
        sessions: all.sessions + sessions,
      })),
      trainSeconds: sum(({ trainSeconds }) => trainSeconds),
      processorSeconds: sum(({ processorSeconds }) => processorSeconds),
      evaluateSeconds: sum(({ evaluateSeconds }) => evaluateSeconds),
      evaluateProcessorSeconds: sum(({ evaluateProcessorSeconds }) => evaluateProcessorSeconds),
      peakMemoryBytes: Math.max(...results.map(({ peakMemoryBytes }) => peakMemoryBytes)),
      parameters: last.parameters,
      bytes: last.bytes,
      commands: results.flatMap(({ commands }) => commands),
    },
    ranks: runs.flatMap(({ plan, ranks }) =>
      ranks.map((rank) => ({ ...rank, session: `${plan.step} ${rank.session}` })),
    ),
    windows: runs.map(({ plan, result }) => ({ name: plan.step!, result })),
  };
}
