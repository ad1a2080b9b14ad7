/** The system's browsers of three engines, behind one small interface. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { type AddressInfo, createServer } from 'node:net';
import { delimiter, join } from 'node:path';
import { createInterface } from 'node:readline';
import type { Readable } from 'node:stream';
import puppeteer, { type LaunchOptions } from 'puppeteer-core';
import { vi } from 'vitest';
import { CHROMIUM_FLAGS, findChromium } from '../chromium';

export interface Tab {
  /** Loads the document again. WebKit does not wait for its module scripts, so poll for what they do. */
  reload(): Promise<void>;
  /** Runs a function in the page. Its arguments and its result are plain data. */
  evaluate<A extends unknown[], R>(run: (...args: A) => R, ...args: A): Promise<Awaited<R>>;
  close(): Promise<void>;
}

export interface Browser {
  /** Opens a page in a tab or window of its own, in front of the others. All share one profile: give each test an origin. */
  open(url: string): Promise<Tab>;
  close(): Promise<void>;
}

export interface BrowserEngine {
  readonly name: 'Chromium' | 'Firefox' | 'WebKit';
  /** Says that the browser is not installed, and how to install it; undefined where it can be started. */
  readonly missing: string | undefined;
  start(): Promise<Browser>;
}

/** Path of the first of these programs on the PATH. */
function find(...names: readonly string[]): string | undefined {
  const folders = (process.env['PATH'] ?? '').split(delimiter).filter(Boolean);
  return names.flatMap((name) => folders.map((folder) => join(folder, name))).find((path) => existsSync(path));
}

const firefox = find('firefox-esr', 'firefox');
const driver = find('WebKitWebDriver');
const xvfb = find('Xvfb');

const missing = (name: string, packages: string): string =>
  `${name} is not installed, so its tests are skipped. On Debian: apt-get install --no-install-recommends ${packages}`;

export const ENGINES: readonly BrowserEngine[] = [
  {
    name: 'Chromium',
    missing: undefined, // without it no test project starts
    start: () => startPuppeteer({ browser: 'chrome', executablePath: findChromium()!, args: [...CHROMIUM_FLAGS] }),
  },
  {
    name: 'Firefox',
    missing: firefox ? undefined : missing('Firefox', 'firefox-esr'),
    start: () => startPuppeteer({ browser: 'firefox', executablePath: firefox! }),
  },
  {
    name: 'WebKit',
    missing: driver && xvfb ? undefined : missing('WebKit', 'webkit2gtk-driver xvfb'),
    start: startWebKit,
  },
];

/** Milliseconds that a function in a page may take. */
const SCRIPT_DEADLINE = 120_000;

async function startPuppeteer(options: LaunchOptions): Promise<Browser> {
  const browser = await puppeteer.launch({ ...options, protocolTimeout: SCRIPT_DEADLINE });
  return {
    async open(url) {
      const page = await browser.newPage();
      await page.goto(url);
      return {
        reload: async () => void (await page.reload()),
        evaluate: (run, ...args) => page.evaluate(run as (...args: unknown[]) => unknown, ...args) as never,
        close: () => page.close(),
      };
    },
    close: () => browser.close(),
  };
}

/** WebKitGTK's MiniBrowser, which the driver starts by itself, on a display that nobody sees. */
async function startWebKit(): Promise<Browser> {
  const programs: Program[] = [];
  async function end(): Promise<void> {
    for (const program of programs.reverse()) await program.end();
  }
  try {
    const screen = startProgram(xvfb!, ['-displayfd', '3']);
    programs.push(screen);
    const [display] = (await once(createInterface(screen.messages), 'line')) as [string];
    const port = await freePort();
    programs.push(startProgram(driver!, [`--port=${port}`], { DISPLAY: `:${display}`, GDK_BACKEND: 'x11' }));
    const address = `http://127.0.0.1:${port}`;
    await vi.waitFor(() => fetch(`${address}/status`), { timeout: 20_000 });
    const browser = await openSession(address);
    return { open: browser.open, close: () => browser.close().finally(end) };
  } catch (error) {
    await end();
    throw error;
  }
}

/** @see https://www.w3.org/TR/webdriver2/ */
async function openSession(address: string): Promise<Browser> {
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
  const { sessionId } = await call<{ sessionId: string }>('POST', '/session', { capabilities: {} });
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
        async evaluate(run, ...args) {
          const script = `const [args, done] = arguments;
            (async () => (${run})(...args))().then((value) => done({ value }), (error) => done({ error: String(error) }))`;
          const answer = await inWindow(handle, () =>
            call<{ value: never } | { error: string }>('POST', `${session}/execute/async`, { script, args: [args] }),
          );
          if ('error' in answer) throw new Error(`In the page: ${answer.error}`);
          return answer.value;
        },
        close: () => inWindow(handle, () => call<void>('DELETE', `${session}/window`)),
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
