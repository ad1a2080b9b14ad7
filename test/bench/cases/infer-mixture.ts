import { brotliCompressSync, constants } from 'node:zlib';
import type { Artifact } from '../../../src/checkpoint/artifact';
import { createLocalEngine } from '../../../src/engine/local-engine';
import { random } from '../../../src/session/random';
import type { Sessions } from '../../../src/types';
import { wasmPath } from '../../compute/backends/start';
import { folderOf, MODEL_URL, NOW, serveFolder, smallModel, withCounter, withPlan } from '../../engine/fixture';
import type { BenchCase, OpenCase } from '../bench-case';
import { median } from '../figures';

const ITEMS = 10_000;
/** As many as the training part of Diginetica has; they have 3.9 clicks on average. */
const SESSIONS = 186_670;
const CLICKS = 4;
const STEPS = 20;
const SASREC = { hiddenUnits: 64, maxlen: 50, numBlocks: 2, numHeads: 1 };
const MIX = { architecture: 'v-sknn', config: {}, share: 0.3 };

/** The best 20 of a SASRec with session neighbours inside, beside the same network alone; both by the plan, in Node. */
export const cases: readonly BenchCase[] = [{ name: 'infer-mixture', unit: 'ms', runs: 40, warmup: 3, open }];

async function open(): Promise<OpenCase> {
  const { uniform, integer } = random(1, 'mixture');
  const itemIds = Array.from({ length: ITEMS }, (_, k) => `item-${k + 1}`);
  const network = await smallModel({ architecture: 'sasrec', config: SASREC, itemIds });
  /** Some items are clicked far more often than others. */
  const popular = (): number => 1 + Math.floor(ITEMS * uniform() ** 3);
  const log: Sessions = {
    items: Int32Array.from({ length: SESSIONS * CLICKS }, popular),
    times: Float64Array.from(
      { length: SESSIONS * CLICKS },
      (_, e) => NOW - 30 * SESSIONS + 30 * Math.floor(e / CLICKS),
    ),
    offsets: Int32Array.from({ length: SESSIONS + 1 }, (_, s) => CLICKS * s),
  };
  const [ours, theirs] = [
    await engineOf(await withCounter(network, log, MIX)),
    await engineOf(await withPlan(network)),
  ];
  const requests = Array.from({ length: STEPS }, () => {
    const session = Array.from({ length: 1 + integer(8) }, () => ({ itemId: `item-${popular()}`, time: NOW }));
    return { session, k: 20, exclude: [] };
  });
  const times = async ({ engine }: typeof ours): Promise<number> => {
    const taken: number[] = [];
    for (const request of requests) {
      const from = performance.now();
      await engine.recommend(request);
      taken.push(performance.now() - from);
    }
    return median(taken);
  };
  return {
    ours: () => times(ours),
    theirs: () => times(theirs),
    peer: 'the network alone',
    threads: 1,
    versions: {},
    facts: () => ({
      'recommendations a turn': STEPS,
      'sessions inside': SESSIONS,
      'first answer, ms': ours.first,
      'first answer of the peer, ms': theirs.first,
      'MB with Brotli': ours.megabytes,
      'MB with Brotli, of the network alone': theirs.megabytes,
    }),
    async close() {
      await Promise.all([ours.engine.dispose(), theirs.engine.dispose()]);
    },
  };
}

async function engineOf(artifact: Artifact) {
  const folder = await folderOf(artifact);
  const engine = createLocalEngine({ fetchFile: serveFolder(folder), wasmPath });
  await engine.load({ modelUrl: MODEL_URL, backend: 'plan' });
  const from = performance.now();
  await engine.recommend({ session: [{ itemId: 'item-7', time: NOW }], k: 20, exclude: [] });
  const first = Number((performance.now() - from).toPrecision(3));
  const params = { [constants.BROTLI_PARAM_QUALITY]: 9 };
  const bytes = [...folder.values()].reduce((sum, file) => sum + brotliCompressSync(file, { params }).length, 0);
  return { engine, first, megabytes: Number((bytes / 1e6).toPrecision(3)) };
}
