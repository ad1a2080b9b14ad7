/** A whole training: epochs, validation after each, early stopping, and a state to resume from at any point. */
import type { Tensor } from '@tensorflow/tfjs';
import { RecommenderError } from '../errors';
import { upload } from '../models/tensors';
import { neuralScorer } from '../ranking/neural-scorer';
import type { NdArrays, Sessions } from '../types';
import { WeightAverage } from './average';
import { conservativeMetrics, pastOf } from './evaluate';
import { type Progress, Trainer, type TrainerOptions, type TrainerState } from './trainer';
import type { Protocol } from './types';

/** What selects the best epoch, and ends a training that no longer gets better, where nobody names another. */
export const SELECTION_METRIC = 'mrr@20';
/** Epochs without a better validation after which a training ends, where its plan does not say. */
export const PATIENCE = 5;

export interface FitOptions<C> extends TrainerOptions<C> {
  readonly epochs: number;
  /** Sessions to validate on after every epoch; absent: the last epoch is the result. */
  readonly valid?: Sessions;
  /** What of them is predicted. Default `events`. */
  readonly validProtocol?: Protocol;
  /** Of the validation: selects the best epoch, and ends a training that no longer gets better. Default `mrr@20`. */
  readonly metric?: string;
  /** Epochs without a better validation after which training ends. Default: the plan's, else 5. */
  readonly patience?: number;
  readonly resume?: FitState;
  readonly signal?: AbortSignal;
  readonly onProgress?: (progress: Progress) => void;
  /** After every epoch and its validation; the state is what `resume` takes. */
  readonly onEpoch?: (epoch: EpochResult, state: () => Promise<FitState>) => Promise<void> | void;
}

export interface EpochResult {
  /** From 1. */
  readonly epoch: number;
  readonly loss: number;
  /** What the objective measures beside its loss, such as the contrastive part: means over the epoch, by name. */
  readonly measures?: Readonly<Record<string, number>>;
  readonly seconds: number;
  /** Conservative metrics on the validation sessions. */
  readonly valid?: Readonly<Record<string, number>>;
}

export interface BestEpoch {
  readonly epoch: number;
  /** What selected it, or `loss` of the last epoch without validation. */
  readonly metric: string;
  readonly value: number;
}

/** A training that was interrupted, as plain data. */
export interface FitState {
  readonly trainer: TrainerState;
  readonly epochs: readonly EpochResult[];
  /** Seconds spent on the epoch that runs, and its loss where only its validation is missing. */
  readonly seconds: number;
  readonly unvalidated?: number;
  readonly best?: { readonly epoch: BestEpoch; readonly weights: NdArrays };
  /** Where weights are averaged: those at the ends of the last epochs. */
  readonly ends?: readonly NdArrays[];
  /** Time and memory that the training has used so far, where the caller measures them. */
  readonly spent?: Spent;
}

/** Seconds by the clock, and of processor time. */
export interface Spent {
  readonly seconds: number;
  readonly processorSeconds: number;
}

export interface FitResult {
  readonly epochs: readonly EpochResult[];
  readonly best: BestEpoch;
  /** Averaged where the plan says so. */
  readonly weights: NdArrays;
}

/** A training that its signal ended: `state` goes on from there. */
export class Interrupted extends RecommenderError {
  constructor(readonly state: FitState) {
    super('aborted', `Training was interrupted in epoch ${state.epochs.length + 1}.`);
  }
}

/**
 * Trains a model. A backend must be running, with training registered.
 *
 * @throws Interrupted once the signal fires, with the state to resume from.
 * @throws RecommenderError `diverged` if the loss is not finite, `not-finite` if a score in validation is not; `bad-input` if there
 *   is nothing to learn.
 */
export async function fitModel<C>(options: FitOptions<C>): Promise<FitResult> {
  const { resume, valid, signal, metric = SELECTION_METRIC } = options;
  const plan = options.training.plan(options.config);
  const { patience = plan.patience ?? PATIENCE } = options;
  const { averageEpochs = 1 } = plan;
  const trainer = new Trainer(options, resume?.trainer);
  const average = averageEpochs > 1 ? new WeightAverage(averageEpochs, resume?.ends) : undefined;
  const runEpoch = async (): Promise<number> => {
    const loss = await trainer.runEpoch(signal, options.onProgress);
    average?.add(await trainer.weights());
    return loss;
  };
  const written = trainer.written ?? ((weights: NdArrays) => weights);
  const validated = async (valid: Sessions) => {
    if (!average && !trainer.written) return validate(options, trainer.params, valid);
    const params = upload(written(await weights()));
    try {
      return await validate(options, params, valid);
    } finally {
      for (const param of Object.values(params)) param.dispose();
    }
  };
  /** Of the epochs so far. */
  const weights = async (): Promise<NdArrays> => average?.mean() ?? trainer.weights();
  const epochs: EpochResult[] = [...(resume?.epochs ?? [])];
  let best = resume?.best;
  let seconds = resume?.seconds ?? 0;
  let unvalidated = resume?.unvalidated;
  const state = async (): Promise<FitState> => ({
    trainer: await trainer.save(),
    epochs: [...epochs],
    seconds,
    ...(unvalidated !== undefined && { unvalidated }),
    ...(best && { best }),
    ...(average && { ends: average.ends }),
  });
  const isStale = (): boolean => best !== undefined && epochs.length - best.epoch.epoch >= patience;
  try {
    while (epochs.length < options.epochs && !(valid && isStale())) {
      const started = performance.now();
      const before = seconds;
      try {
        unvalidated ??= await runEpoch();
        const metrics = valid && (await validated(valid));
        seconds = before + (performance.now() - started) / 1000;
        const result: EpochResult = {
          epoch: epochs.length + 1,
          loss: unvalidated,
          ...(trainer.measures && { measures: trainer.measures }),
          seconds,
          ...(metrics && { valid: metrics }),
        };
        epochs.push(result);
        if (metrics && !(best && best.epoch.value >= metrics[metric]!)) {
          const epoch = { epoch: result.epoch, metric, value: metrics[metric]! };
          best = { epoch, weights: await weights() };
        }
        unvalidated = undefined;
        seconds = 0;
        await options.onEpoch?.(result, state);
      } catch (error) {
        if (!(error instanceof RecommenderError && error.code === 'aborted')) throw error;
        seconds = before + (performance.now() - started) / 1000;
        throw new Interrupted(await state());
      }
    }
    const last = epochs.at(-1)!;
    return {
      epochs,
      best: best?.epoch ?? { epoch: last.epoch, metric: 'loss', value: last.loss },
      weights: written(best?.weights ?? (await weights())),
    };
  } finally {
    trainer.dispose();
  }
}

/** Conservative metrics of parameters. */
async function validate<C>(
  { training, config, catalogue, sessions: trained, validProtocol: protocol = 'events', signal }: FitOptions<C>,
  params: Readonly<Record<string, Tensor>>,
  sessions: Sessions,
): Promise<Readonly<Record<string, number>>> {
  const scorer = neuralScorer(training.network, params, config, catalogue);
  try {
    return await conservativeMetrics(scorer, sessions, {
      protocol,
      support: catalogue.support!,
      past: pastOf(protocol, trained),
      ...(signal && { signal }),
    });
  } finally {
    scorer.dispose();
  }
}
