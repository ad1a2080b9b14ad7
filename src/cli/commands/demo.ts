/** `aisle demo`: the demo shop on one's own model. */
import { once } from 'node:events';
import { access, readFile } from 'node:fs/promises';
import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join, resolve } from 'node:path';
import { type Command, InvalidArgumentError } from 'commander';
import { RecommenderError } from '../../errors';
import { type Mount, staticServer } from '../static-server';

interface DemoOptions {
  readonly artifact?: string;
  readonly catalogue?: string;
  readonly port?: number;
}

const FIRST_PORT = 4173;
const PORTS_TRIED = 20;

/**
 * What the page may load and do: files of its own origin and drawn pictures, nothing else. WebAssembly needs its own
 * word; catalogues with pictures on the web need `https:` for them.
 */
const SECURITY = {
  'content-security-policy': [
    "default-src 'none'",
    "script-src 'self' 'wasm-unsafe-eval'",
    "worker-src 'self'",
    "connect-src 'self'",
    "style-src 'self'",
    "img-src 'self' data: https:",
    "base-uri 'none'",
    "form-action 'none'",
    "frame-ancestors 'none'",
  ].join('; '),
  'x-content-type-options': 'nosniff',
  'referrer-policy': 'no-referrer',
  'cross-origin-resource-policy': 'same-origin',
};

export function register(program: Command): void {
  program
    .command('demo')
    .description('show the demo shop in a browser, on your own model')
    .option('--artifact <dir>', 'artifact folder; default: the model that comes with Aisle')
    .option('--catalogue <file>', "catalogue.json of your products; default: the artifact's own, else plain ids")
    .option('--port <n>', `port on this machine; default: the first free one from ${FIRST_PORT}`, parsePort)
    .addHelpText('after', '\nExample:\n  $ aisle demo --artifact my-model --catalogue products.json\n')
    .action(async (options: DemoOptions) => {
      const server = await startDemo(options);
      const { port } = server.address() as AddressInfo;
      console.log(`The demo shop is open at http://localhost:${port}/ (Ctrl-C closes it).`);
      const close = (): void => {
        server.close();
        server.closeAllConnections();
      };
      process.once('SIGINT', close);
      process.once('SIGTERM', close);
      await once(server, 'close');
    });
}

/**
 * Starts the server of the demo shop.
 *
 * @param page Folder of the built page; default: the one that was built beside the command line.
 * @throws RecommenderError `bad-artifact` or `bad-input` naming the file, `io` if the page was not built or the port is taken.
 */
export async function startDemo(options: DemoOptions, page = builtPage()): Promise<Server> {
  await access(join(page, 'index.html')).catch(() => {
    throw new RecommenderError(
      'io',
      `The demo page is not built: ${page} has no index.html. Run "npm run build" first.`,
    );
  });
  const server = staticServer([{ path: '/', folder: page }, ...(await ownModel(options))], SECURITY);
  if (options.port !== undefined) {
    await listen(server, options.port);
    return server;
  }
  for (let port = FIRST_PORT; ; port++) {
    try {
      await listen(server, port);
      return server;
    } catch (error) {
      if (port === FIRST_PORT + PORTS_TRIED) throw error;
    }
  }
}

function builtPage(): string {
  return resolve(import.meta.dirname, '../page');
}

/** What stands in front of the page's own files where the caller has a model or a catalogue of their own. */
async function ownModel({ artifact, catalogue }: DemoOptions): Promise<Mount[]> {
  if (artifact === undefined && catalogue === undefined) return [];
  const mounts: Mount[] = [];
  const shop: { modelUrl: string; catalogueUrl?: string } = { modelUrl: 'models/demo/' };
  if (artifact !== undefined) {
    const manifest = await readJson(join(artifact, 'manifest.json'), 'bad-artifact', 'the manifest of an artifact');
    mounts.push({ path: '/models/own/', folder: resolve(artifact) });
    shop.modelUrl = 'models/own/';
    if (hasCatalogue(manifest)) shop.catalogueUrl = 'models/own/catalogue.json';
  } else {
    shop.catalogueUrl = 'models/demo/catalogue.json';
  }
  if (catalogue !== undefined) {
    const products = await readJson(catalogue, 'bad-input', 'a catalogue');
    if (!isCatalogue(products)) {
      throw new RecommenderError(
        'bad-input',
        `${catalogue}: expected a JSON array of products, each an object with a text "id", and got something else.`,
      );
    }
    mounts.push({ path: '/catalogue.json', text: JSON.stringify(products), type: 'application/json; charset=utf-8' });
    shop.catalogueUrl = 'catalogue.json';
  }
  mounts.push({ path: '/demo.json', text: JSON.stringify(shop), type: 'application/json; charset=utf-8' });
  return mounts;
}

function hasCatalogue(manifest: unknown): boolean {
  const files = (manifest as { files?: object } | null)?.files;
  return typeof files === 'object' && files !== null && Object.hasOwn(files, 'catalogue.json');
}

function isCatalogue(value: unknown): boolean {
  return Array.isArray(value) && value.every((product) => typeof (product as { id?: unknown } | null)?.id === 'string');
}

async function readJson(file: string, code: 'bad-artifact' | 'bad-input', what: string): Promise<unknown> {
  let text: string;
  try {
    text = await readFile(file, 'utf8');
  } catch (error) {
    const why = (error as NodeJS.ErrnoException).code === 'ENOENT' ? 'there is no such file' : (error as Error).message;
    throw new RecommenderError(code, `${file}: expected ${what}, but ${why}.`, { cause: error });
  }
  try {
    return JSON.parse(text);
  } catch (error) {
    throw new RecommenderError(code, `${file}: expected ${what} in JSON: ${(error as Error).message}.`, {
      cause: error,
    });
  }
}

async function listen(server: Server, port: number): Promise<void> {
  server.listen(port, '127.0.0.1');
  try {
    await once(server, 'listening');
  } catch (error) {
    const taken = (error as NodeJS.ErrnoException).code === 'EADDRINUSE';
    const why = taken ? 'another program uses it' : (error as Error).message;
    throw new RecommenderError('io', `Port ${port} cannot be opened: ${why}. Choose another with --port.`, {
      cause: error,
    });
  }
}

function parsePort(text: string): number {
  const port = Number(text);
  if (!/^\d+$/.test(text) || port > 65535)
    throw new InvalidArgumentError(`expected a port from 0 to 65535, got "${text}".`);
  return port;
}
