/** Every architecture on WASM where the engine has no SIMD, against plain CPU: neither TensorFlow.js' module nor ours has it there. */
import { env } from '@tensorflow/tfjs';
import { expect, test, vi } from 'vitest';
import { configure } from '../../src/models/configuration';
import { models } from '../../src/models/index';
import { initialise } from '../../src/models/initialise';
import { upload } from '../../src/models/tensors';
import { hasKernel } from '../../src/nn/kernels';
import { neuralScorer } from '../../src/ranking/neural-scorer';
import { openSession } from '../../src/ranking/session-scorer';
import { backends, start } from '../compute/backends/start';
import { closeTo } from '../compute/kernels/random';
import { SMALL } from '../engine/parity';
import { logOf, supportOf } from '../train/helpers';
import { firstBatch, stepOf } from './steps';

const ITEMS = 12;
const SEED = 7;
const log = logOf([
  [1, 2, 3],
  [4, 5],
  [6, 7, 8, 9, 1, 2],
  [10, 11, 12, 10],
  [3, 3, 5, 8, 2, 9, 4, 7, 12, 1],
]);
const catalogue = { items: ITEMS, support: supportOf(log, ITEMS), features: {}, categories: {} };

vi.spyOn(WebAssembly, 'validate').mockReturnValue(false); // before a backend has started

test.each(Object.keys(models))('%s answers and learns as on plain CPU', async (name) => {
  const [network, training] = await Promise.all([models[name]!.network(), models[name]!.training()]);
  const config = configure(network, SMALL[name]!);
  const values = initialise(network.parameters(config, catalogue), SEED);
  const batch = firstBatch(training, config, log, catalogue);
  const found = [];
  for (const backend of backends) {
    await start(backend);
    const scorer = neuralScorer(network, upload(values), config, catalogue);
    const session = openSession(scorer);
    const scores: number[] = [];
    for (const items of [[3], [1, 2, 3, 2], Array.from({ length: 30 }, (_, i) => 1 + (i % ITEMS))]) {
      session.forget();
      scores.push(...(await session.score({ items: Int32Array.from(items) })));
    }
    found.push({ scores, ...stepOf(training, values, batch, config, catalogue) });
  }
  const [cpu, wasm] = found as [(typeof found)[0], (typeof found)[0]];
  expect([hasKernel('AisleLayerNorm'), await env().getAsync('WASM_HAS_SIMD_SUPPORT')]).toEqual([false, false]);
  closeTo(wasm.scores, cpu.scores, 1e-5);
  expect(wasm.loss / cpu.loss).toBeCloseTo(1, 4);
  for (const [of, slopes] of Object.entries(cpu.gradients)) closeTo(wasm.gradients[of]!, slopes, 1e-5);
});
