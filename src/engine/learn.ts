/** Learning any model, neural or counted, from a log in memory to what an artifact holds. One home for page and shell. */
import { type CatalogueItem, type GoldenCheck, SUPPORT_TENSOR } from '../checkpoint/artifact';
import { itemFeatures, toTensors } from '../checkpoint/item-features';
import { RecommenderError, throwIfAborted } from '../errors';
import { configure } from '../models/configuration';
import { grown } from '../models/grown';
import { models } from '../models/index';
import type { SessionModel } from '../models/model';
import { initialise, size } from '../models/parameters';
import { baselines } from '../neighbours/index';
import { type BestEpoch, type EpochResult, type FitState, fitModel } from '../train/fit';
import type { Layout, Team } from '../train/team';
import { type Progress, Trainer } from '../train/trainer';
import type { Catalogue, NdArray, Sessions } from '../types';
import { registerTraining } from './backends/training';
import { goldenAnswer } from './golden-check';
import { loadScorer, NAMELESS } from './load-scorer';

export interface LearnOptions {
  /** Name of an architecture or a counting baseline. */
  readonly model: string;
  /** Configuration keys that differ from the model's defaults. */
  readonly config: Readonly<Record<string, unknown>>;
  readonly sessions: Sessions;
  readonly itemIds: readonly string[];
  /** Events of each item, `[n + 1]`. */
  readonly support: Int32Array;
  /** What is known of the items, for models that read their features. */
  readonly products?: readonly CatalogueItem[];
  readonly seed: number;
  /** Passes over the sessions. Default: the configuration's. */
  readonly epochs?: number;
  /** Sessions that select the best epoch and end the training early, in the same item indices. */
  readonly valid?: Sessions;
  readonly resume?: FitState;
  /** Weights to go on from, of the same model with the first `items` of the items; default: drawn from the seed. */
  readonly from?: { readonly items: number; readonly tensors: Readonly<Record<string, NdArray>> };
  /** Other threads to share every step with, given the size of each parameter; `learn` ends the team. */
  readonly team?: (layout: Layout) => Promise<Team>;
  readonly signal: AbortSignal;
  readonly onProgress?: (progress: Progress, epochs: number) => void;
  readonly onEpoch?: (epoch: EpochResult, state: () => Promise<FitState>) => Promise<void> | void;
}

export interface Learnt {
  readonly architecture: string;
  /** Complete, defaults included. */
  readonly config: Readonly<Record<string, unknown>>;
  /** As an artifact holds them. */
  readonly tensors: Readonly<Record<string, NdArray>>;
  readonly golden: GoldenCheck;
  /** Empty for counting baselines. */
  readonly epochs: readonly EpochResult[];
  readonly best?: BestEpoch;
}

/** What is wrong with a name that neither an architecture nor a baseline has. */
export function unknownModel(name: string): RecommenderError {
  const known = [...Object.keys(models), ...Object.keys(baselines)].join(', ');
  return new RecommenderError('bad-config', `No model is called "${name}". Known are ${known}.`);
}

/** The configuration that `learn` will use. @throws RecommenderError `bad-config`. */
export async function configurationOf(
  name: string,
  given: Readonly<Record<string, unknown>>,
): Promise<{ readonly isNeural: boolean; readonly config: Record<string, unknown> }> {
  const isNeural = Object.hasOwn(models, name);
  const subject = isNeural ? await models[name]!() : Object.hasOwn(baselines, name) ? baselines[name]! : undefined;
  if (!subject) throw unknownModel(name);
  return { isNeural, config: configure<Record<string, unknown>>(subject, given) };
}

/**
 * Trains or counts. A backend must be running.
 *
 * @throws Interrupted once the signal fires while a network learns, with the state to resume from.
 * @throws RecommenderError `bad-config`; `bad-input` if there is nothing to learn or to choose from; `diverged`.
 */
export async function learn(options: LearnOptions): Promise<Learnt> {
  const { model: architecture, sessions, itemIds, support, signal } = options;
  const { model, config, catalogue } = await taskOf(options);
  const items = itemIds.length;
  let arrays: Readonly<Record<string, NdArray>>;
  let epochs: readonly EpochResult[] = [];
  let best: BestEpoch | undefined;
  if (model) {
    const task = await trainingOf(options, model, config, catalogue);
    const { valid, resume, onProgress, onEpoch } = options;
    const team = await options.team?.(task.layout);
    try {
      const result = await fitModel({
        ...{ ...task.options, signal },
        ...(team && { team }),
        ...(valid && { valid }),
        ...(resume && { resume }),
        ...(onEpoch && { onEpoch }),
        ...(onProgress && { onProgress: (progress: Progress) => onProgress(progress, task.options.epochs) }),
      });
      arrays = result.weights;
      epochs = result.epochs;
      best = result.best;
    } finally {
      team?.end();
    }
  } else {
    throwIfAborted(signal);
    arrays = baselines[architecture]!.fit(sessions, catalogue, config);
  }
  const tensors = {
    ...arrays,
    ...toTensors(catalogue.features),
    [SUPPORT_TENSOR]: { data: support, shape: [items + 1] },
  };
  const scorer = await loadScorer({ info: { ...NAMELESS, architecture, config, items }, itemIds, tensors });
  try {
    const golden = await goldenAnswer(scorer, goldenSession(sessions));
    return { architecture, config, tensors, golden, epochs, ...(best && { best }) };
  } finally {
    scorer.dispose();
  }
}

/**
 * Helps another thread with the training that it learns with the same options: the same steps, until the team ends.
 *
 * @throws RecommenderError as `learn`; `aborted` when the team has ended.
 */
export async function assist(options: Omit<LearnOptions, 'signal'>, teamOf: (layout: Layout) => Team): Promise<never> {
  const { model, config, catalogue } = await taskOf(options);
  if (!model) throw new RangeError(`assist: "${options.model}" counts its log on one thread.`);
  const task = await trainingOf(options, model, config, catalogue);
  const trainer = new Trainer({ ...task.options, team: teamOf(task.layout) }, options.resume?.trainer);
  try {
    for (;;) await trainer.runEpoch();
  } finally {
    trainer.dispose();
  }
}

/** The model with its complete configuration, and what it may know of the items. */
async function taskOf(options: Omit<LearnOptions, 'signal'>) {
  const { model: architecture, sessions, itemIds, support } = options;
  const { isNeural, config: given } = await configurationOf(architecture, options.config);
  const model = isNeural ? await models[architecture]!() : undefined;
  const config: Record<string, unknown> = model?.complete?.(given, sessions) ?? given;
  const items = itemIds.length;
  if (items < 2) {
    throw new RecommenderError(
      'bad-input',
      `The log has ${items} item; a recommender needs at least two to choose from.`,
    );
  }
  const wanted = model?.itemFeatures?.(config) ?? [];
  const features = itemFeatures(options.products ?? [], itemIds, wanted);
  return { model, config, catalogue: { items, support, features } };
}

/** What the trainer is told, and the sizes of the parameters. */
async function trainingOf<C extends Record<string, unknown>>(
  { sessions, seed, from, epochs }: Omit<LearnOptions, 'signal'>,
  model: SessionModel<C>,
  config: C,
  catalogue: Catalogue,
) {
  await registerTraining();
  const count = epochs ?? model.training(config).epochs;
  if (!(Number.isInteger(count) && count >= 1)) {
    throw new RangeError(`epochs: expected a whole number, at least 1, got ${count}.`);
  }
  const specs = model.parameters(config, catalogue);
  const params = from && grown(specs, initialise(specs, seed), from, catalogue.items);
  const layout: Layout = Object.fromEntries(Object.entries(specs).map(([name, { shape }]) => [name, size(shape)]));
  return {
    layout,
    options: { model, config, catalogue, sessions, seed, epochs: count, ...(params && { params }) },
  };
}

/** The first session of two clicks or more, at most five of them: any will do, as long as it is always the same. */
function goldenSession({ items, offsets }: Sessions): number[] {
  let s = 0;
  while (s + 2 < offsets.length && offsets[s + 1]! - offsets[s]! < 2) s++;
  return [...items.subarray(offsets[s]!, Math.min(offsets[s + 1]!, offsets[s]! + 5))];
}
