/** JSON objects, one a line, as rows of a log. */
import { RecommenderError } from '../errors';
import type { Collector } from './collector';
import type { Layout } from './columns';
import { addGa4Row, GA4_NAMES, isFields, isGa4 } from './ga4';
import { COLUMNS, type ReadOptions } from './options';
import type { Row } from './rows';
import { isText, quote, textOf } from './utf8';

/** Lines whose names together are the columns of a file: an object may leave out what is null. */
export const LOOK_AHEAD = 1000;

type Fields = Readonly<Record<string, unknown>>;
interface Line {
  readonly line: number;
  /** Absent where the line is no object; then `got` says what it is. */
  readonly fields?: Fields;
  readonly got?: string;
}

export class JsonRows {
  private waiting: Line[] = [];
  private collector: Collector | undefined;
  private add: (fields: Fields, line: number) => void = () => {};
  /** Names at the top of an object that are no news; absent where the columns of a published log are read. */
  private known: Set<string> | undefined;

  /**
   * @param begin Makes the collector for a file with these columns, or goes on with that of the file before.
   * @param before The collector of the file before: its columns are read here, too.
   */
  constructor(
    private readonly file: string,
    private readonly options: ReadOptions,
    private readonly begin: (names: readonly string[]) => Collector,
    private readonly before?: Collector,
  ) {}

  row({ bytes, starts, ends, line }: Row): void {
    const row = parse(bytes, starts[0]!, ends[0]!, line);
    if (this.collector) this.take(row);
    else if (this.waiting.push(row) === LOOK_AHEAD) this.start();
  }

  /** The end of the file. */
  finish(): Collector {
    if (!this.collector) this.start();
    return this.collector!;
  }

  private start(): void {
    const rows = this.waiting;
    this.waiting = [];
    const names = new Set<string>();
    for (const { fields } of rows) if (fields) namesOf(fields, '', names);
    if (names.size === 0 && rows.length > 0) {
      const { line, got } = rows[0]!;
      throw new RecommenderError(
        'bad-input',
        `${this.file}:${line}: no valid JSON, expected an object, got ${got ?? 'none'}.`,
      );
    }
    const analytics = isGa4([...names]) && this.options.columns === undefined;
    const { before } = this;
    const columns = analytics ? GA4_NAMES : before ? ownNames(before.layout!) : [...names];
    this.collector = this.begin(columns);
    if (analytics) this.add = (fields, line) => addGa4Row(this.collector!, fields, line);
    else this.add = textRows(this.collector, columns, this.options);
    if (!analytics && !this.options.recipe) {
      this.known = new Set([...(before ? columns : names)].flatMap((name) => [name, name.split('.')[0]!]));
    }
    for (const row of rows) this.take(row);
  }

  private take({ line, fields, got }: Line): void {
    if (!fields) {
      this.collector!.rows++;
      this.collector!.bad(line, 'no valid JSON', `expected an object, got ${got}`);
      return;
    }
    if (this.known) for (const name in fields) if (!this.known.has(name)) this.late(this.known, name, line);
    this.add(fields, line);
  }

  /** Most columns may come late, with a warning; without users or kinds a log would be another one. */
  private late(known: Set<string>, name: string, line: number): void {
    const { columns = {} } = this.options;
    if (name === (columns.user ?? COLUMNS.user) || name === (columns.event ?? COLUMNS.event)) {
      throw new RecommenderError(
        'bad-input',
        `${this.file}:${line}: the first "${name}", expected it within the first ${LOOK_AHEAD.toLocaleString('en')} lines ` +
          'of the first file. Write it into the first line, null where there is none.',
      );
    }
    known.add(name);
    this.collector!.lateColumns.add(name);
  }
}

const ownNames = ({ names, constants }: Layout): readonly string[] => names.slice(0, names.length - constants.length);

function parse(bytes: Uint8Array, start: number, end: number, line: number): Line {
  if (!isText(bytes, start, end)) return { line, got: `${quote(bytes, start, end)}, which is no UTF-8 text` };
  try {
    const fields: unknown = JSON.parse(exact(textOf(bytes, start, end)));
    if (isFields(fields)) return { line, fields };
  } catch {
    // Any other text gets the same message.
  }
  return { line, got: quote(bytes, start, end) };
}

const TOKENS = /"[^"\\]*(?:\\.[^"\\]*)*"|-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?/g;

/** The text with each number that JavaScript would write otherwise as a string: ids survive byte for byte. */
export function exact(text: string): string {
  if (!/\d{16}|\d[.eE]/.test(text)) return text;
  return text.replace(TOKENS, (token) => (token[0] === '"' || String(Number(token)) === token ? token : `"${token}"`));
}

/** Objects deeper than this have no columns. */
const DEEPEST = 16;

/** The names of an object with those of the objects in it: `item.id`. */
function namesOf(fields: Fields, prefix: string, names: Set<string>, depth = 1): void {
  for (const [name, value] of Object.entries(fields)) {
    if (isFields(value) && depth < DEEPEST) namesOf(value, `${prefix}${name}.`, names, depth + 1);
    else names.add(prefix + name);
  }
}

function cellOf(fields: Fields, name: string): unknown {
  if (Object.hasOwn(fields, name)) return fields[name];
  for (let dot = name.indexOf('.'); dot > 0; dot = name.indexOf('.', dot + 1)) {
    const inner = fields[name.slice(0, dot)];
    const value = isFields(inner) ? cellOf(inner, name.slice(dot + 1)) : undefined;
    if (value !== undefined) return value;
  }
  return undefined;
}

/** Adds objects as rows of text: only the cells that are read are filled in. */
function textRows(
  collector: Collector,
  columns: readonly string[],
  { recipe }: ReadOptions,
): (fields: Fields, line: number) => void {
  const { key, item, time, user, event, features } = collector.layout!;
  const ids = new Set([key, item, time, user, event]);
  const used = columns.flatMap((name, at) =>
    ids.has(at) || features.some((feature) => feature.at === at) || recipe?.time ? [{ name, at }] : [],
  );
  const encoder = new TextEncoder();
  const starts = new Int32Array(columns.length);
  const ends = new Int32Array(columns.length);
  let bytes = new Uint8Array(1 << 12);
  return (fields, line) => {
    let end = 0;
    for (const { name, at } of used) {
      const value = cellOf(fields, name);
      if (ids.has(at) && typeof value === 'object' && value !== null) {
        const what = Array.isArray(value) ? 'a list' : 'an object';
        const expected = `expected text or a number (a field of an object is named as ${name}.field)`;
        collector.rows++;
        collector.bad(line, `${name} is ${what}`, `${expected}, got ${quote(encoder.encode(JSON.stringify(value)))}`);
        return;
      }
      const text = typeof value === 'string' ? value : (value ?? '') === '' ? '' : JSON.stringify(value);
      if (bytes.length < end + text.length * 3) {
        const larger = new Uint8Array((end + text.length * 3) * 2);
        larger.set(bytes);
        bytes = larger;
      }
      starts[at] = end;
      end += encoder.encodeInto(text, bytes.subarray(end)).written;
      ends[at] = end;
    }
    collector.addText(bytes, starts, ends, columns.length, line);
  };
}
