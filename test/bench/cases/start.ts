import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { extname, join } from 'node:path';
import { brotliCompressSync, constants } from 'node:zlib';
import type { Browser } from 'playwright-core';
import { devDependencies } from '../../../package.json';
import type { Artifact } from '../../../src/checkpoint/artifact';
import { run } from '../../../src/compute/executor';
import { writeArtifactFolder } from '../../../src/pipeline/files/artifact-folder';
import { compileArtifact } from '../../../src/ranking/compile-plan';
import { goldenAnswer } from '../../../src/ranking/golden-check';
import { loadScorer, NAMELESS } from '../../../src/ranking/load-scorer';
import { buildChanged, built, ROOT } from '../../build/built';
import { launchChromium } from '../../chromium';
import { sharedPath } from '../../shared';
import type { BenchCase, OpenCase } from '../bench-case';
import { median } from '../contender';
import { PEER_ITEMS, peerNetwork } from '../peer-network';

const THROTTLE = 4;
/** Clicks of the session: the peer's model always reads 50. */
const SESSION = Array.from({ length: 50 }, (_, t) => 1 + ((37 * t) % PEER_ITEMS));
const ANSWERS = 5;

/**
 * From the navigation to the first answers of a page whose cache is empty, by the same weights: SASRec of 10,000 items by its plan,
 * beside our page on TensorFlow.js' WASM, and beside a page with ONNX Runtime Web. Every page computes in a worker.
 */
export const cases: readonly BenchCase[] = startCases();

function startCases(): BenchCase[] {
  const folder = sharedPath('peers');
  if (!folder) {
    console.error('start-wasm and start-onnx are left out: the weights of both sides, ../shared/peers, are not here.');
    return [];
  }
  return (['wasm', 'onnx'] as const).map((peer) => ({
    name: `start-${peer}`,
    unit: 'ms',
    runs: 15,
    warmup: 0,
    open: () => open(peer, folder),
  }));
}

/** Milliseconds after the navigation of each answer, and what came over the wire. */
interface Load {
  readonly answers: readonly number[];
  readonly bytes: number;
  readonly items: readonly number[];
}

async function open(peer: 'wasm' | 'onnx', folder: string): Promise<OpenCase> {
  buildChanged(['lib']);
  const place = await mkdtemp(join(tmpdir(), 'aisle-start-'));
  await writeArtifactFolder(join(place, 'model'), await sasrec(folder));
  const [browser, site] = await Promise.all([launchChromium(), serve(place, folder)]);
  const loads: Record<'plan' | 'wasm' | 'onnx', Load[]> = { plan: [], wasm: [], onnx: [] };
  const load = async (name: keyof typeof loads): Promise<number> => {
    const one = await loadPage(browser, `${site.origin}/${name}.html`);
    loads[name].push(one);
    return one.answers[0]!;
  };
  for (const name of ['plan', peer] as const) await load(name); // compresses what the others load
  for (const name of ['plan', peer] as const) loads[name].length = 0;
  const figure = (of: readonly Load[], what: (load: Load) => number): number => Number(median(of.map(what)).toFixed(1));
  const next = ({ answers }: Load): number => answers[ANSWERS - 1]! - answers[ANSWERS - 2]!;
  return {
    ours: () => load('plan'),
    theirs: () => load(peer),
    peer: peer === 'wasm' ? 'the same page on the backend wasm' : 'a page with ONNX Runtime Web (wasm)',
    threads: 1,
    versions: { Chromium: browser.version(), 'onnxruntime-web': devDependencies['onnxruntime-web'] },
    facts: () => ({
      'slower by': `${THROTTLE}×, the page's own thread`,
      'answer 5, ms after the one before': figure(loads.plan, next),
      'the same of the peer': figure(loads[peer], next),
      '95th percentile of the first answer, ms': percentile(loads.plan),
      'the same of the peer, ms': percentile(loads[peer]),
      'bytes over the wire, Brotli 9, the model included': figure(loads.plan, ({ bytes }) => bytes),
      'the same of the peer, bytes': figure(loads[peer], ({ bytes }) => bytes),
      'same items in the same order, of 20': loads.plan[0]!.items.filter((item, i) => item === loads[peer][0]!.items[i])
        .length,
    }),
    async close() {
      await browser.close();
      site.server.close();
      await rm(place, { recursive: true, force: true });
    },
  };
}

function percentile(loads: readonly Load[]): number {
  const sorted = loads.map(({ answers }) => answers[0]!).sort((a, b) => a - b);
  return Math.round(sorted[Math.ceil(0.95 * sorted.length) - 1]!);
}

/** The peers' weights as an artifact with a plan. */
async function sasrec(folder: string): Promise<Artifact> {
  const { config, weights, catalogue } = await peerNetwork('sasrec', folder);
  const support = new Int32Array(catalogue.items + 1).fill(1, 1);
  const tensors = { ...weights, 'catalogue.support': { data: support, shape: [support.length] } };
  const info = { ...NAMELESS, architecture: 'sasrec', config: { ...config }, items: catalogue.items };
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

async function loadPage(browser: Browser, address: string): Promise<Load> {
  const page = await browser.newPage();
  try {
    const devtools = await page.context().newCDPSession(page);
    await devtools.send('Emulation.setCPUThrottlingRate', { rate: THROTTLE });
    await page.goto(address);
    const found = await page.waitForFunction(() => (globalThis as { found?: Omit<Load, 'bytes'> }).found, null, {
      timeout: 120_000,
    });
    const bytes = await page.evaluate(async (url) => Number(await (await fetch(url)).text()), `${address}/bytes`);
    return { ...(await found.jsonValue())!, bytes };
  } finally {
    await page.context().close();
  }
}

const ours = (backend: string): string => `
  import { createRecommender } from '/lib/index.js';
  const recommender = await createRecommender({ modelUrl: '/model/', backend: '${backend}' });
  for (const item of ${JSON.stringify(SESSION)}) recommender.track(String(item));
  const answers = [];
  let items;
  for (let i = 0; i < ${ANSWERS}; i++) {
    items = await recommender.recommend({ k: 20 });
    answers.push(performance.now());
    if (items[0].reason !== 'neural') throw new Error('The first item is ' + items[0].reason + '.');
  }
  globalThis.found = { answers, items: items.map(({ itemId }) => Number(itemId)) };`;

const ONNX_PAGE = `
  const worker = new Worker('/onnx-worker.js', { type: 'module' });
  const answers = [];
  worker.onmessage = ({ data }) => {
    answers.push(performance.now());
    if (answers.length < ${ANSWERS}) worker.postMessage(0);
    else globalThis.found = { answers, items: data };
  };`;
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

/** Serves the pages and what they load, compressed beforehand, and counts the bytes of each page. */
async function serve(place: string, peers: string): Promise<{ server: Server; origin: string }> {
  const page = (script: string): Buffer =>
    Buffer.from(`<!doctype html><title>Start</title><script type="module">${script}</script>`);
  const scripts: Readonly<Record<string, Buffer>> = {
    '/plan.html': page(ours('plan')),
    '/wasm.html': page(ours('wasm')),
    '/onnx.html': page(ONNX_PAGE),
    '/onnx-worker.js': Buffer.from(ONNX_WORKER),
  };
  const folders = {
    '/lib/': built('lib'),
    '/model/': join(place, 'model'),
    '/onnx/': join(ROOT, 'node_modules/onnxruntime-web/dist'),
    '/peers/': peers,
  };
  const compressed = new Map<string, Buffer>();
  let sent = 0;
  async function contentOf(path: string): Promise<Buffer> {
    const known = compressed.get(path);
    if (known) return known;
    const folder = Object.entries(folders).find(([prefix]) => path.startsWith(prefix));
    const content = scripts[path] ?? (await readFile(join(folder![1], path.slice(folder![0].length))));
    const made = brotliCompressSync(content, { params: { [constants.BROTLI_PARAM_QUALITY]: 9 } });
    compressed.set(path, made);
    return made;
  }
  const server = createServer(async ({ url = '' }, response) => {
    const path = decodeURIComponent(url.split('?')[0]!);
    try {
      if (path.endsWith('/bytes')) return response.end(String(sent));
      if (path.endsWith('.html')) sent = 0;
      const content = await contentOf(path);
      sent += content.length;
      const type = TYPES[extname(path)] ?? 'application/octet-stream';
      response.writeHead(200, { 'content-type': type, 'content-encoding': 'br', 'content-length': content.length });
      response.end(content);
    } catch {
      response.writeHead(404).end();
    }
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return { server, origin: `http://127.0.0.1:${(server.address() as AddressInfo).port}` };
}
