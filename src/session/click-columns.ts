/** Features of all clicks of a log: how training numbers them, and the log in those numbers. */
import { RecommenderError } from '../errors';
import type { ClickFeature, ClickFeatures, Sessions, WantedFeature } from '../types';
import { ageOf, type Births, numberOf, reader, standardised, UNKNOWN_BIRTH } from './click-features';
import type { ClickLog, FeatureColumn } from './event-log';
import { hasTimes, refuseNoTimes } from './times';

/** More values than that are no category: every artifact would carry them all. */
const MOST_VALUES = 50_000;

/**
 * When each item was clicked first: what is known of its age at any later click, and at none before.
 *
 * @param known Of an earlier log, with the first of the items.
 * @returns Minutes since 1970, rounded down, `[n + 1]`.
 */
export function firstClicks({ items, times }: Sessions, n: number, known: Births = []): Int32Array {
  const births = new Int32Array(n + 1).fill(UNKNOWN_BIRTH);
  births.set(known);
  items.forEach((item, e) => {
    const minute = Math.floor(times[e]! / 60);
    if (births[item] === UNKNOWN_BIRTH || minute < births[item]!) births[item] = minute;
  });
  return births;
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
      refuseNoTimes(name, sessions);
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

/** Mean and deviation of the values that are known; a deviation of 0 is given as 1. */
export function spread(values: ArrayLike<number>, of: (value: number) => number = (value) => value) {
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
