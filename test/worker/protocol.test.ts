import { afterEach, describe, expect, test } from 'vitest';
import type { Engine, LoadProgress, RecommendRequest } from '../../src/engine/types';
import { type EngineDegradation, startWorkerEngine, type WorkerEngineOptions } from '../../src/worker/client';
import { connect, engineOf, type Port, type ServedEngine, serve, type WorkerSetup } from '../../src/worker/protocol';
import { createServedEngine } from '../../src/worker/served-engine';
import type { EngineWorker } from '../../src/worker/types';
import { catalogueFolder, filesOf } from '../engine/catalogue-folders';
import { clicks, type Folder, folderOf, IDS, MODEL_URL, serveFolder, smallModel } from '../engine/fixture';

const folder = smallModel().then(folderOf);
const ends: (() => unknown)[] = [];
afterEach(async () => {
  for (const end of ends.splice(0)) await end();
});

const LOAD = { modelUrl: MODEL_URL, backend: 'cpu' } as const;
const request = (over: Partial<RecommendRequest> = {}): RecommendRequest => ({
  session: clicks('item-9', '__proto__'),
  k: 5,
  exclude: [],
  ...over,
});
const SETUP: WorkerSetup = { worker: 'https://shop.example/worker.js', urls: {} };
const WASM = { simd: '', plain: '' };
const localEngine = async (files?: Folder) => createServedEngine(WASM, undefined, serveFolder(files ?? (await folder)));

/** Two ends of a real channel, the engine of a test behind one of them. */
function channel(engine: ServedEngine) {
  const { port1, port2 } = new MessageChannel();
  const stop = serve(() => engine, port2 as unknown as Port);
  port1.start();
  port2.start();
  ends.push(
    stop,
    () => port1.close(),
    () => engine.dispose(),
  );
  const sent: unknown[] = [];
  port2.addEventListener('message', (event) => {
    const { data } = event as MessageEvent;
    if (!('setup' in data)) sent.push(data);
  });
  const connection = connect(port1 as unknown as Port, SETUP);
  return { connection, remote: engineOf(connection.call, {}), sent, port1 };
}

describe('an engine behind a port', () => {
  test('answers as it does without one', async () => {
    const here = await localEngine();
    const { connection, remote } = channel(await localEngine());
    await connection.ready;
    expect(await remote.load(LOAD)).toEqual(await here.load(LOAD));
    expect((await remote.recommend(request())).items).toEqual((await here.recommend(request())).items);
    expect(await remote.catalogue()).toEqual([]);
    expect((await remote.memory()).tensors).toBeGreaterThan(0);
    await remote.dispose();
    await here.dispose();
  });

  test('reports progress to whoever listens', async () => {
    const { remote, sent } = channel(await localEngine());
    const steps: LoadProgress[] = [];
    await remote.load(LOAD, { onProgress: (step) => steps.push(step) });
    expect(new Set(steps.map(({ stage }) => stage))).toEqual(new Set(['download', 'backend', 'check']));
    await remote.load(LOAD);
    expect(sent).toMatchObject([{ progress: true }, { progress: false }]);
  });

  test('keeps the code of an error, and tells a wrong argument from it', async () => {
    const { remote } = channel(await localEngine(new Map()));
    await expect(remote.load(LOAD)).rejects.toMatchObject({
      name: 'RecommenderError',
      code: 'bad-artifact',
      message: expect.stringContaining('manifest.json'),
    });
    await expect(remote.load({ ...LOAD, modelUrl: 'no folder' })).rejects.toBeInstanceOf(RangeError);
    await expect(remote.load({ ...LOAD, modelUrl: (() => {}) as never })).rejects.toBeInstanceOf(RangeError);
  });

  test('has the methods of the engine and no others', async () => {
    const { connection } = channel(await localEngine());
    for (const method of ['constructor', '__proto__', 'toString', 'hasOwnProperty', 'train-me']) {
      await expect(connection.call(method as never, [] as never)).rejects.toThrow('no method');
    }
  });

  test('is set up once, by the first `ready`', async () => {
    const { port1, port2 } = new MessageChannel();
    ends.push(() => port1.close());
    const setups: unknown[] = [];
    port2.addEventListener('message', (event) => setups.push((event as MessageEvent).data));
    port2.start();
    const { ready } = connect(port1 as unknown as Port, SETUP);
    port1.start();
    port2.postMessage({ ready: true });
    await ready;
    port2.postMessage({ ready: true });
    port2.postMessage({ pong: 0 });
    await expect.poll(() => setups).toEqual([{ setup: SETUP }]);
  });

  test('is not served twice through one port, which would answer every call twice', async () => {
    const { port1, port2 } = new MessageChannel();
    ends.push(() => port1.close());
    const engine = await localEngine();
    const stop = serve(() => engine, port2 as unknown as Port);
    expect(() => serve(() => engine, port2 as unknown as Port)).toThrow('ran twice');
    stop();
    serve(() => engine, port2 as unknown as Port)();
  });

  test('is not taken for a promise', async () => {
    const { remote } = channel(await localEngine());
    expect(await Promise.resolve(remote)).toBe(remote);
  });

  test('is notified of an aborted call, and its late answer is dropped', async () => {
    const { remote, sent, connection } = channel(await localEngine());
    await remote.load(LOAD);
    const abort = new AbortController();
    const answer = remote.recommend(request(), { signal: abort.signal });
    abort.abort();
    await expect(answer).rejects.toMatchObject({ code: 'aborted' });
    expect(connection.waiting).toBe(0);
    expect((await remote.recommend(request())).items).toHaveLength(5);
    expect(sent).toMatchObject([
      { method: 'load' },
      { method: 'recommend' },
      { cancel: true },
      { method: 'recommend' },
    ]);
    await expect(remote.recommend(request(), { signal: abort.signal })).rejects.toMatchObject({ code: 'aborted' });
    expect(sent).toHaveLength(4); // aborted before it began: never sent
  });

  test('rejects every call that waits when the connection closes, and every later one', async () => {
    const { remote, connection } = channel(await localEngine());
    const waiting = remote.recommend(request());
    connection.close(new Error('gone'));
    await expect(waiting).rejects.toThrow('gone');
    await expect(remote.memory()).rejects.toThrow('gone');
  });
});

/** Workers made of a channel and an engine in this thread: they can be made to crash, to hang and never to start. */
function workers(
  behaviour: (nth: number) => 'well' | 'never starts' | 'cannot be loaded' | 'never loads' | 'deaf after its load',
) {
  const started: { crash(why?: string): void; terminated: boolean; readonly requests: string[] }[] = [];
  const open = (): EngineWorker => {
    const { port1, port2 } = new MessageChannel();
    const errorListeners: ((event: ErrorEvent) => void)[] = [];
    const nth = started.length;
    const state = behaviour(nth);
    let files: Folder;
    let engine: Engine | undefined;
    let stop = () => {};
    const end = () => {
      stop();
      port1.close();
      port2.close();
      void engine?.dispose();
    };
    const worker = {
      requests: [] as string[],
      terminated: false,
      crash(why = 'out of memory') {
        end();
        for (const listener of errorListeners) listener({ message: why } as ErrorEvent);
      },
    };
    started.push(worker);
    ends.push(end);
    void folder.then((ready) => {
      files = ready;
      if (state === 'never starts' || worker.terminated) return;
      if (state === 'cannot be loaded') {
        for (const listener of errorListeners) listener({ message: '' } as ErrorEvent);
        return;
      }
      stop = serve(
        (setup) => {
          const served = createServedEngine(WASM, setup.artifact, (url, signal) => {
            worker.requests.push(url);
            if (state === 'never loads') return new Promise(() => {});
            return serveFolder(files)(url, signal);
          });
          engine = served;
          return served;
        },
        port2 as unknown as Port,
      );
      if (state === 'deaf after its load') {
        port2.addEventListener('message', (event) => {
          if (['load', undefined].includes((event as MessageEvent).data.method)) return;
          stop(); // it neither answers nor reports an error, as a worker that somebody terminated
        });
      }
      port2.start();
    });
    return {
      postMessage: (message: unknown) => port1.postMessage(message),
      addEventListener(type: string, listener: (event: never) => void) {
        if (type === 'error') errorListeners.push(listener as (event: ErrorEvent) => void);
        else port1.addEventListener(type, listener as never);
        port1.start();
      },
      removeEventListener: (type: string, listener: (event: never) => void) =>
        port1.removeEventListener(type, listener as never),
      terminate() {
        worker.terminated = true;
        end();
      },
    } as EngineWorker;
  };
  return { open, started };
}

function client(behaviour: Parameters<typeof workers>[0], options: WorkerEngineOptions = {}) {
  const { open, started } = workers(behaviour);
  const degraded: EngineDegradation[] = [];
  const engine = startWorkerEngine({ open, onDegraded: (entry) => degraded.push(entry), ...options });
  ends.push(() => engine.dispose());
  return { engine, started, degraded };
}

describe('an engine in a worker', () => {
  test('starts once, and is terminated by dispose', async () => {
    const { engine, started, degraded } = client(() => 'well');
    await engine.load(LOAD);
    expect((await engine.recommend(request())).items).toHaveLength(5);
    expect(await engine.thread()).toBe('worker');
    const waiting = engine.recommend(request());
    const refused = expect(waiting).rejects.toMatchObject({ code: 'disposed' });
    await engine.dispose();
    await refused;
    await engine.dispose();
    await expect(engine.recommend(request())).rejects.toMatchObject({ code: 'disposed' });
    expect(started.map(({ terminated }) => terminated)).toEqual([true]);
    expect(degraded).toEqual([]);
  });

  test('is started again after a crash, loads its model again and repeats the call that waited', async () => {
    const { engine, started, degraded } = client(() => 'well');
    await engine.load(LOAD);
    const before = await engine.recommend(request());
    const waiting = engine.recommend(request());
    started[0]!.crash();
    expect((await waiting).items).toEqual(before.items);
    expect(started).toHaveLength(2);
    expect(degraded).toMatchObject([{ code: 'worker-restarted', message: expect.stringContaining('out of memory') }]);
  });

  test('recommends by the adapter that was set after a crash, and from a second one that takes over', async () => {
    const { engine, started } = client(() => 'well');
    await engine.load(LOAD);
    const base = await engine.recommend(request());
    const { delta } = await engine.fineTune({ sessions: [request().session, request().session], milliseconds: 1e9 });
    await engine.setAdapter(delta);
    const { items } = await engine.recommend(request());
    expect(items).not.toEqual(base.items);
    started[0]!.crash();
    expect((await engine.recommend(request())).items).toEqual(items);
    const rival = await engine.rival();
    await rival.engine.load(LOAD);
    rival.takeOver();
    expect((await engine.recommend(request())).items).toEqual(items);
    await engine.setAdapter(null);
    started.at(-1)!.crash();
    expect((await engine.recommend(request())).items).toEqual(base.items);
    expect(started).toHaveLength(4);
  });

  test('shows the catalogue, and what the page knows, after a crash and from a second one; a refused one leaves the last', async () => {
    const { engine, started } = client(() => 'well');
    await engine.load(LOAD);
    const [first, second, third] = (await engine.recommend(request())).items.map(({ itemId }) => itemId);
    const products = IDS.filter((id) => id !== first).map((id) => ({ id, price: 1 }));
    await engine.setCatalogue(filesOf(catalogueFolder({ parts: [products] })));
    await engine.updateProducts([{ id: second!, availability: 'out of stock' }]);
    const wrong = filesOf(catalogueFolder({ parts: [[{ id: 'a', price: -1 }]] }));
    await expect(engine.setCatalogue(wrong)).rejects.toThrow('price');
    const check = async () => {
      expect((await engine.recommend(request())).items[0]!.itemId).toBe(third);
      expect(await engine.products([first!, third!])).toEqual([null, { id: third, price: 1 }]);
    };
    await check();
    started[0]!.crash();
    await check();
    const rival = await engine.rival();
    await rival.engine.load(LOAD);
    rival.takeOver();
    await check();
  });

  test('never recommends again by what was taken off, whichever worker comes while that is done', async () => {
    const { engine, started } = client(() => 'well');
    await engine.load(LOAD);
    const base = await engine.recommend(request());
    const { delta } = await engine.fineTune({ sessions: [request().session, request().session], milliseconds: 1e9 });
    await engine.setAdapter(delta);
    const rival = await engine.rival();
    await rival.engine.load(LOAD);
    const taken = engine.setAdapter(null);
    rival.takeOver();
    await taken;
    expect((await engine.recommend(request())).items).toEqual(base.items);
    await engine.setAdapter(delta);
    const lost = engine.setAdapter(null);
    started.at(-1)!.crash();
    await lost;
    expect((await engine.recommend(request())).items).toEqual(base.items);
  });

  test('is terminated at once by dispose while it loads its model again, and reports nothing afterwards', async () => {
    const reloaded: unknown[] = [];
    const { engine, started } = client((nth) => (nth === 0 ? 'well' : 'never loads'), {
      onReloaded: (model) => reloaded.push(model),
    });
    await engine.load(LOAD);
    started[0]!.crash();
    const refused = expect(engine.recommend(request())).rejects.toMatchObject({ code: 'disposed' });
    await expect.poll(() => started[1]?.requests.length).toBe(1);
    await engine.dispose();
    expect(started[1]!.terminated).toBe(true);
    await refused;
    expect(reloaded).toEqual([]);
  });

  test('is started again after a crash while nobody waits', async () => {
    const { engine, started } = client(() => 'well');
    await engine.load(LOAD);
    started[0]!.crash();
    expect((await engine.recommend(request())).items).toHaveLength(5);
    expect(started).toHaveLength(2);
  });

  test('that dies without a word is found out by its silence', async () => {
    const { engine, started, degraded } = client((nth) => (nth === 0 ? 'deaf after its load' : 'well'), {
      silenceDeadline: 0.2,
    });
    await engine.load(LOAD);
    expect((await engine.recommend(request())).items).toHaveLength(5);
    expect(started.length).toBeGreaterThanOrEqual(2);
    expect(degraded[0]).toMatchObject({ code: 'worker-restarted', message: expect.stringContaining('did not answer') });
  });

  test('that keeps crashing is replaced by one in this thread', async () => {
    const { engine, started, degraded } = client(() => 'well', { maxRestarts: 2 });
    for (let crash = 0; crash < 3; crash++) {
      await engine.memory();
      started.at(-1)!.crash();
    }
    expect(await engine.thread()).toBe('main');
    expect(await engine.memory()).toMatchObject({ bytes: expect.any(Number) });
    expect(started).toHaveLength(3);
    expect(degraded.map(({ code }) => code)).toEqual(['worker-restarted', 'worker-restarted', 'no-worker']);
    expect(degraded.at(-1)!.message).toContain('the worker crashed 3 times, last: out of memory');
  });

  test('that keeps hanging is not replaced by one in this thread, which would hang the page', async () => {
    const { engine, started, degraded } = client(() => 'deaf after its load', {
      maxRestarts: 1,
      silenceDeadline: 0.2,
    });
    await engine.load(LOAD);
    await expect(engine.memory()).rejects.toMatchObject({ code: 'engine-lost' });
    const refused = { code: 'engine-lost', message: expect.stringContaining('so would the page') };
    await expect(engine.memory()).rejects.toMatchObject(refused);
    await expect(engine.load(LOAD)).rejects.toMatchObject(refused);
    expect(started).toHaveLength(2);
    expect(degraded.map(({ code }) => code)).toEqual(['worker-restarted']);
  });

  test('is not given up for crashes that lie many answers apart', async () => {
    const { engine, started } = client(() => 'well', { maxRestarts: 1 });
    for (let crash = 0; crash < 3; crash++) {
      for (let answer = 0; answer < 20; answer++) await engine.memory();
      started.at(-1)!.crash();
    }
    expect(await engine.thread()).toBe('worker');
    expect(started).toHaveLength(4);
  });

  test.each([
    ['whose script cannot be loaded', 'cannot be loaded', 'could not be loaded'],
    ['that never starts', 'never starts', 'did not start within 0.05 s'],
  ] as const)('%s is replaced by one in this thread', async (_, behaviour, why) => {
    const { engine, started, degraded } = client(() => behaviour, { startDeadline: 0.05 });
    expect(await engine.thread()).toBe('main');
    // The engine of this thread fetches over the network, where the model's host does not exist.
    await expect(engine.load(LOAD)).rejects.toMatchObject({ code: 'io' });
    expect(degraded).toMatchObject([{ code: 'no-worker', message: expect.stringContaining(why) }]);
    expect(started).toHaveLength(1);
    expect(started[0]!.terminated).toBe(true);
  });

  test('does not exist where there are no workers: calls run in this thread', async () => {
    const degraded: EngineDegradation[] = [];
    const engine = startWorkerEngine({ onDegraded: (entry) => degraded.push(entry) });
    ends.push(() => engine.dispose());
    expect(await engine.thread()).toBe('main');
    expect(degraded).toMatchObject([{ code: 'no-worker', message: expect.stringContaining('no workers here') }]);
  });

  test('gives way to a second one that takes over, once it has answered what it was asked', async () => {
    const { engine, started, degraded } = client(() => 'well');
    await engine.load(LOAD);
    const before = await engine.recommend(request());
    const rival = await engine.rival();
    await rival.engine.load(LOAD);
    const waiting = engine.recommend(request());
    rival.takeOver();
    rival.close(); // which does nothing any more
    expect((await waiting).items).toEqual(before.items);
    await expect.poll(() => started.map(({ terminated }) => terminated)).toEqual([true, false]);
    expect((await engine.recommend(request())).items).toEqual(before.items);
    started[1]!.crash();
    expect((await engine.recommend(request())).items).toEqual(before.items);
    expect(started).toHaveLength(3);
    expect(degraded).toMatchObject([{ code: 'worker-restarted' }]);
  });

  test('hands the artifact to a second one, and to one that follows that, which therefore request nothing', async () => {
    const { engine, started } = client(() => 'well');
    const loaded = await engine.load(LOAD);
    for (const nth of [1, 2]) {
      const rival = await engine.rival();
      expect(await rival.engine.load(LOAD)).toEqual(loaded);
      rival.takeOver();
      expect(started[nth]!.requests).toEqual([]);
    }
    expect(started[0]!.requests).toContain(`${MODEL_URL}weights.safetensors`);
  });

  test('loads the model of the server again when it is asked to, whatever it was handed', async () => {
    const { engine, started } = client(() => 'well');
    await engine.load(LOAD);
    const rival = await engine.rival();
    await rival.engine.load(LOAD);
    rival.takeOver();
    await engine.load(LOAD);
    expect(started[1]!.requests.sort()).toEqual([...new Set(started[0]!.requests)].sort());
  });

  test('takes no notice of a second one that crashes, or is closed', async () => {
    const { engine, started, degraded } = client(() => 'well');
    await engine.load(LOAD);
    const first = await engine.rival();
    const waiting = expect(first.engine.load(LOAD)).rejects.toMatchObject({ code: 'engine-lost' });
    started[1]!.crash();
    await waiting;
    expect(first.isLost).toBe(true);
    first.takeOver(); // too late
    const second = await engine.rival();
    second.close();
    await expect.poll(() => started.map(({ terminated }) => terminated)).toEqual([false, true, true]);
    expect((await engine.recommend(request())).items).toHaveLength(5);
    await engine.rival();
    await engine.dispose();
    await expect.poll(() => started.every(({ terminated }) => terminated)).toBe(true);
    await expect(engine.rival()).rejects.toMatchObject({ code: 'disposed' });
    expect(degraded).toEqual([]);
  });

  test('lets a caller go who aborts while it starts', async () => {
    const { engine } = client(() => 'never starts', { startDeadline: 0.2 });
    const abort = new AbortController();
    const answer = engine.recommend(request(), { signal: abort.signal });
    abort.abort();
    await expect(answer).rejects.toMatchObject({ code: 'aborted' });
  });
});
