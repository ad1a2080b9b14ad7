import type { Browser } from 'playwright-core';
import { devDependencies } from '../../../package.json';
import { launchChromium } from '../../chromium';
import { sharedPath } from '../../shared';
import type { BenchCase, OpenCase } from '../bench-case';
import { median } from '../figures';
import { most, SESSION, servePeers, THROTTLE } from '../peer-site';

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
  const page = (script: string): string =>
    `<!doctype html><title>Start</title><script type="module">${script}</script>`;
  const pages = { '/plan.html': page(ours('plan')), '/wasm.html': page(ours('wasm')), '/onnx.html': page(ONNX_PAGE) };
  const [browser, site] = await Promise.all([launchChromium(), servePeers(pages, folder)]);
  const loads: Record<'plan' | 'wasm' | 'onnx', Load[]> = { plan: [], wasm: [], onnx: [] };
  const load = async (name: keyof typeof loads): Promise<number> => {
    const one = await loadPage(browser, `${site.origin}/${name}.html`);
    loads[name].push(one);
    return one.answers[0]!;
  };
  for (const name of ['plan', peer] as const) await load(name); // compresses what the others load
  for (const name of ['plan', peer] as const) loads[name].length = 0;
  const figure = (of: readonly Load[], what: (load: Load) => number): number => Number(median(of.map(what)).toFixed(1));
  const first = ({ answers }: Load): number => answers[0]!;
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
      '95th percentile of the first answer, ms': most(loads.plan.map(first)),
      'the same of the peer, ms': most(loads[peer].map(first)),
      'bytes over the wire, Brotli 9, the model included': figure(loads.plan, ({ bytes }) => bytes),
      'the same of the peer, bytes': figure(loads[peer], ({ bytes }) => bytes),
      'same items in the same order, of 20': loads.plan[0]!.items.filter((item, i) => item === loads[peer][0]!.items[i])
        .length,
    }),
    async close() {
      await browser.close();
      await site.close();
    },
  };
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
