/** The built library and the built embed in Chromium, Firefox, WebKit and, in the soak, WPE. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test, vi } from 'vitest';
import type { DemoFile } from '../../src/demo/shop';
import type { BackendName } from '../../src/index';
import { built, holdsTensorCode, ROOT } from '../build/built';
import { differences, THOUSANDTH, within } from '../engine/parity';
import { isSoak, slice } from '../soak-slice';
import { type EmbedServer, html, SCRIPT, SETTLED, SLOT } from '../ui/embed-window';
import { type BrowserEngine, ENGINES, type Tab } from './browsers';
import { riskTests } from './risks';
import { createIn, expectWell, ids, LIBRARY, nearly, openShop, RECORD, SAVING, statusOf } from './shop';

vi.setConfig({ testTimeout: 240_000 }); // a browser on a machine that may be busy, which may have to be started twice

/** What answers in `npm test`; the others do in Chromium, in other tests. */
const ANSWERING: Readonly<Record<BrowserEngine['name'], readonly string[]>> = {
  Chromium: ['SASRec'],
  Firefox: ['GRU4Rec', 'Caser', 'XLNet, hidden clicks'],
  WebKit: ['SR-GNN', 'SASRec'],
  WPE: [],
};

const NOW = 1_700_000_000_000;
const DAY = 86_400_000;
const VISITS: readonly string[][] = [
  ids(3),
  ids(3, 40, 41),
  ids(120, 7, 120, 8, 9),
  ids(...Array.from({ length: 20 }, (_, n) => 17 * n)),
];

/** What a model recommends during some visits, how it explains one item, and what it learns from the visits. */
async function outcome(tab: Tab, modelUrl: string, backend: BackendName = 'wasm') {
  await createIn(tab, { modelUrl, backend, consent: 'granted', history: 'session' });
  return tab.evaluate(
    async (visits, start, day) => {
      const { shop } = window;
      const recommender = shop.recommender!;
      const lists = [];
      for (const [n, visit] of visits.entries()) {
        const now = start + n * day;
        shop.now = now;
        for (const [t, itemId] of visit.entries()) {
          recommender.track({ itemId, time: now - 60_000 * (visit.length - t) });
        }
        lists.push(await recommender.recommend({ k: 20 }));
      }
      const explained = await recommender.explain(lists.at(-1)![0]!.itemId);
      const { state, events, steps, latest } = await recommender.fineTune();
      return { lists, explained, learnt: { state, events, steps, latest } };
    },
    VISITS,
    NOW,
    DAY,
  );
}

const { models } = JSON.parse(readFileSync(join(ROOT, 'public/demo.json'), 'utf8')) as DemoFile;
const chromium = ENGINES.find(({ name }) => name === 'Chromium')!;
const outcomes = new Map<string, ReturnType<typeof outcome>>();

async function inChromium(modelUrl: string): ReturnType<typeof outcome> {
  const known = outcomes.get(modelUrl) ?? openShop(chromium, LIBRARY).then(({ tab }) => outcome(tab, modelUrl));
  outcomes.set(modelUrl, known);
  return known;
}

describe.each(slice(ENGINES, ({ isInSoakOnly }) => !isInSoakOnly))('in $name', (engine) => {
  const installed = test.skipIf(engine.missing);

  const workers = [
    ['beside it', undefined],
    ['at an address with a version', 'worker.js?v=2'],
  ] as const;
  describe.each(slice(workers, ([, worker]) => worker === undefined || engine.name === 'Firefox'))(
    'with the worker %s',
    (_, worker) => {
      installed('the library recommends, explains and learns, with one engine', async () => {
        const { tab } = await openShop(engine, LIBRARY);
        await createIn(tab, { consent: 'granted', ...(worker && { workerUrl: `/lib/${worker}` }) });
        const { count, rank, events } = await tab.evaluate(
          async (visit) => {
            const recommender = window.shop.recommender!;
            for (const itemId of visit) recommender.track(itemId);
            const items = await recommender.recommend({ k: 8 });
            const explanation = await recommender.explain(items[2]!.itemId);
            const { events } = await recommender.fineTune({ method: 'full' });
            return { count: items.length, rank: explanation?.rank, events };
          },
          ids(3, 40, 41),
        );
        expect({ count, rank, events }).toEqual({ count: 8, rank: 3, events: 3 });
        await expectWell(tab);
      });

      installed('the embed shows suggestions, with one engine', async () => {
        const head = worker ? SETTLED.replace('data-', `data-worker-url="/aisle/${worker}" data-`) : SETTLED;
        const { tab } = await openShop(engine, head, SLOT);
        const links = () =>
          tab.evaluate(() => {
            const slot = document.querySelector('aisle-recommendations[data-aisle-state=ready]');
            return slot?.shadowRoot?.querySelectorAll('a').length;
          });
        await expect.poll(links).toBe(8);
        await tab.evaluate(async () => {
          window.shop.recommender = (await window.aisle!.ready)!;
        });
        await expectWell(tab);
      });
    },
  );

  installed.each(slice(models, ({ title }) => ANSWERING[engine.name].includes(title!)))(
    '$title answers, explains and learns as elsewhere',
    async ({ modelUrl }) => {
      const right = await inChromium(`/${modelUrl}`);
      expect(right.lists.map((list) => list.length)).toEqual(VISITS.map(() => 20));
      const { tab } = await openShop(engine, LIBRARY);
      expect(await outcome(tab, `/${modelUrl}`)).toEqual(nearly(right));
      await expectWell(tab);
    },
  );

  installed.each(slice(models, ({ modelUrl }) => /srgnn/.test(modelUrl)))(
    '$title answers, explains and learns by its plan as elsewhere by WASM',
    async ({ modelUrl }) => {
      const right = await inChromium(`/${modelUrl}`);
      const { tab } = await openShop(engine, LIBRARY);
      expect(await outcome(tab, `/${modelUrl}`, 'plan')).toEqual(nearly(right));
      await expectWell(tab);
    },
  );

  /** What was requested from a build so far; each file without the TensorFlow.js that it may hold, or with it. */
  const requested = ({ requests }: EmbedServer, at: string, build: 'lib' | 'embed') => {
    const files = requests.flatMap((request) => request.split(`GET ${at}`)[1]?.split('?')[0] ?? []);
    const scripts = files.filter((file) => file.endsWith('.js'));
    return { files, tensors: scripts.filter((file) => holdsTensorCode(join(built(build), file))) };
  };

  installed('a page whose model has a plan recommends, explains and learns without TensorFlow.js', async () => {
    const { tab, server } = await openShop(engine, LIBRARY);
    await createIn(tab, { backend: 'plan', consent: 'granted' });
    const { counts, learnt } = await tab.evaluate(
      async (visit) => {
        const recommender = window.shop.recommender!;
        for (const itemId of visit) recommender.track(itemId);
        const items = await recommender.recommend({ k: 8 });
        await recommender.explain(items[2]!.itemId);
        const { events, steps } = await recommender.fineTune();
        const after = await recommender.recommend({ k: 8 });
        return { counts: [items.length, after.length], learnt: { events, steps } };
      },
      ids(3, 40, 41),
    );
    expect(counts).toEqual([8, 8]);
    expect(learnt).toEqual({ events: 3, steps: expect.any(Number) });
    expect((await statusOf(tab)).engine).toMatchObject({ backend: 'plan', why: '"plan" was asked for.' });
    await expectWell(tab);
    const { files, tensors } = requested(server, '/lib/', 'lib');
    expect(files).toContainEqual(expect.stringMatching(/^worker-plan-binary/));
    expect({ tensors, wasm: files.filter((file) => file.endsWith('.wasm')) }).toEqual({ tensors: [], wasm: [] });
    expect(server.requests.filter((request) => request.endsWith('/plan.bin'))).toHaveLength(1);
  });

  installed('the embed shows the suggestions of a plan, without TensorFlow.js', async () => {
    const { tab, server } = await openShop(engine, SAVING + SCRIPT, SLOT);
    const links = () =>
      tab.evaluate(() => {
        const slot = document.querySelector('aisle-recommendations[data-aisle-state=ready]');
        return slot?.shadowRoot?.querySelectorAll('a').length;
      });
    await expect.poll(links).toBe(8);
    const engineOf = () => tab.evaluate(async () => (await window.aisle!.ready)!.status.engine?.backend);
    expect(await engineOf()).toBe('plan');
    const { files, tensors } = requested(server, '/aisle/', 'embed');
    expect(files).toContain('worker.js');
    expect({ tensors, wasm: files.filter((file) => file.endsWith('.wasm')) }).toEqual({ tensors: [], wasm: [] });
  });

  // Other tests do this and the next in Chromium.
  if (isSoak || engine.name !== 'Chromium')
    installed('the backends are tried in a second worker, and the answer stays', async () => {
      const { tab } = await openShop(engine, LIBRARY);
      await createIn(tab, { backend: 'auto' });
      await tab.evaluate(
        (visit) => {
          for (const itemId of visit) window.shop.recommender!.track(itemId);
        },
        ids(3, 40, 41),
      );
      const ask = () =>
        tab.evaluate(async () => (await window.shop.recommender!.recommend({ k: 8 })).map(({ itemId }) => itemId));
      const before = await ask();
      const why = async () => (await statusOf(tab)).engine?.why;
      await expect.poll(why, { timeout: 60_000 }).toMatch(/plan \d+\.\d ms/);
      expect(await ask()).toEqual(before);
      expect((await tab.evaluate(() => window.shop.workers)).length).toBeGreaterThan(1);
      await expectWell(tab);
    });

  if (isSoak || engine.name !== 'Chromium')
    installed(
      'a visit is stored after consent, outlives a reload, is known in a second tab, and erased in both',
      async () => {
        const { tab, openTab } = await openShop(engine, LIBRARY);
        const databases = () => tab.evaluate(async () => (await indexedDB.databases()).map(({ name }) => name));
        const known = (where: Tab) =>
          where.evaluate(async () => {
            const { sessions } = await window.shop.recommender!.privacy.export();
            return sessions.flat().map(({ itemId }) => itemId);
          });
        const storage = async (where: Tab) => (await statusOf(where)).storage;
        const visit = ids(3, 40, 41);

        await createIn(tab, { consent: 'manual' });
        await tab.evaluate(async (itemId) => {
          window.shop.recommender!.track(itemId);
          await window.shop.recommender!.recommend();
        }, visit[0]!);
        expect(await databases()).toEqual([]);
        await tab.evaluate(() => window.shop.recommender!.privacy.consent('granted'));
        await expect.poll(() => storage(tab)).toBe('indexeddb');
        await tab.evaluate(
          (itemId) =>
            new Promise<void>((stored) => {
              const recommender = window.shop.recommender!;
              recommender.on('stored', ({ events }) => events.some((event) => event.itemId === itemId) && stored());
              recommender.track(itemId);
            }),
          visit[1]!,
        );

        await tab.reload();
        await createIn(tab, { consent: 'granted' });
        await expect.poll(() => known(tab)).toEqual(visit.slice(0, 2));

        const second = await openTab();
        await createIn(second, { consent: 'granted' });
        await expect.poll(() => known(second)).toEqual(visit.slice(0, 2));
        await second.evaluate((itemId) => window.shop.recommender!.track(itemId), visit[2]!);
        await expect.poll(() => known(tab)).toEqual(visit);
        await expectWell(second);

        await tab.evaluate(() => window.shop.recommender!.privacy.erase());
        await expect.poll(() => known(second)).toEqual([]);
        expect(await known(tab)).toEqual([]);
        await expect.poll(databases).toEqual([]);
        expect(await tab.evaluate(() => localStorage.length + sessionStorage.length)).toBe(0);
        await expectWell(tab);
      },
    );

  // Other tests do all that follows in Chromium.
  if (!isSoak && engine.name === 'Chromium') return;

  /** Ids in the slot of a page. */
  const slotOf = (tab: Tab) =>
    tab.evaluate(() => {
      const slot = document.querySelector('aisle-recommendations[data-aisle-state=ready]');
      return [...(slot?.shadowRoot?.querySelectorAll('a') ?? [])].map((link) => link.dataset['itemId'] ?? '');
    });

  installed('the embed works under a strict security policy, with Trusted Types where there are any', async () => {
    const policy =
      "default-src 'none'; script-src 'self' 'nonce-shop' 'wasm-unsafe-eval'; worker-src 'self'; connect-src 'self'; " +
      "img-src 'self' data:; require-trusted-types-for 'script'; trusted-types aisle";
    const { tab } = await openShop(engine, SETTLED, SLOT, {
      headers: { 'content-security-policy': policy },
    });
    await expect.poll(() => slotOf(tab).then(({ length }) => length)).toBe(8);
    await tab.evaluate(async () => {
      window.shop.recommender = (await window.aisle!.ready)!;
    });
    await expectWell(tab);
  });

  installed(
    'a page that comes back from the cache knows what was looked at since, or denied, and goes on',
    async () => {
      const { tab, server } = await openShop(engine, SETTLED.replace('data-', 'data-consent="granted" data-'), SLOT);
      const known = () =>
        tab.evaluate(async () => {
          const recommender = (await window.aisle?.ready)!;
          return (await recommender.privacy.export()).sessions.flat().map(({ itemId }) => itemId);
        });
      const next = () =>
        tab.evaluate(async () => {
          const recommender = (await window.aisle!.ready)!;
          return (await recommender.recommend({ k: 8 })).map(({ itemId }) => itemId);
        });
      const arrive = async (path: string) => {
        await expect.poll(() => tab.path()).toBe(path);
        await expect
          .poll(() => tab.evaluate((at) => location.pathname === at && window.aisle?.ready !== undefined, path))
          .toBe(true);
      };
      await expect.poll(() => slotOf(tab).then(({ length }) => length)).toBe(8); // its scripts run
      server.serve('/second', html('', RECORD + SETTLED.replace('data-', 'data-consent="granted" data-')));
      const track = (itemId: string) =>
        tab.evaluate(async (id) => {
          const recommender = (await window.aisle!.ready)!;
          await new Promise<void>((stored) => {
            recommender.on('stored', ({ events }) => events.some(({ itemId }) => itemId === id) && stored());
            recommender.track(id);
            setTimeout(stored, 15_000);
          });
          return recommender.status.storage;
        }, itemId);
      const visit: string[] = [];
      const [last] = ids(200);
      for (let round = 0; round < (isSoak ? 40 : 4); round++) {
        const [first, second] = ids(3 * round, 3 * round + 1);
        expect(await track(first!)).toBe('indexeddb');
        const before = await slotOf(tab);
        // It is left while it writes: a transaction that it kept would hold up the next page.
        await tab.evaluate(
          async (id, milliseconds) => {
            const recommender = (await window.aisle!.ready)!;
            recommender.track(id);
            setTimeout(() => location.assign('/second'), milliseconds);
          },
          last!,
          round % 4,
        );
        await arrive('/second');
        expect(await track(second!)).toBe('indexeddb');
        await tab.evaluate(() => void setTimeout(() => history.back()));
        await arrive('/');
        visit.push(first!, second!);
        // What was written as the page was left may be lost with it, where there is no such cache.
        await expect.poll(async () => (await known()).filter((id) => id !== last)).toEqual(visit);
        expect((await known()).filter((id) => id === last).length).toBeLessThanOrEqual(round + 1);
        await expect.poll(() => slotOf(tab).then(({ length }) => length)).toBe(8); // those of before, if the cache had the page
        expect(await next()).not.toEqual(before); // the worker is there, and knows the second click
      }
      // What it has on show it views again when it comes back: it has no database then, and could not hear of the denial.
      await tab.evaluate(async (id) => {
        Object.assign(window, { isFromCache: true });
        window.aisle!.push(['track', id]);
        await (await window.aisle!.ready)!.privacy.erase();
        setTimeout(() => location.assign('/second'));
      }, last!);
      await arrive('/second');
      await tab.evaluate(async () => (await window.aisle!.ready)!.privacy.consent('denied'));
      await tab.evaluate(() => void setTimeout(() => history.back()));
      await arrive('/');
      const isFromCache = await tab.evaluate(() => 'isFromCache' in window);
      if (engine.name === 'WebKit') expect(isFromCache).toBe(true);
      if (!isFromCache) return; // a browser that is driven from outside may keep no pages
      const consent = () => tab.evaluate(async () => (await window.aisle!.ready)!.status.consent);
      await expect.poll(consent).toBe('unknown');
      expect(await tab.evaluate(async () => (await indexedDB.databases()).length)).toBe(0);
    },
  );

  installed('three tabs track side by side: each event once, in all of them', async () => {
    const { tab, openTab } = await openShop(engine, LIBRARY);
    const tabs: Tab[] = [];
    // One after the other: what a tab tracks that nobody has looked at waits until somebody does.
    for (const open of [async () => tab, openTab, openTab]) {
      const next = await open();
      await createIn(next, { consent: 'granted' });
      tabs.push(next);
    }
    const rounds = isSoak ? 40 : 5;
    await Promise.all(
      tabs.map((each, n) =>
        each.evaluate(
          (visit) => {
            for (const itemId of visit) window.shop.recommender!.track(itemId);
          },
          ids(...Array.from({ length: rounds }, (_, k) => 3 * k + n)),
        ),
      ),
    );
    const all = ids(...Array.from({ length: 3 * rounds }, (_, k) => k)).toSorted();
    for (const each of tabs) {
      const known = () =>
        each.evaluate(async () => {
          const { sessions } = await window.shop.recommender!.privacy.export();
          return sessions.flat().map(({ itemId }) => itemId);
        });
      await expect.poll(async () => (await known()).toSorted()).toEqual(all);
    }
  });

  if (isSoak)
    installed.each(
      models.flatMap(({ title, modelUrl }) => (['cpu', 'plan'] as const).map((on) => [title, on, modelUrl])),
    )('%s answers, explains and learns on %s as elsewhere by WASM', async (_, on, modelUrl) => {
      const right = await inChromium(`/${modelUrl}`);
      const { tab } = await openShop(engine, LIBRARY);
      expect(await outcome(tab, `/${modelUrl}`, on as 'cpu' | 'plan')).toEqual(nearly(right));
      await expectWell(tab);
    });

  if (isSoak)
    installed.for(models)(
      '$title answers on webgl as elsewhere by WASM, where there is any',
      async ({ modelUrl }, { skip }) => {
        const right = await inChromium(`/${modelUrl}`);
        let where = await openShop(engine, LIBRARY);
        let got = await outcome(where.tab, `/${modelUrl}`, 'webgl');
        if ((await statusOf(where.tab)).engine?.backend !== 'webgl') {
          // Perhaps in the page's own thread only.
          where = await openShop(engine, `<script>delete window.Worker</script>${LIBRARY}`);
          got = await outcome(where.tab, `/${modelUrl}`, 'webgl');
        }
        const { engine: running } = await statusOf(where.tab);
        for (const [n, list] of got.lists.entries())
          expect(differences(right.lists[n]!, list, within(THOUSANDTH, right.lists[n]!))).toEqual([]);
        expect([got.learnt.events, got.learnt.steps]).toEqual([right.learnt.events, right.learnt.steps]);
        if (running?.backend !== 'webgl') skip(`${running?.backend} has answered: ${running?.why}`);
      },
    );

  if (isSoak) riskTests(engine, installed);
});
