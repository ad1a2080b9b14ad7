/// <reference types="@webgpu/types" />
/**
 * GPUs, workers and the network taken away from the built library while it works: no recommendation is lost, nothing is
 * thrown, and `status` tells.
 */
import type { Browser, Worker } from 'playwright-core';
import { describe, expect, test, vi } from 'vitest';
import type { Recommender, Status } from '../../src/index';
import { slice } from '../soak-slice';
import { folderOf, smallModel } from './fixture';
import { deleteWorker, expectRight, type ShopPage, type ShopPageOptions, shopPages } from './shop-page';

vi.setConfig({ testTimeout: 120_000 });

const { opened, anotherBrowser } = shopPages();

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

/** All that `status` has said of why it is this backend. */
const reasons = ({ page }: ShopPage) =>
  page.evaluate(() =>
    (globalThis as unknown as { statuses: Status[] }).statuses.map(({ engine }) => engine?.why).join(' '),
  );
const throwInWorker = (worker: Worker) =>
  worker.evaluate(() => {
    setTimeout(() => {
      throw new Error('a mistake in the worker');
    });
  });

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

const LOSSES: [string, Loss][] = [
  [
    'a WebGL context that is lost in the worker',
    {
      backend: 'webgl',
      options: { inWorker: keepContexts, recommender: { backend: 'webgl' } },
      lose: ({ page }) => page.workers()[0]!.evaluate(loseContexts),
    },
  ],
  [
    'a WebGPU device that is destroyed in the worker',
    {
      backend: 'webgpu',
      options: { inWorker: keepDevices, recommender: { backend: 'webgpu' } },
      lose: ({ page }) => page.workers()[0]!.evaluate(destroyDevices),
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
];
/** What `npm test` takes away: of each kind one, on one of the two, in the worker and in the page. */
const FEW = ['a WebGPU device that is destroyed in the worker', 'a GPU process that crashes under WebGL'];

describe.each(slice(LOSSES, ([name]) => FEW.includes(name)))('%s', (_, { backend, options, lose }) => {
  test.each(slice(['between', 'during'] as const, (when) => when === 'during'))(
    '%s recommendations costs none of them',
    async (when) => {
      const own = await anotherBrowser();
      const shop = await opened(options, own);
      await expectRight(shop);
      expect((await shop.status()).engine!.backend).toBe(backend);
      if (when === 'between') await lose(shop, own);
      let isOver = when === 'between';
      const answers = [1, 2, 3].map(async () => {
        do await expectRight(shop);
        while (!isOver);
      });
      if (when === 'during') await lose(shop, own);
      try {
        await expect.poll(() => reasons(shop)).toContain(`after "${backend}" had failed`);
      } finally {
        isOver = true;
      }
      await Promise.all(answers);
      await expectRight(shop);
      const { engine, degraded } = await shop.status();
      // The same again, or the next backend, where the browser gives this page no GPU any more.
      expect(['webgpu', 'webgl', 'wasm']).toContain(engine!.backend);
      if (engine!.backend !== backend) expect(degraded.map(({ code }) => code)).toContain('no-backend');
      expect(await shop.thrown()).toEqual([]);
      expect(await shop.errors()).toEqual([]);
    },
  );
});

describe('a worker', () => {
  test('that throws is started again, and nothing of it reaches the page', async () => {
    const shop = await opened();
    await expectRight(shop);
    await throwInWorker(shop.page.workers()[0]!);
    await expect.poll(async () => (await shop.status()).degraded).toMatchObject([{ code: 'worker-restarted' }]);
    await expectRight(shop);
    expect((await shop.status()).engine).toMatchObject({ backend: 'wasm', thread: 'worker' });
    expect(await shop.thrown()).toEqual([]);
  });

  test('that is started again after the shop has released another model tells which one it has', async () => {
    const [model, next] = [await smallModel(), await smallModel({ seed: 2 })];
    let files = await folderOf(model);
    const shop = await opened({
      answer(path) {
        const body = path.startsWith('/model/') ? files.get(path.slice('/model/'.length)) : undefined;
        return body && { body };
      },
      recommender: { backend: 'wasm' },
    });
    await expectRight(shop);
    expect((await shop.status()).model!.version).toBe('1.0.0');
    files = await folderOf({ ...next, info: { ...next.info, version: '2.0.0' } });
    await throwInWorker(shop.page.workers()[0]!);
    await expect.poll(async () => (await shop.status()).model!.version).toBe('2.0.0');
    expect(await shop.ask()).toHaveLength(20);
    expect((await shop.status()).engine).toMatchObject({ backend: 'wasm', thread: 'worker' });
    expect(await shop.thrown()).toEqual([]);
  });

  test('that keeps throwing gives way to the page, which does not try the GPU that it was on', async () => {
    const shop = await opened({ recommender: { backend: 'webgl' } });
    await expectRight(shop);
    const workers = shop.page.workers();
    shop.page.on('worker', (worker) => workers.push(worker));
    for (let crash = 1; crash <= 4; crash++) {
      await throwInWorker(workers.at(-1)!);
      if (crash < 4) await expect.poll(() => workers.length).toBe(crash + 1);
      else await expect.poll(async () => (await shop.status()).engine!.thread).toBe('main');
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
