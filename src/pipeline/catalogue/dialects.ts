/**
 * The forms in which shops export their products: what each calls the fields of a product, and what else its rows are.
 *
 *     Google Merchant Center   https://support.google.com/merchants/answer/7052112
 *     Shopify                  https://help.shopify.com/en/manual/products/import-export/using-csv
 *     WooCommerce              https://github.com/woocommerce/woocommerce/wiki/Product-CSV-Import-Schema
 *     Magento 2                https://experienceleague.adobe.com/en/docs/commerce-admin/systems/data-transfer/data-attributes-product
 */
import { type CatalogueItem, pricedAt } from '../../checkpoint/artifact';
import { isShort } from '../../checkpoint/catalogue-file';
import { MAX_ID, MAX_PRODUCT_TEXT } from '../../limits';
import {
  availabilityOf,
  type CategoryForm,
  categoryOf,
  DECIMAL_COMMA,
  EITHER_POINT,
  MONEY_EXPECTED,
  type Money,
  moneyOf,
  numberOrText,
  type Period,
  periodBetween,
  periodOf,
  USUAL_CATEGORIES,
} from './values';

/** One row of a feed: a line of a table, an element of XML, an object of JSON. */
export interface FeedRow {
  /** Line in the file, from 1. */
  readonly line: number;
  /** Trimmed text of the column, element or member; empty where it has none. */
  get(name: string): string;
  /** Whether it is a number of JSON, which has a decimal point in every language. */
  isNumber(name: string): boolean;
}

/** A row that does not follow its format: it is counted, or ends the reading. */
export class BadRow extends Error {
  constructor(
    readonly what: string,
    readonly rest: string,
  ) {
    super(`${what}, ${rest}`);
  }
}

/** The fields of a product that `--columns` names. */
export const FIELDS = [
  ...['id', 'title', 'url', 'image', 'price', 'sale_price', 'sale_dates', 'sale_from', 'sale_until', 'currency'],
  ...['category', 'brand', 'availability', 'group', 'sku', 'gtin', 'mpn', 'platform'],
] as const;
export type Field = (typeof FIELDS)[number];
export type Columns = Readonly<Partial<Record<Field, readonly string[]>>>;

/** By what else than its id a product is known, and what is tried against a model's vocabulary. */
export const NAME_KINDS = ['id', 'sku', 'gtin', 'mpn', 'platform', 'url'] as const;
export type NameKind = (typeof NAME_KINDS)[number];

/** What a row says. */
export interface Entry {
  /**
   * - `product`: to be published.
   * - `variant`: no product of its own; its names, stock and price belong to its product.
   * - `hidden`: a draft or a product that its shop does not show.
   */
  readonly kind: 'product' | 'variant' | 'hidden';
  /** Empty for a variant without one. */
  readonly id: string;
  readonly names: Readonly<Partial<Record<NameKind, string>>>;
  readonly group?: string;
  /** Of a variant: the id, or another name, of its product. */
  readonly parent?: string;
  /** Whether `parent` is the product's number in the shop alone. */
  readonly isByNumber?: boolean;
  /** Of a product: the ids of its variants. */
  readonly variants?: readonly string[];
  readonly item: Readonly<Partial<Omit<CatalogueItem, 'id'>>>;
  /** A sale whose dates cannot be read, as the feed has it. */
  readonly badSale?: string;
  /** A stock in words that are not known, as the feed has it. */
  readonly badStock?: string;
  /** A price that has a decimal comma, and one whose point may be decimal or not, as the feed has them. */
  readonly commaPrice?: string;
  readonly pointPrice?: string;
}

export interface Dialect {
  readonly name: string;
  /** Names that a header of it has: one of each list. */
  readonly needs: readonly (readonly string[])[];
  /** Names of each field, the first that is not empty counts. */
  readonly columns: Columns;
  /** Further columns that decide what is published. */
  readonly reads?: readonly string[];
  readonly categories?: CategoryForm;
  /** A date of a sale as ISO 8601, where the dialect writes it otherwise; any other text as it is. */
  readonly dateOf?: (text: string) => string;
  /** Whether ids are what joins the rows of a product, so that no other column can be. */
  readonly joinsById?: boolean;
  /** What a row is, from its fields as an entry. Default: that product. */
  readonly entries?: (row: FeedRow, entry: Entry) => readonly Entry[];
  /** Features beside columns. */
  readonly featureOf?: (row: FeedRow, name: string) => string;
}

/** In the spelling of `nameKey`. */
const PLAIN: Columns = {
  id: ['item_id', 'id'],
  title: ['title', 'name'],
  url: ['url', 'link'],
  image: ['image', 'image_link', 'image_url'],
  price: ['price'],
  sale_price: ['sale_price'],
  sale_dates: ['sale_price_effective_date'],
  sale_from: ['sale_from'],
  sale_until: ['sale_until'],
  currency: ['currency'],
  category: ['category', 'categories', 'product_type', 'google_product_category'],
  brand: ['brand'],
  availability: ['availability'],
  group: ['item_group_id'],
  sku: ['sku'],
  gtin: ['gtin', 'ean', 'upc', 'barcode'],
  mpn: ['mpn'],
};

export const TABLE: Dialect = { name: 'product list', needs: [], columns: PLAIN };

export const MERCHANT: Dialect = {
  name: 'Google Merchant Center',
  needs: [['id'], ['title'], ['link'], ['image_link', 'price', 'availability']],
  columns: PLAIN,
  reads: ['additional_image_link'],
  // Shopify's own feeds: shopify_COUNTRY_PRODUCT_VARIANT.
  entries(_, entry) {
    const variant = /^shopify_[A-Z]{2}_\d+_(\d+)$/.exec(entry.id)?.[1];
    return [variant ? { ...entry, names: { ...entry.names, platform: variant } } : entry];
  },
};

const SHOPIFY: Dialect = {
  name: 'Shopify',
  needs: [
    ['Handle', 'URL handle'],
    ['Variant Price', 'Variant SKU', 'Price', 'SKU'],
  ],
  columns: {
    id: ['Handle', 'URL handle'],
    title: ['Title'],
    image: ['Image Src', 'Product image URL'],
    price: ['Variant Price', 'Price'],
    category: ['Product Category', 'Product category', 'Type'],
    brand: ['Vendor'],
    sku: ['Variant SKU', 'SKU'],
    gtin: ['Variant Barcode', 'Barcode'],
    platform: ['Variant ID'],
  },
  reads: [
    ...['ID', 'Status', 'Published', 'Published on online store', 'Variant Inventory Tracker', 'Inventory tracker'],
    ...[
      'Variant Inventory Qty',
      'Inventory quantity',
      'Variant Inventory Policy',
      'Continue selling when out of stock',
    ],
  ],
  joinsById: true,
  /** The first row of a handle is the product and its first variant, the others are variants or images. */
  entries(row, { id, names: written, item: { price, currency, ...item } }) {
    // A leading apostrophe keeps a spreadsheet from reading a barcode as a number.
    const names: Entry['names'] = Object.fromEntries(
      Object.entries(written).map(([kind, name]) => [kind, name.replace(/^'(?=.)/, '')]),
    );
    const variant: Entry = {
      kind: 'variant',
      id: '',
      names,
      parent: id,
      item: { ...(price !== undefined && { price }), ...(currency && { currency }), ...shopifyStock(row) },
    };
    const isVariant = price !== undefined || names.sku !== undefined;
    if (item.title === undefined) return isVariant ? [variant] : [];
    const status = row.get('Status').toLowerCase();
    const published = (row.get('Published') || row.get('Published on online store')).toLowerCase();
    const isShown = (status === '' || status === 'active') && published !== 'false';
    const product: Entry = {
      kind: isShown ? 'product' : 'hidden',
      id,
      names: { ...(row.get('ID') && { platform: row.get('ID') }) },
      item: { ...item, ...(currency && { currency }), url: `/products/${encodeURIComponent(id)}` },
    };
    return isVariant ? [product, variant] : [product];
  },
};

function shopifyStock(row: FeedRow): { readonly availability?: string } {
  const quantity = row.get('Variant Inventory Qty') || row.get('Inventory quantity');
  const isTracked = (row.get('Variant Inventory Tracker') || row.get('Inventory tracker')) !== '';
  if (!isTracked || quantity === '' || Number(quantity) > 0) return { availability: 'in stock' };
  const policy = (row.get('Variant Inventory Policy') || row.get('Continue selling when out of stock')).toLowerCase();
  return { availability: policy === 'continue' || policy === 'true' ? 'backorder' : 'out of stock' };
}

const WOOCOMMERCE: Dialect = {
  name: 'WooCommerce',
  needs: [['Type'], ['SKU'], ['Name'], ['Regular price']],
  columns: {
    id: ['SKU', 'ID'],
    title: ['Name'],
    image: ['Images'],
    price: ['Regular price'],
    sale_price: ['Sale price'],
    sale_from: ['Date sale price starts'],
    sale_until: ['Date sale price ends'],
    category: ['Categories'],
    brand: ['Brands'],
    availability: ['In stock?'],
    sku: ['SKU'],
    gtin: ['GTIN, UPC, EAN, or ISBN'],
    platform: ['ID'],
  },
  reads: ['Type', 'Published', 'Visibility in catalog', 'Parent'],
  categories: { between: /(?<!\\),\s*/, steps: /\s*>\s*/ },
  dateOf: (text) => text.replace(/ (?=\d:)/, ' 0'), // PHP's `Y-m-d G:i:s`: 2024-01-05 0:00:00
  entries(row, entry) {
    const [image] = (entry.item.image ?? '').split(/\s*,\s*/);
    const { category, brand } = entry.item;
    const item = {
      ...entry.item,
      ...(image && { image }),
      ...(category && { category: category.map(withoutEscapes) }),
      ...(brand && { brand: withoutEscapes(brand) }),
    };
    const whole: Entry = { ...entry, item };
    const isOn = row.get('Published') === '1' && row.get('Visibility in catalog') !== 'hidden';
    if (!/(^|,)\s*variation\s*(,|$)/.test(row.get('Type'))) return [{ ...whole, kind: isOn ? 'product' : 'hidden' }];
    const written = row.get('Parent');
    const parent = written.replace(/^id:/, '');
    if (parent === '') throw new BadRow('Parent is empty', 'expected the SKU or id:ID of the product of a variation');
    return row.get('Published') === '1' ? [{ ...whole, kind: 'variant', parent, isByNumber: parent !== written }] : [];
  },
};

/** WooCommerce puts a backslash before a comma inside one of several values. */
const withoutEscapes = (text: string): string => text.replaceAll('\\,', ',');

const MAGENTO: Dialect = {
  name: 'Magento 2',
  needs: [['sku'], ['product_type'], ['attribute_set_code', 'product_websites', 'url_key']],
  columns: {
    id: ['sku'],
    title: ['name'],
    url: ['url_key'],
    image: ['base_image'],
    price: ['price'],
    sale_price: ['special_price'],
    sale_from: ['special_price_from_date'],
    sale_until: ['special_price_to_date'],
    category: ['categories'],
    brand: ['brand', 'manufacturer'],
    availability: ['is_in_stock'],
    gtin: ['gtin', 'ean', 'upc'],
    mpn: ['mpn'],
  },
  reads: ['store_view_code', 'product_type', 'product_online', 'visibility', 'configurable_variations'],
  categories: { between: /\s*[|,]\s*/, steps: /\s*\/\s*/ },
  // The short form of the administrator's language, by default American English: 9/1/24.
  dateOf: (text) => {
    const [, month, day, year] = /^([1-9]\d?)\/([1-9]\d?)\/(\d\d)$/.exec(text) ?? [];
    return year ? `20${year}-${month!.padStart(2, '0')}-${day!.padStart(2, '0')}` : text;
  },
  entries(row, { item: { url, image, category, brand, price, sale, ...item }, ...rest }) {
    if (row.get('store_view_code') !== '') return []; // a translation
    const branded = brand ?? (attributeOf(row, 'brand') || attributeOf(row, 'manufacturer'));
    const path = category && category.length > 1 ? category.slice(1) : category; // without the root category
    const hasImage = image !== undefined && image !== 'no_selection';
    const isVisible = row.get('visibility') !== 'Not Visible Individually';
    const isOn = row.get('product_online') !== '2';
    const variants = [...row.get('configurable_variations').matchAll(/(?:^|\|)sku=([^,|]+)/g)].map(([, sku]) => sku!);
    return [
      {
        ...rest,
        kind: !isOn ? 'hidden' : isVisible ? 'product' : 'variant',
        variants,
        item: {
          ...item,
          // A configurable product costs what its variants cost.
          ...(row.get('product_type') !== 'configurable' && {
            ...(price !== undefined && { price }),
            ...(sale && { sale }),
          }),
          ...(url && { url: `/${url}.html` }),
          ...(hasImage && { image: image.startsWith('/') ? `/media/catalog/product${image}` : image }),
          ...(path && { category: path }),
          ...(branded && { brand: branded }),
        },
      },
    ];
  },
  featureOf: attributeOf,
};

/** One of `additional_attributes`: `color=Red,size="M",material=Cotton|Wool`. */
function attributeOf(row: FeedRow, name: string): string {
  for (const part of row.get('additional_attributes').split(/,(?=[a-z][a-z0-9_]*=)/)) {
    if (part.startsWith(`${name}=`)) return part.slice(name.length + 1).replace(/^"(.*)"$/s, '$1');
  }
  return '';
}

/** From the most special to the most general. */
const DIALECTS = [SHOPIFY, WOOCOMMERCE, MAGENTO, MERCHANT];

/** The dialect of a header, or of the members of the first object. */
export function dialectOf(names: Iterable<string>): Dialect {
  const found = new Set(names);
  for (const name of names) found.add(nameKey(name));
  return DIALECTS.find(({ needs }) => needs.every((any) => any.some((name) => found.has(name)))) ?? TABLE;
}

/** Every name that a dialect looks for: they identify the delimiter of a table. */
export const KNOWN_NAMES: readonly string[] = [TABLE, ...DIALECTS].flatMap(({ columns, reads = [] }) => [
  ...Object.values(columns).flat(),
  ...reads,
]);

/** What the dialects call ids. */
export const ID_NAMES: readonly string[] = [TABLE, ...DIALECTS].flatMap(({ columns }) => columns.id!);

/** One spelling of a name: `g:image link` and `Image_Link` are `image_link`. */
export const nameKey = (name: string): string =>
  name
    .trim()
    .toLowerCase()
    .replace(/^g:/, '')
    .replace(/[\s-]+/g, '_');

export interface EntryOptions {
  /** Names of fields in place of the dialect's. */
  readonly columns?: Readonly<Partial<Record<Field, string>>>;
  /** Names of what else is read, as features; `all`: what is no member of a product, and short. */
  readonly features?: readonly string[] | 'all';
  /** ISO 4217, where the feed has none. */
  readonly currency?: string;
  /** Whether a single comma is the decimal one, also before three digits. */
  readonly decimalComma?: boolean;
  /** Seconds since 1970, for sales that are over. */
  readonly now: number;
}

/** Features that are asked for by name: none where they are `all`. */
export const namedFeatures = ({ features = [] }: Pick<EntryOptions, 'features'>): readonly string[] =>
  features === 'all' ? [] : features;

/**
 * Reads the rows of a dialect. The function throws `BadRow`.
 *
 * @param further The features where they are `all`, which may become more from row to row.
 */
export function entryReader(
  dialect: Dialect,
  options: EntryOptions,
  further: readonly string[],
): (row: FeedRow) => readonly Entry[] {
  const { columns = {}, currency: usual, decimalComma = false, now } = options;
  const isAll = options.features === 'all';
  const features = isAll ? further : namedFeatures(options);
  const { dateOf = (date: string) => date } = dialect;
  const names = columnsOf(dialect, columns);
  const first = (row: FeedRow, among: readonly string[] = []): string => {
    for (const name of among) {
      const value = row.get(name);
      if (value !== '') return value;
    }
    return '';
  };
  const text = (row: FeedRow, field: Field): string => first(row, names[field]);
  const nameIn = (row: FeedRow, field: Field) => names[field]?.find((one) => row.get(one) !== '') ?? '';
  const priceLike = (row: FeedRow, form: RegExp): string | undefined =>
    (['price', 'sale_price'] as const)
      .map((field) => nameIn(row, field))
      .flatMap((name) => (row.isNumber(name) ? [] : row.get(name)))
      .find((value) => form.test(value));
  const money = (row: FeedRow, field: Field) => {
    const name = nameIn(row, field);
    const value = row.get(name);
    const read = moneyOf(value, decimalComma && !row.isNumber(name));
    if (value !== '' && !read) throw new BadRow(`${field} is no price`, `${MONEY_EXPECTED}, got ${shown(value)}`);
    return read;
  };
  const currencyOf = (row: FeedRow, hasPrice: boolean): string | undefined => {
    const written = text(row, 'currency');
    if (/^[a-z]{3}$/i.test(written)) return written.toUpperCase();
    if (written === '' || usual || !hasPrice) return usual;
    throw new BadRow(
      'currency is no code',
      `expected three letters of ISO 4217 such as EUR, or \`currency\` EUR, got ${shown(written)}`,
    );
  };
  const saleOf = (
    row: FeedRow,
    sale: Money | undefined,
  ): { readonly badSale?: string; readonly reduced?: number; readonly sale?: Sale } => {
    if (!sale) return {};
    const [dates, from, until] = [text(row, 'sale_dates'), text(row, 'sale_from'), text(row, 'sale_until')];
    const period = dates === '' ? periodBetween(dateOf(from), dateOf(until)) : periodOf(dates);
    if (!period) return { badSale: dates || `${from} to ${until}` };
    if (period.until !== undefined && period.until <= now) return {};
    const isOpen = period.from === undefined || period.from <= now;
    return isOpen && period.until === undefined
      ? { reduced: sale.price }
      : { sale: { price: sale.price, ...iso(period) } };
  };
  return (row) => {
    const [price, salePrice] = [money(row, 'price'), money(row, 'sale_price')];
    const { badSale, reduced, sale } = saleOf(row, salePrice);
    const hasPrice = price !== undefined || salePrice !== undefined;
    const currency = price?.currency ?? currencyOf(row, hasPrice) ?? salePrice?.currency;
    const counts = reduced !== undefined || sale !== undefined;
    if (counts && salePrice?.currency && salePrice.currency !== currency) {
      throw new BadRow(
        'sale_price has another currency',
        `expected ${currency} as price has, got ${salePrice.currency}`,
      );
    }
    const stock = text(row, 'availability');
    const availability = availabilityOf(stock);
    const category = categoryOf(text(row, 'category'), dialect.categories ?? USUAL_CATEGORIES);
    const isCode = dialect === MERCHANT && category?.length === 1 && /^\d+$/.test(category[0]!); // of Google's taxonomy
    const found = features.flatMap((name): [string, string | number][] => {
      const value = row.get(name) || row.get(`features.${name}`) || (dialect.featureOf?.(row, name) ?? '');
      return value === '' || (isAll && value.length > MAX_ID) ? [] : [[name, numberOrText(value)]];
    });
    const [title, url, image, brand] = (['title', 'url', 'image', 'brand'] as const).map((name) => text(row, name));
    const amount = reduced ?? price?.price;
    const group = text(row, 'group');
    const ids = NAME_KINDS.flatMap((kind) => {
      // Where another column has the ids, the usual one is one more name.
      const name = kind === 'url' ? aliasOfUrl(url!) : kind === 'id' ? first(row, dialect.columns.id) : text(row, kind);
      return name === '' ? [] : [[kind, name]];
    });
    const [commaPrice, pointPrice] = decimalComma
      ? []
      : [DECIMAL_COMMA, EITHER_POINT].map((form) => priceLike(row, form));
    const entry: Entry = {
      kind: 'product',
      id: text(row, 'id'),
      names: Object.fromEntries(ids),
      ...(group && { group }),
      ...(badSale !== undefined && { badSale }),
      ...(stock !== '' && availability === undefined && { badStock: stock }),
      ...(commaPrice && { commaPrice }),
      ...(pointPrice && { pointPrice }),
      item: {
        ...(title && { title }),
        ...(url && { url }),
        ...(image && { image }),
        ...(amount !== undefined && { price: amount }),
        ...(sale && { sale }),
        ...(currency && { currency }),
        ...(category && !isCode && { category }),
        ...(brand && { brand }),
        ...(stock !== '' && { availability: availability ?? stock }),
        ...(found.length > 0 && { features: Object.fromEntries(found) }),
      },
    };
    const long = Object.entries(entry.item).find(([field, value]) => field !== 'image' && !isShort(value));
    if (long) {
      const expected = `expected at most ${MAX_PRODUCT_TEXT} characters`;
      throw new BadRow(`the ${long[0]} is too long`, `${expected}, got ${shown(JSON.stringify(long[1]))}`);
    }
    const entries = dialect.entries?.(row, entry) ?? [entry];
    for (const { kind, id } of entries) {
      if (id === '' && kind !== 'variant') {
        throw new BadRow('the id is empty', `expected one in ${names.id!.join(' or ')}, got nothing`);
      }
      if (id.length > MAX_ID) {
        throw new BadRow('the id is too long', `expected at most ${MAX_ID} characters, got ${shown(id)}`);
      }
    }
    return entries;
  };
}

type Sale = NonNullable<CatalogueItem['sale']>;

/**
 * The names of each field: those that are given in place of the dialect's. Where the ids are those of groups, a product without a
 * group has its own.
 */
export function columnsOf({ columns }: Dialect, given: EntryOptions['columns'] = {}): Columns {
  const named: Columns = {
    ...columns,
    ...Object.fromEntries(Object.entries(given).map(([field, name]) => [field, [name]])),
  };
  return hasGroupIds(named, given.id) ? { ...named, id: [given.id!, ...columns.id!] } : named;
}

/** Fields that are no members of a product: a model may read them as features. */
const NAMES_ALONE: readonly string[] = ['group', 'sku', 'gtin', 'mpn', 'platform'];

/** The names of all members of a product. */
export const memberNames = (dialect: Dialect, given: EntryOptions['columns']): readonly string[] => [
  ...Object.entries(columnsOf(dialect, given)).flatMap(([field, names]) => (NAMES_ALONE.includes(field) ? [] : names)),
  ...dialect.columns.id!,
];

/** Whether the column that is named for ids is that of groups. */
export function hasGroupIds({ group = [] }: Columns, id: string | undefined): boolean {
  return id !== undefined && (group.includes(id) || group.includes(nameKey(id)));
}

/** What an item costs at a moment, in seconds since 1970. */
export const priceNow = (item: Entry['item'], now: number): number | undefined =>
  pricedAt({ id: '', ...item }, now * 1000).price;

const iso = ({ from, until }: Period) => ({
  ...(from !== undefined && { from: new Date(from * 1000).toISOString() }),
  ...(until !== undefined && { until: new Date(until * 1000).toISOString() }),
});

/** The address without its fragment and what campaigns add; empty where it is no address of the web. */
function aliasOfUrl(text: string): string {
  if (!/^https?:\/\//i.test(text) || !URL.canParse(text)) return '';
  if (!/[?#]/.test(text)) return text;
  const url = new URL(text);
  url.hash = '';
  for (const name of [...url.searchParams.keys()]) {
    if (/^(utm_\w+|gclid|fbclid|srsltid)$/.test(name)) url.searchParams.delete(name);
  }
  return url.href;
}

/** A text for a message, quoted and cut. */
export const shown = (text: string): string => JSON.stringify(text.length > 40 ? `${text.slice(0, 40)}…` : text);
