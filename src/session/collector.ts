import { RecommenderError } from '../errors';
import { MAX_ID } from '../limits';
import type { Layout } from './columns';
import { type Growing, growingFloat64, growingInt32, growingUint8 } from './growing';
import { Interner } from './interner';
import { COLUMNS, type ReadOptions } from './options';
import { TimeReader } from './time';
import { isText, quote, textFault, textOf } from './utf8';

const encoder = new TextEncoder();
const EXAMPLES = 5;
const MOST_KINDS = 256;

/** Which file of a log is read. */
export interface LogFile {
  /** Name for messages. */
  readonly name: string;
  /** Columns that its path gives: `day=2024-05-01/`. */
  readonly constants?: Readonly<Record<string, string>>;
  /** What the files before it gave, to go on with. */
  readonly before?: Collector | undefined;
}

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
  readonly items = new Interner(MAX_ID);
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
  /** Events of Google Analytics that lack a visitor, a session or an item. */
  incomplete = 0;
  /** Columns that appear too late in a file of JSON objects to be read. */
  readonly lateColumns = new Set<string>();
  readonly otherColumns: readonly string[];
  /** Rows of each kind of event. */
  readonly kindCounts: number[] = [];
  private readonly isWantedKind: boolean[] = [];
  private readonly firstFile: string;

  constructor(
    private file: string,
    private readonly options: ReadOptions,
    /** Absent for sequences, which have neither times nor kinds. */
    public layout?: Layout,
  ) {
    this.firstFile = file;
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

  /**
   * Goes on with another file of the same log.
   *
   * @throws RecommenderError `bad-input` if its columns are not those of the first file; their order may be another.
   */
  nextFile(file: string, layout?: Layout): void {
    this.file = file;
    if (!layout) return;
    // The files of a published log differ in what is not read, and in names.
    const columnsOf = ({ names, user, event }: Layout): readonly string[] =>
      this.options.recipe
        ? [...(user === undefined ? [] : [COLUMNS.user]), ...(event === undefined ? [] : [COLUMNS.event])]
        : names;
    const [before, now] = [columnsOf(this.layout!), columnsOf(layout)];
    const lost = before.find((name) => !now.includes(name));
    const found = now.find((name) => !before.includes(name));
    if (lost !== undefined || found !== undefined) {
      const what =
        lost !== undefined
          ? `no column "${lost}", which ${this.firstFile} has`
          : `column "${found}" is not in ${this.firstFile}`;
      throw new RecommenderError(
        'bad-input',
        `${file}: ${what}; expected the same columns in all parts. Write the parts with the same columns, or name those that go together by a glob.`,
      );
    }
    this.layout = { ...layout, features: this.features.map(({ name }) => ({ name, at: layout.names.indexOf(name) })) };
  }

  /** A row of text. */
  addText(bytes: Uint8Array, starts: Int32Array, ends: Int32Array, fields: number, line: number): void {
    const layout = this.layout!;
    const { constants } = layout;
    this.rows++;
    if (fields !== layout.names.length - constants.length) {
      const got = quote(bytes, starts[0]!, ends[fields - 1]!);
      const expected = layout.names.length - constants.length;
      this.bad(line, `${fields} columns`, `expected ${expected} as in the header, got ${got}`);
      return;
    }
    // −1 means a refused cell; ids must not be empty, other cells may.
    const number = (names: Interner, at: number): number => {
      if (at < fields) return names.intern(bytes, starts[at]!, ends[at]!);
      return names.intern(constants[at - fields]!, 0, constants[at - fields]!.length);
    };
    const kind = this.kinds ? number(this.kinds, layout.event!) : 0;
    const seconds = this.seconds(bytes, starts, ends, fields);
    if (Number.isNaN(seconds)) {
      if (this.leavesOut(kind)) return;
      const at = layout.time;
      const got = at < fields ? quote(bytes, starts[at]!, ends[at]!) : quote(constants[at - fields]!);
      this.bad(line, `${this.name(at)} is no time`, `expected ${this.times.expected}, got ${got}`);
      return;
    }
    const isEmpty = (at: number): boolean =>
      at < fields ? starts[at] === ends[at] : constants[at - fields]!.length === 0;
    const id = (names: Interner, at: number): number => (isEmpty(at) ? -1 : number(names, at));
    const key = id(this.keys, layout.key);
    const item = key < 0 ? -1 : id(this.items, layout.item);
    const user = this.users ? number(this.users, layout.user!) : 0;
    let refused =
      key < 0 ? layout.key : item < 0 ? layout.item : user < 0 ? layout.user! : kind < 0 ? layout.event! : -1;
    for (let f = 0; f < this.features.length; f++) {
      const { at } = layout.features[f]!;
      this.featureCodes[f] = number(this.features[f]!.names, at);
      if (this.featureCodes[f]! < 0 && refused < 0) refused = at;
    }
    if (refused < 0) this.add(key, item, seconds, user, kind, this.featureCodes);
    else if (this.leavesOut(kind)) return;
    else if (refused < fields) this.badText(line, refused, bytes, starts[refused]!, ends[refused]!);
    else this.badText(line, refused, constants[refused - fields]!, 0, constants[refused - fields]!.length);
  }

  private seconds(bytes: Uint8Array, starts: Int32Array, ends: Int32Array, fields: number): number {
    const { time, names, constants } = this.layout!;
    const { recipe } = this.options;
    if (recipe?.time) {
      this.times.expected = recipe.time.expected;
      this.times.unit ??= 'iso';
      return recipe.time.secondsOf((name) => {
        const at = names.indexOf(name);
        return at < 0 ? '' : textOf(bytes, starts[at]!, ends[at]!);
      });
    }
    if (time < fields) return this.times.read(bytes, starts[time]!, ends[time]!);
    return this.times.read(constants[time - fields]!, 0, constants[time - fields]!.length);
  }

  /** The kinds of events by number, in the words of the recipe where there is one. */
  kindNames(): string[] {
    return (this.kinds?.texts() ?? []).map((kind) => this.kindName(kind));
  }

  private kindName(kind: string): string {
    return this.options.recipe?.kinds?.[kind] ?? kind;
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

  /** Counts a row of a kind that is not wanted, whatever its other cells are; false for every other row. */
  leavesOut(kind: number): boolean {
    const { events } = this.options;
    if (!events || !this.kinds || kind < 0 || events.includes(this.kindName(this.kinds.text(kind)))) return false;
    return !this.keeps(kind);
  }

  /** An event of texts that are ids, none of them empty. */
  addEvent(session: string, item: string, seconds: number, user: string, kind: string, line: number): void {
    const layout = this.layout!;
    this.times.unit ??= 's';
    const key = this.numberOf(this.keys, layout.key === layout.user ? user : session);
    const numbers = [key, this.numberOf(this.items, item), this.users ? this.numberOf(this.users, user) : 0];
    if (numbers.every((number) => number >= 0)) {
      this.add(key, numbers[1]!, seconds, numbers[2]!, this.numberOf(this.kinds!, kind), []);
    } else if (item.length > MAX_ID) this.bad(line, 'an id is too long', tooLong(encoder.encode(item)));
    else this.bad(line, 'an id holds a NUL byte', `expected text, got ${JSON.stringify([session, item, user])}`);
  }

  private numberOf(names: Interner, text: string): number {
    const bytes = encoder.encode(text);
    return names.intern(bytes, 0, bytes.length);
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

  /** An id that is empty, not UTF-8, holds a NUL byte or is too long. */
  badText(line: number, at: number, bytes: Uint8Array, start: number, end: number): void {
    const name = this.name(at);
    if (start === end) {
      this.bad(line, `${name} is empty`, 'expected an id, got nothing');
      return;
    }
    if (isText(bytes, start, end)) {
      this.bad(line, `${name} is too long`, tooLong(bytes, start, end));
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
        `${this.file}: more than ${MOST_KINDS} kinds of events in column ${name}; expected a few words such as view, cart, purchase. If it holds something else, --columns event= leaves it unread.`,
      );
    }
    // Parquet numbers the kinds of a row group before its rows come, so a kind may be more than one ahead.
    for (let next = this.kindCounts.length; next <= kind; next++) {
      this.kindCounts.push(0);
      this.isWantedKind.push(this.options.events?.includes(this.kindName(this.kinds!.text(next))) ?? true);
    }
    this.kindCounts[kind]!++;
    if (!this.isWantedKind[kind]) this.otherKinds++;
    return this.isWantedKind[kind]!;
  }
}

const tooLong = (...id: Parameters<typeof quote>): string =>
  `expected at most ${MAX_ID} characters, got ${quote(...id)}`;

/** The collector for a file of these columns: a new one, or that of the files before. */
export function collectorOf(file: LogFile, options: ReadOptions, layout?: Layout): Collector {
  if (!file.before) return new Collector(file.name, options, layout);
  file.before.nextFile(file.name, layout);
  return file.before;
}
