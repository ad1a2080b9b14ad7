import { isRecord, parseJson } from '../../checkpoint/json';
import { RecommenderError, reasonOf } from '../../errors';
import { exact } from '../../session/json-rows';
import { LONGEST_ROW } from '../../session/text-reader';
import { quote, textOf } from '../../session/utf8';
import { ID_NAMES, nameKey } from './dialects';
import { empty, type FeedReader, HEAD, type Rows } from './feed-rows';

const [QUOTE, BACKSLASH, NEWLINE, COMMA] = [0x22, 0x5c, 0x0a, 0x2c];
const [OPEN, CLOSE, OPEN_LIST, CLOSE_LIST] = [0x7b, 0x7d, 0x5b, 0x5d];

/** A list `[{…}, …]`, one inside an object (`{ "products": [{…}, …] }`), or objects one a line. */
export class JsonReader implements FeedReader {
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
    /** The beginning of the document. */
    head: Uint8Array,
  ) {
    const { level, list = -1 } = placeOf(head, rows.idColumn);
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
    const cells: (string | number)[] = [];
    for (const [name, value] of members) cells[this.rows.name(name)] = value;
    // Ids survive byte for byte, as in a log, and whole numbers of any field; other numbers are those that JavaScript reads.
    const source = textOf(bytes, 0, bytes.length);
    const written = exact(source);
    if (written !== source) {
      for (const [name, value] of membersOf(JSON.parse(written))) {
        if (this.rows.isId(name) || /^-?\d+$/.test(String(value))) cells[this.rows.name(name)] = value;
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

const TEXT = '"(?:[^"\\\\]|\\\\.)*"';
const within = (inner: string): string => `[{[](?:${TEXT}|[^"{}[\\]]${inner})*[}\\]]`;
/** An object or a list with three levels in it at most: regular expressions do not count. */
const NESTED = within(`|${within(`|${within('')}`)}`);
/** A member of an object with its comma. */
const MEMBER = `(?:${TEXT}\\s*:\\s*(?:${TEXT}|${NESTED}|[^\\s"{}[\\],]+)\\s*,\\s*)`;
const LIST = new RegExp(`^\\s*\\{\\s*(${MEMBER}*)"(?:products|items|catalogue|catalog|data)"\\s*:\\s*\\[`);

/** Where the products of a document are, from its beginning. An object with an id is a product, whatever lists it has. */
function placeOf(head: Uint8Array, idColumn: string): Place {
  const text = new TextDecoder('latin1').decode(head); // a character a byte
  if (text.trimStart().startsWith('[')) return { level: 1 };
  const [all, before = ''] = LIST.exec(text.slice(0, HEAD)) ?? [];
  const names = [...before.matchAll(new RegExp(MEMBER, 'gy'))].map(([member]) => /^"([^"]*)"/.exec(member)![1]!);
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

/**
 * Members as texts and numbers: of a list the first one, of categories the path, by their names where they are objects, of tags
 * all, with commas as rules read them; members of an object as `features.colour`. Of a list with nothing to read there is
 * `images[]`, which no dialect has, so that it is told as not published.
 */
function membersOf(object: Record<string, unknown>): Map<string, string | number> {
  const members = new Map<string, string | number>();
  const add = (name: string, value: unknown): void => {
    if (typeof value === 'string' || typeof value === 'number') members.set(name, value);
    else if (typeof value === 'boolean') members.set(name, String(value));
    else if (Array.isArray(value)) {
      const between = /^categor/i.test(name) ? ' > ' : /^(features\.)?tags?$/i.test(name) ? ',' : undefined;
      // Of other objects the name is not the value: that of a picture is no address.
      const isNamed = between === ' > ' && value.every((one) => !isRecord(one) || typeof one['name'] === 'string');
      const texts = value
        .map((one) => (isNamed && isRecord(one) ? one['name'] : one))
        .filter((one) => typeof one === 'string' || typeof one === 'number');
      if (texts.length === 0 && value.length > 0) members.set(`${name}[]`, '');
      else members.set(name, between === undefined ? (texts[0] ?? '') : texts.join(between));
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
