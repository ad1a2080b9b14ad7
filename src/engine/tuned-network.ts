/** All parameters of a loaded model, tuned: training code, loaded only where a visitor's model learns them all. */
import type { Delta } from '../checkpoint/delta';
import { RecommenderError } from '../errors';
import { Full } from '../train/tuning/full';
import type { Ground } from '../train/tuning/ground';
import { Tuning } from '../train/tuning/tune';
import { DeviceLost } from './backends/loss';
import { registerTraining } from './backends/training';
import { isGpu } from './engine';
import { networkOf } from './ground';
import { asBackendsFault } from './ladder';
import type { Model } from './ready-model';
import { replayOf } from './replay';
import type { TuningHost } from './tune';

function learnerOf({ artifact, scorer }: Pick<Model, 'artifact' | 'scorer'>, ground: Ground, delta?: Delta): Full {
  const { model, config, catalogue } = networkOf({ artifact, scorer });
  const network = { model, config, catalogue, tensors: artifact.tensors, replay: replayOf(artifact) };
  return new Full(ground, network, delta);
}

/** A tuning of all parameters; nothing of it is held on a device between two events. */
export function tuneFull(model: Model, ground: Ground, delta?: Delta): Tuning<Full> {
  const learner = learnerOf(model, ground, delta);
  return new Tuning({ ground, method: 'full', learner, ...(delta && { delta }) });
}

/** The parameters of the model as a delta has them, by name: those that differ from the artifact's. */
export function tunedParameters(model: Model, ground: Ground, delta: Delta): Delta['arrays'] {
  const tuned = Object.entries(learnerOf(model, ground, delta).tuned());
  return Object.fromEntries(tuned.filter(([name, { data }]) => data !== model.artifact.tensors[name]!.data));
}

/** How many numbers the arrays of a delta have; those with rows, in each row. */
export function sizesOf(model: Model, ground: Ground): Readonly<Record<string, number>> {
  const { arrays } = learnerOf(model, ground).save();
  return Object.fromEntries(
    Object.entries(arrays).map(([name, { data, shape }]) => [
      name,
      name.includes('rows.') ? (shape[1] ?? 1) : data.length,
    ]),
  );
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
