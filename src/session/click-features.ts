/** Features of clicks, from the words of a log or a page to the numbers that a model reads. `ClickFeature` says how. */
import { RecommenderError } from '../errors';
import type { ClickFeature, ClickFeatures, SessionInput, Sessions, WantedFeature } from '../types';
import type { ClickLog, FeatureColumn } from './event-log';

/** More values than that are no category: every artifact would carry them all. */
const MOST_VALUES = 50_000;
const DAY = 86_400;
/** Minutes since 1970 of an item that nobody knows to have been new. */
export const UNKNOWN_BIRTH = -(2 ** 31);

type Columns = ReadonlyMap<string, FeatureColumn>;

/** When each item was new, in minutes since 1970, `[n + 1]`; `UNKNOWN_BIRTH` where that is not known. */
export type Births = ArrayLike<number>;

/**
 * When each item was clicked first: what is known of its age at any later click, and at none before.
 *
 * @returns Minutes since 1970, rounded down, `[n + 1]`.
 */
export function firstClicks({ items, times }: Sessions, n: number): Int32Array {
  const births = new Int32Array(n + 1).fill(UNKNOWN_BIRTH);
  items.forEach((item, e) => {
    const minute = Math.floor(times[e]! / 60);
    if (births[item] === UNKNOWN_BIRTH || minute < births[item]!) births[item] = minute;
  });
  return births;
}

const hasTimes = ({ times }: Sessions): boolean => times.some((time) => time !== 0);

/** log(1 + days) since the item was new; 0 before that, NaN where it is not known. */
function ageOf(birth: number | undefined, time: number | undefined): number {
  if (birth === undefined || birth === UNKNOWN_BIRTH || time === undefined) return Number.NaN;
  return Math.log1p(Math.max(0, time - 60 * birth) / DAY);
}

/**
 * How the clicks of a training log are to be numbered.
 *
 * @param wanted What the log has a column for, or is to be an age.
 * @throws RecommenderError `bad-input` if a cell is no number where one must be; `bad-config` if a category has too many
 *   values, or none.
 */
export function describeClicks(wanted: readonly WantedFeature[], log: ClickLog, births: Births): ClickFeatures {
  const { sessions, features } = log;
  const described = wanted.map(({ name, kind, values }): [string, ClickFeature] => {
    const column = features?.get(name);
    if (!column) {
      if (!hasTimes(sessions)) {
        throw new RecommenderError(
          'bad-config',
          `The feature "${name}" needs times, and the log has none; leave it out.`,
        );
      }
      const ages = Float64Array.from(sessions.items, (item, e) => ageOf(births[item], sessions.times[e]));
      return [name, { kind: 'age', ...spread(ages) }];
    }
    if (kind === 'category') return [name, { kind, values: frequent(name, column, values) }];
    const numbers = numbersOf(name, column);
    return [name, kind === 'angle' ? { kind } : { kind, ...spread(column.codes, (code) => numbers[code]!) }];
  });
  return Object.fromEntries(described);
}

/** The values of a column, the most frequent first, of equals the one that the file has first; empty cells are none. */
function frequent(name: string, { codes, names }: FeatureColumn, most = Number.POSITIVE_INFINITY): string[] {
  const counts = new Float64Array(names.length);
  for (const code of codes) counts[code]!++;
  const order = [...names.keys()].filter((code) => counts[code]! > 0 && names[code] !== '');
  order.sort((a, b) => counts[b]! - counts[a]! || a - b);
  if (order.length === 0)
    throw new RecommenderError('bad-config', `The log's column "${name}" is empty; leave it out.`);
  if (Math.min(order.length, most) > MOST_VALUES) {
    throw new RecommenderError(
      'bad-config',
      `The log's column "${name}" has ${order.length} values, expected ${MOST_VALUES} at most for a categorical feature. ` +
        `Write ${name}:categorical:1000 to tell the 1000 most frequent ones apart, or ${name}:numeric.`,
    );
  }
  return order.slice(0, most).map((code) => names[code]!);
}

/** The number that each text of a column is, NaN where it is empty. @throws RecommenderError `bad-input`. */
function numbersOf(name: string, { codes, names }: FeatureColumn): Float64Array {
  const numbers = Float64Array.from(names, numberOf);
  const wrong = codes.find((code) => names[code] !== '' && Number.isNaN(numbers[code]!));
  if (wrong === undefined) return numbers;
  throw new RecommenderError(
    'bad-input',
    `The log's column "${name}" must hold numbers, got ${JSON.stringify(names[wrong]!.slice(0, 80))}. ` +
      `Write ${name}:categorical for values that are no numbers.`,
  );
}

function numberOf(text: string): number {
  const number = text.trim() === '' ? Number.NaN : Number(text);
  return Number.isFinite(number) ? number : Number.NaN;
}

/** Mean and deviation of the values that are known; a deviation of 0 is given as 1. */
function spread(values: ArrayLike<number>, of: (value: number) => number = (value) => value) {
  const known = Float64Array.from(values, of).filter((value) => !Number.isNaN(value));
  const mean = known.reduce((sum, value) => sum + value, 0) / Math.max(1, known.length);
  const variance = known.reduce((sum, value) => sum + (value - mean) ** 2, 0) / Math.max(1, known.length);
  return { mean, deviation: Math.sqrt(variance) || 1 };
}

/**
 * The sessions of a log with the features that a model reads of clicks. A column that the log lacks, an empty cell and a
 * value that training did not know are missing.
 *
 * @throws RecommenderError `bad-input` if a cell is no number where one must be.
 */
export function withFeatures({ sessions, features }: ClickLog, described: ClickFeatures, births: Births): Sessions {
  const names = Object.keys(described);
  if (names.length === 0) return sessions;
  const { items, times } = sessions;
  const isTimed = hasTimes(sessions);
  const columns = names.map((name): [string, Float64Array] => {
    const feature = described[name]!;
    if (feature.kind === 'age') {
      const of = (item: number, e: number) =>
        standardised(feature, ageOf(births[item], isTimed ? times[e] : undefined));
      return [name, Float64Array.from(items, of)];
    }
    const column = features?.get(name);
    if (!column) return [name, new Float64Array(items.length).fill(Number.NaN)];
    if (feature.kind !== 'category') numbersOf(name, column);
    const numbers = column.names.map(reader(feature));
    return [name, Float64Array.from(column.codes, (code) => numbers[code]!)];
  });
  return { ...sessions, features: Object.fromEntries(columns) };
}

const standardised = ({ mean, deviation }: { mean: number; deviation: number }, x: number) => (x - mean) / deviation;

/** What a text is as a number, NaN where it is none that training knew. */
function reader(feature: Exclude<ClickFeature, { kind: 'age' }>): (text: string) => number;
function reader(feature: ClickFeature): (text: string) => number {
  switch (feature.kind) {
    case 'category': {
      const places = new Map(feature.values.map((value, k) => [value, k + 1]));
      return (text) => places.get(text) ?? Number.NaN;
    }
    case 'angle':
      return numberOf;
    default:
      return (text) => standardised(feature, numberOf(text));
  }
}

/** A click as a page or a person reports it. */
export interface ReportedClick {
  /** Item index. */
  readonly item: number;
  /** Seconds since 1970. */
  readonly time: number;
  readonly features?: Readonly<Record<string, number | string>> | undefined;
}

/** Numbers the features of reported clicks as those of the training log. Nothing that a page reports is an error. */
export function clickReader(
  described: ClickFeatures,
  births: Births,
): (clicks: readonly ReportedClick[]) => SessionInput['features'] {
  const readers = Object.entries(described).map(([name, feature]): [string, (click: ReportedClick) => number] => {
    if (feature.kind === 'age') {
      return [name, ({ item, time }) => standardised(feature, ageOf(births[item], time))];
    }
    const read = reader(feature);
    return [name, ({ features }) => read(features && Object.hasOwn(features, name) ? String(features[name]) : '')];
  });
  return (clicks) =>
    readers.length === 0
      ? undefined
      : Object.fromEntries(readers.map(([name, read]) => [name, Float64Array.from(clicks, read)]));
}

/** Columns of clicks that are reported one by one, as those of a file. */
export function columnsOf(
  clicks: readonly { readonly features?: Readonly<Record<string, number | string>> | undefined }[],
): Columns {
  const names = new Set(clicks.flatMap(({ features }) => Object.keys(features ?? {})));
  const column = (name: string): FeatureColumn => {
    const texts = new Map<string, number>();
    const codes = Int32Array.from(clicks, ({ features }) => {
      const text = features && Object.hasOwn(features, name) ? String(features[name]) : '';
      if (!texts.has(text)) texts.set(text, texts.size);
      return texts.get(text)!;
    });
    return { codes, names: [...texts.keys()] };
  };
  return new Map([...names].map((name) => [name, column(name)]));
}
