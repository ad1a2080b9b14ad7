/**
 * Which product a page's markup is about, and which of its variants is selected: https://schema.org/Product,
 * https://schema.org/ProductGroup, https://developers.google.com/search/docs/appearance/structured-data/product-variants
 */
import { isArray, keysOf } from '../captured';
import { MAX_LIST, MAX_THINGS } from '../limits';
import type { Candidate, CandidateKind } from '../types';
import { placeOf, urlIn } from './address';
import { idIn } from './id';

/** A node of schema.org: each property has a value or a list of values. */
export type Thing = Readonly<Record<string, unknown>>;

/** What one element of the page says. */
export interface Statement {
  readonly element: Element;
  readonly source: string;
  /** Other words are another statement. */
  readonly text: string;
  readonly things: readonly Thing[];
}

/** The candidates of a page's product, best first in each list. */
export interface ProductIds {
  /** Addresses that the markup names for it. */
  readonly addresses: readonly URL[];
  /** Of the variant that the address selects. */
  readonly selected: readonly Candidate[];
  /** Of the only offer. */
  readonly only: readonly Candidate[];
  readonly own: readonly Candidate[];
  readonly groups: readonly Candidate[];
  readonly urls: readonly Candidate[];
  /** Of variants and offers none of which is selected. */
  readonly variants: readonly Candidate[];
}

interface Variant {
  readonly ids: readonly Candidate[];
  readonly urls: readonly URL[];
}

interface Product extends Omit<ProductIds, 'selected' | 'variants'> {
  readonly name: string | undefined;
  readonly variants: readonly Variant[];
}

const PRODUCTS: ReadonlySet<unknown> = new Set(
  'Product IndividualProduct ProductModel SomeProducts ProductGroup Vehicle Car Motorcycle MotorizedBicycle BusOrCoach'.split(
    ' ',
  ),
);
const IDS: readonly (readonly [CandidateKind, readonly string[]])[] = [
  ['sku', ['sku']],
  ['productID', ['productID', 'vehicleIdentificationNumber']],
  ['gtin', ['gtin', 'gtin13', 'gtin14', 'gtin12', 'gtin8', 'isbn']],
  ['mpn', ['mpn']],
];

const listOf = (value: unknown): unknown[] => (isArray(value) ? value : [value]).slice(0, MAX_LIST);
const thingsOf = (value: unknown): Thing[] =>
  listOf(value).filter((entry) => typeof entry === 'object' && entry !== null && !isArray(entry)) as Thing[];
const isA = (thing: Thing, test: (name: string) => boolean): boolean =>
  listOf(thing['@type']).some((type) => typeof type === 'string' && test(type.split(/[/:#]/).at(-1)!));
export const isProduct = (thing: Thing): boolean => isA(thing, (name) => PRODUCTS.has(name));
const isGroup = (thing: Thing): boolean => isA(thing, (name) => name === 'ProductGroup');

const namesIn = (thing: Thing, names: readonly string[]): string[] =>
  names.flatMap((name) => listOf(thing[name]).flatMap((value) => idIn(value) ?? []));
const urlsIn = (thing: Thing): URL[] => namesIn(thing, ['url', '@id']).flatMap((value) => urlIn(value) ?? []);

/**
 * The one product that the statements are about.
 *
 * @param address Of the page.
 * @returns Undefined if there is none, or several: a list shows products, and is about none.
 */
export function productOf(statements: readonly Statement[], address: URL): ProductIds | undefined {
  const all = statements
    .flatMap(({ things, source }) => things.map((thing) => ({ thing, source })))
    .slice(0, MAX_THINGS);
  const byId = new Map(all.map(({ thing }) => [thing['@id'], thing]));
  byId.delete(undefined);
  /** What a property names, also by the `@id` of another thing. */
  const named = (value: unknown): Thing[] =>
    thingsOf(value).map((thing) => (keysOf(thing).length === 1 ? byId.get(thing['@id']) : undefined) ?? thing);
  const found = all.filter(({ thing }) => isProduct(thing));
  const mains = all.flatMap(({ thing, source }) =>
    named(thing['mainEntity'])
      .filter(isProduct)
      .map((thing) => ({ thing, source })),
  );
  /** The variants that a thing names, and those that name it. */
  const ofEach = [...found, ...mains].map(
    ({ thing }) => [thing, new Set(named(thing['hasVariant']).filter(isProduct))] as const,
  );
  const membersOf = new Map(ofEach);
  for (const { thing } of found) {
    for (const group of named(thing['isVariantOf'])) if (group !== thing) membersOf.get(group)?.add(thing);
  }
  const members = new Set(ofEach.flatMap(([, some]) => (some.size > 1 ? [...some] : [])));
  const things = mains.length > 0 ? mains : found.filter(({ thing }) => !members.has(thing));
  const products = things.map(({ thing, source }) => productIn(thing, source, named, [...membersOf.get(thing)!]));
  const here = products.filter(({ addresses }) => addresses.some((url) => isHere(url, address)));
  const product = oneOf(products) ?? oneOf(here);
  if (product === undefined) return undefined;
  const { addresses, only, variants } = product;
  const parameters = new Set(variants.flatMap(({ urls }) => urls.flatMap((url) => [...url.searchParams.keys()])));
  const place = placeOf(address, parameters);
  const chosen = variants.filter((variant) => variant.urls.some((url) => placeOf(url, parameters) === place));
  const isChosen = variants.length > 1 && chosen.length === 1;
  // Shopify's parameter is the variant's id: https://shopify.dev/docs/storefronts/themes/product-merchandising/variants
  const parameter = parameters.has('variant') ? idIn(address.searchParams.get('variant')) : undefined;
  const platform: Candidate[] = parameter ? [{ id: parameter, kind: 'platform', source: 'address' }] : [];
  const selected = isChosen ? [...platform, ...chosen[0]!.ids] : [];
  const others = selected.length + only.length > 0 ? [] : variants.flatMap(({ ids }) => ids);
  const chosenUrls = isChosen ? chosen[0]!.urls : [];
  const unselected = others.map((id): Candidate => ({ ...id, kind: 'variant' }));
  return { ...product, addresses: [...addresses, ...chosenUrls], selected, variants: unselected };
}

/** Whether the page has an address of the markup, perhaps with further parameters. */
export function isHere(url: URL, address: URL): boolean {
  const parameters = new Set(url.searchParams.keys());
  return placeOf(url, parameters) === placeOf(address, parameters);
}

/** All of them as one, if they are one product: each has a name or an id of another. */
function oneOf(products: readonly Product[]): Product | undefined {
  const namesOf = ({ name, own, groups }: Product) => [name ?? [], [...own, ...groups].map(({ id }) => id)].flat();
  const sharing = new Map<string, Product[]>();
  for (const product of products) {
    for (const name of namesOf(product)) sharing.set(name, [...(sharing.get(name) ?? []), product]);
  }
  const joined = new Set(products.slice(0, 1)); // which grows as it is gone through
  for (const product of joined) {
    for (const name of namesOf(product)) {
      for (const other of sharing.get(name) ?? []) joined.add(other);
      sharing.delete(name);
    }
  }
  if (joined.size < (products.length || 1)) return undefined;
  const join = <K extends keyof Product>(key: K) => products.flatMap((product) => product[key] as unknown[]) as never;
  const [{ name }] = products as [Product];
  const common = { name, addresses: join('addresses'), groups: join('groups'), urls: join('urls') };
  const own: readonly Candidate[] = join('own');
  const skus = new Set(own.flatMap(({ kind, id }) => (kind === 'sku' ? id : [])));
  // Under one name, several are variants.
  if (skus.size > 1) {
    return {
      ...common,
      only: [],
      own: [],
      variants: products.map(({ own, addresses }) => ({ ids: own, urls: addresses })),
    };
  }
  return {
    ...common,
    only: join('only'),
    own,
    variants: products.find(({ variants }) => variants.length > 0)?.variants ?? [],
  };
}

function productIn(
  thing: Thing,
  source: string,
  named: (value: unknown) => Thing[],
  members: readonly Thing[],
): Product {
  const idsOf = (of: Thing): Candidate[] =>
    IDS.flatMap(([kind, names]) => namesIn(of, names).map((id) => ({ id, kind, source })));
  const asGroup = (ids: readonly string[]): Candidate[] => ids.map((id) => ({ id, kind: 'group', source }));
  const groupIds = (of: Thing) => asGroup(namesIn(of, ['productGroupID', 'sku', 'productID']));
  const addressesOf = (of: Thing): URL[] => [of, ...thingsOf(of['offers'])].flatMap(urlsIn);
  const urls = namesIn(thing, ['@id'])
    .filter((id) => URL.canParse(id))
    .map((id): Candidate => ({ id, kind: 'url', source }));
  const offers = named(thing['offers']).flatMap((offer) => [offer, ...named(offer['offers'])]);
  const ofOffers = offers.map((offer): Variant => ({ ids: idsOf(offer), urls: urlsIn(offer) }));
  const ofMembers = members.map((member): Variant => {
    const parts = [member, ...named(member['offers'])];
    return { ids: parts.flatMap(idsOf), urls: parts.flatMap(urlsIn) };
  });
  const variants = (ofMembers.length > 0 ? ofMembers : ofOffers).filter(({ ids }) => ids.length > 0);
  const only = ofMembers.length === 0 && variants.length === 1 ? variants[0]!.ids : [];
  const name = namesIn(thing, ['name'])[0]?.toLowerCase().replace(/\s+/g, ' ');
  const common = { name, addresses: addressesOf(thing), urls, only, variants };
  if (isGroup(thing)) return { ...common, own: [], groups: groupIds(thing) };
  const parents = named(thing['isVariantOf']).flatMap(groupIds);
  return { ...common, own: idsOf(thing), groups: [...asGroup(namesIn(thing, ['inProductGroupWithID'])), ...parents] };
}
