/**
 * The engine path: every file that a page loads to recommend, beyond the scripts that it starts with. Followed through the
 * imports of the built files for every architecture, backend and thread; pages in Chromium hold that these are the files.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { basename, extname, join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { type BackendChoice, type BackendName, isGpu } from '../../src/compute/types';
import type { createRecommender } from '../../src/index';
import { models } from '../../src/models/index';
import type { PartFiles } from '../../src/worker/parts';
import { textOf } from '../docs/manual';
import { folderOf, plannedModel } from '../engine/fixture';
import { SMALL } from '../engine/parity';
import { openBrowser } from '../shared-chromium';
import { slice } from '../soak-slice';
import { brotliBytes, built, holdsTensorCode, staticScripts } from './built';
import { ENGINE, TRIALS } from './limits';

const BUDGETS = Object.entries(ENGINE) as [BackendName, number][];
const ARCHITECTURES = Object.keys(models);
/** What only learning needs. */
const TRAINING = /^(train(-\w+|ing)?|\w+-training|tuned-network|personalisation)-/;

const sizes = new Map<string, number>();
function total(paths: Iterable<string>): number {
  let sum = 0;
  for (const path of paths) {
    const size = sizes.get(path) ?? brotliBytes(path);
    sizes.set(path, size);
    sum += size;
  }
  return sum;
}

const fileIn = (folder: string, name: RegExp): string => {
  const files = readdirSync(folder).filter((other) => name.test(other));
  expect(files, `files ${name} in ${folder}`).toHaveLength(1);
  return join(folder, files[0]!);
};

/** Parts of a worker, and all that they need. */
function partsOf(worker: string, names: readonly string[]): string[] {
  const [, list] = /^globalThis\.aisleWorker=\[(\{.*?\}),\(url\)/.exec(readFileSync(worker, 'utf8'))!;
  const parts: PartFiles = JSON.parse(list!);
  const needed = new Set(names);
  for (const name of needed) for (const need of parts[name]!.split(' ').slice(1)) needed.add(need);
  return [...needed].map((name) => join(worker, '..', `worker-${name}-${parts[name]!.split(' ')[0]}.js`));
}

/** The worker's script, and the files that it loads to compute on a backend. */
function enginePath(worker: string, backend: BackendName): Set<string> {
  if (backend === 'plan') return new Set([worker, ...partsOf(worker, ['plan', 'plan-binary-fused'])]);
  if (backend !== 'wasm') return new Set([worker, ...partsOf(worker, [backend])]);
  return new Set([worker, ...partsOf(worker, ['wasm', 'binary-fused']), fileIn(join(worker, '..'), WASM)]);
}

const WASM = /^tfjs-backend-wasm-simd-.*\.wasm$/;
const THREADS = ['worker', 'main'] as const;
type Thread = (typeof THREADS)[number];

/** What the library requests, after the scripts that a page starts with, to recommend on a backend with an architecture. */
function requestedPath(architecture: string, backend: BackendName, thread: Thread): Set<string> {
  const library = built('lib');
  const chunk = (name: string) => fileIn(library, new RegExp(`^${name}-[\\w-]{7}\\.js$`));
  /** What scripts import for the architecture, by the list of `src/models/index.ts`; a plan may read sessions by what is there. */
  const ofArchitecture = (scripts: Iterable<string>): string[] => {
    const part = backend === 'plan' ? 'reader' : 'network';
    const entry = new RegExp(
      `\\b${architecture}:\\{[^}]*\\b${part}:async\\(\\)=>\\(await \\w+\\([\`"'](?:\\./)?([\\w.-]+)[\`"']\\)`,
    );
    return [...scripts].flatMap((script) => entry.exec(readFileSync(script, 'utf8'))?.[1] ?? []);
  };
  // A page notes that it tries a GPU, before it does.
  const trials = isGpu(backend) ? staticScripts(chunk('trials')) : [];
  if (thread === 'worker') {
    const worker = join(library, 'worker.js');
    const parts = partsOf(worker, ofArchitecture([worker]));
    return new Set([...enginePath(worker, backend), ...parts, ...trials].filter(isLater));
  }
  const main = chunk('main-thread');
  const statics = [main, ...staticScripts(main)];
  const scripts = [main, ...ofArchitecture(statics).map((name) => join(library, name))];
  const computing = backend === 'plan' ? ['plan-code', 'direct-placement'] : [backend, 'load-scorer', 'placement'];
  for (const name of computing) scripts.push(chunk(name), ...staticScripts(chunk(name)));
  if (backend === 'plan' || backend === 'wasm')
    scripts.push(join(library, firstImport(scripts, /([`"'])\.\/(binary-fused-[\w-]+\.js)\1/)));
  const files = scripts.flatMap((path) => [path, ...staticScripts(path)]);
  return new Set([...files, ...trials, ...(backend === 'wasm' ? [fileIn(library, WASM)] : [])].filter(isLater));
}

/** The script that scripts import later by a name. */
const firstImport = (scripts: readonly string[], name: RegExp): string =>
  scripts.flatMap((script) => name.exec(readFileSync(script, 'utf8'))?.[2] ?? [])[0]!;

/** Not among the scripts that the page starts with, of which the worker may share one by name. */
function isLater(path: string): boolean {
  const index = join(built('lib'), 'index.js');
  return path !== index && !staticScripts(index).has(path);
}

describe.each(BUDGETS)('the engine path on %s', (backend, budget) => {
  test(`is at most ${budget / 1000} kB of the built library, without an architecture`, async () => {
    const files = enginePath(join(built('lib'), 'worker.js'), backend);
    expect(total(files)).toBeLessThanOrEqual(budget);
    expect([...files].filter((path) => TRAINING.test(basename(path)))).toEqual([]);
  });

  test(`is at most ${budget / 1000} kB of the built page, without an architecture`, async () => {
    const assets = join(built('page'), 'assets');
    const worker = readdirSync(assets).find((name) => /^worker-[0-9a-f]{8}\.js$/.test(name))!;
    expect(total(enginePath(join(assets, worker), backend))).toBeLessThanOrEqual(budget);
  });
});

const ORIGIN = 'http://localhost/';
const PAGE = `<!doctype html><script type="module">
  import { createRecommender } from './library/index.js';
  globalThis.createRecommender = createRecommender;
</script>`;
type Global = { readonly createRecommender: typeof createRecommender };
const TYPES: Readonly<Record<string, string>> = { '.js': 'text/javascript', '.wasm': 'application/wasm' };

describe.each(ARCHITECTURES)('what a page requests with %s', (architecture) => {
  test.each(BUDGETS.flatMap(([backend, budget]) => THREADS.map((thread) => [backend, thread, budget] as const)))(
    'on %s, in the thread %s, is within its budget, and no training code',
    (backend, thread, budget) => {
      const files = requestedPath(architecture, backend, thread);
      expect([...files].filter((path) => TRAINING.test(basename(path)))).toEqual([]);
      expect([...files].some((path) => path.endsWith('.js') && holdsTensorCode(path))).toBe(backend !== 'plan');
      expect(total(files)).toBeLessThanOrEqual(budget);
    },
  );
});

/** What trying both GPU backends requests, where a plan answers. */
function ofTrials(architecture: string): Set<string> {
  const path = (backend: BackendName) => requestedPath(architecture, backend, 'worker');
  const before = path('plan');
  return new Set([...path('webgl'), ...path('webgpu')].filter((file) => !before.has(file)));
}

test.each(ARCHITECTURES)(
  'trials of both GPU backends beside a plan are within their budget with %s',
  (architecture) => {
    expect(total(ofTrials(architecture))).toBeLessThanOrEqual(TRIALS);
  },
);

test.each([
  ['`embed.js`', () => total([join(built('embed'), 'embed.js')])],
  ["what computes, by the model's", () => total(requestedPath('gru4rec', 'plan', 'worker'))],
  ['what computes, for a model without a plan', () => total(requestedPath('gru4rec', 'wasm', 'worker'))],
  ['trials', () => Math.max(...ARCHITECTURES.map((architecture) => total(ofTrials(architecture))))],
])('docs/performance.md says what a visitor downloads: %s', (part, bytes) => {
  const row = textOf('docs/performance.md')
    .split('\n')
    .find((line) => line.startsWith(`| ${part}`))!;
  expect(Math.abs(Number(/\b(\d+) kB/.exec(row)![1]) - bytes() / 1000)).toBeLessThan(2);
});

/** Every backend, both threads, and an architecture whose part has another name. */
const PAGES = [
  ['caser', 'plan', 'worker'],
  ['transformers4rec', 'plan', 'main'],
  ['gru4rec', 'cpu', 'main'],
  ['cl4srec', 'wasm', 'worker'],
  ['transformers4rec', 'webgl', 'main'],
  ['srgnn', 'webgpu', 'worker'],
] as const;

test.each(slice(PAGES, ([, backend]) => !backend.startsWith('webg')))(
  'a page that recommends with %s on %s, in the thread %s, requests these files and no others',
  async (architecture, backend, thread) => {
    const library = built('lib');
    const model = await folderOf(await plannedModel({ architecture, config: SMALL[architecture] ?? {} }));
    const browser = await openBrowser();
    onTestFinished(() => browser.close());
    const context = await browser.newContext();
    const files = new Set<string>();
    const ofModel: string[] = [];
    await context.route('**', async (route) => {
      const [folder, ...rest] = new URL(route.request().url()).pathname.slice(1).split('/');
      const path = rest.join('/');
      const contentType = TYPES[extname(path)] ?? 'application/octet-stream';
      if (folder === 'library') {
        files.add(join(library, path));
        return route.fulfill({ body: readFileSync(join(library, path)), contentType });
      }
      const artifact = folder === 'model' && model.get(path);
      if (artifact) ofModel.push(path);
      if (artifact) return route.fulfill({ body: Buffer.from(artifact), contentType });
      return route.fulfill({ body: PAGE, contentType: 'text/html' });
    });
    const page = await context.newPage();
    if (thread === 'main') await page.addInitScript('delete globalThis.Worker');
    // Who saves data tries no other backend.
    await page.addInitScript("Object.defineProperty(navigator, 'connection', { value: { saveData: true } })");
    await page.goto(ORIGIN);
    await page.waitForFunction('globalThis.createRecommender');
    const asked: BackendChoice = backend === 'plan' ? 'auto' : backend;
    const { engine, reasons } = await page.evaluate(async (asked) => {
      const { createRecommender } = globalThis as unknown as Global;
      const recommender = await createRecommender({ modelUrl: '/model/', backend: asked });
      recommender.track('item-9');
      const items = await recommender.recommend({ k: 10 });
      const { engine } = recommender.status;
      await recommender.dispose();
      return { engine: { ...engine }, reasons: items.map(({ reason }) => reason) };
    }, asked);
    expect(reasons).toEqual(Array(10).fill('neural'));
    expect(engine).toMatchObject({ backend, thread });
    expect([...files].filter(isLater).sort()).toEqual([...requestedPath(architecture, backend, thread)].sort());
    const always = ['items.json', 'manifest.json', 'weights.safetensors'];
    expect(ofModel.sort()).toEqual(backend === 'plan' ? [...always, 'plan.bin'].sort() : always);
  },
  120_000, // a GPU in software takes its time
);
