/** What becomes of an embed whose model could not be had, or that was stopped: nothing that was said is forgotten. */
import type { Page, Route } from 'playwright-core';
import { describe, expect, test, vi } from 'vitest';
import { asked, embedPages, held, known, push, ready, SCRIPT, SETTLED, SLOT, STOCK, shown } from './embed-window';

vi.setConfig({ testTimeout: 120_000 }); // a browser on a machine that may be busy

const [A, B] = STOCK.map(({ id }) => id) as [string, string];

const pages = embedPages();

/** The embed's script without options, which a command gives. */
const BARE = '<script type="module" src="/aisle/embed.js"></script>';
const MODEL_OPTIONS = { modelUrl: '/models/demo/', backend: 'plan' };
const MODEL = '**/manifest.json';
const cutOff = (page: Page) => page.context().route(MODEL, (route) => route.abort());
async function connect(page: Page): Promise<void> {
  await page.context().unroute(MODEL);
  await page.evaluate(() => dispatchEvent(new Event('online')));
}
const statusOf = (page: Page) =>
  page.evaluate(async () => {
    const { consent, paused, storage } = (await window.aisle!.ready)!.status;
    return { consent, paused, storage };
  });
const failed = (page: Page) => page.locator('[data-aisle-state=error-io]').waitFor();

describe('a model that comes when the network is back', () => {
  test('finds the recommender, its listeners and the visit as they were', async () => {
    const { page, errors } = await pages.open(SLOT, { prepare: cutOff });
    await failed(page);
    await page.evaluate(async () => {
      Object.assign(globalThis, { first: await window.aisle!.ready, received: [] });
      const received = (name: string) => () => (globalThis as unknown as { received: string[] }).received.push(name);
      for (const name of ['ready', 'error'] as const) window.aisle!.push(['on', name, received(name)]);
    });
    await push(page, 'track', A);
    await page.evaluate(() => dispatchEvent(new Event('online'))); // which is not always true
    const received = () => page.evaluate(() => (globalThis as unknown as { received: string[] }).received);
    await expect.poll(received).toEqual(['error']);
    await connect(page);
    await ready(page);
    expect(await received()).toEqual(['error', 'ready']);
    expect(await known(page)).toEqual([`view ${A}`]);
    const isSame = await page.evaluate(async () => {
      const { first } = globalThis as unknown as { first: unknown };
      return first === window.aisle!.recommender && first === (await window.aisle!.ready);
    });
    expect(isSame).toBe(true);
    expect(errors.filter((text) => !text.startsWith('Failed to load resource'))).toEqual([]);
  });

  test('changes nothing of the answer no, whatever the tag says', async () => {
    const head = SCRIPT.replace('data-', 'data-consent="granted" data-');
    const { page } = await pages.open(SLOT, { head, prepare: cutOff });
    await failed(page);
    await push(page, 'consent', 'denied');
    await connect(page);
    await ready(page);
    await push(page, 'track', A);
    expect(await page.evaluate(() => window.aisle!.recommender!.status.consent)).toBe('denied');
    await asked(page, { k: 1 });
    const databases = () => page.evaluate(async () => (await indexedDB.databases()).map(({ name }) => name));
    await expect.poll(databases).toEqual([]);
  });

  test.each<[string, (page: Page) => Promise<unknown>]>([
    ['the recommender', (page) => page.evaluate(async () => (await window.aisle!.ready)!.privacy.consent('denied'))],
    [
      'a command, and a word after it that is none',
      async (page) => {
        await push(page, 'consent', 'denied');
        await push(page, 'consent', 'revoked');
      },
    ],
  ])('takes the answer no by %s for that of the next start', async (_, deny) => {
    const { page } = await pages.open(SLOT);
    await ready(page);
    await push(page, 'consent', 'granted');
    await deny(page);
    await push(page, 'start', { ...MODEL_OPTIONS, consent: 'granted' });
    await page.evaluate(() => window.aisle!.ready);
    await push(page, 'track', A);
    await asked(page, { k: 1 });
    expect(await page.evaluate(() => window.aisle!.recommender!.status)).toMatchObject({
      consent: 'denied',
      storage: 'memory',
    });
    expect(await page.evaluate(() => indexedDB.databases())).toEqual([]);
  });

  test.each([
    ['it was stopped', SCRIPT, 'ready', ['stop']],
    ['its options are wrong', SCRIPT.replace('data-', 'data-backend="gpu" data-'), 'error-options', ['refresh']],
  ])('says that an erasure waits for the next start where %s', async (_, head, state, command) => {
    const { page, warnings } = await pages.open(SLOT, { head });
    await page.locator(`[data-aisle-state=${state}]`).waitFor();
    await push(page, ...command);
    await push(page, 'erase');
    await push(page, 'erase');
    await push(page, 'track', A);
    const waits = expect.stringContaining('"erase" does nothing until the next start.');
    expect(warnings.filter((text) => text.includes('"erase"'))).toEqual([waits]);
    await page.evaluate(() =>
      window.aisle!.push(['on', 'erased', () => Object.assign(globalThis, { isErased: true })]),
    );
    await push(page, 'erase');
    await push(page, 'start', MODEL_OPTIONS);
    await page.waitForFunction(() => 'isErased' in globalThis);
  });

  test('finds a visitor who has paused still paused', async () => {
    const { page } = await pages.open(SLOT, { prepare: cutOff });
    await failed(page);
    await push(page, 'track', A);
    await push(page, 'pause');
    await connect(page);
    await ready(page);
    await push(page, 'track', B);
    expect(await page.evaluate(() => window.aisle!.recommender!.status.paused)).toBe(true);
    expect(await known(page)).toEqual([`view ${A}`]);
  });
});

describe('a model that failed while the network was there', () => {
  test('is tried again with the next page view or `refresh`, once in half a minute, and never for what the visitor does', async () => {
    let tries = 0;
    let status = 503;
    const { page, warnings } = await pages.open(SLOT, {
      prepare: async (opened) => {
        await opened.addInitScript(() => {
          const { now } = Date;
          Object.assign(globalThis, { ahead: 0 });
          Date.now = () => now() + (globalThis as unknown as { ahead: number }).ahead;
        });
        await opened.context().route(MODEL, (route) => {
          tries++;
          return status === 200 ? route.fallback() : route.fulfill({ status, body: 'later' });
        });
      },
    });
    await failed(page);
    const answered = () => asked(page, {}).catch(() => {}); // after the slot's own question
    await push(page, 'track', { itemId: A, event: 'cart' });
    await answered();
    expect(tries).toBe(1);
    status = 404;
    await push(page, 'refresh');
    await page.locator('[data-aisle-state=error-bad-artifact]').waitFor();
    expect(tries).toBe(2);
    // The console has both reasons, each once.
    const reasons = warnings.filter((text) => text.startsWith('Aisle: there are no suggestions.'));
    expect(reasons.map((text) => /status \d+|answered \d+/.exec(text)?.[0])).toEqual(['answered 503', 'status 404']);
    status = 200;
    await push(page, 'refresh');
    await answered();
    expect(tries).toBe(2);
    await page.evaluate(() => {
      Object.assign(globalThis, { ahead: 31_000 });
      history.pushState({}, '', '?another');
    });
    await ready(page);
    expect(tries).toBe(3);
  });

  test('is no reason for slots to stay empty: a script that comes after it is tried again, too', async () => {
    const pattern = '**/aisle/basket-*.js';
    const { page } = await pages.open(SLOT, {
      prepare: (opened) => opened.context().route(pattern, (route) => route.abort()),
    });
    await failed(page);
    expect(await page.evaluate(() => window.aisle!.recommender!.status.model !== undefined)).toBe(true);
    await page.context().unroute(pattern);
    await page.evaluate(() => dispatchEvent(new Event('online')));
    await ready(page);
  });

  test('names no thread before there is one', async () => {
    const pattern = /\/aisle\/(worker|main-thread)[^/]*\.js/;
    const { page } = await pages.open(SLOT, {
      prepare: (opened) => opened.context().route(pattern, (route) => route.abort()),
    });
    await failed(page);
    await page.context().unroute(pattern);
    await page.evaluate(() => dispatchEvent(new Event('online')));
    await ready(page);
    const { engine, degraded } = await page.evaluate(() => window.aisle!.recommender!.status);
    expect([engine?.thread, degraded]).toEqual(['worker', []]);
  });
});

describe('what comes besides', () => {
  const degraded = (page: Page) =>
    page.evaluate(() => window.aisle!.recommender!.status.degraded.map(({ code }) => code));

  test('is tried again where its code could not be loaded: what learns after an answer, a catalogue when the network is back', async () => {
    const pattern = /\/aisle\/(fine-tuning|live-catalogue)-[^/]*\.js/;
    const head = SETTLED.replace('data-', 'data-catalogue-url="/models/demo/" data-consent="granted" data-');
    const { page } = await pages.open(SLOT, {
      head,
      prepare: (opened) => opened.context().route(pattern, (route) => route.abort()),
    });
    await ready(page);
    await expect.poll(() => degraded(page)).toEqual(expect.arrayContaining(['learning-failed', 'catalogue-stale']));
    await page.context().unroute(pattern);
    await asked(page, {});
    await expect.poll(() => degraded(page)).toEqual(['catalogue-stale']);
    const hasCome = () => pages.server.requests.some((request) => request.includes('/catalogue-manifest.json'));
    expect(hasCome()).toBe(false);
    await page.evaluate(() => dispatchEvent(new Event('online')));
    await expect.poll(hasCome).toBe(true);
  });
});

describe('a script of ours that comes when the network is back', () => {
  test.each([
    ['page', 'script', SCRIPT],
    ['slots', 'script', SCRIPT],
    ['variants', 'io', SCRIPT.replace('data-', 'data-variants="a:50 b:50" data-')],
  ])('is tried again, and nothing that was said is forgotten: %s', async (name, state, head) => {
    const pattern = `**/aisle/${name}-*.js`;
    const { page, errors } = await pages.open(SLOT, {
      head,
      prepare: (opened) => opened.context().route(pattern, (route) => route.abort()),
    });
    await page.locator(`[data-aisle-state=error-${state}]`).waitFor();
    expect(await page.evaluate(() => window.aisle!.ready)).toBeUndefined();
    await push(page, 'track', A);
    await page.evaluate(() => dispatchEvent(new Event('online'))); // which is not always true
    await page.context().unroute(pattern);
    await page.evaluate(() => dispatchEvent(new Event('online')));
    await ready(page);
    expect(await known(page)).toEqual([`view ${A}`]);
    expect(errors.filter((text) => !text.startsWith('Failed to load resource'))).toEqual([]);
  });

  test('is late after half a minute, which the slots say, and still good when it comes', async () => {
    const late = held('**/aisle/page-*');
    const { page } = await pages.open(SLOT, {
      prepare: async (opened) => {
        await opened.addInitScript(() => {
          const after = setTimeout;
          const page = Object.assign(globalThis, {
            isHurried: true, // what comes later has its whole half minute
            setTimeout: (work: () => void, wait: number, ...rest: unknown[]) =>
              after(work, page.isHurried && wait === 30_000 ? 200 : wait, ...rest),
          });
        });
        await late.hold(opened);
      },
    });
    await page.locator('[data-aisle-state=error-script]').waitFor();
    await page.evaluate(() => Object.assign(globalThis, { isHurried: false }));
    await push(page, 'track', A);
    late.release();
    await ready(page);
    expect(await known(page)).toEqual([`view ${A}`]);
  });

  test('shows the panel of a visitor who has opened the page without it', async () => {
    const pattern = '**/aisle/panel-*.js';
    const { page } = await pages.open(`${SLOT}<aisle-privacy></aisle-privacy>`, {
      prepare: (opened) => opened.context().route(pattern, (route) => route.abort()),
    });
    await ready(page);
    await page.context().unroute(pattern);
    await page.evaluate(() => dispatchEvent(new Event('online')));
    await expect.poll(() => page.locator('aisle-privacy button').count()).toBeGreaterThan(0);
  });

  test('tells the data layer of suggestions, where the page has begun without it', async () => {
    const pattern = '**/aisle/analytics-*.js';
    const { page } = await pages.open(SLOT, {
      head: SCRIPT.replace('data-', 'data-analytics="ga4" data-'),
      prepare: (opened) => opened.context().route(pattern, (route) => route.abort()),
    });
    await ready(page);
    await page.context().unroute(pattern);
    await page.evaluate(() => dispatchEvent(new Event('online')));
    const told = () => page.evaluate(() => JSON.stringify((globalThis as { dataLayer?: unknown }).dataLayer ?? []));
    await expect.poll(told).toContain('view_item_list');
  });

  test('is asked for where the browser says that it is offline, and a server of this device answers', async () => {
    const { page } = await pages.open(SLOT, {
      prepare: (opened) =>
        opened.addInitScript(() => Object.defineProperty(navigator, 'onLine', { value: false, configurable: true })),
    });
    await ready(page);
    expect(await page.locator('aisle-recommendations a').count()).toBe(8);
  });

  test('is not asked for while Firefox says that it is offline, which asks for none twice', async () => {
    const { page, requests } = await pages.open(SLOT, {
      prepare: (opened) =>
        opened.addInitScript(() => {
          Object.defineProperty(navigator, 'onLine', { value: false, configurable: true });
          Object.defineProperty(navigator, 'userAgent', { value: 'Mozilla/5.0 (X11) Gecko/20100101 Firefox/140.0' });
        }),
    });
    await page.locator('[data-aisle-state=error-script]').waitFor();
    expect(requests.filter(({ url }) => url.includes('/aisle/page-'))).toEqual([]);
    await page.evaluate(() => {
      Object.defineProperty(navigator, 'onLine', { value: true });
      dispatchEvent(new Event('online'));
    });
    await ready(page);
  });
});

describe('what the network cuts off just as it comes back', () => {
  const online = (page: Page) => page.evaluate(() => void dispatchEvent(new Event('online')));

  test.each([
    ['a script', '**/aisle/slots-*.js', 'script'],
    ['the model', MODEL, 'io'],
  ])('is tried once more: %s', async (_, pattern, state) => {
    const tries: Route[] = [];
    const { page } = await pages.open(SLOT, {
      prepare: (opened) =>
        opened.context().route(pattern, (route) => {
          tries.push(route);
          if (tries.length === 1) return route.abort();
          return tries.length > 2 ? route.fallback() : undefined;
        }),
    });
    await page.locator(`[data-aisle-state=error-${state}]`).waitFor();
    await online(page);
    await expect.poll(() => tries.length).toBe(2);
    await online(page); // while the second try is on its way
    await tries[1]!.abort();
    await ready(page);
    expect(tries).toHaveLength(3);
  });

  test('is tried again with what fills the slots, which was cut off, too', async () => {
    const slots = '**/aisle/slots-*.js';
    const { page } = await pages.open(SLOT, {
      prepare: async (opened) => {
        await cutOff(opened);
        await opened.context().route(slots, (route) => route.abort());
      },
    });
    await page.locator('[data-aisle-state=error-script]').waitFor();
    await page.waitForFunction(() => window.aisle!.recommender !== undefined);
    await page.context().unroute(slots);
    await connect(page);
    await ready(page);
    expect(await shown(page)).toHaveLength(8);
  });
});

/** Notes the state of each event that slots send. */
const HEAR = `<script>received = []; addEventListener('aisle-recommendations', ({ detail }) => received.push(detail.state))</script>`;
const received = (page: Page) => page.evaluate(() => (globalThis as unknown as { received: string[] }).received);

describe('a page that listens hears of each change once:', () => {
  test('of the failure, and of suggestions when the network is back', async () => {
    const { page } = await pages.open(SLOT, { head: HEAR + SCRIPT, prepare: cutOff });
    await failed(page);
    await push(page, 'refresh');
    await asked(page, {}).catch(() => {}); // it fails after the slot's own question has
    expect(await received(page)).toEqual(['error-io']);
    await connect(page);
    await ready(page);
    expect(await received(page)).toEqual(['error-io', 'ready']);
  });

  test('of a failure in between, after which the answer is the same', async () => {
    const start = `<script>(window.aisle ||= []).push(['start', { modelUrl: '/models/demo/', product(product) {
      if (window.isBroken) throw new Error('a mistake of the shop');
      return product;
    } }])</script>`;
    const { page } = await pages.open(SLOT, { head: HEAR + start + SCRIPT });
    await ready(page);
    for (const [isBroken, state] of [
      [true, 'error-bad-input'],
      [false, 'ready'],
    ] as const) {
      await page.evaluate((value) => Object.assign(window, { isBroken: value }), isBroken);
      await push(page, 'refresh');
      await page.locator(`[data-aisle-state=${state}]`).waitFor();
    }
    expect(await received(page)).toEqual(['ready', 'error-bad-input', 'ready']);
  });

  test.each([
    ['error-options', SCRIPT.replace('data-', 'data-backend="gpu" data-'), '**/nothing'],
    ['error-script', SCRIPT, '**/aisle/page-*'],
  ])('of %s, from slots that come later too', async (state, head, missing) => {
    const { page } = await pages.open(SLOT, {
      head: HEAR + head,
      prepare: (opened) => opened.route(missing, (route) => route.fulfill({ status: 404 })),
    });
    await page.locator(`[data-aisle-state=${state}]`).waitFor();
    await page.evaluate(() => document.body.append(document.createElement('aisle-recommendations')));
    await page.locator(`[data-aisle-state=${state}]`).nth(1).waitFor();
    expect(await received(page)).toEqual([state, state]);
  });
});

describe('another start', () => {
  const start = (page: Page, options = {}) => push(page, 'start', { ...MODEL_OPTIONS, ...options });
  const layered = (page: Page, ...entries: [event: string, id: string][]) =>
    page.evaluate((list) => {
      const all = globalThis as unknown as { dataLayer?: unknown[] };
      all.dataLayer ??= [];
      for (const [event, id] of list) all.dataLayer.push({ event, ecommerce: { items: [{ item_id: id }] } });
    }, entries);

  test('keeps the answer no, whatever the tag says, and a pause, until the visitor takes them back', async () => {
    const { page } = await pages.open(SLOT, { head: SETTLED.replace('data-', 'data-consent="granted" data-') });
    await ready(page);
    await push(page, 'consent', 'denied');
    await push(page, 'pause');
    await expect.poll(() => statusOf(page)).toMatchObject({ consent: 'denied', paused: true });
    for (const commands of [['start'], ['stop', 'start']]) {
      for (const command of commands)
        await (command === 'start' ? start(page, { consent: 'granted' }) : push(page, command));
      expect(await asked(page, { k: 1 })).toHaveLength(1);
      await push(page, 'track', A);
      expect(await known(page)).toEqual([]);
      expect(await statusOf(page)).toEqual({ consent: 'denied', paused: true, storage: 'memory' });
    }
    await push(page, 'resume');
    await push(page, 'consent', 'granted');
    await start(page);
    expect(await asked(page, { k: 1 })).toHaveLength(1);
    await expect.poll(() => statusOf(page)).toEqual({ consent: 'granted', paused: false, storage: 'indexeddb' });
  });

  test('keeps a denial in another tab, whatever the tag says', async () => {
    const head = SETTLED.replace('data-', 'data-consent="granted" data-');
    const { page } = await pages.open(SLOT, { head });
    await ready(page);
    await push(page, 'track', A);
    await expect.poll(() => statusOf(page)).toMatchObject({ storage: 'indexeddb' });
    const other = await page.context().newPage();
    await other.goto(page.url());
    await ready(other);
    await push(other, 'consent', 'denied');
    const denied = { consent: 'denied', storage: 'memory' };
    await expect.poll(() => statusOf(page)).toMatchObject(denied);
    await start(page, { consent: 'granted' });
    expect(await asked(page, { k: 1 })).toHaveLength(1);
    expect(await statusOf(page)).toMatchObject(denied);
    await push(page, 'consent', 'granted');
    await expect.poll(() => statusOf(page)).toMatchObject({ consent: 'granted', storage: 'indexeddb' });
  });

  test('stores no view of the page again that is stored', async () => {
    const head = SETTLED.replace('data-', `data-consent="granted" data-item="${A}" data-`);
    const { page } = await pages.open(SLOT, { head });
    await ready(page);
    await expect.poll(() => statusOf(page)).toMatchObject({ storage: 'indexeddb' });
    await start(page, { consent: 'granted', item: A });
    expect(await known(page)).toEqual([`view ${A}`]);
    await page.evaluate(() => history.pushState({}, '', '?again'));
    await push(page, 'page');
    await push(page, 'track', B);
    await expect.poll(() => known(page)).toEqual([`view ${A}`, `view ${B}`]);
  });

  test('reads nothing of the data layer twice, nor what was erased', async () => {
    const { page } = await pages.open(SLOT, { head: SETTLED.replace('data-', 'data-consent="granted" data-') });
    await ready(page);
    await layered(page, ['view_item', A], ['add_to_cart', A]);
    await expect.poll(() => known(page)).toEqual([`view ${A}`, `cart ${A}`]);
    await push(page, 'erase');
    await expect.poll(() => known(page)).toEqual([]);
    await page.evaluate(() => history.pushState({}, '', '?account'));
    await start(page, { consent: 'granted' });
    expect(await asked(page, { k: 1 })).toHaveLength(1);
    await layered(page, ['view_item', B]);
    await expect.poll(() => known(page)).toEqual([`view ${B}`]);
  });

  test('of the same page view has the product that the page has named', async () => {
    const { page } = await pages.open('<aisle-recommendations strategy="related"></aisle-recommendations>');
    await layered(page, ['view_item', A]);
    await ready(page);
    await start(page);
    await layered(page, ['add_to_cart', A]);
    await expect.poll(() => known(page)).toEqual([`view ${A}`, `cart ${A}`]);
  });
});

describe('while what fills the slots is on its way', () => {
  test.each([
    ['a denial', ['consent', 'denied'], 'denied', [`view ${B}`]], // in the page's memory alone
    ['an erasure', ['erase'], 'granted', []],
  ])('%s does not wait for it, and what was done before is not stored later', async (_, command, consent, visit) => {
    const head = SETTLED.replace('data-', 'data-consent="granted" data-');
    const { page, errors, warnings } = await pages.open(SLOT, { head });
    const databases = () => page.evaluate(async () => (await indexedDB.databases()).map(({ name }) => name));
    await push(page, 'track', A);
    await ready(page);
    await expect.poll(databases).toEqual(['aisle']);
    const slots = held('**/aisle/slots-*');
    await slots.hold(page);
    await page.reload();
    await page.waitForFunction(() => window.aisle?.recommender !== undefined);
    await push(page, 'track', B);
    await page.evaluate((entry) => window.aisle!.push(entry as ['erase']), command);
    await expect.poll(databases).toEqual([]);
    slots.release();
    await ready(page);
    expect(await known(page)).toEqual(visit);
    expect(await databases()).toEqual([]);
    expect(await page.evaluate(() => window.aisle!.recommender!.status.consent)).toBe(consent);
    expect([errors, warnings]).toEqual([[], []]);
  });

  test.each([
    ['a pause', ['pause'], { paused: true, storage: 'indexeddb' }, [`view ${A}`]],
    ['a denial', ['consent', 'denied'], { consent: 'denied', storage: 'memory' }, [`view ${A}`]], // in the page's memory alone
    ['an erasure', ['erase'], { storage: 'indexeddb' }, []],
  ])(
    '%s that came before the script does not wait for it, nor for what the page shows',
    async (_, command, status, visit) => {
      const head = SETTLED.replace('data-', `data-consent="granted" data-item="${A}" data-`);
      const { page } = await pages.open(SLOT, { head });
      await ready(page);
      const databases = () => page.evaluate(async () => (await indexedDB.databases()).map(({ name }) => name));
      await expect.poll(databases).toEqual(['aisle']);
      const slots = held('**/aisle/slots-*');
      await slots.hold(page);
      await page.addInitScript((entry) => {
        window.aisle ||= [];
        window.aisle.push(entry as ['erase']);
      }, command);
      await page.reload();
      await page.waitForFunction(() => window.aisle?.recommender !== undefined);
      const isPaused = () => page.evaluate(() => window.aisle!.recommender!.status.paused);
      if (command[0] === 'pause') await expect.poll(isPaused).toBe(true);
      else await expect.poll(databases).toEqual([]);
      slots.release();
      await ready(page);
      expect(await known(page)).toEqual(visit);
      expect(await statusOf(page)).toMatchObject(status);
    },
  );

  test.each(['stop', 'start'] as const)('%s ends what was started before, and its worker', async (command) => {
    const slots = held('**/aisle/slots-*');
    const { page, errors } = await pages.open(SLOT, { prepare: slots.hold });
    await page.waitForFunction(() => window.aisle?.recommender !== undefined);
    await expect.poll(() => page.workers().length).toBe(1);
    const ended = await page.evaluateHandle(() => window.aisle!.recommender!);
    await push(page, command, { modelUrl: '/models/demo/' });
    await expect
      .poll(() => ended.evaluate((recommender) => recommender.recommend().then(String, ({ code }) => code)))
      .toBe('disposed');
    await expect.poll(() => page.workers().length).toBe(command === 'stop' ? 0 : 1);
    slots.release();
    if (command === 'start') await ready(page);
    else await page.locator('[data-aisle-state=error-disposed]').waitFor();
    expect(errors).toEqual([]);
  });
});

describe('while the model is on its way', () => {
  const HELD = '/models/held/';
  const hold = (page: Page) => page.context().route(`**${HELD}**`, () => {}); // for ever
  const head = HEAR + SCRIPT.replace('/models/demo/', HELD);

  test('a stop ends what slots and `ready` wait for', async () => {
    const { page, errors } = await pages.open(SLOT, { head, prepare: hold });
    await page.waitForFunction(() => window.aisle?.recommender !== undefined);
    await push(page, 'stop');
    expect(await page.evaluate(async () => String(await window.aisle!.ready))).toBe('undefined');
    await page.locator('[data-aisle-state=error-disposed]').waitFor();
    expect(await page.locator('aisle-recommendations [aria-busy=true]').count()).toBe(0);
    expect(await received(page)).toEqual(['error-disposed']);
    expect(errors).toEqual([]);
  });

  test('another start is what `ready` waits for from then on', async () => {
    const { page } = await pages.open(SLOT, { head, prepare: hold });
    await page.waitForFunction(() => window.aisle?.recommender !== undefined);
    const model = await page.evaluate(async () => {
      const before = window.aisle!.ready;
      window.aisle!.push(['start', { modelUrl: '/models/demo/' }]);
      const recommender = await before;
      return recommender === (await window.aisle!.ready) && recommender?.status.model?.items;
    });
    expect(model).toBeGreaterThan(0);
    await ready(page);
  });

  test.each([
    ['start, stop, start', [['start', MODEL_OPTIONS], ['stop'], ['start', MODEL_OPTIONS]]],
    ['stop, stop, start', [['stop'], ['stop'], ['start', MODEL_OPTIONS]]],
    ['a wrong start, stop, start', [['start', { backend: 'gpu' }], ['stop'], ['start', MODEL_OPTIONS]]],
  ])('a stop ends what was started before it, never what is started after: %s', async (_, commands) => {
    const queue = `<script>(window.aisle ||= []).push(...${JSON.stringify(commands)}, ['track', '${A}'])</script>`;
    const { page } = await pages.open(SLOT, { head: queue + BARE });
    expect(await known(page)).toEqual([`view ${A}`]);
    await ready(page);
    // In a page that runs, too.
    const isRunning = () =>
      page.evaluate(async (list) => {
        window.aisle!.push(...(list as never[]));
        const recommender = await window.aisle!.ready;
        return recommender !== undefined && recommender === window.aisle!.recommender;
      }, commands);
    expect(await isRunning()).toBe(true);
    await ready(page);
  });

  test('a start that fails late leaves the next one alone', async () => {
    const wrong = { ...MODEL_OPTIONS, variants: 'x' };
    const commands = JSON.stringify([
      ['start', wrong],
      ['start', MODEL_OPTIONS],
    ]);
    const queue = `<script>(window.aisle ||= []).push(...${commands})</script>`;
    let release = () => {};
    const held = new Promise<void>((resolve) => {
      release = resolve;
    });
    const { page } = await pages.open(SLOT, {
      head: queue + BARE,
      prepare: (opened) => opened.route('**/aisle/variants-*', (route) => held.then(() => route.fallback())),
    });
    await ready(page);
    const loaded = page.waitForResponse('**/aisle/variants-*');
    release();
    await loaded;
    await push(page, 'refresh');
    expect(await asked(page, { k: 1 })).toHaveLength(1);
    expect(await page.evaluate(() => window.aisle!.recommender !== undefined)).toBe(true);
  });

  test('a stop right behind the start leaves nothing behind, and a later start goes on with what was queued', async () => {
    const queue = `<script>(window.aisle ||= []).push(['start', { modelUrl: '/models/demo/' }], ['stop'], ['track', '${A}'])</script>`;
    const { page, errors, warnings } = await pages.open(SLOT, {
      head: queue + SCRIPT,
      prepare: (opened) =>
        opened.addInitScript(() => {
          const counts: Record<string, number> = {};
          Object.assign(globalThis, { counts });
          for (const [name, by] of [
            ['addEventListener', 1],
            ['removeEventListener', -1],
          ] as const) {
            const method = EventTarget.prototype[name];
            EventTarget.prototype[name] = function (this: EventTarget, type: string, ...rest: unknown[]) {
              counts[type] = (counts[type] ?? 0) + by;
              return Reflect.apply(method, this ?? globalThis, [type, ...rest]);
            };
          }
        }),
    });
    await page.locator('[data-aisle-state=error-disposed]').waitFor();
    const counts = await page.evaluate(() => (globalThis as unknown as { counts: Record<string, number> }).counts);
    for (const type of ['popstate', 'hashchange', 'navigatesuccess']) expect(counts[type] ?? 0, type).toBe(0);
    await push(page, 'start', { modelUrl: '/models/demo/' });
    await ready(page);
    expect(await known(page)).toEqual([`view ${A}`]);
    expect([errors, warnings]).toEqual([[], []]);
  });
});

test('what is less than was asked for is logged on the console, once', async () => {
  const { page, warnings } = await pages.open(SLOT, {
    head: SCRIPT,
    prepare: (opened) => opened.context().route('**/aisle/trials-*', (route) => route.abort()),
  });
  await ready(page);
  const notices = expect.stringMatching(
    /^Aisle: it works with less \(trials-failed\)\. The fastest backend is not known/,
  );
  await expect.poll(() => warnings, { timeout: 60_000 }).toEqual([notices]);
  await push(page, 'track', A); // `status` is said again
  await push(page, 'pause');
  await page.waitForFunction(() => window.aisle!.recommender!.status.paused);
  expect(warnings).toEqual([notices]);
});
