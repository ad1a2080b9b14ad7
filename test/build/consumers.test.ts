/**
 * The package as a shop installs it, in the shop's own bundler or in none: the worker starts there, once, and computes. Bundlers that the
 * checkout does not have have their lock files in `test/consumers`, and are installed into a temporary folder, from the npm registry:
 * webpack in `npm test`, all by `npm run soak -- build/consumers`, which writes `test/bench/results/bundlers.md`.
 */
import { execFile, spawn } from 'node:child_process';
import { cpSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { promisify } from 'node:util';
import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, onTestFinished, test, vi } from 'vitest';
import { commit } from '../bench/machine';
import { closeServer, originOf } from '../server';
import { openBrowser } from '../shared-chromium';
import { isSoak } from '../soak-slice';
import { plainEnv, ROOT } from './built';
import { complete, expectWorker, libraryOf, makeShop, serveSite, strictPolicy, type Visit, visit, WAYS } from './shop';

vi.setConfig({ testTimeout: isSoak ? 1_200_000 : 180_000 }); // an installation, on a machine that may be busy

const execute = promisify(execFile);

let shop: string;
let browser: Browser;
const rows: string[] = [];

beforeAll(async () => {
  shop = await makeShop();
  browser = await openBrowser();
});
afterAll(async () => {
  await browser?.close();
  rmSync(shop, { recursive: true, force: true });
});

/** Tools, and ways of telling them of the worker. */
const TOOLS = 13;

/** Its version is that of the lock file. */
function versionOf(bundler: string): string {
  const lock = readFileSync(join(ROOT, 'test/consumers', bundler, 'package-lock.json'), 'utf8');
  return `${bundler} ${JSON.parse(lock).packages[`node_modules/${bundler}`].version}`;
}

const report = (chromium: string, vite: string): string => `# The worker in bundlers

Written by \`npm run soak -- build/consumers\` at ${commit()}, in Chromium ${chromium}, with Node ${process.version}: vite ${vite}, and as the lock
files in \`test/consumers\` have them ${readdirSync(join(ROOT, 'test/consumers')).map(versionOf).join(', ')}. All
under the strictest policy of docs/security-policy.md and Trusted Types, but for Vite's server in development, Turbopack (no Trusted
Types), and Parcel, Next and the import map (\`'unsafe-inline'\`). Bytes:
scripts and WASM that a visit loads, as they are before a server compresses them.

| tool | entry | thread | backend | \`ready\` | bytes | console |
| --- | --- | --- | --- | --- | --- | --- |
${rows.join('\n')}
`;

function note(tool: string, visits: readonly Visit[]): void {
  for (const [i, { answer, ready, bytes, console: lines }] of visits.entries()) {
    const cells = [
      tool,
      WAYS[i]!.entry,
      answer.thread,
      answer.backend,
      ready,
      bytes.toLocaleString('en'),
      lines.join('<br>').replace(/http:\/\/localhost:\d+/g, 'ORIGIN'),
    ];
    rows.push(`| ${cells.join(' | ')} |`);
  }
}

/** What npm says without a network. */
const UNREACHABLE =
  /\b(E(AI_AGAIN|NOTFOUND|NETUNREACH|HOSTUNREACH|CONN\w+|TIMEDOUT|403)|ERR_SOCKET_TIMEOUT|\w*CERT\w*)\b/;

/** A folder of the shop with a bundler's packages, as its lock file says, and the shop's files. */
async function install(name: string): Promise<string> {
  const folder = join(shop, name);
  cpSync(join(ROOT, 'test/consumers', name), folder, { recursive: true });
  await execute(
    'npm',
    ['ci', '--no-audit', '--no-fund', '--prefer-offline', ...(isSoak ? [] : ['--fetch-retries=0'])],
    { cwd: folder, env: plainEnv(), maxBuffer: 1 << 24 },
  );
  cpSync(join(shop, 'node_modules/aisle'), join(folder, 'node_modules/aisle'), { recursive: true });
  for (const file of ['shop.js', 'public']) cpSync(join(shop, file), join(folder, file), { recursive: true });
  return folder;
}

/** A module of a bundler. */
async function load<T>(folder: string, name: string): Promise<T> {
  const path = createRequire(join(folder, 'package.json')).resolve(name);
  return (await import(/* @vite-ignore */ pathToFileURL(path).href)) as T;
}

/** Serves what a bundler has written, under a strict policy. @returns Its address. */
const serve = (site: string, types = '', script = '', worker?: string): Promise<string> =>
  serveWith(site, { 'content-security-policy': strictPolicy({ types, script, ...(worker && { worker }) }) });

async function serveWith(site: string, headers: Record<string, string>): Promise<string> {
  const server = await serveSite(site, headers);
  onTestFinished(() => closeServer(server));
  return `${originOf(server)}/`;
}

const PAGE = '<!doctype html><script type="module" src="/shop.js"></script>';
const WORKER = { workerUrl: '/aisle/worker.js' };

/** Expects that the page works without a worker, and says on the console, in one line, what to add. */
async function expectHint(url: string): Promise<Visit> {
  const found = await visit(browser, url, { entry: 'library', backend: 'plan' });
  expect(found.answer).toMatchObject({ thread: 'main', codes: ['no-worker'] });
  expect(found.console.filter((line) => /workerUrl/.test(line))).toHaveLength(1);
  return found;
}

describe('in Vite', () => {
  const config = () => ({ root: shop, configFile: false, logLevel: 'error' }) as const;

  test('as it is served in development', async () => {
    const { createServer } = await import('vite');
    const server = await createServer({ ...config(), mode: 'development', server: { port: 0, watch: null } });
    try {
      await server.listen();
      const { port } = server.httpServer!.address() as AddressInfo;
      note('Vite, in development', await expectWorker(browser, `http://localhost:${port}/`));
    } finally {
      await server.close();
    }
  });

  test('as it is built, under a strict security policy', async () => {
    const { build } = await import('vite');
    const site = join(shop, 'vite');
    await build({ ...config(), mode: 'production', build: { target: 'es2022', outDir: site } });
    note('Vite, built', await expectWorker(browser, await serve(site)));
  });
});

describe('without a bundler', () => {
  test('as scripts of the own origin', async () => {
    const site = join(shop, 'plain');
    complete(shop, site, PAGE);
    // With addresses in place of names: a strict policy forbids an import map in the page.
    const text = readFileSync(join(shop, 'shop.js'), 'utf8');
    const plain = text.replace("'aisle/element'", "'/aisle/element.js'").replace("'aisle'", "'/aisle/index.js'");
    expect(plain).not.toMatch(/'aisle/);
    writeFileSync(join(site, 'shop.js'), plain);
    note('none, own origin', await expectWorker(browser, await serve(site)));
  });

  test('by an import map, from another origin, which the policy allows, and a worker at a blob: address', async () => {
    const other = (await serveWith(libraryOf(shop), { 'access-control-allow-origin': '*' })).slice(0, -1);
    const site = join(shop, 'map');
    const imports = { aisle: `${other}/index.js`, 'aisle/element': `${other}/element.js` };
    complete(
      shop,
      site,
      PAGE.replace('<script', `<script type="importmap">${JSON.stringify({ imports })}</script><script`),
    );
    cpSync(join(shop, 'shop.js'), join(site, 'shop.js'));
    const url = await serve(site, '', `${other} 'unsafe-inline'`, `blob: ${other}`);
    note('none, import map', await expectWorker(browser, url));
  });
});

describe('with packages of the npm registry', () => {
  test('webpack 5 keeps the worker', async ({ skip }) => {
    const folder = await install('webpack').catch((error: Error) => {
      if (isSoak || !UNREACHABLE.test(error.message)) throw error;
      return skip('the npm registry cannot be reached');
    });
    type Webpack = (
      options: object,
      done: (error: unknown, stats: { toString(): string; hasErrors(): boolean }) => void,
    ) => void;
    const { default: webpack } = await load<{ default: Webpack }>(folder, 'webpack');
    const output = { path: join(folder, 'site'), filename: 'shop.js', trustedTypes: { policyName: 'shop' } };
    const optimization = { minimize: isSoak }; // again: the package is small already
    await new Promise<void>((resolve, reject) =>
      webpack({ mode: 'production', context: folder, entry: './shop.js', output, optimization }, (error, stats) =>
        error || stats.hasErrors() ? reject(error ?? new Error(stats.toString())) : resolve(),
      ),
    );
    complete(shop, output.path, '<!doctype html><script defer src="/shop.js"></script>');
    note('webpack', await expectWorker(browser, await serve(output.path, 'shop')));
  });

  if (!isSoak) return;

  test('Rollup and esbuild keep the worker with a copy of the library and workerUrl; without it, the page says so', async () => {
    const rollup = await install('rollup');
    type Rollup = { rollup(options: object): Promise<{ write(options: object): Promise<unknown> }> };
    const { default: resolve } = await load<{ default: () => object }>(rollup, '@rollup/plugin-node-resolve');
    const bundle = await (await load<Rollup>(rollup, 'rollup')).rollup({
      input: join(rollup, 'shop.js'),
      plugins: [resolve()],
    });
    await bundle.write({ dir: join(rollup, 'site'), format: 'es' });

    const esbuild = await install('esbuild');
    type Esbuild = { build(options: object): Promise<unknown> };
    const shared = { bundle: true, splitting: true, format: 'esm', target: 'es2022', minify: true } as const;
    const { build } = await load<Esbuild>(esbuild, 'esbuild');
    await build({ ...shared, entryPoints: [join(esbuild, 'shop.js')], outdir: join(esbuild, 'site') });

    for (const folder of [rollup, esbuild]) {
      complete(shop, join(folder, 'site'), PAGE);
      const url = await serve(join(folder, 'site'));
      const tool = folder === rollup ? 'Rollup' : 'esbuild';
      note(`${tool}, nothing added`, [await expectHint(url)]);
      note(`${tool}, \`workerUrl\``, await expectWorker(browser, url, WORKER));
    }
  });

  test('Parcel keeps the worker', async () => {
    const folder = await install('parcel');
    writeFileSync(join(folder, 'index.html'), '<!doctype html><script type="module" src="./shop.js"></script>');
    const parcel = join(folder, 'node_modules/.bin/parcel');
    await execute(parcel, ['build', 'index.html', '--dist-dir', 'site', '--no-cache'], {
      cwd: folder,
      env: plainEnv(),
    });
    complete(shop, join(folder, 'site'));
    // Its import map is a script in the page.
    note('Parcel', await expectWorker(browser, await serve(join(folder, 'site'), '', "'unsafe-inline'")));
  });

  test('Astro keeps the worker', async () => {
    const folder = await install('astro');
    mkdirSync(join(folder, 'src/pages'), { recursive: true });
    writeFileSync(
      join(folder, 'src/pages/index.astro'),
      `<html><head></head><body><script>import '../../shop.js';</script></body></html>`,
    );
    const env = { ...plainEnv(), ASTRO_TELEMETRY_DISABLED: '1' };
    await execute(join(folder, 'node_modules/.bin/astro'), ['build', '--outDir', 'site'], { cwd: folder, env });
    complete(shop, join(folder, 'site'));
    note('Astro', await expectWorker(browser, await serve(join(folder, 'site'))));
  });

  test('Next, built for production, keeps the worker', async () => {
    const folder = await install('next');
    mkdirSync(join(folder, 'pages'));
    writeFileSync(
      join(folder, 'pages/index.js'),
      `import { useEffect } from 'react';
      export default function Page() { useEffect(() => { import('../shop.js'); }, []); return null; }`,
    );
    writeFileSync(
      join(folder, 'next.config.mjs'),
      `const value = process.env.POLICY;
      const headers = [{ source: '/', headers: [{ key: 'content-security-policy', value }] }];
      export default { headers: () => headers, turbopack: { root: import.meta.dirname } };`,
    );
    const trusted = strictPolicy({ types: 'nextjs nextjs#bundler', script: "'unsafe-inline'" });
    // Turbopack itself loads scripts by addresses that are not trusted.
    const untrusted = trusted.replace(/require-trusted.*/, '');
    const next = join(folder, 'node_modules/next/dist/bin/next');
    for (const [bundler, POLICY] of [
      ['--turbopack', untrusted],
      ['--webpack', trusted],
    ] as const) {
      const env = { ...plainEnv(), NEXT_TELEMETRY_DISABLED: '1', POLICY };
      await execute(process.execPath, [next, 'build', bundler], { cwd: folder, env, maxBuffer: 1 << 24 });
      const server = spawn(process.execPath, [next, 'start', '--port', '0'], { cwd: folder, env });
      try {
        const url = await new Promise<string>((resolve, reject) => {
          server.stdout.on('data', (text) => {
            const [found] = /http:\/\/localhost:\d+/.exec(String(text)) ?? [];
            if (found) resolve(`${found}/`);
          });
          server.once('exit', (code) => reject(new Error(`next start ended with ${code}`)));
        });
        note(`Next, \`${bundler}\``, await expectWorker(browser, url));
      } finally {
        server.kill();
      }
    }
  });
});

test.runIf(isSoak)('every way of them is in the table', async () => {
  expect(new Set(rows.map((row) => row.split('|')[1])).size).toBe(TOOLS); // a part of it must not replace the whole
  writeFileSync(
    join(ROOT, 'test/bench/results/bundlers.md'),
    report(browser.version(), (await import('vite')).version),
  );
});
