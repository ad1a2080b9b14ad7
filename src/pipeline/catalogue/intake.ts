/** Takes the rows of product feeds, and reports what they are. */
import { MAX_ALIAS } from '../../checkpoint/aliases';
import { RecommenderError } from '../../errors';
import { defined } from '../defined';
import { badConfig } from '../errors';
import { whole } from '../format';
import { inform, type Observer, startTask, warn } from '../observer';
import {
  columnsOf,
  type Dialect,
  type Entry,
  type EntryOptions,
  hasGroupIds,
  namedFeatures,
  nameKey,
  shown,
} from './dialects';
import type { FeedFormat } from './feed-rows';
import { type Counts, MATCH_KINDS, type MatchKind, type ProductIndex, type ResolvedIndex } from './product-index';
import { readFeed } from './read-feed';

/** Ids and messages of a report, of each kind. */
export const EXAMPLES = 5;

export interface IntakeOptions extends Observer, Omit<EntryOptions, 'now' | 'decimalComma'> {
  /** Language of the feeds (BCP 47): how numbers are written. */
  readonly lang?: string;
  /** Bad rows that are counted before the next one is refused. Default 0. */
  readonly skipBadRows?: number;
}

/** Content of a feed, unpacked. */
export interface FeedSource {
  /** Bytes, as `pieces` counts them. */
  readonly size: number;
  readonly pieces: (onBytes: (bytes: number) => void) => AsyncIterable<Uint8Array>;
}

/** Takes the records, in the order in which the index numbers them. */
export interface Records {
  add(item: Entry['item']): void;
  /** Awaited after each piece of a feed. */
  drain(): Promise<void>;
}

export interface FeedReport {
  readonly file: string;
  readonly dialect: string;
  readonly format: FeedFormat;
  readonly rows: number;
  /** Names that the feed has and the catalogue does not: nothing of them is published. */
  readonly leftOut: readonly string[];
}

/** Takes the rows of all feeds. */
export class Intake {
  rows = 0;
  records = 0;
  badRows = 0;
  readonly badRowExamples: string[] = [];
  private readonly badSales = new Sample();
  private readonly badStocks = new Sample();
  private readonly commaPrices = new Sample();
  private readonly pointPrices = new Sample();
  private readonly entryOptions: EntryOptions;
  /** Of each feed: the columns that could be its ids. */
  private readonly idColumns: ReadonlyMap<MatchKind, string>[] = [];

  constructor(
    private readonly options: IntakeOptions,
    private readonly index: ProductIndex,
    private readonly into: Records,
    now: number,
  ) {
    const { columns, features, currency, lang } = options;
    this.entryOptions = { ...defined({ columns, features, currency }), decimalComma: hasDecimalComma(lang), now };
  }

  async read(file: string, feed: FeedSource): Promise<FeedReport> {
    const { options, entryOptions } = this;
    const [before, badBefore] = [this.rows, this.badRows];
    let found: { readonly dialect: Dialect; readonly format: FeedFormat } | undefined;
    let counts: Counts = 'last';
    this.index.beginFeed();
    const task = startTask(options, { label: `Reading ${file}`, total: feed.size });
    try {
      const names = await readFeed(
        feed.pieces(task.update),
        file,
        entryOptions,
        {
          dialect: (dialect, format) => {
            found = { dialect, format };
            const { columns } = entryOptions;
            if (dialect.joinsById) counts = 'first';
            else if (hasGroupIds(columnsOf(dialect, columns), columns?.id)) counts = 'first available';
            inform(options, `${file}: ${dialect.name}, ${format}`);
          },
          entries: (entries, line) => {
            this.rows++;
            for (const entry of entries) this.add(entry, counts, file, line);
          },
          bad: (line, what, rest) => this.bad(`${file}:${line}: ${what}, ${rest}`),
        },
        () => this.into.drain(),
        options.signal,
      );
      if (this.rows === before && this.badRows === badBefore) {
        throw new RecommenderError('bad-input', `${file}: no products; expected at least one below the header.`);
      }
      const { dialect, format } = found!;
      const rows = this.rows - before;
      this.warnOfUnseen(file, names, dialect);
      this.nameColumns(names, dialect);
      return { file, dialect: dialect.name, format, rows, leftOut: this.leftOut(names, dialect) };
    } finally {
      task.finish();
    }
  }

  private add(entry: Entry, counts: Counts, file: string, line: number): void {
    if (entry.badSale !== undefined) this.badSales.add(`${file}:${line}: ${shown(entry.badSale)}`);
    if (entry.badStock !== undefined) this.badStocks.add(`${file}:${line}: ${shown(entry.badStock)}`);
    if (entry.commaPrice !== undefined) this.commaPrices.add(`${file}:${line}: ${shown(entry.commaPrice)}`);
    if (entry.pointPrice !== undefined) this.pointPrices.add(`${file}:${line}: ${shown(entry.pointPrice)}`);
    if (!this.index.add(entry, counts)) return;
    this.into.add(entry.item);
    this.records++;
  }

  private bad(message: string): void {
    const { skipBadRows = 0 } = this.options;
    if (this.badRows++ < skipBadRows) {
      if (this.badRowExamples.length < EXAMPLES) this.badRowExamples.push(message);
      return;
    }
    const more =
      skipBadRows > 0 ? ` This is bad row number ${this.badRows}; \`skipBadRows\` allows ${skipBadRows}.` : '';
    throw new RecommenderError('bad-input', `${message}.${more}`);
  }

  /** A table was checked by its header; what XML and JSON have is known at their end. */
  private warnOfUnseen(file: string, names: ReadonlySet<string>, { featureOf }: Dialect): void {
    const { columns = {} } = this.entryOptions;
    const keys = new Set([...names].map(nameKey));
    const isSeen = (name: string): boolean => names.has(name) || keys.has(name) || names.has(`features.${name}`);
    const wanted = [...Object.values(columns), ...(featureOf ? [] : namedFeatures(this.entryOptions))];
    for (const name of wanted) if (!isSeen(name)) warn(this.options, `${file}: no product has "${name}".`);
  }

  private nameColumns(names: ReadonlySet<string>, dialect: Dialect): void {
    const columns = dialect.joinsById ? {} : columnsOf(dialect, this.entryOptions.columns);
    const found = MATCH_KINDS.flatMap((kind): [MatchKind, string][] => {
      const column = [...names].find((name) => columns[kind]?.includes(name) || columns[kind]?.includes(nameKey(name)));
      return column === undefined ? [] : [[kind, column]];
    });
    this.idColumns.push(new Map(found));
  }

  /** The column with names of a kind, if all feeds have the same, and could take their ids from it. */
  columnOf(kind: MatchKind): string | undefined {
    const [column, ...others] = this.idColumns.map((columns) => columns.get(kind));
    return others.every((other) => other === column) ? column : undefined;
  }

  private leftOut(names: Iterable<string>, dialect: Dialect): string[] {
    const { columns } = this.entryOptions;
    const read = new Set([
      ...Object.values(columnsOf(dialect, columns)).flat(),
      ...(dialect.columns.id ?? []),
      ...(dialect.reads ?? []),
      ...namedFeatures(this.entryOptions).flatMap((name) => [name, `features.${name}`]),
    ]);
    return [...names].filter((name) => !read.has(name) && !read.has(nameKey(name)));
  }

  /** Warns of what a shop should know of its feeds. */
  remark(): void {
    const { index, options } = this;
    const say = (count: number, text: string): void => {
      if (count > 0) warn(options, `${whole(count)} ${text}`);
    };
    const { replaced, replacedExample, tooLong, tooLongExample } = index;
    say(replaced, `rows have the id of an earlier one, such as ${shown(replacedExample ?? '')}: the last one counts.`);
    say(this.badRows, `bad rows were passed over, such as ${this.badRowExamples[0]}.`);
    say(
      this.badSales.count,
      `sale prices have dates that cannot be read and were left out, such as ${this.badSales.first}; ` +
        'expected ISO 8601, such as 2024-09-01 or 2024-09-01T10:00+0200.',
    );
    say(
      this.badStocks.count,
      `products have an availability that is not known and are not shown, such as ${this.badStocks.first}; ` +
        'expected in_stock, out_of_stock, preorder or backorder.',
    );
    say(
      this.commaPrices.count && this.pointPrices.count,
      `prices have one point, before three digits, such as ${this.pointPrices.first}. It was read as a decimal point, but other ` +
        `prices have a decimal comma, such as ${this.commaPrices.first}. Where the point separates thousands, write the catalogue ` +
        'by  aisle catalogue FEED --lang de --out FOLDER  and pass the folder.',
    );
    say(
      tooLong,
      `aliases are longer than ${whole(MAX_ALIAS)} characters and were left out, such as ${shown(tooLongExample ?? '')}.`,
    );
  }
}

/** How often something was seen, and where first. */
class Sample {
  count = 0;
  first = '';

  add(text: string): void {
    if (this.count++ === 0) this.first = text;
  }
}

function isKnownLanguage(lang: string): boolean {
  try {
    return Intl.NumberFormat.supportedLocalesOf(lang).length > 0;
  } catch {
    return false; // no code at all: `de_AT`
  }
}

/** Whether the language writes `1.299,00`. */
function hasDecimalComma(lang: string | undefined): boolean {
  if (lang === undefined) return false;
  if (!isKnownLanguage(lang)) {
    // `Intl` takes any well-formed code, and writes numbers as the system's language does where it does not know it.
    badConfig(
      `${shown(lang)} is no language whose numbers are known; expected a code such as de or en-GB. Without one, points are decimal.`,
    );
  }
  return new Intl.NumberFormat(lang).formatToParts(1.5).some(({ type, value }) => type === 'decimal' && value === ',');
}

export function nothingToShow(feeds: readonly string[], rows: number, { hidden }: ResolvedIndex): RecommenderError {
  const got = hidden > 0 ? `all ${whole(hidden)} are drafts, disabled or hidden` : `none in ${whole(rows)} rows`;
  return new RecommenderError(
    'bad-input',
    `${feeds.join(', ')}: expected at least one product to show, got ${got}. Nothing was written.`,
  );
}
