/// <reference types="@webgpu/types" />
import { engine as runtime, square, tensor1d } from '@tensorflow/tfjs';
import { afterEach, describe, expect, test, vi } from 'vitest';
import { startBackend } from '../../src/compute/backends/start';
import { stopBackend } from '../../src/compute/running';
import type { BackendChoice, BackendName } from '../../src/compute/types';
import { createLocalEngine, type LocalEngineOptions } from '../../src/engine/local-engine';
import type { Engine, RecommendRequest } from '../../src/engine/types';
import { clicks, folderOf, MODEL_URL, RING_TRAINING, SESSIONS, serveFolder, smallModel } from '../engine/fixture';
import expected from '../engine/small-model-answers.json';
import { trainSessions } from '../engine/train-sessions';
import { isSoak, slice } from '../soak-slice';
import { lose } from './lose-device';
import { patient } from './patient-engine';
import { withoutExponentials, withWrongExponentials } from './wrong-driver';

vi.setConfig({ testTimeout: 300_000 });

const GPUS = ['webgl', 'webgpu'] as const satisfies readonly BackendName[];
/** What `npm test` asks of one of them, which takes its time in software. */
const onWebgl = slice(GPUS, (backend) => backend === 'webgl');
const onWebgpu = slice(GPUS, (backend) => backend === 'webgpu');

const running: Engine[] = [];
afterEach(async () => {
  for (const engine of running.splice(0)) await engine.dispose();
});

async function loaded(backend: BackendChoice, options: LocalEngineOptions = {}) {
  const fetchFile = serveFolder(await folderOf(await smallModel()));
  const engine = createLocalEngine({ fetchFile, ...patient, ...options });
  running.push(engine);
  const info = await engine.load({ modelUrl: MODEL_URL, backend });
  return { engine, info };
}

const request = (over: Partial<RecommendRequest> = {}): RecommendRequest => ({
  session: SESSIONS['a repeat']!,
  k: 20,
  exclude: [],
  ...over,
});

async function expectAnswer(answer: ReturnType<Engine['recommend']>): Promise<{ backend: BackendName; why: string }> {
  const { items, backend, why } = await answer;
  const right = expected['a repeat'] as { itemId: string; score: number }[];
  expect(items.map(({ itemId }) => itemId)).toEqual(right.map(({ itemId }) => itemId));
  for (const [i, { score }] of right.entries()) expect(Math.abs(items[i]!.score - score)).toBeLessThan(1e-4);
  return { backend, why };
}

describe.each(GPUS)('%s lost', (backend) => {
  // In `npm test` a lost WebGPU starts again in tuning.test.ts.
  if (isSoak || backend === 'webgl')
    test('between recommendations is started again', async () => {
      const { engine } = await loaded(backend);
      await expectAnswer(engine.recommend(request()));
      const before = runtime().registry[backend];
      lose[backend]();
      const { why } = await expectAnswer(engine.recommend(request()));
      expect(runtime().registry[backend]).not.toBe(before);
      expect(why).toContain('lost');
      expect(await expectAnswer(engine.recommend(request()))).toMatchObject({ backend });
    });

  if (isSoak || backend === 'webgpu')
    test('during a recommendation leaves none without its answer', async () => {
      const { engine } = await loaded(backend);
      const answers = [0, 1, 2].map(() => engine.recommend(request()));
      // Once the first has given its commands to the GPU and waits for the numbers.
      await new Promise((next) => setTimeout(next, 5));
      lose[backend]();
      for (const answer of answers) await expectAnswer(answer);
      expect(await expectAnswer(engine.recommend(request()))).toMatchObject({ backend });
    });

  if (isSoak || backend === 'webgl')
    test('again and again is given up for the next backend', async () => {
      const { engine } = await loaded(backend);
      for (let time = 0; time < 3; time++) {
        lose[backend]();
        await expectAnswer(engine.recommend(request()));
      }
      const { backend: last, why } = await expectAnswer(engine.recommend(request()));
      expect(last).toBe(backend === 'webgpu' ? 'webgl' : 'wasm');
      expect(why).toContain(`"${backend}" had failed`);
    });

  if (isSoak || backend === 'webgl')
    test('in the middle of training says so, and recommendations go on', async () => {
      const { engine } = await loaded(backend);
      let steps = 0;
      const onProgress = () => {
        steps++;
        if (steps === 3) lose[backend]();
      };
      const training = trainSessions({ ...RING_TRAINING, epochs: 50, backend, onProgress }, patient);
      await expect(training).rejects.toMatchObject({ backend, isGone: true });
      expect(steps).toBeGreaterThanOrEqual(3);
      await expectAnswer(engine.recommend(request()));
    });
});

describe.each(onWebgpu)('%s whose memory is used up', (backend) => {
  test('is left for the next backend, and the recommendation is answered', async () => {
    const { engine } = await loaded(backend);
    Object.assign(runtime().registry[backend]!, {
      uploadToGPU() {
        throw new Error('out of memory');
      },
    });
    const { backend: last, why } = await expectAnswer(engine.recommend(request()));
    expect(last).toBe(backend === 'webgpu' ? 'webgl' : 'wasm');
    expect(why).toContain('out of memory');
    expect(await expectAnswer(engine.recommend(request()))).toMatchObject({ backend: last });
  });
});

describe.each(onWebgpu)('a device of %s that falls silent', (backend) => {
  test('is left for the next backend after a deadline', async () => {
    const { engine } = await loaded(backend);
    Object.assign(runtime().registry[backend]!, { read: () => new Promise(() => {}) });
    // Half of the deadline: the next backend needs the rest. Its clock alone runs fast, since another GPU may start slowly.
    const half = patient.backendDeadline / 2;
    const { setTimeout: timer } = globalThis;
    const fast = vi.spyOn(globalThis, 'setTimeout');
    fast.mockImplementation(((done: () => void, ms = 0) =>
      timer(done, Math.round(ms / 1000) === half ? 2000 : ms)) as typeof setTimeout);
    try {
      const { backend: last, why } = await expectAnswer(engine.recommend(request()));
      expect(last).toBe(backend === 'webgpu' ? 'webgl' : 'wasm');
      expect(why).toContain(`did not answer within ${half} s`);
    } finally {
      fast.mockRestore();
    }
  });
});

describe.each(onWebgl)('a model moved to %s', (backend) => {
  test('answers there, and leaves nothing where it was', async () => {
    const { engine } = await loaded('wasm');
    await engine.recommend(request());
    const before = await engine.memory();
    for (let round = 0; round < (isSoak ? 25 : 2); round++) {
      const { model, milliseconds } = await engine.move({ backend, why: 'a test wants it' });
      expect(model).toMatchObject({ backend, why: 'a test wants it' });
      expect(milliseconds).toBeGreaterThan(0);
      expect(await expectAnswer(engine.recommend(request()))).toEqual({ backend, why: 'a test wants it' });
      await engine.move({ backend: 'wasm' });
      expect(runtime().registry[backend]).toBeUndefined();
    }
    await expectAnswer(engine.recommend(request()));
    expect(await engine.memory()).toEqual(before);
  }, 120_000);
});

describe('a WebGL context that was lost', () => {
  test('and that the browser has restored is not the one that holds the model', async () => {
    const { engine } = await loaded('webgl');
    await expectAnswer(engine.recommend(request()));
    const { gl } = (runtime().registry.webgl as unknown as { gpgpu: { gl: WebGL2RenderingContext } }).gpgpu;
    const { canvas } = gl;
    const notices = (name: string) =>
      new Promise<unknown>((resolve) => canvas.addEventListener(name, resolve, { once: true }));
    const extension = gl.getExtension('WEBGL_lose_context')!;
    const lost = notices('webglcontextlost');
    extension.loseContext();
    await lost;
    const restored = notices('webglcontextrestored');
    setTimeout(() => extension.restoreContext());
    await restored;
    expect(gl.isContextLost()).toBe(false);
    const { why } = await expectAnswer(engine.recommend(request()));
    expect(why).toContain('lost');
  });
});

test('popular items need no backend, whatever it is', async () => {
  const { engine } = await loaded('webgpu');
  const { items } = await engine.recommend(request({ session: clicks('gone'), k: 3 }));
  expect(items.map(({ reason }) => reason)).toEqual(['popular', 'popular', 'popular']);
});

describe('a GPU that computes something else', () => {
  test('is refused by name, and the model stays where it is', async () => {
    stopBackend('webgpu');
    const { engine } = await loaded('wasm');
    await withWrongExponentials(async () => {
      const wrong = { code: 'no-backend', message: expect.stringContaining('its own golden answer on "webgpu"') };
      await expect(engine.move({ backend: 'webgpu' })).rejects.toMatchObject(wrong);
      await expect(loaded('webgpu')).rejects.toMatchObject(wrong);
    });
    expect(await expectAnswer(engine.recommend(request()))).toMatchObject({ backend: 'wasm' });
    expect(runtime().registry.webgpu).toBeUndefined();
  });
});

describe('a WebGPU device that refuses a program', () => {
  if (isSoak)
    test('teaches nothing wrong: the training says what was refused, and the next one is right', async () => {
      stopBackend('webgpu');
      const trainRing = (backend: BackendName) => trainSessions({ ...RING_TRAINING, backend }, patient);
      await withoutExponentials(async () => {
        const refused = { code: 'no-backend', message: expect.stringMatching(/refused .*unheardOf/) };
        await expect(trainRing('webgpu')).rejects.toMatchObject(refused);
      });
      stopBackend('webgpu');
      const [gpu, cpu] = [await trainRing('webgpu'), await trainRing('wasm')];
      expect(gpu.losses[0]).toBeCloseTo(cpu.losses[0]!, 3);
    });

  test('in the middle of its work is left for the next backend, and the recommendation is answered', async () => {
    const { engine } = await loaded('webgpu');
    const { device } = runtime().registry.webgpu as unknown as { device: GPUDevice };
    device.createShaderModule({ code: 'no program' });
    const { backend: last, why } = await expectAnswer(engine.recommend(request()));
    expect(last).toBe('webgl');
    expect(why).toMatch(/refused .*unexpected token/);
  });
});

describe('a WebGPU device that comes when nobody waits for it any more', () => {
  test.each([
    ['requestAdapter', GPU.prototype],
    ['requestDevice', GPUAdapter.prototype],
  ] as unknown as [string, Record<string, (...args: unknown[]) => Promise<unknown>>][])(
    'disturbs none that was started meanwhile, late by %s',
    async (method, prototype) => {
      stopBackend('webgpu');
      const devices: GPUDevice[] = [];
      let arrive = () => {};
      const arrived = new Promise<void>((resolve) => {
        arrive = resolve;
      });
      const original = prototype[method]!;
      const asked = vi.spyOn(prototype, method).mockImplementationOnce(async function (this: unknown, ...args) {
        await arrived;
        const result = await original.apply(this, args);
        if (result instanceof GPUDevice) devices.push(result);
        return result;
      });
      const late = new AbortController();
      const start = startBackend('webgpu', { signal: late.signal });
      await expect.poll(() => asked.mock.calls.length).toBe(1);
      late.abort();
      await startBackend('webgpu');
      const running = runtime().registry.webgpu;
      const mine = tensor1d([2, 3]);
      arrive();
      await expect(start).rejects.toMatchObject({ code: 'aborted' });
      expect(runtime().registry.webgpu).toBe(running);
      expect([...(await square(mine).data())]).toEqual([4, 9]);
      expect(devices).toHaveLength(method === 'requestDevice' ? 1 : 0);
      for (const device of devices) expect((await device.lost).reason).toBe('destroyed'); // its memory is given back
      asked.mockRestore();
    },
  );
});
