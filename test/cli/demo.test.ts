import { mkdirSync, mkdtempSync, readdirSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import type { Server } from 'node:http';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { CatalogueItem } from '../../src/checkpoint/artifact';
import { startDemo } from '../../src/cli/commands/demo';
import { writeArtifactFolder } from '../../src/pipeline/files/artifact-folder';
import { closeServer, originOf } from '../server';

let folder: string;
let page: string;
let servers: Server[];

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'aisle-demo-'));
  page = join(folder, 'page');
  mkdirSync(join(page, 'assets'), { recursive: true });
  writeFileSync(join(page, 'index.html'), '<title>shop</title>');
  writeFileSync(join(page, 'assets/a-1f2e.js'), '');
  await writeArtifact([{ id: 'a' }, { id: 'b' }], join(page, 'models/demo'));
  await writeArtifact(undefined, join(page, 'models/more'));
  const more = { name: 'more', modelUrl: 'models/more/', catalogueUrl: 'models/demo/catalogue.json' };
  const first = { name: 'demo', title: 'The first', modelUrl: 'models/demo/', catalogueUrl: more.catalogueUrl };
  writeFileSync(join(page, 'demo.json'), JSON.stringify({ models: [first, more] }));
  writeFileSync(join(folder, 'secret.txt'), 'secret');
  servers = [];
});

afterEach(async () => {
  for (const server of servers) closeServer(server);
  rmSync(folder, { recursive: true });
});

async function open(options: Parameters<typeof startDemo>[0] = {}): Promise<string> {
  const server = await startDemo({ port: 0, ...options }, page);
  servers.push(server);
  return originOf(server);
}

interface Listed {
  readonly name: string;
  readonly modelUrl: string;
  readonly catalogueUrl?: string;
  readonly bytes: number;
}

/** The models that the page is given. */
async function modelsAt(origin: string): Promise<readonly Listed[]> {
  const demo = (await (await fetch(`${origin}/demo.json`)).json()) as { models: readonly Listed[] };
  return demo.models;
}

async function writeArtifact(catalogue?: CatalogueItem[], artifact = join(folder, 'artifact')): Promise<string> {
  await writeArtifactFolder(artifact, {
    info: {
      name: 'own',
      version: '1',
      architecture: 'pop',
      config: {},
      items: 2,
      golden: { session: [1], top: [{ index: 1, score: 1 }] },
      training: {},
      licence: 'MIT',
      modelCard: '',
    },
    itemIds: ['a', 'b'],
    tensors: {
      popularity: { data: Float32Array.of(0, 2, 1), shape: [3] },
      'catalogue.support': { data: Int32Array.of(0, 2, 1), shape: [3] },
    },
    ...(catalogue === undefined ? {} : { catalogue }),
  });
  return artifact;
}

/** The status line of a request whose path a client would otherwise tidy up. */
async function rawStatus(origin: string, path: string, method = 'GET', host = 'localhost'): Promise<string> {
  const socket = connect(Number(new URL(origin).port), '127.0.0.1');
  socket.write(`${method} ${path} HTTP/1.1\r\nHost: ${host}\r\nConnection: close\r\n\r\n`);
  let answer = '';
  for await (const chunk of socket) answer += chunk;
  return `${answer.split(' ')[1]}${answer.includes('secret') ? ' secret' : ''}`;
}

describe('the server', () => {
  test('serves the page with its types and a policy that allows no other origin', async () => {
    const answer = await fetch(await open());
    expect(await answer.text()).toBe('<title>shop</title>');
    expect(answer.headers.get('content-type')).toBe('text/html; charset=utf-8');
    expect(answer.headers.get('content-security-policy')).toContain("connect-src 'self'");
  });

  test.each([
    ['/../secret.txt', '400'],
    ['/..%2fsecret.txt', '400'],
    ['/%2e%2e/secret.txt', '400'],
    ['/..\\secret.txt', '400'],
    ['/x/../../secret.txt', '400'],
    ['/models/demo/../../../secret.txt', '400'],
    ['/index.html%00.txt', '400'],
    ['/%zz', '400'],
    ['secret.txt', '400'],
    ['//secret.txt', '404'],
    ['/none.js', '404'],
    ['/models', '404'],
    ['/assets', '301'],
    ['/link.txt', '404'],
  ])('answers %s with %s', async (path, status) => {
    symlinkSync(join(folder, 'secret.txt'), join(page, 'link.txt'));
    expect(await rawStatus(await open(), path)).toBe(status);
  });

  test('takes nothing but GET and HEAD', async () => {
    const origin = await open();
    expect(await rawStatus(origin, '/', 'POST')).toBe('405');
    expect(await rawStatus(origin, '/', 'HEAD')).toBe('200');
  });

  test.each([
    ['localhost:4173', '200'],
    ['127.0.0.1', '200'],
    ['[::1]:80', '200'],
    ['shop.example', '421'],
    ['localhost.shop.example:4173', '421'],
    ['127.0.0.1.shop.example', '421'],
    ['', '421'],
  ])('answers a request to the host "%s" with %s', async (host, status) => {
    expect(await rawStatus(await open(), '/', 'GET', host)).toBe(status);
  });

  test('compresses text and numbers for who takes it, again when the file has changed', async () => {
    const origin = await open();
    const encoding = async (path: string, accepted = 'gzip, br') =>
      (await fetch(`${origin}${path}`, { headers: { 'accept-encoding': accepted } })).headers.get('content-encoding');
    writeFileSync(join(page, 'assets/b.png'), 'a picture');
    expect(await encoding('/')).toBe('br');
    expect(await encoding('/assets/a-1f2e.js')).toBe('br');
    expect(await encoding('/assets/b.png')).toBe(null);
    expect(await encoding('/', 'gzip')).toBe(null);
    writeFileSync(join(page, 'index.html'), '<title>another shop</title>');
    expect(await (await fetch(origin)).text()).toBe('<title>another shop</title>');
  });

  test('answers 304 to who has the file already', async () => {
    const origin = await open();
    const etag = (await fetch(origin)).headers.get('etag') ?? '';
    expect((await fetch(origin, { headers: { 'if-none-match': etag } })).status).toBe(304);
  });
});

describe('the shop', () => {
  test('is the one that comes with Aisle by default, with all of its models on one catalogue', async () => {
    const origin = await open();
    const [model, ...others] = await modelsAt(origin);
    const said = { architecture: 'pop', parameters: 3, bytes: expect.any(Number) };
    expect(model).toEqual({
      name: 'demo',
      title: 'The first',
      modelUrl: expect.stringMatching(/^models\/0\/[0-9a-f]{12}\/$/),
      catalogueUrl: `${model!.modelUrl}catalogue.json`,
      ...said,
    });
    expect(others).toEqual([
      {
        name: 'more',
        modelUrl: expect.stringMatching(/^models\/1\/[0-9a-f]{12}\/$/),
        catalogueUrl: model!.catalogueUrl,
        ...said,
      },
    ]);
    expect(await (await fetch(`${origin}/${model!.catalogueUrl}`)).json()).toEqual([{ id: 'a' }, { id: 'b' }]);
  });

  test("shows one's own artifact and the catalogue in it", async () => {
    const origin = await open({ artifact: [await writeArtifact([{ id: 'a' }])] });
    const [model] = await modelsAt(origin);
    expect(model).toMatchObject({ name: 'artifact', catalogueUrl: `${model!.modelUrl}catalogue.json` });
    expect((await fetch(`${origin}/${model!.modelUrl}manifest.json`)).status).toBe(200);
  });

  test('says what the files of an artifact weigh, without the catalogue', async () => {
    const artifact = await writeArtifact();
    const weight = () => readdirSync(artifact).reduce((sum, file) => sum + statSync(join(artifact, file)).size, 0);
    const [bare] = await modelsAt(await open({ artifact: [artifact] }));
    expect(bare!.bytes).toBe(weight());
    await writeArtifact([{ id: 'a' }]);
    const [full] = await modelsAt(await open({ artifact: [artifact] }));
    expect(full!.bytes).toBe(weight() - statSync(join(artifact, 'catalogue.json')).size);
  });

  test('offers several artifacts, the first by default, under names that differ', async () => {
    const artifact = await writeArtifact();
    const other = await writeArtifact([{ id: 'a' }], join(folder, 'other'));
    const models = await modelsAt(await open({ artifact: [artifact, other] }));
    expect(models.map(({ name }) => name)).toEqual(['artifact', 'other']);
    expect(models.map(({ catalogueUrl }) => catalogueUrl !== undefined)).toEqual([false, true]);
    const twin = await writeArtifact(undefined, join(folder, 'twin/artifact'));
    const names = (await modelsAt(await open({ artifact: [artifact, twin] }))).map(({ name }) => name);
    expect(names).toEqual([artifact, twin]);
  });

  test("lets a browser keep an artifact's files, and gives one that was trained again another address", async () => {
    const artifact = await writeArtifact();
    const origin = await open({ artifact: [artifact] });
    const [before] = await modelsAt(origin);
    const answer = await fetch(`${origin}/${before!.modelUrl}items.json`);
    expect(answer.headers.get('cache-control')).toBe('max-age=31536000, immutable');
    await writeArtifact([{ id: 'a' }]);
    const [after] = await modelsAt(origin);
    expect(after!.modelUrl).not.toBe(before!.modelUrl);
    expect(await (await fetch(`${origin}/${after!.catalogueUrl}`)).json()).toEqual([{ id: 'a' }]);
  });

  test('lets a browser keep the scripts, whose names change with them, and nothing else of the page', async () => {
    const origin = await open();
    const kept = async (path: string) => (await fetch(`${origin}${path}`)).headers.get('cache-control');
    expect(await kept('/assets/a-1f2e.js')).toBe('max-age=31536000, immutable');
    expect(await kept('/')).toBe('no-cache');
    expect(await kept('/demo.json')).toBe('no-cache');
  });

  test("gives away no other file of the artifact's folder", async () => {
    const artifact = await writeArtifact();
    writeFileSync(join(artifact, 'checkpoint'), 'secret');
    writeFileSync(join(artifact, 'index.html'), 'secret');
    const origin = await open({ artifact: [artifact] });
    expect(await rawStatus(origin, '/models/0/1/items.json')).toBe('200');
    for (const path of ['1/checkpoint', '1/index.html', '1/', 'items.json', '1/2/items.json', '']) {
      expect(await rawStatus(origin, `/models/0/${path}`), path).toBe('404');
    }
  });

  test('shows plain ids where there is no catalogue', async () => {
    const [model] = await modelsAt(await open({ artifact: [await writeArtifact()] }));
    expect(model).not.toHaveProperty('catalogueUrl');
  });

  test("shows one's own catalogue", async () => {
    const catalogue = join(folder, 'products.json');
    writeFileSync(catalogue, '[{"id":"a","price":null,"note":"ours"}]');
    const origin = await open({ artifact: [await writeArtifact()], catalogue });
    expect(await modelsAt(origin)).toMatchObject([{ catalogueUrl: 'catalogue.json' }]);
    expect(await (await fetch(`${origin}/catalogue.json`)).json()).toEqual([{ id: 'a' }]);
  });
});

describe('a mistake is named', () => {
  test('no artifact', async () => {
    await expect(open({ artifact: [join(folder, 'none')] })).rejects.toMatchObject({
      code: 'bad-artifact',
      message: expect.stringContaining('none'),
    });
  });

  test('a catalogue that is none', async () => {
    const catalogue = join(folder, 'products.json');
    writeFileSync(catalogue, '[{"title":"no id"}]');
    await expect(open({ catalogue })).rejects.toMatchObject({ code: 'bad-input' });
    writeFileSync(catalogue, '[{"id":"a","price":"3 €"}]'); // a text is read as feeds write it
    await expect(open({ catalogue })).rejects.toMatchObject({
      code: 'bad-input',
      message: expect.stringContaining('products.json:1: price is no price'),
    });
    writeFileSync(catalogue, '[{"id":"a","price":-3}]');
    await expect(open({ catalogue })).rejects.toMatchObject({
      code: 'bad-input',
      message: expect.stringContaining('products.json: field product "a": price must be a number from 0'),
    });
    writeFileSync(catalogue, 'id;title');
    await expect(open({ catalogue })).rejects.toMatchObject({ code: 'bad-input' });
  });

  test('a damaged artifact', async () => {
    const artifact = await writeArtifact();
    writeFileSync(join(artifact, 'items.json'), '["a","c"]');
    await expect(open({ artifact: [artifact] })).rejects.toMatchObject({
      code: 'bad-artifact',
      message: expect.stringContaining('items.json'),
    });
  });

  test('a page that was not built', async () => {
    rmSync(join(page, 'index.html'));
    await expect(open()).rejects.toMatchObject({ code: 'io', message: expect.stringContaining('npm run build') });
  });

  test('a port that is taken', async () => {
    const port = Number(new URL(await open()).port);
    await expect(startDemo({ port }, page)).rejects.toMatchObject({
      code: 'io',
      message: expect.stringContaining('--port'),
    });
  });
});
