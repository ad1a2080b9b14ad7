/** From a click log to an artifact folder. */
import { nodeHost } from './files/training-host';
import type { TrainOptions } from './options';
import { type TrainResult, trainOn } from './training';

export type { TrainResult } from './training';

/**
 * Trains a model, or counts, and writes its artifact folder. Writes a checkpoint after every epoch, from which `resume`
 * continues bit for bit.
 *
 * @throws RecommenderError `bad-config`, `bad-input` or `bad-artifact` for what was passed in; `aborted` with a checkpoint
 *   written; `diverged`; `no-backend`; `io` if the disk refuses.
 */
export const train = async (options: TrainOptions): Promise<TrainResult> =>
  (await trainOn(nodeHost, options, true)).result;

/** `train` without the comparison with counting models, for what compares by itself. */
export const trainAlone = async (options: TrainOptions): Promise<TrainResult> =>
  (await trainOn(nodeHost, options, false)).result;
