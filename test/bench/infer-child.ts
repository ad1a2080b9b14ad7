/**
 * Inference as a process of its own: `ours`, `plan` or `onnx`, `gru4rec` or `sasrec`, the folder of the peers' weights. Its first
 * line is the answer to one fixed session, the later ones are turns over sessions of random items.
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
import { PEER_ITEMS, type PeerName, peerNetwork } from './peer-network';

/** The best 20 items of a session, item indices from 1. */
type Recommend = (items: readonly number[]) => Promise<number[]>;

const TOP = 20;
/** On WASM. */
async function networkOf(name: PeerName, folder: string) {
  await startBackend('wasm', { wasmPath: wasmPath() });
  const network = await peerNetwork(name, folder);
  return { ...network, params: upload(network.weights) };
}

async function ours(name: PeerName, folder: string): Promise<Recommend> {
  const { model, config, params, catalogue } = await networkOf(name, folder);
  const session = openSession(neuralScorer(model, params, config, catalogue));
  return async (items) => {
    session.forget();
    return topK(await session.score({ items }), TOP).map(({ index }) => index);
  };
}

async function plan(name: PeerName, folder: string): Promise<Recommend> {
  const { model, config, weights, params, catalogue } = await networkOf(name, folder);
  const compiled = compilePlan({ model, params, config, catalogue });
  const running = startPlan(await loadPlanModule(), compiled, (of) => weights[of]);
  const session = planScorer(running, readerOf({ model, config, catalogue })).openSession();
  return async (items) => {
    session.forget();
    return (await session.topK({ items }, TOP, new Set())).map(({ index }) => index);
  };
}

async function onnx(name: PeerName, folder: string): Promise<Recommend> {
  env.wasm.numThreads = 1;
  const session = await InferenceSession.create(join(folder, `${name}-10k.onnx`), { executionProviders: ['wasm'] });
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

const [side, name, folder] = process.argv.slice(2) as ['ours' | 'plan' | 'onnx', PeerName, string];
const recommend = await { ours, plan, onnx }[side](name, folder);
const generator = random(7, 'bench');
const session = () => Array.from({ length: name === 'gru4rec' ? 1 : 50 }, () => 1 + generator.integer(PEER_ITEMS));
console.log(JSON.stringify(await recommend(session())));
await answerSamples(() => recommend(session()));
