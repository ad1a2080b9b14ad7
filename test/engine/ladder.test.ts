/// <reference types="@webgpu/types" />
/**
 * Every way in which a rung of the ladder can fail, in a real browser, with the built library. Each time: a
 * recommendation, or an honest error; nothing that a shop's error log would see; and a `status` that tells the truth.
 */
import type { Server } from 'node:http';
import type { Browser } from 'playwright-core';
import { afterAll, afterEach, beforeAll, describe, expect, test, vi } from 'vitest';
import type { BackendName, Recommender } from '../../src/index';
import type { DeviceRecord } from '../../src/recommender/device-record';
import { openBrowser } from '../demo/shop-window';
import { openShopPage, RIGHT, type ShopPage, type ShopPageOptions } from './shop-page';

vi.setConfig({ testTimeout: 120_000 });

let browser: Browser;
const servers = new Set<Server>();

beforeAll(async () => {
  browser = await openBrowser();
});
afterEach(async () => {
  for (const context of browser.contexts()) await context.close();
  for (const server of servers) {
    server.close();
    server.closeAllConnections();
  }
  servers.clear();
});
afterAll(() => browser?.close());

async function opened(options: ShopPageOptions = {}, where = browser): Promise<ShopPage> {
  const shop = await openShopPage(where, options);
  servers.add(shop.server);
  return shop;
}

async function expectRight(shop: ShopPage): Promise<void> {
  const answer = await shop.ask();
  expect(Array.isArray(answer) ? answer.map(({ itemId }) => itemId) : answer).toEqual(RIGHT);
}

/** Whatever the stored clicks come to, and whether they have been read. */
async function expectAny(shop: ShopPage): Promise<void> {
  expect(await shop.ask()).toHaveLength(20);
}

const visitOf = ({ server, page }: ShopPage) => ({ server, context: page.context() });

const STRICT = "default-src 'none'; connect-src 'self'; worker-src 'self'";
const WITH_WASM = `${STRICT}; script-src 'self' 'wasm-unsafe-eval'`;
const TYPES = "require-trusted-types-for 'script'";

interface Outcome {
  readonly backend: string;
  readonly thread?: 'worker' | 'main';
  /** Part of `status.engine.why`. */
  readonly why?: string;
  /** Codes of `status.degraded`, and part of the message of the first. */
  readonly degraded?: readonly string[];
  readonly message?: string;
}

const deleteWorker = () => void delete (globalThis as { Worker?: unknown }).Worker;

describe('there are recommendations', () => {
  test.each<[string, ShopPageOptions, Outcome]>([
    ['where all is well', {}, { backend: 'wasm' }],
    ['under a strict policy that allows WebAssembly', { csp: WITH_WASM }, { backend: 'wasm' }],
    [
      'under a strict policy that forbids WebAssembly',
      { csp: `${STRICT}; script-src 'self'` },
      { backend: 'cpu', why: '"wasm" could not be started' },
    ],
    [
      'under a policy that forbids workers',
      { csp: "default-src 'none'; connect-src 'self'; worker-src 'none'; script-src 'self' 'wasm-unsafe-eval'" },
      { backend: 'wasm', thread: 'main', degraded: ['no-worker'] },
    ],
    [
      'under a policy that forbids workers and WebAssembly',
      { csp: "default-src 'none'; connect-src 'self'; script-src 'self'; worker-src 'none'" },
      { backend: 'cpu', thread: 'main', degraded: ['no-worker'] },
    ],
    [
      'under Trusted Types that allow the one policy',
      { csp: `${WITH_WASM}; ${TYPES}; trusted-types aisle` },
      { backend: 'wasm' },
    ],
    [
      'under Trusted Types that allow no policy',
      { csp: `${WITH_WASM}; ${TYPES}; trusted-types 'none'` },
      { backend: 'wasm', thread: 'main', degraded: ['no-worker'], message: 'TrustedScriptURL' },
    ],
    [
      'without workers',
      { inPage: [deleteWorker] },
      { backend: 'wasm', thread: 'main', degraded: ['no-worker'], message: 'no workers here' },
    ],
    [
      'where to start a worker throws',
      {
        inPage: [
          () => {
            globalThis.Worker = class {
              constructor() {
                throw new DOMException('not in this frame', 'SecurityError');
              }
            } as never;
          },
        ],
      },
      { backend: 'wasm', thread: 'main', degraded: ['no-worker'], message: 'not in this frame' },
    ],
    [
      "where the worker's script is a page",
      { answer: (path) => (path === '/lib/worker.js' ? { body: '<!doctype html>', type: 'text/html' } : undefined) },
      { backend: 'wasm', thread: 'main', degraded: ['no-worker'], message: '/worker.js' },
    ],
    [
      "where the worker's script never comes",
      {
        answer: (path) => (path === '/lib/worker.js' ? 'never' : undefined),
        recommender: { startDeadline: 1 },
      },
      { backend: 'wasm', thread: 'main', degraded: ['no-worker'], message: 'did not start within 1 s' },
    ],
    [
      "where the page's own fetch, idle callbacks and locks are missing",
      {
        inPage: [
          () => {
            for (const name of ['fetch', 'requestIdleCallback']) Object.assign(globalThis, { [name]: undefined });
            Object.defineProperty(navigator, 'locks', { value: undefined });
          },
        ],
      },
      { backend: 'wasm' },
    ],
    [
      'without WebAssembly',
      { inWorker: () => void delete (globalThis as { WebAssembly?: unknown }).WebAssembly },
      { backend: 'cpu', why: '"wasm" could not be started' },
    ],
    [
      'where the WebAssembly file is a page, and WebAssembly was asked for',
      {
        answer: (path) => (path.endsWith('.wasm') ? { body: '<!doctype html>', type: 'text/html' } : undefined),
        recommender: { backend: 'wasm' },
      },
      { backend: 'cpu', degraded: ['no-backend'], message: '"wasm" could not be started' },
    ],
    ['on WebGL', { recommender: { backend: 'webgl' } }, { backend: 'webgl' }],
    [
      'on WebGL in the page',
      {
        inPage: [deleteWorker],
        recommender: { backend: 'webgl' },
      },
      { backend: 'webgl', thread: 'main', degraded: ['no-worker'] },
    ],
    [
      'on WebGPU in the page',
      {
        inPage: [deleteWorker],
        recommender: { backend: 'webgpu' },
      },
      { backend: 'webgpu', thread: 'main', degraded: ['no-worker'] },
    ],
    [
      'without WebGL',
      {
        inWorker: () => {
          OffscreenCanvas.prototype.getContext = () => null as never;
        },
        recommender: { backend: 'webgl' },
      },
      { backend: 'wasm', degraded: ['no-backend'], message: '"webgl" could not be started' },
    ],
    [
      'where WebGL has no memory left',
      {
        inWorker: () => {
          WebGL2RenderingContext.prototype.createTexture = () => null as never;
        },
        recommender: { backend: 'webgl' },
      },
      { backend: 'wasm', degraded: ['no-backend'], message: '"webgl"' },
    ],
    [
      'without WebGPU',
      {
        inWorker: () => {
          Object.defineProperty(navigator, 'gpu', { value: undefined });
        },
        recommender: { backend: 'webgpu' },
      },
      { backend: 'wasm', degraded: ['no-backend'], message: '"webgpu" could not be started' },
    ],
    [
      'where to look for WebGPU throws',
      {
        inWorker: () => {
          Object.defineProperty(navigator, 'gpu', {
            get: () => {
              throw new DOMException('not in this frame', 'SecurityError');
            },
          });
        },
        recommender: { backend: 'webgpu' },
      },
      { backend: 'wasm', degraded: ['no-backend'], message: 'not in this frame' },
    ],
    [
      'where WebGPU has no adapter',
      {
        inWorker: () => {
          Object.defineProperty(navigator, 'gpu', { value: { requestAdapter: async () => null } });
        },
        recommender: { backend: 'webgpu' },
      },
      { backend: 'wasm', degraded: ['no-backend'], message: 'no WebGPU adapter' },
    ],
    [
      'where WebGPU never says whether it has an adapter',
      {
        inWorker: () => {
          Object.defineProperty(navigator, 'gpu', { value: { requestAdapter: () => new Promise(() => {}) } });
        },
        recommender: { backend: 'webgpu' },
      },
      { backend: 'wasm', degraded: ['no-backend'], message: '"webgpu" did not answer within 20 s' },
    ],
  ])('%s', async (_, options, { backend, thread = 'worker', why = '', degraded = [], message = '' }) => {
    const shop = await opened(options);
    await expectRight(shop);
    const status = await shop.status();
    expect(status.engine).toMatchObject({ backend, thread });
    expect(status.engine!.why).toContain(why);
    expect(status.model!.backend).toBe(backend);
    expect(status.degraded.map(({ code }) => code)).toEqual(degraded);
    expect(status.degraded[0]?.message ?? '').toContain(message);
    await expectRight(shop);
    expect((await shop.status()).degraded).toEqual(status.degraded);
    expect(await shop.thrown()).toEqual([]);
    expect(await shop.errors()).toEqual([]);
  });
});

/** Keeps what a test breaks later where it can be found: in the worker, or in the page. */
function keepContexts(): void {
  const { getContext } = OffscreenCanvas.prototype;
  const contexts: unknown[] = [];
  Object.assign(globalThis, { contexts });
  OffscreenCanvas.prototype.getContext = function (this: OffscreenCanvas, ...args: unknown[]) {
    const context = (getContext as (...args: unknown[]) => unknown).apply(this, args);
    if (context) contexts.push(context);
    return context;
  } as never;
}
function keepDevices(): void {
  const { requestDevice } = GPUAdapter.prototype;
  const devices: GPUDevice[] = [];
  Object.assign(globalThis, { devices });
  GPUAdapter.prototype.requestDevice = async function (this: GPUAdapter, descriptor) {
    const device = await requestDevice.call(this, descriptor);
    devices.push(device);
    return device;
  };
}
const loseContexts = () => {
  for (const context of (globalThis as unknown as { contexts: WebGL2RenderingContext[] }).contexts) {
    context.getExtension('WEBGL_lose_context')?.loseContext();
  }
};
const destroyDevices = () => {
  for (const device of (globalThis as unknown as { devices: GPUDevice[] }).devices) device.destroy();
};

interface Loss {
  readonly backend: string;
  readonly options: ShopPageOptions;
  /** Takes the GPU away. */
  readonly lose: (shop: ShopPage, where: Browser) => Promise<unknown>;
}
const inPageOnWebgpu: ShopPageOptions = {
  inPage: [deleteWorker, keepDevices],
  recommender: { backend: 'webgpu' },
};
const crashGpu = async (_: ShopPage, where: Browser): Promise<void> => {
  const session = await where.newBrowserCDPSession();
  await session.send('Browser.crashGpuProcess' as never).catch(() => {}); // it answers, or not
  await session.detach();
};

describe.each<[string, Loss]>([
  [
    'a WebGL context that is lost in the worker',
    {
      backend: 'webgl',
      options: { inWorker: keepContexts, recommender: { backend: 'webgl' } },
      lose: ({ page }) => page.workers()[0]!.evaluate(loseContexts),
    },
  ],
  [
    'a WebGPU device that is destroyed in the page',
    { backend: 'webgpu', options: inPageOnWebgpu, lose: ({ page }) => page.evaluate(destroyDevices) },
  ],
  [
    'a GPU process that crashes under WebGL',
    { backend: 'webgl', options: { recommender: { backend: 'webgl' } }, lose: crashGpu },
  ],
  [
    'a GPU process that crashes under WebGPU in the page',
    { backend: 'webgpu', options: inPageOnWebgpu, lose: crashGpu },
  ],
])('%s', (_, { backend, options, lose }) => {
  test.each(['between', 'during'] as const)('%s recommendations costs none of them', async (when) => {
    const own = await openBrowser(); // a browser in which a GPU has crashed is not what it was
    try {
      const shop = await opened(options, own);
      await expectRight(shop);
      expect((await shop.status()).engine!.backend).toBe(backend);
      if (when === 'between') await lose(shop, own);
      const answers = [1, 2, 3].map(() => expectRight(shop));
      if (when === 'during') await lose(shop, own);
      await Promise.all(answers);
      await expectRight(shop);
      const { engine, degraded } = await shop.status();
      // The same again, or the next rung, where the browser gives this page no GPU any more.
      expect(['webgpu', 'webgl', 'wasm']).toContain(engine!.backend);
      if (engine!.backend !== backend) expect(degraded.map(({ code }) => code)).toContain('no-backend');
      if (when === 'between') expect(engine!.why).toContain(`after "${backend}" had failed`);
      expect(await shop.thrown()).toEqual([]);
      expect(await shop.errors()).toEqual([]);
    } finally {
      await own.close();
    }
  });
});

describe('a worker', () => {
  test('that throws is started again, and nothing of it reaches the page', async () => {
    const shop = await opened();
    await expectRight(shop);
    await shop.page.workers()[0]!.evaluate(() => {
      setTimeout(() => {
        throw new Error('a mistake in the worker');
      });
    });
    await expect.poll(async () => (await shop.status()).degraded).toMatchObject([{ code: 'worker-restarted' }]);
    await expectRight(shop);
    expect((await shop.status()).engine).toMatchObject({ backend: 'wasm', thread: 'worker' });
    expect(await shop.thrown()).toEqual([]);
  });

  test('that keeps throwing gives way to the page, which does not try the GPU that it was on', async () => {
    const shop = await opened({ recommender: { backend: 'webgl' } });
    await expectRight(shop);
    for (let crash = 1; crash <= 4; crash++) {
      await shop.page
        .workers()
        .at(-1)!
        .evaluate(() => {
          setTimeout(() => {
            throw new Error('a mistake in the worker');
          });
        });
      await expect.poll(async () => (await shop.status()).degraded.length).toBeGreaterThan(0);
      await expectRight(shop);
    }
    const { engine, degraded } = await shop.status();
    expect(engine).toMatchObject({ backend: 'wasm', thread: 'main' });
    expect(degraded.map(({ code }) => code).sort()).toEqual(['no-backend', 'no-worker', 'worker-restarted']);
    expect(await shop.thrown()).toEqual([]);
  });
});

test('offline after the first load recommends on', async () => {
  const shop = await opened();
  await expectRight(shop);
  await shop.page.context().setOffline(true);
  await expectRight(shop);
  await shop.page.evaluate(() => (globalThis as never as { recommender: Recommender }).recommender.track('item-30'));
  expect(await shop.ask()).toHaveLength(20);
  expect(await shop.thrown()).toEqual([]);
});

/** The answer to which backend is the fastest, once it has been found. */
const settled = (shop: ShopPage) =>
  expect
    .poll(async () => (await shop.status()).engine!.why, { timeout: 100_000 })
    .toMatch(/fastest here|none is faster/);

describe('auto', () => {
  test('answers at once, tries every backend beside, and asks for nothing but static files, once', async () => {
    const shop = await opened({ recommender: { consent: 'granted' } });
    await expectRight(shop);
    const first = await shop.status();
    expect(first.engine).toMatchObject({ backend: 'wasm', why: '"wasm" is ready at once.' });
    await settled(shop);
    const { engine, degraded } = await shop.status();
    for (const name of ['webgpu', 'webgl', 'wasm', 'cpu']) expect(engine!.why).toContain(name);
    expect(degraded).toEqual([]);
    await expectRight(shop);
    expect(shop.page.workers()).toHaveLength(1);
    const model = shop.paths.filter((path) => path.startsWith('/model/'));
    expect(new Set(model).size).toBe(model.length); // the second worker read the browser's cache
    expect(await shop.thrown()).toEqual([]);

    // The next page of the visit knows, and tries nothing unless another backend was the fastest.
    const next = await opened({
      recommender: { consent: 'granted' },
      after: visitOf(shop),
    });
    await settled(next);
    expect((await next.status()).engine!.why).toBe(engine!.why);
    const databases = () => next.page.evaluate(async () => (await indexedDB.databases()).map(({ name }) => name));
    expect(await databases()).toEqual(['aisle']);
    await next.page.evaluate(() => (globalThis as never as { recommender: Recommender }).recommender.privacy.erase());
    expect(await databases()).toEqual([]);
  });

  test('stores nothing without consent', async () => {
    const shop = await opened();
    await expectRight(shop);
    await settled(shop);
    const places = () =>
      shop.page.evaluate(async () => [
        await indexedDB.databases(),
        Object.keys(localStorage),
        Object.keys(sessionStorage),
      ]);
    expect(await places()).toEqual([[], [], []]);
  });

  test('lets the remembered backend take over, and ends the worker before', async () => {
    const shop = await opened({ recommender: { consent: 'granted' } });
    await expectRight(shop);
    await settled(shop);
    await stored(shop, 'webgl');
    const next = await opened({
      recommender: { consent: 'granted' },
      after: visitOf(shop),
    });
    await expectAny(next);
    await expect.poll(async () => (await next.status()).engine!.backend, { timeout: 60_000 }).toBe('webgl');
    await expectAny(next);
    await expect.poll(() => next.page.workers().length).toBe(1);
    expect(await next.status()).toMatchObject({ engine: { backend: 'webgl', thread: 'worker' }, degraded: [] });
    expect(await next.thrown()).toEqual([]);
  });

  test('leaves a GPU alone during which the tab died', async () => {
    const isHeld = { current: true };
    const answer = (path: string) => (isHeld.current && /webgl-/.test(path) ? ('never' as const) : undefined);
    const shop = await opened({ recommender: { consent: 'granted' }, answer });
    await expectRight(shop);
    const mark = () => stored(shop).then((record) => record?.trying);
    await expect.poll(mark, { timeout: 60_000 }).toBe('webgl');
    const after = visitOf(shop);
    const { context } = after;
    await context.newPage(); // the context outlives the tab
    const session = await context.newCDPSession(shop.page);
    const died = new Promise((resolve) => shop.page.on('crash', resolve));
    session.send('Page.crash').catch(() => {});
    await died;
    isHeld.current = false;
    const next = await opened({ recommender: { consent: 'granted' }, after });
    await expectAny(next);
    await settled(next);
    const { engine } = await next.status();
    expect(engine!.why).toContain('"webgl" is left alone, since the page ended when it was tried last.');
    expect(engine!.why).not.toMatch(/webgl [\d.]+ ms/);
    const named = await opened({
      recommender: { consent: 'granted', backend: 'webgl' },
      after,
    });
    await expectAny(named);
    expect(await named.status()).toMatchObject({ engine: { backend: 'wasm' }, degraded: [{ code: 'no-backend' }] });
  });

  test('holds nothing against a GPU whose page was left while it was tried', async () => {
    const isHeld = { current: true };
    const answer = (path: string) => (isHeld.current && /webgl-/.test(path) ? ('never' as const) : undefined);
    const shop = await opened({ recommender: { consent: 'granted' }, answer });
    await expectRight(shop);
    const mark = () => stored(shop).then((record) => record?.trying);
    await expect.poll(mark, { timeout: 60_000 }).toBe('webgl');
    await shop.page.goto('about:blank');
    isHeld.current = false;
    const next = await opened({
      recommender: { consent: 'granted' },
      after: visitOf(shop),
    });
    await expectAny(next);
    await settled(next);
    expect((await next.status()).engine!.why).toMatch(/webgl [\d.]+ ms/);
  });
});

/** What the page has stored about backends; then another one is made the fastest in it, if wanted. */
function stored({ page }: ShopPage, fastest?: BackendName): Promise<DeviceRecord | undefined> {
  return page.evaluate(async (backend) => {
    const settled = <T>(request: IDBRequest<T>) =>
      new Promise<T>((resolve, reject) => {
        request.onsuccess = () => resolve(request.result);
        request.onerror = () => reject(request.error);
      });
    const database = await settled(indexedDB.open('aisle'));
    try {
      const store = database.transaction('records', 'readwrite').objectStore('records');
      const record = (await settled(store.get('note/backends'))) as DeviceRecord | undefined;
      if (record && backend) {
        const choices = record.choices.map((choice) => ({ ...choice, backend }));
        await settled(store.put({ ...record, choices }, 'note/backends'));
      }
      return record;
    } finally {
      database.close();
    }
  }, fastest);
}

describe('there is an honest error', () => {
  const weights = '/model/weights.safetensors';
  test.each<[string, ShopPageOptions, string, string]>([
    [
      'where the weights are a page',
      { answer: (path) => (path === weights ? { body: '<!doctype html>', type: 'text/html' } : undefined) },
      'bad-artifact',
      'HTML page',
    ],
    [
      'where the weights are cut off',
      { answer: (path) => (path === weights ? { body: 'short' } : undefined) },
      'bad-artifact',
      'weights.safetensors',
    ],
    [
      'where the weights are missing',
      { answer: (path) => (path === weights ? { body: '', status: 404 } : undefined) },
      'bad-artifact',
      'status 404',
    ],
    [
      'where the server fails',
      { answer: (path) => (path.startsWith('/model/') ? { body: '', status: 503 } : undefined) },
      'io',
      'answered 503',
    ],
    [
      'under a policy that forbids to fetch',
      { csp: WITH_WASM.replace("connect-src 'self'", "connect-src 'none'") },
      'io',
      'could not be fetched',
    ],
    [
      'without fetch',
      { inWorker: () => void Object.assign(globalThis, { fetch: undefined }) },
      'io',
      'could not be fetched',
    ],
    [
      'where to fetch throws',
      {
        inWorker: () => {
          globalThis.fetch = () => {
            throw new TypeError('not today');
          };
        },
      },
      'io',
      'not today',
    ],
    [
      'where neither the worker nor the engine of the page can be loaded',
      { answer: (path) => (/worker\.js|local-engine/.test(path) ? { body: '', status: 404 } : undefined) },
      'engine-lost',
      'local-engine',
    ],
  ])('%s', async (_, options, code, message) => {
    const shop = await opened(options);
    const told = { code, message: expect.stringContaining(message) };
    expect(await shop.ask()).toMatchObject(told);
    expect(await shop.ask()).toMatchObject(told);
    const { engine, model } = await shop.status();
    expect({ engine, model }).toEqual({});
    expect(await shop.errors()).toEqual([code]);
    expect(await shop.thrown()).toEqual([]);
  });
});
