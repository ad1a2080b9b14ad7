/** The site of the benches of pages: a model of 10,000 items in our folder, and SASRec in ONNX Runtime's, served compressed. */
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { extname, join } from 'node:path';
import { brotliCompressSync, constants } from 'node:zlib';
import type { Artifact } from '../../src/checkpoint/artifact';
import { run } from '../../src/compute/executor';
import { writeArtifactFolder } from '../../src/pipeline/files/artifact-folder';
import { compileArtifact } from '../../src/ranking/compile-plan';
import { goldenAnswer } from '../../src/ranking/golden-check';
import { loadScorer, NAMELESS } from '../../src/ranking/load-scorer';
import { buildChanged, built, ROOT } from '../build/built';
import { PEER_ITEMS, timedNetwork } from './peer-network';

/** How much slower the page's own thread is. */
export const THROTTLE = 4;
/** Clicks of the session: the peer's model always reads 50. */
export const SESSION = Array.from({ length: 50 }, (_, t) => 1 + ((37 * t) % PEER_ITEMS));

const ONNX_WORKER = `
  import { env, InferenceSession, Tensor } from '/onnx/ort.wasm.min.mjs';
  env.wasm.numThreads = 1;
  env.wasm.wasmPaths = '/onnx/';
  const session = await InferenceSession.create('/peers/sasrec-10k.onnx', { executionProviders: ['wasm'] });
  const ids = new Tensor('int64', BigInt64Array.from(${JSON.stringify(SESSION)}, BigInt), [1, ${SESSION.length}]);
  const answer = async () => postMessage(Array.from((await session.run({ ids })).indices.data, Number));
  onmessage = answer;
  await answer();`;

const TYPES: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript',
  '.mjs': 'text/javascript',
  '.json': 'application/json',
  '.wasm': 'application/wasm',
};

export interface PeerSite {
  readonly origin: string;
  close(): Promise<void>;
}

/**
 * Serves pages and what they load, `/lib/`, `/embed/`, `/model/`, `/onnx/`, `/peers/` and `/onnx-worker.js`, compressed beforehand, and
 * counts the bytes of each page: `/PAGE.html/bytes`.
 *
 * @param pages HTML by path.
 * @param peers Folder of the peers' weights; undefined where they are not here.
 * @param cache How long a browser keeps files, as `cache-control` says it.
 * @param architecture Of the model in our folder.
 */
export async function servePeers(
  pages: Readonly<Record<string, string>>,
  peers: string | undefined,
  cache = 'no-store',
  architecture = 'sasrec',
): Promise<PeerSite> {
  buildChanged(['lib', 'embed']);
  const place = await mkdtemp(join(tmpdir(), 'aisle-start-'));
  await writeArtifactFolder(join(place, 'model'), await artifactOf(architecture, peers));
  const texts: Readonly<Record<string, string>> = { ...pages, '/onnx-worker.js': ONNX_WORKER };
  const folders = {
    '/lib/': built('lib'),
    '/embed/': built('embed'),
    '/model/': join(place, 'model'),
    '/onnx/': join(ROOT, 'node_modules/onnxruntime-web/dist'),
    ...(peers && { '/peers/': peers }),
  };
  const compressed = new Map<string, Buffer>();
  let sent = 0;
  async function contentOf(path: string): Promise<Buffer> {
    const known = compressed.get(path);
    if (known) return known;
    const folder = Object.entries(folders).find(([prefix]) => path.startsWith(prefix));
    const content = Buffer.from(texts[path] ?? (await readFile(join(folder![1], path.slice(folder![0].length)))));
    const made = brotliCompressSync(content, { params: { [constants.BROTLI_PARAM_QUALITY]: 9 } });
    compressed.set(path, made);
    return made;
  }
  const server: Server = createServer(async ({ url = '' }, response) => {
    const path = decodeURIComponent(url.split('?')[0]!);
    try {
      if (path.endsWith('/bytes')) return response.end(String(sent));
      if (path.endsWith('.html')) sent = 0;
      const content = await contentOf(path);
      sent += content.length;
      const type = TYPES[extname(path)] ?? 'application/octet-stream';
      response.writeHead(200, {
        'content-type': type,
        'content-encoding': 'br',
        'content-length': content.length,
        'cache-control': cache,
      });
      response.end(content);
    } catch {
      response.writeHead(404).end();
    }
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    origin: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    async close() {
      server.close();
      await rm(place, { recursive: true, force: true });
    },
  };
}

/** A network as an artifact with a plan. */
async function artifactOf(architecture: string, peers: string | undefined): Promise<Artifact> {
  const { config, weights, catalogue } = await timedNetwork(architecture, peers);
  const support = new Int32Array(catalogue.items + 1).fill(1, 1);
  const tensors = { ...weights, 'catalogue.support': { data: support, shape: [support.length] } };
  const info = { ...NAMELESS, architecture, config: { ...config }, items: catalogue.items };
  const artifact = { info, itemIds: Array.from({ length: catalogue.items }, (_, k) => `${k + 1}`), tensors };
  return run(async (slice) => {
    const device = await slice.start('cpu');
    const scorer = await loadScorer(artifact);
    const golden = await goldenAnswer(scorer, SESSION);
    scorer.dispose();
    const whole = { ...artifact, info: { ...info, golden } };
    return { ...whole, plan: await compileArtifact(whole, device) };
  });
}

/** The 95th percentile. */
export function most(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  return Math.round(sorted[Math.ceil(0.95 * sorted.length) - 1]!);
}
