/** What all readers of text files share: how the first line decides about the rest, and how a table is cut into cells. */
import { RecommenderError } from '../errors';
import { type Dialect, NEWLINE, type Row, type RowFault, RowSplitter } from './rows';
import { isText, quote, textFault } from './utf8';

/** Longest row of a table. A longer one is a damaged file, and would be held in memory whole. */
export const LONGEST_ROW = 1 << 20;

/** Holds back the first line until its end is known; what it says decides how the rest is read. */
export abstract class TextReader {
  private head: Uint8Array | undefined = new Uint8Array(0);
  protected splitter: RowSplitter | undefined;

  constructor(
    protected readonly file: string,
    private readonly limit: number,
  ) {}

  push(chunk: Uint8Array): void {
    if (this.splitter) {
      this.splitter.push(chunk);
      return;
    }
    const head = new Uint8Array(this.head!.length + chunk.length);
    head.set(this.head!);
    head.set(chunk, this.head!.length);
    this.head = head;
    const text = head.findIndex((byte) => byte !== NEWLINE && byte !== 0x0d);
    const end = text < 0 ? -1 : head.indexOf(NEWLINE, text);
    if (end >= 0) this.start(text, end);
    else if (head.length > this.limit) this.fault('too long', 1);
  }

  /** The end of the file. @throws RecommenderError `bad-input` if it is empty. */
  finish(): void {
    if (!this.splitter) {
      const head = this.head!;
      const text = head.findIndex((byte) => byte !== NEWLINE && byte !== 0x0d);
      if (text < 0) throw new RecommenderError('bad-input', `${this.file}: the file is empty; expected ${this.wants}.`);
      this.start(text, head.length);
    }
    this.splitter!.finish();
  }

  protected abstract readonly wants: string;
  protected abstract dialectOf(first: Uint8Array): Dialect;
  protected abstract row(row: Row): void;
  protected abstract fault(fault: RowFault, line: number): void;

  private start(text: number, end: number): void {
    const head = this.head!;
    this.head = undefined;
    if ((head[0] === 0xff && head[1] === 0xfe) || (head[0] === 0xfe && head[1] === 0xff))
      throw new RecommenderError('bad-input', `${this.file}: UTF-16 text, expected UTF-8; save the file as UTF-8.`);
    const mark = head[0] === 0xef && head[1] === 0xbb && head[2] === 0xbf ? 3 : 0; // a byte order mark
    const dialect = this.dialectOf(head.subarray(Math.max(mark, text), end));
    this.splitter = new RowSplitter(
      dialect,
      this.limit,
      (row) => this.row(row),
      (fault, line) => this.fault(fault, line),
    );
    this.splitter.push(head.subarray(mark));
  }
}

/**
 * How a table with this first line is written.
 *
 * @param wanted Names of columns that are looked for; they identify the delimiter.
 * @throws RecommenderError `bad-input` if the line is no text.
 */
export function tableDialect(first: Uint8Array, file: string, wanted: ReadonlySet<string>): Dialect {
  if (first[0] === 0x50 && first[1] === 0x41 && first[2] === 0x52 && first[3] === 0x31)
    throw new RecommenderError(
      'bad-input',
      `${file}: a Parquet file, expected text; ${/\.parquet$/i.test(file) ? 'export it as CSV' : 'name it *.parquet'}.`,
    );
  if (!isText(first, 0, first.length)) {
    throw new RecommenderError(
      'bad-input',
      `${file}:1: the header holds ${textFault(first, 0, first.length)}, expected names of columns in UTF-8, ` +
        `got ${quote(first)}.`,
    );
  }
  const header = new TextDecoder().decode(first.at(-1) === 0x0d ? first.subarray(0, -1) : first);
  const delimiter = delimiterOf(header, wanted);
  const tabs = delimiter === '\t' && !header.startsWith('"');
  return { delimiter: delimiter.charCodeAt(0), quotes: tabs ? 'needed' : 'rfc4180' };
}

/** The delimiter that brings out most of the names looked for; of equals, the one that makes most columns. */
function delimiterOf(header: string, wanted: ReadonlySet<string>): string {
  let best = { delimiter: '\t', found: -1, columns: 0 };
  for (const delimiter of ['\t', ',', ';', '|']) {
    const names = header.split(delimiter).map((name) => name.replace(/^"(.*)"$/s, '$1'));
    const found = names.filter((name) => wanted.has(name)).length;
    if (found > best.found || (found === best.found && names.length > best.columns))
      best = { delimiter, found, columns: names.length };
  }
  return best.delimiter;
}

/** What is wrong with a row of a table that could not be split, and what was expected. */
export function faultOf(fault: RowFault): [what: string, rest: string] {
  switch (fault) {
    case 'too long': {
      const limit = `expected at most ${LONGEST_ROW.toLocaleString('en')} bytes, got more (is a quote left open?)`;
      return ['the row is too long', limit];
    }
    case 'unclosed quote':
      return ['a quote is not closed', 'expected a second one before the end of the file, got none'];
    default:
      return [
        'text follows a closing quote',
        'expected a delimiter or the end of the line (a quote inside quotes is written twice), got other text',
      ];
  }
}
