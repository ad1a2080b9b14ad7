/**
 * Inference as a process of its own: how it computes, the architecture, the folder of the peers' weights, if they are here. Its first
 * line has the answer to one fixed session, and how long its first and fifth answers took; the later ones are turns over sessions of
 * random items.
 */
import { join } from 'node:path';
import { env, InferenceSession, Tensor } from 'onnxruntime-web';
import { startBackend } from '../../src/compute/backends/start';
import { startPlan } from '../../src/compute/plan/runtime';
import { upload } from '../../src/models/tensors';
import { wasmPath } from '../../src/pipeline/files/backend';
import { compilePlan } from '../../src/ranking/compile-plan';
import { neuralScorer } from '../../src/ranking/neural-scorer';
import { planScorer } from '../../src/ranking/plan-scorer';
import { readerOf } from '../../src/ranking/session-reader';
import { openSession } from '../../src/ranking/session-scorer';
import { topK } from '../../src/ranking/top-k';
import { random } from '../../src/session/random';
import { loadPlanModule } from '../compute/plan/module';
import { answerSamples } from './answer-samples';
import { CLICKS, OTHER_CLICKS, PEER_ITEMS, timedNetwork } from './peer-network';
import { useStockKernels } from './stock-kernels';

/** The best 20 items of a session, item indices from 1. */
type Recommend = (items: readonly number[]) => Promise<number[]>;

const TOP = 20;
async function networkOf(name: string, folder: string | undefined, backend: 'wasm' | 'cpu') {
  await startBackend(backend, { wasmPath: wasmPath() });
  const network = await timedNetwork(name, folder);
  return { ...network, params: upload(network.weights) };
}

async function ours(name: string, folder: string | undefined): Promise<Recommend> {
  const { model, config, params, catalogue } = await networkOf(name, folder, 'wasm');
  const session = openSession(neuralScorer(model, params, config, catalogue));
  return async (items) => {
    session.forget();
    return topK(await session.score({ items }), TOP).map(({ index }) => index);
  };
}

/** TensorFlow.js without kernels of ours. */
async function stock(name: string, folder: string | undefined): Promise<Recommend> {
  const recommend = await ours(name, folder);
  useStockKernels();
  return recommend;
}

async function plan(name: string, folder: string | undefined): Promise<Recommend> {
  const { model, config, weights, params, catalogue } = await networkOf(name, folder, 'cpu');
  const compiled = compilePlan({ model, params, config, catalogue });
  const running = startPlan(await loadPlanModule(), compiled, (of) => weights[of]);
  const session = planScorer(running, readerOf({ model, config, catalogue })).openSession();
  return async (items) => {
    session.forget();
    return (await session.topK({ items }, TOP, new Set())).map(({ index }) => index);
  };
}

async function onnx(name: string, folder: string | undefined): Promise<Recommend> {
  env.wasm.numThreads = 1;
  const session = await InferenceSession.create(join(folder!, `${name}-10k.onnx`), { executionProviders: ['wasm'] });
  const int64 = (items: readonly number[]) => BigInt64Array.from(items, BigInt);
  return async (items) => {
    const isGru = name === 'gru4rec';
    const outputs = await session.run(
      isGru
        ? {
            item: new Tensor('int64', int64([items[0]! - 1]), [1]),
            hidden: new Tensor('float32', new Float32Array(100), [1, 100]),
          }
        : { ids: new Tensor('int64', int64(items), [1, items.length]) },
    );
    // Its rows are items; GRU4Rec's table has no padding row.
    return Array.from(outputs.indices!.data as BigInt64Array, (index) => Number(index) + (isGru ? 1 : 0));
  };
}

export interface FirstAnswers {
  readonly items: readonly number[];
  /** Milliseconds. */
  readonly first: number;
  readonly fifth: number;
}

const [side, name, folder] = process.argv.slice(2) as ['ours' | 'stock' | 'plan' | 'onnx', string, string?];
const recommend = await { ours, stock, plan, onnx }[side](name, folder);
const generator = random(7, 'bench');
const session = () => Array.from({ length: CLICKS[name] ?? OTHER_CLICKS }, () => 1 + generator.integer(PEER_ITEMS));
const times: number[] = [];
let items: number[] | undefined;
for (let answer = 0; answer < 5; answer++) {
  const clicks = session();
  const start = performance.now();
  const found = await recommend(clicks);
  times.push(performance.now() - start);
  items ??= found;
}
console.log(JSON.stringify({ items, first: times[0], fifth: times[4] }));
await answerSamples(() => recommend(session()));
