/** Training steps of the product's own learner on WASM, on sessions of uniformly drawn items. */
import type { BackendOptions } from '../../src/compute/backends/options';
import { startBackend } from '../../src/compute/backends/start';
import { registerTraining } from '../../src/compute/training';
import { configure } from '../../src/models/configuration';
import { models } from '../../src/models/index';
import { initialise } from '../../src/models/initialise';
import type { SasrecBatch } from '../../src/models/sasrec-training';
import { upload } from '../../src/models/tensors';
import type { Training } from '../../src/models/training';
import { outputItems, vector } from '../../src/objectives/batch';
import { random } from '../../src/session/random';
import { Optimiser } from '../../src/train/optimiser';
import { streamsOf, TrainStep } from '../../src/train/step';
import type { Sessions } from '../../src/types';
import { useStockKernels } from './stock-kernels';

/** What to train. */
export interface TrainingWorkload {
  readonly model: keyof typeof models;
  readonly set: Readonly<Record<string, unknown>>;
  readonly items: number;
  readonly sessions: number;
  readonly sessionLength: number;
  /** SASRec by ce: learn from so many last targets of each session. Default: all. */
  readonly lastTargets?: number;
  /** Compute with TensorFlow.js' own kernels and gradients wherever it has them. */
  readonly stock?: boolean;
}

const SEED = 7;

/**
 * Starts WASM and a training. Runs in Node and in a page.
 *
 * @param options In Node, where the WASM files are.
 * @returns What runs one step, from the drawing of the batch to the updated parameters, and returns its loss.
 */
export async function learnerSteps(work: TrainingWorkload, options: BackendOptions = {}): Promise<() => number> {
  await startBackend('wasm', options);
  await registerTraining();
  if (work.stock) useStockKernels();
  const training = await trainingOf(work);
  const { network } = training;
  const config = configure(network, work.set);
  const sessions = drawnSessions(work);
  const catalogue = { items: work.items, support: new Int32Array(work.items + 1).fill(1) };
  const log = { sessions, catalogue, first: 0 };
  const specs = network.parameters(config, catalogue);
  const params = upload(initialise(specs, SEED));
  const { optimiser } = training.plan(config);
  const trainStep = new TrainStep({ training, config, specs, log }, params, new Optimiser(optimiser, params), SEED);
  const batches = fullBatches((epoch) => {
    trainStep.forget();
    return training.rows(log, config, streamsOf(SEED, epoch));
  });
  let step = 0;
  return () => {
    const loss = trainStep.run(batches.next().value, step++, optimiser.learningRate);
    const value = loss.dataSync()[0]!;
    loss.dispose();
    if (!Number.isFinite(value)) throw new Error(`The loss of step ${step} is ${value}.`);
    return value;
  };
}

async function trainingOf({ model, lastTargets, sessionLength }: TrainingWorkload): Promise<Training<object>> {
  const training: Training<object> = await models[model]!.training();
  if (lastTargets === undefined) return training;
  const perSession = sessionLength - 1;
  const isLast = (_: number, m: number) => m % perSession >= perSession - lastTargets;
  const keep = ({ data }: SasrecBatch['targets']) => (data as Int32Array).filter(isLast);
  return {
    ...training,
    batch(...args) {
      const batch = training.batch(...args) as SasrecBatch;
      return { ...batch, positions: vector(keep(batch.positions)), targets: outputItems(keep(batch.targets)) };
    },
  };
}

function drawnSessions({ items, sessions, sessionLength }: TrainingWorkload): Sessions {
  const generator = random(SEED, 'bench');
  const count = sessions * sessionLength;
  return {
    items: Int32Array.from({ length: count }, () => 1 + generator.integer(items)),
    times: new Float64Array(count),
    offsets: Int32Array.from({ length: sessions + 1 }, (_, s) => s * sessionLength),
  };
}

/** The batches of epoch after epoch, without end; none that is smaller than the first. */
function* fullBatches(epochOf: (epoch: number) => Iterable<readonly unknown[]>): Generator<readonly unknown[], never> {
  let full = 0;
  for (let epoch = 0; ; epoch++) {
    for (const rows of epochOf(epoch)) {
      full ||= rows.length;
      if (rows.length === full) yield rows;
    }
  }
}
