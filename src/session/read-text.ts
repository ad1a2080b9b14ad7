import { RecommenderError, throwIfAborted } from '../errors';
import { type Collector, collectorOf, type LogFile } from './collector';
import { layoutOf } from './columns';
import { JsonRows } from './json-rows';
import { COLUMNS, type ReadOptions } from './options';
import { type Dialect, NEWLINE, type Row, type RowFault } from './rows';
import { faultOf, LONGEST_ROW, TextReader, tableDialect } from './text-reader';
import { quote, textOf } from './utf8';

/** Longest line of `sequences`, which holds all items of a user. */
const LONGEST_SEQUENCE = 1 << 26;

/**
 * Reads events from a TSV, a CSV or JSON objects, one a line; or lines of item sequences.
 *
 * @param source The file's bytes, unpacked; a piece may be reused once the next one is requested.
 * @param signal Stops between two pieces.
 * @returns The rows, for `buildLog`.
 * @throws RecommenderError `bad-input` as `FILE:LINE: what, expected, got`.
 */
export async function readText(
  source: AsyncIterable<Uint8Array>,
  file: LogFile,
  options: ReadOptions = {},
  signal?: AbortSignal,
): Promise<Collector> {
  const reader = options.format === 'sequences' ? new SequenceReader(file, options) : new EventsReader(file, options);
  for await (const chunk of source) {
    throwIfAborted(signal);
    reader.push(chunk);
  }
  reader.finish();
  return reader.collector;
}

const [BRACE, BRACKET, COLON] = [0x7b, 0x5b, 0x3a];

class EventsReader extends TextReader {
  protected readonly wants = `a header with ${COLUMNS.session}, ${COLUMNS.item}, ${COLUMNS.time}`;
  private columns: Collector | undefined;
  private json: JsonRows | undefined;

  constructor(
    private readonly log: LogFile,
    private readonly options: ReadOptions,
  ) {
    super(log.name, LONGEST_ROW);
  }

  get collector(): Collector {
    return this.json?.finish() ?? this.columns!;
  }

  protected dialectOf(first: Uint8Array): Dialect {
    const begin = first.find((byte) => byte > 0x20);
    if (begin === BRACKET) {
      const what = 'a JSON list, expected objects, one a line';
      throw new RecommenderError('bad-input', `${this.file}:1: ${what}. Write it with  jq -c '.[]'`);
    }
    if (begin === BRACE) {
      const start = (names: readonly string[]) => this.begin(names, this.file);
      this.json = new JsonRows(this.file, this.options, start, this.log.before);
      return { delimiter: NEWLINE, quotes: 'none' };
    }
    const { columns, recipe } = this.options;
    // The files of MovieLens have two colons between cells, none of which is empty.
    if (recipe?.header && /^[^:]+::[^:]+::/.test(new TextDecoder().decode(first)))
      return { delimiter: COLON, quotes: 'none', merge: true };
    return tableDialect(first, this.file, new Set([...Object.values(COLUMNS), ...Object.values(columns ?? {})]));
  }

  private begin(names: readonly string[], where: string, event?: string): Collector {
    const constants = { ...this.log.constants, ...(event !== undefined && { event }) };
    return collectorOf(this.log, this.options, layoutOf(names, this.options, where, constants));
  }

  protected row(row: Row): void {
    const { bytes, starts, ends, fields, line } = row;
    if (this.json) this.json.row(row);
    else if (this.columns) this.columns.addText(bytes, starts, ends, fields, line);
    else {
      const first = Array.from({ length: fields }, (_, f) => textOf(bytes, starts[f]!, ends[f]!));
      const given = this.options.recipe?.header?.(first);
      this.splitter!.columns = fields;
      this.columns = this.begin(given?.names ?? first, `${this.file}:${line}`, given?.event);
      if (given) this.columns.addText(bytes, starts, ends, fields, line);
    }
  }

  protected fault(fault: RowFault, line: number): void {
    const columns = this.json?.finish() ?? this.columns;
    if (!columns) {
      const got = fault === 'too long' ? `more than ${LONGEST_ROW} bytes without an end of line` : fault;
      throw new RecommenderError('bad-input', `${this.file}:${line}: no header, expected ${this.wants}, got ${got}.`);
    }
    columns.rows++;
    columns.bad(line, ...faultOf(fault));
  }
}

class SequenceReader extends TextReader {
  protected readonly wants = 'lines "user item item …"';
  readonly collector: Collector;

  constructor(log: LogFile, options: ReadOptions) {
    const file = log.name;
    super(file, LONGEST_SEQUENCE);
    if (options.sessionsBy?.by === 'gap') {
      throw new RecommenderError(
        'bad-input',
        `${file}: sequences have no times, so sessions cannot be cut at gaps; expected --sessions-by id or user.`,
      );
    }
    const { item: _, ...columns } = options.columns ?? {}; // a catalogue may have that column
    if (Object.keys(columns).length > 0) {
      throw new RecommenderError('bad-input', `${file}: sequences have no columns (--columns).`);
    }
    if (options.timeUnit) throw new RecommenderError('bad-input', `${file}: sequences have no times (--time-unit).`);
    if (options.events)
      throw new RecommenderError('bad-input', `${file}: sequences have no kinds of events (--events).`);
    this.collector = collectorOf(log, options);
  }

  protected dialectOf(first: Uint8Array): Dialect {
    const line = new TextDecoder().decode(first.subarray(0, LONGEST_ROW)).trim();
    const names = line.split(/[^\w-]+/);
    const { session, user, time, item } = COLUMNS;
    // Else names, times and keys would be items, and nobody would be told.
    if (line.startsWith('{') || (names.includes(item) && [session, user, time].some((name) => names.includes(name)))) {
      throw new RecommenderError(
        'bad-input',
        `${this.file}:1: a table, expected ${this.wants}, got ${quote(first)}. Leave \`format\` out to read it.`,
      );
    }
    const delimiter = first.includes(0x20) || !first.includes(0x09) ? 0x20 : 0x09;
    return { delimiter, quotes: 'none', merge: true };
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
