/** Learning any model, neural or counted, from a log in memory to what an artifact holds. One home for page and shell. */
import { type CatalogueItem, type GoldenCheck, SUPPORT_TENSOR } from '../checkpoint/artifact';
import { itemFeatures, toTensors } from '../checkpoint/item-features';
import { RecommenderError, throwIfAborted } from '../errors';
import { configure } from '../models/configuration';
import { grown } from '../models/grown';
import { models } from '../models/index';
import { initialise } from '../models/parameters';
import { baselines } from '../neighbours/index';
import { type BestEpoch, type EpochResult, type FitState, fitModel } from '../train/fit';
import type { Progress } from '../train/trainer';
import type { NdArray, Sessions } from '../types';
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
  const catalogue = { items, support, features };
  let arrays: Readonly<Record<string, NdArray>>;
  let epochs: readonly EpochResult[] = [];
  let best: BestEpoch | undefined;
  if (model) {
    await registerTraining();
    const count = options.epochs ?? model.training(config).epochs;
    if (!(Number.isInteger(count) && count >= 1)) {
      throw new RangeError(`epochs: expected a whole number, at least 1, got ${count}.`);
    }
    const { valid, resume, from, onProgress, onEpoch, seed } = options;
    const specs = from && model.parameters(config, catalogue);
    const params = specs && grown(specs, initialise(specs, seed), from, items);
    const result = await fitModel({
      ...{ model, config, catalogue, sessions, seed, epochs: count, signal },
      ...(params && { params }),
      ...(valid && { valid }),
      ...(resume && { resume }),
      ...(onEpoch && { onEpoch }),
      ...(onProgress && { onProgress: (progress: Progress) => onProgress(progress, count) }),
    });
    arrays = result.weights;
    epochs = result.epochs;
    best = result.best;
  } else {
    throwIfAborted(signal);
    arrays = baselines[architecture]!.fit(sessions, catalogue, config);
  }
  const tensors = { ...arrays, ...toTensors(features), [SUPPORT_TENSOR]: { data: support, shape: [items + 1] } };
  const scorer = await loadScorer({ info: { ...NAMELESS, architecture, config, items }, itemIds, tensors });
  try {
    const golden = await goldenAnswer(scorer, goldenSession(sessions));
    return { architecture, config, tensors, golden, epochs, ...(best && { best }) };
  } finally {
    scorer.dispose();
  }
}

/** The first session of two clicks or more, at most five of them: any will do, as long as it is always the same. */
function goldenSession({ items, offsets }: Sessions): number[] {
  let s = 0;
  while (s + 2 < offsets.length && offsets[s + 1]! - offsets[s]! < 2) s++;
  return [...items.subarray(offsets[s]!, Math.min(offsets[s + 1]!, offsets[s]! + 5))];
}
