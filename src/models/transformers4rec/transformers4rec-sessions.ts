/**
 * Sessions as rectangles, padded on the right, with what the objective hides of them.
 *
 * - `items` `[B, W]`, int32; `feature.NAME`, see `features.ts`;
 * - `real` `[B · W, 1]`: 1 for columns that others may see; absent where all are seen, or only earlier ones;
 * - `masked` `[B · W, 1]`: 1 where the mask vector replaces the click and its side information;
 * - `hiddenPairs` `[B, W, W]`: 1 where the row may not see the column, for the two streams of plm;
 * - `last` `[B]`: for inference, the row of `[B · W]` that predicts the next click.
 *
 * Inference asks for what comes after the last click: clm reads there; mlm and rtd append a masked column and read it;
 * plm appends an empty column, which no other column sees, and reads its query stream.
 */

import type { BatchArray } from '../../objectives/batch';
import type { Catalogue, SessionInput } from '../../types';
import type { Prepared } from '../model';
import { checkedWidth, longest } from '../padding';
import { type FeatureReading, prepareFeatures } from './feature-values';
import type { ObjectiveName } from './options';

/** Which clicks of a session are read: `count` from `first` on. */
export interface ReadClicks {
  readonly first: number;
  readonly count: number;
}

export interface T4RecReading {
  /** Clicks that inference keeps of a session. */
  readonly most: number;
  /** Columns of every batch; 0: as many as its longest row. */
  readonly width: number;
  /** Columns after the last click that ask for the next one. */
  readonly append: number;
  readonly objective: ObjectiveName;
  /** Whether clicks see earlier ones only. */
  readonly isCausal: boolean;
  /** Whether clicks to predict give way to the mask vector. */
  readonly masksInput: boolean;
  readonly features: readonly FeatureReading[];
}

export function readSessions(sessions: readonly SessionInput[], reading: T4RecReading, catalogue: Catalogue): Prepared {
  const { most } = reading;
  const rows = sessions.map(({ items: { length } }) => ({
    first: Math.max(0, length - most),
    count: Math.min(length, most),
  }));
  const { prepared, width } = layOut(sessions, rows, reading, catalogue);
  askForNext(prepared, rows, reading, width);
  return prepared;
}

/** The arrays that inference and training share: `items`, features, `real`. */
export function layOut(
  sessions: readonly SessionInput[],
  rows: readonly ReadClicks[],
  { width: fixed, append, objective, isCausal, features }: Omit<T4RecReading, 'most' | 'masksInput'>,
  catalogue: Catalogue,
): { readonly prepared: Record<string, BatchArray>; readonly width: number } {
  const width = fixed === 0 ? longest(rows.map(({ count }) => count + append)) : checkedWidth(fixed);
  const cells = sessions.length * width;
  const items = new Int32Array(cells);
  sessions.forEach((session, row) => {
    const { first, count } = rows[row]!;
    for (let t = 0; t < count; t++) items[row * width + t] = session.items[first + t]!;
  });
  const prepared: Record<string, BatchArray> = {
    items: { data: items, shape: [sessions.length, width], items: 'input' },
    ...prepareFeatures(sessions, rows, width, features, catalogue),
  };
  const seen = rows.map(({ count }) => count + (objective === 'plm' ? 0 : append));
  if (!isCausal && fixed === 0 && seen.some((count) => count < width)) {
    const real = new Float32Array(cells);
    seen.forEach((count, row) => {
      real.fill(1, row * width, row * width + count);
    });
    prepared.real = { data: real, shape: [cells, 1] };
  }
  return { prepared, width };
}

function askForNext(
  prepared: Record<string, BatchArray>,
  rows: readonly ReadClicks[],
  { objective, masksInput }: T4RecReading,
  width: number,
): void {
  const queries = rows.map(({ count }, row) => row * width + (objective === 'clm' ? Math.max(0, count - 1) : count));
  prepared.last = { data: Int32Array.from(queries), shape: [rows.length] };
  if (objective === 'clm') return;
  const masked = new Float32Array(rows.length * width);
  for (const cell of queries) masked[cell] = 1;
  if (masksInput) prepared.masked = { data: masked, shape: [masked.length, 1] };
  if (objective !== 'plm') return;
  const pairs = new Float32Array(masked.length * width);
  queries.forEach((cell, row) => {
    for (let i = 0; i < width; i++) pairs[(row * width + i) * width + (cell % width)] = 1;
  });
  prepared.hiddenPairs = { data: pairs, shape: [rows.length, width, width] };
}
