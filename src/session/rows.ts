/** How a text file separates its fields. */
export interface Dialect {
  /** Byte between two fields. */
  readonly delimiter: number;
  /**
   * - `rfc4180`: a field that starts with a quote ends at the matching quote; two quotes inside stand for one.
   * - `needed`: tab-separated files written without quoting hold quotes as plain text, those of spreadsheet tools quote
   *   what needs it, and that for them includes commas. A field counts as quoted only where it is well formed within its
   *   line and holds a doubled quote, a delimiter or a comma; all others are taken as they are.
   * - `none`: quotes are plain text.
   */
  readonly quotes: 'rfc4180' | 'needed' | 'none';
  /** Several delimiters in a row count as one, and those at the ends of a line as none. Default false. */
  readonly merge?: boolean;
}

/** One row of a text file; the arrays are reused for the next row. Field f is `bytes[starts[f]…ends[f])`. */
export interface Row {
  bytes: Uint8Array;
  starts: Int32Array;
  ends: Int32Array;
  fields: number;
  /** Line on which the row starts, from 1. */
  line: number;
}

/** What went wrong with the text of a row before its fields could be separated. */
export type RowFault = 'too long' | 'unclosed quote' | 'text after a closing quote';

export const NEWLINE = 0x0a;
const RETURN = 0x0d;
const QUOTE = 0x22;
const COMMA = 0x2c;
/** Instead of a position: the row is not complete yet, cannot be read, or its quote is plain text. */
const INCOMPLETE = -1;
const FAULTY = -2;
const PLAIN = -3;

/**
 * Splits a stream of bytes into rows and fields without making an object per row. Empty lines are passed over.
 *
 * @param onRow Called for each row, with one and the same object.
 * @param onFault Called for a row that cannot be split; it goes on at the next line if this does not throw.
 */
export class RowSplitter {
  /**
   * Columns of the header. With quotes `needed`, a row that has as many without any quoting holds no quoted delimiters.
   */
  columns = 0;
  private buffer = new Uint8Array(1 << 17);
  private end = 0;
  private line = 1;
  private skipping = false;
  private readonly row: Row;
  /** Quoted fields of the row in work. */
  private escaped: number[] = [];

  constructor(
    private readonly dialect: Dialect,
    private readonly limit: number,
    private readonly onRow: (row: Row) => void,
    private readonly onFault: (fault: RowFault, line: number) => void,
  ) {
    this.row = { bytes: this.buffer, starts: new Int32Array(16), ends: new Int32Array(16), fields: 0, line: 1 };
  }

  /** Takes the next piece of the file; the piece may be reused by the caller afterwards. */
  push(chunk: Uint8Array): void {
    const needed = this.end + chunk.length;
    if (needed > this.buffer.length) {
      const larger = new Uint8Array(Math.max(needed, this.buffer.length * 2));
      larger.set(this.buffer.subarray(0, this.end));
      this.buffer = larger;
    }
    this.buffer.set(chunk, this.end);
    this.end = needed;
    this.split(false);
  }

  /** The end of the file: a last line without a newline is a row too. */
  finish(): void {
    this.split(true);
  }

  private split(last: boolean): void {
    let at = 0;
    for (;;) {
      if (at === this.end) break;
      if (this.skipping) {
        const next = this.lineEnd(at, last);
        this.skipping = next === INCOMPLETE;
        at = this.skipping ? this.end : next;
        continue;
      }
      const next = this.splitRow(at, last);
      if (next !== INCOMPLETE) at = next;
      else if (this.end - at > this.limit) {
        this.onFault('too long', this.line);
        this.skipping = true;
      } else break;
    }
    this.buffer.copyWithin(0, at, this.end);
    this.end -= at;
  }

  /** Just after the end of the line at `at`, counting it. */
  private lineEnd(at: number, last: boolean): number {
    const newline = this.buffer.subarray(0, this.end).indexOf(NEWLINE, at);
    if (newline < 0) return last ? this.end : INCOMPLETE;
    this.line++;
    return newline + 1;
  }

  /** Splits the row at `at` and hands it out; returns where the next one starts. */
  private splitRow(at: number, last: boolean): number {
    const { buffer, end, row } = this;
    const { delimiter, merge = false, quotes } = this.dialect;
    row.bytes = buffer;
    row.fields = 0;
    row.line = this.line;
    if (this.escaped.length > 0) this.escaped = [];
    let p = at;
    let lines = 0;
    for (;;) {
      if (row.fields === row.starts.length) this.moreFields();
      if (merge) while (p < end && buffer[p] === delimiter) p++;
      let start = p;
      let stop = -1;
      if (quotes !== 'none' && p < end && buffer[p] === QUOTE) {
        const closed = quotes === 'rfc4180' ? this.quoted(p, last) : this.quotedInLine(p, at, last);
        if (closed === INCOMPLETE) return INCOMPLETE;
        if (closed === FAULTY) return this.fault(at, p);
        if (closed > p) {
          start = p + 1;
          stop = closed;
          this.escaped.push(row.fields);
          for (let i = start; i < closed; i++) if (buffer[i] === NEWLINE) lines++;
          p = closed + 1;
        }
      }
      if (stop < 0) {
        while (p < end) {
          const c = buffer[p]!;
          if (c === delimiter || c === NEWLINE) break;
          p++;
        }
        stop = p;
      }
      const done = p >= end || buffer[p] === NEWLINE || buffer[p] === RETURN;
      if (p >= end && !last) return INCOMPLETE;
      if (done && stop === p && stop > start && buffer[stop - 1] === RETURN) stop--; // in a file of mixed line ends, too
      if (!merge || stop > start) {
        row.starts[row.fields] = start;
        row.ends[row.fields++] = stop;
      }
      if (done) break;
      p++; // the delimiter
    }
    if (buffer[p] === RETURN) p++; // after a quoted field
    // Only now that the row is whole: one that is not is split again, from the same bytes.
    for (const field of this.escaped) row.ends[field] = this.unescape(row.starts[field]!, row.ends[field]!);
    if (p - at > this.limit) this.onFault('too long', this.line);
    else if (row.fields > 1 || (row.fields === 1 && row.ends[0]! > row.starts[0]!)) this.onRow(row);
    this.line += lines + 1;
    return Math.min(p + 1, end);
  }

  /** Position of the quote that closes the one at `open`. */
  private quoted(open: number, last: boolean): number {
    const { buffer, end } = this;
    for (let p = open + 1; p < end; p++) {
      if (buffer[p] !== QUOTE) continue;
      if (p + 1 === end) return last ? p : INCOMPLETE;
      const after = buffer[p + 1];
      if (after === QUOTE) p++;
      else if (after === this.dialect.delimiter || after === NEWLINE) return p;
      else if (after === RETURN) {
        if (p + 2 === end) return last ? p : INCOMPLETE;
        return buffer[p + 2] === NEWLINE ? p : FAULTY;
      } else return FAULTY;
    }
    return last ? FAULTY : INCOMPLETE;
  }

  /** As `quoted` for `needed`; `PLAIN` where the quote is plain text. */
  private quotedInLine(open: number, row: number, last: boolean): number {
    const { buffer, end } = this;
    const { delimiter } = this.dialect;
    let newline = open;
    while (newline < end && buffer[newline] !== NEWLINE) newline++;
    if (newline === end && !last) return INCOMPLETE;
    const stop = newline > open && buffer[newline - 1] === RETURN ? newline - 1 : newline;
    let doubled = false;
    let delimiters = false;
    let commas = false;
    for (let p = open + 1; p < stop; p++) {
      if (buffer[p] === delimiter) delimiters = true;
      if (buffer[p] === COMMA) commas = true;
      if (buffer[p] !== QUOTE) continue;
      if (p + 1 < stop && buffer[p + 1] === QUOTE) {
        doubled = true;
        p++;
        continue;
      }
      const closes = p + 1 === stop || buffer[p + 1] === delimiter;
      if (!closes || !(doubled || delimiters || commas)) return PLAIN;
      return delimiters && this.plainFields(row, stop) === this.columns ? PLAIN : p;
    }
    return PLAIN;
  }

  /** Fields of the line if no quote means anything. */
  private plainFields(from: number, to: number): number {
    let fields = 1;
    for (let p = from; p < to; p++) if (this.buffer[p] === this.dialect.delimiter) fields++;
    return fields;
  }

  /** Halves the doubled quotes of a quoted field in place; returns its new end. */
  private unescape(start: number, end: number): number {
    const { buffer } = this;
    let to = start;
    for (let from = start; from < end; from++) {
      buffer[to++] = buffer[from]!;
      if (buffer[from] === QUOTE) from++;
    }
    return to;
  }

  private fault(at: number, quote: number): number {
    const closes = this.buffer.subarray(quote + 1, this.end).indexOf(QUOTE) >= 0;
    this.onFault(closes ? 'text after a closing quote' : 'unclosed quote', this.line);
    this.skipping = true;
    return at;
  }

  private moreFields(): void {
    for (const key of ['starts', 'ends'] as const) {
      const larger = new Int32Array(this.row[key].length * 2);
      larger.set(this.row[key]);
      this.row[key] = larger;
    }
  }
}
