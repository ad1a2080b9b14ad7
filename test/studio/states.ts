/** Every state of the studio, in the order in which a visitor comes to it. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Page } from 'playwright-core';
import { encodeSafetensors } from '../../src/checkpoint/write-safetensors';
import { contentOf } from '../chromium';
import { IDS, REFERENCES, weightsOf } from '../cli/foreign-weights';
import { aisle } from '../cli/program';

/** A small network, which learns in seconds. */
const SETTINGS = 'layers=16\nbatchSize=16\nnSample=16\nlearningRate=0.1\nnEpochs=30';

/** Writes the log and the catalogue of an invented shop to a folder. */
export async function inventShop(folder: string): Promise<void> {
  const sizes = ['--items', '120', '--sessions', '1200', '--visitors', '300', '--seed', '1'];
  const { code, stderr } = await aisle('simulate', '--out', folder, ...sizes);
  if (code !== 0) throw new Error(stderr);
}

const text = (name: string, content: string | Uint8Array) => {
  return { name, mimeType: 'application/octet-stream', buffer: Buffer.from(content) };
};

/** Weights of another program, with what belongs to them. */
export const foreignFiles = () => [
  text('ids.json', JSON.stringify(IDS)),
  text('net.safetensors', encodeSafetensors(weightsOf('gru4rec'))),
  text('net.json', JSON.stringify(REFERENCES['gru4rec'])),
];

/**
 * @param page The studio, just opened.
 * @param shop Folder of `inventShop`.
 * @param look Called in each state with its name, and with a selector of the part of the page that it is in.
 */
export async function eachState(
  page: Page,
  shop: string,
  look: (state: string, part: string) => Promise<void>,
): Promise<void> {
  const act = (name: string) => page.getByRole('button', { name, exact: true }).click();
  await page.locator('#log').waitFor();
  await look('empty', 'body');

  await page.setInputFiles('#log-files', text('orders.csv', 'Name,Lineitem sku,Created at\n#1,,2024-03-01 10:00:00\n'));
  await act('Read the log');
  await page.locator('#log .alert').waitFor();
  await look('error', '#log');

  const log = await readFile(join(shop, 'events.tsv.gz'));
  await page.setInputFiles('#log-files', text('events.tsv.gz', log));
  await page.getByRole('heading', { name: /^events\.tsv\.gz/ }).waitFor();
  await page.setInputFiles('#log fieldset ~ .field input[type=file]', join(shop, 'catalogue.json'));
  await look('preview', '#log');

  await act('Read the log');
  await page.locator('.step').first().waitFor();
  await look('read', '#log');
  await look('counted', '#race');

  await page.locator('#train summary').click();
  await page.getByLabel('Preset').selectOption('none');
  await page.getByLabel('Single settings').fill(SETTINGS);
  await act('Train');
  await act('Train'); // one that waits
  const [first, second] = [page.locator('.run').nth(0), page.locator('.run').nth(1)];
  await page.getByRole('img', { name: /^MRR@20 on/ }).waitFor();
  await look('training', '#train');
  await look('training-race', '#race');
  await first.getByRole('button', { name: 'Pause' }).click();
  await first.getByText(/^Paused/).waitFor();
  await look('paused', '#train');
  await second.getByRole('button', { name: 'Forget it' }).click();
  await first.getByRole('button', { name: 'Go on' }).click();
  await page.getByText(/^Trained in/).waitFor();
  await page.locator('circle.dot').first().waitFor();
  await look('trained', '#train');
  await look('race', '#race');
  await look('home', '#home');

  const downloading = page.waitForEvent('download');
  await page.getByRole('button', { name: /^Download gru4rec\.zip/ }).click();
  await page.setInputFiles('#log-files', text('gru4rec.zip', await contentOf(await downloading)));
  await page.getByText('Model card').click();
  await look('model-card', '#open');

  await page.setInputFiles('#log-files', foreignFiles());
  await page.getByText(/^Taken: /).waitFor();
  await look('weights', '#open');
  await page.getByLabel('Trained by').selectOption('gru4rec');
  await act('Import');
  await page.getByText(/^Download imported-gru4rec/).waitFor();
  await look('imported', '#open');
}
