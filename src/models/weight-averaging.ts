/** Weight averaging (`train/average.ts`), of every architecture; fine-tuning on recent sessions (`train/trainer.ts`), not of GRU4Rec. */
import type { ConfigOf, OptionSpecs, RemovedOptions } from './model';
import { integer, number } from './options';
import type { TrainingPlan } from './training';

export const weightAveragingOptions = {
  averageEpochs: integer(
    1,
    [1, 1000],
    'the weights that are validated and kept are the mean of those at the ends of that many last epochs; training goes on ' +
      'from the plain ones. As many copies are held in memory, and in checkpoints',
    '1 is none: no reference code averages; Izmailov et al., "Averaging Weights", UAI 2018',
  ),
} satisfies OptionSpecs;

export const recentFinetuningOptions = {
  ...weightAveragingOptions,
  recentEpochs: integer(
    0,
    [0, 1000],
    'the last N epochs use only the latest sessions (recentShare), at 0.3 times the learning rate, which falls to 0 over them. ' +
      'The next clicks are most like those sessions. The first epoch always uses all',
    '0 is none: no reference code has it. On a validation part of Diginetica they took SASRec from 52.74 to 53.26 of recall@20, a tie; one more epoch over all lost 0.2',
  ),
  recentShare: number(
    0.12,
    [0.001, 1],
    'the share of the sessions, by their start, that counts as the latest (recentEpochs); of a log without times, which has no ' +
      'latest ones, the last of the file',
    'ours; of trials from 0.03 to 0.5 on a validation part of Diginetica the best recall@20',
  ),
} satisfies OptionSpecs;

export type RecentFinetuningConfig = ConfigOf<typeof recentFinetuningOptions>;

/** Learning rate of the recent epochs at their start, as a share of the usual one; chosen with the default of recentShare. */
const RECENT_RATE = 0.3;

export const removed = { recentRate: RECENT_RATE } satisfies RemovedOptions;

/** The part of a plan that follows from these options. */
export function recentFinetuning({
  averageEpochs,
  recentEpochs: epochs,
  recentShare: share,
}: RecentFinetuningConfig): Pick<TrainingPlan, 'averageEpochs' | 'recent'> {
  return { averageEpochs, ...(epochs > 0 && { recent: { epochs, share, rate: RECENT_RATE } }) };
}
