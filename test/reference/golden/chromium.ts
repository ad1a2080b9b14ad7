/** The golden runner in headless Chromium, which has the GPU backends, in software. */
import { readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { build, type Rolldown } from 'vite';
import { tfjsKernels } from '../../../src/build/tfjs-kernels';
import type { BackendName } from '../../../src/compute/types';
import { launchChromium } from '../../chromium';
import type { GoldenPage } from './page';
import type { GoldenRow } from './run-file';

/** Any address that counts as secure: nothing listens there, and nothing is asked. */
const ORIGIN = 'http://localhost/';

/** @param names Files of the folder. @throws Error where there is no browser, or the backend cannot start. */
export async function* goldenInChromium(
  folder: string,
  names: readonly string[],
  backend: BackendName,
): AsyncGenerator<GoldenRow, void> {
  const [files, browser] = await Promise.all([bundle(), launchChromium()]);
  try {
    const page = await browser.newPage();
    page.on('pageerror', (error) => console.error(error));
    page.on('console', (message) => message.type() === 'error' && console.error(message.text()));
    await page.route('**', (route) => {
      const body = files.get(route.request().url().slice(ORIGIN.length));
      return body === undefined
        ? route.fulfill({ status: 404 })
        : route.fulfill({ body: Buffer.from(body), contentType: typeOf(route.request().url()) });
    });
    await page.goto(ORIGIN);
    await page.waitForFunction('globalThis.golden');
    type Global = { readonly golden: GoldenPage };
    await page.evaluate((name) => (globalThis as unknown as Global).golden.start(name), backend);
    for (const name of names) {
      const base64 = readFileSync(join(folder, name)).toString('base64');
      yield await page.evaluate(
        ([file, content, gpu]) => (globalThis as unknown as Global).golden.run(file, content, gpu),
        [name, base64, backend.startsWith('webg')] as const,
      );
    }
  } finally {
    await browser.close();
  }
}

const typeOf = (url: string): string =>
  url.endsWith('.js') ? 'text/javascript' : url.endsWith('.wasm') ? 'application/wasm' : 'text/html';

/** The runner and all that it imports, bundled as the page's own scripts are, by name. */
async function bundle(): Promise<ReadonlyMap<string, string | Uint8Array>> {
  const built = (await build({
    configFile: false,
    root: resolve(import.meta.dirname, '../../..'),
    logLevel: 'error',
    plugins: [tfjsKernels()],
    publicDir: false,
    build: {
      write: false,
      minify: false,
      target: 'es2022',
      assetsInlineLimit: 0,
      rolldownOptions: {
        input: resolve(import.meta.dirname, 'page.ts'),
        output: { entryFileNames: 'golden.js' },
      },
    },
  })) as Rolldown.RolldownOutput;
  const files = new Map<string, string | Uint8Array>([
    ['', '<!doctype html><script type="module" src="golden.js"></script>'],
  ]);
  for (const file of built.output) files.set(file.fileName, file.type === 'chunk' ? file.code : file.source);
  return files;
}
