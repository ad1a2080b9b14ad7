/** The package as a shop installs it, in the shop's own bundler: the worker starts there, once, and computes. */
import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { folderOf, smallModel } from '../engine/fixture';
import { openBrowser } from '../shared-chromium';
import { countReady } from '../worker/ready';
import { packInto } from './built';

const SHOP = `
import { createRecommender } from 'aisle';
const recommender = await createRecommender({ modelUrl: '/model/', backend: 'wasm' });
for (const item of ['item-9', 'item-3', 'item-9']) recommender.track(item);
const items = await recommender.recommend({ k: 5 });
await recommender.fineTune();
const { engine, degraded } = recommender.status;
globalThis.answer = { reasons: items.map(({ reason }) => reason), backend: engine.backend, thread: engine.thread, degraded };
`;
/** As strict as docs/security-policy.md says that a policy may be. */
const CSP = `default-src 'self'; script-src 'self' 'wasm-unsafe-eval'; worker-src 'self'; require-trusted-types-for 'script'; trusted-types aisle`;

let shop: string;
let browser: Browser;
beforeAll(async () => {
  shop = mkdtempSync(join(tmpdir(), 'aisle-shop-'));
  const { tarball } = await packInto(shop);
  const installed = join(shop, 'node_modules/aisle');
  mkdirSync(installed, { recursive: true });
  execFileSync('tar', ['xzf', tarball, '-C', installed, '--strip-components=1']);
  writeFileSync(join(shop, 'package.json'), JSON.stringify({ type: 'module', dependencies: { aisle: '*' } }));
  writeFileSync(join(shop, 'index.html'), '<!doctype html><script type="module" src="/shop.js"></script>');
  writeFileSync(join(shop, 'shop.js'), SHOP);
  mkdirSync(join(shop, 'public/model'), { recursive: true });
  for (const [name, bytes] of await folderOf(await smallModel()))
    writeFileSync(join(shop, 'public/model', name), bytes);
  browser = await openBrowser();
});
afterAll(async () => {
  await browser?.close();
  rmSync(shop, { recursive: true, force: true });
});

/** What the shop's page has got of the recommender, how often a worker said that it is ready, and what could not be loaded. */
async function visit(url: string) {
  const context = await browser.newContext();
  try {
    const page = await context.newPage();
    const missing: string[] = [];
    page.on('response', (response) => response.status() >= 400 && missing.push(response.url()));
    await page.addInitScript(countReady);
    await page.goto(url);
    await page.waitForFunction(() => 'answer' in globalThis);
    const [answer, ready] = (await page.evaluate('[answer, readies]')) as [unknown, unknown];
    return { answer, ready, missing: missing.filter((path) => !/favicon/.test(path)) };
  } finally {
    await context.close();
  }
}

const WELL = {
  answer: { reasons: Array(5).fill('neural'), backend: 'wasm', thread: 'worker', degraded: [] },
  ready: 1,
  missing: [],
};

describe('in Vite', () => {
  const config = () => ({ root: shop, configFile: false, logLevel: 'error' }) as const;

  test('as it is served in development', async () => {
    const { createServer } = await import('vite');
    const server = await createServer({ ...config(), mode: 'development', server: { port: 0, watch: null } });
    try {
      await server.listen();
      const { port } = server.httpServer!.address() as AddressInfo;
      expect(await visit(`http://localhost:${port}/`)).toEqual(WELL);
    } finally {
      await server.close();
    }
  });

  test('as it is built, under a strict security policy', async () => {
    const { build, preview } = await import('vite');
    await build({ ...config(), mode: 'production', build: { target: 'es2022' } });
    const headers = { 'content-security-policy': CSP };
    const server = await preview({ ...config(), preview: { port: 0, headers } });
    try {
      const { port } = server.httpServer.address() as AddressInfo;
      expect(await visit(`http://localhost:${port}/`)).toEqual(WELL);
    } finally {
      await server.close();
    }
  });
});
