/** `aisle demo`: the demo shop on one's own model. */
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { dirname, join, resolve } from 'node:path';
import type { Command } from 'commander';
import { parseJson } from '../../checkpoint/json';
import { CATALOGUE, checkCatalogue, ITEMS, MANIFEST, WEIGHTS } from '../../checkpoint/manifest';
import { RecommenderError } from '../../errors';
import { readArtifactFolder } from '../artifact-folder';
import { contextOf } from '../context';
import { integer } from '../options';
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
    .option('--port <n>', `port on this machine; default: the first free one from ${FIRST_PORT}`, integer(0, 65535))
    .addHelpText('after', '\nExample:\n  $ aisle demo --artifact my-model --catalogue products.json\n')
    .action(async (options: DemoOptions, command: Command) => {
      const { stdout, signal } = contextOf(command);
      const server = await startDemo(options);
      const { port } = server.address() as AddressInfo;
      stdout.write(`The demo shop is open at http://localhost:${port}/ (Ctrl-C closes it).\n`);
      const closed = once(server, 'close');
      const close = (): void => {
        server.close();
        server.closeAllConnections(); // a page keeps its connection open, and would keep the server
      };
      if (signal.aborted) close();
      else signal.addEventListener('abort', close, { once: true });
      await closed;
    });
}

/**
 * Starts the server of the demo shop.
 *
 * @param page Folder of the built page; default: the one that was built beside the command line.
 * @throws RecommenderError `bad-artifact` or `bad-input` naming the file, `io` if the page was not built or the port is taken.
 */
export async function startDemo(options: DemoOptions, page = builtPage()): Promise<Server> {
  if (!existsSync(join(page, 'index.html'))) {
    throw new RecommenderError(
      'io',
      `The demo page is not built: ${page} has no index.html. Run "npm run build" first.`,
    );
  }
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

/** `dist/page` of the package that this file belongs to, whether it runs from `dist` or from the sources. */
function builtPage(): string {
  let folder = import.meta.dirname;
  while (!existsSync(join(folder, 'package.json')) && dirname(folder) !== folder) folder = dirname(folder);
  return join(folder, 'dist/page');
}

/** What stands in front of the page's own files where the caller has a model or a catalogue of their own. */
async function ownModel({ artifact, catalogue }: DemoOptions): Promise<Mount[]> {
  if (artifact === undefined && catalogue === undefined) return [];
  const mounts: Mount[] = [];
  const shop: { modelUrl: string; catalogueUrl?: string } = { modelUrl: 'models/demo/' };
  if (artifact !== undefined) {
    const { catalogue: products } = await readArtifactFolder(artifact);
    const only = [MANIFEST, WEIGHTS, ITEMS, ...(products === undefined ? [] : [CATALOGUE])];
    mounts.push({ path: '/models/own/', folder: resolve(artifact), only });
    shop.modelUrl = 'models/own/';
    if (products !== undefined) shop.catalogueUrl = 'models/own/catalogue.json';
  } else {
    shop.catalogueUrl = 'models/demo/catalogue.json';
  }
  if (catalogue !== undefined) {
    const text = await readCatalogue(catalogue);
    mounts.push({ path: '/catalogue.json', text, type: 'application/json; charset=utf-8' });
    shop.catalogueUrl = 'catalogue.json';
  }
  mounts.push({ path: '/demo.json', text: JSON.stringify(shop), type: 'application/json; charset=utf-8' });
  return mounts;
}

/** The text of a catalogue file as `catalogue.json` holds it: checked, and without what nobody reads. */
async function readCatalogue(file: string): Promise<string> {
  const refuse = (why: string, cause: unknown) => new RecommenderError('bad-input', why, { cause });
  let bytes: Uint8Array;
  try {
    bytes = await readFile(file);
  } catch (error) {
    const missing = (error as NodeJS.ErrnoException).code === 'ENOENT';
    throw refuse(`${file}: ${missing ? 'there is no such file' : (error as Error).message}.`, error);
  }
  try {
    return JSON.stringify(checkCatalogue(parseJson(bytes, file), file));
  } catch (error) {
    throw refuse((error as Error).message, error);
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
