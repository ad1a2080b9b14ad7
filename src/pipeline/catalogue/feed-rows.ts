/** The rows of a feed of any format: finds the dialect by their names, and reads them by it. */
import { RecommenderError } from '../../errors';
import { nearestName } from '../../nearest-name';
import {
  BadRow,
  columnsOf,
  type Dialect,
  dialectOf,
  type Entry,
  type EntryOptions,
  entryReader,
  type FeedRow,
  MERCHANT,
  memberNames,
  namedFeatures,
  nameKey,
} from './dialects';

export interface FeedHandlers {
  /** Once, before the first row. */
  dialect(dialect: Dialect, format: FeedFormat): void;
  entries(entries: readonly Entry[], line: number): void;
  /** A row that cannot be read, which is passed over if this returns. */
  bad(line: number, what: string, rest: string): void;
}

export type FeedFormat = 'table' | 'XML' | 'JSON';

/** Bytes that tell the format. */
export const HEAD = 1024;

export interface FeedReader {
  push(chunk: Uint8Array): void;
  finish(): void;
}

export const empty = (file: string) =>
  new RecommenderError('bad-input', `${file}: the feed is empty; expected at least one product.`);

/** Finds the dialect, and reads rows by it. */
export class Rows {
  readonly names = new Set<string>();
  private read: ((row: FeedRow) => readonly Entry[]) | undefined;
  private readonly at = new Map<string, number>();
  private ids: ReadonlySet<string> = new Set();
  private members: ReadonlySet<string> | undefined;
  /** Of all names, those that are no members of a product. */
  private readonly further: string[] = [];

  constructor(
    private readonly file: string,
    private readonly options: EntryOptions,
    private readonly handlers: FeedHandlers,
  ) {}

  get idColumn(): string {
    return this.options.columns?.id ?? 'id';
  }

  /** @param isComplete Whether no row has other names. */
  begin(names: readonly string[], format: FeedFormat, isComplete: boolean): void {
    for (const name of names) this.name(name);
    const dialect = format === 'XML' ? MERCHANT : dialectOf(names);
    const { columns = {} } = this.options;
    if (dialect.joinsById && columns.id !== undefined && !dialect.columns.id!.includes(columns.id)) {
      throw new RecommenderError(
        'bad-input',
        `${this.file}: ${dialect.name} joins the rows of a product by ${dialect.columns.id![0]}, so \`columns\` cannot ` +
          `take its ids from "${columns.id}". SKUs of variants are aliases; with \`artifact\` the model's ids are written.`,
      );
    }
    if (isComplete) {
      const wanted = [...Object.values(columns), ...namedFeatures(this.options)];
      if (columns.id === undefined) wanted.push(dialect.columns.id!.find((name) => this.at.has(name)) ?? 'id');
      const isAttribute = (name: string) => dialect.featureOf !== undefined && !Object.values(columns).includes(name);
      const missing = wanted.find((name) => !this.at.has(name) && !isAttribute(name));
      if (missing !== undefined) throw this.noColumn(missing, names);
    }
    const { id = [], group = [] } = columnsOf(dialect, columns);
    this.ids = new Set([...id, ...dialect.columns.id!, ...group]);
    this.handlers.dialect(dialect, format);
    this.read = entryReader(dialect, this.options, this.further);
    this.members = new Set(memberNames(dialect, columns));
    for (const name of this.names) this.addFurther(name);
  }

  get isOpen(): boolean {
    return this.read !== undefined;
  }

  /** Whether a name is that of ids or groups. */
  isId(name: string): boolean {
    return this.ids.has(name) || this.ids.has(nameKey(name));
  }

  /** Adds a name, also in its plain spelling. */
  name(name: string): number {
    const known = this.at.get(name);
    if (known !== undefined && this.names.has(name)) return known;
    const at = this.names.size;
    this.names.add(name);
    this.at.set(name, at);
    const key = nameKey(name);
    if (!this.at.has(key)) this.at.set(key, at);
    this.addFurther(name);
    return at;
  }

  private addFurther(name: string): void {
    if (this.members && !this.members.has(name) && !this.members.has(nameKey(name))) {
      this.further.push(name.replace(/^features\./, ''));
    }
  }

  /** @param cell Text, or number of JSON, of a name by its number. */
  row(line: number, cell: (at: number) => string | number): void {
    const { at } = this;
    const cellOf = (name: string): string | number => {
      const found = at.get(name);
      return found === undefined ? '' : cell(found);
    };
    const get = (name: string): string => String(cellOf(name)).trim();
    const isNumber = (name: string): boolean => typeof cellOf(name) === 'number';
    try {
      this.handlers.entries(this.read!({ line, get, isNumber }), line);
    } catch (error) {
      if (!(error instanceof BadRow)) throw error;
      this.bad(line, error.what, error.rest);
    }
  }

  bad(line: number, what: string, rest: string): void {
    this.handlers.bad(line, what, rest);
  }

  private noColumn(name: string, names: readonly string[]): RecommenderError {
    const near = nearestName(name, names);
    const found = names.slice(0, 20).map((one) => JSON.stringify(one));
    const { columns: { id, ...others } = {} } = this.options;
    const isId = ![...Object.values(others), ...namedFeatures(this.options)].includes(name);
    const hint = near !== undefined ? ` Is it "${near}"?` : isId ? ' Name the ids: `columns` id=…' : '';
    return new RecommenderError(
      'bad-input',
      `${this.file}:1: no column "${name}", expected it in the header; got ${found.join(', ')}` +
        `${names.length > 20 ? ', …' : ''}.${hint}`,
    );
  }
}
