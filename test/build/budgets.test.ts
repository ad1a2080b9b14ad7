/**
 * The engine path: every file that a page loads to recommend, beyond the scripts that it starts with. Measured on the built
 * files, and by opening them in Chromium.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { basename, extname, join } from 'node:path';
import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { BackendName } from '../../src/compute/types';
import type { createRecommender } from '../../src/index';
import { models } from '../../src/models/index';
import { openBrowser } from '../demo/shop-window';
import { type Folder, folderOf, smallModel } from '../engine/fixture';
import { SMALL } from '../engine/parity';
import { brotliBytes, built, staticScripts } from './built';

/** Bytes, Brotli at its strongest. */
const BUDGETS: readonly (readonly [BackendName, number])[] = [
  ['cpu', 70_000],
  ['wasm', 180_000],
  ['webgl', 100_000],
  ['webgpu', 90_000],
];
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

/** The worker's script, and the files that it loads to compute on a backend. */
function enginePath(worker: string, backend: BackendName): Set<string> {
  const fileIn = (folder: string, name: RegExp): string => {
    const file = readdirSync(folder).find((other) => name.test(other));
    expect(file, `a file ${name} in ${folder}`).toBeDefined();
    return join(folder, file!);
  };
  const files = new Set([worker, fileIn(join(worker, '../parts'), new RegExp(`^${backend}-\\w+\\.js$`))]);
  if (backend !== 'wasm') return files;
  const assets = join(worker, basename(worker) === 'worker.js' ? '../assets' : '..');
  return files.add(fileIn(assets, /^tfjs-backend-wasm-simd-.*\.wasm$/));
}

beforeAll(() => Promise.all([built('lib'), built('page')]));

describe.each(BUDGETS)('the engine path on %s', (backend, budget) => {
  test(`is at most ${budget / 1000} kB of the built library, without an architecture`, async () => {
    const files = enginePath(join(await built('lib'), 'worker.js'), backend);
    expect(total(files)).toBeLessThanOrEqual(budget);
    expect([...files].filter((path) => TRAINING.test(basename(path)))).toEqual([]);
  });

  test(`is at most ${budget / 1000} kB of the built page, without an architecture`, async () => {
    const assets = join(await built('page'), 'assets');
    const worker = readdirSync(assets).find((name) => /^worker-.*\.js$/.test(name))!;
    expect(total(enginePath(join(assets, worker), backend))).toBeLessThanOrEqual(budget);
  });
});

/** A GPU in software takes its time. */
const TIMEOUT = 120_000;
const ORIGIN = 'http://localhost/';
const PAGE = `<!doctype html><script type="module">
  import { createRecommender } from './library/index.js';
  globalThis.createRecommender = createRecommender;
</script>`;
type Global = { readonly createRecommender: typeof createRecommender };
const TYPES: Readonly<Record<string, string>> = { '.js': 'text/javascript', '.wasm': 'application/wasm' };

describe('a page that recommends', () => {
  let library: string;
  let browser: Browser;
  const folders = new Map<string, Folder>();
  beforeAll(async () => {
    library = await built('lib');
    browser = await openBrowser();
    for (const architecture of ARCHITECTURES) {
      folders.set(architecture, await folderOf(await smallModel({ architecture, config: SMALL[architecture] ?? {} })));
    }
  });
  afterAll(() => browser?.close());

  /** Opens a page with the library, asks for one recommendation, and tells which of the library's files it requested. */
  async function requested(architecture: string, backend: BackendName, canStartWorkers: boolean) {
    const context = await browser.newContext();
    const files = new Set<string>();
    await context.route('**', async (route) => {
      const [folder, ...rest] = new URL(route.request().url()).pathname.slice(1).split('/');
      const path = rest.join('/');
      const contentType = TYPES[extname(path)] ?? 'application/octet-stream';
      if (folder === 'library') {
        files.add(join(library, path));
        return route.fulfill({ body: readFileSync(join(library, path)), contentType });
      }
      const artifact = folder === 'model' && folders.get(architecture)!.get(path);
      if (artifact) return route.fulfill({ body: Buffer.from(artifact), contentType });
      return route.fulfill({ body: PAGE, contentType: 'text/html' });
    });
    try {
      const page = await context.newPage();
      if (!canStartWorkers) await page.addInitScript('delete globalThis.Worker');
      await page.goto(ORIGIN);
      await page.waitForFunction('globalThis.createRecommender');
      const { engine, reasons } = await page.evaluate(async (asked) => {
        const { createRecommender } = globalThis as unknown as Global;
        const recommender = await createRecommender({ modelUrl: '/model/', backend: asked });
        recommender.track('item-9');
        const items = await recommender.recommend({ k: 10 });
        const { engine } = recommender.status;
        await recommender.dispose();
        return { engine: { ...engine }, reasons: items.map(({ reason }) => reason) };
      }, backend);
      expect(reasons).toEqual(Array(10).fill('neural'));
      expect(engine).toMatchObject({ backend, thread: canStartWorkers ? 'worker' : 'main' });
    } finally {
      await context.close();
    }
    return [...files].filter(isLater);
  }

  /** Not among the scripts that the page starts with, of which the worker may share one by name. */
  function isLater(path: string): boolean {
    const index = join(library, 'index.js');
    return path !== index && !staticScripts(index).has(path);
  }

  describe.each(ARCHITECTURES)('with %s', (architecture) => {
    test.each(BUDGETS)(
      'on %s requests at most its budget, and no training code',
      async (backend, budget) => {
        const files = await requested(architecture, backend, true);
        const path = [...enginePath(join(library, 'worker.js'), backend)].filter(isLater);
        expect(files).toEqual(expect.arrayContaining(path));
        expect(files.filter((path) => TRAINING.test(basename(path)))).toEqual([]);
        expect(total(files)).toBeLessThanOrEqual(budget);
      },
      TIMEOUT,
    );

    test.each(BUDGETS)(
      'on %s in its own thread does so too',
      async (backend, budget) => {
        const files = await requested(architecture, backend, false);
        expect(files.filter((path) => TRAINING.test(basename(path)))).toEqual([]);
        expect(total(files)).toBeLessThanOrEqual(budget);
      },
      TIMEOUT,
    );
  });
});
