/**
 * A visitor's eight tabs of one shop, in a Chromium of their own, and faults at random: what a stormy day does to a page. Which fault
 * comes when follows from the seed; how long things take does not.
 */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import { type BrowserContext, type CDPSession, chromium, type Page } from 'playwright-core';
import { staticServer } from '../../src/cli/static-server';
import { isGpu } from '../../src/compute/types';
import { createLocalEngine } from '../../src/engine/local-engine';
import type { Engine, RankedItem } from '../../src/engine/types';
import type { BackendChoice, PrivacyExport, Recommender } from '../../src/index';
import { type Random, random } from '../../src/session/random';
import { VisitorHistory } from '../../src/session/visitor-history';
import { decode } from '../../src/store/record-reader';
import { EVENTS, type StoredEvent } from '../../src/store/records';
import { built, ROOT } from '../build/built';
import { CHROMIUM_FLAGS, findChromium, findHeadlessShell } from '../chromium';
import { differences, THOUSANDTH, within } from '../engine/parity';
import { NOTHING, type Stored, storedIn } from '../privacy/stored';
import { closeServer, listen, originOf } from '../server';
import { html, SLOT, STOCK } from '../ui/embed-window';

export interface ChaosOptions {
  readonly seed: number;
  /** Whether to go on, asked before each step. */
  readonly goesOn: (steps: number) => boolean;
  /**
   * Whether it is the whole browser, with its cache of pages for those who come back; GPUs compute in two of the tabs, and are lost;
   * and workers end in silence. All of it takes its time.
   */
  readonly isWhole: boolean;
  /** Runs in each page that has a recommender: a fault that must be found, and ends the storm. Default none. */
  readonly plant?: (recommender: Recommender) => void;
}

/** What was tried, and what came of it. */
export interface ChaosReport {
  readonly seed: number;
  readonly steps: number;
  /** Faults and acts, by name. */
  readonly acts: Readonly<Record<string, number>>;
  readonly tracked: number;
  readonly acknowledged: number;
  /** Acknowledged events that were found stored. It is looked every 25 steps, and before space gets short and each erasure. */
  readonly found: number;
  /** Acknowledged events that an erasure, or a denial, has taken before they were looked for. */
  readonly erasedUnseen: number;
  /** Acknowledged events that gave way for want of space: the oldest there were when a page, which says so, made room. */
  readonly gaveWay: number;
  /** Answers that were compared with Node's. */
  readonly answers: number;
  /** Answers of what was learnt, by an open gate: Node has not learnt it. */
  readonly learntAnswers: number;
  /** Answers during which too many other tabs tracked, or one erased: which clicks they are of cannot be said. */
  readonly overtaken: number;
  /** Calls that were refused, by code. */
  readonly refused: Readonly<Record<string, number>>;
  /** Degraded states that were announced. */
  readonly announced: Readonly<Record<string, number>>;
  /** Every breach of a promise, in words: events lost or left, answers that are wrong, errors in the page. */
  readonly breaches: readonly string[];
  /** The last acts before a breach. */
  readonly trace: readonly string[];
}

const TABS = 8;
const ITEMS = 20;
const GAP = 30 * 60;
/** Acts of which a failure tells. */
const TRACED = 60;
/** Acts that run at once. */
const AT_ONCE = 4;
/** Steps between two looks at all that is stored. */
const EVERY = 25;
/** Events that others may track during one question: each may count in the answer, or not. */
const MOST_UNSURE = 6;
/** Milliseconds after which a call that has not settled never will: a silent worker is found out after 45 s. */
const PATIENCE = 240_000;
/** Milliseconds that the driver may take to open, leave or close a page. */
const DRIVER_PATIENCE = 20_000;
/** Milliseconds after a death in which others may still tidy up. */
const AFTERMATH = 5000;

/** What a call may be refused with, at any time: its worker was killed, it was erased or denied meanwhile. */
const ANNOUNCED = new Set(['engine-lost', 'aborted', 'not-allowed', 'disposed']);
/** And where the network was down, so that code or files could not be had. */
const OFFLINE = new Set(['io', 'timeout', 'no-backend']);
/** Breaches after which there is no more to learn. */
const ENOUGH = 20;

type KnownEvent = Pick<StoredEvent, 'itemId' | 'time' | 'event'> & { readonly number: number };

/** An event that the device has acknowledged. */
interface Acknowledged {
  readonly number: number;
  /** Milliseconds since 1970 of the event, and of its acknowledgement. */
  readonly time: number;
  readonly storedAt: number;
}

interface Hooks {
  readonly workers: Worker[];
  /** Called by the page's own script, with its recommender. */
  opened(recommender: Recommender): void;
  readonly recommender: () => Promise<Recommender | undefined>;
}

declare global {
  var acknowledged: (events: Acknowledged[]) => Promise<void>;
  var announced: (codes: string[]) => Promise<void>;
  /** A page deletes records to make room; `isUnsaid` if it still has not said so when that is done. */
  var madeRoom: (at: number, isUnsaid: boolean) => Promise<void>;
  var chaos: Hooks;
  var plant: ChaosOptions['plant'];
}

/** Runs in each page before its scripts. */
function hook(): void {
  const workers: Worker[] = [];
  const said = new Set<string>();
  let erasures = 0;
  let opened: Hooks['opened'] = () => {};
  const own = new Promise<Recommender>((resolve) => {
    opened = resolve;
  });
  window.Worker = class extends Worker {
    constructor(...start: ConstructorParameters<typeof Worker>) {
      super(...start);
      workers.push(this);
    }
  };
  addEventListener('pageshow', ({ persisted }) => persisted && void globalThis.announced(['out of the cache']));
  const patient = <T>(answer: PromiseLike<T> | undefined): Promise<T | undefined> =>
    Promise.race([answer, new Promise<undefined>((none) => setTimeout(none, 20_000))]) as Promise<T | undefined>;
  const { delete: remove } = IDBObjectStore.prototype;
  const making = new WeakSet<IDBTransaction>();
  IDBObjectStore.prototype.delete = function (key) {
    // An erasure deletes ranges.
    if (typeof key === 'string' && key.startsWith('e2/') && !making.has(this.transaction)) {
      const at = Date.now();
      const before = erasures;
      making.add(this.transaction);
      void globalThis.madeRoom(at, false);
      const lookLater = async () => {
        const recommender = await globalThis.chaos.recommender();
        const isUnsaid = recommender?.status.degraded.every(({ code }) => code !== 'storage-short');
        if (isUnsaid && erasures === before) void globalThis.madeRoom(at, true);
      };
      this.transaction.addEventListener('complete', () => void setTimeout(lookLater, 1000));
    }
    return remove.call(this, key);
  };
  globalThis.chaos = {
    workers,
    opened(recommender) {
      recommender.on('stored', ({ events }) => {
        const storedAt = Date.now();
        void globalThis.acknowledged(
          events.map(({ time, features }) => ({ number: Number(features!['number']), time, storedAt })),
        );
      });
      recommender.on('erased', () => void erasures++);
      recommender.on('status', ({ degraded }) => {
        const news = degraded.map(({ code }) => code).filter((code) => !said.has(code) && said.add(code));
        if (news.length > 0) void globalThis.announced(news);
      });
      globalThis.plant?.(recommender);
      opened(recommender);
    },
    recommender: () => patient(document.querySelector('aisle-recommendations') ? window.aisle?.ready : own),
  };
}

/** The visitor's answer, where the shop keeps it: a page that comes out of a cache must not have an old one. */
const ANSWER = "document.cookie.replace('consent=', '')";

/** A page with the library, or with the tag. */
function pageOf(kind: Tab['kind'], backend: BackendChoice): string {
  const options = { modelUrl: '/models/demo/', backend, consent: 'manual' };
  if (kind === 'library') {
    const script = `import { createRecommender } from '/lib/index.js';
      const recommender = await createRecommender(${JSON.stringify(options)});
      chaos.opened(recommender);
      recommender.privacy.consent(${ANSWER}).catch(() => {});`;
    return html('', `<script type="module">${script}</script>`);
  }
  return html(
    SLOT,
    `<script>(window.aisle ||= []).push(['consent', ${ANSWER}])</script>
    <script type="module" src="/aisle/embed.js" data-model-url="${options.modelUrl}" data-backend="${backend}"
      data-consent="manual" data-learn="manual"></script>
    <script type="module">
      const follow = async () => {
        const recommender = await window.aisle.ready;
        if (recommender) chaos.opened(recommender);
        else setTimeout(follow, 500);
      };
      follow();
    </script>`,
  );
}

interface Tab {
  readonly name: number;
  readonly kind: 'library' | 'embed';
  readonly backend: BackendChoice;
  page: Page | undefined;
  protocol: CDPSession | undefined;
  /** Counts its pages: what was asked of an earlier one is not answered. */
  life: number;
  /** Settles when the page has died. */
  dead: Promise<void>;
  isFrozen: boolean;
  /** Its acts, one after the other. */
  acts: Promise<unknown>;
}

interface Tracked {
  readonly tab: number;
  /** Milliseconds since 1970: it was tracked after the one and before the other. */
  readonly from: number;
  to: number;
  /** `heardAt`: when the driver was notices. */
  acknowledged: (Acknowledged & { readonly heardAt: number }) | undefined;
  /** When the last look began that has found it stored. */
  foundAt: number | undefined;
  /** Why it may be missing, as the last look knew. */
  gone: 'erased' | 'gave way' | undefined;
}

/** What a record of events holds. */
interface StoredRecord {
  readonly numbers: readonly number[];
  /** Milliseconds since 1970 of its newest event. */
  readonly time: number;
}

/** A span in which everything was erased; `isSure` where the page said that it is done. */
interface Erasure {
  readonly from: number;
  to: number;
  isSure: boolean;
}

export async function storm({ seed, goesOn, isWhole, plant }: ChaosOptions): Promise<ChaosReport> {
  const acts: Record<string, number> = {};
  const refused: Record<string, number> = {};
  const announced: Record<string, number> = {};
  const breaches: string[] = [];
  function breach(what: string): void {
    if (breaches.includes(what)) return;
    breaches.push(what);
    trace.push(`${new Date().toISOString()} ${what}`);
  }
  const trace: string[] = [];
  const counts = { answers: 0, learntAnswers: 0, overtaken: 0 };
  const count = (where: Record<string, number>, name: string): void => {
    where[name] = (where[name] ?? 0) + 1;
  };
  const events: Tracked[] = [];
  const erasures: Erasure[] = [];
  /** Spans in which the visitor's answer was no: what was tracked then is never stored. */
  const denials: { readonly from: number; to: number }[] = [];
  /** When pages deleted the oldest records to make room. */
  const squeezes: number[] = [];
  let isDown = false;
  /** When the network was down last. */
  let lastDown = 0;
  let consent: 'granted' | 'denied' = 'granted';

  const { server, origin } = await serveShop();
  const answerOf = await rightAnswers();
  const browser = await chromium.launch({
    executablePath: isWhole ? findChromium()! : findHeadlessShell()!,
    args: [...CHROMIUM_FLAGS, '--disable-gpu-process-crash-limit'],
    ignoreDefaultArgs: ['--disable-back-forward-cache'],
  });
  const context = await openContext();
  const witness = await context.newPage();
  await witness.goto(`${origin}/witness`);
  const witnessProtocol = await context.newCDPSession(witness);
  const tabs = Array.from({ length: TABS }, (_, name): Tab => {
    const kind = name % 2 === 0 ? 'library' : 'embed';
    const gpu = isWhole ? ({ 2: 'webgl', 4: 'webgpu' } as const)[name] : undefined;
    const backend = gpu ?? (['plan', 'wasm', 'auto'] as const)[name % 3]!;
    const dead = Promise.resolve();
    return { name, kind, backend, page: undefined, protocol: undefined, life: 0, dead, isFrozen: false, acts: dead };
  });

  async function serveShop() {
    const shop = staticServer([
      { path: '/lib/', folder: built('lib') },
      { path: '/aisle/', folder: built('embed') },
      { path: '/models/', folder: join(ROOT, 'public/models') },
      { path: '/witness', text: html('', ''), type: 'text/html' },
      ...Array.from({ length: TABS }, (_, name) => ({
        path: `/tab/${name}`,
        text: async () => pageOf(tabs[name]!.kind, tabs[name]!.backend),
        type: 'text/html',
      })),
    ]);
    const server = await listen((request, response) => {
      if (isDown) request.socket.destroy();
      else shop.emit('request', request, response);
    });
    return { server, origin: originOf(server) };
  }

  async function openContext(): Promise<BrowserContext> {
    const context = await browser.newContext({ viewport: { width: 1280, height: 900 } });
    await context.exposeFunction('acknowledged', (some: Acknowledged[]) => {
      for (const one of some) events[one.number]!.acknowledged = { ...one, heardAt: Date.now() };
    });
    await context.exposeFunction('madeRoom', (at: number, isUnsaid: boolean) => {
      if (isUnsaid) breach(`a page deleted events at ${new Date(at).toISOString()}, and does not say so`);
      else squeezes.push(at);
    });
    await context.exposeFunction('announced', (codes: string[]) => {
      for (const code of codes) count(announced, code);
    });
    await context.addInitScript(hook);
    await context.addInitScript(`globalThis.plant = ${plant}`);
    context.on('weberror', (error) => {
      if (!/planted by chaos/.test(error.error().message)) breach(`thrown into the page: ${error.error()}`);
    });
    context.on('console', (message) => {
      const text = message.text();
      if (message.type() !== 'error' || /^Aisle: |^Failed to load resource|planted by chaos/.test(text)) return;
      breach(`on the console: ${text} (${message.location().url})`);
    });
    return context;
  }

  /** Tabs open, leave and die in turn: the driver may wait for ever for a page that is killed while it comes or goes. */
  let coming: Promise<unknown> = Promise.resolve();
  function inTurn<T>(change: () => Promise<T>): Promise<T> {
    const done = coming.then(change);
    coming = done.catch(() => {});
    return done;
  }

  async function open(tab: Tab): Promise<void> {
    await inTurn(async () => {
      if (isDown) return;
      const url = `${origin}/tab/${tab.name}`;
      if (tab.page?.url() === url) return;
      const { page: before } = tab;
      if (before) return promptly(Promise.race([before.goto(url), tab.dead])); // an attempt has failed
      const page = await context.newPage();
      tab.protocol = await context.newCDPSession(page);
      tab.dead = new Promise((died) => {
        page.once('crash', () => died());
        page.once('close', () => died());
      });
      tab.life++;
      tab.isFrozen = false;
      await promptly(Promise.race([page.goto(url), tab.dead])); // the network may go down
      tab.page = page;
    });
  }

  /** Ends the page of a tab. What it was asked is not answered. */
  function end(tab: Tab, how: 'close' | 'crash'): Promise<void> {
    const { page, protocol, dead } = tab;
    if (!page) return Promise.resolve();
    tab.life++;
    tab.page = undefined;
    return inTurn(async () => {
      if (how === 'crash') {
        protocol!.send('Page.crash').catch(() => {}); // whoever is killed does not answer
        await promptly(dead);
      }
      await promptly(page.close());
    });
  }

  /** Lets the tab's recommender do something; undefined where it has none, or dies meanwhile. */
  async function ask<A, R>(
    tab: Tab,
    what: string,
    run: (given: A) => Promise<R | undefined>,
    given: A,
  ): Promise<R | undefined> {
    const { page, life } = tab;
    if (!page || tab.isFrozen) return undefined;
    let timer: ReturnType<typeof setTimeout> | undefined;
    const late = new Promise<undefined>((resolve) => {
      timer = setTimeout(() => {
        if (tab.life === life) breach(`${what} has not settled in tab ${tab.name} after ${PATIENCE} ms`);
        resolve(undefined);
      }, PATIENCE);
    });
    try {
      const answer = page.evaluate(run as never, given) as Promise<R | undefined>;
      return await Promise.race([answer, late, tab.dead.then(() => undefined)]);
    } catch (error) {
      const isGone = tab.life !== life || /closed|crashed|destroyed|navigat/.test(String(error));
      if (!isGone) breach(`${what} in tab ${tab.name}: ${error}`);
      return undefined;
    } finally {
      clearTimeout(timer);
    }
  }

  /** Counts what was refused; what no fault around explains is a breach. */
  function received(what: string, code: string | undefined, from: number): void {
    if (code === undefined) return;
    count(refused, `${what}: ${code}`);
    if (ANNOUNCED.has(code) || (OFFLINE.has(code) && (isDown || lastDown >= from - AFTERMATH))) return;
    breach(`${what} rejected with ${code}`);
  }

  async function track(tab: Tab, { integer }: Random): Promise<void> {
    const from = Date.now();
    const clicks = Array.from({ length: 1 + integer(4) }, () => {
      const number = events.length;
      const unknown = { acknowledged: undefined, foundAt: undefined, gone: undefined };
      events.push({ tab: tab.name, from, to: Number.POSITIVE_INFINITY, ...unknown });
      const itemId = STOCK[integer(STOCK.length)]!.id;
      return { itemId, event: integer(8) === 0 ? 'cart' : 'view', pageView: String(number), features: { number } };
    });
    await ask(
      tab,
      'track',
      async (list) => {
        const recommender = await globalThis.chaos.recommender();
        for (const click of list) recommender?.track(click);
      },
      clicks,
    );
    for (const { features } of clicks) events[features.number]!.to = Date.now();
  }

  async function recommend(tab: Tab): Promise<void> {
    const from = Date.now();
    const got = await ask(
      tab,
      'recommend',
      async (k) => {
        const recommender = await globalThis.chaos.recommender();
        if (!recommender) return undefined;
        try {
          if (!recommender.status.model) await recommender.retry();
          const isOpen = () => recommender.status.learning?.gate.isOpen === true;
          const before = (await recommender.privacy.export()).sessions;
          const now = Date.now();
          const wasOpen = isOpen();
          const items = await recommender.recommend({ k });
          const isLearnt = wasOpen || isOpen();
          const after = (await recommender.privacy.export()).sessions;
          return { before, after, now, items, backend: recommender.status.engine!.backend, isLearnt };
        } catch (error) {
          return { code: (error as { code?: string }).code ?? String(error) };
        }
      },
      ITEMS,
    );
    if (!got) return count(refused, 'recommend: nobody there');
    if ('code' in got) return received('recommend', got.code, from);
    if (got.isLearnt) {
      counts.learntAnswers++;
      if (new Set(got.items.map(({ itemId }) => itemId)).size < ITEMS) breach('fewer items of what was learnt');
      return;
    }
    // In the order of the page, which tells apart what came within one millisecond.
    const [before, after] = [knownOf(got.before), knownOf(got.after)];
    const numbers = (list: readonly KnownEvent[]) => new Set(list.map(({ number }) => number));
    const [had, has] = [numbers(before), numbers(after)];
    const unsure = after.filter(({ number }) => !had.has(number));
    const isErasedMeanwhile = before.some(({ number }) => !has.has(number));
    if (isErasedMeanwhile || unsure.length > MOST_UNSURE) return void counts.overtaken++;
    const limit = (right: readonly RankedItem[]) => (isGpu(got.backend) ? within(THOUSANDTH, right) : undefined);
    let wrong: string[] = [];
    for (let chosen = 0; chosen < 2 ** unsure.length; chosen++) {
      const without = unsure.filter((_, i) => !((chosen >> i) & 1));
      const some = after.filter((event) => !without.includes(event));
      const right = await answerOf(some, got.now);
      wrong = differences(right, got.items, limit(right));
      if (wrong.length === 0) return void counts.answers++;
    }
    // All that was known came after an erasure.
    if (had.size === 0 && erasures.some((erasure) => erasure.to >= from)) return void counts.overtaken++;
    const last = JSON.stringify(after.slice(-8));
    breach(
      `wrong answer in tab ${tab.name} on ${got.backend}, of ${before.length} clicks, ${unsure.length} unsure: ${wrong[0]}; ${last}`,
    );
  }

  async function fineTune(tab: Tab): Promise<void> {
    const from = Date.now();
    const code = await ask(
      tab,
      'fineTune',
      async () => {
        const recommender = await globalThis.chaos.recommender();
        return recommender?.fineTune().then(
          () => undefined,
          (error) => error.code ?? String(error),
        );
      },
      undefined,
    );
    received('fineTune', code, from);
  }

  /** By the page's call, or by its denial. */
  async function erase(tab: Tab, how: 'erase' | 'deny'): Promise<boolean> {
    await lookBriefly();
    const erasure: Erasure = { from: Date.now(), to: Number.POSITIVE_INFINITY, isSure: false };
    erasures.push(erasure);
    const done = await ask(
      tab,
      how,
      async (way) => {
        const recommender = await globalThis.chaos.recommender();
        if (!recommender) return undefined;
        const { privacy } = recommender;
        return (way === 'erase' ? privacy.erase() : privacy.consent('denied')).then(
          () => ({ isDone: true, code: undefined }),
          (error) => ({ isDone: false, code: (error.code ?? String(error)) as string }),
        );
      },
      how,
    );
    erasure.isSure = done?.isDone === true;
    erasure.to = Date.now() + (erasure.isSure ? 0 : AFTERMATH);
    if (done?.code !== 'io') received(how, done?.code, erasure.from); // the device has not confirmed it
    return erasure.isSure;
  }

  /** What the origin stores, by a page that does not have the library. */
  async function stored(): Promise<Stored> {
    const { cookies, ...all } = await storedIn(witness);
    return { ...all, cookies: cookies.filter(([name]) => name !== 'consent') };
  }

  async function answer(word: 'granted' | 'denied'): Promise<void> {
    consent = word;
    await context.addCookies([{ name: 'consent', value: word, url: origin }]);
  }

  async function expectNothing(what: string): Promise<void> {
    const until = Date.now() + 20_000;
    for (;;) {
      const left = await stored();
      if (isDeepStrictEqual(left, NOTHING)) return;
      if (Date.now() > until) {
        const names = left.indexedDB.map(([name]) => name).join(', ');
        breach(`${what}, there is ${names || JSON.stringify(left).slice(0, 300)}`);
        return;
      }
      await pause(100);
    }
  }

  async function thaw(tab: Tab): Promise<void> {
    if (!tab.isFrozen) return;
    tab.isFrozen = false;
    await Promise.race([tab.protocol!.send('Page.setWebLifecycleState', { state: 'active' }), tab.dead]).catch(
      () => {},
    );
  }

  async function network(state: 'up' | 'down'): Promise<void> {
    if (isDown || state === 'down') lastDown = Date.now();
    isDown = state === 'down';
    await context.setOffline(isDown);
    if (isDown) server.closeAllConnections();
  }

  async function quota(quotaSize?: number): Promise<void> {
    if (quotaSize !== undefined) await lookBriefly();
    await witnessProtocol.send('Storage.overrideQuotaForOrigin', {
      origin,
      ...(quotaSize !== undefined && { quotaSize }),
    });
  }

  async function storedRecords(): Promise<readonly StoredRecord[]> {
    const all = await stored();
    const { indexedDB } = all;
    const elsewhere = { ...all, indexedDB: [] };
    if (!isDeepStrictEqual(elsewhere, NOTHING)) breach(`stored outside the database: ${JSON.stringify(elsewhere)}`);
    const records = indexedDB.filter(([name]) => name.startsWith(`aisle/records/"${EVENTS}`));
    return records.flatMap(([name, value]) => {
      const read = decode(JSON.parse(value));
      if (!('reason' in read)) {
        const numbers = read.map(({ features }) => Number(features!['number']));
        return [{ numbers, time: Math.max(...read.map(({ time }) => Math.round(1000 * time))) }];
      }
      breach(`a record that cannot be read: ${name}, ${read.reason}`);
      return [];
    });
  }

  /** Whether an erasure may have taken the event. Of one that nobody has confirmed, other tabs may do the rest at any time. */
  const mayBeErased = ({ from, foundAt = from }: Tracked): boolean =>
    erasures.some(({ to, isSure }) => to >= (isSure ? Math.max(from, foundAt) : from));

  /** Whether the event may have given way when a page made room: if whatever was stored then, and still is, is no older. */
  const mayHaveGivenWay = ({ acknowledged, foundAt = 0 }: Tracked, left: readonly StoredRecord[]): boolean =>
    squeezes.some((at) => {
      const { time } = acknowledged!;
      const storedAt = ({ numbers }: StoredRecord) => events[numbers[0]!]!.acknowledged?.storedAt ?? at;
      return at >= Math.max(time, foundAt) && left.every((record) => record.time >= time || storedAt(record) >= at);
    });

  /** Looks whether all is stored that must be, and nothing that must not. What happens meanwhile is allowed for. */
  async function checkStored(): Promise<void> {
    const began = Date.now();
    const records = await storedRecords();
    const numbers = new Set(records.flatMap((record) => record.numbers));
    for (const number of numbers) {
      const event = Object.assign(events[number]!, { foundAt: began, gone: undefined });
      const isErased = erasures.some(({ from, to, isSure }) => isSure && from >= event.to && to <= began);
      const isDenied = denials.some((denial) => denial.from <= event.from && denial.to >= event.to);
      if (isErased || isDenied)
        breach(`event ${number} of tab ${event.tab} is stored, which was ${isDenied ? 'denied' : 'erased'}`);
    }
    const missing = () =>
      [...events.entries()].filter(([number, event]) => {
        const { acknowledged, gone } = event;
        if (gone || numbers.has(number) || !acknowledged || acknowledged.heardAt > began) return false;
        if (mayBeErased(event)) event.gone = 'erased';
        else if (mayHaveGivenWay(event, records)) event.gone = 'gave way';
        return event.gone === undefined;
      });
    if (missing().length > 0) await pause(1000); // a page may be about to say that it has made room
    for (const [number, { tab }] of missing()) breach(`event ${number} of tab ${tab} was acknowledged and is lost`);
  }

  /** Before events may go. While a frozen tab holds the database, nobody can look. */
  async function lookBriefly(): Promise<void> {
    const look = checkStored();
    look.catch(() => {}); // it may fail when nobody waits for it any more
    await Promise.race([look, pause(AFTERMATH)]);
  }

  /** What needs one page, and what its weight is. */
  const PAGE_ACTS: readonly (readonly [
    name: string,
    weight: number,
    act: (tab: Tab, draw: Random) => Promise<unknown>,
  ])[] = [
    ['events tracked', 70, track],
    ['answers asked for', 50, recommend],
    ['learning', 6, fineTune],
    ['erasures', 1, (tab) => erase(tab, 'erase')],
    [
      'worker that throws',
      6,
      async ({ page }) => {
        const worker = page?.workers().at(-1);
        await worker?.evaluate(() => {
          setTimeout(() => {
            throw new Error('planted by chaos');
          });
        });
      },
    ],
    ['worker ended in silence', isWhole ? 1 : 0, ({ page }) => page!.evaluate(() => chaos.workers.at(-1)?.terminate())],
    ['reload', 6, (tab) => leave(tab, (page) => page.reload())],
    ['leave and come back', 8, (tab) => leave(tab, leaveAndReturn)],
    [
      'freeze',
      6,
      async (tab) => {
        if (!tab.page || tab.isFrozen) return;
        // A page that was just left is none to freeze.
        const isLeft = (error: Error) => /Not attached to an active page/.test(error.message);
        await tab.protocol!.send('Page.setWebLifecycleState', { state: 'frozen' }).then(
          () => {
            tab.isFrozen = true;
          },
          (error: Error) => (isLeft(error) ? undefined : Promise.reject(error)),
        );
      },
    ],
  ];

  /** Loads another document in a tab; nothing is known of its recommender after that. */
  const leave = (tab: Tab, how: (page: Page) => Promise<unknown>): Promise<unknown> =>
    inTurn(async () => {
      if (!tab.page || tab.isFrozen || isDown) return;
      await promptly(Promise.race([how(tab.page), tab.dead])); // the network may go down
    });

  async function leaveAndReturn(page: Page): Promise<void> {
    await page.goto(`${origin}/witness`);
    await page.goBack({ waitUntil: 'commit' }); // a page out of the cache does not load
  }

  /** What happens to all tabs, or at once; `alone` if nothing else may run. */
  const WORLD_ACTS: readonly (readonly [
    name: string,
    weight: number,
    act: (draw: Random) => Promise<unknown>,
    alone?: 'alone',
  ])[] = [
    ['renderer killed', 6, (draw) => end(anyTab(draw), 'crash')],
    ['tab closed', 3, (draw) => end(anyTab(draw), 'close')],
    ['network down', 3, () => network('down')],
    ['network up', 8, () => network('up')],
    ['quota filled', 1, ({ integer }) => quota(integer(2) === 0 ? 1 : 60_000)],
    ['quota freed', 3, () => quota()],
    ['GPU process crashed', isWhole ? 1 : 0, crashGpu],
    ['consent withdrawn', 1, deny, 'alone'],
    ['consent given', 8, grant, 'alone'],
    ['erasures with a look at what is left', 1, eraseAlone, 'alone'],
  ];

  const anyTab = ({ integer }: Random) => tabs[integer(TABS)]!;

  async function crashGpu(): Promise<void> {
    const session = await browser.newBrowserCDPSession();
    await session.send('Browser.crashGpuProcess' as never).catch(() => {}); // it answers, or not
    await session.detach();
  }

  async function deny(draw: Random): Promise<void> {
    if (consent === 'denied' || isDown) return;
    const tab = await anyAlive(draw);
    await answer('denied');
    const from = Date.now();
    if (await erase(tab, 'deny')) {
      denials.push({ from, to: Number.POSITIVE_INFINITY });
      await expectNothing('after a denial');
    }
  }

  async function grant(): Promise<void> {
    if (consent === 'granted') return;
    await expectNothing('before the next yes');
    await answer('granted');
    const denial = denials.at(-1);
    if (denial) denial.to = Math.min(denial.to, Date.now());
    for (const tab of tabs) {
      await thaw(tab);
      await ask(tab, 'consent', async () => (await chaos.recommender())?.privacy.consent('granted'), undefined);
    }
  }

  async function eraseAlone(draw: Random): Promise<void> {
    if (isDown) return;
    const tab = await anyAlive(draw);
    if (await erase(tab, 'erase')) await expectNothing('after an erasure');
  }

  /** A tab whose recommender is there. */
  async function anyAlive(draw: Random): Promise<Tab> {
    const tab = anyTab(draw);
    await thaw(tab);
    await open(tab);
    return tab;
  }

  async function step(n: number): Promise<void> {
    const draw = random(seed, 'step', n);
    if (n % EVERY === EVERY - 1) {
      await settled();
      for (const tab of tabs) await thaw(tab);
      await checkStored();
    }
    const all = [...PAGE_ACTS, ...WORLD_ACTS];
    const lots = all.flatMap(([, weight], which) => Array<number>(weight).fill(which));
    const chosen = lots[draw.integer(lots.length)]!;
    count(acts, all[chosen]![0]);
    trace.push(`${new Date().toISOString()} ${n} ${all[chosen]![0]}`);
    const ofPage = PAGE_ACTS[chosen];
    if (ofPage) {
      const tab = anyTab(draw);
      const isThawed = draw.integer(2) === 0;
      await launch(tab, async () => {
        if (isThawed) await thaw(tab);
        await open(tab);
        if (tab.page && !tab.isFrozen) await ofPage[2](tab, draw);
      });
      return;
    }
    const [, , act, alone] = WORLD_ACTS[chosen - PAGE_ACTS.length]!;
    if (alone) await settled();
    await act(draw);
  }

  let running = 0;
  let freed = () => {};
  async function launch(tab: Tab, act: () => Promise<unknown>): Promise<void> {
    while (running >= AT_ONCE) {
      await new Promise<void>((resolve) => {
        freed = resolve;
      });
    }
    running++;
    tab.acts = tab.acts
      .then(act)
      .catch((error) => {
        if (!/closed|crashed|destroyed|navigat/.test(String(error))) breach(`tab ${tab.name}: ${error}`);
      })
      .finally(() => {
        running--;
        freed();
      });
  }
  async function settled(): Promise<void> {
    for (const tab of tabs) await tab.acts;
  }

  /** When the storm is over, every tab answers, stores and knows the same. */
  async function calm(): Promise<void> {
    await settled();
    await network('up');
    await quota();
    await grant();
    for (const tab of tabs) {
      await thaw(tab);
      await open(tab);
    }
    for (const tab of tabs) {
      const before = counts.answers + counts.learntAnswers;
      const first = events.length;
      const isWell = () =>
        counts.answers + counts.learntAnswers > before && events.slice(first).some(({ acknowledged }) => acknowledged);
      for (let tries = 0; tries < 20 && !isWell(); tries++) {
        if (tries === 10) await leave(tab, (page) => page.reload()); // a worker that was lost too often is not started again
        await track(tab, random(seed, 'calm', tab.name, tries));
        await recommend(tab);
        await pause(200 * tries);
      }
      if (!isWell()) breach(`tab ${tab.name} does not recover`);
    }
    await checkStored();
    const until = Date.now() + 60_000;
    for (;;) {
      const known = await Promise.all(tabs.map(knownTo));
      const stored = new Set((await storedRecords()).flatMap(({ numbers }) => numbers));
      const wrong = known.flatMap((own, tab) => [
        ...[...stored].filter((number) => !own.has(number)).map((number) => `tab ${tab} does not know event ${number}`),
        // What gave way, and what it tracked while the answer was no, stays in its memory.
        ...[...own]
          .filter((number) => !stored.has(number) && events[number]!.gone !== 'gave way')
          .filter((number) => events[number]!.acknowledged || events[number]!.tab !== tab)
          .map((number) => `tab ${tab} knows event ${number}, which is not stored`),
      ]);
      if (wrong.length === 0) break;
      if (Date.now() > until) {
        for (const text of wrong) breach(text);
        break;
      }
      await pause(500);
    }
    await checkStored();
  }

  const knownTo = async (tab: Tab): Promise<ReadonlySet<number>> => {
    const sessions = await ask(
      tab,
      'export',
      async () => (await (await globalThis.chaos.recommender())?.privacy.export())?.sessions,
      undefined,
    );
    return new Set(knownOf(sessions ?? []).map(({ number }) => number));
  };

  let steps = 0;
  try {
    await answer('granted');
    for (const tab of tabs) await open(tab);
    for (; goesOn(steps) && breaches.length < (plant ? 1 : ENOUGH); steps++) await step(steps);
    if (!plant) await calm();
  } finally {
    await browser.close();
    closeServer(server);
    await answerOf.close();
  }
  const tracked = events.length;
  const acknowledged = events.filter((event) => event.acknowledged);
  return {
    seed,
    steps,
    acts,
    tracked,
    acknowledged: acknowledged.length,
    found: acknowledged.filter(({ foundAt }) => foundAt !== undefined).length,
    erasedUnseen: acknowledged.filter(({ foundAt, gone }) => foundAt === undefined && gone === 'erased').length,
    gaveWay: acknowledged.filter(({ gone }) => gone === 'gave way').length,
    ...counts,
    refused,
    announced,
    breaches,
    trace: breaches.length > 0 ? trace.slice(-TRACED) : [],
  };
}

/** Waits for the driver, but not for ever: it may not hear of a page that was killed while it came or went. */
const promptly = (change: Promise<unknown>): Promise<void> =>
  Promise.race([change, pause(DRIVER_PATIENCE)]).then(
    () => {},
    () => {},
  );

const pause = (milliseconds: number) => new Promise((over) => setTimeout(over, milliseconds));

/** The events of an export, as a model's reader takes them. */
const knownOf = (sessions: PrivacyExport['sessions']): KnownEvent[] =>
  sessions.flat().map(({ itemId, event, time, features }) => ({
    itemId,
    event,
    time: Date.parse(time) / 1000,
    number: Number(features?.['number']),
  }));

/** What Node answers after these events, by the same model. */
async function rightAnswers() {
  const engine: Engine = createLocalEngine({
    fetchFile: async (url) => new Response(await readFile(join(ROOT, 'public', new URL(url).pathname))),
  });
  await engine.load({ modelUrl: 'http://localhost/models/demo/', backend: 'plan' });
  const answerOf = async (events: readonly KnownEvent[], now: number): Promise<readonly RankedItem[]> => {
    const history = new VisitorHistory<KnownEvent>({ gap: GAP });
    history.add(events);
    const session = history.at(now / 1000).map(({ itemId, time }) => ({ itemId, time }));
    return (await engine.recommend({ session, k: ITEMS, exclude: [] })).items;
  };
  return Object.assign(answerOf, { close: () => engine.dispose() });
}
