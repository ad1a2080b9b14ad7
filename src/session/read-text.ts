import { RecommenderError, throwIfAborted } from '../errors';
import { buildLog } from './build';
import { Collector } from './collector';
import { layoutOf } from './columns';
import type { EventLog } from './event-log';
import { COLUMNS, type ReadOptions } from './options';
import type { Dialect, Row, RowFault } from './rows';
import { faultOf, LONGEST_ROW, TextReader, tableDialect } from './text-reader';
import { quote, textOf } from './utf8';

/** Longest line of `sequences`, which holds all items of a user. */
const LONGEST_SEQUENCE = 1 << 26;

/**
 * Reads a TSV or CSV of events, or lines of item sequences, into a log.
 *
 * @param source The file's bytes, unpacked; a piece may be reused once the next one is requested.
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
  const reader = options.format === 'sequences' ? new SequenceReader(file, options) : new EventsReader(file, options);
  for await (const chunk of source) {
    throwIfAborted(signal);
    reader.push(chunk);
  }
  reader.finish();
  return buildLog(reader.collector, options, file);
}

class EventsReader extends TextReader {
  protected readonly wants = `a header with ${COLUMNS.session}, ${COLUMNS.item}, ${COLUMNS.time}`;
  private columns: Collector | undefined;

  constructor(
    file: string,
    private readonly options: ReadOptions,
  ) {
    super(file, LONGEST_ROW);
  }

  get collector(): Collector {
    return this.columns!;
  }

  protected dialectOf(first: Uint8Array): Dialect {
    const { columns } = this.options;
    return tableDialect(first, this.file, new Set([...Object.values(COLUMNS), ...Object.values(columns ?? {})]));
  }

  protected row({ bytes, starts, ends, fields, line }: Row): void {
    if (this.columns) {
      this.columns.addText(bytes, starts, ends, fields, line);
      return;
    }
    const names = Array.from({ length: fields }, (_, f) => textOf(bytes, starts[f]!, ends[f]!));
    this.splitter!.columns = fields;
    this.columns = new Collector(this.file, this.options, layoutOf(names, this.options, `${this.file}:${line}`));
  }

  protected fault(fault: RowFault, line: number): void {
    if (!this.columns) {
      const got = fault === 'too long' ? `more than ${LONGEST_ROW} bytes without an end of line` : fault;
      throw new RecommenderError('bad-input', `${this.file}:${line}: no header, expected ${this.wants}, got ${got}.`);
    }
    this.columns.rows++;
    this.columns.bad(line, ...faultOf(fault));
  }
}

class SequenceReader extends TextReader {
  protected readonly wants = 'lines "user item item …"';
  readonly collector: Collector;

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
