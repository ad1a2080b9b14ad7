import { RecommenderError } from '../errors';
import { editDistance, nearestName } from '../nearest-name';
import { COLUMNS, type ColumnName, type ColumnNames, type ReadOptions, type Recipe } from './options';

/** Positions of a file's columns, from 0. */
export interface Layout {
  /** Names as the file has them, without RecBole's types, and then those of `constants`. */
  readonly names: readonly string[];
  /** Columns that have one value for the whole file, which its path gives (`day=2024-05-01/`): a cell for each. */
  readonly constants: readonly Uint8Array[];
  /** What decides a row's session: the session column, or the user column for `gap` and `user`. */
  readonly key: number;
  readonly item: number;
  readonly time: number;
  readonly user?: number;
  readonly event?: number;
  /** Further columns to keep. */
  readonly features: readonly { readonly name: string; readonly at: number }[];
  /** All columns that are none of the five known ones. */
  readonly others: readonly string[];
}

/** The header of an atomic file of RecBole names the type of each column: `item_id:token`. */
const TYPE = /:(token|float)(_seq)?$/;
export const isRecBole = (names: readonly string[]): boolean => names.every((name) => TYPE.test(name));

/**
 * Finds the columns of an events file.
 *
 * @param where `FILE:1` or `FILE`, to start messages with.
 * @param constants Columns that the path of the file gives; one that the file has too is read from the file.
 * @throws RecommenderError `bad-input` if a column that is needed is missing, named twice, or of lists.
 */
export function layoutOf(
  header: readonly string[],
  options: ReadOptions,
  where: string,
  constants: Readonly<Record<string, string>> = {},
): Layout {
  const untyped = isRecBole(header) ? (name: string): string => name.replace(TYPE, '') : (name: string): string => name;
  const own = header.map(untyped);
  const given = Object.keys(constants).filter((name) => !own.includes(name));
  const names = [...own, ...given];
  const columns = options.recipe ? recipeColumns(options.recipe, header, where) : (options.columns ?? {});
  const wanted = (column: ColumnName): string => untyped(columns[column] ?? COLUMNS[column]);
  if (isRecBole(header)) {
    const read = [`${wanted('item')}_list`, ...COLUMN_NAMES.map(wanted)];
    const list = header.find((name) => name.endsWith('_seq') && read.includes(untyped(name)));
    if (list !== undefined) throw holdsLists(list, where);
  }
  const find = (column: ColumnName): number | undefined => {
    const name = wanted(column);
    if (name === '') return undefined;
    const at = names.indexOf(name);
    if (at >= 0 && names.indexOf(name, at + 1) >= 0)
      throw new RecommenderError('bad-input', `${where}: column "${name}" stands twice; name each column once.`);
    if (at < 0 && columns[column] !== undefined) throw missing(column);
    return at < 0 ? undefined : at;
  };
  const by = options.sessionsBy?.by ?? 'id';
  const missing = (column: ColumnName): RecommenderError => {
    const found = names.map((name) => JSON.stringify(clip(name))).slice(0, 20);
    const more = names.length > 20 ? ', …' : '';
    const name = wanted(column);
    const lack = name === '' ? 'no column is chosen' : `no column "${name}"`;
    const under = name === '' ? '' : ' under that name';
    return new RecommenderError(
      'bad-input',
      `${where}: ${lack}, expected ${WHAT[column]}${under}; ` + `got ${found.join(', ')}${more}. ${hintFor(column)}`,
    );
  };
  /** The whole option: what was given, and the likely name of each missing column, so that one look at the file is enough. */
  const hintFor = (column: ColumnName): string => {
    // `aisle convert` has no --columns.
    if (options.recipe) return column === 'user' ? 'Leave out --sessions-by.' : 'Name it so in the file.';
    const needed: readonly ColumnName[] = [column, by === 'id' ? 'session' : 'user', 'item', 'time'];
    const left = new Set(names);
    const likely = likelyColumns(names);
    for (const other of COLUMN_NAMES) left.delete(wanted(other));
    const parts = COLUMN_NAMES.flatMap((other) => {
      const given = columns[other];
      if (given !== undefined && names.includes(untyped(given))) return [`${other}=${given}`];
      if (!needed.includes(other) || names.includes(wanted(other))) return [];
      const name = likely[other];
      const near = name !== undefined && left.has(name) ? name : nearest(other, [...left]);
      if (near !== undefined) left.delete(near);
      return [`${other}=${near ?? '…'}`];
    });
    const list = quoted(parts.join(','));
    return parts.some((part) => part.endsWith('=…')) ? `Name it with --columns ${list}` : `Is it --columns ${list} ?`;
  };
  const session = find('session');
  const user = find('user');
  const event = find('event');
  const key = by === 'id' ? session : user;
  if (key === undefined && by === 'id' && user !== undefined) {
    const { message } = missing('session');
    throw new RecommenderError('bad-input', `${message} Or form sessions per user: --sessions-by gap:30.`);
  }
  if (key === undefined) throw missing(by === 'id' ? 'session' : 'user');
  const item = find('item');
  if (item === undefined) throw missing('item');
  const time = find('time');
  if (time === undefined) throw missing('time');
  if (options.events !== undefined && event === undefined) throw missing('event');
  const known = new Set([session, item, time, user, event]);
  const others = names.filter((_, at) => !known.has(at));
  return {
    names,
    constants: given.map((name) => new TextEncoder().encode(constants[name])),
    key,
    item,
    time,
    ...(user !== undefined && { user }),
    ...(event !== undefined && { event }),
    features: features(others, options, where).map((name) => ({ name, at: names.indexOf(name) })),
    others,
  };
}

const holdsLists = (column: string, where: string): RecommenderError =>
  new RecommenderError(
    'bad-input',
    `${where}: column "${clip(column)}" holds a list in every row, as where RecBole has written a row for each prefix of a session. ` +
      'Read the file with one event a row that those were made of, and cut that by aisle split.',
  );

function recipeColumns({ name, columns, files }: Recipe, header: readonly string[], where: string): ColumnNames {
  const found = columns(header);
  if (found) return found;
  const got = header.map((column) => JSON.stringify(clip(column))).slice(0, 20);
  throw new RecommenderError(
    'bad-input',
    `${where}: this is no file of ${name}, expected ${files}; got ${got.join(', ')}.`,
  );
}

function features(others: readonly string[], options: ReadOptions, where: string): readonly string[] {
  const welcome = (options.featuresIfAny ?? []).filter((name) => others.includes(name));
  if (options.features === undefined) return [...new Set(welcome)];
  if (options.features === 'all') return [...new Set(others)];
  for (const name of options.features) {
    if (others.includes(name)) continue;
    const near = nearestName(name, others);
    const hint =
      near !== undefined
        ? `Did you mean "${near}"?`
        : others.length === 0
          ? 'It has no further columns.'
          : `It has ${others.map(clip).join(', ')}.`;
    throw new RecommenderError('bad-input', `${where}: no feature column "${name}". ${hint}`);
  }
  return [...new Set([...options.features, ...welcome])];
}

const COLUMN_NAMES = Object.keys(COLUMNS) as ColumnName[];
const WHAT: Readonly<Record<ColumnName, string>> = {
  session: 'ids of sessions',
  item: 'ids of items',
  time: 'times',
  user: 'ids of users',
  event: 'kinds of events',
};

/** Other words for the same columns, as shops and data sets use them. */
const SYNONYMS: Readonly<Record<ColumnName, readonly string[]>> = {
  session: ['session', 'sessionid', 'sid', 'visit', 'visitid', 'basket', 'invoice', 'order', 'orderid'],
  item: ['item', 'itemid', 'iid', 'product', 'productid', 'sku', 'article', 'asin'],
  time: ['time', 'timestamp', 'ts', 'date', 'datetime', 'eventtime', 'eventdate', 'createdat', 'when'],
  user: ['user', 'userid', 'uid', 'visitor', 'visitorid', 'customer', 'customerid'],
  event: ['event', 'eventtype', 'eventname', 'action', 'type', 'kind'],
};

/** The export of orders of a Shopify shop: a row for each product of an order. */
const SHOPIFY_ORDERS = { session: 'Name', item: 'Lineitem sku', time: 'Created at' } as const;

/** What the columns of a file may be: those with the usual names, else those that are called by another word for it. */
export function likelyColumns(names: readonly string[]): ColumnNames {
  if (Object.values(SHOPIFY_ORDERS).every((name) => names.includes(name))) return SHOPIFY_ORDERS;
  const left = new Set(names);
  const found: Partial<Record<ColumnName, string>> = {};
  for (const isUsual of [true, false]) {
    for (const column of COLUMN_NAMES) {
      if (found[column] !== undefined) continue;
      const name = isUsual
        ? [...left].find((one) => one.replace(TYPE, '') === COLUMNS[column])
        : [...left].find((one) => SYNONYMS[column].includes(plain(one)));
      if (name === undefined) continue;
      found[column] = name;
      left.delete(name);
    }
  }
  return found;
}

/** A column that holds kinds of events under another name than the one that is read; `type` and `kind` may be anything's. */
export const unreadEvents = (names: readonly string[]): string | undefined =>
  names.find((name) => /^(event(type|name)?|action)$/.test(plain(name)));

const plain = (name: string): string => name.toLowerCase().replace(/[^\p{L}\p{N}]/gu, '');

/** The column of a file that is most likely meant. */
function nearest(column: ColumnName, names: readonly string[]): string | undefined {
  const synonym = names.find((name) => SYNONYMS[column].includes(plain(name)));
  if (synonym !== undefined) return synonym;
  return names
    .map((name) => ({ name, distance: Math.min(...SYNONYMS[column].map((word) => editDistance(word, plain(name)))) }))
    .filter(({ name, distance }) => distance <= Math.max(1, plain(name).length / 3))
    .sort((a, b) => a.distance - b.distance)[0]?.name;
}

/** Quotes a word for the shell if it needs quotes. */
export const quoted = (word: string): string =>
  /^[\w.,:=/@%+…-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`;

const clip = (name: string): string => (name.length > 40 ? `${name.slice(0, 40)}…` : name);
