/**
 * Learning in a real Chromium with the built library: tabs that share one trainer, a renderer that dies between slices, a
 * taste that is carried into another profile.
 */
import { expect, onTestFinished, test, vi } from 'vitest';
import type { LearningStatus, RecommenderOptions } from '../../src/index';
import { launchChromium } from '../chromium';
import { type Hooks, openShopPage, type ShopPage, STORING, shopVisit } from '../engine/shop-page';

vi.setConfig({ testTimeout: 180_000 });

const visit = shopVisit();

const HABIT = ['item-20', 'item-31', 'item-9', 'item-44', 'item-27'];
const DAYS = 8;
const EVENTS = DAYS * HABIT.length;
const PASSPHRASE = 'correct horse battery staple';
const PATIENCE = { timeout: 60_000 };

const opened = (recommender: Partial<RecommenderOptions> = {}, where = visit.context): Promise<ShopPage> =>
  openShopPage(where, visit.server, { recommender: { ...STORING, ...recommender } });

/** Tracks the habit of the days before today, and waits until it is stored. */
const live = ({ page }: ShopPage): Promise<void> =>
  page.evaluate(
    async ([habit, days]) => {
      const { recommender } = globalThis as unknown as Hooks;
      const from = Date.now() - days * 86_400_000;
      for (let day = 0; day < days; day++) {
        for (const [k, itemId] of habit.entries()) {
          recommender.track({ itemId, time: from + day * 86_400_000 + k * 61_000 });
        }
      }
      await recommender.privacy.export();
    },
    [HABIT, DAYS] as const,
  );
const learn = ({ page }: ShopPage): Promise<LearningStatus> =>
  page.evaluate(() => (globalThis as unknown as Hooks).recommender.fineTune());
const exported = ({ page }: ShopPage): Promise<number[]> =>
  page.evaluate(
    async (passphrase) => [...(await (globalThis as unknown as Hooks).recommender.taste.export(passphrase))],
    PASSPHRASE,
  );
const imports = ({ page }: ShopPage, file: readonly number[]): Promise<LearningStatus> =>
  page.evaluate(
    ([bytes, passphrase]) =>
      (globalThis as unknown as Hooks).recommender.taste.import(Uint8Array.from(bytes), passphrase),
    [file, PASSPHRASE] as const,
  );
const learning = async (shop: ShopPage): Promise<LearningStatus | undefined> => (await shop.status()).learning;
/** Ids of the best 20. */
async function best(shop: ShopPage): Promise<readonly string[]> {
  const answer = await shop.ask();
  if (!Array.isArray(answer)) throw new Error(JSON.stringify(answer));
  return answer.map(({ itemId }) => itemId);
}
/** The same, after one click of the habit. */
async function top(shop: ShopPage): Promise<readonly string[]> {
  await shop.track(HABIT[0]!);
  return best(shop);
}

test('a taste that is carried into another profile gives the same top 20', async () => {
  const shop = await opened();
  await live(shop);
  const learnt = await learn(shop);
  expect(learnt).toMatchObject({ events: EVENTS, storage: 'indexeddb', gate: { isOpen: true } });
  const file = await exported(shop);
  const expected = await top(shop);
  const profile = await visit.browser.newContext();
  const other = await opened({}, profile);
  const plain = await top(other);
  expect(plain).not.toEqual(expected);
  await imports(other, file);
  expect(await best(other)).toEqual(expected);
  expect(await other.thrown()).toEqual([]);
  const next = await opened({}, profile);
  await expect.poll(async () => (await learning(next))?.events, PATIENCE).toBe(EVENTS);
});

test('a taste that is carried into a profile in which nobody has clicked answers in its next page', async () => {
  const shop = await opened();
  await live(shop);
  await learn(shop);
  const file = await exported(shop);
  const expected = await top(shop);
  const profile = await visit.browser.newContext();
  const first = await opened({}, profile);
  expect(await imports(first, file)).toMatchObject({ events: EVENTS, storage: 'indexeddb' });
  await first.page.close();
  const next = await opened({}, profile);
  await expect.poll(async () => (await learning(next))?.events, PATIENCE).toBe(EVENTS);
  expect(await top(next)).toEqual(expected);
});

test('two tabs learn one at a time, and both answer by what was learnt; so does the next page', async () => {
  const [here, there] = [await opened(), await opened()];
  await live(here);
  await expect.poll(async () => (await there.known()).length, PATIENCE).toBe(EVENTS);
  // While another page holds the lock, both wait.
  const holder = await visit.context.newPage();
  await holder.goto(here.page.url());
  await holder.evaluate(
    () => new Promise<void>((held) => void navigator.locks.request('aisle-tune', () => new Promise(() => held()))),
  );
  const runs = [learn(here), learn(there)];
  for (const page of [here, there]) {
    await expect.poll(async () => (await page.status()).learning?.state, PATIENCE).toBe('waiting');
  }
  await holder.close();
  const both = await Promise.all(runs);
  expect(both.map(({ events }) => events)).toEqual([EVENTS, EVENTS]);
  expect(both[0]!.gate).toEqual(both[1]!.gate);
  const expected = await top(here);
  await expect.poll(async () => (await there.known()).length, PATIENCE).toBe(EVENTS + 1);
  expect(await best(there)).toEqual(expected);
  const next = await opened();
  await expect.poll(async () => (await learning(next))?.events, PATIENCE).toBe(EVENTS);
  expect(await best(next)).toEqual(expected);
});

test('a tab that dies while it learns leaves what it had kept, and another one goes on', async () => {
  // A browser of its own: no other file's pages run beside a crash.
  const chromium = await launchChromium();
  onTestFinished(() => chromium.close());
  const context = await chromium.newContext();
  const [here, there] = [await opened({}, context), await opened({}, context)];
  await live(here);
  await expect.poll(async () => (await there.known()).length, PATIENCE).toBe(EVENTS);
  const dies = here.page.evaluate(async () => {
    const { recommender } = globalThis as unknown as Hooks;
    await recommender.fineTune({ onProgress: ({ events }) => (document.title = `${events}`) }).catch(() => {});
    return true;
  });
  dies.catch(() => {});
  await here.page.waitForFunction(() => document.title !== 'A shop');
  const protocol = await context.newCDPSession(here.page);
  protocol.send('Page.crash').catch(() => {}); // nobody is left to answer
  const learnt = await learn(there);
  expect(learnt).toMatchObject({ state: 'idle', events: EVENTS, storage: 'indexeddb' });
  const next = await opened({}, context);
  await expect.poll(async () => (await learning(next))?.events, PATIENCE).toBe(EVENTS);
  expect((await next.status()).degraded).toEqual([]);
});

test.each([
  ['hidden', 'not-allowed'],
  ['left, and comes back,', 'done'],
])('a page that is %s in mid-slice ends what was asked for', async (how, next) => {
  const shop = await opened();
  await live(shop);
  const ends = await shop.page.evaluate(async (isHidden) => {
    const { recommender } = globalThis as unknown as Hooks;
    const ended = (call: Promise<unknown>): Promise<string> =>
      call.then(
        () => 'done',
        (error) => error.code,
      );
    const look = (visibilityState: string) => {
      Object.defineProperty(document, 'visibilityState', { configurable: true, value: visibilityState });
      document.dispatchEvent(new Event('visibilitychange', { bubbles: true }));
    };
    const onProgress = ({ events }: { readonly events: number }): void => {
      if (events !== 3) return;
      if (isHidden) look('hidden');
      else dispatchEvent(new PageTransitionEvent('pagehide'));
    };
    const first = await ended(recommender.fineTune({ onProgress }));
    const second = await ended(recommender.fineTune());
    look('visible');
    return { first, second };
  }, how === 'hidden');
  expect(ends).toEqual({ first: 'aborted', second: next });
  expect(await learn(shop)).toMatchObject({ events: EVENTS });
  expect(await shop.thrown()).toEqual([]);
});

test('by itself a page learns when it is idle, and not while it is hidden', async () => {
  const shop = await opened({ learn: 'auto' });
  await live(shop);
  await shop.page.evaluate(() => {
    Object.defineProperty(document, 'visibilityState', { configurable: true, value: 'hidden' });
    document.dispatchEvent(new Event('visibilitychange', { bubbles: true }));
  });
  await shop.ask();
  await shop.page.waitForTimeout(2500);
  expect((await learning(shop))?.events ?? 0).toBe(0);
  await shop.page.evaluate(() => {
    Object.defineProperty(document, 'visibilityState', { configurable: true, value: 'visible' });
    document.dispatchEvent(new Event('visibilitychange', { bubbles: true }));
  });
  await expect.poll(async () => await learning(shop), PATIENCE).toMatchObject({ state: 'idle', events: EVENTS });
  expect(await shop.thrown()).toEqual([]);
});
