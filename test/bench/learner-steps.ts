/** Training steps of the product's own learner on WASM, on sessions of uniformly drawn items. */
import { type BackendOptions, startBackend } from '../../src/compute/backends/start';
import { registerTraining } from '../../src/compute/training';
import { configure } from '../../src/models/configuration';
import { models } from '../../src/models/index';
import type { SessionModel } from '../../src/models/model';
import { initialise } from '../../src/models/parameters';
import { upload } from '../../src/models/tensors';
import { random } from '../../src/session/random';
import { epochBatches, type TrainingBatch } from '../../src/train/batches';
import { trainee } from '../../src/train/differentiate';
import { drawnNegatives } from '../../src/train/negative-source';
import { Optimiser } from '../../src/train/optimiser';
import { Learner } from '../../src/train/step';
import type { Trainee } from '../../src/train/types';
import type { Sessions } from '../../src/types';
import { useStockKernels } from './stock-kernels';

/** What to train. */
export interface LearnerWork {
  readonly model: keyof typeof models;
  readonly set: Readonly<Record<string, unknown>>;
  readonly items: number;
  readonly sessions: number;
  readonly sessionLength: number;
  /** Learn from so many last targets of each session; default: from all. */
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
export async function learnerSteps(work: LearnerWork, options: BackendOptions = {}): Promise<() => number> {
  await startBackend('wasm', options);
  await registerTraining();
  if (work.stock) useStockKernels();
  const model = (await models[work.model]!()) as unknown as SessionModel<object>;
  const sessions = drawnSessions(work);
  const catalogue = { items: work.items, support: new Int32Array(work.items + 1).fill(1) };
  const subject = trainee(model, configure(model, work.set), catalogue);
  const { plan, specs } = subject;
  const params = upload(initialise(specs, SEED));
  const optimiser = new Optimiser(plan.optimiser, params);
  const draw = drawnNegatives(plan.objective.negatives, catalogue, sessions, SEED);
  const learner = new Learner(subject, params, optimiser, SEED, draw);
  const batches = batchesOf(subject, learner, sessions);
  let step = 0;
  return () => {
    const all = batches.next().value;
    const batch = work.lastTargets ? lastOnes(all, work.sessionLength - 1 - work.lastTargets) : all;
    const loss = learner.run(batch, step++, plan.optimiser.learningRate);
    const value = loss.dataSync()[0]!;
    loss.dispose();
    if (!Number.isFinite(value)) throw new Error(`The loss of step ${step} is ${value}.`);
    return value;
  };
}

function drawnSessions({ items, sessions, sessionLength }: LearnerWork): Sessions {
  const generator = random(SEED, 'bench');
  const count = sessions * sessionLength;
  return {
    items: Int32Array.from({ length: count }, () => 1 + generator.integer(items)),
    times: new Float64Array(count),
    offsets: Int32Array.from({ length: sessions + 1 }, (_, s) => s * sessionLength),
  };
}

/** Full batches of epoch after epoch, without end. */
function* batchesOf(
  { plan }: Trainee<object>,
  learner: Learner<object>,
  sessions: Sessions,
): Generator<TrainingBatch, never> {
  const options = { batchSize: plan.batchSize, fewestRows: plan.batchSize, seed: SEED };
  for (let epoch = 0; ; epoch++) {
    learner.forget();
    yield* epochBatches(plan.rows, sessions, { ...options, epoch });
  }
}

/** The batch with the targets after click `first` of each session only. */
function lastOnes(batch: TrainingBatch, first: number): TrainingBatch {
  const { row, click } = batch.origin!;
  const keep = (_: number, m: number) => click[m]! >= first;
  const origin = { row: row.filter(keep), click: click.filter(keep) };
  return { ...batch, targets: batch.targets.filter(keep), origin };
}
