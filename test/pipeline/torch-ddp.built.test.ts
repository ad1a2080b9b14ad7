/** What two processes of PyTorch have trained, imported, in a page: it recommends there what PyTorch recommends. */
import { existsSync, readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest';
import type { RankedItem } from '../../src/index';
import { importWeights } from '../../src/pipeline/import-weights';
import { folder } from '../cli/program';
import { openShopPage, serveShopPage } from '../engine/shop-page';
import { closeServer } from '../server';
import { openBrowser } from '../shared-chromium';

let browser: Browser;
beforeAll(async () => {
  browser = await openBrowser();
});
afterAll(() => browser?.close());

test.each(['gru4rec', 'sasrec'] as const)('%s', async (model) => {
  const fixtures = join(import.meta.dirname, 'torch-ddp', model);
  const path = (name: string) => join(fixtures, name);
  const out = join(await folder(), 'model');
  const [weights, config, items] = ['weights.safetensors', 'config.json', 'items.json'].map(path) as [
    string,
    string,
    string,
  ];
  await importWeights({ from: model, weights, config, items, out });
  const server = await serveShopPage({
    answer(asked) {
      const file = join(out, basename(asked));
      return asked.startsWith('/model/') && existsSync(file) ? { body: readFileSync(file) } : undefined;
    },
  });
  onTestFinished(() => closeServer(server));
  type Top = { readonly session: string[]; readonly items: { itemId: string }[] };
  const [{ session, items: best }] = JSON.parse(readFileSync(path('top20.json'), 'utf8')) as [Top];
  const context = await browser.newContext();
  const shop = await openShopPage(context, server, {
    recommender: { backend: 'plan', consent: 'denied' },
    clicks: session.map((itemId, view) => ({ itemId, pageView: `${view}` })),
  });
  const list = (await shop.ask()) as readonly RankedItem[];
  expect(list).toHaveLength(20);
  expect(list.map(({ itemId }) => itemId)).toEqual(best.map(({ itemId }) => itemId));
  expect((await shop.status()).engine).toMatchObject({ backend: 'plan', thread: 'worker' });
  await context.close();
});
