import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import type { Page } from 'playwright-core';
import { describe, expect, test, vi } from 'vitest';
import type { DemoFile } from '../../src/demo/shop';
import { models as architectures } from '../../src/models';
import { inspectArtifact } from '../../src/pipeline/files/artifact-folder';
import { ROOT } from '../build/built';
import { isSoak } from '../soak-slice';
import { DEMO_MODELS } from './demo-models';
import { shopWindows } from './shop-window';
import { openPanel, settled } from './views';

vi.setConfig({ testTimeout: 120_000 }); // many steps in a browser, on a machine that may be busy

const site = join(ROOT, 'public');
const { models } = JSON.parse(readFileSync(join(site, 'demo.json'), 'utf8')) as DemoFile;

describe('the demo models', () => {
  test('are those that the script trains: every architecture, the page’s default first', () => {
    expect(models.map(({ name, title }) => [name, title])).toEqual(DEMO_MODELS.map(({ name, title }) => [name, title]));
    expect(new Set(models.map(({ architecture }) => architecture))).toEqual(new Set(Object.keys(architectures)));
  });

  test('are under 3 MB together, on one catalogue', () => {
    const files = readdirSync(join(site, 'models'), { recursive: true, encoding: 'utf8' });
    const sizes = files.map((file) => statSync(join(site, 'models', file))).filter((stat) => stat.isFile());
    expect(sizes.reduce((sum, { size }) => sum + size, 0)).toBeLessThan(3_000_000);
    expect(files.filter((file) => file.endsWith('catalogue.json'))).toEqual(['demo/catalogue.json']);
    expect(new Set(models.map(({ catalogueUrl }) => catalogueUrl))).toEqual(new Set(['models/demo/catalogue.json']));
  });

  test.each(models)('$title is in half precision, and is what the page says of it', async (model) => {
    const folder = join(site, model.modelUrl);
    const { architecture, parameters, tensors, licence } = await inspectArtifact(folder);
    expect({ architecture, parameters }).toEqual({ architecture: model.architecture, parameters: model.parameters });
    const own = readdirSync(folder).filter((file) => file !== 'strategies.json' && file !== 'catalogue.json');
    expect(own.reduce((sum, file) => sum + statSync(join(folder, file)).size, 0)).toBe(model.bytes);
    expect(new Set(tensors.map(({ type }) => type))).toEqual(new Set(['F16', 'I32']));
    expect(licence).toBe('MIT');
  });
});

describe('the panel', () => {
  const windows = shopWindows();

  const line = (page: Page, title: string) => page.locator('.models li').filter({ hasText: title });
  const because = (page: Page) => page.locator('p.because').textContent();

  async function look(page: Page, n: number): Promise<string> {
    await page.locator('.nav a').nth(1).click();
    await page.locator('.list-head').waitFor();
    await page.locator('.grid .card-link').nth(n).click();
    await page.locator('.product').waitFor();
    await settled(page);
    return (await page.locator('h1').textContent()) ?? '';
  }

  /** Names of the folders of models from which files were loaded. */
  const loaded = (requests: readonly { readonly url: string }[]) =>
    new Set(
      requests.flatMap(({ url }) => {
        const [, model] = /\/models\/(\d+)\/[0-9a-f]+\/weights\.safetensors$/.exec(url) ?? [];
        return model === undefined ? [] : [models[Number(model)]!.name];
      }),
    );

  test('lists every model with its architecture, parameters and bytes, and loads only the one that is chosen', async () => {
    const { page, requests, errors } = await windows.open({ address: '?backend=wasm&model=sasrec' });
    await openPanel(page, 'Models');
    const texts = await page.locator('.models li').allTextContents();
    expect(texts.length).toBe(models.length);
    models.forEach(({ title, parameters }, i) => {
      expect(texts[i]).toContain(title);
      expect(texts[i]).toContain(`${parameters!.toLocaleString('en-GB')} parameters · `);
    });
    expect(await line(page, 'SASRec').first().getByRole('radio').isChecked()).toBe(true);
    await expect.poll(() => loaded(requests)).toEqual(new Set(['sasrec']));
    expect(errors).toEqual([]);
  });

  test('goes over to another model while the visit goes on', async () => {
    const { page, requests, errors } = await windows.open();
    const title = await look(page, 3);
    await openPanel(page, 'Models');
    await page.getByRole('radio', { name: /^Caser/ }).check();
    await expect.poll(() => new URL(page.url()).searchParams.get('model')).toBe('caser');
    await page.getByRole('tab', { name: 'Engine' }).click();
    await page.getByText('Compiled plan, in a worker').waitFor();
    await page.locator('.figures').getByText('Caser', { exact: true }).waitFor();
    await settled(page);
    await expect.poll(() => because(page)).toBe(`Because you looked at ${title}`);
    await expect.poll(() => loaded(requests)).toEqual(new Set(['gru4rec', 'caser']));
    await page.reload();
    await settled(page);
    await openPanel(page, 'Models');
    expect(await page.getByRole('radio', { name: /^Caser/ }).isChecked()).toBe(true);
    expect(errors).toEqual([]);
  });

  if (isSoak)
    test('shows side by side what several suggest for the visit as it stands, and lets them go', async () => {
      const { page, requests, errors } = await windows.open();
      await look(page, 3);
      await openPanel(page, 'Models');
      const workers = () => page.workers().length;
      const before = workers();
      await page.getByRole('checkbox', { name: 'Compare GRU4Rec' }).check();
      await expect.poll(() => loaded(requests)).toEqual(new Set(['gru4rec'])); // one alone is what the shop shows
      await page.getByRole('checkbox', { name: 'Compare SR-GNN' }).check();
      const row = (title: string) =>
        page.locator('.contender').filter({ has: page.getByRole('heading', { name: title }) });
      const suggestions = async (title: string) => {
        await row(title).locator('a').nth(5).waitFor();
        return row(title)
          .locator('a')
          .evaluateAll((links) => links.map((link) => link.getAttribute('title')));
      };
      const [first, second] = [await suggestions('GRU4Rec'), await suggestions('SR-GNN')];
      expect(first).not.toEqual(second);
      await expect.poll(() => loaded(requests)).toEqual(new Set(['gru4rec', 'srgnn']));
      // The row of the shop's own model is its shelf.
      const shelf = page.locator('.slot-for-you [part=title]');
      expect(first).toEqual((await shelf.allTextContents()).slice(0, 6));
      expect(await row('SR-GNN').textContent()).toMatch(/\d(\.\d)? ms.*Shares \d of 6 with GRU4Rec/s);
      expect(await line(page, 'SR-GNN').textContent()).toMatch(/\d ms/);
      expect(workers()).toBe(before + 2);

      await look(page, 7);
      await expect.poll(() => suggestions('SR-GNN')).not.toEqual(second);
      await page.getByRole('tab', { name: 'Engine' }).click();
      await expect.poll(workers).toBe(before);
      await page.getByRole('tab', { name: 'Models' }).click();
      await suggestions('SR-GNN');
      await page.getByRole('button', { name: 'Close' }).click();
      await expect.poll(workers).toBe(before);
      expect(errors).toEqual([]);
    });

  test('says which model could not be loaded, and the shop goes on with its own', async () => {
    const { page } = await windows.open({
      prepare: (opened) =>
        opened
          .context()
          .route(/\/models\/[1-9]\/.*weights\.safetensors$/, (route) =>
            route.fulfill({ status: 200, body: 'damaged' }),
          ),
    });
    await openPanel(page, 'Models');
    await page.getByRole('checkbox', { name: 'Compare GRU4Rec' }).check();
    await page.getByRole('checkbox', { name: 'Compare SASRec' }).check();
    await page.locator('.contender .trouble').getByText('weights.safetensors').waitFor();
    await page.locator('.contender').first().locator('a').first().waitFor();
    expect(await because(page)).toMatch(/^Popular in this shop/);
  });

  test('is used by keyboard alone', async () => {
    const { page } = await windows.open();
    await openPanel(page, 'Models');
    await page.getByRole('radio', { name: /^GRU4Rec/ }).focus();
    await page.keyboard.press('ArrowDown');
    await expect.poll(() => new URL(page.url()).searchParams.get('model')).toBe(models[1]!.name);
    await page.getByRole('checkbox', { name: `Compare ${models[1]!.title}` }).focus();
    await page.keyboard.press('Space');
    await page.getByRole('checkbox', { name: `Compare ${models[2]!.title}` }).focus();
    await page.keyboard.press('Space');
    await page.locator('.contender a').first().waitFor();
    expect(await page.evaluate(() => document.activeElement?.getAttribute('type'))).toBe('checkbox');
  });
});
