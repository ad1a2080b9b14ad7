import { div, env, ones } from '@tensorflow/tfjs';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { commands } from 'vitest/browser';
import { packArtifact } from '../../src/checkpoint/pack';
import { startBackend } from '../../src/compute/backends/start';
import { stopBackend } from '../../src/compute/running';
import type { BackendName, TensorBackend } from '../../src/compute/types';
import { createLocalEngine } from '../../src/engine/local-engine';
import type { RankedItem } from '../../src/engine/types';
import { createRecommender, type Recommender } from '../../src/index';
import {
  ANSWERING,
  ASKED,
  differences,
  HALVES,
  K,
  learnings,
  NODE_BACKENDS,
  PAGE_BACKENDS,
  PARITY_MODELS,
  type Parity,
  STEPS,
  THOUSANDTH,
  timed,
  within,
} from '../engine/parity';
import { isSoak, slice } from '../soak-slice';
import { patient } from './patient-engine';

/** WebGPU in software takes its time, and all of it on a busy machine more. */
const TIMEOUT = isSoak ? 1_800_000 : 240_000;

/**
 * Whether every session and every step is compared, and the trained model's answers. A GPU in software takes minutes a model,
 * plain JavaScript half a minute: there `npm test` compares every 14th session and three steps.
 */
const isWhole = (backend: BackendName): boolean => isSoak || backend === 'wasm' || backend === 'plan';
const SOME = 14;
/** What `npm test` asks besides every plan, each on another backend; on GPUs the golden files ask others. */
const ASKED_ON: Partial<Record<BackendName, readonly string[]>> = {
  cpu: ['gru4rec', 'caser', 'transformers4rec'],
  wasm: ['srgnn', 'sasrec'],
  webgl: ['srgnn'],
  webgpu: ['caser'],
};
/** What it trains; Node compares all of them on plain CPU and WASM. WebGPU learns in tuning.test.ts. */
const TRAINED_ON: Record<TensorBackend, readonly string[]> = {
  cpu: [],
  wasm: ['gru4rec'],
  webgl: ['sasrec'],
  webgpu: [],
};

let parity: Parity;
let folder: string;
beforeAll(
  async () => {
    folder = `/${await commands.makeParity()}/`;
    parity = await (await fetch(`${folder}parity.json`)).json();
  },
  Math.max(TIMEOUT, 300_000),
);

let recommender: Recommender | undefined;
afterEach(() => recommender?.dispose());

/** Asks for every session, as a visitor who comes once a day. */
async function answersOf(
  modelUrl: string,
  backend: BackendName,
  every = 1,
): Promise<Record<string, readonly RankedItem[]>> {
  let time = 0;
  recommender = await createRecommender({ modelUrl, backend, now: () => time * 1000 });
  const answers: Record<string, readonly RankedItem[]> = {};
  for (const [n, [name, ids]] of Object.entries(parity.sessions).entries()) {
    if (n % every !== 0) continue;
    const { session, now } = timed(ids, n);
    for (const { itemId, time } of session) recommender.track({ itemId, time: time * 1000 });
    time = now;
    answers[name] = await recommender.recommend({ k: K });
  }
  expect(recommender.status).toMatchObject({ engine: { backend, thread: 'worker' } });
  // What has learnt from a few sessions knows few items.
  expect(recommender.status.degraded.filter(({ code }) => code !== 'unknown-ids')).toEqual([]);
  return answers;
}

describe('on WebGL with 16-bit textures', () => {
  const halves = (forced: boolean) => {
    stopBackend('webgl');
    env().set('WEBGL_FORCE_F16_TEXTURES', forced);
    env().set('WEBGL_RENDER_FLOAT32_ENABLED', !forced);
  };
  beforeAll(async () => {
    await startBackend('webgl'); // it registers the flags
    halves(true);
  });
  afterAll(() => halves(false));

  test('numbers have 16 bits', async () => {
    await startBackend('webgl');
    const [third] = await div(ones([1]), 3).data();
    expect(Math.abs(third! - 1 / 3)).toBeGreaterThan(2 ** -14);
    expect(Math.abs(third! - 1 / 3)).toBeLessThan(2 ** -11);
  });

  test.each(slice(PARITY_MODELS, (model) => model === 'cl4srec'))(
    '%s answers real sessions with the same ten items',
    async (model) => {
      const engine = createLocalEngine(patient);
      const modelUrl = new URL(`${folder}${model}/`, location.href).href;
      await engine.load({ modelUrl, backend: 'webgl' });
      const wrong: Record<string, string[]> = {};
      for (const [n, [name, ids]] of Object.entries(parity.sessions).entries()) {
        if (n % (isWhole('webgl') ? 1 : SOME) !== 0) continue;
        const { items } = await engine.recommend({ ...timed(ids, n), k: 10, exclude: [] });
        const expected = parity.answers[model]!.cpu[name]!.slice(0, 10);
        const found = differences(expected, items, within(HALVES, expected));
        if (found.length > 0) wrong[name] = found;
      }
      await engine.dispose();
      expect(wrong).toEqual({});
    },
    TIMEOUT,
  );
});

describe.each(PARITY_MODELS)('%s in a page', (model) => {
  test.each(slice([...PAGE_BACKENDS, 'plan'] as const, (backend) => ASKED_ON[backend]?.includes(model) ?? true))(
    'answers real sessions and the odd ones as Node does, on %s',
    async (backend) => {
      const every = isWhole(backend) ? 1 : SOME;
      const answers = await answersOf(`${folder}${model}/`, backend, every);
      expect(Object.keys(answers)).toHaveLength(Math.ceil((ASKED + 6) / every));
      const wrong: Record<string, string[]> = {};
      for (const other of ANSWERING) {
        for (const [name, expected] of Object.entries(parity.answers[model]![other])) {
          const found = answers[name] ? differences(expected, answers[name]) : [];
          if (found.length > 0) wrong[`${name}, Node on ${other}`] = found;
        }
      }
      expect(wrong).toEqual({});
    },
    TIMEOUT,
  );

  test.each(slice(PAGE_BACKENDS, (backend) => TRAINED_ON[backend].includes(model)))(
    'learns as Node does, step by step, and answers alike after it, on %s',
    async (backend) => {
      const learn = await learnings(model, backend, parity.sessions, patient);
      const steps = isWhole(backend) ? STEPS : 3;
      const losses = await learn.losses(steps);
      expect(losses).toHaveLength(steps);
      for (const other of NODE_BACKENDS) {
        const node = parity.learnt[model]![other].losses;
        const isOff = (loss: number, step: number) => !(Math.abs(loss / node[step]! - 1) < THOUSANDTH);
        expect(losses.filter(isOff)).toEqual([]);
      }
      if (!isWhole(backend)) return;
      const artifact = await learn.artifact();
      const learnt = `${folder.slice(1)}learnt-${model}-${backend}/`;
      for (const [name, bytes] of await packArtifact(artifact)) {
        const text = Array.from(bytes, (byte) => String.fromCharCode(byte)).join('');
        await commands.writeFile(`${learnt}${name}`, btoa(text), 'base64');
      }
      const answers = await answersOf(`/${learnt}`, backend);
      for (const other of NODE_BACKENDS) {
        const node = parity.learnt[model]![other];
        const wrong: Record<string, string[]> = {};
        for (const [name, expected] of Object.entries(node.answers)) {
          const found = differences(expected, answers[name]!, within(THOUSANDTH, expected));
          if (found.length > 0) wrong[name] = found;
        }
        expect(wrong).toEqual({});
      }
    },
    TIMEOUT,
  );
});
