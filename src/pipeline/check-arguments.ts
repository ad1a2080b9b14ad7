/**
 * The arguments of `aisle/node`, checked before anything is read or written: JavaScript does not see the types, and a misspelt
 * or impossible option would give wrong numbers without a word. The command line's flags have parsers of their own.
 */
import { isRecord } from '../checkpoint/json';
import { PRECISIONS } from '../checkpoint/pack-tensors';
import { SCALES } from '../ranking/combine';
import { type Check, calls, didYouMean, isAtLeast, OPTIONS, oneOf, printed, SIGNAL } from '../recommender/arguments';
import { COLUMNS, type ReadOptions } from '../session/options';
import type { SplitOptions as CutOptions } from '../session/split';
import type { TimeUnit } from '../session/time';
import { PROTOCOLS } from '../train/evaluate';
import { CUTS } from '../train/metrics';
import type { CatalogueOptions } from './catalogue/catalogue';
import { FIELDS } from './catalogue/dialects';
import { defined } from './defined';
import { badConfig } from './errors';
import type { Observer } from './observer';
import type {
  CompareOptions,
  DataOptions,
  EvaluateOptions,
  ImportOptions,
  Mix,
  PackOptions,
  SearchOptions,
  SplitOptions,
  TrainingOptions,
  TrainOptions,
} from './options';
import { latePart } from './training-parts';

type Needed = readonly [...Check, isNeeded: true];
/** A check for each option there is, so that the compiler misses none, nor that one is needed. */
type Table<T> = { readonly [K in keyof T]-?: object extends Pick<T, K> ? Check : Needed };
type AnyTable = Readonly<Record<string, Check | Needed>>;

const needed = ([expected, holds]: Check): Needed => [expected, holds, true];
const isText = (value: unknown): boolean => typeof value === 'string' && value !== '';
const isWhole = (value: unknown, least: number): boolean => Number.isSafeInteger(value) && (value as number) >= least;
const whole = (least: number, most = Number.POSITIVE_INFINITY): Check => [
  `a whole number ${most < Number.POSITIVE_INFINITY ? `from ${least} to ${most}` : `of ${least} or more`}`,
  (value) => isWhole(value, least) && (value as number) <= most,
];
const listOf = (what: string, holds: (value: unknown) => boolean, least = 0): Check => [
  `a list of ${what}`,
  (value) => Array.isArray(value) && value.length >= least && value.every(holds),
];
const within = (name: string, table: AnyTable): Check => [
  'an object of options',
  (value) => {
    checkOptions(name, value, table);
    return true;
  },
];
const named = (name: string, keys: readonly string[]): Check =>
  within(name, Object.fromEntries(keys.map((key) => [key, ['a text', (value: unknown) => typeof value === 'string']])));

const BAD_ROWS: Check = [
  'a whole number of 0 or more, or Infinity',
  (value) => value === Number.POSITIVE_INFINITY || isWhole(value, 0),
];
const TEXT: Check = ['a text that is not empty', isText];
const YES_OR_NO: Check = ['true or false', (value) => typeof value === 'boolean'];
const ABOVE_0: Check = ['a number above 0', (value) => isAtLeast(value, Number.MIN_VALUE)];
const isShare = (value: unknown): boolean => isAtLeast(value, 0) && (value as number) <= 1;
const isLast = (text: string): boolean => {
  try {
    return latePart(text) !== undefined;
  } catch {
    return false;
  }
};
/** @param words What it may be beside a part `last:…` and a path. */
const validation = (...words: readonly string[]): Check => [
  [...words, 'last:10%', 'last:7d or the path of a file'].join(', '),
  (value) =>
    isText(value) &&
    (['none', 'held-out'].includes(value as string)
      ? words.includes(value as string)
      : !(value as string).startsWith('last:') || isLast(value as string)),
];
const LATE_PART: Check = [
  '{ from }, in seconds since 1970, { seconds }, above 0, or { share }, above 0 and below 1',
  (value) => {
    if (!isRecord(value) || Object.keys(defined(value)).length !== 1) return false;
    const { from, seconds, share } = value;
    return Number.isFinite(from) || ABOVE_0[1](seconds) || (ABOVE_0[1](share) && (share as number) < 1);
  },
];
const SESSION_RULE: Check = [
  "{ by: 'id' }, { by: 'user' } or { by: 'gap', minutes }, above 0",
  (value) => {
    if (!isRecord(value)) return false;
    const keys = Object.keys(defined(value)).length;
    const { by, minutes } = value;
    return by === 'gap' ? keys === 2 && ABOVE_0[1](minutes) : keys === 1 && (by === 'id' || by === 'user');
  },
];

export const OBSERVER = {
  signal: SIGNAL,
  onProgress: calls('a function'),
  onMessage: calls('a function'),
  onEpoch: calls('a function'),
} satisfies Table<Observer>;
export const READ = {
  columns: named('columns', Object.keys(COLUMNS)),
  recipe: ['the recipe of a log', (value) => isRecord(value) && typeof value['columns'] === 'function'],
  format: oneOf<ReadOptions['format']>('events', 'sequences'),
  timeUnit: oneOf<TimeUnit>('s', 'ms', 'iso'),
  sessionsBy: SESSION_RULE,
  events: listOf('kinds of events', isText),
  features: [
    "a list of columns, or 'all'",
    (value) => value === 'all' || (Array.isArray(value) && value.every(isText)),
  ],
  featuresIfAny: listOf('columns', isText),
  collapseRepeats: YES_OR_NO,
  minSupport: whole(1),
  minLength: whole(1),
  iterative: YES_OR_NO,
  skipBadRows: BAD_ROWS,
  minItems: whole(0),
} satisfies Table<ReadOptions>;
const DATA = { data: needed(TEXT), read: within('read', READ) } satisfies Table<DataOptions>;
const MIX = {
  dir: needed(TEXT),
  weights: needed([
    'a list of one share from 0 to 1',
    (value) => listOf('', isShare, 1)[1](value) && (value as unknown[]).length === 1,
  ]),
} satisfies Table<Mix>;
const TRAINING = {
  ...DATA,
  model: needed(TEXT),
  out: needed(TEXT),
  preset: TEXT,
  configFile: TEXT,
  config: ['an object of configuration keys', isRecord],
  holdout: whole(0),
  epochs: whole(1),
  seed: whole(0),
  valid: validation('none', 'held-out'),
  catalogue: TEXT,
  backend: OPTIONS.backend,
} satisfies Table<TrainingOptions>;

/** What each function of `aisle/node` takes. */
export const TABLES = {
  inspect: { ...OBSERVER, read: DATA.read },
  train: {
    ...OBSERVER,
    ...TRAINING,
    rules: TEXT,
    from: TEXT,
    scale: ABOVE_0,
    replay: whole(0),
    licence: TEXT,
    sampleSessions: ['a share above 0, at most 1', (value) => isShare(value) && value !== 0],
    refit: oneOf<TrainOptions['refit']>('yes', 'no'),
    log: TEXT,
    threads: whole(1),
    resume: YES_OR_NO,
    keepBest: YES_OR_NO,
    restart: YES_OR_NO,
  } satisfies Table<TrainOptions>,
  split: {
    ...OBSERVER,
    ...DATA,
    by: oneOf<CutOptions['by']>('start', 'end'),
    test: needed(LATE_PART),
    valid: LATE_PART,
    out: needed(TEXT),
  } satisfies Table<SplitOptions>,
  evaluate: {
    ...OBSERVER,
    ...DATA,
    artifacts: needed(listOf('one or more folders', isText, 1)),
    mix: within('mix', MIX),
    combine: oneOf(...SCALES),
    protocol: oneOf(...PROTOCOLS),
    target: oneOf<EvaluateOptions['target']>('valid', 'test'),
    ks: listOf('one or more whole numbers of 1 or more', (value) => isWhole(value, 1), 1),
    seen: oneOf<EvaluateOptions['seen']>('keep', 'drop'),
    candidates: listOf('one or more item ids', isText, 1),
    ranks: TEXT,
    backend: OPTIONS.backend,
  } satisfies Table<EvaluateOptions>,
  search: {
    ...OBSERVER,
    ...TRAINING,
    valid: needed(validation('held-out')),
    ranges: ['texts such as 1..9 by key', (value) => isRecord(value) && Object.values(value).every(isText)],
    trials: whole(1, 10_000),
    metric: oneOf(...['recall', 'mrr', 'ndcg'].flatMap((metric) => CUTS.map((k) => `${metric}@${k}`))),
    onTrial: calls('a function'),
  } satisfies Table<SearchOptions>,
  importWeights: {
    ...OBSERVER,
    from: needed(TEXT),
    weights: needed(TEXT),
    config: needed(TEXT),
    items: needed(TEXT),
    out: needed(TEXT),
    prefix: ['a text', (value) => typeof value === 'string'],
    data: TEXT,
    read: DATA.read,
    licence: TEXT,
  } satisfies Table<ImportOptions>,
  pack: {
    ...OBSERVER,
    artifact: needed(TEXT),
    precision: needed(oneOf(...PRECISIONS)),
    topItems: whole(2),
    mix: within('mix', MIX),
    out: needed(TEXT),
  } satisfies Table<PackOptions>,
  compare: {
    ...OBSERVER,
    ...DATA,
    onRun: calls('a function'),
    test: TEXT,
    out: needed(TEXT),
    models: listOf('names of models', isText),
    preset: TEXT,
    variants: TEXT,
    from: TEXT,
    catalogue: TEXT,
    seeds: whole(1, 100),
    epochs: whole(1),
    valid: validation(),
    holdout: oneOf(2),
    atLeast: TEXT,
    protocol: oneOf(...PROTOCOLS),
    window: ['seconds, at least 60', (value) => isAtLeast(value, 60)],
    backend: OPTIONS.backend,
  } satisfies Table<CompareOptions>,
  catalogue: {
    ...OBSERVER,
    feeds: needed(listOf('one or more paths', isText, 1)),
    out: needed(TEXT),
    columns: named('columns', FIELDS),
    features: listOf('names', isText),
    currency: ['a code of three letters, such as EUR', (value) => isText(value) && /^[A-Z]{3}$/.test(value as string)],
    artifact: TEXT,
    lang: TEXT,
    rules: TEXT,
    skipBadRows: BAD_ROWS,
    now: ['milliseconds since 1970', (value) => isAtLeast(value, 0)],
  } satisfies Table<CatalogueOptions>,
} as const;

/** A function that refuses wrong options before it does its work. @throws RecommenderError `bad-config`. */
export const checked =
  <T, R>(name: keyof typeof TABLES, work: (options: T) => Promise<R>) =>
  async (options: T): Promise<R> => {
    checkOptions(name, options, TABLES[name]);
    return work(options);
  };

/** The same for a function of a path, whose options may be left out, and come in one or more objects. */
export const checkedPath =
  <T extends readonly unknown[], R>(
    name: string,
    work: (path: string, ...options: T) => Promise<R>,
    ...tables: readonly AnyTable[]
  ) =>
  async (path: string, ...options: T): Promise<R> => {
    if (!isText(path)) wrong(`${name}: path`, TEXT[0], path);
    for (const [i, table] of tables.entries()) if (options[i] !== undefined) checkOptions(name, options[i], table);
    return work(path, ...options);
  };

function checkOptions(name: string, options: unknown, table: AnyTable): void {
  if (!isRecord(options)) wrong(name, 'an object of options', options);
  const known = Object.keys(table);
  for (const key of Object.keys(options)) {
    if (known.includes(key)) continue;
    badConfig(`${name}: there is no option \`${key}\`.${didYouMean(key, known)} There are ${known.join(', ')}.`);
  }
  for (const [key, [expected, holds, isNeeded]] of Object.entries(table)) {
    const value = options[key];
    if (value === undefined ? isNeeded : !holds(value)) wrong(`${name}: \`${key}\``, expected, value);
  }
}

function wrong(what: string, expected: string, got: unknown): never {
  return badConfig(`${what}: expected ${expected}, got ${printed(got)}.`);
}
