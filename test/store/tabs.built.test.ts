/**
 * Many tabs of a real Chromium track at once and die at random, with the built library. What the device has acknowledged,
 * by the event `stored`, is there afterwards: once, and in order.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import type { Server } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Browser, type BrowserContext, chromium, type Page } from 'playwright-core';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { random } from '../../src/session/random';
import { CHROMIUM_FLAGS, findChromium, launchChromium } from '../chromium';
import { type Hooks, openShopPage, type PageOptions, type ShopPage, STORING, serveShopPage } from '../engine/shop-page';
import { closeServer } from '../server';
import { isSoak } from '../soak-slice';
import { tried } from '../tries';

/** In `npm test` a small part of what `npm run soak` does. */
const EVENTS = isSoak ? 500 : 40;
const TABS = 8;

let server: Server;
const browsers: Browser[] = [];

beforeAll(async () => {
  server = await serveShopPage();
});
afterAll(async () => {
  await Promise.all(browsers.map((browser) => browser.close()));
  closeServer(server);
});

/** Only what stores is of interest here: a model that is not there costs no time. */
const recommender = { ...STORING, modelUrl: '/none/' };
const opened = (context: BrowserContext, acknowledged?: PageOptions['acknowledged']): Promise<ShopPage> =>
  openShopPage(context, server, { recommender, ...(acknowledged && { acknowledged }) });

/** Tracks items one after the other, as fast as it can, from that number on, and waits until they are stored. */
const trackAll = (page: Page, prefix: string, from: number): Promise<void> =>
  page.evaluate(
    async ([name, first, last]) => {
      const { recommender } = globalThis as unknown as Hooks;
      for (let n = first; n <= last; n++) {
        recommender.track(`${name}/${n}`);
        await new Promise((next) => setTimeout(next, 1));
      }
      await recommender.privacy.export();
    },
    [prefix, from, EVENTS - 1] as const,
  );

/** Process numbers of a browser, its own first; of one kind where it is named. */
async function processesOf(browser: Browser, kind?: 'renderer'): Promise<number[]> {
  const protocol = await browser.newBrowserCDPSession();
  const { processInfo } = await protocol.send('SystemInfo.getProcessInfo');
  await protocol.detach();
  const some = processInfo.filter(({ type }) => kind === undefined || type === kind);
  return some.sort((a, b) => Number(b.type === 'browser') - Number(a.type === 'browser')).map(({ id }) => id);
}

/** Ends a process at once, and waits until it has, or is a zombie that nobody reaps. */
async function kill(pid: number): Promise<void> {
  try {
    process.kill(pid, 'SIGKILL');
    for (let wait = 0; wait < 500; wait++) {
      process.kill(pid, 0);
      await tick();
    }
  } catch {
    // It is gone.
  }
}

const tick = () => new Promise((next) => setTimeout(next, 2));

/** Items of one tab in the order in which it tracked them: `tab/life/number`. */
const inOrder = (a: string, b: string): number => {
  const [one, other] = [a.split('/').map(Number), b.split('/').map(Number)];
  return one[1]! - other[1]! || one[2]! - other[2]!;
};

function expectKept(found: readonly string[], acknowledged: readonly string[]): void {
  expect(new Set(found).size, 'each once').toBe(found.length);
  const there = new Set(found);
  expect(acknowledged.filter((itemId) => !there.has(itemId))).toEqual([]);
  for (let tab = 0; tab < TABS; tab++) {
    const own = found.filter((itemId) => itemId.startsWith(`${tab}/`));
    expect(own).toEqual([...own].sort(inOrder));
  }
}

const KINDS = ['crashed', 'killed', 'closed'] as const;

test(`${TABS} tabs track ${EVENTS} events each, and are killed at random`, async () => {
  // A browser of its own: what is killed at random must not be another file's page.
  const browser = await launchChromium();
  browsers.push(browser);
  const context = await browser.newContext();
  const { integer } = random(7, 'kills');
  const acknowledged: string[] = [];
  const deaths: string[] = [];

  /** Tabs open, die and close in turn: the driver may wait for ever for a page that was killed while it came or went. */
  let turn: Promise<unknown> = Promise.resolve();
  const inTurn = <T>(change: () => Promise<T>): Promise<T> => {
    const done = turn.then(change);
    turn = done.catch(() => {}); // whoever waits for it has the error
    return done;
  };

  /** A tab dies without a word: its process crashes, or one is killed at random and its tabs with it, or it is closed. */
  async function die(page: Page, dead: Promise<void>): Promise<void> {
    const kind = KINDS[deaths.length % KINDS.length]!;
    deaths.push(kind);
    if (kind === 'crashed') {
      const protocol = await context.newCDPSession(page);
      protocol.send('Page.crash').catch(() => {}); // nobody is left to answer
      await dead;
    } else if (kind === 'closed') await page.close();
    else {
      const pids = (await processesOf(browser, 'renderer')).filter((pid) => !spared.has(pid));
      if (pids.length > 0) await kill(pids[integer(pids.length)]!);
    }
  }

  /** One visitor's tab. Where it dies, another one goes on after the last event that was acknowledged. */
  async function live(tab: number): Promise<void> {
    let next = 0;
    for (let life = 0; next < EVENTS; life++) {
      const start = next;
      const { page } = await inTurn(() =>
        opened(context, (itemIds) => {
          acknowledged.push(...itemIds);
          next = Number(itemIds.at(-1)!.split('/')[2]) + 1;
        }),
      );
      let isDead = false;
      const dead = new Promise<void>((resolve) => {
        page.once('crash', () => resolve());
        page.once('close', () => resolve());
      }).then(() => {
        isDead = true;
      });
      const tracking = trackAll(page, `${tab}/${life}`, start).catch(() => dead);
      if (life <= tab % 3) {
        const target = start + 1 + integer(EVENTS / 4);
        while (next < Math.min(target, EVENTS) && !isDead) await tick();
        await inTurn(async () => {
          if (!isDead) await Promise.race([die(page, dead), dead]);
        });
      }
      await Promise.race([tracking, dead]);
      await inTurn(() => page.close());
    }
  }

  const witness = await opened(context);
  const spared = new Set(await processesOf(browser, 'renderer'));
  await Promise.all(Array.from({ length: TABS }, (_, tab) => live(tab)));
  const reader = await opened(context);
  const found = await reader.known();
  expect(new Set(deaths)).toEqual(new Set(KINDS));
  expect(acknowledged.length).toBeGreaterThanOrEqual(TABS * EVENTS);
  expectKept(found, acknowledged);
  expect(await witness.known(), 'a tab that was there all the time').toEqual(found);
  tried(acknowledged.length);
}, 600_000);

test('what was acknowledged is there after the whole browser was killed', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'aisle-profile-'));
  const launch = async () => {
    const context = await chromium.launchPersistentContext(folder, {
      executablePath: findChromium()!,
      args: [...CHROMIUM_FLAGS],
    });
    return { context, browser: context.browser()! };
  };
  try {
    const acknowledged: string[] = [];
    const { context, browser } = await launch();
    const tabs = await Promise.all([0, 1].map(() => opened(context, (ids) => acknowledged.push(...ids))));
    const pids = await processesOf(browser);
    for (const [tab, { page }] of tabs.entries()) trackAll(page, `${tab}/0`, -10_000).catch(() => {}); // it does not end
    while (acknowledged.length < 100) await tick();
    for (const pid of pids) await kill(pid);
    const next = await launch();
    const reader = await opened(next.context);
    expectKept(await reader.known(), acknowledged);
    await next.browser.close();
  } finally {
    rmSync(folder, { recursive: true, force: true, maxRetries: 10 });
  }
}, 120_000);
