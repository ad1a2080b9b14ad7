/** What can go wrong in a shop's page, tried alike in every browser; all of it in `npm run soak` only. */
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, type test } from 'vitest';
import type { RecommenderOptions } from '../../src/index';
import { AXE } from '../axe';
import { ROOT } from '../build/built';
import { folderOf, IDS, smallModel } from '../engine/fixture';
import { html, SCRIPT, SETTLED, SLOT } from '../ui/embed-window';
import type { BrowserEngine, BrowserOptions, Tab } from './browsers';
import { createIn, expectWell, ids, LIBRARY, openShop, RECORD, statusOf } from './shop';

const DEMO = join(ROOT, 'public/models/demo');
/** The setting by which Firefox sends it from private windows. */
const GPC = 'privacy.globalprivacycontrol.pbmode.enabled';
const PASSPHRASE = 'correct horse battery staple';
const STORING = SETTLED.replace('data-', 'data-consent="granted" data-');

const inHead = (script: string): string => `<script nonce="shop">${script}</script>`;
const FORBIDDEN = `() => { throw new DOMException('forbidden here', 'SecurityError'); }`;
const refuses = (name: string) => `() => {
  const request = { error: new DOMException('', '${name}') };
  setTimeout(() => request.onerror?.());
  return request;
}`;

/** What a page's IndexedDB does, and what `status` says of it. */
const WITHOUT_STORAGE: readonly (readonly [name: string, script: string, code: string])[] = [
  ['is missing', "Object.defineProperty(window, 'indexedDB', { value: undefined })", 'no-storage'],
  ['is forbidden', `indexedDB.open = ${FORBIDDEN}`, 'no-storage'],
  ['may not be opened', `indexedDB.open = ${refuses('InvalidStateError')}`, 'no-storage'],
  ['has no room', `indexedDB.open = ${refuses('QuotaExceededError')}`, 'storage-full'],
  ['never opens', 'indexedDB.open = () => ({})', 'no-storage'],
  ['takes no write', `IDBObjectStore.prototype.put = ${FORBIDDEN}`, 'no-storage'],
  ['opens no transaction', `IDBDatabase.prototype.transaction = ${FORBIDDEN}`, 'no-storage'],
];

/** Tracks one after the other, and waits until the device has acknowledged them. */
const trackStored = (tab: Tab, visit: readonly string[]): Promise<void> =>
  tab.evaluate(async (list) => {
    const recommender = window.shop.recommender!;
    for (const [n, itemId] of list.entries()) {
      await new Promise<void>((stored) => {
        const off = recommender.on('stored', () => {
          off();
          stored();
        });
        recommender.track({ itemId, pageView: `stored ${n}` });
      });
    }
  }, visit);

const known = (tab: Tab): Promise<string[]> =>
  tab.evaluate(async () => {
    const { sessions } = await window.shop.recommender!.privacy.export();
    return sessions.flat().map(({ itemId }) => itemId);
  });

/** How many items are recommended, or the code of the error. */
const asked = (tab: Tab): Promise<number | string> =>
  tab.evaluate(() =>
    window.shop.recommender!.recommend({ k: 8 }).then(
      ({ length }) => length,
      ({ code }) => code as string,
    ),
  );

const databases = (tab: Tab): Promise<(string | undefined)[]> =>
  tab.evaluate(async () => (await indexedDB.databases()).map(({ name }) => name));

const codesOf = async (tab: Tab) => (await statusOf(tab)).degraded.map(({ code }) => code);
const complaints = (tab: Tab) => tab.evaluate(() => window.shop.complaints);

/** How many suggestions the slot of a page shows. */
const linksOf = (tab: Tab): Promise<number | undefined> =>
  tab.evaluate(() => {
    const slot = document.querySelector('aisle-recommendations[data-aisle-state=ready]');
    return slot?.shadowRoot?.querySelectorAll('a').length;
  });

/** A copy of the demo's model, which a test may change. */
function ownModel(change: (folder: string) => void): string {
  const folder = mkdtempSync(join(tmpdir(), 'aisle-model-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  cpSync(DEMO, folder, { recursive: true });
  change(folder);
  return folder;
}

function changeManifest(folder: string, change: (manifest: Manifest) => void): void {
  const path = join(folder, 'manifest.json');
  const manifest = JSON.parse(readFileSync(path, 'utf8')) as Manifest;
  change(manifest);
  writeFileSync(path, JSON.stringify(manifest));
}

interface Manifest {
  files: Record<string, { bytes: number }>;
  golden: { session: number[] };
}

export function riskTests(engine: BrowserEngine, installed: ReturnType<typeof test.skipIf>): void {
  const openLibrary = async (options: Partial<RecommenderOptions> = {}, head = '', folder?: string) => {
    const shop = await openShop(engine, inHead(head) + LIBRARY, '', folder ? { folders: { '/own/': folder } } : {});
    await createIn(shop.tab, { consent: 'granted', ...(folder && { modelUrl: '/own/' }), ...options });
    return shop;
  };

  installed('wrong calls are refused with a reason, and the next sound one is answered', async () => {
    const { tab } = await openLibrary();
    const refusals = await tab.evaluate(async () => {
      const recommender = window.shop.recommender as unknown as Record<string, (...given: unknown[]) => unknown>;
      const values = [undefined, null, 0, Number.NaN, -1, '', 'x'.repeat(600_000), {}, [], Symbol('x'), () => {}, 1n];
      const names: string[] = [];
      for (const value of values) {
        const given: [string, unknown][] = [
          ['track', value],
          ['track', { itemId: 'a', time: value }],
          ['recommend', { k: value, strategy: value, filter: value }],
          ['select', value],
          ['identify', value],
          ['products', value],
          ['on', value],
        ];
        for (const [method, argument] of given) {
          try {
            await recommender[method]!(argument);
          } catch (error) {
            names.push((error as Error).name);
          }
        }
      }
      return [...new Set(names)];
    });
    expect(refusals).toEqual(['RangeError']);
    expect(await asked(tab)).toBe(8);
    expect(await complaints(tab)).toEqual([]);
  });

  installed('a WebGL context that is lost costs no answer', async ({ skip }) => {
    const keep = `delete window.Worker;
      window.contexts = [];
      for (const Canvas of [HTMLCanvasElement, window.OffscreenCanvas].filter(Boolean)) {
        const { getContext } = Canvas.prototype;
        Canvas.prototype.getContext = function (...given) {
          const context = getContext.apply(this, given);
          if (context) contexts.push(context);
          return context;
        };
      }`;
    const { tab } = await openLibrary({ backend: 'webgl' }, keep);
    await tab.evaluate(
      (visit) => {
        for (const itemId of visit) window.shop.recommender!.track(itemId);
      },
      ids(3, 40, 41),
    );
    const list = () =>
      tab.evaluate(async () => (await window.shop.recommender!.recommend()).map(({ itemId }) => itemId));
    const right = await list();
    const { backend } = (await statusOf(tab)).engine!;
    if (backend !== 'webgl') {
      expect(await codesOf(tab)).toContain('no-backend');
      skip(`${backend} computes: there is no WebGL here`);
    }
    await tab.evaluate(() => {
      const { contexts } = window as unknown as { contexts: WebGL2RenderingContext[] };
      for (const context of contexts) context.getExtension('WEBGL_lose_context')?.loseContext();
    });
    expect(await list()).toEqual(right);
    expect(await codesOf(tab)).toContain('no-worker'); // the page computes, where a test reaches the context
  });

  installed('a worker that ends in the middle is started again, with its model', async () => {
    const { tab } = await openLibrary();
    expect(await asked(tab)).toBe(8);
    await tab.evaluate(() => window.shop.failWorker());
    expect(await asked(tab)).toBe(8);
    expect(await codesOf(tab)).toEqual(['worker-restarted']);
    expect(await complaints(tab)).toEqual([]);
  });

  installed.each(WITHOUT_STORAGE.map((fault) => [...fault] as const))(
    'an IndexedDB that %s leaves the visit in memory, and the status says so',
    async (_, script, code) => {
      const { tab } = await openLibrary({}, script);
      const visit = ids(3, 40);
      await tab.evaluate((list) => {
        for (const itemId of list) window.shop.recommender!.track(itemId);
      }, visit);
      await expect.poll(() => codesOf(tab), { timeout: 60_000 }).toContain(code);
      expect((await statusOf(tab)).storage).toBe('memory');
      expect(await asked(tab)).toBe(8);
      expect(await known(tab)).toEqual(visit);
      expect(await complaints(tab)).toEqual([]);
    },
  );

  installed('an IndexedDB whose connection closes is opened again, and keeps what it has', async () => {
    const script = `window.connections = [];
      const { transaction } = IDBDatabase.prototype;
      IDBDatabase.prototype.transaction = function (...given) {
        connections.push(this);
        return transaction.apply(this, given);
      }`;
    const { tab, openTab } = await openLibrary({}, script);
    const visit = ids(3, 40, 41, 42);
    for (const itemId of visit) {
      await trackStored(tab, [itemId]);
      await tab.evaluate(() => {
        for (const connection of (window as unknown as { connections: IDBDatabase[] }).connections) connection.close();
      });
    }
    const next = await openTab();
    await createIn(next, { consent: 'granted' });
    await expect.poll(() => known(next)).toEqual(visit);
    expect(await codesOf(tab)).toEqual([]);
    expect(await complaints(tab)).toEqual([]);
  });

  installed('a database of another script is put right, and takes the visit', async () => {
    const shop = await openShop(engine, LIBRARY);
    await shop.tab.evaluate(
      () =>
        new Promise<void>((made) => {
          const request = indexedDB.open('aisle', 5);
          request.onupgradeneeded = () => void request.result.createObjectStore('another');
          request.onsuccess = () => {
            request.result.close();
            made();
          };
        }),
    );
    await createIn(shop.tab, { consent: 'granted' });
    await trackStored(shop.tab, ids(3));
    await shop.tab.reload();
    await createIn(shop.tab, { consent: 'granted' });
    await expect.poll(() => known(shop.tab)).toEqual(ids(3));
    await expectWell(shop.tab);
  });

  installed('records that are torn are set aside, and the others are read', async () => {
    const { tab } = await openLibrary();
    const visit = ids(3, 40, 41);
    await trackStored(tab, visit);
    await tab.evaluate(
      () =>
        new Promise<void>((torn, failed) => {
          const opening = indexedDB.open('aisle');
          opening.onsuccess = () => {
            const transaction = opening.result.transaction('records', 'readwrite');
            const records = transaction.objectStore('records');
            const keys = records.getAllKeys();
            keys.onsuccess = () => {
              const key = keys.result.filter((name) => String(name).startsWith('e2/'))[1]!;
              const reading = records.get(key);
              reading.onsuccess = () => {
                const { rows, ...record } = reading.result;
                records.put({ ...record, rows: rows.map(([number]: unknown[]) => [number]) }, key);
              };
            };
            transaction.oncomplete = () => {
              opening.result.close();
              torn();
            };
            transaction.onabort = () => failed(transaction.error);
          };
        }),
    );
    await tab.reload();
    await createIn(tab, { consent: 'granted' });
    await expect.poll(() => known(tab)).toEqual([visit[0], visit[2]]);
    expect(await codesOf(tab)).toEqual(['records-set-aside']);
    expect(await asked(tab)).toBe(8);
  });

  installed.each([['manifest.json'], ['items.json'], ['weights.safetensors']])(
    'without %s there is an error, and all is well when it is there',
    async (file) => {
      const folder = ownModel((at) => rmSync(join(at, file)));
      const { tab } = await openLibrary({}, '', folder);
      expect(await asked(tab)).toMatch(/^(io|bad-artifact)$/);
      cpSync(join(DEMO, file), join(folder, file));
      await tab.evaluate(() => window.shop.recommender!.retry());
      expect(await asked(tab)).toBe(8);
    },
  );

  installed('two visitors with different histories make the same requests, for files only', async () => {
    const visited = async (visit: readonly string[]): Promise<string[]> => {
      const { tab, server } = await openLibrary({ backend: 'plan' });
      await trackStored(tab, visit);
      expect(await asked(tab)).toBe(8);
      await tab.evaluate(async () => {
        const recommender = window.shop.recommender!;
        await recommender.fineTune();
        await recommender.explain((await recommender.recommend())[0]!.itemId);
        await recommender.privacy.erase();
      });
      return server.requests.filter((line) => !line.includes('favicon')).toSorted();
    };
    const [one, other] = [await visited(ids(3, 40, 41)), await visited(ids(120, 7))];
    expect(one).toEqual(other);
    expect(one.filter((line) => !/^GET \/($|lib\/|models\/demo\/)[\w.-]*$/.test(line))).toEqual([]);
  });

  installed('weights of which a byte was changed are refused', async () => {
    const folder = ownModel((at) => {
      const path = join(at, 'weights.safetensors');
      const bytes = readFileSync(path);
      bytes[bytes.length - 100]! ^= 1;
      writeFileSync(path, bytes);
    });
    const { tab } = await openLibrary({}, '', folder);
    expect(await asked(tab)).toBe('bad-artifact');
  });

  const bombs: readonly (readonly [name: string, change: (manifest: Manifest) => void])[] = [
    ['of 2^53 bytes', ({ files }) => Object.assign(files['weights.safetensors']!, { bytes: 2 ** 53 })],
    [
      'with a golden session of 3,000,000 clicks',
      ({ golden }) => Object.assign(golden, { session: Array(3e6).fill(1) }),
    ],
  ];
  installed.each(bombs.map((bomb) => [...bomb] as const))(
    'a model %s is refused before its weights are fetched',
    async (_, change) => {
      const folder = ownModel((at) => changeManifest(at, change));
      const { tab, server } = await openLibrary({}, '', folder);
      expect(await asked(tab)).toBe('bad-artifact');
      expect(server.requests.filter((line) => line.includes('weights'))).toEqual([]);
    },
  );

  installed('markup in a catalogue is text', async () => {
    const title = '<img src=x onerror="window.hacked = 1"><script>window.hacked = 1</script>';
    const catalogue = IDS.map((id, k) => ({ id, title, url: k % 2 ? 'javascript:window.hacked=1' : `/p/${k}` }));
    const files = await folderOf(await smallModel({ catalogue }));
    const folder = ownModel((at) => {
      for (const [name, bytes] of files) writeFileSync(join(at, name), bytes);
    });
    const tag = SCRIPT.replace('/models/demo/', '/own/');
    const { tab } = await openShop(engine, tag, SLOT, { folders: { '/own/': folder } });
    await expect.poll(() => linksOf(tab)).toBeGreaterThan(0);
    const seen = await tab.evaluate(() => {
      const links = [...document.querySelector('aisle-recommendations')!.shadowRoot!.querySelectorAll('a')];
      return {
        titles: links.map(({ textContent }) => textContent),
        wrong: links.filter(({ protocol }) => !/^https?:$/.test(protocol)).length,
        scripts: links.flatMap((link) => [...link.querySelectorAll('script, [onerror]')]).length,
        hacked: 'hacked' in window,
      };
    });
    expect(seen).toMatchObject({ wrong: 0, scripts: 0, hacked: false });
    expect(seen.titles[0]).toContain('<script>');
  });

  installed('ids that are names of properties are ids', async () => {
    const { tab } = await openLibrary();
    const visit = ['__proto__', 'constructor', 'toString', '🧦', 'a,b'];
    await trackStored(tab, visit);
    await tab.reload();
    await createIn(tab, { consent: 'granted' });
    await expect.poll(() => known(tab)).toEqual(visit);
    expect(await asked(tab)).toBe(8);
    expect(await tab.evaluate(() => Object.keys(Object.prototype).length)).toBe(0);
  });

  installed('a burst of nonsense opens no gate', async () => {
    const { tab } = await openLibrary();
    const gate = await tab.evaluate(async (list) => {
      const recommender = window.shop.recommender!;
      for (const [n, itemId] of list.entries()) recommender.track({ itemId, pageView: String(n) });
      const { gate, refused } = await recommender.fineTune();
      return { isOpen: gate.isOpen, refused: refused.rate + refused.repetition + refused.entropy };
    }, Array.from({ length: 300 }, () => ids(3)).flat());
    expect(gate.isOpen).toBe(false);
    expect(gate.refused).toBeGreaterThan(200);
  });

  installed('after a pause, a denial and an erasure a second visitor finds nothing new', async () => {
    const { tab, openTab } = await openLibrary();
    await trackStored(tab, ids(3));
    await tab.evaluate(async (itemId) => {
      const { privacy, track } = window.shop.recommender!;
      await privacy.pause();
      track(itemId);
    }, ids(40)[0]!);
    expect(await known(tab)).toEqual(ids(3));
    await tab.evaluate(async (itemId) => {
      const { privacy, track } = window.shop.recommender!;
      await privacy.resume();
      await privacy.consent('denied');
      track(itemId);
    }, ids(41)[0]!);
    await expect.poll(() => databases(tab)).toEqual([]);
    const second = await openTab();
    await createIn(second, { consent: 'granted' });
    expect(await known(second)).toEqual([]);
    await trackStored(second, ids(42));
    await second.evaluate(() => window.shop.recommender!.privacy.erase());
    await expect.poll(() => databases(second)).toEqual([]);
    expect(await second.evaluate(() => localStorage.length + sessionStorage.length)).toBe(0);
  });

  installed('what was learnt goes elsewhere in a file that only its passphrase opens', async () => {
    const { tab } = await openLibrary();
    await trackStored(tab, ids(3, 40, 41));
    const file = await tab.evaluate(async (word) => {
      const recommender = window.shop.recommender!;
      await recommender.fineTune();
      return [...(await recommender.taste.export(word))];
    }, PASSPHRASE);
    const { tab: other } = await openLibrary();
    const opened = (bytes: readonly number[], word: string) =>
      other.evaluate(
        (given, phrase) =>
          window.shop.recommender!.taste.import(Uint8Array.from(given), phrase).then(
            ({ events }) => events,
            ({ code }) => code as string,
          ),
        bytes,
        word,
      );
    expect(await opened(file, `${PASSPHRASE}!`)).toBe('wrong-passphrase');
    expect(await opened(file.slice(0, -1), PASSPHRASE)).toMatch(/^(bad-delta|wrong-passphrase)$/);
    expect(await opened(file, PASSPHRASE)).toBe(3);
    expect(await asked(other)).toBe(8);
  });

  installed('Global Privacy Control denies whatever else is said', async () => {
    const script = "Object.defineProperty(navigator, 'globalPrivacyControl', { value: true, configurable: true })";
    const { tab } = await openLibrary({}, script);
    await tab.evaluate(async (itemId) => {
      const recommender = window.shop.recommender!;
      await recommender.privacy.consent('granted');
      recommender.track(itemId);
    }, ids(3)[0]!);
    expect(await asked(tab)).toBe(8);
    expect(await statusOf(tab)).toMatchObject({ consent: 'denied', storage: 'memory' });
    expect(await databases(tab)).toEqual([]);
  });

  const hostile: readonly (readonly [name: string, script: string])[] = [
    [
      'whose prototypes are frozen',
      'for (const type of [Object, Array, Promise, Map, Set, Function]) Object.freeze(type.prototype)',
    ],
    ['whose array of commands is frozen', "window.aisle = Object.freeze([['track', 'x']])"],
    ['whose arrays have toJSON', 'Array.prototype.toJSON = () => "gone"'],
  ];
  installed.each(hostile.map((page) => [...page] as const))('a page %s shows suggestions', async (_, script) => {
    const { tab } = await openShop(engine, inHead(script) + SETTLED, SLOT);
    // A number: a driver of the browser serialises arrays by the page's own prototypes.
    await expect.poll(() => linksOf(tab)).toBe(8);
    expect(await tab.evaluate(() => window.shop.complaints.filter((text) => !text.startsWith('Aisle: ')).join())).toBe(
      '',
    );
  });

  const frames = [
    ['of its own origin', '', 'indexeddb'],
    ['of another origin, whose storage the browser keeps apart', '', 'indexeddb'],
    ['in a sandbox with its origin', 'sandbox="allow-scripts allow-same-origin"', 'indexeddb'],
    ['in a sandbox without an origin', 'sandbox="allow-scripts"', 'memory'],
  ] as const;
  installed.each(frames)('a frame %s shows suggestions, and says what it lacks', async (name, attributes, storage) => {
    const report = `const received = () => {
        const slot = document.querySelector('aisle-recommendations');
        const { status } = window.aisle?.recommender ?? {};
        parent.postMessage({ state: slot?.dataset.aisleState, storage: status?.storage, degraded: status?.degraded }, '*');
        setTimeout(received, 200);
      };
      received();`;
    const hear = "addEventListener('message', ({ data }) => { window.framed = data; })";
    const { tab, server } = await openShop(engine, inHead(hear), '', {
      headers: { 'access-control-allow-origin': '*' },
    });
    server.serve('/framed', html(SLOT, RECORD + inHead(report) + STORING));
    await tab.evaluate(
      (how, isOther) => {
        const other = { localhost: '127.0.0.1', '127.0.0.1': 'localhost' }[location.hostname];
        const src = `//${isOther ? other : location.hostname}:${location.port}/framed`;
        document.body.insertAdjacentHTML('beforeend', `<iframe ${how} width="900" height="700" src="${src}"></iframe>`);
      },
      attributes,
      name.startsWith('of another origin'),
    );
    const framed = () =>
      tab.evaluate(() => (window as unknown as { framed?: { state: string; storage: string } }).framed ?? null);
    await expect.poll(framed).toMatchObject({ state: 'ready', storage });
  });

  installed('slots and the privacy panel are accessible', async () => {
    const panel = '<aisle-privacy></aisle-privacy>';
    const { tab } = await openShop(engine, STORING, SLOT + panel);
    await expect.poll(() => linksOf(tab)).toBe(8);
    const isReady = () =>
      tab.evaluate(() => document.querySelector<HTMLElement>('aisle-privacy')?.dataset['aisleState']);
    await expect.poll(isReady).toBe('ready');
    const violations = await tab.evaluate(async (axe) => {
      new Function(axe)();
      type Found = { violations: { id: string; nodes: { html: string }[] }[] };
      const { run } = (window as unknown as { axe: { run(options: object): Promise<Found> } }).axe;
      const found = await run({ resultTypes: ['violations'] });
      return found.violations.flatMap(({ id, nodes }) => nodes.map((node) => `${id}: ${node.html}`));
    }, AXE);
    expect(violations).toEqual([]);
  });

  const windows: readonly (readonly [name: string, browser: BrowserOptions])[] = [
    ['that keeps nothing', { isPrivate: true }],
    ...(engine.name === 'Firefox'
      ? ([
          // Private, Firefox sends Global Privacy Control, which denies.
          ['that keeps nothing, without Global Privacy Control', { isPrivate: true, firefox: { [GPC]: false } }],
          ['in which sites may store nothing', { firefox: { 'network.cookie.cookieBehavior': 2 } }],
        ] as const)
      : []),
  ];
  installed.each(windows.map((window) => [...window] as const))(
    'a window %s stores, or says why not, and answers',
    async (name, browser) => {
      const { tab } = await openShop(engine, LIBRARY, '', { browser });
      await createIn(tab, { consent: 'granted' });
      await tab.evaluate((itemId) => window.shop.recommender!.track(itemId), ids(3)[0]!);
      const kept = async () => {
        const { storage, consentBy, degraded } = await statusOf(tab);
        const why = degraded.find(({ code }) => code === 'no-storage')?.code ?? consentBy['privacy-control'];
        return storage === 'memory' ? why : storage;
      };
      const right = /sites/.test(name) ? /^no-storage$/ : /without/.test(name) ? /^indexeddb$/ : /^(denied|indexeddb)$/;
      await expect.poll(kept, { timeout: 60_000 }).toMatch(right);
      expect(await asked(tab)).toBe(8);
      expect(await known(tab)).toEqual(ids(3));
      expect(await complaints(tab)).toEqual([]);
    },
  );
}
