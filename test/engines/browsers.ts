/** The system's browsers of three engines, behind one small interface. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { type AddressInfo, createServer } from 'node:net';
import { delimiter, join } from 'node:path';
import { createInterface } from 'node:readline';
import type { Readable } from 'node:stream';
import puppeteer, { type LaunchOptions, TimeoutError } from 'puppeteer-core';
import { vi } from 'vitest';
import { CHROMIUM_FLAGS, findChromium } from '../chromium';

export interface Tab {
  /** Loads the document again. WebKit does not wait for its module scripts, so poll for what they do. */
  reload(): Promise<void>;
  /** Path of the address. To be asked while the tab goes elsewhere: a function that runs in the page then may never answer in WebKit. */
  path(): Promise<string>;
  /** Runs a function in the page. Its arguments and its result are plain data. */
  evaluate<A extends unknown[], R>(run: (...args: A) => R, ...args: A): Promise<Awaited<R>>;
  close(): Promise<void>;
}

export interface Browser {
  /** Opens a page in a tab or window of its own, in front of the others. All share one profile: give each test an origin. */
  open(url: string): Promise<Tab>;
  close(): Promise<void>;
}

export interface BrowserOptions {
  /** Whether nothing outlives the browser. WebKit's is always so while it is driven. Default false. */
  readonly isPrivate?: boolean;
  /** Settings of Firefox, by name. */
  readonly firefox?: Readonly<Record<string, boolean | number>>;
}

export interface BrowserEngine {
  readonly name: 'Chromium' | 'Firefox' | 'WebKit' | 'WPE';
  /** Says that the browser is not installed, and how to install it; undefined where it can be started. */
  readonly missing: string | undefined;
  /** Whether `npm test` leaves it out. */
  readonly isInSoakOnly?: true;
  start(options?: BrowserOptions): Promise<Browser>;
}

/** Path of the first of these programs on the PATH. */
function find(...names: readonly string[]): string | undefined {
  const folders = (process.env['PATH'] ?? '').split(delimiter).filter(Boolean);
  return names.flatMap((name) => folders.map((folder) => join(folder, name))).find((path) => existsSync(path));
}

const firefox = find('firefox-esr', 'firefox');
const driver = find('WebKitWebDriver');
const wpeDriver = find('WPEWebDriver');
const cog = find('cog');
const xvfb = find('Xvfb');

const missing = (name: string, packages: string): string =>
  `${name} is not installed, so its tests are skipped. On Debian: apt-get install --no-install-recommends ${packages}`;

export const ENGINES: readonly BrowserEngine[] = [
  {
    name: 'Chromium',
    missing: undefined, // without it no test project starts
    start: ({ isPrivate = false } = {}) =>
      startPuppeteer({
        browser: 'chrome',
        executablePath: findChromium()!,
        args: [...CHROMIUM_FLAGS, ...(isPrivate ? ['--incognito'] : [])],
      }),
  },
  {
    name: 'Firefox',
    missing: firefox ? undefined : missing('Firefox', 'firefox-esr'),
    start: ({ isPrivate = false, firefox: settings } = {}) =>
      startPuppeteer({
        browser: 'firefox',
        executablePath: firefox!,
        extraPrefsFirefox: { 'browser.privatebrowsing.autostart': isPrivate, ...settings },
      }),
  },
  {
    name: 'WebKit',
    missing: driver && xvfb ? undefined : missing('WebKit', 'webkit2gtk-driver xvfb'),
    start: startWebKit,
  },
  {
    // WebKit without a desktop, as set-top boxes and kiosks have it.
    name: 'WPE',
    isInSoakOnly: true,
    missing: wpeDriver && cog ? undefined : missing('WPE WebKit', 'wpewebkit-driver cog'),
    start: startWpe,
  },
];

/** Milliseconds that a function in a page may take. */
const SCRIPT_DEADLINE = 120_000;

/** Milliseconds in which a browser starts. Firefox, which takes 4 s, once had not started after 30. */
const START_DEADLINE = 60_000;

async function startPuppeteer(options: LaunchOptions): Promise<Browser> {
  const launch = () => puppeteer.launch({ ...options, protocolTimeout: SCRIPT_DEADLINE, timeout: START_DEADLINE });
  const browser = await launch().catch((error: unknown) => {
    if (!(error instanceof TimeoutError)) throw error;
    // No test has begun: what hangs is the browser's own start.
    console.warn(
      `${options.executablePath} did not start within ${START_DEADLINE / 1000} s, and is started once more.`,
    );
    return launch();
  });
  return {
    async open(url) {
      const page = await browser.newPage();
      await page.goto(url);
      return {
        reload: async () => void (await page.reload()),
        path: async () => new URL(page.url()).pathname,
        evaluate: (run, ...args) => page.evaluate(run as (...args: unknown[]) => unknown, ...args) as never,
        close: () => page.close(),
      };
    },
    close: () => browser.close(),
  };
}

/** WebKitGTK's MiniBrowser, which the driver starts by itself, on a display that nobody sees. */
function startWebKit(): Promise<Browser> {
  return startDriven(async (programs) => {
    const screen = startProgram(xvfb!, ['-displayfd', '3']);
    programs.push(screen);
    const [display] = (await once(createInterface(screen.messages), 'line')) as [string];
    const port = await freePort();
    programs.push(startProgram(driver!, [`--port=${port}`], { DISPLAY: `:${display}`, GDK_BACKEND: 'x11' }));
    return { address: `http://127.0.0.1:${port}`, capabilities: {} };
  });
}

/** Cog, which has one window, and needs no display. */
function startWpe(): Promise<Browser> {
  return startDriven(async (programs) => {
    const port = await freePort();
    programs.push(startProgram(wpeDriver!, [`--port=${port}`]));
    const options = { binary: cog!, args: ['--automation', '--platform=headless'] };
    const capabilities = { alwaysMatch: { 'wpe:browserOptions': options } };
    return { address: `http://127.0.0.1:${port}`, capabilities, keepsWindows: true };
  });
}

interface Driven {
  readonly address: string;
  readonly capabilities: object;
  /** Whether a window that was closed would end the browser. Default false. */
  readonly keepsWindows?: boolean;
}

/** @param start Starts the driver, and adds every program that is to end with the browser. */
async function startDriven(start: (programs: Program[]) => Promise<Driven>): Promise<Browser> {
  const programs: Program[] = [];
  async function end(): Promise<void> {
    for (const program of programs.reverse()) await program.end();
  }
  try {
    const driven = await start(programs);
    await vi.waitFor(() => fetch(`${driven.address}/status`), { timeout: 20_000 });
    const browser = await openSession(driven);
    return { open: browser.open, close: () => browser.close().finally(end) };
  } catch (error) {
    await end();
    throw error;
  }
}

/** @see https://www.w3.org/TR/webdriver2/ */
async function openSession({ address, capabilities, keepsWindows = false }: Driven): Promise<Browser> {
  async function call<T>(method: 'GET' | 'POST' | 'DELETE', path: string, body?: object): Promise<T> {
    const response = await fetch(address + path, {
      method,
      headers: { 'content-type': 'application/json' },
      ...(body && { body: JSON.stringify(body) }),
    });
    const { value } = (await response.json()) as { value: T & { error?: string; message?: string } };
    if (!response.ok) throw new Error(`WebDriver: ${method} ${path} failed: ${value.error}, ${value.message}`);
    return value;
  }
  const { sessionId } = await call<{ sessionId: string }>('POST', '/session', { capabilities });
  const session = `/session/${sessionId}`;
  await call('POST', `${session}/timeouts`, { script: SCRIPT_DEADLINE });
  const first = await call<string>('GET', `${session}/window`);
  /** A command goes to the current window, so choosing the window and the command must not be parted. */
  let queue: Promise<unknown> = Promise.resolve();
  function inWindow<T>(handle: string, command: () => Promise<T>): Promise<T> {
    const result = queue.then(async () => {
      await call('POST', `${session}/window`, { handle });
      return command();
    });
    queue = result.catch(() => {});
    return result;
  }
  return {
    async open(url) {
      // Not a tab: the page of a new tab counts as hidden.
      const { handle } = await inWindow(first, () =>
        call<{ handle: string }>('POST', `${session}/window/new`, { type: 'window' }),
      );
      await inWindow(handle, () => call('POST', `${session}/url`, { url }));
      return {
        reload: () => inWindow(handle, () => call<void>('POST', `${session}/refresh`, {})),
        path: async () => new URL(await inWindow(handle, () => call<string>('GET', `${session}/url`))).pathname,
        async evaluate(run, ...args) {
          const script = `const [args, done] = arguments;
            (async () => (${run})(...args))().then((value) => done({ value }), (error) => done({ error: String(error) }))`;
          const answer = await inWindow(handle, () =>
            call<{ value: never } | { error: string }>('POST', `${session}/execute/async`, { script, args: [args] }),
          );
          if ('error' in answer) throw new Error(`In the page: ${answer.error}`);
          return answer.value;
        },
        close: () =>
          inWindow(handle, () =>
            // WPE ends with its newest window.
            keepsWindows
              ? call<void>('POST', `${session}/url`, { url: 'about:blank' })
              : call<void>('DELETE', `${session}/window`),
          ),
      };
    },
    close: () => call('DELETE', session),
  };
}

interface Program {
  /** What it writes to file 3. */
  readonly messages: Readable;
  end(): Promise<void>;
}

/** Starts a program that ends with this process, even if this process is killed: the system then closes the shell's input. */
function startProgram(path: string, args: readonly string[], env: NodeJS.ProcessEnv = {}): Program {
  const shell = spawn('sh', ['-c', '"$@" & read -r _; kill $!; wait $!', 'sh', path, ...args], {
    env: { ...process.env, ...env },
    stdio: ['pipe', 'ignore', 'ignore', 'pipe'],
  });
  const closed = once(shell, 'close');
  return {
    messages: shell.stdio[3] as Readable,
    async end() {
      shell.stdin!.end();
      await closed;
    },
  };
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}
