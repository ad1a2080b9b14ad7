/** What the shop sells: `demo.json` names the model and the catalogue, and products without a catalogue are plain ids. */
import { type CatalogueItem, isAvailable } from '../checkpoint/artifact';

export interface Product {
  readonly id: string;
  readonly title: string;
  /** Address of a picture; absent where the catalogue has none. */
  readonly image?: string;
  /** Price as shown, with its currency. */
  readonly price?: string;
  readonly amount?: number;
  readonly brand?: string;
  /** From the department down. */
  readonly category: readonly string[];
  readonly available: boolean;
  readonly features: readonly (readonly [name: string, value: string])[];
}

/** A department, category or kind with what belongs to it, in the order of the catalogue. */
export interface Section {
  readonly path: readonly string[];
  readonly products: Product[];
  readonly children: Map<string, Section>;
}

export interface Shop {
  /** Folder of the artifact, absolute, ending in `/`. */
  readonly modelUrl: string;
  readonly products: ReadonlyMap<string, Product>;
  /** Ids that the model knows. */
  readonly known: ReadonlySet<string>;
  /** Of these, the ids never to suggest that the model does not know of: sold out or missing in another catalogue. */
  readonly hidden: readonly string[];
  readonly root: Section;
}

/**
 * Reads `demo.json` and what it names: `{ "modelUrl": …, "catalogueUrl"?: … }`, relative to the page.
 *
 * @throws Error in words where a file is missing or malformed.
 */
export async function openShop(base: string): Promise<Shop> {
  const { modelUrl, catalogueUrl } = await getJson<{ modelUrl: string; catalogueUrl?: string }>(
    new URL('demo.json', base).href,
  );
  const model = new URL(modelUrl, base).href;
  const catalogue = catalogueUrl === undefined ? undefined : new URL(catalogueUrl, base).href;
  const [ids, items] = await Promise.all([
    getJson<string[]>(new URL('items.json', model).href),
    catalogue === undefined ? undefined : getJson<CatalogueItem[]>(catalogue),
  ]);
  const products = (items ?? ids.map((id): CatalogueItem => ({ id }))).map((item) =>
    toProduct(item, catalogue ?? base),
  );
  const byId = new Map(products.map((product) => [product.id, product]));
  // The model knows its own catalogue, and leaves out by itself what that does not offer.
  const isOwn = catalogue === new URL('catalogue.json', model).href;
  return {
    modelUrl: model,
    products: byId,
    known: new Set(ids),
    hidden: isOwn ? [] : ids.filter((id) => !byId.get(id)?.available),
    root: sections(products),
  };
}

/** The product of an id; one of the model that the catalogue does not have is shown by its id. */
export function productOf(shop: Shop, id: string): Product | undefined {
  return shop.products.get(id) ?? (shop.known.has(id) ? toProduct({ id }, shop.modelUrl) : undefined);
}

/** The section at a path; undefined where there is none. */
export function sectionAt(root: Section, path: readonly string[]): Section | undefined {
  return path.reduce<Section | undefined>((section, name) => section?.children.get(name), root);
}

/** Products whose title, brand, category or id has every word, in the order of the catalogue. */
export function search(shop: Shop, query: string): Product[] {
  const words = query.toLowerCase().split(/\s+/).filter(Boolean);
  if (words.length === 0) return [];
  return [...shop.products.values()].filter((product) => {
    const text = [product.title, product.brand ?? '', product.id, ...product.category].join(' ').toLowerCase();
    return words.every((word) => text.includes(word));
  });
}

/** Feeds write null for "not known", and the page reads the file as it is. */
function toProduct(item: CatalogueItem, base: string): Product {
  const image = item.image == null ? undefined : pictureUrl(item.image, base);
  return {
    id: item.id,
    title: item.title ?? item.id,
    ...(image === undefined ? {} : { image }),
    ...(item.price == null ? {} : { price: formatPrice(item.price, item.currency), amount: item.price }),
    ...(item.brand == null ? {} : { brand: item.brand }),
    category: item.category ?? [],
    available: isAvailable(item),
    features: Object.entries(item.features ?? {}).map(([name, value]) => [name, String(value)]),
  };
}

/** Only what an `<img>` may load: a catalogue is a file, and files can hold anything. */
function pictureUrl(image: string, base: string): string | undefined {
  if (!URL.canParse(image, base)) return undefined;
  const url = new URL(image, base);
  const allowed = /^https?:$/.test(url.protocol) || /^data:image\//i.test(image);
  return allowed ? url.href : undefined;
}

function formatPrice(amount: number, currency: string | undefined): string {
  if (currency != null && /^[A-Za-z]{3}$/.test(currency)) {
    return new Intl.NumberFormat(undefined, { style: 'currency', currency }).format(amount);
  }
  return new Intl.NumberFormat(undefined, { minimumFractionDigits: 2, maximumFractionDigits: 2 }).format(amount);
}

function sections(products: readonly Product[]): Section {
  const root: Section = { path: [], products: [...products], children: new Map() };
  for (const product of products) {
    let section = root;
    for (const name of product.category) {
      let child = section.children.get(name);
      if (child === undefined) {
        child = { path: [...section.path, name], products: [], children: new Map() };
        section.children.set(name, child);
      }
      child.products.push(product);
      section = child;
    }
  }
  return root;
}

async function getJson<T>(url: string): Promise<T> {
  const response = await fetch(url, { credentials: 'same-origin' });
  if (!response.ok) throw new Error(`${url} answered ${response.status}.`);
  return (await response.json()) as T;
}
