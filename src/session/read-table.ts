/** A small table of text, held in memory: the catalogue of a shop, not its log. */
import { RecommenderError } from '../errors';
import type { Dialect, Row, RowFault } from './rows';
import { faultOf, LONGEST_ROW, TextReader, tableDialect } from './text-reader';
import { isText, quote, textFault, textOf } from './utf8';

export interface TableRow {
  /** Line in the file, from 1. */
  readonly line: number;
  /** As many as the header has names. */
  readonly cells: readonly string[];
}

export interface Table {
  readonly names: readonly string[];
  readonly rows: readonly TableRow[];
}

/**
 * Reads tab-separated values, or CSV, with a header line.
 *
 * @param file Name for messages.
 * @param wanted Names of columns that are looked for; they identify the delimiter.
 * @throws RecommenderError `bad-input` as `FILE:LINE: what, expected, got`.
 */
export function readTable(bytes: Uint8Array, file: string, wanted: readonly string[]): Table {
  const reader = new TableReader(file, wanted);
  reader.push(bytes);
  reader.finish();
  return { names: reader.names, rows: reader.rows };
}

class TableReader extends TextReader {
  names: readonly string[] = [];
  readonly rows: TableRow[] = [];
  protected readonly wants: string;

  constructor(
    file: string,
    private readonly wanted: readonly string[],
  ) {
    super(file, LONGEST_ROW);
    this.wants = `a header with ${wanted[0]}`;
  }

  protected dialectOf(first: Uint8Array): Dialect {
    return tableDialect(first, this.file, new Set(this.wanted));
  }

  protected row({ bytes, starts, ends, fields, line }: Row): void {
    const bad = (what: string): never => {
      throw new RecommenderError('bad-input', `${this.file}:${line}: ${what}.`);
    };
    const cells = Array.from({ length: fields }, (_, f) => {
      const [start, end] = [starts[f]!, ends[f]!];
      if (isText(bytes, start, end)) return textOf(bytes, start, end);
      return bad(`a cell holds ${textFault(bytes, start, end)}, expected UTF-8 text, got ${quote(bytes, start, end)}`);
    });
    if (this.names.length === 0) {
      const twice = cells.find((name, at) => cells.indexOf(name) < at);
      if (twice !== undefined) bad(`column "${twice}" stands twice; name each column once`);
      this.names = cells;
      this.splitter!.columns = fields;
      return;
    }
    if (fields !== this.names.length) {
      const got = quote(bytes, starts[0]!, ends[fields - 1]!);
      bad(`${fields} columns, expected ${this.names.length} as in the header, got ${got}`);
    }
    this.rows.push({ line, cells });
  }

  protected fault(fault: RowFault, line: number): void {
    throw new RecommenderError('bad-input', `${this.file}:${line}: ${faultOf(fault).join(', ')}.`);
  }
}
