/** The values of side information, click by click; `features.ts` says what it is. */
import type { BatchArray } from '../../objectives/batch';
import type { Catalogue, NdArray, SessionInput } from '../../types';
import type { Prepared } from '../model';

export const KINDS = ['categorical', 'numeric', 'soft', 'cyclic'] as const;
export type Kind = (typeof KINDS)[number];

/** Features that the time of a click tells. */
export const PERIODS: Readonly<Record<string, number>> = { hour: 24, weekday: 7 };

export interface FeatureReading {
  readonly name: string;
  readonly kind: Kind;
  /** How many values a categorical one has; else 0. */
  readonly values: number;
  /** Of a cyclic one. */
  readonly period: number;
}

/**
 * The features of every click as arrays `feature.NAME`: `[B, W]` int32 of categorical ones, `[B · W, columns]` of others.
 *
 * @param clicks For each row the index in its session of the click in column 0 and after: `first`, `count`.
 */
export function prepareFeatures(
  sessions: readonly SessionInput[],
  rows: readonly { readonly first: number; readonly count: number }[],
  width: number,
  features: readonly FeatureReading[],
  catalogue: Catalogue,
): Prepared {
  const prepared: Record<string, BatchArray> = {};
  for (const feature of features) {
    const { name, kind, values, period } = feature;
    const isCategory = kind === 'categorical';
    const columns = kind === 'cyclic' ? 2 : 1;
    const cells = sessions.length * width;
    const data = isCategory ? new Int32Array(cells) : new Float32Array(cells * columns);
    sessions.forEach((session, row) => {
      const valueAt = reader(session, feature, catalogue);
      const { first, count } = rows[row]!;
      for (let t = 0; t < count; t++) {
        const v = valueAt(first + t);
        const cell = row * width + t;
        if (!Number.isFinite(v)) continue; // missing
        if (kind === 'cyclic') {
          data[2 * cell] = Math.sin((2 * Math.PI * v) / period);
          data[2 * cell + 1] = Math.cos((2 * Math.PI * v) / period);
        } else if (!isCategory) data[cell] = v;
        else if (v >= 1 && v <= values) data[cell] = v; // a value that training did not know is missing
      }
    });
    prepared[`feature.${name}`] = {
      data,
      shape: isCategory ? [sessions.length, width] : [cells, columns],
    };
  }
  return prepared;
}

/** A feature's value at a click, NaN where it is missing: from the click, else its item, else its time. */
function reader(session: SessionInput, { name, kind }: FeatureReading, { features }: Catalogue): (t: number) => number {
  const ofClick = session.features && Object.hasOwn(session.features, name) ? session.features[name] : undefined;
  if (ofClick) return (t) => ofClick[t] ?? Number.NaN;
  const ofItem: NdArray | undefined = features && Object.hasOwn(features, name) ? features[name] : undefined;
  if (ofItem) return (t) => ofItem.data[session.items[t]!] ?? Number.NaN;
  const { times } = session;
  const period = PERIODS[name];
  // A log without times has times of 0.
  if (!times || !Array.from(times).some(Boolean) || period === undefined) return () => Number.NaN;
  const first = kind === 'categorical' ? 1 : 0; // value 0 of a categorical feature is a missing one
  const days = name === 'weekday';
  // 1 January 1970 was a Thursday.
  return (t) => first + (Math.floor(days ? times[t]! / 86_400 + 3 : times[t]! / 3600) % period);
}
