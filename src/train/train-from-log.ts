/** Trains any model, neural or counted, from a log in memory to the content of an artifact; for the page and the command line. */
import { type CatalogueItem, type GoldenCheck, SUPPORT_TENSOR, USERS_TENSOR } from '../checkpoint/artifact';
import { isCoded } from '../checkpoint/coded-array';
import { usersTensor } from '../checkpoint/users';
import { registerTraining } from '../compute/training';
import { RecommenderError, throwIfAborted } from '../errors';
import { configure, isRemoved } from '../models/configuration';
import { models } from '../models/index';
import { initialise } from '../models/initialise';
import { size } from '../models/parameters';
import { nearestName } from '../nearest-name';
import { baselines } from '../neighbours/index';
import { catalogueOf, isNeural } from '../ranking/architecture';
import { goldenAnswer } from '../ranking/golden-check';
import { loadScorer, NAMELESS } from '../ranking/load-scorer';
import { type ClickLog, usersOf } from '../session/event-log';
import type { ClickFeatures, NdArray, Sessions, WantedFeature } from '../types';
import type { DataParallel, Layout } from './data-parallel';
import { pastOf } from './evaluate';
import { expandVocabulary } from './expand-vocabulary';
import { type BestEpoch, type EpochResult, type FitOptions, fitModel } from './fit';
import { readClicks, userNumbers } from './read-clicks';
import { type KnownSide, sideInformation } from './side-information';
import { type Progress, Trainer } from './trainer';
import { validationScale } from './validation-scale';

export interface TrainFromLogOptions
  extends Pick<FitOptions<unknown>, 'validProtocol' | 'metric' | 'resume' | 'pause' | 'onEpoch'> {
  /** Name of an architecture or a counting baseline. */
  readonly model: string;
  /** Configuration keys that differ from the model's defaults. */
  readonly config: Readonly<Record<string, unknown>>;
  readonly log: ClickLog;
  /** Names of all columns of the log's file, for messages. Default: those of `log`. */
  readonly columns?: readonly string[];
  readonly itemIds: readonly string[];
  /** Events of each item, `[n + 1]`. */
  readonly support: Int32Array;
  /** What is known of the items, for models that read their features. */
  readonly products?: readonly CatalogueItem[];
  readonly seed: number;
  /** Passes over the sessions. Default: the configuration's. */
  readonly epochs?: number;
  /** Sessions that select the best epoch and end the training early, in the same item indices. */
  readonly valid?: ClickLog;
  /** Weights to go on from, of the same model with the first `items` of the items; default: drawn from the seed. */
  readonly from?: KnownSide & { readonly items: number };
  /**
   * Called before a network learns, with the size of each parameter: the threads to share every step with, if any.
   * `trainFromLog` ends the training.
   */
  readonly parallel?: (layout: Layout) => Promise<DataParallel | undefined>;
  readonly signal?: AbortSignal;
  readonly onProgress?: (progress: Progress, epochs: number) => void;
}

export interface TrainedModel {
  readonly architecture: string;
  /** Complete, defaults included. */
  readonly config: Readonly<Record<string, unknown>>;
  /** As an artifact holds them. */
  readonly tensors: Readonly<Record<string, NdArray>>;
  /** What the model reads of clicks; absent where it reads nothing. */
  readonly features?: ClickFeatures;
  /** How what it reads of items is numbered; absent where it reads nothing. */
  readonly itemFeatures?: ClickFeatures;
  /** What turns scores into logits, fitted on the validation sessions; absent without them, or where no scale fits. */
  readonly scale?: number;
  readonly golden: GoldenCheck;
  /** Empty for counting baselines. */
  readonly epochs: readonly EpochResult[];
  readonly best?: BestEpoch;
}

/** Of the networks, then of the baselines. */
export const modelNames: readonly string[] = [...Object.keys(models), ...Object.keys(baselines)];

/** What is wrong with a name that neither an architecture nor a baseline has. */
export function unknownModel(name: string): RecommenderError {
  const nearest = modelNames.find((known) => known.startsWith(name)) ?? nearestName(name, modelNames);
  const hint = nearest === undefined ? '' : `; the nearest is "${nearest}"`;
  return new RecommenderError('bad-config', `No model is called "${name}"${hint}. Known are ${modelNames.join(', ')}.`);
}

/** The configuration that `trainFromLog` will use. @throws RecommenderError `bad-config`. */
export async function configurationOf(
  name: string,
  given: Readonly<Record<string, unknown>>,
): Promise<{
  readonly isNeural: boolean;
  readonly config: Record<string, unknown>;
  /** What it makes the model read beside item ids. */
  readonly wanted: readonly WantedFeature[];
  /** `isRemoved` of the model. */
  readonly isRemoved: (key: string, value: unknown) => boolean;
}> {
  const model = isNeural(name) ? await models[name]!.spec() : undefined;
  const subject = model ?? (Object.hasOwn(baselines, name) ? baselines[name]! : undefined);
  if (!subject) throw unknownModel(name);
  const config = configure<Record<string, unknown>>(subject, given);
  return {
    isNeural: isNeural(name),
    config,
    wanted: model?.features?.(config) ?? [],
    isRemoved: (key, value) => isRemoved(subject, key, value),
  };
}

/**
 * Trains or counts. A backend must be running.
 *
 * @throws Interrupted once the signal fires while a network learns, with the state to resume from.
 * @throws RecommenderError `bad-config`; `bad-input` if there is nothing to learn or to choose from; `diverged`.
 */
export async function trainFromLog(options: TrainFromLogOptions): Promise<TrainedModel> {
  const { model: architecture, itemIds, signal } = options;
  const task = await taskOf(options);
  const { model, config, catalogue, sessions, newUsers, side } = task;
  const valid = model && options.valid && task.read(options.valid);
  const { validProtocol = 'events' } = options;
  let arrays: Readonly<Record<string, NdArray>>;
  let epochs: readonly EpochResult[] = [];
  let best: BestEpoch | undefined;
  if (model) {
    await registerTraining();
    const training = await trainingOf(options, task);
    const { metric, resume, pause, onProgress, onEpoch } = options;
    const parallel = await options.parallel?.(training.layout);
    try {
      const result = await fitModel({
        ...training.options,
        ...(signal && { signal }),
        ...(parallel && { parallel }),
        ...(valid && { valid, validProtocol }),
        ...(metric && { metric }),
        ...(resume && { resume }),
        ...(pause && { pause }),
        ...(onEpoch && { onEpoch }),
        ...(onProgress && { onProgress: (progress: Progress) => onProgress(progress, training.options.epochs) }),
      });
      arrays = result.weights;
      epochs = result.epochs;
      best = result.best;
    } finally {
      parallel?.end();
    }
  } else {
    throwIfAborted(signal);
    arrays = baselines[architecture]!.fit(sessions, catalogue, config);
  }
  const knownUsers = model?.knowsUsers?.(config)
    ? { [USERS_TENSOR]: await usersTensor(newUsers, options.from?.tensors[USERS_TENSOR]) }
    : {};
  const tensors = { ...arrays, ...side.tensors, ...knownUsers };
  const scorer = await loadScorer({ info: { ...NAMELESS, ...side.info, architecture, config }, itemIds, tensors });
  try {
    const golden = await goldenAnswer(scorer, goldenSession(sessions));
    const { itemFeatures } = task;
    const { features } = side.info;
    const past = pastOf(validProtocol, sessions);
    const scale = valid && (await validationScale(scorer, valid, { protocol: validProtocol, past }));
    return {
      architecture,
      config,
      tensors,
      golden,
      epochs,
      ...(features && { features }),
      ...(Object.keys(itemFeatures).length > 0 && { itemFeatures }),
      ...(scale !== undefined && { scale }),
      ...(best && { best }),
    };
  } finally {
    scorer.dispose();
  }
}

/** The size of each parameter of the network that `trainFromLog` trains with these options. @throws RecommenderError as there. */
export const layoutOf = async (options: TrainFromLogOptions): Promise<Layout> =>
  (await trainingOf(options, await taskOf(options))).layout;

/**
 * Helps another thread with the training that it learns with the same options: the same steps, until the training ends.
 *
 * @throws RecommenderError as `trainFromLog`; `aborted` when the training has ended.
 */
export async function joinTraining(
  options: TrainFromLogOptions,
  join: (layout: Layout) => DataParallel,
): Promise<never> {
  const task = await taskOf(options);
  if (!task.model) throw new RangeError(`joinTraining: "${options.model}" counts its log on one thread.`);
  await registerTraining();
  const training = await trainingOf(options, task);
  const pause = async () => {}; // nobody sends this thread messages, and the others wait for it
  const trainer = new Trainer({ ...training.options, pause, parallel: join(training.layout) }, options.resume?.trainer);
  try {
    for (;;) await trainer.runEpoch();
  } finally {
    trainer.dispose();
  }
}

/** The model with its complete configuration, and what it may read of clicks and items. */
async function taskOf(options: TrainFromLogOptions) {
  const { model: architecture, log, itemIds, support, from } = options;
  const { config: given, wanted } = await configurationOf(architecture, options.config);
  const model = isNeural(architecture) ? await models[architecture]!.spec() : undefined;
  const items = itemIds.length;
  if (items < 2) {
    throw new RecommenderError(
      'bad-input',
      `The log has ${items} item; a recommender needs at least two to choose from.`,
    );
  }
  const { columns = [...(log.features?.keys() ?? [])], products = [] } = options;
  const {
    clicks: features,
    items: itemFeatures,
    tensors,
  } = sideInformation(wanted, log, columns, products, itemIds, from);
  const side = {
    info: { items, ...(Object.keys(features).length > 0 && { features }) },
    tensors: { ...tensors, [SUPPORT_TENSOR]: { data: support, shape: [items + 1] } },
  };
  const { userNumber, newUsers } = await numberUsers(options);
  const visitors = new Map<string, number>();
  const read = (clicks: ClickLog) => readClicks(side, clicks, userNumber, visitors);
  const sessions = read(log);
  const config: Record<string, unknown> = model?.complete?.(given, sessions) ?? given;
  return { model, config, catalogue: catalogueOf(side), sessions, read, newUsers, side, itemFeatures };
}

/** The numbers of users: those of the model that the training continues, then new ones in the order of the log. */
async function numberUsers({ log, valid, from }: TrainFromLogOptions) {
  const known = await userNumbers(from?.tensors ?? {}, log, ...(valid ? [valid] : []));
  const newUsers = usersOf(log).filter((id) => known(id) === undefined);
  const first = from?.tensors[USERS_TENSOR]?.shape[0] ?? 0;
  const added = new Map(newUsers.map((id, k) => [id, first + k]));
  return { userNumber: (id: string) => known(id) ?? added.get(id), newUsers };
}

type Task = Awaited<ReturnType<typeof taskOf>>;

/** The options of a network's trainer, and the sizes of its parameters. */
async function trainingOf({ model, seed, from, epochs }: TrainFromLogOptions, { config, catalogue, sessions }: Task) {
  const training = await models[model]!.training();
  const count = epochs ?? training.plan(config).epochs;
  if (!(Number.isInteger(count) && count >= 1)) {
    throw new RangeError(`epochs: expected a whole number, at least 1, got ${count}.`);
  }
  const specs = training.network.parameters(config, catalogue);
  const params = from && expandVocabulary(specs, initialise(specs, seed), from, catalogue.items);
  const layout: Layout = Object.fromEntries(
    Object.entries(specs).map(([name, { shape }]) => {
      const start = params?.[name];
      return [name, start && isCoded(start) ? start.centroids.length : size(shape)];
    }),
  );
  return {
    layout,
    options: { training, config, catalogue, sessions, seed, epochs: count, ...(params && { params }) },
  };
}

/** The first session of two clicks or more, else of one; at most five of them. Any would do, but it must always be the same one. */
function goldenSession({ items, offsets }: Sessions): number[] {
  const firstOf = (length: number): number => offsets.findIndex((start, s) => offsets[s + 1]! - start >= length);
  const long = firstOf(2);
  const s = long < 0 ? firstOf(1) : long;
  if (s < 0) throw new RecommenderError('bad-input', 'No event is left to learn from.');
  return [...items.subarray(offsets[s]!, Math.min(offsets[s + 1]!, offsets[s]! + 5))];
}
