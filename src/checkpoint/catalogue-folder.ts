/** A catalogue that lives apart from the model: the folder that `aisle catalogue` writes, and its manifest. */
import {
  ALIASES,
  bad,
  CATALOGUE,
  checkFiles,
  expected,
  type FileEntry,
  isWhole,
  RULES,
  record,
  text,
} from './manifest';

export const CATALOGUE_MANIFEST = 'catalogue-manifest.json';
export const COLD_START = 'cold-start.json';
/** Products in a part; the last one may have fewer. */
export const PART_PRODUCTS = 10_000;
/** Most bytes that a page reads of a catalogue: about 400,000 products. */
const MAX_BYTES = 128 * 1024 * 1024;

/** The name of a part, from 1: `catalogue.json`, `catalogue-2.json`, … */
export const partName = (part: number): string => (part === 1 ? CATALOGUE : CATALOGUE.replace('.', `-${part}.`));
export const PART_NAME = /^catalogue(-\d+)?\.json$/;

export interface CatalogueManifest {
  readonly version: string;
  /** Products in all parts, those that the model knows first. */
  readonly products: number;
  /** Products that the model knows; absent where the folder was written without one. */
  readonly known?: number;
  /** Names of the parts in reading order. */
  readonly parts: readonly string[];
  readonly aliases?: typeof ALIASES;
  readonly coldStart?: typeof COLD_START;
  readonly files: Readonly<Record<string, FileEntry>>;
}

/** A known product that is like a new one, and its share. */
export type Neighbour = readonly [id: string, weight: number];

/**
 * The parts that every page reads, whoever visits it: those of the products that the model knows, and one more for new products.
 * All of them where the folder was written without a model.
 */
export const partsOfPage = (parts: number, known: number | undefined): number =>
  known === undefined ? parts : Math.min(parts, Math.ceil(known / PART_PRODUCTS) + 1);

/**
 * Checks a parsed `catalogue-manifest.json`.
 *
 * @throws RecommenderError `bad-artifact` that names the field.
 */
export function checkCatalogueManifest(value: unknown): CatalogueManifest {
  const file = CATALOGUE_MANIFEST;
  const manifest = record(value, 'the whole', file);
  const { products, known, parts, aliases, coldStart } = manifest;
  if (!isWhole(products) || products < 1) throw expected('products', 'a whole number from 1', products, file);
  if (known !== undefined && !(isWhole(known) && known >= 0 && known <= products)) {
    throw expected('known', `a whole number from 0 to ${products}`, known, file);
  }
  const files = checkFiles(manifest['files'], file);
  const isPart = (name: unknown) => typeof name === 'string' && PART_NAME.test(name) && Object.hasOwn(files, name);
  if (!Array.isArray(parts) || parts.length === 0 || !parts.every(isPart)) {
    throw expected('parts', 'catalogue.json and further parts, all of them in files', parts, file);
  }
  for (const [field, got, name] of [
    ['aliases', aliases, ALIASES],
    ['coldStart', coldStart, COLD_START],
  ] as const) {
    if (got !== undefined && !(got === name && Object.hasOwn(files, name))) {
      throw expected(field, `"${name}", a file in files`, got, file);
    }
  }
  return {
    version: text(manifest['version'], 'version', 1, file),
    products,
    ...(known !== undefined && { known }),
    parts: parts as string[],
    ...(aliases !== undefined && { aliases: ALIASES }),
    ...(coldStart !== undefined && { coldStart: COLD_START }),
    files,
  };
}

/**
 * The files that every page reads, without the manifest.
 *
 * @throws RecommenderError `bad-artifact` where they are too long for a page.
 */
export function filesOfPage({ parts, known, aliases, coldStart, files }: CatalogueManifest): string[] {
  const read = parts.slice(0, partsOfPage(parts.length, known));
  if (aliases) read.push(aliases);
  if (coldStart) read.push(coldStart);
  if (Object.hasOwn(files, RULES)) read.push(RULES);
  const bytes = read.reduce((sum, name) => sum + files[name]!.bytes, 0);
  if (bytes <= MAX_BYTES) return read;
  const advice = known === undefined ? ' With --artifact, a page reads only what the model knows.' : '';
  throw bad(`lists ${bytes} bytes for a page, which reads at most ${MAX_BYTES}.${advice}`, CATALOGUE_MANIFEST);
}

/**
 * Checks a parsed `cold-start.json`: `{ "new id": [["known id", weight], …], … }`.
 *
 * @throws RecommenderError `bad-artifact` that names the product.
 */
export function checkColdStart(value: unknown): ReadonlyMap<string, readonly Neighbour[]> {
  const isNeighbour = (entry: unknown) =>
    Array.isArray(entry) && typeof entry[0] === 'string' && typeof entry[1] === 'number' && entry[1] >= 0;
  const all = Object.entries(record(value, 'the whole', COLD_START));
  for (const [id, neighbours] of all) {
    if (!Array.isArray(neighbours) || neighbours.length > 100 || !neighbours.every(isNeighbour)) {
      throw expected(JSON.stringify(id), 'a list of at most 100 [known id, weight]', neighbours, COLD_START);
    }
  }
  return new Map(all as [string, readonly Neighbour[]][]);
}
