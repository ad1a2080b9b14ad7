import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import type { Server } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, onTestFinished, test, vi } from 'vitest';
import { baselines } from '../../src/neighbours';
import { writeArtifactFolder } from '../../src/pipeline/files/artifact-folder';
import { goldenAnswer } from '../../src/ranking/golden-check';
import { ROOT } from '../build/built';
import { closeServer } from '../server';
import { openBrowser } from '../shared-chromium';
import { NAMED, openShopWindow, serveShop } from './shop-window';
import { openPanel, settled } from './views';

const IDS = ['a,b', '<img src=x onerror=alert(1)>', '__proto__', '"quoted" 👟', '100%', 'a/b?c#d', 'constructor', ' '];

vi.setConfig({ testTimeout: 120_000 }); // many steps in a browser, on a machine that may be busy

let browser: Browser;
let folder: string;

/** A model that counts, of items whose ids are as hostile as a shop's can be. */
async function writeArtifact(): Promise<string> {
  const markov = baselines['markov']!;
  const config = Object.fromEntries(
    Object.entries(markov.options as Record<string, { default: unknown }>).map(([key, option]) => [
      key,
      option.default,
    ]),
  );
  const items = Int32Array.from(IDS.flatMap((_, i) => [i + 1, ((i + 1) % IDS.length) + 1]));
  const sessions = {
    items,
    times: Float64Array.from(items, (_, i) => i),
    offsets: Int32Array.from({ length: IDS.length + 1 }, (_, i) => 2 * i),
  };
  const support = Int32Array.from({ length: IDS.length + 1 }, (_, i) => (i === 0 ? 0 : 2));
  const catalogue = { items: IDS.length, support };
  const tensors = markov.fit(sessions, catalogue, config);
  const artifact = join(folder, 'artifact');
  await writeArtifactFolder(artifact, {
    info: {
      name: 'own',
      version: '1',
      architecture: 'markov',
      config: config as Record<string, never>,
      items: IDS.length,
      golden: await goldenAnswer(markov.scorer(tensors, catalogue, config), [1]),
      training: {},
      licence: 'MIT',
      modelCard: '',
    },
    itemIds: IDS,
    tensors: { ...tensors, 'catalogue.support': { data: support, shape: [support.length] } },
  });
  return artifact;
}

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'aisle-own-'));
  browser = await openBrowser();
});

afterAll(async () => {
  await browser?.close();
  rmSync(folder, { recursive: true });
});

async function serve(options: Parameters<typeof serveShop>[0]): Promise<Server> {
  const server = await serveShop(options);
  onTestFinished(() => closeServer(server));
  return server;
}

describe("the shop on one's own model", () => {
  test('shows plain ids as they are, where there is no catalogue', async () => {
    const server = await serve({ artifact: [await writeArtifact()] });
    const { page, errors } = await openShopWindow(browser, server, { address: NAMED });
    expect(await page.locator('.grid .card-title').allTextContents()).toEqual(IDS);
    for (const [n, id] of IDS.entries()) {
      await page.locator('.logo').click();
      await page.locator('.grid .card-link').nth(n).click();
      await page.locator('.product').waitFor();
      expect(await page.locator('.product h1').textContent()).toBe(id);
      await settled(page);
      // The basis of a Markov chain is the last click alone.
      expect(await page.locator('p.because').textContent()).toBe(`Because you looked at ${id}`);
      expect(await page.locator('.slot-for-you [part=title]').first().textContent()).toBe(IDS[(n + 1) % IDS.length]);
    }
    expect(errors).toEqual([]);
  });

  test("shows one's own catalogue, and says which products the model does not know", async () => {
    const catalogue = join(folder, 'products.json');
    const products = [
      {
        id: 'a,b',
        title: '<b>Bold</b>',
        price: 3,
        currency: 'EUR',
        image: 'javascript:alert(1)',
        category: ['<i>X</i>'],
      },
      { id: 'new', title: 'New', availability: 'out of stock', category: ['<i>X</i>'] },
    ];
    writeFileSync(catalogue, JSON.stringify(products));
    const server = await serve({ artifact: [join(folder, 'artifact')], catalogue });
    const { page, errors } = await openShopWindow(browser, server, { address: NAMED });
    expect(await page.locator('.grid .card-title').allTextContents()).toEqual(['<b>Bold</b>', 'New']);
    expect(await page.locator('.grid img').count()).toBe(0);
    expect(await page.locator('.slot-for-you [part=title]').allTextContents()).toEqual(['<b>Bold</b>']);
    await page.locator('.grid .card-link').nth(1).click();
    await page.getByText('The model does not know this product').waitFor();
    await settled(page);
    expect(await page.getByRole('button', { name: 'Sold out' }).isDisabled()).toBe(true);
    expect(await page.locator('p.because').textContent()).toMatch(/^Popular in this shop/);
    expect(errors).toEqual([]);
  });

  test('has several models to choose from, each with what it sells', async () => {
    const artifact = join(folder, 'artifact');
    const demo = join(ROOT, 'public/models/demo');
    const server = await serve({ artifact: [artifact, demo] });
    const { page, errors } = await openShopWindow(browser, server);
    expect(await page.locator('.grid .card-title').allTextContents()).toEqual(IDS);
    await openPanel(page, 'Models');
    await page.getByText('Markov chain').waitFor();
    // They sell other things: there is nothing to compare, and another shop opens.
    expect(await page.getByRole('checkbox').count()).toBe(0);
    await page.getByRole('radio', { name: 'demo' }).click();
    await page.locator('.department').first().waitFor();
    expect(new URL(page.url()).search).toBe('?model=demo');
    await openPanel(page, 'Engine');
    await page.getByText('GRU4Rec').waitFor();
    await page.goto(page.url().replace('model=demo', 'model=https://elsewhere.example/'));
    await page.getByRole('heading', { name: 'The shop could not be opened' }).waitFor();
    await page.getByText('expected a folder of this page’s own origin').waitFor();
    expect(errors).toEqual([]);
  });
});
