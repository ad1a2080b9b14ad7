/**
 * Nothing half. A renderer of a real Chromium is killed at every step of what it does to IndexedDB while it learns and saves,
 * for every architecture in `npm run soak`, for three in `npm test`: what was learnt is the old or the new, whole, and the next page suggests and goes on.
 */
import type { Server } from 'node:http';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { decodeDelta } from '../../src/checkpoint/delta-file';
import type { Recommender } from '../../src/index';
import { models } from '../../src/models/index';
import { IDS } from '../engine/fixture';
import { SMALL } from '../engine/parity';
import { openShopPage, STORING, serveShopPage } from '../engine/shop-page';
import { closeServer, originOf } from '../server';
import { openBrowser } from '../shared-chromium';
import { isSoak, slice } from '../soak-slice';
import { tried } from '../tries';
import { storedIn } from './stored';

const ARCHITECTURES = slice(Object.keys(models), (name) => ['gru4rec', 'sasrec', 'transformers4rec'].includes(name));
/** `npm test` kills each of its architectures at few of the steps, and at others than those before it. */
const STRIDE = isSoak ? 1 : 16 * ARCHITECTURES.length;

let browser: Browser;
beforeAll(async () => {
  browser = await openBrowser();
});
afterAll(() => browser?.close());

/**
 * Runs in the page before the library: from when it is armed on, counts what is done to IndexedDB, and at the step that it is
 * armed for asks the server and waits for ever, so that nothing goes on until the renderer is killed.
 */
const BEFORE_EACH_STEP = `
globalThis.steps = 0;
globalThis.stopAt = Infinity;
const step = () => {
  if (!globalThis.isArmed || ++steps !== stopAt) return;
  const request = new XMLHttpRequest();
  request.open('GET', '/stopped', false);
  request.send();
};
const before = (prototype, ...names) => {
  for (const name of names) {
    const original = prototype[name];
    prototype[name] = function (...args) {
      step();
      const result = original.apply(this, args);
      step();
      return result;
    };
  }
};
before(IDBObjectStore.prototype, 'put', 'delete', 'get');
before(IDBDatabase.prototype, 'transaction');
before(IDBTransaction.prototype, 'commit');
const { set, ...descriptor } = Object.getOwnPropertyDescriptor(IDBTransaction.prototype, 'oncomplete');
Object.defineProperty(IDBTransaction.prototype, 'oncomplete', {
  ...descriptor,
  set(listener) {
    set.call(this, listener && ((event) => (step(), listener.call(this, event), step())));
  },
});
`;

interface Scope {
  readonly recommender: Recommender;
  isArmed: boolean;
  steps: number;
  stopAt: number;
}

/** Lets the page learn what it has tracked, until that step; tells how many there were, if it comes so far. */
const learn = (page: Page, stopAt: number | null): Promise<number> =>
  page.evaluate(async (at) => {
    const scope = globalThis as unknown as Scope;
    await scope.recommender.privacy.export(); // what was tracked is on the device
    Object.assign(scope, { stopAt: at ?? Number.POSITIVE_INFINITY, steps: 0, isArmed: true });
    await scope.recommender.fineTune();
    return scope.steps;
  }, stopAt);

/** What ends the page's renderer, and no other's, on a thread that scripts cannot hold up; to be made ready before they do. */
async function killerOf(page: Page): Promise<() => Promise<void>> {
  const protocol = await page.context().newCDPSession(page);
  const crashed = new Promise<void>((resolve) => page.once('crash', () => resolve()));
  return async () => {
    protocol.send('Page.crash').catch(() => {}); // whoever is killed does not answer
    await crashed;
  };
}

describe.each(ARCHITECTURES.map((name, k) => [name, k] as const))('%s', (architecture, offset) => {
  test('keeps the old or the new, whole, wherever it is killed', async () => {
    let stopped = () => {};
    const server: Server = await serveShopPage({
      model: { architecture, config: SMALL[architecture] ?? {} },
      answer(path) {
        if (path !== '/stopped') return undefined;
        stopped();
        return 'never';
      },
    });
    const context = await browser.newContext();
    onTestFinished(async () => {
      await context.close();
      closeServer(server);
    });
    let clicks = 0;
    const openPage = async () => {
      const shop = await openShopPage(context, server, {
        first: BEFORE_EACH_STEP,
        recommender: { ...STORING, backend: 'cpu', history: 'all' },
      });
      const ids = Array.from({ length: 4 }, () => IDS[(7 * clicks++) % IDS.length]!);
      await shop.track(...ids);
      return shop;
    };
    /** Events that were learnt, as they stand on the device; read in a page without the library. */
    const learnt = async (): Promise<number> => {
      const witness = await context.newPage();
      await witness.goto(`${originOf(server)}/shop.js`);
      const { indexedDB } = await storedIn(witness);
      await witness.close();
      const record = indexedDB.find(([key]) => key === 'aisle/records/"learnt"')?.[1];
      const { bytes } = JSON.parse(record ?? '{}') as { bytes?: { bytes: string } };
      return bytes === undefined ? 0 : decodeDelta(Uint8Array.from(Buffer.from(bytes.bytes, 'hex'))).learnt.events;
    };

    const first = await openPage();
    const steps = await learn(first.page, null);
    await first.page.close();
    let before = await learnt();
    expect(before).toBe(4);
    const seen = { old: 0, new: 0 };
    for (let step = 1 + (offset % STRIDE); step <= steps; step += STRIDE) {
      const shop = await openPage();
      const isStopped = new Promise<void>((resolve) => {
        stopped = resolve;
      });
      const kill = await killerOf(shop.page);
      const ended = learn(shop.page, step).then(
        () => {},
        () => {}, // the page dies
      );
      await Promise.race([isStopped, ended]);
      await kill();
      await shop.page.close();
      const after = await learnt();
      const where = `killed at step ${step} of ${steps}`;
      // Each slice that was learnt is saved by itself, so there may be news before all is learnt.
      expect(after, where).toBeGreaterThanOrEqual(before);
      expect(after, where).toBeLessThanOrEqual(clicks);
      seen[after === before ? 'old' : 'new']++;
      tried(1);
      before = after;

      const next = await openPage();
      const answer = await next.ask();
      expect(answer, where).toHaveLength(20);
      await learn(next.page, null);
      const { learning, degraded, storage } = await next.status();
      expect({ degraded, storage, kept: learning?.storage, events: learning?.events }, where).toEqual({
        degraded: [],
        storage: 'indexeddb',
        kept: 'indexeddb',
        events: clicks,
      });
      expect(await next.thrown(), where).toEqual([]);
      await next.page.close();
      before = await learnt();
      expect(before, where).toBe(clicks);
    }
    if (STRIDE === 1) expect(Math.min(seen.old, seen.new)).toBeGreaterThan(0);
  }, 600_000);
});
