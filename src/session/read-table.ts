/** Tables of text with a header line, whose columns are any: catalogues and product feeds, not logs. */
import { RecommenderError } from '../errors';
import type { Dialect, Row, RowFault } from './rows';
import { faultOf, LONGEST_ROW, TextReader, tableDialect } from './text-reader';
import { isText, quote, textFault, textOf } from './utf8';

/** What a `TableReader` finds. Each function may throw, which ends the reading. */
export interface TableHandlers {
  header(names: readonly string[]): void;
  /**
   * @param cell Decodes the cell of a column, from 0; valid during the call only.
   * @throws RecommenderError from `cell`, through `bad`, where the cell is no text.
   */
  row(line: number, cell: (at: number) => string): void;
  /** A row that cannot be read, which is passed over if this returns. */
  bad(line: number, what: string, rest: string): void;
}

/** Thrown by `cell` to leave a row whose text is not valid; `TableReader` catches it. */
class NoText extends Error {
  constructor(readonly rest: readonly [what: string, rest: string]) {
    super(rest.join(', '));
  }
}

/** Reads a table row by row, from pieces of its file. */
export class TableReader extends TextReader {
  protected readonly wants: string;
  private names: readonly string[] | undefined;

  constructor(
    file: string,
    private readonly wanted: readonly string[],
    private readonly handlers: TableHandlers,
  ) {
    super(file, LONGEST_ROW);
    this.wants = `a header with ${wanted[0]}`;
  }

  protected dialectOf(first: Uint8Array): Dialect {
    return tableDialect(first, this.file, new Set(this.wanted));
  }

  protected row(row: Row): void {
    const { bytes, starts, ends, fields, line } = row;
    try {
      if (!this.names) {
        this.header(row);
      } else if (fields === this.names.length) {
        this.handlers.row(line, (at) => cellOf(row, at));
      } else {
        const got = quote(bytes, starts[0]!, ends[fields - 1]!);
        const expected = `expected ${this.names.length} as in the header, got ${got}`;
        this.handlers.bad(line, `${fields} columns`, expected);
      }
    } catch (error) {
      if (!(error instanceof NoText)) throw error;
      this.handlers.bad(line, ...error.rest);
    }
  }

  private header(row: Row): void {
    const names = Array.from({ length: row.fields }, (_, at) => cellOf(row, at));
    const twice = names.find((name, at) => names.indexOf(name) < at);
    if (twice !== undefined) {
      const rest = `column "${twice}" stands twice; name each column once`;
      throw new RecommenderError('bad-input', `${this.file}:${row.line}: ${rest}.`);
    }
    this.splitter!.columns = row.fields;
    this.names = names;
    this.handlers.header(names);
  }

  protected fault(fault: RowFault, line: number): void {
    this.handlers.bad(line, ...faultOf(fault));
  }
}

function cellOf({ bytes, starts, ends }: Row, at: number): string {
  const [start, end] = [starts[at]!, ends[at]!];
  if (isText(bytes, start, end)) return textOf(bytes, start, end);
  const expected = `expected UTF-8 text, got ${quote(bytes, start, end)}`;
  throw new NoText([`a cell holds ${textFault(bytes, start, end)}`, expected]);
}
