import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { faults, overflow } from '../axe';
import { openBrowser } from '../shared-chromium';
import { aisle } from './program';
import { ringDays } from './ring-days';
import { SMALL } from './ring-log';

vi.setConfig({ testTimeout: 120_000 }); // a browser, on a machine that may be busy

const DESKTOP = { viewport: { width: 1280, height: 900 } };
const PHONE = { viewport: { width: 390, height: 844 }, isMobile: true, hasTouch: true };
const REPORT_WINDOWS = {
  'desktop-light': { ...DESKTOP, colorScheme: 'light' },
  'desktop-dark': { ...DESKTOP, colorScheme: 'dark' },
  'phone-light': { ...PHONE, colorScheme: 'light' },
  'phone-dark': { ...PHONE, colorScheme: 'dark' },
} as const;

/** Names that lie on the same spot of a plot, one of them longer than a phone is wide. */
const VARIANTS = [
  { name: 'small', model: 'gru4rec', config: { layers: [8], batchSize: 8, nSample: 8 } },
  { name: 'a variant whose name somebody made much longer than it needs to be', model: 'pop' },
];

let place: string;
let browser: Browser;
let report: string;
let incremental: string;
let training: string;
beforeAll(async () => {
  place = await mkdtemp(join(tmpdir(), 'aisle-report-'));
  const [data, variants] = [join(place, 'events.csv'), join(place, 'variants.json')];
  await writeFile(data, ringDays(3));
  await writeFile(variants, JSON.stringify(VARIANTS));
  const compare = async (name: string, ...more: string[]) => {
    const out = join(place, name);
    const argv = ['compare', '--data', data, '--out', out, '--models', 'pop,s-pop,markov,ar,sr,v-sknn'];
    expect((await aisle(...argv, '--variants', variants, ...more)).code).toBe(0);
    return join(out, 'report.html');
  };
  report = await compare('report', '--seeds', '2');
  incremental = await compare('incremental', '--protocol', 'incremental', '--epochs', '1');
  const model = join(place, 'model');
  const settings = SMALL['gru4rec']!.slice(0, -2);
  const argv = ['--data', data, '--model', 'gru4rec', '--out', model, ...settings, '--set', 'nEpochs=2'];
  expect((await aisle('train', ...argv, '--valid', 'last:20%')).code).toBe(0);
  training = join(model, 'report.html');
  browser = await openBrowser();
});
afterAll(async () => {
  await browser?.close();
  await rm(place, { recursive: true, force: true });
});

async function open(path: string, window: (typeof REPORT_WINDOWS)[keyof typeof REPORT_WINDOWS]) {
  const context = await browser.newContext({ ...window, javaScriptEnabled: true });
  const page = await context.newPage();
  const requests: string[] = [];
  page.on('request', (request) => requests.push(request.url()));
  await page.goto(pathToFileURL(path).href);
  return { page, requests };
}

/** Texts of a plot that reach beyond it, where a browser draws nothing. */
const cutTexts = (page: Page): Promise<string[]> =>
  page.evaluate(() =>
    [...document.querySelectorAll('figure svg[role=img] text')].flatMap((text) => {
      const [box, picture] = [text.getBoundingClientRect(), text.closest('svg')!.getBoundingClientRect()];
      const isInside =
        box.left >= picture.left - 1 &&
        box.right <= picture.right + 1 &&
        box.top >= picture.top - 1 &&
        box.bottom <= picture.bottom + 1;
      return isInside ? [] : [text.textContent ?? ''];
    }),
  );

describe.each(Object.entries(REPORT_WINDOWS))('a report on %s', (_, window) => {
  test.each([
    ['of one test part', () => report],
    ['of the incremental protocol', () => incremental],
    ['of a training', () => training],
  ])('%s has no accessibility fault, fits its window, cuts no text and asks for nothing', async (_, path) => {
    const { page, requests } = await open(path(), window);
    expect(await faults(page)).toEqual([]);
    expect(await overflow(page)).toBeLessThanOrEqual(0);
    expect(await cutTexts(page)).toEqual([]);
    expect(requests).toEqual([pathToFileURL(path()).href]);
    await page.context().close();
  });
});

test('a table that is wider than a phone scrolls by keyboard, and its names stay', async () => {
  const { page } = await open(report, REPORT_WINDOWS['phone-light']);
  const table = page.getByRole('region', { name: 'Result' });
  await table.focus();
  const name = table.getByRole('rowheader', { name: /small/ });
  const before = await name.boundingBox();
  for (let i = 0; i < 5; i++) await page.keyboard.press('ArrowRight');
  await expect.poll(() => table.evaluate(({ scrollLeft }) => scrollLeft)).toBeGreaterThan(0);
  expect((await name.boundingBox())!.x).toBe(before!.x);
});
