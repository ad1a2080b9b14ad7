import type { TimeUnit } from './time';

/** The columns that Aisle knows, by the name used in `--columns`, and what a file calls them by default. */
export const COLUMNS = {
  session: 'session_id',
  item: 'item_id',
  time: 'timestamp',
  user: 'user_id',
  event: 'event',
} as const;

export type ColumnName = keyof typeof COLUMNS;

/** How events form sessions: by the session column, by pauses of a user longer than so many minutes, or one per user. */
export type SessionRule =
  | { readonly by: 'id' }
  | { readonly by: 'user' }
  | { readonly by: 'gap'; readonly minutes: number };

export type ColumnNames = Partial<Readonly<Record<ColumnName, string>>>;

/** How the files of a published log are laid out. */
export interface Recipe {
  readonly name: string;
  /** The files that it reads, for help and messages. */
  readonly files: string;
  /** Where the files are described: the name of a page. */
  readonly page: string;
  /** The columns in a file with these names; undefined for a file that is none of this log. */
  readonly columns: (names: readonly string[]) => ColumnNames | undefined;
  /** The names of a file without a header, from its first row, and a kind for all of its events; undefined with a header. */
  readonly header?: (first: readonly string[]) => { names: readonly string[]; event?: string } | undefined;
  readonly sessionsBy?: SessionRule;
  /** Seconds of a row from its cells by name; NaN where they are no time. Default: the time column alone. */
  readonly time?: { readonly secondsOf: (cell: (name: string) => string) => number; readonly expected: string };
  /** Other words for the kinds of events that the files name. */
  readonly kinds?: Readonly<Record<string, string>>;
  /** How the files write that there is no user. */
  readonly noUser?: string;
}

/** How an events file is read. Every filter is off by default, so that nothing disappears silently. */
export interface ReadOptions {
  /** Other names of the columns in this file; an empty one for a column that is not to be read. */
  readonly columns?: ColumnNames;
  /** How the files of a published log are laid out; takes the place of `columns`. */
  readonly recipe?: Recipe;
  /** `events`: a table with a header, or JSON objects. `sequences`: lines `user item item …` without times. Default events. */
  readonly format?: 'events' | 'sequences';
  /** Unit of the times. Default: recognised from the first row. */
  readonly timeUnit?: TimeUnit;
  /** Default `id`. */
  readonly sessionsBy?: SessionRule;
  /** Kinds of events to keep. Default all. */
  readonly events?: readonly string[];
  /** Further columns to keep: names, or all of them. Default none. */
  readonly features?: readonly string[] | 'all';
  /** Further columns to keep where the file has them. Default none. */
  readonly featuresIfAny?: readonly string[];
  /** Collapse immediate repeats of an item inside a session (i, i, j → i, j). Default false. */
  readonly collapseRepeats?: boolean;
  /** Leave out items with fewer events than this. Default 1. */
  readonly minSupport?: number;
  /** Leave out sessions with fewer events than this. Default 2. */
  readonly minLength?: number;
  /** Repeat the two minima until nothing changes, instead of once: length, support, length. Default false. */
  readonly iterative?: boolean;
  /** Tolerate and count up to so many bad rows. Default 0. */
  readonly skipBadRows?: number;
  /** Refuse a log with fewer items than this. Default 2. */
  readonly minItems?: number;
}

/** How a test part in a file of its own is read: it loses what the model does not know, not what is rare in the file itself. */
export const withoutMinima = ({ minSupport: _, minLength: __, iterative: ___, ...read }: ReadOptions): ReadOptions =>
  read;

/**
 * How a file is read that was cut off a log read so: in seconds, as all are written that are cut, and without the filters, which the
 * cut has applied; single events are kept where the log's were.
 */
export const readOfPart = ({ timeUnit, minLength = 2 }: ReadOptions = {}): ReadOptions => ({
  ...(timeUnit && { timeUnit: 's' }),
  ...(minLength < 2 && { minLength }),
});
