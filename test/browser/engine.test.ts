import { afterAll, afterEach, beforeAll, describe, expect, test, vi } from 'vitest';
import { commands } from 'vitest/browser';
import { type BackendName, isGpu } from '../../src/compute/types';
import type { RankedItem, RecommendRequest } from '../../src/engine/types';
import { createRecommender } from '../../src/index';
import { type EngineDegradation, startWorkerEngine, type WorkerEngineOptions } from '../../src/worker/client';
import { clicks, folderOf, NOW, plannedModel, SESSIONS } from '../engine/fixture';
import expected from '../engine/small-model-answers.json';
import { isSoak } from '../soak-slice';

const FOLDER = 'dist/test-models/small/';
const modelUrl = new URL(`/${FOLDER}`, location.href).href;

beforeAll(async () => {
  for (const [name, bytes] of await folderOf(await plannedModel())) {
    const text = Array.from(bytes, (byte) => String.fromCharCode(byte)).join('');
    await commands.writeFile(`${FOLDER}${name}`, btoa(text), 'base64');
  }
});

/** Every worker that the page has started, by the standard constructor. */
const workers: Worker[] = [];
const PlainWorker = globalThis.Worker;
beforeAll(() => {
  globalThis.Worker = class extends PlainWorker {
    constructor(url: string | URL, options?: WorkerOptions) {
      super(url, options);
      workers.push(this);
    }
  };
});
afterAll(() => {
  globalThis.Worker = PlainWorker;
});

const ends: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const end of ends.splice(0)) await end();
  workers.length = 0;
});

function started(options: WorkerEngineOptions = {}) {
  const degraded: EngineDegradation[] = [];
  const engine = startWorkerEngine({ onDegraded: (entry) => degraded.push(entry), ...options });
  ends.push(() => engine.dispose());
  return { engine, degraded };
}

const asked = (over: Partial<RecommendRequest> = {}): RecommendRequest => ({
  session: clicks('item-9'),
  k: 20,
  exclude: [],
  ...over,
});

function expectAnswer(name: string, items: readonly RankedItem[]): void {
  const answer = (expected as Record<string, RankedItem[]>)[name]!;
  expect(items.map(({ itemId }) => itemId)).toEqual(answer.map(({ itemId }) => itemId));
  for (const [i, { score, reason }] of answer.entries()) {
    expect(Math.abs(items[i]!.score - score)).toBeLessThan(1e-4);
    expect(items[i]!.reason).toBe(reason);
  }
}

describe.each<BackendName>(['plan', 'cpu', 'wasm', 'webgl', 'webgpu'])('a worker on %s', (backend) => {
  test('answers as Node does', async () => {
    const { engine, degraded } = started();
    expect(await engine.load({ modelUrl, backend })).toMatchObject({ backend, name: 'small gru4rec' });
    for (const [name, session] of Object.entries(SESSIONS)) {
      if (name === '200 clicks' && isGpu(backend) && !isSoak) continue; // as many steps, one after the other
      expectAnswer(name, (await engine.recommend(asked({ session }))).items);
    }
    expect(await engine.thread()).toBe('worker');
    expect({ degraded, workers: workers.length }).toEqual({ degraded: [], workers: 1 });
  });

  test('keeps as many tensors over recommendations, aborted ones among them', async () => {
    const { engine } = started();
    await engine.load({ modelUrl, backend });
    await engine.recommend(asked());
    const before = await engine.memory();
    for (let call = 0; call < (isSoak || !isGpu(backend) ? 100 : 10); call++) {
      const abort = new AbortController();
      const session = SESSIONS['200 clicks']!.slice(call % 7, (call % 7) + 3);
      const answer = engine.recommend(asked({ session }), { signal: abort.signal });
      if (call % 5 === 0) abort.abort();
      await answer.catch((error) => expect(error.code).toBe('aborted'));
    }
    expect(await engine.memory()).toEqual(before);
  });
});

describe('a worker', () => {
  // In `npm test` protocol.test.ts has a worker that falls silent.
  if (isSoak)
    test('that is terminated behind our back is started again, with its model', async () => {
      const { engine, degraded } = started({ silenceDeadline: 1.5 });
      await engine.load({ modelUrl, backend: 'wasm' });
      workers[0]!.terminate();
      const name = 'a repeat';
      expectAnswer(name, (await engine.recommend(asked({ session: SESSIONS[name]! }))).items);
      expect(workers).toHaveLength(2);
      expect(degraded).toMatchObject([{ code: 'worker-restarted' }]);
    });

  test('whose script is missing is replaced by the page, which answers alike', async () => {
    const workerUrl = new URL('/no/such/worker.js', location.href).href;
    const { engine, degraded } = started({ workerUrl });
    expect(await engine.load({ modelUrl, backend: 'auto' })).toMatchObject({ backend: 'plan' });
    const name = 'odd ids';
    expectAnswer(name, (await engine.recommend(asked({ session: SESSIONS[name]! }))).items);
    expect(await engine.thread()).toBe('main');
    expect(degraded).toMatchObject([{ code: 'no-worker', message: expect.stringContaining(workerUrl) }]);
  });

  test('of another origin is replaced by the page', async () => {
    const { engine, degraded } = started({ workerUrl: 'https://other.example/worker.js' });
    await engine.load({ modelUrl, backend: 'cpu' });
    expect((await engine.recommend(asked())).items).toHaveLength(20);
    expect(degraded).toMatchObject([{ code: 'no-worker' }]);
  });

  test('lets a call go at once when it is aborted, while it loads too', async () => {
    const { engine } = started();
    const early = new AbortController();
    const loading = engine.load({ modelUrl, backend: 'wasm' }, { signal: early.signal });
    early.abort();
    await expect(loading).rejects.toMatchObject({ code: 'aborted' });
    await engine.load({ modelUrl, backend: 'wasm' });
    const late = new AbortController();
    const answer = engine.recommend(asked(), { signal: late.signal });
    late.abort();
    await expect(answer).rejects.toMatchObject({ code: 'aborted' });
    expect((await engine.recommend(asked())).items).toHaveLength(20);
  });

  test('keeps the code of an error', async () => {
    const { engine } = started();
    const missing = engine.load({ modelUrl: new URL('/no/model/', location.href).href, backend: 'cpu' });
    await expect(missing).rejects.toMatchObject({ name: 'RecommenderError', code: 'bad-artifact' });
  });
});

describe('the recommender in a page', () => {
  test('computes in a worker, from an address relative to the page', async () => {
    const recommender = await createRecommender({ modelUrl: `/${FOLDER}`, now: () => NOW * 1000 });
    ends.push(() => recommender.dispose());
    const ready = vi.fn();
    recommender.on('ready', ready);
    for (const [t, { itemId }] of SESSIONS['a repeat']!.entries()) {
      recommender.track({ itemId, time: (NOW - 600 + 90 * t) * 1000 });
    }
    expectAnswer('a repeat', await recommender.recommend({ k: 20 }));
    expect(ready).toHaveBeenCalledTimes(1);
    expect(recommender.status).toMatchObject({ engine: { backend: 'plan', thread: 'worker' }, degraded: [] });
  });
});
