/** The Chromium that tests and scripts drive: the system's own, never a downloaded one. */
import { accessSync, constants } from 'node:fs';
import { delimiter, join } from 'node:path';
import { buffer } from 'node:stream/consumers';
import { type Browser, chromium, type Download, type LaunchOptions } from 'playwright-core';

const NAMES = ['chromium', 'chromium-browser', 'google-chrome-stable', 'google-chrome'];
const MAC = [
  '/Applications/Chromium.app/Contents/MacOS/Chromium',
  '/Applications/Google Chrome.app/Contents/MacOS/Google Chrome',
];

/** The one sentence that a machine without a browser gets. */
export const NO_CHROMIUM =
  'The browser tests need Chromium: install it (on Debian `apt-get install chromium`) or set CHROME_PATH to its executable.';

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

function find(names: readonly string[], elsewhere: readonly string[] = []): string | undefined {
  const named = process.env['CHROME_PATH'];
  if (named) return isExecutable(named) ? named : undefined;
  const folders = (process.env['PATH'] ?? '').split(delimiter).filter(Boolean);
  return [...names.flatMap((name) => folders.map((folder) => join(folder, name))), ...elsewhere].find(isExecutable);
}

/** Path of the browser: CHROME_PATH where it is set, else the first known name on the PATH; undefined where there is none. */
export const findChromium = (): string | undefined => find(NAMES, MAC);

/** Path of the same engine without Chrome's own windows and services, which opens a page in half the time; else of Chromium. */
export const findHeadlessShell = (): string | undefined => find(['chromium-headless-shell']) ?? findChromium();

/**
 * Flags of every test browser: WebGPU and WebGL in software, so that results do not depend on the machine's driver, and
 * no network traffic of the browser's own.
 */
export const CHROMIUM_FLAGS: readonly string[] = [
  '--enable-unsafe-webgpu',
  '--use-webgpu-adapter=swiftshader',
  '--enable-features=Vulkan',
  '--use-angle=swiftshader',
  '--enable-unsafe-swiftshader',
  // Pages are drawn by the processor: through a GPU in software that takes most of a test's time.
  '--disable-gpu-compositing',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-default-apps',
  '--disable-domain-reliability',
  '--disable-sync',
  '--no-first-run',
  '--no-pings',
  // Chromium refuses to sandbox a process of root, which is what a container runs as.
  ...(process.getuid?.() === 0 ? ['--no-sandbox'] : []),
  '--disable-dev-shm-usage',
];

/** How Playwright starts what opens most pages. @throws Error where there is none. */
export function chromiumOptions(): LaunchOptions {
  const executablePath = findHeadlessShell();
  if (executablePath === undefined) throw new Error(NO_CHROMIUM);
  return { executablePath, args: [...CHROMIUM_FLAGS] };
}

/** A Chromium of its own; close it in the end. */
export const launchChromium = (): Promise<Browser> => chromium.launch(chromiumOptions());

/** The content of a file that a page hands over: it lies where the browser runs. */
export const contentOf = async (download: Download): Promise<Buffer> => buffer(await download.createReadStream());
