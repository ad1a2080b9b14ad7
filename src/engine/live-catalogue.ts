/**
 * A catalogue that lives apart from the model: its files, and its new products among the related ones. A separate chunk, because
 * most pages have only the catalogue inside the artifact.
 */
import { checkAliases, namesOf } from '../checkpoint/aliases';
import { type Aliases, type AliasNames, type CatalogueItem, isAvailable } from '../checkpoint/artifact';
import { checkCatalogue } from '../checkpoint/catalogue-file';
import {
  CATALOGUE_MANIFEST,
  type CatalogueManifest,
  checkCatalogueManifest,
  checkColdStart,
  filesOfPage,
  type Neighbour,
} from '../checkpoint/catalogue-folder';
import { parseJson } from '../checkpoint/json';
import { CATALOGUE, MAX_MANIFEST_BYTES, RULES } from '../checkpoint/manifest';
import { checkFile } from '../checkpoint/open';
import { updatedBy } from '../checkpoint/products';
import { RecommenderError } from '../errors';
import { topShown } from '../ranking/shown-items';
import { type ArtifactLoaderOptions, download, type FetchFile } from './artifact-loader';
import type { Model } from './model';
import type { ModelItems } from './model-items';
import type { Placed } from './placed';
import type { CatalogueFiles, CatalogueInfo, CatalogueRequest, Engine, RankedItem, RecommendRequest } from './types';

/** A catalogue that was read. */
interface LiveCatalogue {
  readonly info: CatalogueInfo;
  readonly products: readonly CatalogueItem[];
  readonly namesOf: (known: ReadonlyMap<string, unknown>) => AliasNames;
  /** The `item_group_id` of a product, by its id. */
  groupOf(id: string): string | undefined;
  /** The shop's rules, not checked yet. Absent where there are none. @throws RecommenderError for what is no JSON. */
  readonly rules: (() => unknown) | undefined;
  /**
   * The best items and new products for one product. A new product's neighbours stand for it: as what is asked for, and in the
   * answer, its score is the mean of their scores. For a network, whose scores are linear in item vectors, that is the mean of
   * their vectors.
   *
   * @param scored Runs work with the model.
   * @returns Undefined if there are no new products, or this one is neither the model's nor like one of the model's.
   */
  related(
    items: ModelItems,
    request: Pick<RecommendRequest, 'session' | 'user' | 'k' | 'exclude'>,
    scored: <T>(work: (model: Model) => Promise<T>) => Promise<T>,
  ): Promise<RankedItem[] | undefined>;
}

/** The catalogue that lives apart, and what the page itself knows: of every model that is loaded. */
export interface Shop
  extends Pick<LiveCatalogue, 'related' | 'groupOf'>,
    Pick<Engine, 'fetchCatalogue' | 'setCatalogue' | 'updateProducts'> {
  /** The catalogue's rules, not checked yet; undefined if it has none. @throws RecommenderError for what is no JSON. */
  rules(): unknown;
  /** Shows these products in place of those of the model that is loaded now. */
  show(): CatalogueInfo;
}

export interface ShopParts {
  /** Runs work until the engine or the caller ends it. */
  readonly call: <T>(work: (signal: AbortSignal) => Promise<T>, signal?: AbortSignal) => Promise<T>;
  readonly fetchFile: FetchFile;
  /** The model that is loaded. */
  readonly placed: () => Pick<Placed, 'items' | 'artifact'> | undefined;
}

export function createShop({ call, fetchFile, placed }: ShopParts): Shop {
  let live: LiveCatalogue | undefined;
  /** It, unless it is another shop's. */
  let used: LiveCatalogue | undefined;
  let updates: readonly CatalogueItem[] = [];

  function show(): CatalogueInfo {
    const { items, artifact } = placed() ?? {};
    // One of which the model knows nothing is another shop's.
    used = !items || live?.products.some(({ id }) => items.indexOf(id) !== undefined) ? live : undefined;
    if (!items || !artifact) return used?.info ?? { version: null, products: 0 };
    const { catalogue, itemIds } = artifact;
    const base = used?.products ?? catalogue;
    const products = new Map((base ?? itemIds.map((id) => ({ id }))).map((product) => [product.id, product]));
    const updated = updates.map((update) => updatedBy(update, products.get(update.id)));
    for (const product of updated) products.set(product.id, product);
    items.use({ products, listed: base ? [...products.values()] : updated, namesOf: used?.namesOf });
    return used?.info ?? { version: null, products: catalogue?.length ?? 0 };
  }
  return {
    show,
    fetchCatalogue: (request, { signal } = {}) =>
      call((ends) => fetchCatalogue(request, { fetchFile, signal: ends }), signal),
    setCatalogue: (files) =>
      call(async () => {
        live = await openCatalogue(files, placed()?.items);
        return show();
      }),
    async updateProducts(products) {
      updates = checkCatalogue(products, 'updateProducts');
      return show();
    },
    related: async (...request) => used?.related(...request),
    groupOf: (id) => used?.groupOf(id),
    rules: () => used?.rules?.(),
  };
}

/**
 * As `Engine.fetchCatalogue`. The manifest never comes from a cache; the other files have their hash in their address, and one that is
 * not what the manifest says is fetched once more, past the cache.
 */
async function fetchCatalogue(
  { url, have }: CatalogueRequest,
  options: ArtifactLoaderOptions,
): Promise<CatalogueFiles | null> {
  const bytes = await download(url, CATALOGUE_MANIFEST, MAX_MANIFEST_BYTES, {
    ...options,
    fetchOptions: { cache: 'no-store', priority: 'low' },
  });
  if (have && (await have.manifest.text()) === new TextDecoder().decode(bytes)) return null;
  const manifest = manifestOf(bytes);
  const known = have && manifestOf(await bytesOf(have.manifest));
  const files = filesOfPage(manifest).map(async (name): Promise<[string, Blob]> => {
    const entry = manifest.files[name]!;
    const { sha256, bytes: length } = entry;
    const kept = known?.files[name]?.sha256 === sha256 ? have?.files.get(name) : undefined;
    if (kept) return [name, kept];
    const fetched = async (cache: RequestCache) => {
      const file = await download(url, name, length, { ...options, fetchOptions: { cache, priority: 'low' }, sha256 });
      return checkFile(name, file, entry, CATALOGUE_MANIFEST);
    };
    const file = await fetched('default').catch((error) => {
      // Whoever came while the folder was uploaded has an older file under the new one's address.
      if ((error as Partial<RecommenderError>).code !== 'bad-artifact') throw error;
      return fetched('reload');
    });
    return [name, new Blob([file])];
  });
  return { manifest: new Blob([bytes]), files: new Map(await Promise.all(files)) };
}

/**
 * Reads and checks a catalogue, whole or not at all.
 *
 * @param items Of the model that it is for, if that is loaded.
 * @throws RecommenderError `bad-artifact` that names the file, or where the model knows none of the products.
 */
async function openCatalogue(given: CatalogueFiles, items: ModelItems | undefined): Promise<LiveCatalogue> {
  const manifest = manifestOf(await bytesOf(given.manifest));
  const { version, aliases, coldStart } = manifest;
  const contents = await Promise.all(
    filesOfPage(manifest).map(async (name): Promise<[string, unknown]> => {
      const file = given.files.get(name);
      if (!file) throw new RecommenderError('bad-artifact', `${name} is missing among the files of the catalogue.`);
      const bytes = await bytesOf(file);
      const checked = await checkFile(name, bytes, manifest.files[name]!, CATALOGUE_MANIFEST);
      // Wrong rules do not cost the catalogue.
      return [name, name === RULES ? () => parseJson(checked, RULES) : parseJson(checked, name)];
    }),
  );
  const read = new Map(contents);
  const products = manifest.parts.flatMap((name) => (read.has(name) ? checkCatalogue(read.get(name), name) : []));
  if (items && !products.some(({ id }) => items.indexOf(id) !== undefined)) {
    const advice = 'Write it with "aisle catalogue FEED --artifact DIR", which reports what matches.';
    throw new RecommenderError('bad-artifact', `${CATALOGUE}: the model knows none of the products. ${advice}`);
  }
  const names: Aliases = aliases ? checkAliases(read.get(aliases)) : new Map();
  const newOnes = coldStart ? checkColdStart(read.get(coldStart)) : new Map<string, readonly Neighbour[]>();
  return {
    info: { version, products: products.length },
    products,
    groupOf: (id) => names.get(id)?.group,
    rules: read.get(RULES) as LiveCatalogue['rules'],
    namesOf: (known) => namesOf(names, known),
    related: (items, request, scored) => related(newOnes, items, request, scored),
  };
}

async function related(
  newOnes: ReadonlyMap<string, readonly Neighbour[]>,
  items: ModelItems,
  { session, user, k, exclude }: Pick<RecommendRequest, 'session' | 'user' | 'k' | 'exclude'>,
  scored: <T>(work: (model: Model) => Promise<T>) => Promise<T>,
): Promise<RankedItem[] | undefined> {
  const [click] = session;
  const id = items.named(click?.itemId ?? '');
  const isKnown = items.indexOf(id) !== undefined;
  const asked = isKnown ? [[id, 1] as const] : knownOf(items, newOnes.get(id));
  if (asked.length === 0 || newOnes.size === 0) return undefined;
  const inputs = await Promise.all(asked.map(([itemId]) => items.known([{ ...click!, itemId }], user)));
  const hidden = items.hidden(exclude);
  return scored(async (model) => {
    const { scorer } = model.activeAdapter() ?? model;
    const scores = await scorer.score(inputs);
    const row = new Float32Array(scorer.items);
    asked.forEach(([, weight], n) => {
      for (let i = 0; i < row.length; i++) row[i]! += weight * scores[n * row.length + i]!;
    });
    const best = items.ranked(topShown(scorer, row, items.popularity, k, hidden));
    const left = new Set(exclude);
    for (const [itemId, neighbours] of newOnes) {
      const product = items.product(itemId);
      if (left.has(itemId) || items.indexOf(itemId) !== undefined || !product || !isAvailable(product)) continue;
      const like = knownOf(items, neighbours);
      const score = like.reduce((sum, [id, weight]) => sum + weight * row[items.indexOf(id)! - 1]!, 0);
      if (like.length === 0 || scorer.isEvidence?.(score) === false) continue;
      best.push({ itemId, score, reason: 'neural' });
    }
    return best.sort((a, b) => b.score - a.score).slice(0, k); // of equal scores, the model's items come first
  });
}

/** The neighbours that the model knows, with shares that add up to 1. */
function knownOf(items: ModelItems, neighbours: readonly Neighbour[] = []): readonly Neighbour[] {
  const known = neighbours.filter(([id]) => items.indexOf(id) !== undefined);
  const sum = known.reduce((total, [, weight]) => total + weight, 0);
  return sum > 0 ? known.map(([id, weight]) => [id, weight / sum]) : [];
}

const manifestOf = (bytes: Uint8Array): CatalogueManifest =>
  checkCatalogueManifest(parseJson(bytes, CATALOGUE_MANIFEST));

const bytesOf = async (file: Blob): Promise<Uint8Array> => new Uint8Array(await file.arrayBuffer());
