/**
 * Features of clicks, from the words of a page to the numbers that a model reads. `ClickFeature` says how; `click-columns.ts`
 * does it for a whole log, and finds out how in training.
 */
import type { ClickFeature, ClickFeatures, SessionInput } from '../types';

const DAY = 86_400;
/** Minutes since 1970 of an item whose date is unknown. */
export const UNKNOWN_BIRTH = -(2 ** 31);

/** When each item was new, in minutes since 1970, `[n + 1]`; `UNKNOWN_BIRTH` where that is not known. */
export type Births = ArrayLike<number>;

/** log(1 + days) since the item was new; 0 before that, NaN where it is not known. */
export function ageOf(birth: number | undefined, time: number | undefined): number {
  if (birth === undefined || birth === UNKNOWN_BIRTH || time === undefined) return Number.NaN;
  return Math.log1p(Math.max(0, time - 60 * birth) / DAY);
}

/** What a text is as a number, NaN where it is none. */
export function numberOf(text: string): number {
  const number = text.trim() === '' ? Number.NaN : Number(text);
  return Number.isFinite(number) ? number : Number.NaN;
}

/** A number in deviations from the mean of training. */
export const standardised = ({ mean, deviation }: { mean: number; deviation: number }, x: number) =>
  (x - mean) / deviation;

/** What a text is as a number, NaN where it is none that training knew. */
export function reader(feature: Exclude<ClickFeature, { kind: 'age' }>): (text: string) => number;
export function reader(feature: ClickFeature): (text: string) => number {
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

/** Numbers the features of reported clicks as those of the training log. An unusable report is no error. */
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
