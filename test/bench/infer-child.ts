/**
 * Inference as a process of its own: `ours`, `plan` or `onnx`, `gru4rec` or `sasrec`, the folder of the peers' weights. Its first
 * line is the answer to one fixed session, the later ones are turns over sessions of random items.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { env, InferenceSession, Tensor } from 'onnxruntime-web';
import { importers } from '../../src/checkpoint/imports/index';
import { toOurs } from '../../src/checkpoint/imports/name-map';
import { decodeSafetensors } from '../../src/checkpoint/safetensors';
import { startBackend } from '../../src/compute/backends/start';
import { startPlan } from '../../src/compute/plan/runtime';
import { configure } from '../../src/models/configuration';
import { models } from '../../src/models/index';
import type { SessionModel } from '../../src/models/model';
import { upload } from '../../src/models/tensors';
import { wasmPath } from '../../src/pipeline/files/backend';
import { compilePlan } from '../../src/ranking/compile-plan';
import { neuralScorer } from '../../src/ranking/neural-scorer';
import { planScorer } from '../../src/ranking/plan-scorer';
import { openSession } from '../../src/ranking/session-scorer';
import { topK } from '../../src/ranking/top-k';
import { random } from '../../src/session/random';
import { loadPlanModule } from '../compute/plan/module';
import { answerSamples } from './answer-samples';

type Name = 'gru4rec' | 'sasrec';
/** The best 20 items of a session, item indices from 1. */
type Recommend = (items: readonly number[]) => Promise<number[]>;

const ITEMS = 10_000;
const TOP = 20;
const CONFIG = {
  gru4rec: { layers: [100], constrainedEmbedding: true },
  sasrec: { norm: 'pre', hiddenUnits: 64, maxlen: 50, numBlocks: 2, numHeads: 2 },
};

/** The model of the peers' weights, on WASM. */
async function networkOf(name: Name, folder: string) {
  const file = `${name}-10k.safetensors`;
  const { tensors } = decodeSafetensors(readFileSync(join(folder, file)), file);
  // The peer calls its one cell `cell`; the official code has a list of them.
  const named = Object.fromEntries(
    Object.entries(tensors).map(([key, value]) => [key.replace(/^cell\./, 'G.0.'), value]),
  );
  await startBackend('wasm', { wasmPath: wasmPath() });
  const model = (await models[name]!.network()) as unknown as SessionModel<object>;
  const config = configure(model, CONFIG[name]);
  const weights = toOurs(importers[name].map(config as Record<string, unknown>, ITEMS), named);
  return { model, config, weights, params: upload(weights), catalogue: { items: ITEMS } };
}

async function ours(name: Name, folder: string): Promise<Recommend> {
  const { model, config, params, catalogue } = await networkOf(name, folder);
  const session = openSession(neuralScorer(model, params, config, catalogue));
  return async (items) => {
    session.forget();
    return topK(await session.score({ items }), TOP).map(({ index }) => index);
  };
}

async function plan(name: Name, folder: string): Promise<Recommend> {
  const { model, config, weights, params, catalogue } = await networkOf(name, folder);
  const compiled = compilePlan({ model, params, config, catalogue });
  const running = startPlan(await loadPlanModule(), compiled, (of) => weights[of]?.data as Float32Array);
  const session = planScorer(running, { model, config, catalogue }).openSession();
  return async (items) => {
    session.forget();
    return (await session.topK({ items }, TOP, new Set())).map(({ index }) => index);
  };
}

async function onnx(name: Name, folder: string): Promise<Recommend> {
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

const [side, name, folder] = process.argv.slice(2) as ['ours' | 'plan' | 'onnx', Name, string];
const recommend = await { ours, plan, onnx }[side](name, folder);
const generator = random(7, 'bench');
const session = () => Array.from({ length: name === 'gru4rec' ? 1 : 50 }, () => 1 + generator.integer(ITEMS));
console.log(JSON.stringify(await recommend(session())));
await answerSamples(() => recommend(session()));
