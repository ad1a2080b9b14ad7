/**
 * Eight tabs of a real Chromium track and learn at once: no event is lost or learnt twice, one tab learns at a time, and in
 * the end all of them answer alike. Erased in the midst of it, nothing is left.
 */
import { expect, test } from 'vitest';
import type { Recommender } from '../../src/index';
import { random } from '../../src/session/random';
import { IDS } from '../engine/fixture';
import { openShopPage, type ShopPage, STORING, shopVisit } from '../engine/shop-page';
import { originOf } from '../server';
import { isSoak } from '../soak-slice';
import { tried } from '../tries';
import { NOTHING, storedIn } from './stored';

const TABS = 8;
/** In `npm test` a small part of what `npm run soak` does. */
const EVENTS = isSoak ? 60 : 6;
const ERASURES = isSoak ? 100 : 3;

const visit = shopVisit();

interface Scope {
  readonly recommender: Recommender;
  /** When this tab has learnt: from when to when, in milliseconds since 1970. */
  readonly learning: [from: number, to: number][];
}

async function openTabs(): Promise<readonly ShopPage[]> {
  const recommender = { ...STORING, backend: 'cpu', history: 'all', learn: 'manual' } as const;
  const opened = () => openShopPage(visit.context, visit.server, { recommender });
  const tabs = await Promise.all(Array.from({ length: TABS }, opened));
  await Promise.all(tabs.map((tab) => tab.ask()));
  return tabs;
}

/** Tracks these, one after the other, and learns what is new after every third and in the end. */
const trackAndLearn = (tab: ShopPage, ids: readonly string[]): Promise<void> =>
  tab.page.evaluate(async (items) => {
    const scope = globalThis as unknown as Scope & { learning: [number, number][] };
    scope.learning ??= [];
    const { recommender } = scope;
    let isLearning = false;
    recommender.on('status', ({ learning }) => {
      const now = performance.timeOrigin + performance.now();
      if (learning?.state === 'learning' && !isLearning) scope.learning.push([now, Number.POSITIVE_INFINITY]);
      if (learning?.state !== 'learning' && isLearning) scope.learning.at(-1)![1] = now;
      isLearning = learning?.state === 'learning';
    });
    const running: Promise<unknown>[] = [];
    for (const [n, item] of items.entries()) {
      recommender.track(item);
      await new Promise((next) => setTimeout(next, 5));
      if (n % 3 === 2) running.push(recommender.fineTune().catch(() => {})); // an erasure ends it
    }
    await Promise.allSettled([...running, recommender.fineTune()]);
  }, ids);

test(`${TABS} tabs track and learn: each event once, one tab at a time, and all agree`, async () => {
  const tabs = await openTabs();
  // Within one tab no item twice: that would be one page view that is reported twice.
  const lists = tabs.map((_, t) => Array.from({ length: EVENTS }, (_, n) => IDS[(11 * t + 7 * n) % IDS.length]!));
  await Promise.all(tabs.map((tab, t) => trackAndLearn(tab, lists[t]!)));
  // What came last in one tab may not have reached another one when it had learnt.
  await tabs[0]!.page.evaluate(() => (globalThis as unknown as Scope).recommender.fineTune());

  const known = await Promise.all(tabs.map((tab) => tab.known()));
  for (const one of known) expect([...one].sort()).toEqual(lists.flat().sort());
  tried(TABS * EVENTS);
  await expect
    .poll(() => Promise.all(tabs.map(async (tab) => (await tab.status()).learning?.events)))
    .toEqual(Array(TABS).fill(TABS * EVENTS));
  const states = await Promise.all(tabs.map((tab) => tab.status()));
  for (const { learning, degraded } of states) {
    expect(degraded).toEqual([]);
    expect(learning?.gate).toEqual(states[0]!.learning!.gate);
  }
  const answers = await Promise.all(tabs.map((tab) => tab.ask()));
  for (const answer of answers) expect(answer).toEqual(answers[0]);

  const spans = await Promise.all(
    tabs.map((tab) => tab.page.evaluate(() => (globalThis as unknown as Scope).learning)),
  );
  const inOrder = spans.flat().sort(([a], [b]) => a - b);
  expect(inOrder.length).toBeGreaterThan(1);
  for (const [n, [from]] of inOrder.entries()) {
    if (n > 0) expect(from, 'one learns when the one before has ended').toBeGreaterThanOrEqual(inOrder[n - 1]![1] - 1);
  }
  for (const tab of tabs) expect(await tab.thrown()).toEqual([]);
}, 600_000);

test(`nothing is left where a visitor erases while ${TABS} tabs learn, ${ERASURES} times`, async () => {
  const tabs = await openTabs();
  const witness = await visit.context.newPage();
  await witness.goto(`${originOf(visit.server)}/shop.js`);
  for (let round = 0; round < ERASURES; round++) {
    const { integer } = random(13, 'erasures', round);
    const where = `seed 13, round ${round}`;
    const learning = tabs.map((tab) =>
      trackAndLearn(
        tab,
        Array.from({ length: 1 + integer(4) }, () => IDS[integer(IDS.length)]!),
      ),
    );
    const eraser = tabs[integer(TABS)]!;
    await new Promise((next) => setTimeout(next, integer(300)));
    await eraser.page.evaluate(() => (globalThis as unknown as Scope).recommender.privacy.erase());
    await Promise.all(learning); // what was tracked after the erasure is there, so it is erased once more, amid nothing
    await tabs[integer(TABS)]!.page.evaluate(async () => {
      const { recommender } = globalThis as unknown as Scope;
      const running = recommender.fineTune().catch(() => {});
      await recommender.privacy.erase();
      await running;
    });
    await expect.poll(() => storedIn(witness), { message: where }).toEqual(NOTHING);
    for (const tab of tabs) {
      expect(await tab.known(), where).toEqual([]);
      expect((await tab.status()).learning?.events ?? 0, where).toBe(0);
      expect(await tab.thrown(), where).toEqual([]);
    }
    expect(await storedIn(witness), where).toEqual(NOTHING);
  }
}, 600_000);
