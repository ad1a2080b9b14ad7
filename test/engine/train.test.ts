import { memory } from '@tensorflow/tfjs';
import { afterEach, describe, expect, test, vi } from 'vitest';
import { startBackend } from '../../src/compute/backends/start';
import { stopBackend } from '../../src/compute/running';
import { createLocalEngine } from '../../src/engine/local-engine';
import type { Engine, Trained, TrainProgress, TrainRequest } from '../../src/engine/types';
import { wasmPath } from '../compute/backends/start';
import { clicks, folderOf, MODEL_URL, RING, RING_CONFIG, RING_LOSSES, serveFolder } from './fixture';

let engine: Engine | undefined;
afterEach(() => engine?.dispose());
function fresh(): Engine {
  engine = createLocalEngine({ wasmPath });
  return engine;
}

const request = (over: Partial<TrainRequest> = {}): TrainRequest => ({
  model: 'gru4rec',
  sessions: RING,
  config: RING_CONFIG,
  seed: 3,
  epochs: 5,
  backend: 'cpu',
  ...over,
});

const artifactOf = ({ losses, backend, ...trained }: Trained) => ({
  info: {
    name: 'ring',
    version: '1.0.0',
    architecture: trained.architecture,
    config: trained.config,
    items: trained.itemIds.length,
    ...(trained.features && { features: trained.features }),
    golden: trained.golden,
    training: { losses, backend },
    licence: 'MIT',
    modelCard: '',
  },
  itemIds: trained.itemIds,
  tensors: trained.tensors,
});

test('a backend that never starts gives way to the next', async () => {
  await startBackend('wasm', { wasmPath }); // its code is there, then
  stopBackend('wasm');
  const hangs = vi.spyOn(WebAssembly, 'instantiate').mockImplementation(() => new Promise<never>(() => {}));
  try {
    engine = createLocalEngine({ wasmPath, backendDeadline: 1 });
    expect(await engine.train(request({ backend: 'auto', epochs: 1 }))).toMatchObject({ backend: 'cpu' });
    expect(hangs).toHaveBeenCalled();
    await expect(engine.train(request({ backend: 'wasm', epochs: 1 }))).rejects.toMatchObject({ code: 'engine-lost' });
  } finally {
    hangs.mockRestore();
  }
});

describe.each(['cpu', 'wasm'] as const)('training on %s', (backend) => {
  test('makes a model that an engine loads, and that has learnt', async () => {
    const trained = await fresh().train(request({ backend, epochs: 12 }));
    expect(trained.losses).toHaveLength(12);
    expect(trained.losses.at(-1)).toBeLessThan(trained.losses[0]! / 2);
    const fetchFile = serveFolder(await folderOf(artifactOf(trained)));
    const reader = createLocalEngine({ fetchFile, wasmPath });
    await reader.load({ modelUrl: MODEL_URL, backend });
    const session = clicks('"ring", 4', '"ring", 5');
    const { items } = await reader.recommend({ session, k: 1, exclude: [] });
    await reader.dispose();
    expect(items).toMatchObject([{ itemId: '"ring", 6', reason: 'neural' }]);
  });

  test('reads what clicks and products say, and so does the engine that loads it', async () => {
    const sessions = RING.map((session) =>
      session.map((click, t) => ({ ...click, features: { device: t % 2 === 0 ? 'phone' : 'desktop' } })),
    );
    const ids = [...new Set(RING.flat().map(({ itemId }) => itemId))];
    const products = ids.map((id, k) => ({ id, features: { colour: k % 2 === 0 ? 'red' : 'blue' } }));
    const config = { lm: 'gru', objective: 'clm', dModel: 8, itemEmbeddingDim: 8, features: 'device,colour' };
    const trained = await fresh().train(
      request({ backend, model: 'transformers4rec', sessions, products, config, epochs: 2 }),
    );
    expect(trained.features).toEqual({ device: { kind: 'category', values: ['phone', 'desktop'] } });
    expect(trained.tensors['catalogue.features.colour']!.shape).toEqual([13]);
    const reader = createLocalEngine({ fetchFile: serveFolder(await folderOf(artifactOf(trained))), wasmPath });
    await reader.load({ modelUrl: MODEL_URL, backend });
    const answers = ['phone', 'desktop', 'fridge', undefined].map((device) => {
      const session = clicks('"ring", 4').map((click) => ({ ...click, ...(device && { features: { device } }) }));
      return reader.recommend({ session, k: 12, exclude: [] });
    });
    const [phone, desktop, fridge, silent] = (await Promise.all(answers)).map(({ items }) => items);
    await reader.dispose();
    expect(phone).not.toEqual(desktop);
    expect(fridge).not.toEqual(phone);
    expect(fridge).toEqual(silent);
  });

  test('frees every tensor over 20 epochs, when it is aborted, and when it throws', async () => {
    const training = fresh();
    await training.train(request({ backend, epochs: 1 })); // the backend has started
    const before = memory();
    await training.train(request({ backend, epochs: 20 }));
    const abort = new AbortController();
    let reports = 0;
    const onProgress = () => {
      reports++;
      if (reports === 3) abort.abort();
    };
    const aborted = training.train(request({ backend, epochs: 500 }), { signal: abort.signal, onProgress });
    await expect(aborted).rejects.toMatchObject({ code: 'aborted' });
    const careless = () => {
      throw new Error('a mistake of the caller');
    };
    const failing = training.train(request({ backend, epochs: 3 }), { onProgress: careless });
    await expect(failing).rejects.toThrow('a mistake of the caller');
    await training.memory(); // after the turn of the aborted call
    expect(memory()).toMatchObject({ numTensors: before.numTensors, numBytes: before.numBytes });
  });
});

describe('training', () => {
  test('gives the same model for the same seed, whatever the order of the sessions in the request', async () => {
    const [one, other] = [
      await fresh().train(request()),
      await fresh().train(request({ sessions: [...RING].reverse() })),
    ];
    expect(other).toEqual(one);
    const third = await fresh().train(request({ seed: 4 }));
    expect(third.losses).not.toEqual(one.losses);
  });

  test('gives the losses that are stored, to compare a page with', async () => {
    const { losses } = await fresh().train(request({ backend: 'wasm', epochs: 3 }));
    for (const [epoch, loss] of RING_LOSSES.entries()) expect(losses[epoch]).toBeCloseTo(loss, 3);
  });

  test('reports its progress', async () => {
    const steps: TrainProgress[] = [];
    await fresh().train(request({ epochs: 2 }), { onProgress: (step) => steps.push(step) });
    expect(steps.at(-1)).toMatchObject({ epoch: 2, epochs: 2, loss: expect.any(Number) });
    expect(steps.at(-1)!.step).toBe(steps.at(-1)!.steps);
  });

  test('trains SASRec and counts baselines alike', async () => {
    const config = { maxlen: 10, hiddenUnits: 8, numBlocks: 1, batchSize: 8 };
    for (const [model, options] of [
      ['sasrec', config],
      ['markov', {}],
      ['pop', {}],
    ] as const) {
      const trained = await fresh().train(request({ model, config: options, epochs: 2 }));
      expect(trained.itemIds).toHaveLength(12);
      await expect(folderOf(artifactOf(trained))).resolves.toBeInstanceOf(Map);
      await engine!.dispose();
    }
  });

  test.each<[string, Partial<TrainRequest>, object]>([
    ['an unknown model', { model: 'gru5rec' }, { code: 'bad-config' }],
    ['an unknown key', { config: { layer: 3 } }, { code: 'bad-config' }],
    ['no session', { sessions: [] }, { code: 'bad-input' }],
    ['sessions of one click', { sessions: [clicks('a'), clicks('b')] }, { code: 'bad-input' }],
    ['no epoch', { epochs: 0 }, { name: 'RangeError' }],
    ['an unknown backend', { backend: 'gpu' as never }, { name: 'RangeError' }],
  ])('refuses %s', async (_, over, error) => {
    await expect(fresh().train(request(over))).rejects.toMatchObject(error);
  });
});
