/** The products of a shop from the content of a file: `catalogue.json`, a table with a header, or a product feed. */
import { MAX_ALIASES } from '../../checkpoint/aliases';
import type { Aliases, CatalogueItem, ItemAliases } from '../../checkpoint/artifact';
import { checkCatalogue, members } from '../../checkpoint/catalogue-file';
import { isRecord, parseJson } from '../../checkpoint/json';
import { RecommenderError } from '../../errors';
import { nearestName } from '../../nearest-name';
import { COLUMNS } from '../../session/options';
import { previewText } from '../../session/preview';
import { parseIso } from '../../session/time';
import { defined } from '../defined';
import { whole } from '../format';
import { inform, type Observer, warn } from '../observer';
import { dialectOf, type Entry, KNOWN_NAMES, nameKey, TABLE } from './dialects';
import { Intake, nothingToShow } from './intake';
import { aliasesOf, ProductIndex, productOf } from './product-index';
import { availabilityOf } from './values';

/** What a file or folder says of a shop's items. */
export interface Products {
  /** With every feature that a model may read. */
  readonly products: readonly CatalogueItem[];
  /** Of a table or a feed: the names of its columns that are no members of a product. They are features, not for publishing. */
  readonly further?: readonly string[];
  /** Of a JSON list that is read as a feed: the names in the `features` of its products, which are for publishing. */
  readonly declared?: readonly string[];
  readonly aliases?: Aliases;
  readonly rules?: readonly unknown[];
}

/** ISO 8601 with a time zone, as `aisle catalogue` writes it: pages read a time without one in their own. */
const INSTANT = /^\d{4}-\d\d-\d\dT\d\d:\d\d(:\d\d(\.\d+)?)?(Z|[+-]\d\d:\d\d)$/;

const FEED_NAMES: ReadonlySet<string> = new Set(KNOWN_NAMES.map(nameKey));

/** Whether an object of a JSON list is written as a feed writes products, and not as `catalogue.json` does. */
function isFeedRow(row: unknown): boolean {
  if (!isRecord(row)) return false;
  const own = members();
  const { price, availability: stock, sale } = row;
  const { price: reduced, from, until } = Object(sale ?? {}) as Readonly<Record<string, unknown>>;
  const isGiven = (value: unknown): boolean => value !== undefined && value !== null;
  return (
    Object.keys(row).some((name) => !own.includes(name) && FEED_NAMES.has(nameKey(name))) ||
    (isGiven(stock) && availabilityOf(String(stock)) !== stock) ||
    [price, reduced].some((amount) => isGiven(amount) && typeof amount !== 'number') ||
    [from, until].some((time) => isGiven(time) && !(INSTANT.test(String(time)) && parseIso(String(time)) >= 0))
  );
}

/**
 * Reads products from a JSON list in the form of `catalogue.json`, whose first product has a text `id` and none of which is
 * written as a feed writes it, else from a table or a product feed as `aisle catalogue` does.
 *
 * @param path For messages.
 * @param idColumn What the log calls its items: a table may do so too.
 * @param now Milliseconds since 1970, for sales that are over.
 * @throws RecommenderError `bad-input` that names file and line, or product and field.
 */
export async function readProducts(
  bytes: Uint8Array,
  path: string,
  idColumn: string = COLUMNS.item,
  { onMessage }: Observer = {},
  now = Date.now(),
): Promise<Products> {
  const begin = String.fromCharCode(bytes.find((byte) => byte > 0x20 && byte < 0x80) ?? 0);
  const list = begin === '[' ? parseJson(bytes, path) : undefined;
  const first: unknown = Array.isArray(list) ? list[0] : undefined;
  const isFeed = Array.isArray(list) && isRecord(first) && (typeof first['id'] !== 'string' || list.some(isFeedRow));
  if (list !== undefined && !isFeed) {
    const products = blamingInput(() => checkCatalogue(list, path));
    warnOfUnread(list as readonly object[], path, defined({ onMessage }));
    return { products };
  }
  const names = (): readonly string[] =>
    isFeed ? Object.keys(first) : previewText(bytes.subarray(0, 1 << 16), bytes.length, path).names;
  const id = '<\0'.includes(begin) ? undefined : idIn(names(), path, idColumn, '{['.includes(begin));
  const index = new ProductIndex([], now / 1000);
  const items: Entry['item'][] = [];
  const group = isFeed && list.some((row) => isRecord(row) && row['group'] !== undefined) ? 'group' : undefined;
  const columns = defined({ id, group });
  const options = { features: 'all' as const, columns, ...defined({ onMessage }) };
  const into = { add: (item: Entry['item']) => void items.push(item), drain: async () => {} };
  const intake = new Intake(options, index, into, now / 1000);
  async function* pieces(): AsyncGenerator<Uint8Array> {
    yield bytes;
  }
  const { leftOut } = await intake.read(path, { size: bytes.length, pieces });
  const resolved = index.resolve();
  if (resolved.shown === 0) throw nothingToShow([path], intake.rows, resolved);
  intake.remark();
  const aliases = new Map<string, ItemAliases>();
  const products = items.flatMap((item, record): CatalogueItem[] => {
    const published = resolved.published(record);
    if (!published) return [];
    const id = published.ids[0]!;
    const names = aliasesOf(id, published.also.slice(0, MAX_ALIASES), published.group);
    if (names) aliases.set(id, names);
    return [{ id, ...productOf(item, published) }];
  });
  const declared = isFeed ? leftOut.filter((name) => name.startsWith('features.')) : [];
  const further = leftOut.filter((name) => !declared.includes(name));
  return { products, further, aliases, declared: declared.map((name) => name.slice('features.'.length)) };
}

/** The column of the ids, where it is not what the form of the feed has. */
function idIn(names: readonly string[], path: string, idColumn: string, isJson: boolean): string | undefined {
  const dialect = dialectOf(names);
  if (dialect.joinsById) return undefined;
  const found = [idColumn, COLUMNS.item].find((name) => names.includes(name));
  if (found !== undefined || isJson || names.some((name) => dialect.columns.id!.includes(nameKey(name)))) return found;
  if (dialect !== TABLE) return undefined;
  const near = nearestName(COLUMNS.item, names);
  throw new RecommenderError(
    'bad-input',
    `${path}:1: no column "${idColumn}", expected the ids of the items under that name; got ` +
      `${names.map((name) => JSON.stringify(name)).join(', ')}. Map the columns by  aisle catalogue ${path} ` +
      `--columns id=…,title=… --out FOLDER  and pass the folder.${near === undefined ? '' : ` Rename "${near}"?`}`,
  );
}

/** Warns once of what the objects of a JSON list have beside the members of a product. */
function warnOfUnread(list: readonly object[], path: string, observer: Observer): void {
  const known = members();
  const unread = new Set(list.flatMap((product) => Object.keys(product)).filter((name) => !known.includes(name)));
  if (unread.size === 0) return;
  const named = [...unread].slice(0, 20).map((name) => {
    const near = nearestName(name, known);
    return JSON.stringify(name) + (near === undefined ? '' : ` (${near}?)`);
  });
  const text = `${path}: not read: ${named.join(', ')}. Put what a model may learn from into "features" of a product.`;
  warn(observer, text);
}

/** `checkCatalogue` blames the artifact; here the file is the user's input. */
export function blamingInput<T>(check: () => T): T {
  try {
    return check();
  } catch (error) {
    if (!(error instanceof RecommenderError)) throw error;
    throw new RecommenderError('bad-input', error.message, { cause: error });
  }
}

/**
 * What pages may have of products: members of a product, and of the features of a table or feed those that the model reads or
 * that a JSON list declares.
 *
 * @param read Names of features.
 */
export function publishedOf(
  { products, further, declared = [] }: Products,
  read: readonly string[] = [],
): readonly CatalogueItem[] {
  if (!further) return products;
  return products.map(({ features = {}, ...product }) => {
    const kept = Object.entries(features).filter(([name]) => read.includes(name) || declared.includes(name));
    return { ...product, ...(kept.length > 0 && { features: Object.fromEntries(kept) }) };
  });
}

/** Says once which columns of a table or feed are not published. */
export function informOfLeftOut(
  { further = [] }: Products,
  read: readonly string[],
  path: string,
  observer: Observer,
): void {
  const leftOut = further.filter((name) => !read.includes(name.replace(/^features\./, '')));
  if (leftOut.length === 0) return;
  inform(
    observer,
    `${path}: not published: ${leftOut.join(', ')}. To publish one, name it in  aisle catalogue --features.`,
  );
}

/** Warns once of items that the log has and the catalogue lacks. */
export function warnOfGaps(
  products: readonly CatalogueItem[],
  itemIds: readonly string[],
  path: string,
  observer: Observer,
): void {
  const known = new Set(products.map(({ id }) => id));
  const missing = itemIds.filter((id) => !known.has(id));
  if (missing.length === 0) return;
  warn(
    observer,
    `${path} lacks ${whole(missing.length)} of the log's ${whole(itemIds.length)} items, such as ` +
      `"${missing[0]}": what it says of items counts as missing for them, and no page shows them.`,
  );
}
