/** What several threads can do for a training. */
import { reasonOf } from '../errors';
import { models } from '../models/index';
import type { TrainingPlan } from '../models/training';
import { isNeural } from '../ranking/architecture';
import { type Layout, SHARDS, whyIndivisible } from '../train/data-parallel';
import { PATIENCE } from '../train/fit';
import type { Settings } from './configuration';
import { warn } from './observer';
import type { TrainOptions } from './options';

/**
 * What threads do: `steps` of them share each step, or a second one trains on everything beside the training that chooses its epochs.
 * That gives the weights of one thread, since an epoch depends on no later one.
 *
 * @param checkBeside Refuses two trainings that do not fit into memory; absent where there is no training on everything.
 */
export async function threadsOf(
  options: TrainOptions,
  config: Settings,
  checkBeside: ((plan: TrainingPlan) => Promise<void>) | undefined,
): Promise<{ readonly steps?: number; readonly beside: boolean }> {
  const { model, threads } = options;
  if (threads === undefined) return { beside: false };
  const why = await whyOneThread(model, config);
  if (why === undefined) {
    if (threads > SHARDS) warn(options, `${SHARDS} threads share a step at most, not ${threads}.`);
    return { steps: Math.min(threads, SHARDS), beside: false };
  }
  const whyNotBeside = async (): Promise<string> => {
    if (!checkBeside) return ', and no training on everything follows';
    const plan = await repeatablePlan(model, config);
    if (!plan) return ', and its epochs depend on how many there are';
    try {
      await checkBeside(plan);
      return '';
    } catch (error) {
      return `, and two trainings are too much: ${reasonOf(error).replace(/\.$/, '')}`;
    }
  };
  const isCounted = !isNeural(model);
  const not = isCounted || threads === 1 ? '' : await whyNotBeside();
  const beside = !isCounted && threads > 1 && not === '';
  if (!beside) warn(options, `${model} trains on one thread, whatever \`threads\` says: ${why}${not}.`);
  return { beside };
}

/** The plan of a training whose epochs are the same however many follow. */
async function repeatablePlan(model: string, config: Settings): Promise<TrainingPlan | undefined> {
  if (!isNeural(model)) return undefined;
  const plan = (await models[model]!.training()).plan(config);
  return plan.schedule.kind === 'linear' || (plan.recent?.epochs ?? 0) > 0 ? undefined : plan;
}

/** The most bytes of states that wait until the epochs of the training on everything are chosen. */
export const MOST_STATE_BYTES = 512e6;

/** What `trainBeside` keeps at most: parameters and two slots each, and the ends of epochs that are averaged, by the patience. */
export function stateBytes({ averageEpochs = 0, patience }: TrainingPlan, layout: Layout): number {
  const numbers = Object.values(layout).reduce((sum, size) => sum + size, 0);
  return 4 * numbers * (3 + averageEpochs) * mostStates(patience);
}

/** Those of the epochs in which a training waits for a better one, of the best, and of one ahead. */
export const mostStates = (patience = PATIENCE): number => patience + 2;

const whyOneThread = async (model: string, config: Settings): Promise<string | undefined> =>
  isNeural(model) ? whyIndivisible(await models[model]!.training(), config) : 'it counts the log once';

/** Whether threads can share the steps of a training with these settings. */
export const sharesSteps = async (model: string, config: Settings): Promise<boolean> =>
  (await whyOneThread(model, config)) === undefined;

/** Whether a second thread can train on everything meanwhile. */
export const trainsBeside = async (model: string, config: Settings): Promise<boolean> =>
  (await repeatablePlan(model, config)) !== undefined;
