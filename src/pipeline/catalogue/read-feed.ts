/** Reads a product feed row by row: a table, XML of RSS or Atom, a JSON list, or JSON objects one after the other. */
import { SaxesParser } from 'saxes';
import { isRecord, parseJson } from '../../checkpoint/json';
import { RecommenderError, reasonOf, throwIfAborted } from '../../errors';
import { nearestName } from '../../nearest-name';
import { exact } from '../../session/json-rows';
import { TableReader } from '../../session/read-table';
import { LONGEST_ROW } from '../../session/text-reader';
import { quote, textOf } from '../../session/utf8';
import {
  BadRow,
  columnsOf,
  type Dialect,
  dialectOf,
  type Entry,
  type EntryOptions,
  entryReader,
  type FeedRow,
  ID_NAMES,
  KNOWN_NAMES,
  MERCHANT,
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
const HEAD = 1024;

interface FeedReader {
  push(chunk: Uint8Array): void;
  finish(): void;
}

/**
 * Reads a feed. Its first bytes tell the format, its names the dialect.
 *
 * @param source The bytes, unpacked; a piece may be reused once the next one is requested.
 * @param file Name for messages.
 * @param afterPiece Awaited after each piece.
 * @returns The names that the feed has, as it writes them.
 * @throws RecommenderError `bad-input` as `FILE:LINE: what, expected, got`; what the handlers throw; `aborted`.
 */
export async function readFeed(
  source: AsyncIterable<Uint8Array>,
  file: string,
  options: EntryOptions,
  handlers: FeedHandlers,
  afterPiece: () => Promise<void>,
  signal?: AbortSignal,
): Promise<ReadonlySet<string>> {
  const rows = new Rows(file, options, handlers);
  let head = new Uint8Array(0);
  let reader: FeedReader | undefined;
  for await (const piece of source) {
    throwIfAborted(signal);
    if (reader) reader.push(piece);
    else {
      const longer = new Uint8Array(head.length + piece.length);
      longer.set(head);
      longer.set(piece, head.length);
      head = longer;
      if (head.length >= HEAD) reader = readerOf(head, file, rows);
    }
    await afterPiece();
  }
  reader ??= readerOf(head, file, rows);
  reader.finish();
  await afterPiece();
  return rows.names;
}

const empty = (file: string) =>
  new RecommenderError('bad-input', `${file}: the feed is empty; expected at least one product.`);

/** The reader for a feed with this beginning, which it has read. */
function readerOf(head: Uint8Array, file: string, rows: Rows): FeedReader {
  const text = new TextDecoder().decode(head.subarray(0, HEAD)).trimStart();
  if (text === '') throw empty(file);
  if (text.startsWith('PAR1')) {
    const expected = 'expected a table of text, XML or JSON; export it as CSV, or as JSON with an object a line';
    throw new RecommenderError('bad-input', `${file}: a Parquet file, ${expected}.`);
  }
  const hasMark = head[0] === 0xef && head[1] === 0xbb && head[2] === 0xbf;
  const bytes = hasMark ? head.subarray(3) : head;
  const reader = /^[<[{]/.test(text)
    ? text.startsWith('<')
      ? new XmlReader(file, rows)
      : new JsonReader(file, rows, placeOf(bytes, rows.idColumn))
    : tableReader(file, rows);
  reader.push(bytes);
  return reader;
}

function tableReader(file: string, rows: Rows): FeedReader {
  return new TableReader(file, [rows.idColumn, ...KNOWN_NAMES], {
    header: (names) => rows.begin(names, 'table', true),
    row(line, cell) {
      rows.row(line, (at) => cell(at));
    },
    bad: (...row) => rows.bad(...row),
  });
}

/** Finds the dialect, and reads rows by it. */
class Rows {
  readonly names = new Set<string>();
  private read: ((row: FeedRow) => readonly Entry[]) | undefined;
  private readonly at = new Map<string, number>();
  private ids: ReadonlySet<string> = new Set();

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
      const wanted = [...Object.values(columns), ...(this.options.features ?? [])];
      if (columns.id === undefined) wanted.push(dialect.columns.id!.find((name) => this.at.has(name)) ?? 'id');
      const isAttribute = (name: string) => dialect.featureOf !== undefined && !Object.values(columns).includes(name);
      const missing = wanted.find((name) => !this.at.has(name) && !isAttribute(name));
      if (missing !== undefined) throw this.noColumn(missing, names);
    }
    const { id = [], group = [] } = columnsOf(dialect, columns);
    this.ids = new Set([...id, ...dialect.columns.id!, ...group]);
    this.handlers.dialect(dialect, format);
    // Numbers of JSON have a decimal point, whatever the language.
    this.read = entryReader(dialect, format === 'JSON' ? { ...this.options, decimalComma: false } : this.options);
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
    return at;
  }

  /** @param cell Text of a name by its number. */
  row(line: number, cell: (at: number) => string): void {
    const { at } = this;
    const get = (name: string): string => {
      const found = at.get(name);
      return found === undefined ? '' : cell(found).trim();
    };
    try {
      this.handlers.entries(this.read!({ line, get }), line);
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
    const { columns: { id, ...others } = {}, features = [] } = this.options;
    const isId = ![...Object.values(others), ...features].includes(name);
    const hint = near !== undefined ? ` Is it "${near}"?` : isId ? ' Name the ids: `columns` id=…' : '';
    return new RecommenderError(
      'bad-input',
      `${this.file}:1: no column "${name}", expected it in the header; got ${found.join(', ')}` +
        `${names.length > 20 ? ', …' : ''}.${hint}`,
    );
  }
}

/** Namespace of Google's elements. */
const GOOGLE = 'http://base.google.com/ns/1.0';

/** RSS 2.0 and Atom: https://support.google.com/merchants/answer/160589 */
class XmlReader implements FeedReader {
  private readonly decoder = new TextDecoder('utf-8', { fatal: true });
  private readonly parser = new SaxesParser<{ xmlns: false; position: true }>({ xmlns: false, position: true });
  private prefix = 'g';
  private depth = 0;
  /** Depth of the element of the product in work; 0 outside. */
  private product = 0;
  private line = 1;
  private cells: (string | undefined)[] = [];
  /** Of a direct child of the product. */
  private name = '';
  private text = '';
  private rank = 0;
  /** Of each cell: 2 of an element of Google's, 0 of a link to something else than the product's page, 1 of any other. */
  private ranks: number[] = [];
  /** Characters of the product so far. */
  private length = 0;

  constructor(
    private readonly file: string,
    private readonly rows: Rows,
  ) {
    const { parser } = this;
    parser.on('error', (error) => {
      throw this.fault(error.message.replace(/^\d+:\d+: |\.$/g, ''));
    });
    parser.on('opentag', ({ name, attributes }) => this.open(name, attributes));
    parser.on('closetag', () => this.close());
    const text = (piece: string) => {
      this.length += piece.length;
      if (this.product > 0 && this.length > LONGEST_ROW) throw this.fault('a product is longer than 1 MB');
      if (this.product > 0 && this.depth === this.product + 1) this.text += piece;
    };
    parser.on('text', text);
    parser.on('cdata', text);
  }

  push(chunk: Uint8Array): void {
    this.parser.write(this.decode(chunk));
  }

  finish(): void {
    this.parser.write(this.decode());
    this.parser.close();
    if (!this.rows.isOpen) {
      const expected = 'expected <item> of RSS 2.0 or <entry> of Atom';
      throw new RecommenderError('bad-input', `${this.file}: no products, ${expected}, got none.`);
    }
  }

  private decode(chunk?: Uint8Array): string {
    try {
      return chunk ? this.decoder.decode(chunk, { stream: true }) : this.decoder.decode();
    } catch {
      throw this.fault('the text is not UTF-8; save the feed as UTF-8');
    }
  }

  private open(name: string, attributes: Readonly<Record<string, string>>): void {
    this.depth++;
    if (this.depth === 1) this.root(name, attributes);
    if (this.product === 0) {
      if (name !== 'item' && name !== 'entry') return;
      this.product = this.depth;
      this.line = this.parser.line;
      this.cells = [];
      this.ranks = [];
      this.length = 0;
    } else if (this.depth === this.product + 1) {
      const isGoogle = name.startsWith(`${this.prefix}:`);
      this.name = isGoogle ? name.slice(this.prefix.length + 1) : name;
      const isOther = name === 'link' && (attributes['rel'] ?? 'alternate') !== 'alternate';
      this.rank = isGoogle ? 2 : isOther ? 0 : 1;
      this.text = name === 'link' ? (attributes['href'] ?? '') : '';
    }
  }

  private root(name: string, attributes: Readonly<Record<string, string>>): void {
    const got = name === 'html' ? 'a web page' : `<${name}>`;
    if (!['rss', 'feed', 'channel', 'rdf:RDF'].includes(name)) {
      throw this.fault(`this is no feed, expected RSS 2.0 or Atom, got ${got}`);
    }
    const found = Object.entries(attributes).find(([key, value]) => key.startsWith('xmlns:') && value === GOOGLE);
    if (found) this.prefix = found[0].slice('xmlns:'.length);
  }

  private close(): void {
    if (this.depth === this.product) {
      if (!this.rows.isOpen) this.rows.begin([], 'XML', false);
      const { cells } = this;
      this.product = 0;
      this.rows.row(this.line, (at) => cells[at] ?? '');
    } else if (this.product > 0 && this.depth === this.product + 1) {
      const at = this.rows.name(this.name);
      if (this.cells[at] === undefined || this.rank > this.ranks[at]!) {
        this.cells[at] = this.text; // of several of one rank, the first
        this.ranks[at] = this.rank;
      }
    }
    this.depth--;
  }

  private fault(what: string): RecommenderError {
    return new RecommenderError('bad-input', `${this.file}:${this.parser.line}: ${what}.`);
  }
}

const [QUOTE, BACKSLASH, NEWLINE, COMMA] = [0x22, 0x5c, 0x0a, 0x2c];
const [OPEN, CLOSE, OPEN_LIST, CLOSE_LIST] = [0x7b, 0x7d, 0x5b, 0x5d];

/** A list `[{…}, …]`, one inside an object (`{ "products": [{…}, …] }`), or objects one a line. */
class JsonReader implements FeedReader {
  private buffer = new Uint8Array(1 << 17);
  private used = 0;
  /** What is scanned already. */
  private at = 0;
  private line = 1;
  private depth = 0;
  private isInText = false;
  private isEscaped = false;
  /** Where the product in work starts, and its line; −1 outside. */
  private start = -1;
  private startLine = 1;
  /** Depth of the braces of a product; infinite outside their list. */
  private level: number;
  /** Where their list begins inside an object; −1 where that is behind. */
  private list: number;

  constructor(
    private readonly file: string,
    private readonly rows: Rows,
    { level, list = -1 }: Place,
  ) {
    this.level = level;
    this.list = list;
  }

  push(chunk: Uint8Array): void {
    if (this.used + chunk.length > this.buffer.length) {
      const larger = new Uint8Array(Math.max(this.buffer.length * 2, this.used + chunk.length));
      larger.set(this.buffer.subarray(0, this.used));
      this.buffer = larger;
    }
    this.buffer.set(chunk, this.used);
    this.used += chunk.length;
    this.scan();
    const from = this.start < 0 ? this.used : this.start;
    if (this.used - from > LONGEST_ROW) {
      throw this.fault(this.startLine, 'a product is longer than 1 MB (is a brace left open?)');
    }
    this.buffer.copyWithin(0, from, this.used);
    this.used -= from;
    this.at = this.used;
    if (this.start > 0) this.start = 0;
  }

  finish(): void {
    if (this.start >= 0 || this.depth > 0) throw this.fault(this.line, 'the JSON ends early; copy the feed again');
    if (!this.rows.isOpen) throw empty(this.file);
  }

  private scan(): void {
    const { buffer, used } = this;
    for (let at = this.at; at < used; at++) {
      const byte = buffer[at]!;
      if (byte === NEWLINE) this.line++;
      if (this.isEscaped) this.isEscaped = false;
      else if (this.isInText) {
        if (byte === BACKSLASH) this.isEscaped = true;
        else if (byte === QUOTE) this.isInText = false;
      } else if (this.start < 0 && this.depth === this.level && !this.isExpected(byte)) {
        throw this.fault(this.line, `expected a product as a JSON object, got ${quote(buffer, at, used)}`);
      } else if (byte === QUOTE) this.isInText = true;
      else if (byte === OPEN || byte === OPEN_LIST) {
        if (byte === OPEN && this.start < 0 && this.depth === this.level) {
          this.start = at;
          this.startLine = this.line;
        } else if (at === this.list) {
          this.level = 2;
          this.list = -1;
        }
        this.depth++;
      } else if (byte === CLOSE || byte === CLOSE_LIST) {
        this.depth--;
        if (this.start >= 0 && this.depth === this.level) {
          this.product(buffer.slice(this.start, at + 1));
          this.start = -1;
        } else if (this.level === 2 && this.depth === 1) this.level = Number.POSITIVE_INFINITY; // no other list counts
      }
    }
  }

  /** Whether a byte may stand between two products: white space, a comma, or what begins or ends something. */
  private isExpected(byte: number): boolean {
    return byte <= 0x20 || byte === COMMA || byte === OPEN || (byte === CLOSE_LIST && this.depth > 0);
  }

  private product(bytes: Uint8Array): void {
    let value: unknown;
    try {
      value = parseJson(bytes, `${this.file}:${this.startLine}: the product`);
    } catch (error) {
      this.rows.bad(this.startLine, 'no valid JSON', `expected an object, got: ${reasonOf(error)}`);
      return;
    }
    const members = membersOf(value as Record<string, unknown>);
    if (!this.rows.isOpen) this.rows.begin([...members.keys()], 'JSON', false);
    const cells: string[] = [];
    for (const [name, text] of members) cells[this.rows.name(name)] = text;
    // Ids survive byte for byte, as in a log, and whole numbers of any field; other numbers are those that JavaScript reads.
    const source = textOf(bytes, 0, bytes.length);
    const written = exact(source);
    if (written !== source) {
      for (const [name, text] of membersOf(JSON.parse(written))) {
        if (this.rows.isId(name) || /^-?\d+$/.test(text)) cells[this.rows.name(name)] = text;
      }
    }
    this.rows.row(this.startLine, (at) => cells[at] ?? '');
  }

  private fault(line: number, what: string): RecommenderError {
    return new RecommenderError('bad-input', `${this.file}:${line}: ${what}.`);
  }
}

/** How deep the braces of products lie, or the byte at which their list begins inside an object. */
interface Place {
  readonly level: number;
  readonly list?: number;
}

/** Members of an object, each with its comma, that hold no objects deeper than one level. */
const MEMBERS = /(?:"(?:[^"\\]|\\.)*"\s*:\s*(?:"(?:[^"\\]|\\.)*"|[{[][^{}[\]]*[}\]]|[^\s"{}[\],]+)\s*,\s*)*/;
const LIST = new RegExp(`^\\s*\\{\\s*(${MEMBERS.source})"(?:products|items|catalogue|catalog|data)"\\s*:\\s*\\[`);

/** Where the products of a document are, from its beginning. An object with an id is a product, whatever lists it has. */
function placeOf(head: Uint8Array, idColumn: string): Place {
  const text = new TextDecoder('latin1').decode(head); // a character a byte
  if (text.trimStart().startsWith('[')) return { level: 1 };
  const [all, before = ''] = LIST.exec(text.slice(0, HEAD)) ?? [];
  const names = [...before.matchAll(/"([^"]*)"\s*:/g)].map(([, name]) => name!);
  const isId = (name: string) => name === idColumn || ID_NAMES.includes(nameKey(name));
  if (all === undefined || names.some(isId) || namesOfLine(text).some(isId)) return { level: 0 };
  return { level: Number.POSITIVE_INFINITY, list: all.length - 1 };
}

/** Of an object that is a line by itself, which may have its id behind a list. */
function namesOfLine(text: string): string[] {
  try {
    return Object.keys(JSON.parse(text.trimStart().split('\n', 1)[0]!));
  } catch {
    return []; // an object over several lines, or longer than what has been read
  }
}

/** Members as texts: of a list the first one, of categories the path; members of an object as `features.colour`. */
function membersOf(object: Record<string, unknown>): Map<string, string> {
  const members = new Map<string, string>();
  const add = (name: string, value: unknown): void => {
    if (typeof value === 'string') members.set(name, value);
    else if (typeof value === 'number' || typeof value === 'boolean') members.set(name, String(value));
    else if (Array.isArray(value)) {
      const texts = value.filter((one) => typeof one === 'string');
      members.set(name, /^categor/i.test(name) ? texts.join(' > ') : (texts[0] ?? ''));
    } else if (isRecord(value)) {
      for (const [key, one] of Object.entries(value)) {
        if (!isRecord(one)) add(name === 'sale' ? (SALE[key] ?? `sale.${key}`) : `${name}.${key}`, one);
      }
    }
  };
  for (const [name, value] of Object.entries(object)) add(name, value);
  return members;
}

/** What `catalogue.json` calls a sale, by the names of a table. */
const SALE: Readonly<Record<string, string>> = { price: 'sale_price', from: 'sale_from', until: 'sale_until' };
