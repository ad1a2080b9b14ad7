/** What a worker and its page hold on to after a long visit with the built library: 5,000 recommendations and 50 learnings in full. */
import puppeteer, { type CDPSession } from 'puppeteer-core';
import { expect, onTestFinished, test, vi } from 'vitest';
import { CHROMIUM_FLAGS, findHeadlessShell } from '../chromium';
import { closeServer, originOf } from '../server';
import { isSoak, slice } from '../soak-slice';
import { IDS } from './fixture';
import { type Hooks, serveShopPage } from './shop-page';

vi.setConfig({ testTimeout: isSoak ? 1_200_000 : 120_000 });

/** Rounds, each of a learning and so many recommendations. */
const ROUNDS = isSoak ? 50 : 3;
const RECOMMENDATIONS = isSoak ? 100 : 40;
/** What a page may keep of a round: its events, with what was learnt of them. Bytes. */
const OF_ROUND = 4000;
/** What an engine may compile, and what the collector leaves, meanwhile. Bytes. */
const SLACK = 300_000;

/** Bytes of objects and of buffers, WebAssembly's memory among them, that are in use. */
async function held(protocol: CDPSession): Promise<number> {
  for (let n = 0; n < 3; n++) await protocol.send('HeapProfiler.collectGarbage');
  const usage = await protocol.send('Runtime.getHeapUsage');
  return usage.usedSize + usage.backingStorageSize;
}

test.each(slice(['plan', 'wasm', 'cpu'] as const, (backend) => backend === 'plan'))(
  `a worker and its page hold as much after ${ROUNDS * RECOMMENDATIONS} recommendations and ${ROUNDS} learnings, on %s`,
  async (backend) => {
    const server = await serveShopPage({ hasPlan: true });
    const browser = await puppeteer.launch({ executablePath: findHeadlessShell()!, args: [...CHROMIUM_FLAGS] });
    onTestFinished(async () => {
      await browser.close();
      closeServer(server);
    });
    const page = await browser.newPage();
    await page.goto(`${originOf(server)}/`);
    await page.waitForFunction('globalThis.start');
    await page.evaluate((options) => (globalThis as unknown as Hooks).start(options, [], undefined), {
      backend,
      consent: 'granted',
    } as const);
    const visit = (ids: readonly string[]) =>
      page.evaluate(
        async (items, each) => {
          const { recommender } = globalThis as unknown as Hooks;
          for (const itemId of items) {
            recommender.track(itemId);
            for (let n = 0; n < each; n++) {
              const list = await recommender.recommend({
                strategy: n % 2 ? 'related' : 'for-you',
                item: items[n % items.length]!,
              });
              if (list.length !== 10) throw new Error(`${list.length} items`);
            }
            await recommender.fineTune();
          }
          return recommender.status.learning!.events;
        },
        ids,
        RECOMMENDATIONS,
      );
    const some = Array.from({ length: ROUNDS }, (_, n) => IDS[(7 * n) % IDS.length]!);
    const warm = isSoak ? 20 : 2; // the code of TensorFlow.js is warm after some rounds
    expect(await visit(some.slice(0, warm))).toBe(warm);
    const [worker] = page.workers();
    const protocols = { worker: worker!.client, page: await page.createCDPSession() };
    const before = { worker: await held(protocols.worker), page: await held(protocols.page) };
    expect(await visit(some)).toBe(warm + ROUNDS);
    expect(page.workers()).toEqual([worker]);
    const most = OF_ROUND * ROUNDS + SLACK;
    expect((await held(protocols.worker)) - before.worker, 'more bytes in the worker').toBeLessThan(most);
    expect((await held(protocols.page)) - before.page, 'more bytes in the page').toBeLessThan(most);
  },
);
