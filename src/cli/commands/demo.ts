/** `aisle demo`: the demo shop with the user's own model. */
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { basename, dirname, join, resolve } from 'node:path';
import type { Command } from 'commander';
import { parseJson } from '../../checkpoint/json';
import { ARTIFACT_FILES, CATALOGUE, checkManifest, MANIFEST } from '../../checkpoint/manifest';
import { RecommenderError } from '../../errors';
import { publishedOf } from '../../pipeline/catalogue/products';
import { inspectArtifact } from '../../pipeline/files/artifact-folder';
import { readCatalogueFile } from '../../pipeline/files/catalogue-file';
import { contextOf } from '../context';
import { integer } from '../options';
import { type Mount, staticServer } from '../static-server';

interface DemoOptions {
  /** Folders of artifacts; the page begins with the first. */
  readonly artifact?: readonly string[];
  readonly catalogue?: string;
  readonly port?: number;
}

/** The page's list of models. */
const DEMO = 'demo.json';
const FIRST_PORT = 4173;
const PORTS_TRIED = 20;

/**
 * What the page may load: files of its own origin, and pictures. `wasm-unsafe-eval` allows WebAssembly; `https:` allows the
 * pictures of a catalogue.
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

/** With these the studio has threads. */
const ISOLATED = { 'cross-origin-opener-policy': 'same-origin', 'cross-origin-embedder-policy': 'require-corp' };

export function register(program: Command): void {
  program
    .command('demo')
    .description('show the demo shop in a browser, on your own model')
    .option('--artifact <dir...>', 'artifact folders to choose from; default: the model that comes with Aisle')
    .option(
      '--catalogue <file>',
      "catalogue of your products: JSON, a table with item_id, a feed, or a folder; default: the artifact's own, else plain ids",
    )
    .option('--port <n>', `port on this machine; default: the first free one from ${FIRST_PORT}`, integer(0, 65535))
    .addHelpText('after', '\nExample:\n  $ aisle demo --artifact my-model --catalogue products.json\n')
    .action(async (options: DemoOptions, command: Command) => {
      const { stdout, signal } = contextOf(command);
      const server = await startDemo(options);
      const { port } = server.address() as AddressInfo;
      const address = `http://localhost:${port}/`;
      stdout.write(`The demo shop is open at ${address}, the studio at ${address}studio/ (Ctrl-C closes both).\n`);
      const closed = once(server, 'close');
      const close = (): void => {
        server.close();
        server.closeAllConnections(); // open pages would keep the server running
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
  const server = staticServer(await mountsOf(options, page), SECURITY);
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

/** An artifact that the page can choose. */
interface Served {
  readonly folder: string;
  readonly name: string;
  readonly title?: string;
  /** Folder whose `catalogue.json` it shares; default: its own, if it has one. */
  readonly catalogueOf?: string;
  readonly parameters: number;
}

/**
 * The page's files, and what overrides them. `demo.json` is written for each request: a retrained artifact gets another
 * address, so a browser caches its files and never mixes old and new ones.
 */
async function mountsOf({ artifact: own = [], catalogue }: DemoOptions, page: string): Promise<Mount[]> {
  const found = own.length > 0 ? named(own.map((folder) => resolve(folder))) : await ofPage(page);
  const served: Served[] = [];
  // Report damaged files here, not in the page.
  for (const model of found) served.push({ ...model, parameters: (await inspectArtifact(model.folder)).parameters });
  const models = () => Promise.all(served.map((_, i) => listed(served, i, catalogue)));
  const json = 'application/json; charset=utf-8';
  // In the form of `catalogue.json`: checked, without unknown fields.
  const text = catalogue === undefined ? undefined : JSON.stringify(publishedOf(await readCatalogueFile(catalogue)));
  return [
    { path: '/', folder: page },
    { path: '/assets/', folder: join(page, 'assets'), versioned: 'names' },
    { path: '/studio/', folder: join(page, 'studio'), headers: ISOLATED },
    { path: '/studio/assets/', folder: join(page, 'studio/assets'), versioned: 'names', headers: ISOLATED },
    { path: '/demo.json', text: async () => JSON.stringify({ models: await models() }), type: json },
    ...served.map(
      ({ folder }, i): Mount => ({ path: `/models/${i}/`, folder, only: ARTIFACT_FILES, versioned: 'level' }),
    ),
    ...(text === undefined ? [] : [{ path: '/catalogue.json', text, type: json }]),
  ];
}

/** The models that come with the page, as its own `demo.json` lists them. */
async function ofPage(page: string): Promise<Omit<Served, 'parameters'>[]> {
  const file = join(page, DEMO);
  const { models } = parseJson(await readFile(file), file) as { models: readonly DemoEntry[] };
  return models.map(({ name, title, modelUrl, catalogueUrl }) => ({
    name,
    folder: resolve(page, modelUrl),
    ...(title !== undefined && { title }),
    ...(catalogueUrl !== undefined && { catalogueOf: dirname(resolve(page, catalogueUrl)) }),
  }));
}

/** The shortest names that tell the folders apart. */
function named(folders: readonly string[]): Omit<Served, 'parameters'>[] {
  const names = folders.map((folder) => basename(folder));
  const areShort = new Set(names).size === names.length;
  return folders.map((folder, i) => ({ folder, name: areShort ? names[i]! : folder }));
}

/** What `demo.json` says of a model. */
interface DemoEntry {
  readonly name: string;
  readonly title?: string;
  readonly modelUrl: string;
  readonly catalogueUrl?: string;
  readonly architecture: string;
  readonly parameters: number;
  readonly bytes: number;
}

async function listed(served: readonly Served[], i: number, ownCatalogue: string | undefined): Promise<DemoEntry> {
  const { name, title, folder, catalogueOf = folder, parameters } = served[i]!;
  const { modelUrl, manifest, bytes } = await addressOf(folder, i);
  const sharer = served.findIndex((other) => other.folder === catalogueOf);
  const { modelUrl: base, manifest: theirs } =
    sharer < 0 ? { modelUrl, manifest } : await addressOf(catalogueOf, sharer);
  const catalogueUrl =
    ownCatalogue !== undefined ? 'catalogue.json' : CATALOGUE in theirs.files ? `${base}${CATALOGUE}` : undefined;
  return {
    name,
    ...(title !== undefined && { title }),
    modelUrl,
    ...(catalogueUrl !== undefined && { catalogueUrl }),
    architecture: manifest.architecture,
    parameters,
    bytes,
  };
}

/** Where a folder is served. The hash of its manifest, which lists the hashes of its files, changes with any content. */
async function addressOf(folder: string, i: number) {
  const bytes = await readFile(join(folder, MANIFEST));
  const version = createHash('sha256').update(bytes).digest('hex').slice(0, 12);
  const manifest = checkManifest(parseJson(bytes, MANIFEST));
  const sizes = Object.entries(manifest.files).map(([name, file]) => (name === CATALOGUE ? 0 : file.bytes));
  return {
    modelUrl: `models/${i}/${version}/`,
    manifest,
    bytes: sizes.reduce((sum, size) => sum + size, bytes.length),
  };
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
