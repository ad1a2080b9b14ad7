/**
 * Training steps of the product's own learner on WASM, as a process of its own: started with the work as JSON, it answers
 * every line `COUNT` on its input with the milliseconds of as many steps, as a JSON array.
 */
import { createInterface } from 'node:readline';
import { wasmPath } from '../../src/cli/wasm-path';
import { startBackend } from '../../src/engine/backends/index';
import { registerTraining } from '../../src/engine/backends/training';
import { configure } from '../../src/models/configuration';
import { models } from '../../src/models/index';
import type { SessionModel } from '../../src/models/model';
import { initialise } from '../../src/models/parameters';
import { upload } from '../../src/models/tensors';
import { random } from '../../src/session/random';
import { epochBatches, type TrainingBatch } from '../../src/train/batches';
import { drawnNegatives } from '../../src/train/negative-source';
import { Optimiser } from '../../src/train/optimiser';
import { Learner, trainee } from '../../src/train/step';
import type { Sessions } from '../../src/types';

/** What to train, on sessions of uniformly drawn items. */
export interface LearnerWork {
  readonly model: keyof typeof models;
  readonly set: Readonly<Record<string, unknown>>;
  readonly items: number;
  readonly sessions: number;
  readonly sessionLength: number;
  /** Learn from so many last targets of each session; default: from all. */
  readonly lastTargets?: number;
}

const SEED = 7;

function drawnSessions({ items, sessions, sessionLength }: LearnerWork): Sessions {
  const generator = random(SEED, 'bench');
  const count = sessions * sessionLength;
  return {
    items: Int32Array.from({ length: count }, () => 1 + generator.integer(items)),
    times: new Float64Array(count),
    offsets: Int32Array.from({ length: sessions + 1 }, (_, s) => s * sessionLength),
  };
}

/** Epoch after epoch without end. */
function* batchesOf(): Generator<TrainingBatch, never> {
  const options = { batchSize: plan.batchSize, fewestRows: plan.batchSize, seed: SEED };
  for (let epoch = 0; ; epoch++) {
    learner.forget();
    yield* epochBatches(plan.rows, sessions, { ...options, epoch });
  }
}

const work = JSON.parse(process.argv[2]!) as LearnerWork;
await startBackend('wasm', { wasmPath: wasmPath() });
await registerTraining();
const model = models[work.model] as unknown as SessionModel<object>;
const sessions = drawnSessions(work);
const support = new Int32Array(work.items + 1).fill(1);
const catalogue = { items: work.items, support };
const subject = trainee(model, configure(model, work.set), catalogue);
const { plan, specs } = subject;
const params = upload(initialise(specs, SEED));
const optimiser = new Optimiser(plan.optimiser, params);
const draw = drawnNegatives(plan.objective.negatives, catalogue, sessions, SEED);
const learner = new Learner(subject, params, optimiser, SEED, draw);
const batches = batchesOf();

/** The batch with the last targets of each session only. */
function lastOnes(batch: TrainingBatch, count: number): TrainingBatch {
  const { row, click } = batch.origin!;
  const first = work.sessionLength - 1 - count;
  const keep = (_: number, m: number) => click[m]! >= first;
  return {
    ...batch,
    targets: batch.targets.filter(keep),
    origin: { row: row.filter(keep), click: click.filter(keep) },
  };
}

let step = 0;

/** One step from the drawing of the batch to the updated parameters. */
function run(): number {
  const start = performance.now();
  const all = batches.next().value;
  const batch = work.lastTargets ? lastOnes(all, work.lastTargets) : all;
  const loss = learner.run(batch, step++, plan.optimiser.learningRate);
  const value = loss.dataSync()[0]!;
  const ms = performance.now() - start;
  loss.dispose();
  if (!Number.isFinite(value)) throw new Error(`The loss of step ${step} is ${value}.`);
  return ms;
}

for await (const line of createInterface({ input: process.stdin })) {
  const before = process.cpuUsage();
  const ms = Array.from({ length: Number(line) }, run);
  const { user, system } = process.cpuUsage(before);
  console.log(JSON.stringify({ ms, cpu: (user + system) / 1000 / ms.length }));
}
