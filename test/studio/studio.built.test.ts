/** The built studio in Chromium: from a small log to a model whose weights are the command line's, and to a shop's page. */
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { availableParallelism, tmpdir } from 'node:os';
import { join } from 'node:path';
import { parquetWriteBuffer } from 'hyparquet-writer';
import type { BrowserContext, Page } from 'playwright-core';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { readZip, writeZip } from '../../src/pipeline/zip';
import { withFields } from '../../src/studio/fields';
import { faults, overflow } from '../axe';
import { contentOf } from '../chromium';
import { badLogs } from '../cli/bad-logs';
import { aisle } from '../cli/program';
import { ringDays } from '../cli/ring-days';
import { serveShop } from '../demo/shop-window';
import { originOf } from '../server';
import { browserAndServer } from '../shared-chromium';
import { isSoak } from '../soak-slice';
import { html, SCRIPT, SLOT, serveEmbed } from '../ui/embed-window';
import { eachState, foreignFiles, inventShop } from './states';

vi.setConfig({ testTimeout: 120_000 }); // a browser on a machine that may be busy

const shared = browserAndServer(serveShop);
const SETTINGS = { layers: '8', batchSize: '8', nSample: '8', nEpochs: '30' };
const ATTENTION = { hiddenUnits: '8', maxlen: '6', numBlocks: '1', batchSize: '8', numEpochs: '2' };

let place: string;
let data: string;
let weights: Buffer;
beforeAll(async () => {
  place = await mkdtemp(join(tmpdir(), 'aisle-studio-'));
  data = join(place, 'events.csv');
  await writeFile(data, ringDays(3));
  weights = await trained('gru4rec', SETTINGS);
});
afterAll(() => rm(place, { recursive: true, force: true }));

/** The weights of the command line. */
async function trained(model: string, settings: Readonly<Record<string, string>>, ...more: string[]): Promise<Buffer> {
  const out = join(place, model);
  const set = Object.entries(settings).flatMap(([key, value]) => ['--set', `${key}=${value}`]);
  const argv = ['--data', data, '--model', model, '--out', out, '--preset', 'none', ...set, ...more];
  expect(await aisle('train', ...argv)).toMatchObject({ code: 0 });
  return readFile(join(out, 'weights.safetensors'));
}

type File = Exclude<Parameters<Page['setInputFiles']>[1], string | readonly unknown[]>;

/** A feed of Merchant Center with the items of the log. Two have the same title, and one has no category. */
function feed(): File {
  const numbers = Array.from({ length: 12 }, (_, i) => i);
  const ids = [...numbers.map((i) => `p${i}`), 'late0', 'late1', 'late2'];
  const rows = ids.map((id, i) => [id, `Cup ${Math.max(1, i)}`, i === 3 ? '' : 'Cups']);
  const lines = rows.map(([id, title, type]) => [id, title, `https://shop.example/${id}`, '2.00 EUR', type].join('\t'));
  const text = ['id\ttitle\tlink\tprice\tproduct_type', ...lines].join('\n');
  return { name: 'merchant.tsv', mimeType: 'text/plain', buffer: Buffer.from(text) };
}

/** The log as Parquet. */
function parquet(): File {
  const [head = '', ...lines] = ringDays(3).trim().split('\n');
  const rows = lines.map((line) => line.split(','));
  const columnData = head.split(',').map((name, c) => {
    const cells = rows.map((row) => row[c]!);
    return c < 2
      ? { name, data: cells, type: 'STRING' as const }
      : { name, data: cells.map(Number), type: 'DOUBLE' as const };
  });
  return { name: 'events.parquet', mimeType: '', buffer: Buffer.from(parquetWriteBuffer({ columnData })) };
}

const hasGpu = (page: Page): Promise<boolean> =>
  page.evaluate(async () => Boolean(await navigator.gpu?.requestAdapter()));

/** What the studio has stored of its state. */
const stored = (page: Page): Promise<string> =>
  page.evaluate(async () => {
    const folder = await (await navigator.storage.getDirectory()).getDirectoryHandle('aisle-studio');
    return (await (await folder.getFileHandle('state.json')).getFile()).text();
  });

interface Opened {
  readonly page: Page;
  readonly context: BrowserContext;
  /** Addresses that the studio has requested since it was read, but for its own files. */
  readonly requests: string[];
  readonly errors: string[];
}

async function openIn(context: BrowserContext): Promise<Opened> {
  const page = await context.newPage();
  const [requests, errors]: string[][] = [[], []];
  page.on('pageerror', (error) => errors!.push(error.message));
  page.on('console', (message) => message.type() === 'error' && errors!.push(message.text()));
  await page.goto(`${originOf(shared.server)}/studio/`);
  const origin = originOf(shared.server);
  const own = new RegExp(`^${origin}/(studio/)?(assets/[\\w.-]+)?$`);
  context.on('request', (request) => {
    if (!own.test(request.url()) || request.method() !== 'GET') requests!.push(`${request.method()} ${request.url()}`);
  });
  return { page, context, requests: requests!, errors: errors! };
}

async function open(): Promise<Opened> {
  const context = await shared.browser.newContext({ viewport: { width: 1280, height: 900 }, locale: 'en-GB' });
  const opened = await openIn(context);
  await opened.page.locator('#log').waitFor();
  return opened;
}

/** @param products A file of them. */
async function readTheLog(page: Page, log: string | File = data, products?: File): Promise<void> {
  await page.setInputFiles('#log-files', log);
  if (products) await page.getByLabel('Your products, if you like').setInputFiles(products);
  await page.getByRole('button', { name: 'Read the log' }).click();
  await page.getByRole('row', { name: /the best that counts/ }).waitFor();
}

async function startTraining(
  page: Page,
  settings: Readonly<Record<string, string>> = SETTINGS,
  { seed = '1', backend = 'wasm' } = {},
): Promise<void> {
  await page.locator('#train summary').click();
  await page.getByLabel('Preset').selectOption('none');
  await page.getByLabel('Computed by').selectOption(backend);
  await page.getByLabel('Seed').fill(seed);
  const lines = Object.entries(settings).map(([key, value]) => `${key}=${value}`);
  await page.getByLabel('Single settings').fill(lines.join('\n'));
  await page.getByRole('button', { name: 'Train', exact: true }).click();
}

const runOf = (page: Page, name: string) => page.getByRole('article', { name: `Training of ${name}`, exact: true });
const ended = (page: Page) => page.getByText(/^Trained in/).waitFor();

async function archiveOf(page: Page): Promise<Map<string, Uint8Array>> {
  const downloading = page.waitForEvent('download');
  await page.getByRole('button', { name: /^Download \w+\.zip/ }).click();
  const bytes = await contentOf(await downloading);
  return readZip(new Blob([new Uint8Array(bytes)]), 'model.zip');
}

test('a log becomes a model: the weights of the command line, also where its tab was closed in between', async () => {
  const first = await open();
  await readTheLog(first.page, data, feed());
  for (const name of ['Events of each hour', 'Items by their sessions', 'What is clicked next in a session'])
    expect(await first.page.getByRole('img', { name }).count(), name).toBe(1);
  expect(await faults(first.page)).toEqual([]);
  const isKept = first.page.getByText('The browser keeps them until you erase them.');
  expect(await isKept.count()).toBe(0);
  await first.page.evaluate(() => {
    navigator.storage.persist = () => Promise.resolve(true);
  });
  await startTraining(first.page);
  await first.page.getByRole('button', { name: 'Train', exact: true }).click();
  await isKept.waitFor();
  if (availableParallelism() > 1) await first.page.getByText('A second thread trains gru4rec').first().waitFor();
  await first.page.locator('.run .plot').first().waitFor(); // an epoch has ended
  await expect.poll(() => stored(first.page)).toContain('gru4rec-2');
  await first.page.close();

  const { page, context, requests, errors } = await openIn(first.context);
  const [interrupted, waiting] = [runOf(page, 'gru4rec'), runOf(page, 'gru4rec-2')];
  await waiting.getByText(/^Waits\. Go on with it/).waitFor();
  await interrupted.getByRole('button', { name: 'Go on' }).click();
  await page.getByRole('row', { name: /^gru4rec ?trains, epoch \d+/ }).waitFor();
  await waiting.getByText('Waits for its turn.').waitFor();
  await waiting.getByRole('button', { name: 'Leave out' }).click();
  await expect.poll(() => stored(page)).not.toContain('gru4rec-2');
  await waiting.getByRole('button', { name: 'Forget it' }).click();
  await ended(page);
  const files = await archiveOf(page);
  expect(Buffer.from(files.get('weights.safetensors')!).equals(weights)).toBe(true);
  expect([...files.keys()]).toEqual(expect.arrayContaining(['manifest.json', 'items.json', 'plan.bin', 'report.html']));

  // The first session and the map of the only network are there without a click.
  await page.locator('circle.dot').first().waitFor();
  expect(await page.getByLabel('Session', { exact: true }).inputValue()).toBe('1');
  const numbers = (await page.locator('.stop text').allTextContents()).flatMap((text) => text.split(', '));
  expect(numbers).toHaveLength(await page.locator('.step').count());
  const lists = page
    .locator('.step')
    .first()
    .getByRole('heading', { name: /: rank / });
  const count = await lists.count();
  await page.getByRole('group', { name: 'Side by side' }).getByLabel('gru4rec').uncheck();
  await expect.poll(() => lists.count()).toBe(count - 1);
  expect(await lists.allTextContents()).not.toContain('gru4rec');
  expect(await page.getByText(/trains on one thread/).count()).toBe(0); // nobody has asked for more
  expect(await page.locator('#race .legend li').allTextContents()).toEqual(['Cups', 'other']);
  expect(await page.getByLabel('Computed by').locator('[value=webgpu]').count()).toBe(Number(await hasGpu(page)));
  expect(await faults(page)).toEqual([]);
  await page.emulateMedia({ colorScheme: 'dark' });
  await expect.poll(() => faults(page)).toEqual([]); // once the buttons have taken the colours
  await page.setViewportSize({ width: 390, height: 844 });
  expect(await overflow(page)).toBeLessThanOrEqual(0);

  expect(requests).toEqual([]);
  expect(errors).toEqual([]);

  const shop = context.waitForEvent('page');
  await page.getByRole('button', { name: 'Try it in the demo shop' }).click();
  await (await shop).getByRole('heading').first().waitFor();
  expect((await shop).url()).toContain('?model=');
  await expect.poll(async () => (await shop).getByText(/^Cup \d+$/).count()).toBeGreaterThan(5);

  const folder = join(place, 'unpacked');
  await rm(folder, { recursive: true, force: true });
  await mkdir(folder);
  for (const [name, bytes] of files) await writeFile(join(folder, name), bytes);
  const site = await serveEmbed({ '/models/gru4rec/': folder });
  try {
    const hosts = 'data-allow-hosts="shop.example" data-'; // the feed's links; without it the slot stays empty
    site.serve('/', html(SLOT, SCRIPT.replace('/models/demo/', '/models/gru4rec/').replace('data-', hosts)));
    const plain = await shared.browser.newPage();
    await plain.goto(site.origin);
    await plain.evaluate(() => window.aisle?.push(['track', 'p3']));
    const slot = plain.locator('aisle-recommendations');
    await expect.poll(() => slot.getAttribute('data-aisle-state'), { timeout: 90_000 }).toBe('ready');
    await slot
      .getByRole('link', { name: /^Cup \d+/ })
      .first()
      .waitFor();
    await plain.close();
  } finally {
    site.close();
  }
});

// In `npm test` the command line's threads are compared.
if (isSoak)
  test.skipIf(availableParallelism() < 2)('several threads give the weights of --threads', async () => {
    const { page } = await open();
    await readTheLog(page);
    await page.getByLabel('gru4rec').uncheck();
    await page.getByLabel('sasrec', { exact: true }).check();
    await startTraining(page, ATTENTION);
    await ended(page);
    const ours = Buffer.from((await archiveOf(page)).get('weights.safetensors')!);
    expect(ours.equals(await trained('sasrec', ATTENTION, '--threads', '1'))).toBe(true);
  });

test('where there is a GPU, what trains fastest is measured, told, and kept', async ({ skip }) => {
  const { page, errors } = await open();
  if (!(await hasGpu(page))) skip('this browser has no GPU');
  await readTheLog(page);
  await startTraining(page, { ...SETTINGS, nEpochs: '2' }, { backend: 'auto' });
  await ended(page);
  const told = page.getByText(
    /^A step of gru4rec takes [\d.]+ ms on wasm.*, [\d.]+ ms on webgpu: (wasm|webgpu) trains it\.$/,
  );
  const [, fastest] = /: (\w+) trains/.exec((await told.textContent())!)!;
  await expect.poll(() => stored(page)).toContain(`"backend":"${fastest}"`);
  expect(errors).toEqual([]);
});

test('another tab waits until the studio is closed', async () => {
  const { page, context } = await open();
  const second = await openIn(context);
  await second.page.getByRole('heading', { name: 'The studio is open in another tab' }).waitFor();
  await page.close();
  await second.page.locator('#log').waitFor();
  expect(second.errors).toEqual([]);
});

test('where the storage is full, it says so, and goes on in memory', async () => {
  const { page, context, requests } = await open();
  const session = await context.newCDPSession(page);
  const { origin } = new URL(page.url());
  await session.send('Storage.overrideQuotaForOrigin', { origin, quotaSize: 1 });
  await readTheLog(page, parquet());
  await page.getByText(/storage for this page is full. The studio goes on in memory/).waitFor();
  await startTraining(page);
  await ended(page);
  const files = await archiveOf(page);
  expect(Buffer.from(files.get('weights.safetensors')!).equals(weights)).toBe(true);
  expect(requests).toEqual([]);
});

test('what is refused leaves the log and its models as they were', async () => {
  const { page, errors } = await open();
  await page.evaluate(() => {
    const said = new Set<string>();
    Object.assign(window, { said });
    new MutationObserver(() => {
      const shown = document.querySelectorAll('#race:not([hidden]) > p:not([hidden])');
      for (const { textContent } of shown) said.add(textContent ?? '');
    }).observe(document.body, { subtree: true, childList: true, attributes: true });
  });
  await readTheLog(page);
  await page.locator('.step').first().waitFor();
  const said = await page.evaluate(() => [...(window as unknown as { said: Set<string> }).said].join(' '));
  expect(said).toContain('once the models that count are measured');
  expect(said).not.toContain('While a model trains');
  const steps = await page.locator('.replay').textContent();
  await page.getByLabel('Session', { exact: true }).fill('');
  await page.getByLabel('Session', { exact: true }).dispatchEvent('change');
  await startTraining(page, SETTINGS, { seed: '' });
  await page.getByText('“Seed”: expected a whole number, got NaN.').waitFor();
  expect(await page.getByLabel('Session', { exact: true }).inputValue()).toBe('1');
  expect(await page.locator('.replay').textContent()).toBe(steps);
  await page.getByRole('button', { name: 'Forget it' }).click();

  const text = 'session_id,item_id,timestamp\na,x,1\na,y,2\nb,y,3\nb,z,4\n';
  await page.setInputFiles('#log-files', { name: 'other.csv', mimeType: 'text/csv', buffer: Buffer.from(text) });
  const refused: readonly (readonly [content: string, message: string])[] = [
    ['{', 'catalogue.json'],
    ['[{"id":"q","title":"Q"}]', 'catalogue.json: none of its products is in the log'],
  ];
  for (const [content, message] of refused) {
    const products = { name: 'catalogue.json', mimeType: 'application/json', buffer: Buffer.from(content) };
    await page.getByLabel('Your products, if you like').setInputFiles(products);
    await page.getByRole('button', { name: 'Read the log' }).click();
    await expect.poll(() => page.locator('#log .alert').textContent()).toContain(message);
  }
  const refusedField = async (label: string, given: string, button: string, message: string, usual: string) => {
    await page.getByLabel(label, { exact: true }).fill(given);
    await page.getByRole('button', { name: button, exact: true }).click();
    await page.getByText(message).waitFor();
    await page.getByLabel(label, { exact: true }).fill(usual);
  };
  await page.locator('#log summary').click();
  for (const [label, given, least] of [
    ['Fewest events of an item', '1.5', 1],
    ['Bad rows to pass over', '-1', 0],
  ] as const) {
    const message = `${label}: expected a whole number, at least ${least}, got ${given}.`;
    await refusedField(label, given, 'Read the log', message, '');
  }
  const passes = 'Passes over the log';
  await refusedField(passes, '0', 'Train', `${passes}: expected a whole number, at least 1, got 0.`, '');
  await page.getByLabel('gru4rec').uncheck();
  await page.getByRole('button', { name: 'Train', exact: true }).click();
  await page.getByText('Networks: none is chosen').waitFor();
  await page.getByLabel('gru4rec').check();
  await page.getByLabel('Seed').fill('1');
  await page.getByRole('button', { name: 'Train', exact: true }).click();
  await ended(page);
  const asked = page.waitForEvent('dialog').then((dialog) => dialog.dismiss().then(() => dialog.message()));
  await page.getByRole('button', { name: 'Forget it' }).click();
  expect(await asked).toBe('Remove the model gru4rec from this browser?');
  const askedFirst = page.waitForEvent('dialog').then((dialog) => dialog.dismiss().then(() => dialog.message()));
  await page.getByRole('button', { name: 'Read the log' }).click();
  expect(await askedFirst).toContain('Remove gru4rec from this browser?');
  expect(Buffer.from((await archiveOf(page)).get('weights.safetensors')!).equals(weights)).toBe(true);

  // As if the tab had been closed once the archive was there, and what was measured had not been stored.
  await page.evaluate(async () => {
    const folder = await (await navigator.storage.getDirectory()).getDirectoryHandle('aisle-studio');
    const file = await folder.getFileHandle('state.json');
    const state = JSON.parse(await (await file.getFile()).text());
    const stream = await file.createWritable();
    await stream.write(JSON.stringify({ ...state, runs: state.runs.map(({ row, ...run }: { row: unknown }) => run) }));
    await stream.close();
    const run = await (await folder.getDirectoryHandle('runs')).getDirectoryHandle('gru4rec');
    await run.removeEntry('measured.safetensors');
  });
  await page.reload();
  await ended(page);
  expect(Buffer.from((await archiveOf(page)).get('weights.safetensors')!).equals(weights)).toBe(true);
  await page
    .getByRole('heading', { name: /: rank / })
    .first()
    .waitFor();
  await page.getByText('What gru4rec reached was not stored: it can be taken home, but not raced.').waitFor();
  expect(errors).toEqual([]);
});

if (isSoak)
  test('while a model trains no other log is read, but everything can be erased', async () => {
    const { page, errors } = await open();
    await readTheLog(page);
    await page.setInputFiles('#log-files', data);
    await page.getByRole('button', { name: 'Read the log' }).waitFor();
    await startTraining(page);
    await page.locator('.run .plot').first().waitFor();
    await page.getByRole('button', { name: 'Read the log' }).click();
    await page.getByText('A model trains on the log that is open. Pause it first.').waitFor();
    // Weights made elsewhere are taken beside it.
    await page.setInputFiles('#log-files', foreignFiles());
    await page.getByText(TAKEN).waitFor();
    expect(await page.locator('.run').count()).toBe(1);
    page.on('dialog', (dialog) => dialog.accept());
    const opened = page.waitForEvent('load');
    await page.getByRole('button', { name: 'Erase everything here' }).click();
    await opened;
    await page.getByText('Choose a log').waitFor();
    expect(await page.getByRole('row').count()).toBe(0);

    // As a tab leaves it that is closed before the first write has ended.
    await page.evaluate(async () => {
      const folder = await (await navigator.storage.getDirectory()).getDirectoryHandle('aisle-studio', {
        create: true,
      });
      await folder.getFileHandle('state.json', { create: true });
    });
    await page.reload();
    await readTheLog(page);
    expect(await page.getByText(/^What an earlier visit has left/).count()).toBe(0);
    expect(errors).toEqual([]);
  });

test('without https it says what it needs', async () => {
  const context = await shared.browser.newContext();
  await context.addInitScript(() => Object.defineProperty(window, 'isSecureContext', { value: false }));
  const { page } = await openIn(context);
  expect(await page.getByRole('alert').textContent()).toBe('The studio needs https or localhost.');
});

test('a bad file is refused in the words of the command line; what is gzip is unpacked by the browser', async () => {
  const { page } = await open();
  for (const [, name, content, message] of badLogs.filter(([what]) => /gzip|a missing column/.test(what))) {
    await page.setInputFiles('#log-files', { name, mimeType: 'text/plain', buffer: Buffer.from(content) });
    const start = page.getByRole('button', { name: 'Read the log' });
    const alert = page.locator('#log .alert:visible');
    await start.or(alert).first().waitFor();
    if (await start.isVisible()) await start.click();
    const words = withFields(`${message.startsWith(':') ? name : ''}${message}`);
    await expect.poll(() => alert.textContent()).toContain(words);
  }
  // An export of orders, of which some have no SKU.
  const orders =
    'Name,Lineitem sku,Created at\n#1,x,2024-03-01 10:00:00\n#1,,2024-03-01 10:00:00\n#1,y,2024-03-01 10:00:00\n';
  await page.setInputFiles('#log-files', { name: 'orders.csv', mimeType: 'text/csv', buffer: Buffer.from(orders) });
  await page.getByRole('heading', { name: /^orders\.csv/ }).waitFor();
  await page.getByRole('button', { name: 'Read the log' }).click();
  await page.getByText('To read on, say how many such rows may be left out, under “Bad rows to pass over”.').waitFor();
  await page.getByLabel('Bad rows to pass over').fill('1');
  await page.getByRole('button', { name: 'Read the log' }).click();
  await page.getByText('too small to hold sessions out').waitFor();
});

const TAKEN = 'Taken: weights from net.safetensors, parameters from net.json, item ids from ids.json.';

test('a file that is dropped on a field is left to the field; anywhere else on the page it is a log', async () => {
  const { page, errors } = await open();
  await page.setInputFiles('#log-files', data);
  const feed = page.getByLabel('Your products, if you like');
  await feed.waitFor();
  const drop = (selector: string) =>
    page
      .locator(selector)
      .first()
      .evaluate((target) => {
        const dataTransfer = new DataTransfer();
        dataTransfer.items.add(new File(['session_id,item_id\na,x\na,y\n'], 'dropped.csv'));
        const event = new DragEvent('drop', { dataTransfer, bubbles: true, cancelable: true });
        target.dispatchEvent(event);
        return event.defaultPrevented;
      });
  const heading = page.locator('#log h3').first();
  const chosen = await heading.textContent();
  expect(await drop('input[type=file]:not(.unseen)')).toBe(false);
  expect(await heading.textContent()).toBe(chosen);
  expect(await drop('#log h2')).toBe(true);
  await page.getByRole('heading', { name: /^dropped\.csv: about/ }).waitFor();
  expect(errors).toEqual([]);
});

test('a training that fails is named, and the next one goes on', async () => {
  const { page, errors } = await open();
  await readTheLog(page);
  await startTraining(page, { ...SETTINGS, layrs: '8' });
  await page.getByText(/layrs/).last().waitFor();
  expect(await page.getByText(/^Trained in/).count()).toBe(0);
  const train = async (settings: Readonly<Record<string, string>>): Promise<void> => {
    const lines = Object.entries(settings).map(([key, value]) => `${key}=${value}`);
    await page.getByLabel('Single settings').fill(lines.join('\n'));
    await page.getByRole('button', { name: 'Train', exact: true }).click();
  };
  await train({ ...SETTINGS, layers: '4000' });
  await page.getByText(/^gru4rec would have [\d,]+ weights on \d+ events, which take about/).waitFor();

  // What is paused keeps what waits behind it.
  await train(SETTINGS);
  await page.getByRole('button', { name: 'Train', exact: true }).click();
  const [paused, waiting] = [runOf(page, 'gru4rec-3'), runOf(page, 'gru4rec-4')];
  await waiting.getByText('Waits for its turn.').waitFor();
  await paused.getByRole('button', { name: 'Pause' }).click();
  await paused.getByText(/^Paused/).waitFor();
  await waiting.getByText(/^Waits\. Go on with it/).waitFor();
  await waiting.getByRole('button', { name: 'Forget it' }).click();
  await paused.getByRole('button', { name: 'Go on' }).click();
  await ended(page);

  // As if the training had ended before its worker heard of the click.
  await page.evaluate(() => {
    const send = Worker.prototype.postMessage;
    Worker.prototype.postMessage = function (message, ...rest) {
      if (message.method !== 'pause') Reflect.apply(send, this, [message, ...rest]);
    };
  });
  for (let i = 0; i < 2; i++) await page.getByRole('button', { name: 'Train', exact: true }).click();
  const [late, next] = [runOf(page, 'gru4rec-4'), runOf(page, 'gru4rec-5')];
  await late.getByRole('button', { name: 'Pause' }).click();
  await late.getByText(/^Trained in/).waitFor();
  await next.getByText(/^Waits\. Go on with it/).waitFor();
  expect(errors).toEqual([]);
});

test('an archive made elsewhere is opened and checked', async () => {
  const { page, requests } = await open();
  await page.setInputFiles('#log-files', { name: 'model.zip', mimeType: 'application/zip', buffer: Buffer.from('PK') });
  const said = page.locator('#open .alert');
  await said.waitFor();
  expect(await said.textContent()).toContain('model.zip: this is no zip archive, or one that is cut off.');

  await page.setInputFiles('#log-files', foreignFiles());
  await page.getByText(TAKEN).waitFor();

  expect(requests).toEqual([]);

  // Once everything is erased the page begins anew, whatever a browser says of service workers.
  await page.evaluate(() => {
    navigator.serviceWorker.getRegistration = () => Promise.reject(new Error('no service workers'));
  });
  page.once('dialog', (dialog) => dialog.accept());
  const opened = page.waitForEvent('load');
  await page.getByRole('button', { name: 'Erase everything here' }).click();
  await opened;
});

/** Says what a shop needs of the model that was opened, and opens the demo shop on it. */
async function tried(page: Page, name: string): Promise<Page> {
  const model = page.locator('#open').getByRole('article', { name: `Model ${name}`, exact: true });
  await model.waitFor();
  expect(await model.getByLabel('The tag', { exact: true }).textContent()).toContain(
    `data-model-url="/models/${name}/"`,
  );
  expect(await model.getByLabel(/^The security policy/).textContent()).toContain("default-src 'self'");
  const shop = page.context().waitForEvent('page');
  await model.getByRole('button', { name: 'Try it in the demo shop' }).click();
  return shop;
}

test('models made elsewhere, and weights of another program, get a tag and a shop', async () => {
  const { page, requests, errors } = await open();
  const folder = join(place, 'gru4rec');
  const files = new Map<string, Uint8Array>();
  for (const name of await readdir(folder)) files.set(`mine/${name}`, await readFile(join(folder, name)));
  const zip = { name: 'mine.zip', mimeType: 'application/zip', buffer: Buffer.from(writeZip(files)) };
  await page.setInputFiles('#log-files', zip);
  await page.getByText('Every file is whole, and every weight is there.').waitFor();
  expect(requests).toEqual([]);
  const shop = await tried(page, 'gru4rec');
  const card = (shop: Page) => shop.locator('aisle-recommendations a').first();
  await card(shop).waitFor();
  expect(await shop.getByText(/^p\d+$/).count()).toBeGreaterThan(5);
  await shop.close();

  requests.length = 0;
  await page.setInputFiles('#log-files', foreignFiles());
  await page.getByText(TAKEN).waitFor();
  await page.getByLabel('Trained by').selectOption('gru4rec');
  await page.getByRole('button', { name: 'Import' }).click();
  const downloading = page.waitForEvent('download');
  await page.getByRole('button', { name: /^Download imported-gru4rec\.zip/ }).click();
  const content = await contentOf(await downloading);
  expect([...(await readZip(new Blob([new Uint8Array(content)]), 'model.zip')).keys()]).toContain(
    'weights.safetensors',
  );
  expect(requests).toEqual([]);
  const other = await tried(page, 'imported-gru4rec');
  await other.locator('a[href^="#/product/"]').first().click(); // nothing is popular in a model without a log
  await card(other).waitFor();
  expect(errors).toEqual([]);
});

test('a log is read, a model trained and taken home by the keyboard alone', async () => {
  const { page, errors } = await open();
  /** Goes on to what has this name. */
  const tabTo = async (name: RegExp): Promise<void> => {
    for (let i = 0; i < 60; i++) {
      await page.keyboard.press('Tab');
      const text = await page.evaluate(() => {
        const focused = document.activeElement as HTMLElement & { readonly labels?: NodeListOf<HTMLElement> };
        return focused.labels?.[0]?.textContent ?? focused.textContent ?? '';
      });
      if (name.test(text)) return;
    }
    throw new Error(`${name} is not reached.`);
  };
  const press = async (name: RegExp): Promise<void> => {
    await tabTo(name);
    await page.keyboard.press('Enter');
  };
  const choosing = page.waitForEvent('filechooser');
  await tabTo(/^Choose a log/);
  await page.keyboard.press('Space');
  await (await choosing).setFiles(data);
  await page.getByRole('button', { name: 'Read the log' }).waitFor();
  await press(/^Read the log$/);
  await page.getByRole('row', { name: /the best that counts/ }).waitFor();
  await press(/^Settings$/);
  await tabTo(/^Preset$/);
  await page.keyboard.type('none');
  await tabTo(/^Single settings$/);
  await page.keyboard.type(
    Object.entries(SETTINGS)
      .map(([key, value]) => `${key}=${value}`)
      .join('\n'),
  );
  await press(/^Train$/);
  await ended(page);
  await tabTo(/^Session$/);
  await page.keyboard.press('ArrowUp');
  await page.keyboard.press('Enter');
  await expect.poll(() => page.getByLabel('Session', { exact: true }).inputValue()).toBe('2');
  const downloading = page.waitForEvent('download');
  await press(/^Download gru4rec\.zip/);
  const files = await readZip(new Blob([new Uint8Array(await contentOf(await downloading))]), 'model.zip');
  expect(Buffer.from(files.get('weights.safetensors')!).equals(weights)).toBe(true);
  expect(errors).toEqual([]);
});

if (isSoak)
  test.each([
    [1280, 'light'],
    [390, 'dark'],
  ] as const)('every state is accessible, and fits its window, %i pixels wide and %s', async (width, colorScheme) => {
    const shop = join(place, `shop-${width}`);
    await inventShop(shop);
    const context = await shared.browser.newContext({
      viewport: { width, height: 900 },
      ...{ colorScheme, reducedMotion: 'reduce' as const, locale: 'en-GB' },
    });
    const { page, errors } = await openIn(context);
    const found: Record<string, unknown> = {};
    await eachState(page, shop, async (state) => {
      const wrong = await faults(page);
      if (wrong.length > 0) found[state] = wrong;
      if ((await overflow(page)) > 0) found[`${state}, too wide`] = await overflow(page);
    });
    expect(found).toEqual({});
    expect(errors).toEqual([]);
  });
