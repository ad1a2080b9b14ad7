/** Tunes all parameters of a loaded model. It needs training code, so it is loaded only for method `full`. */
import type { Delta } from '../checkpoint/delta';
import { loadTraining, registerTraining } from '../compute/training';
import type { TensorBackend } from '../compute/types';
import { loadNetwork } from '../ranking/load-scorer';
import type { FrozenModel } from '../train/tuning/frozen-model';
import { Full } from '../train/tuning/full';
import { Tuning } from '../train/tuning/tune';
import { baseNetwork, replayOf } from './frozen-model';
import type { Placed } from './placed';

/**
 * A tuning of all parameters. They are plain arrays between two computations, each of which is a slice of its own: on another
 * backend where the model's own fails.
 */
export async function tuneFull(
  placement: Placed,
  frozen: FrozenModel,
  delta: Delta | undefined,
  signal: AbortSignal,
): Promise<Tuning<Full>> {
  await placement.needTensors();
  const { artifact, info } = placement;
  await loadTraining(info.backend as TensorBackend);
  const compute = <T>(work: () => Promise<T>): Promise<T> =>
    placement.run(async ({ device }) => {
      await registerTraining([device.name as TensorBackend]);
      return work();
    }, signal);
  const fineTuner = new Full(
    frozen,
    { ...(await baseNetwork(artifact)), model: await loadNetwork(info.architecture), replay: replayOf(artifact) },
    delta,
    compute,
  );
  return new Tuning({ frozen, method: 'full', fineTuner, ...(delta && { delta }) });
}
