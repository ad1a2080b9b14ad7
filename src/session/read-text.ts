import { RecommenderError, throwIfAborted } from '../errors';
import { buildLog } from './build';
import { Collector } from './collector';
import { layoutOf } from './columns';
import type { EventLog } from './event-log';
import { COLUMNS, type ReadOptions } from './options';
import { type Dialect, NEWLINE, type Row, type RowFault, RowSplitter } from './rows';
import { isText, quote, textFault } from './utf8';

/** Longest row of a table. A longer one is a damaged file, and would be held in memory whole. */
const LONGEST_ROW = 1 << 20;
/** Longest line of `sequences`, which holds all items of a user. */
const LONGEST_SEQUENCE = 1 << 26;

/**
 * Reads a TSV or CSV of events, or lines of item sequences, into a log.
 *
 * @param source The file's bytes, unpacked; a piece may be reused once the next one is asked for.
 * @param file Name for messages.
 * @param signal Stops between two pieces.
 * @throws RecommenderError `bad-input` as `FILE:LINE: what, expected, got`.
 */
export async function readText(
  source: AsyncIterable<Uint8Array>,
  file: string,
  options: ReadOptions = {},
  signal?: AbortSignal,
): Promise<EventLog> {
  const reader = options.format === 'sequences' ? new SequenceReader(file, options) : new TableReader(file, options);
  for await (const chunk of source) {
    throwIfAborted(signal);
    reader.push(chunk);
  }
  return buildLog(reader.finish(), options, file);
}

/** Holds back the first line until its end is known; what it says decides how the rest is read. */
abstract class TextReader {
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

  finish(): Collector {
    if (!this.splitter) {
      const head = this.head!;
      const text = head.findIndex((byte) => byte !== NEWLINE && byte !== 0x0d);
      if (text < 0) throw new RecommenderError('bad-input', `${this.file}: the file is empty; expected ${this.wants}.`);
      this.start(text, head.length);
    }
    this.splitter!.finish();
    return this.collector;
  }

  protected abstract readonly wants: string;
  protected abstract readonly collector: Collector;
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

class TableReader extends TextReader {
  protected readonly wants = `a header with ${COLUMNS.session}, ${COLUMNS.item}, ${COLUMNS.time}`;
  private columns: Collector | undefined;

  constructor(
    file: string,
    private readonly options: ReadOptions,
  ) {
    super(file, LONGEST_ROW);
  }

  protected get collector(): Collector {
    return this.columns!;
  }

  protected dialectOf(first: Uint8Array): Dialect {
    if (first[0] === 0x50 && first[1] === 0x41 && first[2] === 0x52 && first[3] === 0x31)
      throw new RecommenderError('bad-input', `${this.file}: a Parquet file, expected text; name it *.parquet.`);
    if (!isText(first, 0, first.length)) {
      throw new RecommenderError(
        'bad-input',
        `${this.file}:1: the header holds ${textFault(first, 0, first.length)}, expected names of columns in UTF-8, ` +
          `got ${quote(first)}.`,
      );
    }
    const crlf = first.at(-1) === 0x0d;
    const header = new TextDecoder().decode(crlf ? first.subarray(0, -1) : first);
    const delimiter = delimiterOf(header, this.options);
    const tabs = delimiter === '\t' && !header.startsWith('"');
    return { delimiter: delimiter.charCodeAt(0), quotes: tabs ? 'needed' : 'rfc4180', crlf };
  }

  protected row({ bytes, starts, ends, fields, line }: Row): void {
    if (this.columns) {
      this.columns.addText(bytes, starts, ends, fields, line);
      return;
    }
    const decoder = new TextDecoder('utf-8', { ignoreBOM: true });
    const names = Array.from({ length: fields }, (_, f) => decoder.decode(bytes.subarray(starts[f]!, ends[f]!)));
    this.splitter!.columns = fields;
    this.columns = new Collector(this.file, this.options, layoutOf(names, this.options, `${this.file}:${line}`));
  }

  protected fault(fault: RowFault, line: number): void {
    if (!this.columns) {
      const got = fault === 'too long' ? `more than ${LONGEST_ROW} bytes without an end of line` : fault;
      throw new RecommenderError('bad-input', `${this.file}:${line}: no header, expected ${this.wants}, got ${got}.`);
    }
    this.columns.rows++;
    if (fault === 'too long') {
      const limit = `expected at most ${LONGEST_ROW.toLocaleString('en')} bytes, got more (is a quote left open?)`;
      this.columns.bad(line, 'the row is too long', limit);
    } else if (fault === 'unclosed quote')
      this.columns.bad(line, 'a quote is not closed', 'expected a second one before the end of the file, got none');
    else
      this.columns.bad(
        line,
        'text follows a closing quote',
        'expected a delimiter or the end of the line (a quote inside quotes is written twice), got other text',
      );
  }
}

/** The delimiter that brings out most of the names looked for; of equals, the one that makes most columns. */
function delimiterOf(header: string, options: ReadOptions): string {
  const wanted = new Set<string>([...Object.values(COLUMNS), ...Object.values(options.columns ?? {})]);
  let best = { delimiter: '\t', found: -1, columns: 0 };
  for (const delimiter of ['\t', ',', ';', '|']) {
    const names = header.split(delimiter).map((name) => name.replace(/^"(.*)"$/s, '$1'));
    const found = names.filter((name) => wanted.has(name)).length;
    if (found > best.found || (found === best.found && names.length > best.columns))
      best = { delimiter, found, columns: names.length };
  }
  return best.delimiter;
}

class SequenceReader extends TextReader {
  protected readonly wants = 'lines "user item item …"';
  protected readonly collector: Collector;

  constructor(file: string, options: ReadOptions) {
    super(file, LONGEST_SEQUENCE);
    if (options.sessionsBy?.by === 'gap') {
      throw new RecommenderError(
        'bad-input',
        `${file}: sequences have no times, so sessions cannot be cut at gaps; expected --sessions-by id or user.`,
      );
    }
    if (options.events)
      throw new RecommenderError('bad-input', `${file}: sequences have no kinds of events (--events).`);
    this.collector = new Collector(file, options);
  }

  protected dialectOf(first: Uint8Array): Dialect {
    const delimiter = first.includes(0x20) || !first.includes(0x09) ? 0x20 : 0x09;
    return { delimiter, quotes: 'none', crlf: first.at(-1) === 0x0d, merge: true };
  }

  protected row({ bytes, starts, ends, fields, line }: Row): void {
    const { collector } = this;
    const user = collector.keys.intern(bytes, starts[0]!, ends[0]!);
    if (user < 0 || fields < 2) {
      collector.rows++;
      const got = quote(bytes, starts[0]!, ends[0]!);
      if (user < 0) collector.badText(line, 0, bytes, starts[0]!, ends[0]!);
      else collector.bad(line, 'no items', `expected "user item item …", got ${got}`);
      return;
    }
    for (let f = 1; f < fields; f++) {
      collector.rows++;
      const item = collector.items.intern(bytes, starts[f]!, ends[f]!);
      if (item < 0) collector.badText(line, f, bytes, starts[f]!, ends[f]!);
      else collector.add(user, item, 0, 0, 0, []);
    }
  }

  protected fault(_: RowFault, line: number): void {
    const limit = `expected at most ${LONGEST_SEQUENCE.toLocaleString('en')} bytes, got more`;
    this.collector.rows++;
    this.collector.bad(line, 'the line is too long', limit);
  }
}
