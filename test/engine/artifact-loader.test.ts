import type { RequestListener, Server } from 'node:http';
import { gzipSync } from 'node:zlib';
import { afterEach, beforeAll, describe, expect, test } from 'vitest';
import type { Artifact } from '../../src/checkpoint/artifact';
import { MANIFEST } from '../../src/checkpoint/manifest';
import { type FetchFile, loadArtifact } from '../../src/engine/artifact-loader';
import type { LoadProgress } from '../../src/engine/types';
import { closeServer, listen, originOf } from '../server';
import { type Folder, folderOf, MODEL_URL, serveFolder, smallModel } from './fixture';

let artifact: Artifact;
let folder: Folder;
/** What is of the opened artifact alone. */
const OPENED = {
  hash: expect.stringMatching(/^[0-9a-f]{64}$/),
  further: expect.any(Function),
  bytes: expect.any(Function),
  hasPlan: false,
};
const servers: Server[] = [];
beforeAll(async () => {
  artifact = await smallModel();
  folder = await folderOf(artifact);
});
afterEach(() => {
  for (const server of servers.splice(0)) closeServer(server);
});

/** A real server of this machine; its `/model/` answers as `listener` does. */
async function serve(listener: RequestListener): Promise<string> {
  const server = await listen(listener);
  servers.push(server);
  return `${originOf(server)}/model/`;
}
const fileOf = (url: string | undefined) => folder.get(new URL(url!, 'http://x').pathname.replace('/model/', ''));

describe('an artifact over HTTP', () => {
  test('is read by plain GETs of its own files', async () => {
    const seen: { method: string; url: string; headers: Record<string, unknown> }[] = [];
    const url = await serve((request, response) => {
      seen.push({ method: request.method!, url: request.url!, headers: request.headers });
      response.end(fileOf(request.url));
    });
    expect(await loadArtifact(`${url}?v=3`)).toEqual({
      ...artifact,
      ...OPENED,
    });
    expect(seen.map(({ url: path }) => path).sort()).toEqual([
      '/model/items.json?v=3',
      '/model/manifest.json?v=3',
      '/model/weights.safetensors?v=3',
    ]);
    for (const { method, headers } of seen) {
      expect(method).toBe('GET');
      expect(headers).not.toHaveProperty('cookie');
      expect(headers).not.toHaveProperty('authorization');
      expect(headers).not.toHaveProperty('referer');
    }
  });

  test('is read where files cannot have a folder of their own', async () => {
    const seen: string[] = [];
    const url = await serve((request, response) => {
      seen.push(request.url!);
      response.end(folder.get(/aisle-(.*)\.wasm/.exec(request.url!)![1]!));
    });
    expect(await loadArtifact(url.replace('/model/', '/cdn/aisle-{file}.wasm?v=4'))).toEqual({
      ...artifact,
      ...OPENED,
    });
    expect(seen).toContain('/cdn/aisle-weights.safetensors.wasm?v=4');
  });

  test.each([
    ['of another model', (bytes: Uint8Array) => new Response(bytes.map((byte) => byte ^ 1))],
    ['a longer one', (bytes: Uint8Array) => new Response(new Uint8Array([...bytes, 0]))],
    ['none', () => new Response('not here', { status: 404 })],
    ['an answer of a server that was busy', () => new Response('later', { status: 503 })],
    ['an answer that this page may not read', () => Promise.reject(new TypeError('Failed to fetch'))],
  ])('is read past a browser’s cache where the file in it is %s, and only then', async (_, old) => {
    const seen: string[] = [];
    const fetchFile: FetchFile = async (url, _, { cache } = {}) => {
      const name = url.slice(url.lastIndexOf('/') + 1);
      seen.push(`${name} ${cache}`);
      const bytes = folder.get(name)!.slice();
      return name === 'items.json' && cache !== 'reload' ? old(bytes) : new Response(bytes);
    };
    expect(await loadArtifact('http://x/model/', { fetchFile })).toEqual({ ...artifact, ...OPENED });
    expect(seen.sort()).toEqual([
      'items.json force-cache',
      'items.json reload',
      'manifest.json undefined',
      'weights.safetensors force-cache',
    ]);
  });

  test('is opened from the beginning where another release has taken its place meanwhile, and only once', async () => {
    const next = await folderOf(await smallModel({ seed: 2 }));
    /** @param isNew Whether a request gets the new release, by how often the manifest was requested so far. */
    const load = (isNew: (isManifest: boolean, times: number) => boolean) => {
      const seen: string[] = [];
      const fetchFile: FetchFile = async (url, _, { cache } = {}) => {
        const name = url.slice(url.lastIndexOf('/') + 1);
        seen.push(`${name} ${cache}`);
        const times = seen.filter((request) => request.startsWith(MANIFEST)).length;
        return new Response((isNew(name === MANIFEST, times) ? next : folder).get(name)!.slice());
      };
      return { seen, opened: loadArtifact('http://x/model/', { fetchFile }) };
    };
    const released = load((isManifest, times) => !isManifest || times > 1);
    const { hash } = await loadArtifact('http://x/model/', {
      fetchFile: async (url) => new Response(next.get(url.slice(15))!.slice()),
    });
    expect(await released.opened).toMatchObject({ hash });
    expect(released.seen.filter((request) => request.startsWith(MANIFEST))).toEqual([
      'manifest.json undefined',
      'manifest.json reload',
    ]);
    // Files and manifests that never agree: the server is asked no more.
    const torn = load((isManifest, times) => (isManifest ? times % 2 === 0 : times % 2 === 1));
    await expect(torn.opened).rejects.toMatchObject({ code: 'bad-artifact' });
    expect(torn.seen.filter((request) => request.startsWith(MANIFEST))).toHaveLength(2);
  });

  test('is refused before a file is fetched where its files would be too large', async () => {
    const seen: string[] = [];
    const served = serveFolder(folder);
    const fetchFile: FetchFile = async (url, signal) => {
      seen.push(url.slice(MODEL_URL.length));
      const response = await served(url, signal);
      if (!url.endsWith('manifest.json')) return response;
      const manifest = await response.json();
      manifest.files['catalogue.json'] = { ...manifest.files['items.json'], bytes: 2 ** 53 - 1 };
      return new Response(JSON.stringify(manifest));
    };
    const refused = (most: number) => ({
      code: 'bad-artifact',
      message: expect.stringMatching(new RegExp(`^manifest.json lists \\d+ bytes, at most ${most} are read`)),
    });
    await expect(loadArtifact(MODEL_URL, { fetchFile })).rejects.toMatchObject(refused(512 * 1024 * 1024));
    const small = loadArtifact(MODEL_URL, { fetchFile: served, maxBytes: 1000 });
    await expect(small).rejects.toMatchObject(refused(1000));
    expect(new Set(seen)).toEqual(new Set(['manifest.json']));
  });

  test.each([
    ['manifest.json', 'the manifest'],
    ['weights.safetensors', 'a file'],
  ])('ends with `timeout` where %s comes in drips that never stall', async (dripping) => {
    const timers: NodeJS.Timeout[] = [];
    const url = await serve((request, response) => {
      const bytes = fileOf(request.url)!;
      if (!request.url!.endsWith(dripping)) return void response.end(bytes);
      let at = 0;
      timers.push(setInterval(() => response.write(bytes.subarray(at, ++at)), 20));
    });
    try {
      const timeout = { code: 'timeout', message: expect.stringContaining('it takes too long') };
      await expect(loadArtifact(url, { deadline: 0.2 })).rejects.toMatchObject(timeout);
    } finally {
      for (const timer of timers) clearInterval(timer);
    }
  });

  test('reports how much of each file has come, compressed or not', async () => {
    const url = await serve((request, response) => {
      const bytes = fileOf(request.url)!;
      if (request.url!.endsWith('.json')) {
        response.setHeader('content-encoding', 'gzip');
        response.end(gzipSync(bytes));
      } else {
        response.setHeader('content-length', bytes.length);
        response.end(bytes);
      }
    });
    const last = new Map<string, LoadProgress>();
    const onProgress = (step: LoadProgress) => step.stage === 'download' && last.set(step.file, step);
    await loadArtifact(url, { onProgress });
    for (const [file, bytes] of folder) {
      const total = file.endsWith('.json') ? {} : { total: bytes.length };
      expect(last.get(file)).toEqual({ stage: 'download', file, loaded: bytes.length, ...total });
    }
  });

  test('ends with `timeout` when a download stalls, at its start or in its middle', async () => {
    const silent = await serve(() => {});
    const stuck = await serve((request, response) => {
      response.write(fileOf(request.url)!.subarray(0, 100));
    });
    for (const url of [silent, stuck]) {
      await expect(loadArtifact(url, { stallDeadline: 0.1 })).rejects.toMatchObject({ code: 'timeout' });
    }
  });

  test.each(['manifest.json', 'weights.safetensors'])('stops reading a %s that does not end', async (name) => {
    let closed: Promise<void> | undefined;
    const url = await serve((request, response) => {
      if (!request.url!.endsWith(name)) return response.end(fileOf(request.url));
      closed = new Promise((resolve) => response.on('close', resolve));
      const block = new Uint8Array(1024 * 1024);
      const write = () => {
        while (!response.destroyed && response.write(block));
      };
      response.on('drain', write);
      write();
    });
    await expect(loadArtifact(url)).rejects.toMatchObject({
      code: 'bad-artifact',
      message: expect.stringContaining(`${name} is longer than`),
    });
    await closed;
  });

  test('ends at once when it is aborted', async () => {
    const url = await serve(() => abort.abort());
    const abort = new AbortController();
    await expect(loadArtifact(url, { signal: abort.signal })).rejects.toMatchObject({ code: 'aborted' });
    await expect(loadArtifact(url, { signal: abort.signal })).rejects.toMatchObject({ code: 'aborted' });
  });

  test('says `io` where nothing answers, the server fails or the connection breaks', async () => {
    const broken = await serve((request, response) => {
      const bytes = fileOf(request.url)!;
      response.setHeader('content-length', bytes.length);
      response.write(bytes.subarray(0, 50));
      setTimeout(() => request.socket.destroy(), 20);
    });
    const failing = await serve((_, response) => response.writeHead(503).end());
    const gone = await serve(() => {});
    servers.pop()!.close();
    for (const url of [broken, failing, gone]) {
      await expect(loadArtifact(url)).rejects.toMatchObject({ code: 'io', message: expect.stringContaining(url) });
    }
  });
});

describe('a damaged artifact is refused, naming the file:', () => {
  const page = new TextEncoder().encode('<!doctype html><title>Shop</title>');
  const damaged = (name: string, change: (bytes: Uint8Array) => Uint8Array | undefined): Folder => {
    const files = new Map(folder);
    const bytes = change(folder.get(name)!);
    if (bytes) files.set(name, bytes);
    else files.delete(name);
    return files;
  };

  describe.each(['manifest.json', 'weights.safetensors', 'items.json'])('%s', (name) => {
    test.each<[string, (bytes: Uint8Array) => Uint8Array | undefined]>([
      ['missing', () => undefined],
      ['truncated', (bytes) => bytes.slice(0, bytes.length - 7)],
      ['empty', () => new Uint8Array(0)],
      ['a page', () => page],
    ])('%s', async (_, change) => {
      await expect(loadArtifact(MODEL_URL, { fetchFile: serveFolder(damaged(name, change)) })).rejects.toMatchObject({
        code: 'bad-artifact',
        message: expect.stringContaining(name),
      });
    });
  });

  test('a page with the content type of one', async () => {
    const fetchFile: FetchFile = async () => new Response(page, { headers: { 'content-type': 'text/html' } });
    await expect(loadArtifact(MODEL_URL, { fetchFile })).rejects.toThrow('is an HTML page');
  });
});

test.each(['', 'model', '/model/', 'https://shop.example/model', 'https://shop.example/model?dir=/'])(
  'the folder must be an absolute URL that ends in a slash, not "%s"',
  async (url) => {
    await expect(loadArtifact(url, { fetchFile: serveFolder(folder) })).rejects.toBeInstanceOf(RangeError);
  },
);
