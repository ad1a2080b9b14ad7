/** All parameters of a loaded model, as they learn: training code, loaded only where a visitor's model learns them all. */
import type { Delta } from '../checkpoint/delta';
import { DeviceLost } from '../compute/device-loss';
import { asBackendsFault } from '../compute/fallback';
import { registerTraining } from '../compute/training';
import { isGpu } from '../compute/types';
import { RecommenderError } from '../errors';
import type { FrozenModel } from '../train/tuning/frozen-model';
import { Full } from '../train/tuning/full';
import { Tuning } from '../train/tuning/tune';
import { baseNetwork } from './frozen-model';
import type { Model } from './ready-model';
import { replayOf } from './replay';
import type { TuningHost } from './tune';

/** A tuning of all parameters; nothing of it is held on a device between two events. */
export function tuneFull(model: Model, frozen: FrozenModel, delta?: Delta): Tuning<Full> {
  const learner = new Full(frozen, { ...baseNetwork(model), replay: replayOf(model.artifact) }, delta);
  return new Tuning({ frozen, method: 'full', learner, ...(delta && { delta }) });
}

/**
 * Works on the backend where the model is, once it can train, in a turn of its own. What fails is not tried again elsewhere:
 * an event may be half learnt.
 *
 * @throws RecommenderError `engine-lost` where the device was lost; what was learnt until the slice began is as good as before.
 */
export async function trainingTurn<T>(host: TuningHost, work: () => Promise<T>, signal?: AbortSignal): Promise<T> {
  return host.turn(async () => {
    const model = host.loaded();
    try {
      return await model.use(async () => {
        await registerTraining();
        return work();
      });
    } catch (error) {
      const { backend } = model.info;
      if (!(error instanceof DeviceLost)) throw isGpu(backend) ? asBackendsFault(error, backend) : error;
      throw new RecommenderError('engine-lost', `${error.message} Learn again.`);
    }
  }, signal);
}
