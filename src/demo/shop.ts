/** What the shop sells: `demo.json` names the model and the catalogue, and products without a catalogue are plain ids. */
import type { CatalogueItem } from '../index';
import { href } from './routes';
import { locale } from './texts';

export interface Product {
  readonly id: string;
  readonly title: string;
  /** Address of a picture; absent where the catalogue has none. */
  readonly image?: string;
  /** Price as shown, with its currency. */
  readonly price?: string;
  readonly amount?: number;
  /** Three letters; absent where the catalogue has no valid one. */
  readonly currency?: string;
  readonly brand?: string;
  /** From the department down. */
  readonly category: readonly string[];
  readonly available: boolean;
  /** As the catalogue says it. */
  readonly availability?: string;
  readonly features: readonly (readonly [name: string, value: string])[];
}

/** A department, category or kind with what belongs to it, in the order of the catalogue. */
export interface Section {
  readonly path: readonly string[];
  readonly products: Product[];
  readonly children: Map<string, Section>;
}

export interface Shop {
  /** What the shop runs on. */
  readonly model: Model;
  /** The models that there are to choose from. */
  readonly models: readonly Model[];
  readonly products: ReadonlyMap<string, Product>;
  /** Ids that the model knows. */
  readonly known: ReadonlySet<string>;
  readonly root: Section;
  /**
   * Goes over to another model of the same catalogue; the call that came last counts.
   *
   * @throws Error in words where the model's items cannot be read; then all stays as it was.
   */
  use(model: Model): Promise<void>;
}

/** A model that the shop can run on, and where the catalogue of its products is, if there is one. */
export interface Model {
  readonly name: string;
  /** Folder of the artifact, absolute, ending in `/`. */
  readonly modelUrl: string;
  readonly catalogueUrl?: string;
  /** How a person calls it. Default: its name. */
  readonly title?: string;
  /** What `demo.json` says of the artifact, so that nothing is loaded to describe it. */
  readonly architecture?: string;
  readonly parameters?: number;
  /** Of the artifact's files, without the catalogue. */
  readonly bytes?: number;
}

/** Whether the shop can go over from one to the other, or compare them: both sell the same. */
export const sellSame = (a: Model, b: Model): boolean =>
  a.catalogueUrl === undefined ? a.modelUrl === b.modelUrl : a.catalogueUrl === b.catalogueUrl;

/** `demo.json`: the models that there are, the default first. Addresses are relative to the page. */
export interface DemoFile {
  readonly models: readonly Model[];
}

/**
 * Reads `demo.json` and what it names.
 *
 * @param base Address of the page.
 * @param wanted A model by its name in `demo.json`, or by the address of its folder; default: the first.
 * @throws Error in words where a file is missing or malformed, or the model is of another origin.
 */
export async function openShop(base: string, wanted?: string): Promise<Shop> {
  const file = await getJson<DemoFile>(new URL('demo.json', base).href);
  const models = file.models.map((model) => ({
    ...model,
    modelUrl: new URL(model.modelUrl, base).href,
    ...(model.catalogueUrl && { catalogueUrl: new URL(model.catalogueUrl, base).href }),
  }));
  let model = await chosen(models, wanted, base);
  const { catalogueUrl } = model;
  const [ids, items] = await Promise.all([
    idsOf(model),
    catalogueUrl === undefined ? undefined : getJson<CatalogueItem[]>(catalogueUrl),
  ]);
  const products = (items ?? ids.map((id): CatalogueItem => ({ id }))).map((item) =>
    toProduct(item, catalogueUrl ?? base),
  );
  let known = new Set(ids);
  let wish = model;
  return {
    get model() {
      return model;
    },
    models: models.includes(model) ? models : [model, ...models],
    products: new Map(products.map((product) => [product.id, product])),
    get known() {
      return known;
    },
    root: sections(products),
    async use(next) {
      wish = next;
      const ids = await idsOf(next);
      if (wish !== next) return;
      model = next;
      known = new Set(ids);
    },
  };
}

const idsOf = ({ modelUrl }: Model): Promise<string[]> => getJson(new URL('items.json', modelUrl).href);

/** The model that is wanted. One that is not listed is a folder of this origin, with a catalogue if its manifest says so. */
async function chosen(models: readonly Model[], wanted: string | undefined, base: string): Promise<Model> {
  if (wanted === undefined) return models[0]!;
  const listed = models.find(({ name }) => name === wanted);
  if (listed) return listed;
  const modelUrl = new URL(wanted.endsWith('/') ? wanted : `${wanted}/`, base);
  if (modelUrl.origin !== new URL(base).origin) {
    throw new Error(`The model is at ${modelUrl.origin}: expected a folder of this page’s own origin.`);
  }
  const same = models.find((model) => model.modelUrl === modelUrl.href);
  if (same) return same;
  const { files } = await getJson<{ files?: Record<string, unknown> }>(new URL('manifest.json', modelUrl).href);
  const catalogueUrl = files && 'catalogue.json' in files ? new URL('catalogue.json', modelUrl).href : undefined;
  return { name: wanted, modelUrl: modelUrl.href, ...(catalogueUrl && { catalogueUrl }) };
}

/** The product of an id; one of the model that the catalogue does not have is shown by its id. */
export function productOf(shop: Shop, id: string): Product | undefined {
  return shop.products.get(id) ?? (shop.known.has(id) ? toProduct({ id }, shop.model.modelUrl) : undefined);
}

/**
 * What the shop knows of a product that is suggested, with the address of its page here; undefined for one that is not to
 * be suggested: sold out, or not in the shop's catalogue.
 */
export function suggested({ products }: Shop, id: string): CatalogueItem | undefined {
  const product = products.get(id);
  if (!product?.available) return undefined;
  const { title, image, amount, currency, brand, availability } = product;
  return {
    id,
    title,
    url: href({ page: 'product', id }),
    ...(image !== undefined && { image }),
    ...(amount !== undefined && { price: amount }),
    ...(currency !== undefined && { currency }),
    ...(brand !== undefined && { brand }),
    ...(availability !== undefined && { availability }),
  };
}

/** Those of the ids that can be bought here, in their order. */
export const onSale = ({ products }: Shop, items: readonly { readonly itemId: string }[]): string[] =>
  items.map(({ itemId }) => itemId).filter((id) => products.get(id)?.available);

/** Formats by currency: making one takes longer than making a card. */
const priceFormats = new Map<string, Intl.NumberFormat>();

/** @param currency Three letters. Default: a number with two decimals. */
export function formatPrice(amount: number, currency?: string): string {
  if (!Number.isFinite(amount)) return '';
  const key = `${locale} ${currency ?? ''}`;
  const decimals = { minimumFractionDigits: 2, maximumFractionDigits: 2 };
  const format =
    priceFormats.get(key) ?? new Intl.NumberFormat(locale, currency ? { style: 'currency', currency } : decimals);
  priceFormats.set(key, format);
  return format.format(amount);
}

/** Address of a picture inside the catalogue or on the web; undefined for any other address. */
function pictureOf(image: string, base: string): string | undefined {
  if (/^data:image\//i.test(image)) return image;
  const url = URL.canParse(image, base) ? new URL(image, base) : undefined;
  return url && /^https?:$/.test(url.protocol) ? url.href : undefined;
}

/** In the spellings of feeds (`in_stock`) and of schema.org (`https://schema.org/InStock`). */
const ORDERABLE = /(^|\/)[^a-z/]*(in[^a-z/]*stock|pre[^a-z/]*order|back[^a-z/]*order)[^a-z/]*$/i;

/** The section at a path; undefined where there is none. */
export function sectionAt(root: Section, path: readonly string[]): Section | undefined {
  return path.reduce<Section | undefined>((section, name) => section?.children.get(name), root);
}

/** The price, or that of a sale while it lasts. */
function priceOf({ price, sale }: CatalogueItem, now: number): number | undefined {
  const isOn = sale != null && !(now < Date.parse(sale.from ?? '')) && !(now >= Date.parse(sale.until ?? ''));
  return isOn ? sale.price : price;
}

/** Feeds write null for "not known", and the page reads the file as it is. */
function toProduct(item: CatalogueItem, base: string): Product {
  const image = item.image == null ? undefined : pictureOf(item.image, base);
  const currency = /^[A-Za-z]{3}$/.test(item.currency ?? '') ? item.currency : undefined;
  const price = priceOf(item, Date.now());
  return {
    id: item.id,
    title: item.title ?? item.id,
    ...(image === undefined ? {} : { image }),
    ...(price == null ? {} : { price: formatPrice(price, currency), amount: price }),
    ...(currency === undefined ? {} : { currency }),
    ...(item.brand == null ? {} : { brand: item.brand }),
    category: item.category ?? [],
    available: ORDERABLE.test(item.availability ?? 'in stock'),
    ...(item.availability == null ? {} : { availability: item.availability }),
    features: Object.entries(item.features ?? {}).map(([name, value]) => [name, String(value)]),
  };
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

/** @throws Error in words where the file is missing, or no JSON. */
export async function getJson<T>(url: string): Promise<T> {
  const response = await fetch(url, { credentials: 'same-origin' });
  if (!response.ok) throw new Error(`${url} answered ${response.status}.`);
  try {
    return (await response.json()) as T;
  } catch {
    throw new Error(`${url} is no JSON file.`); // a server of single-page apps answers with its page
  }
}
