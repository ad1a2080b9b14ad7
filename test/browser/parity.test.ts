import { div, env, ones } from '@tensorflow/tfjs-core';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { commands } from 'vitest/browser';
import { packArtifact } from '../../src/checkpoint/pack';
import { startBackend, stopBackend } from '../../src/engine/backends/index';
import { startWorkerEngine } from '../../src/engine/client';
import type { BackendName, RankedItem } from '../../src/engine/engine';
import { createLocalEngine } from '../../src/engine/local-engine';
import { createRecommender, type Recommender } from '../../src/index';
import {
  ASKED,
  differences,
  HALVES,
  K,
  learnBoth,
  NODE_BACKENDS,
  PAGE_BACKENDS,
  PARITY_MODELS,
  type Parity,
  THOUSANDTH,
  timed,
  within,
} from '../engine/parity';

/** WebGPU in software takes its time. */
const TIMEOUT = 240_000;

let parity: Parity;
let folder: string;
beforeAll(async () => {
  folder = `/${await commands.makeParity()}/`;
  parity = await (await fetch(`${folder}parity.json`)).json();
});

let recommender: Recommender | undefined;
afterEach(() => recommender?.dispose());

/** Asks for every session, as a visitor who comes once a day. */
async function answersOf(modelUrl: string, backend: BackendName): Promise<Record<string, readonly RankedItem[]>> {
  let time = 0;
  recommender = await createRecommender({ modelUrl, backend, now: () => time * 1000 });
  const answers: Record<string, readonly RankedItem[]> = {};
  for (const [n, [name, ids]] of Object.entries(parity.sessions).entries()) {
    const { session, now } = timed(ids, n);
    for (const { itemId, time } of session) recommender.track({ itemId, time: time * 1000 });
    time = now;
    answers[name] = await recommender.recommend({ k: K });
  }
  expect(recommender.status).toMatchObject({ engine: { backend, thread: 'worker' }, degraded: [] });
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

  test.each(PARITY_MODELS)('%s answers 50 real sessions with the same ten items', async (model) => {
    const engine = createLocalEngine();
    const modelUrl = new URL(`${folder}${model}/`, location.href).href;
    await engine.load({ modelUrl, backend: 'webgl' });
    const wrong: Record<string, string[]> = {};
    for (const [n, [name, ids]] of Object.entries(parity.sessions).entries()) {
      const { items } = await engine.recommend({ ...timed(ids, n), k: 10, exclude: [] });
      const expected = parity.answers[model]!.cpu[name]!.slice(0, 10);
      const found = differences(expected, items, within(HALVES, expected));
      if (found.length > 0) wrong[name] = found;
    }
    await engine.dispose();
    expect(wrong).toEqual({});
  });
});

describe.each(PARITY_MODELS)('%s in a page', (model) => {
  test.each(PAGE_BACKENDS)(
    'answers 50 real sessions and the odd ones as Node does, on %s',
    async (backend) => {
      const answers = await answersOf(`${folder}${model}/`, backend);
      expect(Object.keys(answers)).toHaveLength(ASKED + 6);
      const wrong: Record<string, string[]> = {};
      for (const other of NODE_BACKENDS) {
        for (const [name, expected] of Object.entries(parity.answers[model]![other])) {
          const found = differences(expected, answers[name]!);
          if (found.length > 0) wrong[`${name}, Node on ${other}`] = found;
        }
      }
      expect(wrong).toEqual({});
    },
    TIMEOUT,
  );

  test.each(PAGE_BACKENDS)(
    'learns as Node does, step by step, and answers alike after it, on %s',
    async (backend) => {
      const engine = startWorkerEngine();
      const { losses, artifact } = await learnBoth(engine, model, backend, parity.sessions);
      await engine.dispose();
      const learnt = `${folder.slice(1)}learnt-${model}-${backend}/`;
      for (const [name, bytes] of await packArtifact(artifact)) {
        const text = Array.from(bytes, (byte) => String.fromCharCode(byte)).join('');
        await commands.writeFile(`${learnt}${name}`, btoa(text), 'base64');
      }
      const answers = await answersOf(`/${learnt}`, backend);
      for (const other of NODE_BACKENDS) {
        const node = parity.learnt[model]![other];
        expect(losses).toHaveLength(20);
        expect(
          losses.map((loss, step) => Math.abs(loss / node.losses[step]! - 1)).filter((off) => !(off < 1e-3)),
        ).toEqual([]);
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
