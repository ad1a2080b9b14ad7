/** The package as a shop installs it, in the shop's own bundler: the worker starts there, once, and computes. */
import { cpSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { closeServer, originOf } from '../server';
import { openBrowser } from '../shared-chromium';
import { complete, expectWorker, libraryOf, makeShop, serveSite, strictPolicy } from './shop';

let shop: string;
let browser: Browser;
beforeAll(async () => {
  shop = await makeShop();
  browser = await openBrowser();
});
afterAll(async () => {
  await browser?.close();
  rmSync(shop, { recursive: true, force: true });
});

/** Serves a folder until the test ends. @returns Its origin. */
async function serve(site: string, headers: Record<string, string>): Promise<string> {
  const server = await serveSite(site, headers);
  onTestFinished(() => closeServer(server));
  return originOf(server);
}

describe('in Vite', () => {
  const config = () => ({ root: shop, configFile: false, logLevel: 'error' }) as const;

  test('as it is served in development', async () => {
    const { createServer } = await import('vite');
    const server = await createServer({ ...config(), mode: 'development', server: { port: 0, watch: null } });
    try {
      await server.listen();
      const { port } = server.httpServer!.address() as AddressInfo;
      await expectWorker(browser, `http://localhost:${port}/`);
    } finally {
      await server.close();
    }
  });

  test('as it is built, under a strict security policy', async () => {
    const { build } = await import('vite');
    const site = join(shop, 'vite');
    await build({ ...config(), mode: 'production', build: { target: 'es2022', outDir: site } });
    await expectWorker(browser, `${await serve(site, { 'content-security-policy': strictPolicy() })}/`);
  });
});

describe('without a bundler', () => {
  const SCRIPT = '<script type="module" src="/shop.js"></script>';

  test('as scripts of the own origin', async () => {
    const site = join(shop, 'plain');
    complete(shop, site, `<!doctype html>${SCRIPT}`);
    // With addresses in place of names: a strict policy forbids an import map in the page.
    const text = readFileSync(join(shop, 'shop.js'), 'utf8');
    const plain = text.replace("'aisle/element'", "'/aisle/element.js'").replace("'aisle'", "'/aisle/index.js'");
    expect(plain).not.toMatch(/'aisle/);
    writeFileSync(join(site, 'shop.js'), plain);
    await expectWorker(browser, `${await serve(site, { 'content-security-policy': strictPolicy() })}/`);
  });

  test('by an import map, from another origin, which the policy allows, and a worker at a blob: address', async () => {
    const other = await serve(libraryOf(shop), { 'access-control-allow-origin': '*' });
    const site = join(shop, 'map');
    const imports = { aisle: `${other}/index.js`, 'aisle/element': `${other}/element.js` };
    complete(shop, site, `<!doctype html><script type="importmap">${JSON.stringify({ imports })}</script>${SCRIPT}`);
    cpSync(join(shop, 'shop.js'), join(site, 'shop.js'));
    const policy = strictPolicy({ script: `${other} 'unsafe-inline'`, worker: `blob: ${other}` });
    await expectWorker(browser, `${await serve(site, { 'content-security-policy': policy })}/`);
  });
});
