import { RecommenderError } from '../errors';
import type { Layout } from './columns';
import { type Growing, growingFloat64, growingInt32, growingUint8 } from './growing';
import { Interner } from './interner';
import type { ReadOptions } from './options';
import { TimeReader } from './time';
import { quote, textFault } from './utf8';

const EXAMPLES = 5;
const MOST_KINDS = 256;

/** The rows of a file as columns of numbers, before sessions are formed. */
export type Columns = Pick<
  Collector,
  'keys' | 'items' | 'users' | 'kinds' | 'key' | 'item' | 'time' | 'user' | 'event' | 'features'
>;

/**
 * Takes rows one by one, checks them and appends them to columns: about 16 bytes an event, ids stored once.
 *
 * A row is `begin(line)`, then each cell, then `end()`. A cell that is not valid is refused with file and line, or
 * counted while `skipBadRows` lasts.
 */
export class Collector {
  readonly keys = new Interner();
  readonly items = new Interner();
  readonly users?: Interner;
  readonly kinds?: Interner;
  readonly key = growingInt32();
  readonly item = growingInt32();
  readonly time?: Growing<Float64Array>;
  readonly user?: Growing<Int32Array>;
  readonly event?: Growing<Uint8Array>;
  readonly features: readonly {
    readonly name: string;
    readonly names: Interner;
    readonly codes: Growing<Int32Array>;
  }[];

  readonly times: TimeReader;
  rows = 0;
  badRows = 0;
  readonly badRowExamples: string[] = [];
  otherKinds = 0;
  readonly otherColumns: readonly string[];
  /** Rows of each kind of event. */
  readonly kindCounts: number[] = [];
  private readonly isWantedKind: boolean[] = [];

  constructor(
    private readonly file: string,
    private readonly options: ReadOptions,
    /** Absent for sequences, which have neither times nor kinds. */
    private readonly layout?: Layout,
  ) {
    this.times = new TimeReader(options.timeUnit);
    this.otherColumns = layout?.others ?? [];
    this.features = (layout?.features ?? []).map(({ name }) => ({
      name,
      names: new Interner(),
      codes: growingInt32(),
    }));
    if (!layout) return;
    this.time = growingFloat64();
    // Where the user decides the session, the key is the user.
    if (layout.user !== undefined && layout.user !== layout.key) {
      this.users = new Interner();
      this.user = growingInt32();
    }
    if (layout.event !== undefined) {
      this.kinds = new Interner();
      this.event = growingUint8();
    }
  }

  /** A row of text. */
  addText(bytes: Uint8Array, starts: Int32Array, ends: Int32Array, fields: number, line: number): void {
    const layout = this.layout!;
    this.rows++;
    if (fields !== layout.names.length) {
      const got = quote(bytes, starts[0]!, ends[fields - 1]!);
      this.bad(line, `${fields} columns`, `expected ${layout.names.length} as in the header, got ${got}`);
      return;
    }
    const seconds = this.times.read(bytes, starts[layout.time]!, ends[layout.time]!);
    if (Number.isNaN(seconds)) {
      const got = quote(bytes, starts[layout.time]!, ends[layout.time]!);
      this.bad(line, `${this.name(layout.time)} is no time`, `expected ${this.times.expected}, got ${got}`);
      return;
    }
    // −1 means a refused cell; ids must not be empty, other cells may.
    const number = (names: Interner, at: number): number => names.intern(bytes, starts[at]!, ends[at]!);
    const id = (names: Interner, at: number): number => (starts[at] === ends[at] ? -1 : number(names, at));
    const key = id(this.keys, layout.key);
    const item = key < 0 ? -1 : id(this.items, layout.item);
    const user = this.users ? number(this.users, layout.user!) : 0;
    const kind = this.kinds ? number(this.kinds, layout.event!) : 0;
    let refused =
      key < 0 ? layout.key : item < 0 ? layout.item : user < 0 ? layout.user! : kind < 0 ? layout.event! : -1;
    for (let f = 0; f < this.features.length; f++) {
      const { at } = layout.features[f]!;
      this.featureCodes[f] = number(this.features[f]!.names, at);
      if (this.featureCodes[f]! < 0 && refused < 0) refused = at;
    }
    if (refused < 0) this.add(key, item, seconds, user, kind, this.featureCodes);
    else this.badText(line, refused, bytes, starts[refused]!, ends[refused]!);
  }
  private readonly featureCodes: number[] = [];

  /** A row whose cells are numbered already, in the interners of this collector. */
  add(key: number, item: number, seconds: number, user: number, kind: number, features: readonly number[]): void {
    if (this.kinds && !this.keeps(kind)) return;
    this.key.push(key);
    this.item.push(item);
    this.time?.push(seconds);
    this.user?.push(user);
    this.event?.push(kind);
    for (let f = 0; f < this.features.length; f++) this.features[f]!.codes.push(features[f]!);
  }

  /** A row that breaks the contract: stops, or is counted while `skipBadRows` lasts. */
  bad(line: number, what: string, rest: string): void {
    const message = `${this.file}:${line}: ${what}, ${rest}`;
    const { skipBadRows = 0 } = this.options;
    if (this.badRows++ < skipBadRows) {
      if (this.badRowExamples.length < EXAMPLES) this.badRowExamples.push(message);
      return;
    }
    const more =
      skipBadRows > 0 ? ` This is bad row number ${this.badRows}; --skip-bad-rows allows ${skipBadRows}.` : '';
    throw new RecommenderError('bad-input', `${message}.${more}`);
  }

  /** An id that is empty, not UTF-8 or holds a NUL byte. */
  badText(line: number, at: number, bytes: Uint8Array, start: number, end: number): void {
    const name = this.name(at);
    if (start === end) {
      this.bad(line, `${name} is empty`, 'expected an id, got nothing');
      return;
    }
    const fault = textFault(bytes, start, end);
    this.bad(line, `${name} holds ${fault}`, `expected UTF-8 text, got ${quote(bytes, start, end)}`);
  }

  private name(at: number): string {
    return this.layout?.names[at] ?? 'item';
  }

  private keeps(kind: number): boolean {
    if (kind >= MOST_KINDS) {
      const name = JSON.stringify(this.layout!.names[this.layout!.event!]);
      throw new RecommenderError(
        'bad-input',
        `${this.file}: more than ${MOST_KINDS} kinds of events in column ${name}; expected a few words such as view, cart, purchase.`,
      );
    }
    // Parquet numbers the kinds of a row group before its rows come, so a kind may be more than one ahead.
    for (let next = this.kindCounts.length; next <= kind; next++) {
      this.kindCounts.push(0);
      this.isWantedKind.push(this.options.events?.includes(this.kinds!.text(next)) ?? true);
    }
    this.kindCounts[kind]!++;
    if (!this.isWantedKind[kind]) this.otherKinds++;
    return this.isWantedKind[kind]!;
  }
}
