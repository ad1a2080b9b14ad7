/** The recommender and what is stored of its visitor. What a database may do wrong is in test/store. */
import 'fake-indexeddb/auto';
import { memory } from '@tensorflow/tfjs';
import { IDBFactory } from 'fake-indexeddb';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import type { Recommender } from '../src/index';
import { type Folder, folderOf, IDS, smallModel } from './engine/fixture';
import { servedModels } from './recommender/served-models';
import { DeafChannel } from './store/helpers';

const MINUTE = 60_000;
const DAY = 24 * 60 * MINUTE;
let time = 1_700_000_000_000;

async function models(): Promise<Record<string, Folder>> {
  const shop = await smallModel();
  // The next release of the shop's model: other items first, so that every index means another product.
  const next = await smallModel({ seed: 2 });
  const aware = await smallModel({
    architecture: 'transformers4rec',
    config: { features: 'device:categorical:2', dModel: 8, itemEmbeddingDim: 8, nHead: 2, nLayer: 1 },
  });
  const features = { device: { kind: 'category', values: ['phone', 'desktop'] } } as const;
  return {
    aware: await folderOf({ ...aware, info: { ...aware.info, features } }),
    small: await folderOf(shop),
    next: await folderOf({ ...next, itemIds: [...IDS].reverse() }),
  };
}
const { start: visit } = servedModels(models, () => time);
beforeEach(() => {
  globalThis.indexedDB = new IDBFactory();
});
afterEach(() => {
  vi.unstubAllGlobals();
  vi.restoreAllMocks();
});

test('what is tracked before or during a denial, in a page that nobody has seen yet, is not stored by a later yes', async () => {
  const window = new EventTarget();
  const document = { visibilityState: 'hidden', baseURI: 'https://shop.example/' };
  vi.stubGlobal('document', document);
  vi.stubGlobal('addEventListener', window.addEventListener.bind(window));
  const recommender = await visit({ consent: 'manual' });
  const stored: string[] = [];
  recommender.on('stored', ({ events }) => stored.push(...events.map(({ itemId }) => itemId)));
  recommender.track('item-1');
  await recommender.privacy.consent('denied');
  recommender.track('item-2');
  await recommender.privacy.consent('granted');
  recommender.track('item-3');
  document.visibilityState = 'visible';
  window.dispatchEvent(new Event('visibilitychange'));
  await expect.poll(() => stored).toEqual(['item-3']);
  const { sessions } = await recommender.privacy.export();
  expect(sessions.flat().map(({ itemId }) => itemId)).toEqual(['item-1', 'item-2', 'item-3']);
  await recommender.dispose();
});

/** A visit that is over, its events stored. */
async function past(...itemIds: string[]): Promise<void> {
  const recommender = await visit({ consent: 'granted' });
  for (const itemId of itemIds) {
    recommender.track(itemId);
    time += MINUTE;
  }
  await recommender.dispose();
}
const stores = (recommender: Recommender) => expect.poll(() => recommender.status.storage).toBe('indexeddb');
const ids = async (recommender: Recommender, options = {}) =>
  (await recommender.recommend(options)).map(({ itemId }) => itemId);
const known = async (recommender: Recommender) =>
  (await recommender.privacy.export()).sessions.map((session) => session.map(({ itemId }) => itemId));
const databases = async () => (await indexedDB.databases()).length;

describe('a visit', () => {
  test('goes on in the next page, and recommends alike', async () => {
    const first = await visit({ consent: 'granted' });
    expect(first.status).toMatchObject({ storage: 'idle', consent: 'granted' });
    for (const id of ['item-9', '__proto__', 'a,b']) first.track(id);
    const answer = await first.recommend();
    await first.dispose();
    const second = await visit({ consent: 'granted' });
    await stores(second);
    expect(await second.recommend()).toEqual(answer);
    expect(await known(second)).toEqual([['item-9', '__proto__', 'a,b']]);
  });

  test('keeps what the page says of each click, for the next page and for the visitor to see', async () => {
    const aware = () => visit({ consent: 'granted' }, 'aware');
    const first = await aware();
    first.track({ itemId: 'item-9', features: { device: 'desktop', page: 3 } });
    time += MINUTE;
    first.track('a,b');
    const answer = await first.recommend();
    await first.dispose();
    const second = await aware();
    await stores(second);
    expect(await second.recommend()).toEqual(answer);
    const { sessions } = await second.privacy.export();
    expect(sessions[0]!.map(({ features }) => features)).toEqual([{ device: 'desktop', page: 3 }, undefined]);
    const other = await visit({ consent: 'denied' }, 'aware');
    other.track({ itemId: 'item-9', time: time - MINUTE, features: { device: 'phone', page: 3 } });
    other.track({ itemId: 'a,b', time });
    expect(await other.recommend()).not.toEqual(answer);
  });

  test('in two tabs is one session, in the order of its times', async () => {
    const [one, other] = [await visit({ consent: 'granted' }), await visit({ consent: 'granted' })];
    await Promise.all([stores(one), stores(other)]);
    for (const [k, id] of ['item-9', 'a,b', 'item-12', '🧦'].entries()) {
      (k % 2 === 0 ? one : other).track(id);
      time += 1000;
    }
    const all = [['item-9', 'a,b', 'item-12', '🧦']];
    await expect.poll(async () => [await known(one), await known(other)]).toEqual([all, all]);
    expect(await ids(other)).toEqual(await ids(one));
  });

  test('keeps its session when a new artifact takes effect, and skips, but does not lose, what that does not know', async () => {
    await past('item-9', 'an item of tomorrow', 'a,b');
    const plain = await visit({ consent: 'manual' }, 'next');
    plain.track('item-9');
    plain.track('a,b');
    const next = await visit({ consent: 'granted' }, 'next');
    await stores(next);
    expect((await next.recommend())[0]!.reason).toBe('neural');
    expect(await ids(next)).toEqual(await ids(plain));
    expect(await known(next)).toEqual([['item-9', 'an item of tomorrow', 'a,b']]);
  });

  test('recommends before the database has answered, and while it never does', async () => {
    vi.spyOn(indexedDB, 'open').mockReturnValue({} as IDBOpenDBRequest);
    const recommender = await visit({ consent: 'granted' });
    recommender.track('item-9');
    expect((await recommender.recommend())[0]!.reason).toBe('neural');
    expect(recommender.status.storage).toBe('idle');
    await expect.poll(() => recommender.status.storage).toBe('memory');
    const trouble = { code: 'no-storage', message: expect.stringContaining('did not answer within 3 s') };
    expect(recommender.status.degraded).toContainEqual({ ...trouble, since: time });
    expect((await recommender.recommend())[0]!.reason).toBe('neural');
  });

  test('keeps what it has, whatever too long a page reports, and says each time why not', async () => {
    await past('item-9', 'a,b');
    const recommender = await visit({ consent: 'granted', history: 'all' });
    await stores(recommender);
    const long = 'x'.repeat(600_000);
    for (const event of [
      long,
      { itemId: 'a', event: long },
      { itemId: 'a', pageView: long },
      { itemId: 'a', event: 'purchase', transaction: long },
      { itemId: 'a', features: { note: long } },
      { itemId: 'a', features: { [long]: 1 } },
      { itemId: 'a', candidates: [{ id: 'a', kind: 'sku', source: long }] as const },
    ]) {
      expect(() => recommender.track(event)).toThrow(/^\w+: expected .* at most \d+ characters.*, got .{1,20}\.$/);
    }
    recommender.track('item-12');
    expect(await known(recommender)).toEqual([['item-9', 'a,b', 'item-12']]);
    await recommender.dispose();
    const next = await visit({ consent: 'granted', history: 'all' });
    await stores(next);
    expect(await known(next)).toEqual([['item-9', 'a,b', 'item-12']]);
    expect(next.status.degraded.map(({ code }) => code)).toEqual(['no-worker']);
  });

  test('takes 1,000 events within a minute, says that it refuses the others, and takes later ones', async () => {
    const recommender = await visit();
    const codes = () => recommender.status.degraded.map(({ code }) => code);
    for (let k = 0; k < 1000; k++) recommender.track(`loop-${k}`);
    expect(codes()).not.toContain('events-refused');
    recommender.track('loop-1000');
    expect(codes()).toContain('events-refused');
    recommender.track({ itemId: 'of last week', time: time - 7 * DAY });
    time += MINUTE;
    recommender.track('item-9');
    expect(codes()).not.toContain('events-refused');
    const [now, ...others] = await known(recommender);
    expect(others).toEqual([]);
    expect(now).toHaveLength(1001);
    expect(now).not.toContain('loop-1000');
  });

  test('takes what was refused when it is reported again', async () => {
    const recommender = await visit();
    const cart = { itemId: 'item-9', event: 'cart', pageView: 'the cart' };
    for (let k = 0; k < 1000; k++) recommender.track(`loop-${k}`);
    recommender.track(cart);
    time += MINUTE;
    for (let times = 0; times < 2; times++) recommender.track(cart);
    expect((await known(recommender)).flat().slice(1000)).toEqual(['item-9']);
  });

  test('takes 200,000 characters within a minute, however few events they are', async () => {
    await past('item-9', 'a,b');
    const recommender = await visit({ consent: 'granted', history: 'all' });
    await stores(recommender);
    const note = 'x'.repeat(3900);
    const codes = () => recommender.status.degraded.map(({ code }) => code);
    for (let k = 0; k < 50; k++) recommender.track({ itemId: `heavy-${k}`, features: { note } });
    expect(codes()).not.toContain('events-refused');
    for (let k = 50; k < 200; k++) recommender.track({ itemId: `heavy-${k}`, features: { note } });
    expect(codes()).toContain('events-refused');
    const [clicks] = await known(recommender);
    expect(clicks!.slice(0, 3)).toEqual(['item-9', 'a,b', 'heavy-0']);
    expect(clicks).toHaveLength(2 + 50);
  });

  test('counts what one page view reports several times once', async () => {
    const recommender = await visit();
    for (const event of ['view', 'view', 'cart', 'view', 'cart']) recommender.track({ itemId: 'item-9', event });
    expect(await known(recommender)).toEqual([['item-9', 'item-9']]);
  });
});

describe('a cart and a purchase', () => {
  test('weigh more than a view, also in the running session', async () => {
    const answers = new Map<string, unknown>();
    for (const event of ['view', 'cart', 'purchase']) {
      const recommender = await visit();
      recommender.track({ itemId: 'item-9', event });
      recommender.track('a,b');
      answers.set(
        event,
        (await recommender.recommend({ k: 5 })).map(({ score }) => score),
      );
      expect(await known(recommender)).toEqual([['item-9', 'a,b']]);
    }
    expect(answers.get('cart')).not.toEqual(answers.get('view'));
    expect(answers.get('purchase')).not.toEqual(answers.get('cart'));
  });

  test('weigh as the steps that they imply, where these were reported', async () => {
    const [whole, short] = [await visit(), await visit()];
    for (const event of ['view', 'cart', 'purchase']) whole.track({ itemId: 'item-9', event });
    short.track({ itemId: 'item-9', event: 'purchase' });
    for (const recommender of [whole, short]) recommender.track('a,b');
    expect(await short.recommend()).toEqual(await whole.recommend());
  });
});

describe('history', () => {
  test.each([
    ['session', ['popular', 'popular', 'popular']],
    ['recent', ['neural', 'neural', 'popular']],
    ['all', ['neural', 'neural', 'neural']],
  ] as const)('"%s" after an hour, a week and two months answers by %j', async (history, reasons) => {
    await past('item-9', 'a,b', 'item-12');
    const recommender = await visit({ consent: 'granted', history });
    await stores(recommender);
    const found: string[] = [];
    for (const later of [60 * MINUTE, 7 * DAY, 60 * DAY]) {
      const before = time;
      time += later;
      found.push((await recommender.recommend())[0]!.reason);
      time = before;
    }
    expect(found).toEqual(reasons);
  });
});

describe('without a yes', () => {
  test.each([['auto'], ['manual'], ['denied']] as const)(
    '"%s" keeps the visit in memory and opens no database',
    async (consent) => {
      const opened = vi.spyOn(indexedDB, 'open');
      const recommender = await visit({ consent });
      recommender.track('item-9');
      expect((await recommender.recommend())[0]!.reason).toBe('neural');
      const notices = consent === 'denied' ? 'denied' : 'unknown';
      expect(recommender.status).toMatchObject({ storage: 'memory', consent: notices });
      expect(recommender.status.degraded.map(({ code }) => code)).toEqual(['no-worker']);
      await recommender.dispose();
      expect(opened).not.toHaveBeenCalled();
      expect(await databases()).toBe(0);
    },
  );

  test('what earlier visits stored is not read', async () => {
    await past('item-9');
    const recommender = await visit({ history: 'all' });
    expect((await recommender.recommend())[0]!.reason).toBe('popular');
    expect(await known(recommender)).toEqual([]);
  });

  test.each([['auto'], ['granted'], ['manual']] as const)(
    'Global Privacy Control means memory only, also for "%s" and a later yes, and earlier visits are erased',
    async (consent) => {
      await past('item-9');
      vi.stubGlobal('navigator', { globalPrivacyControl: true });
      const recommender = await visit({ consent });
      await recommender.privacy.consent('granted');
      recommender.track('a,b');
      expect(recommender.status).toMatchObject({ storage: 'memory', consent: 'denied' });
      expect(await known(recommender)).toEqual([['a,b']]);
      await recommender.dispose();
      expect(await databases()).toBe(0);
    },
  );
});

test("a page out of the browser's cache answers once it has read what other tabs have done meanwhile", async () => {
  const window = new EventTarget();
  vi.stubGlobal('addEventListener', window.addEventListener.bind(window));
  const other = await visit({ consent: 'granted' });
  vi.stubGlobal('BroadcastChannel', DeafChannel);
  const recommender = await visit({ consent: 'granted' });
  await Promise.all([stores(other), stores(recommender)]);
  const comeBack = () => void window.dispatchEvent(Object.assign(new Event('pageshow'), { persisted: true }));
  const recent = () => ids(recommender, { strategy: 'recent' });
  other.track({ itemId: 'item-9', event: 'cart' });
  await expect.poll(() => recent()).toEqual([]);
  await other.privacy.export(); // it is stored by then
  comeBack();
  expect((await recommender.basket()).cart).toEqual(['item-9']);
  expect(recommender.status.consent).toBe('granted');
  await other.privacy.consent('denied');
  comeBack();
  expect(await recent()).toEqual([]);
  expect(recommender.status).toMatchObject({ consent: 'unknown', storage: 'memory' });
  await Promise.all([other.dispose(), recommender.dispose()]);
});

describe('the answer of the visitor', () => {
  test('yes stores what was tracked, before and after it', async () => {
    await past('item-20');
    const recommender = await visit({ consent: 'manual' });
    recommender.track('item-9');
    await recommender.privacy.consent('granted');
    await stores(recommender);
    recommender.track('a,b');
    await recommender.dispose();
    const next = await visit({ consent: 'granted' });
    await stores(next);
    expect(await known(next)).toEqual([['item-20', 'item-9', 'a,b']]);
  });

  test('no, at first, erases earlier visits; this one goes on in memory, and is not stored by a later yes', async () => {
    await past('item-20');
    const recommender = await visit({ consent: 'manual' });
    recommender.track('item-9');
    await recommender.privacy.consent('denied');
    expect(await databases()).toBe(0);
    recommender.track('a,b');
    expect(await known(recommender)).toEqual([['item-9', 'a,b']]);
    await recommender.privacy.consent('granted');
    recommender.track('item-12');
    await recommender.dispose();
    const next = await visit({ consent: 'granted' });
    await stores(next);
    expect(await known(next)).toEqual([['item-12']]);
  });

  test('a refusal, after a consent, erases the visit and stops storing, in every tab', async () => {
    const [one, other] = [await visit({ consent: 'granted' }), await visit({ consent: 'granted' })];
    one.track('item-9');
    other.track('a,b');
    await Promise.all([stores(one), stores(other)]);
    await one.privacy.consent('denied');
    await expect.poll(() => other.status).toMatchObject({ storage: 'memory', consent: 'denied' });
    for (const tab of [one, other]) {
      expect(await known(tab)).toEqual([]);
      tab.track('item-12');
      expect((await tab.recommend())[0]!.reason).toBe('neural');
    }
    await Promise.all([one.dispose(), other.dispose()]);
    expect(await databases()).toBe(0);
  });

  test('no, in another tab, reaches a tab that waits for the answer, which goes on in memory: only a new yes stores there', async () => {
    const layer: unknown[] = [];
    vi.stubGlobal('shopLayer', layer);
    const command = (kind: string, word: string) => layer.push(['consent', kind, { personalization_storage: word }]);
    command('default', 'denied');
    await past('item-20');
    const [one, waiting] = [await visit({ consent: 'manual' }), await visit({ dataLayer: 'shopLayer' })];
    await expect.poll(() => waiting.status.consentBy).toEqual({ 'consent-mode': 'waiting' });
    waiting.track('a,b');
    await one.privacy.consent('denied');
    await expect.poll(() => waiting.status).toMatchObject({ consent: 'denied', consentBy: { 'other-tab': 'denied' } });
    command('default', 'granted'); // the platform's word from before
    await expect.poll(() => waiting.status.consentBy['consent-mode']).toBe('granted');
    expect(waiting.status).toMatchObject({ consent: 'denied', storage: 'memory' });
    expect(await known(waiting)).toEqual([['a,b']]);
    expect(await databases()).toBe(0);
    command('update', 'granted');
    await stores(waiting);
    expect(waiting.status.consentBy).toEqual({ 'consent-mode': 'granted' });
  });

  test('is a word that is known', async () => {
    const recommender = await visit();
    expect(() => recommender.privacy.consent('yes' as never)).toThrow(RangeError);
  });
});

describe('privacy', () => {
  test('erase leaves nothing, in every tab, and what comes counts again', async () => {
    await past('item-20');
    const tabs = [await visit({ consent: 'granted' }), await visit({ consent: 'granted' }), await visit()];
    await Promise.all([stores(tabs[0]!), stores(tabs[1]!)]);
    for (const tab of tabs) tab.track('item-9');
    await tabs[1]!.privacy.erase();
    expect(await databases()).toBe(0);
    await expect.poll(() => Promise.all(tabs.map(known))).toEqual([[], [], []]);
    for (const tab of tabs) expect((await tab.recommend())[0]!.reason).toBe('popular');
    tabs[0]!.track('a,b');
    await stores(tabs[0]!);
    await expect.poll(() => known(tabs[1]!)).toEqual([['a,b']]);
  });

  test('erase leaves no state of the session in the engine of any tab', async () => {
    const tabs = [await visit({ consent: 'granted' }), await visit({ consent: 'granted' })];
    const held: number[] = [];
    for (const erasing of tabs) {
      for (const tab of tabs) {
        tab.track('item-9');
        expect((await tab.recommend())[0]!.reason).toBe('neural');
      }
      held.push(memory().numTensors);
      await erasing.privacy.erase();
      await expect.poll(() => memory().numTensors).toBe(held[0]! - tabs.length);
    }
  });

  test('erase during an answer that asks several times leaves no state of the session either', async () => {
    const recommender = await visit({ consent: 'granted' });
    recommender.track('item-9');
    await recommender.recommend();
    const { numTensors } = memory();
    let erased: Promise<void> | undefined;
    // So rare are those that pass that the model is asked for more, after the erasure.
    const filter = ({ id }: { id: string }) => {
      erased ??= recommender.privacy.erase();
      return id === 'a,b';
    };
    await recommender.recommend({ k: 2, filter });
    await erased;
    await expect.poll(() => memory().numTensors).toBe(numTensors - 1);
  });

  test('erase while an answer is under way has it given for what is left, nothing', async () => {
    await past('item-9');
    const recommender = await visit({ consent: 'granted' });
    recommender.track('item-9');
    await recommender.recommend();
    const reasons: string[] = [];
    recommender.on('erased', () => reasons.push('erased'));
    recommender.on('recommendations', ({ items }) => reasons.push(items[0]!.reason));
    let erased: Promise<void> | undefined;
    const filter = () => {
      erased ??= recommender.privacy.erase();
      return true;
    };
    const answer = await recommender.recommend({ filter });
    await erased;
    expect(answer[0]!.reason).toBe('popular');
    expect(reasons).toEqual(['erased', 'popular']);
  });

  test('erase that the device does not confirm is an error, and status tells', async () => {
    await past('item-9');
    const recommender = await visit();
    vi.spyOn(indexedDB, 'open').mockReturnValue({} as IDBOpenDBRequest);
    vi.spyOn(indexedDB, 'deleteDatabase').mockReturnValue({} as IDBOpenDBRequest);
    await expect(recommender.privacy.erase()).rejects.toMatchObject({ code: 'io' });
    expect(recommender.status.degraded.map(({ code }) => code)).toContain('not-erased');
    vi.restoreAllMocks();
    await recommender.privacy.erase();
    expect(recommender.status.degraded.map(({ code }) => code)).not.toContain('not-erased');
    expect(await databases()).toBe(0);
  });

  test('export is JSON that a person can read', async () => {
    time = Date.UTC(2024, 0, 31, 12);
    const recommender = await visit({ consent: 'granted' });
    await recommender.recommend();
    recommender.track('item-9');
    recommender.track({ itemId: 'a,b', event: 'purchase', time: time - DAY });
    await stores(recommender);
    expect(JSON.parse(JSON.stringify(await recommender.privacy.export()))).toEqual({
      format: 'aisle-export',
      version: 1,
      exported: '2024-01-31T12:00:00.000Z',
      consent: 'granted',
      consentBy: { page: 'granted' },
      storage: 'indexeddb',
      model: { name: 'small gru4rec', version: '1.0.0' },
      sessions: [
        [{ time: '2024-01-30T12:00:00.000Z', event: 'purchase', itemId: 'a,b' }],
        [{ time: '2024-01-31T12:00:00.000Z', event: 'view', itemId: 'item-9' }],
      ],
      unreadable: [],
    });
  });

  test('pause records nothing more, in every tab and after a reload, and recommends on from what is known', async () => {
    const [one, other] = [await visit({ consent: 'granted' }), await visit({ consent: 'granted' })];
    one.track('item-9');
    await Promise.all([stores(one), stores(other)]);
    const answer = await one.recommend();
    const received: boolean[] = [];
    other.on('status', ({ paused }) => void (paused && received.push(paused))); // other news may come meanwhile
    await one.privacy.pause();
    await expect.poll(() => other.status.paused).toBe(true);
    expect(received).toEqual([true]);
    for (const tab of [one, other]) tab.track('a,b');
    expect([await known(one), await known(other)]).toEqual([[['item-9']], [['item-9']]]);
    expect(await one.recommend()).toEqual(answer);
    await Promise.all([one.dispose(), other.dispose()]);

    const next = await visit({ consent: 'granted' });
    next.track('a,b'); // before it can know
    await expect.poll(() => next.status.paused).toBe(true);
    expect(await known(next)).toEqual([['item-9']]);
    expect(await next.recommend()).toEqual(answer);
    await next.privacy.resume();
    expect(next.status.paused).toBe(false);
    next.track('item-12');
    expect(await known(next)).toEqual([['item-9', 'item-12']]);
    await next.dispose();
    const last = await visit({ consent: 'granted' });
    await stores(last);
    expect(last.status.paused).toBe(false);
    expect(await known(last)).toEqual([['item-9', 'item-12']]);
  });

  test('pause without a consent holds in memory, and opens no database', async () => {
    const opened = vi.spyOn(indexedDB, 'open');
    const recommender = await visit({ consent: 'manual' });
    recommender.track('item-9');
    await recommender.privacy.pause();
    recommender.track('a,b');
    expect(await known(recommender)).toEqual([['item-9']]);
    await recommender.privacy.resume();
    recommender.track('item-12');
    expect(await known(recommender)).toEqual([['item-9', 'item-12']]);
    expect(opened).not.toHaveBeenCalled();
  });

  test('tells what is stored, and what has been erased, here and elsewhere', async () => {
    const [one, other] = [await visit({ consent: 'granted' }), await visit({ consent: 'granted' })];
    await Promise.all([stores(one), stores(other)]);
    const notices: unknown[] = [];
    for (const [name, tab] of Object.entries({ one, other })) {
      tab.on('stored', ({ events }) => notices.push([name, events]));
      tab.on('erased', ({ by }) => notices.push([name, by]));
    }
    one.track({ itemId: 'item-9', event: 'cart', time: time - 0.25 });
    const { storage, sessions } = await one.privacy.export();
    expect({ storage, events: sessions.flat().length }).toEqual({ storage: 'indexeddb', events: 1 });
    expect(notices).toEqual([['one', [{ itemId: 'item-9', event: 'cart', time: time - 0.25 }]]]);
    notices.length = 0;
    await one.privacy.erase();
    await expect.poll(() => notices).toContainEqual(['other', 'elsewhere']);
    expect(notices).toContainEqual(['one', 'page']);
  });

  test('is notified of a withdrawal in another tab', async () => {
    const [one, other] = [await visit({ consent: 'granted' }), await visit({ consent: 'granted' })];
    await Promise.all([stores(one), stores(other)]);
    const notices: unknown[] = [];
    other.on('erased', ({ by }) => notices.push(by));
    other.on('status', ({ consent, storage }) => notices.push([consent, storage]));
    await one.privacy.consent('denied');
    await expect.poll(() => notices).toContainEqual(['denied', 'memory']);
    const denied = notices.findIndex((one) => Array.isArray(one) && one[0] === 'denied');
    expect(notices.slice(0, denied)).toContain('elsewhere');
  });

  test('stops storing in every tab by a refusal in one that never stored', async () => {
    const [storing, asking] = [await visit({ consent: 'granted' }), await visit({ consent: 'manual' })];
    storing.track('item-9');
    asking.track('a,b');
    await stores(storing);
    await asking.privacy.consent('denied');
    await expect.poll(() => storing.status).toMatchObject({ consent: 'denied', storage: 'memory' });
    expect([await known(storing), await known(asking)]).toEqual([[], [['a,b']]]);
    storing.track('item-12');
    await storing.dispose();
    expect(await databases()).toBe(0);
  });

  test('is over after dispose', async () => {
    const recommender = await visit();
    await recommender.dispose();
    await expect(recommender.privacy.export()).rejects.toMatchObject({ code: 'disposed' });
    await expect(recommender.privacy.erase()).rejects.toMatchObject({ code: 'disposed' });
    await expect(recommender.privacy.pause()).rejects.toMatchObject({ code: 'disposed' });
    await expect(recommender.privacy.resume()).rejects.toMatchObject({ code: 'disposed' });
    await expect(recommender.privacy.consent('granted')).rejects.toMatchObject({ code: 'disposed' });
  });
});
