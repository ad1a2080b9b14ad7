/** The products of a shop from the content of a file: `catalogue.json`, or a table with a header. */
import type { CatalogueItem } from '../../checkpoint/artifact';
import { checkCatalogue } from '../../checkpoint/catalogue-file';
import { parseJson } from '../../checkpoint/json';
import { RecommenderError } from '../../errors';
import { nearestName } from '../../nearest-name';
import { COLUMNS } from '../../session/options';
import { readTable, type Table } from '../../session/read-table';
import { whole } from '../format';
import { type Observer, warn } from '../observer';
import { NUMBER, USUAL_CATEGORIES } from './values';

const { between, steps } = USUAL_CATEGORIES;
/** Columns that are fields of a product; all others are its features. */
const FIELDS = ['title', 'url', 'image', 'price', 'currency', 'brand', 'availability'] as const;
const CATEGORY = ['category', 'categories'];

/**
 * Reads products from JSON, where the content begins like it, else from a table, tab-separated or CSV.
 *
 * A table has its ids in `item_id`, or `id`. `title`, `url`, `image`, `price`, `currency`, `category`, `brand` and
 * `availability` are the fields of `catalogue.json`, every other column is a feature: numbers where all its cells are, else
 * texts. An empty cell is missing. `category` may be a path, `Makeup > Nails`.
 *
 * @param path For messages.
 * @param idColumn What the log calls its items, if not `item_id`: a table may do so too.
 * @throws RecommenderError `bad-input` that names file and line, or product and field.
 */
export function readCatalogue(bytes: Uint8Array, path: string, idColumn?: string): readonly CatalogueItem[] {
  return blamingInput(() => {
    const begin = String.fromCharCode(bytes.find((byte) => byte > 0x20 && byte < 0x80) ?? 0);
    if ('[{<'.includes(begin)) return checkCatalogue(parseJson(bytes, path), path);
    const ids = [...new Set([idColumn ?? COLUMNS.item, COLUMNS.item, 'id'])];
    return checkCatalogue(products(readTable(bytes, path, [...ids, ...CATEGORY, ...FIELDS]), ids, path), path);
  });
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

function products({ names, rows }: Table, ids: readonly string[], path: string): CatalogueItem[] {
  const idName = ids.find((name) => names.includes(name));
  if (idName === undefined) {
    const near = nearestName(COLUMNS.item, names);
    throw new RecommenderError(
      'bad-input',
      `${path}:1: no column "${ids[0]}", expected the ids of the items under that name; got ` +
        `${names.map((name) => JSON.stringify(name)).join(', ')}. Map the columns by  aisle catalogue ${path} ` +
        `--columns id=…,title=… --out FOLDER  and pass the folder.${near === undefined ? '' : ` Rename "${near}"?`}`,
    );
  }
  if (rows.length === 0) {
    throw new RecommenderError('bad-input', `${path}: no items, only a header; expected at least one row below it.`);
  }
  const columns = names.map((name, at) => ({ name, at, isNumber: isNumeric(rows.map(({ cells }) => cells[at]!)) }));
  const categoryName = CATEGORY.find((name) => names.includes(name));
  const lines = new Map<string, number>();
  return rows.map(({ line, cells }) => {
    const id = cells[names.indexOf(idName)]!;
    const bad = (what: string): never => {
      throw new RecommenderError('bad-input', `${path}:${line}: ${what}.`);
    };
    if (id === '') bad(`${idName} is empty, expected an id, got nothing`);
    if (lines.has(id)) bad(`the item "${id}" stands in line ${lines.get(id)} already, expected one row for each item`);
    lines.set(id, line);
    const product: Record<string, unknown> = { id };
    const features: [string, string | number][] = [];
    for (const { name, at, isNumber } of columns) {
      const cell = cells[at]!;
      if (cell === '' || name === idName) continue;
      if (name === categoryName) product['category'] = cell.split(between)[0]!.split(steps);
      else if (name === 'price') product[name] = priceOf(cell) ?? bad(`price must be a number from 0, got "${cell}"`);
      else if ((FIELDS as readonly string[]).includes(name)) product[name] = cell;
      else features.push([name, isNumber ? Number(cell) : cell]);
    }
    return { ...product, ...(features.length > 0 && { features: Object.fromEntries(features) }) } as CatalogueItem;
  });
}

const priceOf = (cell: string): number | undefined => {
  const price = Number(cell);
  return Number.isFinite(price) && price >= 0 ? price : undefined;
};

const isNumeric = (cells: readonly string[]): boolean => cells.every((cell) => cell === '' || NUMBER.test(cell));

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
