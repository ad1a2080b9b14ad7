import { dependencies } from '../../../package.json';
import { startBackend } from '../../../src/compute/backends/start';
import { startPlan } from '../../../src/compute/plan/runtime';
import { models } from '../../../src/models/index';
import { upload } from '../../../src/models/tensors';
import { wasmPath } from '../../../src/pipeline/files/backend';
import { compilePlan } from '../../../src/ranking/compile-plan';
import { neuralScorer } from '../../../src/ranking/neural-scorer';
import { planScorer } from '../../../src/ranking/plan-scorer';
import { readerOf } from '../../../src/ranking/session-reader';
import { openSession } from '../../../src/ranking/session-scorer';
import { topK } from '../../../src/ranking/top-k';
import { random } from '../../../src/session/random';
import { loadPlanModule } from '../../compute/plan/module';
import type { BenchCase, OpenCase } from '../bench-case';
import { median } from '../figures';
import { PEER_ITEMS, randomNetwork } from '../peer-network';

const TOP = 20;
const LONGEST = 200;
export const LENGTHS = [1, 2, 5, 10, 20, 50, 100, LONGEST];
/** What lets a network read all of the longest session. Caser reads its window. */
const LONG: Readonly<Record<string, Readonly<Record<string, unknown>>>> = {
  srgnn: { maxlen: LONGEST },
  sasrec: { maxlen: LONGEST },
  cl4srec: { maxlen: LONGEST },
  transformers4rec: { totalSeqLength: LONGEST },
};

/** The best 20 of 10,000 items for a session of 200 clicks, and of fewer: by the plan, beside our kernels on TensorFlow.js' WASM. */
export const cases: readonly BenchCase[] = Object.keys(models).map((name) => ({
  name: `scale-clicks-${name}`,
  unit: 'ms',
  runs: 20,
  warmup: 3,
  open: () => open(name),
}));

async function open(name: string): Promise<OpenCase> {
  const network = await randomNetwork(name, LONG[name]);
  const { model, config, catalogue, weights } = network;
  await startBackend('cpu');
  const plan = compilePlan({ model, params: upload(weights), config, catalogue });
  await startBackend('wasm', { wasmPath: wasmPath() });
  const params = upload(weights);
  const running = startPlan(await loadPlanModule(), plan, (of) => weights[of]);
  const planned = planScorer(running, readerOf(network)).openSession();
  const scorer = neuralScorer(model, params, config, catalogue);
  const onWasm = openSession(scorer);
  const { integer } = random(7, 'clicks');
  const clicks = (length: number) => ({ items: Array.from({ length }, () => 1 + integer(PEER_ITEMS)) });
  const turns = { plan: new Map<number, number[]>(), wasm: new Map<number, number[]>() };
  /** A session of each length. @returns The milliseconds of the longest one. */
  async function turn(found: Map<number, number[]>, answer: (session: ReturnType<typeof clicks>) => Promise<unknown>) {
    let milliseconds = 0;
    for (const length of LENGTHS) {
      const session = clicks(length);
      const started = performance.now();
      await answer(session);
      milliseconds = performance.now() - started;
      found.set(length, [...(found.get(length) ?? []), milliseconds]);
    }
    return milliseconds;
  }
  const figures = (found: ReadonlyMap<number, number[]>, what: string) =>
    Object.fromEntries(
      LENGTHS.map((length) => [`ms ${what}, ${length} clicks`, Number(median(found.get(length)!).toPrecision(3))]),
    );
  return {
    ours: () =>
      turn(turns.plan, (session) => {
        planned.forget();
        return planned.topK(session, TOP, new Set());
      }),
    theirs: () =>
      turn(turns.wasm, async (session) => {
        onWasm.forget();
        return topK(await onWasm.score(session), TOP);
      }),
    peer: "our kernels on TensorFlow.js' WASM",
    threads: 1,
    versions: { '@tensorflow/tfjs-backend-wasm': dependencies['@tensorflow/tfjs-backend-wasm'] },
    facts: () => ({ ...figures(turns.plan, 'by the plan'), ...figures(turns.wasm, 'on WASM') }),
    async close() {
      scorer.dispose();
      for (const tensor of Object.values(params)) tensor.dispose();
    },
  };
}
