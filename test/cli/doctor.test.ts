/** `aisle doctor` on a small site: as it should be, and with each thing wrong that it says. */
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import type { IncomingMessage } from 'node:http';
import { dirname, join } from 'node:path';
import { brotliCompressSync, constants } from 'node:zlib';
import { Liquid } from 'liquidjs';
import { beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import type { CatalogueItem } from '../../src/checkpoint/artifact';
import type { Diagnosis } from '../../src/cli/doctor/doctor';
import { tagsOf } from '../../src/cli/doctor/html';
import { allowsUrl, allowsWord, CHAINS, policiesOf } from '../../src/cli/doctor/policy';
import { PRIVATE } from '../../src/pipeline/training-report';
import { blocksOf } from '../docs/manual';
import { folderOf, IDS, smallModel } from '../engine/fixture';
import { closeServer, listen, originOf } from '../server';
import { aisle, aisleUntil, folder } from './program';

type Files = Record<string, string | Uint8Array>;
type Headers = Record<string, string>;

const TAG = '<script type="module" src="/aisle/embed.js" data-model-url="/model/"></script>';
const SLOT = '<aisle-recommendations></aisle-recommendations>';
const page = (head = TAG, body = SLOT) => `<!doctype html><html><head>${head}</head><body>${body}</body></html>`;
const sealed = (files: Files) =>
  Object.fromEntries(
    Object.entries(files).map(([name, content]) => [
      name,
      { sha256: createHash('sha256').update(content).digest('hex'), bytes: Buffer.byteLength(content) },
    ]),
  );

const FAST = { params: { [constants.BROTLI_PARAM_QUALITY]: 1 } };
/** A folder like `dist/embed`. */
const EMBED: Files = {
  'embed.js': 'import("./page-abcdefgh.js")',
  'worker.js': `globalThis.aisleWorker;${' '.repeat(2000)}`,
  'page-abcdefgh.js': 'export const startPage = 1;',
  'simd-abcdefgh.wasm': new Uint8Array(2000),
};
const LISTED = { ...EMBED, 'files.json': JSON.stringify({ version: '0.1.0', files: sealed(EMBED) }) };
const within = (path: string, files: Files): Files =>
  Object.fromEntries(Object.entries(files).map(([name, content]) => [`${path}${name}`, content]));

/** A folder as `aisle catalogue` writes it. */
const catalogueOf = (products: readonly CatalogueItem[]): Files => {
  const files = { 'catalogue.json': JSON.stringify(products), 'aliases.json': '{}' };
  const about = { version: '1', products: products.length, parts: ['catalogue.json'], aliases: 'aliases.json' };
  const manifest = { ...about, files: sealed(files) };
  return { ...files, 'catalogue-manifest.json': JSON.stringify(manifest) };
};

let site: Files;
beforeAll(async () => {
  const catalogue = IDS.map((id, k): CatalogueItem => ({ id, url: `/p/${k}`, image: 'data:image/png;base64,AA==' }));
  const model = Object.fromEntries(await folderOf(await smallModel({ catalogue })));
  site = { 'index.html': page(), ...within('aisle/', LISTED), ...within('model/', model), ...within('model-', model) };
});

interface Served {
  readonly files?: Files;
  readonly without?: readonly string[];
  /** Headers, and the status, of a path. */
  readonly answer?: (path: string, request: IncomingMessage) => Headers & { status?: number; body?: string };
}

/** Serves the site as a good server does, except for what a test changes. @returns Its origin. */
async function served({ files = {}, without = [], answer = () => ({}) }: Served = {}): Promise<string> {
  const all: Files = { ...site, ...files };
  const server = await listen((request, response) => {
    const path = decodeURIComponent(request.url!.replace(/\?.*/, '').slice(1)) || 'index.html';
    const { status, body, ...headers } = answer(path, request) as Headers & { status?: number; body?: string };
    const content = without.includes(path) ? undefined : (body ?? all[path]);
    const isHashed = /-[a-z]{8}\.(js|wasm)$/.test(path);
    const type = { js: 'text/javascript', json: 'application/json', wasm: 'application/wasm', html: 'text/html' };
    const defaults: Headers = {
      'content-type': type[path.split('.').at(-1) as 'js'] ?? 'application/octet-stream',
      'cache-control': isHashed ? 'public, max-age=31536000, immutable' : 'no-cache',
      'content-encoding': 'br',
    };
    const sent = Object.entries({ ...defaults, ...headers }).filter(([, value]) => value !== '');
    response.writeHead(status ?? (content === undefined ? 404 : 200), Object.fromEntries(sent));
    const bytes = Buffer.from(content ?? 'not here');
    response.end(headers['content-encoding'] === '' ? bytes : brotliCompressSync(bytes, FAST));
  });
  onTestFinished(() => closeServer(server));
  return originOf(server);
}

async function onDisk(files: Files): Promise<string> {
  const root = await folder();
  for (const [name, content] of Object.entries(files)) {
    mkdirSync(dirname(join(root, name)), { recursive: true });
    writeFileSync(join(root, name), content);
  }
  return root;
}

async function doctor(target: string) {
  const { code, stdout } = await aisle('doctor', target, '--json');
  const { findings, ...rest } = JSON.parse(stdout) as Diagnosis;
  const troubles = findings.filter(({ severity }) => severity !== 'ok');
  return { code, findings, ...rest, troubles, codes: troubles.map((one) => `${one.severity} ${one.code}`) };
}

describe('a page', () => {
  test('as it should be: all is well, in words and as JSON', async () => {
    const origin = await served();
    const found = await doctor(`${origin}/`);
    expect(found.codes).toEqual([]);
    expect(found).toMatchObject({ code: 0, errors: 0, warnings: 0, target: `${origin}/` });
    expect(found.findings.map(({ code }) => code).sort()).toEqual(['embed', 'model', 'policy']);
    const { code, stdout } = await aisle('doctor', `${origin}/`);
    expect(code).toBe(0);
    expect(stdout).toContain(
      `ok       ${origin}/aisle/embed.js: and all 4 files of its folder are there, of one version.`,
    );
    expect(stdout.endsWith('\n0 errors, 0 warnings\n')).toBe(true);
  });

  test.each<[string, string, string[]]>([
    ['without the tag', page(''), ['error no-tag']],
    ['without tag and slot', page('', ''), ['warning no-tag']],
    ['without data-model-url', page('<script type="module" src="/aisle/embed.js"></script>'), ['error no-model-url']],
    ['without type="module"', page(TAG.replace('type="module" ', '')), ['error no-module']],
    ['without src', page(TAG.replace(/src="[^"]*" /, '')), ['error no-src']],
    ['with nomodule', page(TAG.replace('src', 'nomodule src')), ['error nomodule']],
    ['with two tags', page(TAG + TAG), ['warning two-tags']],
    ['without a slot', page(TAG, ''), []],
    ['with a misspelt option', page(TAG.replace('src', 'data-allow-host="a" src')), ['warning option']],
    ['with a wrong option', page(TAG.replace('src', 'data-consent="yes" src')), ['error wrong-option']],
    ['with a strategy that there is not', page(TAG, SLOT.replace('>', ' strategy="populer">')), ['warning strategy']],
    ['with a wrong limit', page(TAG, SLOT.replace('>', ' limit="many">')), ['warning limit']],
    ['with a misspelt attribute', page(TAG, SLOT.replace('>', ' stratagy="popular">')), ['warning attribute']],
    ['whose tag is a comment', page(`<!-- ${TAG} -->`), ['error no-tag']],
    ['whose model is elsewhere', page(TAG.replace('/model/', '/other/')), ['error missing']],
    ['whose worker is elsewhere', page(TAG.replace('src', 'data-worker-url="/none.js" src')), ['error missing']],
    ['with a base', page(`<base href="/aisle/">${TAG.replace('/aisle/', '')}`), []],
    ['whose model’s files are in no folder of their own', page(TAG.replace('/model/', '/model-{file}?v=1')), []],
    ['with entities', page(TAG.replace('/model/', '/mod&#101;l/')), []],
    ['that starts by a command', page(`<script>aisle.push(['start', { modelUrl: '/model/' }])</script>`), []],
  ])('%s', async (_, html, expected) => {
    const found = await doctor(`${await served({ files: { 'index.html': html } })}/`);
    expect(found.codes).toEqual(expected);
    expect(found.code).toBe(expected.some((code) => code.startsWith('error')) ? 3 : 0);
    for (const { what } of found.troubles) expect(what).toMatch(/[.?]$/);
  });

  test.each<[string, Served, string[], RegExp]>([
    ['a chunk is missing', { without: ['aisle/page-abcdefgh.js'] }, ['error missing'], /whole folder/],
    [
      'embed.js is there alone',
      {
        without: Object.keys(LISTED)
          .map((name) => `aisle/${name}`)
          .filter((name) => name !== 'aisle/embed.js'),
      },
      ['error missing', 'warning no-list'],
      /whole folder/,
    ],
    [
      'the report of the training is public',
      { files: { 'model/report.html': `<!doctype html><strong>${PRIVATE}</strong>` } },
      ['warning report'],
      /Do not publish/,
    ],
    ['the list is missing', { without: ['aisle/files.json'] }, ['warning no-list'], /not embed\.js alone/],
    [
      'embed.js is of another version',
      { files: { 'aisle/embed.js': 'import("./page-ijklmnop.js")' } },
      ['error other-version'],
      /cache/,
    ],
    [
      'the worker is of another version',
      { files: { 'aisle/worker.js': 'old' } },
      ['error other-version'],
      /whole folder/,
    ],
    ['weights are damaged', { files: { 'model/weights.safetensors': 'x' } }, ['error other-version'], /whole folder/],
    ['the manifest is damaged', { files: { 'model/manifest.json': '{}' } }, ['error model'], /whole folder/],
    [
      'a script has a wrong type',
      { answer: (path) => (path.endsWith('worker.js') ? { 'content-type': 'text/plain' } : {}) },
      ['error type'],
      /text\/javascript/,
    ],
    [
      'WebAssembly has a wrong type',
      { answer: (path) => (path.endsWith('.wasm') ? { 'content-type': 'application/octet-stream' } : {}) },
      ['warning type-wasm'],
      /application\/wasm/,
    ],
    [
      'the model asks to sign in',
      { answer: (path) => (path.startsWith('model/') ? ({ status: 401 } as never) : {}) },
      ['error sign-in'],
      /without a sign-in/,
    ],
    [
      'the model is a sign-in page',
      { answer: (path) => (path.startsWith('model/') ? { 'content-type': 'text/html', body: '<!doctype html>' } : {}) },
      ['error html'],
      /without a sign-in/,
    ],
    [
      'unknown addresses get the app',
      {
        without: ['model/manifest.json'],
        answer: (path) => (path === 'model/manifest.json' ? { status: 200 as never, 'content-type': 'text/html' } : {}),
      },
      ['error html'],
      /itself/,
    ],
    [
      'a file redirects in a circle',
      {
        answer: (path) => (path === 'aisle/worker.js' ? ({ status: 302, location: '/aisle/worker.js' } as never) : {}),
      },
      ['error unreachable'],
      /address/,
    ],
    ['nothing is compressed', { answer: () => ({ 'content-encoding': '' }) }, ['warning not-compressed'], /Brotli/],
    [
      'hashed files are asked for again',
      { answer: (path) => (path.includes('abcdefgh') ? { 'cache-control': 'no-cache' } : {}) },
      ['warning cache-short'],
      /immutable/,
    ],
    [
      'named files are kept for long',
      { answer: (path) => (path.startsWith('model/') ? { 'cache-control': 'max-age=604800' } : {}) },
      ['warning cache-long'],
      /no-cache/,
    ],
    [
      'nothing says how long',
      { answer: (path) => (path === 'aisle/embed.js' ? { 'cache-control': '' } : {}) },
      ['warning cache-none'],
      /no-cache/,
    ],
  ])('of which %s', async (_, change, expected, todo) => {
    const found = await doctor(`${await served(change)}/`);
    expect(found.codes).toEqual(expected);
    expect(found.code).toBe(expected[0]!.startsWith('error') ? 3 : 0);
    expect(found.troubles.map((one) => one.todo).join(' ')).toMatch(todo);
  });

  test('as docs/hosting.md has its headers for nginx, and for hosts with folders of versions', async () => {
    const [nginx] = blocksOf('docs/hosting.md').flatMap(({ language, code }) => (language === 'nginx' ? [code] : []));
    const [, pattern, long, otherwise] = /"~(.*)" "(.*)";\n\s*default +"(.*)";/.exec(nginx!)!;
    const cache = (path: string) => (new RegExp(pattern!).test(`/${path}`) ? long! : otherwise!);
    const asNginx = await served({ answer: (path) => ({ 'cache-control': cache(path) }) });
    expect((await doctor(`${asNginx}/`)).codes).toEqual([]);

    const text = (language: string) => blocksOf('docs/hosting.md').find((block) => block.language === language)!.code;
    const rules = [...text('text').matchAll(/^(\S+)\*\n((?: {2}.*\n)+)/gm)].map(([, path, lines]) => ({ path, lines }));
    expect(rules).toHaveLength(3);
    const [, release, version] = /src="\/(.*)embed\.js" data-model-url="\/(.*)"/.exec(text('html'))!;
    const model = Object.entries(site).flatMap(([path, content]) =>
      path.startsWith('model/') ? [[path.replace('model/', ''), content] as const] : [],
    );
    const files = {
      'index.html': page(text('html')),
      ...within(release!, LISTED),
      ...within(version!, Object.fromEntries(model)),
    };
    const answer = (path: string) => {
      const found = rules.filter((rule) => `/${path}`.startsWith(rule.path!));
      const sent = found.flatMap(({ lines }) => [...lines!.matchAll(/^ {2}(.*): (.*)$/gm)]);
      return Object.fromEntries(sent.map(([, name, value]) => [name!.toLowerCase(), value!]));
    };
    const found = await doctor(`${await served({ files, answer })}/`);
    expect(found.codes).toEqual([]);
    // Without a version in its name, such a folder mixes releases.
    const mixed = { ...files, 'index.html': page(text('html').replace(release!, 'aisle/')) };
    const kept = await served({ files: mixed, answer: () => ({ 'cache-control': long! }) });
    expect((await doctor(`${kept}/`)).codes).toEqual(['warning cache-long']);
  });

  test.each<[string, string, string[]]>([
    [
      'all that Aisle needs',
      "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; worker-src 'self'; connect-src 'self'; img-src data:",
      [],
    ],
    ['no script', "script-src 'none'; worker-src 'self'", ['error policy-script', 'warning policy-wasm']],
    ['scripts by nonce', "script-src 'nonce-abc' 'wasm-unsafe-eval'; worker-src 'self'", []],
    ['no worker', "worker-src 'none'", ['warning policy-worker']],
    ['no WebAssembly', "script-src 'self'", ['warning policy-wasm']],
    ['no requests', "connect-src 'none'", ['error policy-connect', 'error policy-connect']],
    ['no pictures in addresses', "img-src 'self'", ['warning policy-img']],
    ['other Trusted Types', "require-trusted-types-for 'script'; trusted-types shop", ['warning policy-trusted-types']],
    ['Trusted Types of ours', "require-trusted-types-for 'script'; trusted-types shop aisle", []],
  ])('whose security policy allows %s', async (_, policy, expected) => {
    const html = page(TAG.replace('src', 'nonce="abc" src'));
    const origin = await served({
      files: { 'index.html': html },
      answer: () => ({ 'content-security-policy': policy }),
    });
    expect((await doctor(`${origin}/`)).codes).toEqual(expected);
    if (policy.includes('connect-src') || policy.includes('wasm')) return;
    // As an element of the page, it does not hold in the worker.
    const meta = `<meta http-equiv="Content-Security-Policy" content="${policy}">`;
    const other = await served({ files: { 'index.html': html.replace('<head>', `<head>${meta}`) } });
    expect((await doctor(`${other}/`)).codes).toEqual(expected.filter((code) => !code.endsWith('wasm')));
  });

  test('whose files are on another origin needs CORS headers, and a worker from blob:', async () => {
    const cdn = await served();
    const html = page(TAG.replaceAll('"/', `"${cdn}/`));
    let policy = `script-src ${cdn} 'wasm-unsafe-eval'; worker-src ${cdn}; connect-src ${cdn}`;
    const origin = await served({
      files: { 'index.html': html },
      answer: () => ({ 'content-security-policy': policy }),
    });
    const found = await doctor(`${origin}/`);
    expect(found.codes).toEqual(['error cors', 'warning policy-worker']);
    expect(found.troubles[0]!.files.length).toBeGreaterThan(5);
    expect(found.troubles[1]!.todo).toContain('add blob: to worker-src');
    policy = policy.replace(`worker-src ${cdn}`, 'worker-src blob:');
    expect((await doctor(`${origin}/`)).troubles[1]!.todo).toContain(`add ${cdn} to worker-src`);
    const open = await served({
      answer: (_, { headers }) => (headers.origin ? { 'access-control-allow-origin': headers.origin } : {}),
    });
    const other = await served({ files: { 'index.html': page(TAG.replaceAll('"/', `"${open}/`)) } });
    expect((await doctor(`${other}/`)).codes).toEqual([]);
  });

  test('that is not there, asks to sign in, leads elsewhere, is no page, or does not answer', async () => {
    const origin = await served({
      answer: (path): never =>
        (({ private: { status: 401 }, old: { status: 301, location: '/' }, ring: { status: 302, location: '/ring' } })[
          path
        ] ?? {}) as never,
    });
    expect((await doctor(`${origin}/none`)).codes).toEqual(['error missing']);
    expect((await doctor(`${origin}/ring`)).codes).toEqual(['error redirects']);
    expect((await doctor(`${origin}/private`)).codes).toEqual(['error sign-in']);
    expect((await doctor(`${origin}/model/items.json`)).codes).toEqual(['error no-page']);
    const led = await doctor(`${origin}/old`);
    expect(led.findings.map(({ code }) => code)).toContain('redirect');
    expect(led.code).toBe(0);
    expect(await aisleUntil(AbortSignal.abort(), 'doctor', `${origin}/`)).toMatchObject({ code: 130 });
    const { code, stderr } = await aisle('doctor', 'http://127.0.0.1:9/');
    expect(code).toBe(1);
    expect(stderr).toContain('cannot be fetched');
  });

  test('with another strategy gets the nearest one, or all where none is near', async () => {
    const todo = async (strategy: string) => {
      const html = page(TAG, SLOT.replace('>', ` strategy="${strategy}">`));
      return (await doctor(`${await served({ files: { 'index.html': html } })}/`)).troubles[0]!.todo;
    };
    expect(await todo('populer')).toBe('Did you mean "popular"?');
    expect(await todo('similar')).toMatch(/^Write one of for-you, related, popular,/);
  });

  test('that leaves pictures at their addresses: they are not shown unless it says so, and then the policy counts', async () => {
    const products = [{ id: IDS[0]!, image: 'https://img.example/0.png' }, { id: IDS[1]! }];
    const apart = within('catalogue/', catalogueOf(products));
    const tag = (more = '') => page(TAG.replace('src', `data-catalogue-url="/catalogue/" ${more} src`));
    const silent = await doctor(`${await served({ files: { ...apart, 'index.html': tag() } })}/`);
    expect(silent.codes).toEqual(['warning pictures']);
    expect(silent.troubles[0]).toMatchObject({
      what: expect.stringContaining('1 of 2'),
      todo: expect.stringContaining('data-images="page"'),
    });
    const { stdout } = await aisle('doctor', silent.target);
    expect(stdout.endsWith('\n0 errors, 1 warning\n')).toBe(true);
    for (const images of ['artifact', 'none']) {
      const chosen = { ...apart, 'index.html': tag(`data-images="${images}"`) };
      expect((await doctor(`${await served({ files: chosen })}/`)).codes).toEqual([]);
    }
    const shown = { ...apart, 'index.html': tag('data-images="page"') };
    const answer = () => ({ 'content-security-policy': "img-src 'self'" });
    expect((await doctor(`${await served({ files: shown, answer })}/`)).codes).toEqual(['warning policy-img']);
  });

  test('that names its worker: that one is looked at, with a list of files and without one', async () => {
    const html = page(TAG.replace('src', 'data-worker-url="/flat/shop-worker.js?v=3" src'));
    const renamed = { 'index.html': html, 'flat/shop-worker.js': EMBED['worker.js']! };
    const without = ['aisle/worker.js'];
    expect((await doctor(`${await served({ files: renamed, without })}/`)).codes).toEqual([]);
    const old = { ...renamed, 'flat/shop-worker.js': 'old' };
    expect((await doctor(`${await served({ files: old, without })}/`)).codes).toEqual(['error other-version']);
    const flat = await doctor(`${await served({ files: renamed, without: [...without, 'aisle/files.json'] })}/`);
    expect(flat.codes).toEqual(['warning no-list']);
  });

  test('whose catalogue has a folder for each language, or files in no folder of their own', async () => {
    const named = Object.entries(catalogueOf([{ id: IDS[0]! }]));
    const files: Files = {
      ...within('catalogue/en/', catalogueOf([{ id: IDS[0]!, image: 'https://img.example/0.png' }])),
      ...within('catalogue/de/', catalogueOf([{ id: IDS[0]! }])),
      ...Object.fromEntries(named.map(([name, content]) => [`x-${name}.wasm`, content])),
    };
    const found = async (address: string, lang: string, without: readonly string[] = []) => {
      const html = page(TAG.replace('src', `data-catalogue-url="${address}" src`)).replace(
        '<html',
        `<html lang=${lang}`,
      );
      return doctor(`${await served({ files: { ...files, 'index.html': html }, without })}/`);
    };
    const german = await found('/catalogue/{en|de}/', 'de-AT');
    expect(german.codes).toEqual([]);
    expect(german.findings.find(({ code }) => code === 'catalogue')!.files.map((url) => new URL(url).pathname)).toEqual(
      ['/catalogue/de/', '/catalogue/en/'],
    );
    expect((await found('/catalogue/{en|de}/', 'en')).codes).toEqual(['warning pictures']);
    const other = ['catalogue/en/catalogue.json'];
    expect((await found('/catalogue/{en|de}/', 'de', other)).codes).toEqual(['error missing']);
    expect((await found('/x-{file}.wasm?v=1', 'en')).codes).toEqual([]);
  });

  test('is not needed for embed.js, nor for a model', async () => {
    const origin = await served();
    expect((await doctor(`${origin}/aisle/embed.js`)).findings.map(({ code }) => code)).toEqual(['embed']);
    expect((await doctor(`${origin}/model/manifest.json`)).findings.map(({ code }) => code)).toEqual(['model']);
    // Servers seldom list a folder.
    const [status, files] = [403, within('shop/', catalogueOf([{ id: 'a' }]))];
    const closed = await served({ files, answer: (path): never => (path.endsWith('/') ? { status } : {}) as never });
    expect((await doctor(`${closed}/model/`)).findings.map(({ code }) => code)).toEqual(['model']);
    expect((await doctor(`${closed}/shop/`)).findings.map(({ code }) => code)).toEqual(['catalogue']);
    expect((await doctor(`${closed}/none/`)).codes).toEqual(['error sign-in']);
  });

  test('whose tag has what is no address, and a base that is none', async () => {
    const found = async (tag: string) => doctor(`${await served({ files: { 'index.html': page(tag) } })}/`);
    const src = await found(TAG.replace('/aisle/embed.js', 'https://'));
    expect(src.codes).toEqual(['error no-address']);
    expect(src.troubles[0]!.what).toContain('src="https://"');
    expect((await found(TAG.replace('/model/', 'https://'))).codes).toEqual(['error no-address']);
    expect((await found(`<base href="https://">${TAG}`)).codes).toEqual([]);
  });

  test('whose catalogue has none of the model’s products', async () => {
    const html = page(TAG.replace('src', 'data-catalogue-url="/catalogue/" src'));
    const files = { 'index.html': html, ...within('catalogue/', catalogueOf([{ id: 'of another shop' }])) };
    expect((await doctor(`${await served({ files })}/`)).codes).toEqual(['error foreign-catalogue']);
  });

  test('whose catalogue is kept for ever, as the address of each file has its hash', async () => {
    const html = page(TAG.replace('src', 'data-catalogue-url="/catalogue/" src'));
    const files = { 'index.html': html, ...within('catalogue/', catalogueOf([{ id: IDS[0]! }])) };
    const answer = (path: string): Headers =>
      /^catalogue\/(catalogue|aliases)\.json$/.test(path)
        ? { 'cache-control': 'public, max-age=31536000, immutable' }
        : {};
    expect((await doctor(`${await served({ files, answer })}/`)).codes).toEqual([]);
  });

  test('whose policy forbids the catalogue', async () => {
    const elsewhere = await served({
      files: within('catalogue/', catalogueOf([{ id: IDS[0]! }])),
      answer: () => ({ 'access-control-allow-origin': '*' }),
    });
    const html = page(TAG.replace('src', `data-catalogue-url="${elsewhere}/catalogue/" src`));
    const codesBy = async (sources: string) => {
      const answer = (path: string): Headers =>
        /^(index\.html|aisle\/worker\.js)$/.test(path)
          ? { 'content-security-policy': `connect-src 'self' ${sources}` }
          : {};
      return (await doctor(`${await served({ files: { 'index.html': html }, answer })}/`)).codes;
    };
    expect(await codesBy('')).toEqual(['error policy-connect']);
    expect(await codesBy(elsewhere)).toEqual([]);
  });

  test('is all that is requested, with its files', async () => {
    const asked: string[] = [];
    const links = page(TAG, `${SLOT}<a href="/other"></a><script src="/shop.js"></script><img src="/a.png">`);
    const answer = (path: string) => {
      asked.push(path);
      return {};
    };
    await doctor(`${await served({ files: { 'index.html': links }, answer })}/`);
    expect(asked.filter((path) => !/^(index\.html|aisle\/|model\/)/.test(path))).toEqual([]);
    expect(new Set(asked).size).toBe(asked.length);
  });
});

describe('a folder', () => {
  test('of a site is checked like the site, without headers', async () => {
    const root = await onDisk({ ...site, 'node_modules/x/index.html': page('') });
    const found = await doctor(root);
    expect(found.codes).toEqual([]);
    expect(found.findings.map(({ code, files }) => `${code} ${files}`)).toEqual(
      expect.arrayContaining(['embed aisle/embed.js', 'model model/']),
    );
    rmSync(join(root, 'aisle/page-abcdefgh.js'));
    writeFileSync(join(root, 'model/items.json'), '[]');
    const broken = await doctor(root);
    expect(broken.code).toBe(3);
    expect(broken.troubles.map(({ code, files }) => `${code} ${files}`).sort()).toEqual([
      'missing aisle/page-abcdefgh.js',
      'other-version model/items.json',
    ]);
  });

  test('of a model without its manifest, of embed.js alone, and of a page whose model is on another host', async () => {
    expect((await doctor(await onDisk({ 'weights.safetensors': 'x' }))).codes).toEqual(['error missing']);
    const alone = await doctor(await onDisk({ 'embed.js': EMBED['embed.js']! }));
    expect(alone.codes).toEqual(['error missing', 'warning no-list']);
    const tag = TAG.replace('src', 'data-catalogue-url="/catalogue/" src').replaceAll('"/', '"https://cdn.example/');
    const hosted = await doctor(await onDisk({ 'a.html': page(tag) }));
    expect(hosted.codes).toEqual([]);
    expect(hosted.findings.find(({ code }) => code === 'elsewhere')!.files).toEqual(
      ['aisle/embed.js', 'catalogue/', 'model/'].map((path) => `https://cdn.example/${path}`),
    );
  });

  test('of a catalogue', async () => {
    const root = await onDisk(catalogueOf([{ id: 'a' }]));
    expect((await doctor(root)).findings).toMatchObject([
      { files: ['./'], what: 'holds a catalogue of 1 products, complete.' },
    ]);
    writeFileSync(join(root, 'catalogue.json'), '[]');
    expect((await doctor(root)).codes).toEqual(['error other-version']);
  });

  test('of a catalogue that no page takes, or whose rules none follows', async () => {
    const files = { 'catalogue.json': JSON.stringify([{ id: 'a' }]), 'rules.json': '[{"nonsense":true}]' };
    const found = async (about: object) => {
      const manifest = JSON.stringify({ version: '1', ...about, files: sealed(files) });
      return doctor(await onDisk({ ...files, 'catalogue-manifest.json': manifest }));
    };
    const bare = await found({});
    expect(bare.codes).toEqual(['error catalogue']);
    expect(bare.troubles[0]!.what).toContain('products');
    expect((await found({ products: 1, parts: ['catalogue.json'] })).codes).toEqual(['warning rules']);
  });

  test('passes over what other tools call embed.js', async () => {
    const contact = '<script src="https://embed.example/next/embed.js"></script>';
    const foreign: Files = { 'contact.html': page(contact, ''), 'vendor/embed.js': 'window.form = {};' };
    expect((await aisle('doctor', await onDisk(foreign))).code).toBe(2);
    const found = await doctor(await onDisk({ ...site, ...foreign }));
    expect(found.codes).toEqual([]);
    expect(JSON.stringify(found.findings)).not.toMatch(/contact|vendor/);
  });

  test('of a Shopify theme as docs/platforms.md fills it: model and catalogue are found, SKUs are aliases of handles', async () => {
    const handles = IDS.slice(5); // those that need no quotes
    const rows = handles.map((id, k) => `${id},Thing ${k},SKU-${k},9.90,active`);
    const root = await onDisk({
      ...within('dist/embed/', EMBED),
      ...Object.fromEntries(
        Object.entries(site).map(([name, content]) => [name.replace(/^model\//, 'my-model/'), content]),
      ),
      'products.csv': ['Handle,Title,Variant SKU,Variant Price,Status', ...rows].join('\n'),
      'theme/assets/theme.css': '',
    });
    const [upload, snippet] = ['sh', 'liquid'].map(
      (language) => blocksOf('docs/platforms.md').find((block) => block.language === language)!.code,
    );
    const [feed, out, artifact] = ['products.csv', 'my-catalogue', 'my-model'].map((name) => join(root, name));
    expect(await aisle('catalogue', feed!, '--out', out!, '--artifact', artifact!)).toMatchObject({ code: 0 });
    execFileSync('sh', ['-e', '-c', upload!], { cwd: root, env: { ...process.env, THEME: join(root, 'theme') } });
    const liquid = new Liquid();
    liquid.registerFilter('asset_url', (name: string) => `/assets/${name}?v=17183`);
    writeFileSync(join(root, 'theme/index.html'), page(await liquid.parseAndRender(snippet!)));
    const found = await doctor(join(root, 'theme'));
    expect(found.codes).toEqual(['warning no-list']);
    expect(found.findings.map(({ code, files }) => `${code} ${files}`)).toEqual(
      expect.arrayContaining(['model assets/aisle-model-{file}.wasm', 'catalogue assets/aisle-products-{file}.wasm']),
    );
    const aliases = JSON.parse(readFileSync(join(root, 'theme/assets/aisle-products-aliases.json.wasm'), 'utf8'));
    expect(aliases).toMatchObject({ [handles[0]!]: { also: ['SKU-0'] } });
  });

  test('of a catalogue whose aliases no page takes', async () => {
    const files = { 'catalogue.json': JSON.stringify([{ id: 'a' }]), 'aliases.json': '{"a":{"also":[7]}}' };
    const about = { version: '1', products: 1, parts: ['catalogue.json'], aliases: 'aliases.json' };
    const manifest = JSON.stringify({ ...about, files: sealed(files) });
    const { codes, findings } = await doctor(await onDisk({ ...files, 'catalogue-manifest.json': manifest }));
    expect(codes).toEqual(['error catalogue']);
    expect(findings[0]!.what).toMatch(/^is no catalogue that can be read: aliases\.json: field item "a": also must be/);
  });

  test('without anything of Aisle, or that is not there, is wrong use', async () => {
    const root = await onDisk({ 'index.html': '<p>A page</p>', 'manifest.json': '{"name":"app"}' });
    for (const target of [root, join(root, 'none')]) expect((await aisle('doctor', target)).code).toBe(2);
  });

  test('that is a file is wrong use', async () => {
    const root = await onDisk({ 'model/manifest.json': '{}' });
    const path = join(root, 'model/manifest.json');
    const { code, stderr } = await aisle('doctor', path);
    const message = `${path} is a file, and a folder is checked whole: give the folder that holds it (${dirname(path)}), `;
    expect({ code, stderr }).toEqual({ code: 2, stderr: expect.stringContaining(message) });
  });
});

test('tags are read as browsers do: quotes, comments, scripts and templates', () => {
  const tags = tagsOf(
    `<!-- <a> --><IMG Src='x > y' alt=z data-q="&quot;&amp;&#x41;"><script>"<b>"</script><template><i></i></template><p hidden>`,
  );
  expect(tags.map(({ name }) => name)).toEqual(['img', 'script', 'template', 'p']);
  expect(tags[0]!.attributes).toEqual({ src: 'x > y', alt: 'z', 'data-q': '"&A' });
  expect(tags[1]!.content).toBe('"<b>"');
  expect(tags[3]!.attributes).toEqual({ hidden: '' });
});

test.each<[string, string, boolean]>([
  ['*', 'https://a.example/x', true],
  ['*', 'blob:https://a.example/x', false],
  ["'self'", 'https://shop.example/x', true],
  ["'self'", 'https://a.example/x', false],
  ['https:', 'https://a.example/x', true],
  ['blob:', 'blob:https://shop.example/x', true],
  ['a.example', 'https://a.example/x', true],
  ['http://a.example', 'https://a.example/x', true],
  ['https://a.example', 'http://a.example/x', false],
  ['*.example', 'https://a.b.example/x', true],
  ['*.a.example', 'https://a.example/x', false],
  ['a.example:443', 'https://a.example/x', true],
  ['a.example:8443', 'https://a.example/x', false],
  ['a.example:*', 'https://a.example:8443/x', true],
  ['a.example/lib/', 'https://a.example/lib/x', true],
  ['a.example/lib', 'https://a.example/lib/x', false],
  ["'none'", 'https://shop.example/x', false],
])('the source %s on an address %s: %s', (source, url, expected) => {
  const policies = policiesOf([`script-src ${source}, default-src *`]);
  expect(allowsUrl(policies, CHAINS.script, new URL(url), new URL('https://shop.example/'))).toBe(
    expected && !url.startsWith('blob:'),
  );
  expect(
    allowsUrl(policiesOf([`default-src ${source}`]), CHAINS.connect, new URL(url), new URL('https://shop.example/')),
  ).toBe(expected);
  expect(allowsWord(policiesOf([`script-src ${source}`]), CHAINS.wasm, "'unsafe-eval'")).toBe(false);
});
