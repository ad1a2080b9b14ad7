/** Folders of a catalogue that lives apart from the model, as `aisle catalogue` writes them. */
import { createHash } from 'node:crypto';
import type { CatalogueItem, ItemAliases } from '../../src/checkpoint/artifact';
import { CATALOGUE_MANIFEST, COLD_START, type Neighbour, partName } from '../../src/checkpoint/catalogue-folder';
import { ALIASES, RULES } from '../../src/checkpoint/manifest';
import type { FetchFile } from '../../src/engine/artifact-loader';
import type { CatalogueFiles } from '../../src/engine/types';
import type { Folder } from './fixture';

export const CATALOGUE_URL = 'https://shop.example/catalogue/';

export interface CatalogueOptions {
  /** Products of each part. */
  readonly parts: readonly (readonly CatalogueItem[])[];
  readonly known?: number;
  readonly aliases?: Readonly<Record<string, ItemAliases>>;
  readonly coldStart?: Readonly<Record<string, readonly Neighbour[]>>;
  readonly rules?: unknown;
}

const encode = (value: unknown): Uint8Array => new TextEncoder().encode(JSON.stringify(value));

/** Its version is of its content. */
export function catalogueFolder({ parts, known, aliases = {}, coldStart, rules }: CatalogueOptions): Folder {
  const contents = new Map(parts.map((products, k) => [partName(k + 1), encode(products)]));
  const names = [...contents.keys()];
  contents.set(ALIASES, encode(aliases));
  if (coldStart) contents.set(COLD_START, encode(coldStart));
  if (rules) contents.set(RULES, encode(rules));
  const hash = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex');
  const files = Object.fromEntries(
    [...contents].map(([name, bytes]) => [name, { sha256: hash(bytes), bytes: bytes.length }]),
  );
  const about = { version: hash(encode(files)).slice(0, 12), products: parts.flat().length, known };
  const manifest = { ...about, parts: names, aliases: ALIASES, ...(coldStart && { coldStart: COLD_START }), files };
  return contents.set(CATALOGUE_MANIFEST, encode(manifest));
}

export const versionOf = (folder: Folder): string =>
  JSON.parse(new TextDecoder().decode(folder.get(CATALOGUE_MANIFEST))).version;

/** As the engine gets them from the page. */
export function filesOf(folder: Folder): CatalogueFiles {
  const files = new Map([...folder].map(([name, bytes]) => [name, new Blob([bytes.slice()])]));
  return { manifest: files.get(CATALOGUE_MANIFEST)!, files };
}

/** Serves the folder of the moment under `CATALOGUE_URL`, and what another loader serves besides. */
export function serveCatalogue(folder: Folder, besides?: FetchFile) {
  const served = { folder, names: [] as string[], urls: [] as string[] };
  const fetchFile: FetchFile = async (url, signal, options) => {
    if (!url.startsWith(CATALOGUE_URL) && besides) return besides(url, signal, options);
    const { pathname } = new URL(url);
    const name = pathname.slice(pathname.lastIndexOf('/') + 1);
    served.names.push(name);
    served.urls.push(`${options?.cache} ${url}`);
    const bytes = served.folder.get(name);
    return bytes ? new Response(bytes.slice()) : new Response('not here', { status: 404 });
  };
  return Object.assign(served, { fetchFile });
}
