import { getBackend, memory, engine as runtime } from '@tensorflow/tfjs';
import { describe, expect, test } from 'vitest';
import type { Artifact } from '../../src/checkpoint/artifact';
import { BackendFault } from '../../src/compute/backend-fault';
import { runningDevice } from '../../src/compute/running';
import type { BackendChoice } from '../../src/compute/types';
import type { FetchFile } from '../../src/engine/artifact-loader';
import type { Engine, LoadProgress, RankedItem, RecommendRequest } from '../../src/engine/types';
import { configure } from '../../src/models/configuration';
import { models } from '../../src/models/index';
import { baselines } from '../../src/neighbours/index';
import { loadScorer } from '../../src/ranking/load-scorer';
import type { SessionInput } from '../../src/types';
import { wasmPath } from '../compute/backends/start';
import { sessionsOf } from '../neighbours/fixtures';
import { supportOf } from '../train/helpers';
import { clicks, folderOf, IDS, MODEL_URL, modelFor, plannedModel, SESSIONS, serveFolder, smallModel } from './fixture';
import { loadedEngine, openEngine } from './open-engine';
import { SMALL } from './parity';

const loaded = (artifact: Artifact, backend: BackendChoice = 'cpu'): Promise<Engine> => loadedEngine(artifact, backend);

const request = (over: Partial<RecommendRequest> = {}): RecommendRequest => ({
  session: clicks('item-9'),
  k: 5,
  exclude: [],
  ...over,
});

describe('load', () => {
  test('fetches the files of the artifact, each once, and tells the model, the backend and why', async () => {
    const fetchFile = serveFolder(await folderOf(await smallModel()));
    const progress: LoadProgress[] = [];
    const info = await openEngine({ fetchFile }).load(
      { modelUrl: MODEL_URL, backend: 'auto' },
      { onProgress: (step) => progress.push(step) },
    );
    const urls = ['manifest.json', 'weights.safetensors', 'items.json'].map((name) => MODEL_URL + name);
    expect([...fetchFile.urls].sort()).toEqual(urls.sort());
    expect(info).toMatchObject({ name: 'small gru4rec', version: '1.0.0', architecture: 'gru4rec', items: IDS.length });
    expect(info).toMatchObject({ backend: 'wasm', why: expect.stringContaining('ready at once') });
    expect(progress.map(({ stage }) => stage)).toEqual(expect.arrayContaining(['download', 'backend', 'check']));
  });

  test('stops its other downloads when one fails', async () => {
    const folder = await folderOf(await smallModel());
    const aborted: string[] = [];
    const fetchFile: FetchFile = async (url, signal) => {
      const name = url.slice(MODEL_URL.length);
      if (name === 'items.json') return new Response('gone', { status: 404 });
      if (name === 'manifest.json') return new Response(folder.get(name)!.slice());
      signal.addEventListener('abort', () => aborted.push(name));
      return new Response(new ReadableStream()); // nothing comes
    };
    const loading = openEngine({ fetchFile }).load({ modelUrl: MODEL_URL, backend: 'cpu' });
    await expect(loading).rejects.toThrow('items.json is not served');
    expect(aborted).toEqual(['weights.safetensors']);
  });

  test('falls back to the plain CPU where WASM cannot start, and says why', async () => {
    const { stopBackend } = await import('../../src/compute/running');
    stopBackend('wasm');
    const engine = openEngine({ fetchFile: serveFolder(await folderOf(await smallModel())), wasmPath: '/nowhere/' });
    const info = await engine.load({ modelUrl: MODEL_URL, backend: 'auto' });
    expect(info).toMatchObject({ backend: 'cpu', why: expect.stringContaining('"wasm" could not be started') });
    await expect(engine.load({ modelUrl: MODEL_URL, backend: 'wasm' })).rejects.toMatchObject({ code: 'no-backend' });
    expect((await engine.recommend(request())).items).toHaveLength(5); // the first model goes on
  });

  test('falls back to the plain CPU where the memory of WebAssembly is used up by the weights', async () => {
    const { startBackend } = await import('../../src/compute/backends/start');
    const { stopBackend } = await import('../../src/compute/running');
    await startBackend('wasm', { wasmPath });
    Object.assign(runtime().registry.wasm!, {
      write() {
        throw new RangeError('WebAssembly.Memory.grow(): Maximum memory size exceeded');
      },
    });
    const engine = openEngine({ fetchFile: serveFolder(await folderOf(await smallModel())) });
    const info = await engine.load({ modelUrl: MODEL_URL, backend: 'auto' });
    expect(info).toMatchObject({ backend: 'cpu', why: expect.stringContaining('Maximum memory size exceeded') });
    await expect(engine.load({ modelUrl: MODEL_URL, backend: 'wasm' })).rejects.toMatchObject({ code: 'no-backend' });
    stopBackend('wasm');
  });

  test('chooses none that it is to avoid, but the one below which there is nothing', async () => {
    const engine = openEngine({ fetchFile: serveFolder(await folderOf(await smallModel())) });
    for (const avoid of [['wasm'], ['wasm', 'cpu']] as const) {
      expect(await engine.load({ modelUrl: MODEL_URL, backend: 'auto', avoid })).toMatchObject({ backend: 'cpu' });
    }
    expect(await engine.load({ modelUrl: MODEL_URL, backend: 'wasm', avoid: ['wasm'] })).toMatchObject({
      backend: 'wasm',
    });
  });

  test('refuses a model that does not give its own golden answer', async () => {
    const artifact = await smallModel();
    const [first, second, ...rest] = artifact.info.golden.top;
    const swapped = { session: artifact.info.golden.session, top: [second!, first!, ...rest] };
    const shifted = { ...artifact.info.golden, top: [{ ...first!, score: first!.score + 0.01 }, second!, ...rest] };
    const missed = { ...artifact.info.golden, top: [second!, ...rest] };
    for (const golden of [swapped, shifted, missed]) {
      await expect(loaded({ ...artifact, info: { ...artifact.info, golden } }, 'auto')).rejects.toMatchObject({
        code: 'bad-artifact',
        message: expect.stringContaining('golden'),
      });
    }
  });

  test('replaces the model once the new one is ready, and keeps it where the new one is damaged', async () => {
    const folders = [await folderOf(await smallModel()), await folderOf(await smallModel({ seed: 2 }))];
    let folder = folders[0]!;
    const engine = openEngine({ fetchFile: (url, signal) => serveFolder(folder)(url, signal) });
    await engine.load({ modelUrl: MODEL_URL, backend: 'cpu' });
    const before = await engine.recommend(request());
    const memoryBefore = await engine.memory();
    folder = new Map([...folders[1]!].filter(([name]) => name !== 'weights.safetensors'));
    await expect(engine.load({ modelUrl: MODEL_URL, backend: 'cpu' })).rejects.toMatchObject({ code: 'bad-artifact' });
    expect((await engine.recommend(request())).items).toEqual(before.items);
    folder = folders[1]!;
    await engine.load({ modelUrl: MODEL_URL, backend: 'cpu' });
    expect((await engine.recommend(request())).items).not.toEqual(before.items);
    expect(await engine.memory()).toEqual(memoryBefore);
  });
});

describe('move', () => {
  test('takes the model to another backend and back, or times it where it is, and answers alike', async () => {
    const engine = await loaded(await smallModel(), 'cpu');
    const { items } = await engine.recommend(request());
    const before = await engine.memory();
    for (const backend of ['wasm', 'wasm', 'cpu', 'cpu'] as const) {
      const { model, milliseconds } = await engine.move({ backend, why: `"${backend}" for a test.` });
      expect(model).toMatchObject({ backend, why: `"${backend}" for a test.` });
      expect(milliseconds).toBeGreaterThan(0);
      const answer = await engine.recommend(request());
      expect(answer).toMatchObject({ backend, why: `"${backend}" for a test.` });
      expect(answer.items.map(({ itemId }) => itemId)).toEqual(items.map(({ itemId }) => itemId));
    }
    expect(await engine.memory()).toEqual(before);
  });

  test('leaves the model where it is if the other backend does not work, and refuses a name that none has', async () => {
    const engine = await loaded(await smallModel(), 'cpu');
    await expect(engine.move({ backend: 'webgl' })).rejects.toMatchObject({ code: 'no-backend' });
    await expect(engine.move({ backend: 'abacus' as never })).rejects.toBeInstanceOf(RangeError);
    expect(await engine.recommend(request())).toMatchObject({ backend: 'cpu' });
  });
});

describe.each(['gru4rec', 'sasrec', 'cl4srec', 'pop', 'markov'])('recommend by %s', (architecture) => {
  const config = { sasrec: {}, cl4srec: SMALL['cl4srec']! }[architecture];
  const model = () => plannedModel(config ? { architecture, config } : { architecture });
  const backends = ['cpu', 'wasm', ...(architecture in baselines ? [] : ['plan' as const])] as const;

  test.each(Object.keys(SESSIONS))('gives the same items on every backend: %s', async (name) => {
    const artifact = await model();
    const session = SESSIONS[name]!;
    const exclude = ['item-10', 'gone'];
    const lists: (readonly RankedItem[])[] = [];
    for (const backend of backends) {
      const engine = await loaded(artifact, backend);
      lists.push((await engine.recommend(request({ session, k: 20, exclude }))).items);
    }
    const [ours, ...others] = lists;
    expect(ours).toHaveLength(20);
    expect(new Set([...ours!.map(({ itemId }) => itemId), ...exclude]).size).toBe(22);
    for (const theirs of others) {
      expect(theirs.map(({ itemId }) => itemId)).toEqual(ours!.map(({ itemId }) => itemId));
      for (const [i, { score }] of ours!.entries()) expect(theirs[i]!.score).toBeCloseTo(score, 4);
    }
    const known = session.some(({ itemId }) => IDS.includes(itemId));
    const counts = architecture in baselines; // and was given nothing to count
    expect(new Set(ours!.map(({ reason }) => reason))).toEqual(new Set([known && !counts ? 'neural' : 'popular']));
  });
});

describe.each(Object.entries(baselines))('recommend by what %s counted', (architecture, baseline) => {
  const log = sessionsOf([
    [1, 2, 3],
    [2, 3, 4],
    [1, 3, 5],
    ...IDS.flatMap((_, k) => (k < 5 ? [] : Array.from({ length: 1 + ((k * 7) % 5) }, () => [k + 1]))),
  ]);
  const model = async (): Promise<Artifact> => {
    const { info, ...artifact } = await smallModel({ architecture });
    const catalogue = { items: IDS.length, support: supportOf(log, IDS.length) };
    const arrays = baseline.fit(log, catalogue, configure(baseline, {}));
    const tensors = { ...arrays, 'catalogue.support': { data: catalogue.support, shape: [IDS.length + 1] } };
    return { ...artifact, info: { ...info, golden: { session: [1], top: [] } }, tensors };
  };

  test('goes on by popularity, and says so', async () => {
    const artifact = await model();
    const engine = await loaded(artifact, 'cpu');
    const { items } = await engine.recommend(request({ session: clicks(IDS[0]!, IDS[1]!), k: 20 }));
    const scorer = await loadScorer(artifact);
    const scores = await scorer.score([{ items: [1, 2] }]);
    const counted = [...IDS.keys()].filter((k) => (architecture === 's-pop' ? scores[k]! > 1 : scores[k] !== 0));
    const neural = items.filter(({ reason }) => reason === 'neural');
    expect(new Set(neural.map(({ itemId }) => itemId))).toEqual(
      new Set(architecture === 'pop' ? [] : counted.map((k) => IDS[k]!)),
    );
    expect(items.slice(0, neural.length)).toEqual(neural);
    const popular = await engine.recommend(request({ session: [], k: IDS.length }));
    const others = popular.items.filter(({ itemId }) => neural.every((item) => item.itemId !== itemId));
    expect(items.slice(neural.length).map(({ itemId, reason }) => [itemId, reason])).toEqual(
      others.slice(0, 20 - neural.length).map(({ itemId }) => [itemId, 'popular']),
    );
  });

  test('explains an item by the place that it has in that list', async () => {
    const engine = await loaded(await model(), 'cpu');
    const session = clicks(IDS[0]!, IDS[1]!);
    const { items } = await engine.recommend(request({ session, k: 12 }));
    const explanations = await engine.explain({ session, itemIds: items.map(({ itemId }) => itemId) });
    expect(explanations.map(({ rank }) => rank)).toEqual(items.map((_, i) => i + 1));
  });
});

describe('recommend', () => {
  test('passes over clicks that the model does not know', async () => {
    const engine = await loaded(await smallModel());
    const without = await engine.recommend(request({ session: clicks('item-12', 'item-13') }));
    const withUnknown = await engine.recommend(request({ session: clicks('?', 'item-12', 'valueOf', 'item-13', '') }));
    expect(withUnknown.items).toEqual(without.items);
  });

  test('answers one more click as it answers the whole session', async () => {
    const artifact = await smallModel();
    const walking = await loaded(artifact);
    for (let seen = 1; seen <= 8; seen++) {
      const session = SESSIONS['200 clicks']!.slice(0, seen);
      const step = await walking.recommend(request({ session }));
      const whole = await (await loaded(artifact)).recommend(request({ session }));
      expect(step.items).toEqual(whole.items);
    }
  });

  test('forgets the session when it is told to, frees its state, and answers alike', async () => {
    const engine = await loaded(await smallModel());
    await engine.forget();
    const { tensors } = await engine.memory();
    const { items } = await engine.recommend(request());
    expect((await engine.memory()).tensors).toBe(tensors + 1);
    await engine.forget();
    expect((await engine.memory()).tensors).toBe(tensors);
    expect((await engine.recommend(request())).items).toEqual(items);
  });

  test('ranks by popularity where no click is known, equal counts by index', async () => {
    const artifact = await smallModel();
    const support = artifact.tensors['catalogue.support']!.data;
    const { items } = await (await loaded(artifact)).recommend(request({ session: clicks('gone'), k: 4 }));
    const best = IDS.map((itemId, k) => ({ itemId, score: support[k + 1]!, reason: 'popular' })).sort(
      (a, b) => b.score - a.score,
    );
    expect(items).toEqual(best.slice(0, 4));
  });

  test('has nothing popular to show of which no event is known, as with imported weights', async () => {
    const artifact = await smallModel();
    const support = { data: new Int32Array(IDS.length + 1), shape: [IDS.length + 1] };
    support.data[5] = 3;
    const engine = await loaded({ ...artifact, tensors: { ...artifact.tensors, 'catalogue.support': support } });
    const { items } = await engine.recommend(request({ session: [] }));
    expect(items).toEqual([{ itemId: IDS[4], score: 3, reason: 'popular' }]);
    expect((await engine.recommend(request({ session: [], exclude: [IDS[4]!] }))).items).toEqual([]);
  });

  test('leaves out what is excluded, and gives fewer where there are no more', async () => {
    const engine = await loaded(await smallModel());
    const { items } = await engine.recommend(
      request({ exclude: ['__proto__', 'a,b', 'gone', ...IDS.slice(7)], k: 20 }),
    );
    expect(items.map(({ itemId }) => itemId).sort()).toEqual(
      ['"quoted" \'twice\'', 'constructor', 'item-6', 'item-7', '🧦'].sort(),
    );
    expect((await engine.recommend(request({ session: [], exclude: IDS }))).items).toEqual([]);
  });

  test('never shows a product that is unavailable or not in the catalogue', async () => {
    const states = ['in stock', 'out of stock', 'preorder', 'https://schema.org/BackOrder', 'discontinued', 'in_stock'];
    const catalogue = states.map((availability, k) => ({ id: IDS[k]!, availability }));
    const engine = await loaded(await smallModel({ catalogue: [...catalogue, { id: IDS[6]! }] }));
    for (const session of [clicks('item-9'), []]) {
      const { items } = await engine.recommend(request({ session, k: 60 }));
      const shown = [0, 2, 3, 5, 6].map((k) => IDS[k]!);
      expect(items.map(({ itemId }) => itemId).sort()).toEqual(shown.sort());
    }
    expect(await engine.catalogue()).toHaveLength(7);
  });

  test('gives a product the price of its sale while that lasts', async () => {
    const hours = (n: number) => new Date(Date.now() + n * 3_600_000).toISOString();
    const sales = [{ from: hours(-1), until: hours(1) }, { until: hours(-1) }, { from: hours(1) }, {}];
    const catalogue = sales.map((dates, k) => ({ id: IDS[k]!, price: 10, sale: { price: 8, ...dates } }));
    const engine = await loaded(await smallModel({ catalogue }));
    const priced = [8, 10, 10, 8].map((price, k) => ({ id: IDS[k]!, price }));
    expect(await engine.catalogue()).toEqual(priced);
    expect(await engine.products([IDS[0]!, 'gone', IDS[2]!])).toEqual([priced[0], null, priced[2]]);
  });

  test('stops where a score is not finite', async () => {
    const artifact = await smallModel();
    const golden = { session: [1, 2], top: [] };
    const [name, table] = Object.entries(artifact.tensors).find(([, { shape }]) => shape[0] === IDS.length + 1)!;
    const data = Float32Array.from(table.data, (value) => Math.sign(value) * 3e38); // sums overflow
    const broken = { ...artifact.tensors, [name]: { ...table, data } };
    await expect(loaded({ ...artifact, info: { ...artifact.info, golden }, tensors: broken })).rejects.toMatchObject({
      code: 'not-finite',
    });
  });

  test('goes on with the plain CPU where the memory of WebAssembly is used up', async () => {
    const engine = await loaded(await smallModel(), 'wasm');
    const { items } = await engine.recommend(request());
    Object.assign(runtime().registry.wasm!, {
      write() {
        throw new RangeError('WebAssembly.Memory.grow(): Maximum memory size exceeded');
      },
    });
    const answer = await engine.recommend(request({ session: clicks('item-7', 'item-9') }));
    expect(answer).toMatchObject({ backend: 'cpu', why: expect.stringContaining('Maximum memory size exceeded') });
    const again = await engine.recommend(request());
    expect(again.items.map(({ itemId }) => itemId)).toEqual(items.map(({ itemId }) => itemId));
  });

  test.each(['wasm', 'plan'] as const)('stays on %s where our own code makes a mistake', async (backend) => {
    const real = models['sasrec']!;
    const network = await real.network();
    const artifact = await modelFor(backend, { architecture: 'sasrec', config: {} });
    const bad = 1 + IDS.indexOf('item-40');
    const failing =
      <A extends unknown[], R>(prepare: (sessions: readonly SessionInput[], ...rest: A) => R) =>
      (sessions: readonly SessionInput[], ...rest: A): R => {
        if (sessions.some(({ items }) => Array.from(items).includes(bad))) throw new TypeError('a mistake of ours');
        return prepare(sessions, ...rest);
      };
    const broken = async () => ({ ...network, prepare: failing(network.prepare) });
    const read = failing(await real.reader!());
    models['sasrec'] = { ...real, reader: async () => read, spec: broken, network: broken };
    try {
      const engine = await loaded(artifact, backend);
      await expect(engine.recommend(request({ session: clicks('item-40') }))).rejects.toThrow('a mistake of ours');
      expect(await engine.recommend(request())).toMatchObject({ backend, why: `"${backend}" was asked for.` });
    } finally {
      models['sasrec'] = real;
    }
  });

  test('goes back to its backend after a call that fails on every one', async () => {
    const engine = await loaded(await smallModel(), 'wasm');
    const { items } = await engine.recommend(request());
    const { read } = runtime();
    runtime().read = () =>
      Promise.reject(new BackendFault('no-backend', getBackend() as 'cpu', 'No device can do this.'));
    await expect(engine.recommend(request())).rejects.toMatchObject({ code: 'no-backend' });
    runtime().read = read;
    const after = await engine.recommend(request());
    expect(after).toMatchObject({ backend: 'wasm', items });
  });

  test('needs a model, and an engine that is not disposed', async () => {
    const engine = openEngine({ fetchFile: serveFolder(new Map()) });
    await expect(engine.recommend(request())).rejects.toMatchObject({ code: 'bad-artifact' });
    expect(await engine.memory()).toEqual({ tensors: 0, bytes: 0 });
    await engine.dispose();
    await engine.dispose();
    for (const call of [engine.recommend(request()), engine.catalogue(), engine.memory()]) {
      await expect(call).rejects.toMatchObject({ code: 'disposed' });
    }
  });
});

describe.each(['cpu', 'wasm', 'plan'] as const)('memory on %s', (backend) => {
  test('stays as it was over 1,000 recommendations, aborted and failing ones among them', async () => {
    const engine = await loaded(await modelFor(backend), backend);
    await engine.recommend(request());
    const before = await engine.memory();
    const outcomes = new Set<string>();
    for (let call = 0; call < 1000; call++) {
      const session = SESSIONS['200 clicks']!.slice(call % 11, (call % 11) + 1 + (call % 7));
      const abort = new AbortController();
      const k = call % 50 === 1 ? -1 : 10;
      const answer = engine.recommend(request({ session, k }), { signal: abort.signal });
      if (call % 10 === 0) abort.abort();
      if (call % 10 === 5) queueMicrotask(() => abort.abort());
      outcomes.add(
        await answer.then(
          () => 'done',
          (error) => error.code ?? error.name,
        ),
      );
    }
    expect(outcomes).toEqual(new Set(['done', 'aborted', 'RangeError']));
    expect(await engine.memory()).toEqual(before);
  });

  test('is all freed by dispose, by an aborted load and by a load that fails', async () => {
    const artifact = await modelFor(backend);
    await (await loaded(artifact, backend)).dispose(); // the backend itself has started
    const held = () => (backend === 'plan' ? runningDevice('plan')!.memory().bytes : memory().numTensors);
    const before = held();
    const engine = await loaded(artifact, backend);
    expect(held()).toBeGreaterThan(before);
    await engine.dispose();
    expect(held()).toBe(before);

    const golden = { ...artifact.info.golden, top: [...artifact.info.golden.top].reverse() };
    await expect(loaded({ ...artifact, info: { ...artifact.info, golden } }, backend)).rejects.toThrow('golden');
    expect(held()).toBe(before);

    const fetchFile = serveFolder(await folderOf(artifact));
    for (const stage of ['download', 'backend', 'check']) {
      const abort = new AbortController();
      const stopped = openEngine({ fetchFile });
      const loading = stopped.load(
        { modelUrl: MODEL_URL, backend },
        { signal: abort.signal, onProgress: (progress) => progress.stage === stage && abort.abort() },
      );
      await expect(loading).rejects.toMatchObject({ code: 'aborted' });
      await stopped.dispose();
    }
    expect(held()).toBe(before);
  });
});
