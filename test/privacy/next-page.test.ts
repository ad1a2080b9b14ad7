/** What a page requests does not tell whether its visitor learns or has learnt before, nor whether that answers. */
import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import type { LearnChoice, LearningStatus, TuneMethod } from '../../src/index';
import { type Hooks, openShopPage, STORING, serveShopPage } from '../engine/shop-page';
import { closeServer } from '../server';
import { openBrowser } from '../shared-chromium';
import { slice } from '../soak-slice';

vi.setConfig({ testTimeout: 180_000 });

const HABIT = ['item-20', 'item-31', 'item-9', 'item-44', 'item-27'];
const DAY = 86_400_000;

let browser: Browser;
beforeAll(async () => {
  browser = await openBrowser();
});
afterAll(() => browser.close());

/** What a visitor's pages request: one that learns from so many days, and the next, where every file was forgotten. */
async function visit(days: number, learn: LearnChoice, method: TuneMethod) {
  const paths: string[] = [];
  const server = await serveShopPage({}, paths);
  const context = await browser.newContext();
  try {
    const recommender = { ...STORING, backend: 'wasm' as const, learn };
    const first = await openShopPage(context, server, { recommender });
    const learnt = await first.page.evaluate(
      async ({ habit, days, day, method }): Promise<LearningStatus> => {
        const { recommender } = globalThis as unknown as Hooks;
        const from = Date.now() - (days + 1) * day;
        for (let d = 0; d < days; d++) {
          for (const [k, itemId] of habit.entries()) recommender.track({ itemId, time: from + d * day + k * 61_000 });
        }
        return recommender.fineTune({ method });
      },
      { habit: HABIT, days, day: DAY, method },
    );
    const protocol = await context.newCDPSession(first.page);
    await protocol.send('Network.clearBrowserCache');
    await first.page.close();
    const before = paths.length;
    const next = await openShopPage(context, server, { recommender });
    await next.ask();
    const ofPage = (from: number, end?: number) =>
      paths
        .slice(from, end)
        .filter((path) => path !== '/favicon.ico')
        .sort();
    const requested = () => ofPage(before);
    // Until nothing more comes: what is loaded without being waited for must be seen, too.
    for (let seen = -1; seen < requested().length; await next.page.waitForTimeout(1000)) seen = requested().length;
    return { learnt, first: ofPage(0, before), requested: requested() };
  } finally {
    await context.close();
    closeServer(server);
  }
}

const WAYS = [
  ['manual', 'adapter'],
  ['auto', 'adapter'],
  ['manual', 'full'],
] as const;
test.each(slice(WAYS, ([learn]) => learn === 'auto'))(
  'with learn: "%s" pages request the same, whatever is and was learnt by "%s"',
  async (learn, method) => {
    const nothing = await visit(0, learn, method);
    const closed = await visit(1, learn, method);
    const open = await visit(9, learn, method);
    expect(nothing.learnt.events).toBe(0);
    expect(closed.learnt).toMatchObject({ events: 5, gate: { isOpen: false } });
    expect(open.learnt).toMatchObject({ events: 45, gate: { isOpen: true } });
    for (const learnt of [closed, open]) {
      expect(learnt.first).toEqual(nothing.first);
      expect(learnt.requested).toEqual(nothing.requested);
    }
    expect(new Set(nothing.requested).size).toBe(nothing.requested.length);
  },
);
