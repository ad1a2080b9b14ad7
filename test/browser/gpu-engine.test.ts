/// <reference types="@webgpu/types" />
import { getBackend, getKernel, type KernelConfig, engine as runtime, type TensorInfo } from '@tensorflow/tfjs-core';
import { afterEach, describe, expect, test } from 'vitest';
import { stopBackend } from '../../src/engine/backends/index';
import type { BackendChoice, BackendName, Engine, RecommendRequest, TrainRequest } from '../../src/engine/engine';
import { createLocalEngine, type LocalEngineOptions } from '../../src/engine/local-engine';
import { inMemory } from '../../src/engine/measure';
import {
  clicks,
  folderOf,
  MODEL_URL,
  NOW,
  RING,
  RING_LOSSES,
  SESSIONS,
  serveFolder,
  smallModel,
} from '../engine/fixture';
import expected from '../engine/small-model-answers.json';

const GPUS = ['webgl', 'webgpu'] as const satisfies readonly BackendName[];

const running: Engine[] = [];
afterEach(async () => {
  for (const engine of running.splice(0)) await engine.dispose();
});

async function loaded(backend: BackendChoice, options: LocalEngineOptions = {}) {
  const fetchFile = serveFolder(await folderOf(await smallModel()));
  const engine = createLocalEngine({ fetchFile, ...options });
  running.push(engine);
  const info = await engine.load({ modelUrl: MODEL_URL, backend });
  return { engine, info };
}

const request = (over: Partial<RecommendRequest> = {}): RecommendRequest => ({
  session: SESSIONS['a repeat']!,
  k: 20,
  exclude: [],
  now: NOW,
  ...over,
});

async function expectAnswer(answer: ReturnType<Engine['recommend']>): Promise<{ backend: BackendName; why: string }> {
  const { items, backend, why } = await answer;
  const right = expected['a repeat'] as { itemId: string; score: number }[];
  expect(items.map(({ itemId }) => itemId)).toEqual(right.map(({ itemId }) => itemId));
  for (const [i, { score }] of right.entries()) expect(Math.abs(items[i]!.score - score)).toBeLessThan(1e-4);
  return { backend, why };
}

/** Takes the device or context away, as a driver does. */
const lose = {
  webgl(): void {
    const { gpgpu } = runtime().registry.webgl as unknown as { gpgpu: { gl: WebGL2RenderingContext } };
    gpgpu.gl.getExtension('WEBGL_lose_context')!.loseContext();
  },
  webgpu(): void {
    (runtime().registry.webgpu as unknown as { device: { destroy(): void } }).device.destroy();
  },
};

describe.each(GPUS)('%s lost', (backend) => {
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

  test('during a recommendation leaves none without its answer', async () => {
    const { engine } = await loaded(backend);
    const answers = [0, 1, 2].map(() => engine.recommend(request()));
    // Once the first has given its commands to the GPU and waits for the numbers.
    await new Promise((next) => setTimeout(next, 5));
    lose[backend]();
    for (const answer of answers) await expectAnswer(answer);
    expect(await expectAnswer(engine.recommend(request()))).toMatchObject({ backend });
  });

  test('again and again is given up for the next rung', async () => {
    const { engine } = await loaded(backend);
    for (let time = 0; time < 3; time++) {
      lose[backend]();
      await expectAnswer(engine.recommend(request()));
    }
    const { backend: last, why } = await expectAnswer(engine.recommend(request()));
    expect(last).toBe(backend === 'webgpu' ? 'webgl' : 'wasm');
    expect(why).toContain(`"${backend}" had failed`);
  });

  test('in the middle of training says so, and recommendations go on', async () => {
    const { engine } = await loaded(backend);
    const training: TrainRequest = {
      model: 'gru4rec',
      sessions: RING,
      config: { layers: '16', batchSize: 8, nSample: 0 },
      seed: 3,
      epochs: 50,
      backend,
    };
    const failed = expect(engine.train(training)).rejects.toMatchObject({ code: 'engine-lost' });
    await new Promise((next) => setTimeout(next, 300));
    lose[backend]();
    await failed;
    await expectAnswer(engine.recommend(request()));
  });
});

describe.each(GPUS)('training on %s', (backend) => {
  test('has the losses that Node has', async () => {
    const { engine } = await loaded(backend);
    const { losses, golden } = await engine.train({
      model: 'gru4rec',
      sessions: RING,
      config: { layers: '16', batchSize: 8, nSample: 0, learningRate: 0.1 },
      seed: 3,
      epochs: 1,
      backend,
    });
    expect(losses[0]).toBeCloseTo(RING_LOSSES[0]!, 3);
    expect(golden.top.length).toBeGreaterThan(0);
  });
});

/** A clock on which an inference of each backend takes what the table says. */
function clockOf(milliseconds: Readonly<Record<BackendName, number>>): () => number {
  let time = 0;
  return () => {
    time += milliseconds[getBackend() as BackendName];
    return time;
  };
}

const settled = (engine: Engine) =>
  expect.poll(async () => (await engine.recommend(request())).why, { timeout: 20_000 }).toContain('fastest here');

describe('auto', () => {
  test('answers at once, then moves to the fastest that it has measured, and remembers it for a week', async () => {
    const measured = inMemory();
    let today = NOW * 1000;
    const options = { measured, measureAfter: 0, now: () => today };
    const first = await loaded('auto', { ...options, clock: clockOf({ webgpu: 5, webgl: 1, wasm: 3, cpu: 9 }) });
    expect(first.info.backend).toBe('wasm');
    await settled(first.engine);
    expect(await expectAnswer(first.engine.recommend(request()))).toEqual({
      backend: 'webgl',
      why: '"webgl" is the fastest here: webgl 1.0 ms, wasm 3.0 ms, webgpu 5.0 ms, cpu 9.0 ms.',
    });
    const again = await loaded('auto', options);
    expect(again.info).toMatchObject({ backend: 'webgl', why: expect.stringContaining('webgl 1.0 ms') });
    await expectAnswer(again.engine.recommend(request()));
    today += 8 * 24 * 3600 * 1000;
    expect((await loaded('auto', options)).info.backend).toBe('wasm');
  });

  test('stays where it is if nothing is faster, and frees the GPUs', async () => {
    const clock = clockOf({ webgpu: 5, webgl: 5, wasm: 3, cpu: 2.9 });
    const { engine } = await loaded('auto', { measured: inMemory(), measureAfter: 0, clock });
    const before = await engine.memory();
    await settled(engine);
    expect(await expectAnswer(engine.recommend(request()))).toMatchObject({ backend: 'wasm' });
    expect(GPUS.filter((name) => runtime().registry[name])).toEqual([]);
    expect((await engine.memory()).tensors).toBe(before.tensors + 1); // the state of the open session
  });

  test('refuses a backend that computes something else, however fast', async () => {
    stopBackend('webgpu');
    const { createShaderModule } = GPUDevice.prototype;
    // A driver that gets its exponentials wrong.
    GPUDevice.prototype.createShaderModule = function (this: GPUDevice, descriptor) {
      return createShaderModule.call(this, { ...descriptor, code: descriptor.code.replaceAll('exp(', 'exp(0.5 * ') });
    };
    try {
      const clock = clockOf({ webgpu: 0.1, webgl: 5, wasm: 3, cpu: 9 });
      const { engine } = await loaded('auto', { measured: inMemory(), measureAfter: 0, clock });
      await settled(engine);
      const { backend, why } = await expectAnswer(engine.recommend(request()));
      expect(backend).toBe('wasm');
      expect(why).toContain('does not give its own golden answer on "webgpu"');
    } finally {
      GPUDevice.prototype.createShaderModule = createShaderModule;
    }
  });

  test('asks for no click, and answers by popularity, on whatever backend', async () => {
    const { engine } = await loaded('webgpu');
    const { items } = await engine.recommend(request({ session: clicks('gone'), k: 3 }));
    expect(items.map(({ reason }) => reason)).toEqual(['popular', 'popular', 'popular']);
  });
});
