/** The clicks that a visitor's profile is a mean of. Plain numbers, no tensors. */
import type { SessionInput } from '../types';
import type { Prepared } from './model';
import { longest } from './padding';

/** Most recent clicks that count: longer than nearly all sessions. */
const LENGTH = 200;
/** Weight of a click of a device in the session before, its square in the one before that, and so on. */
const DECAY = 0.7;
/** Seconds without a click between two sessions: the default of the library's option `sessionGap`, which is not read here. */
const GAP = 30 * 60;

/**
 * - `clicks` `[B, S]`: items of the profile, oldest first, padded on the right;
 * - `weights` `[B, 1, S]`: their shares, which sum to 1; all 0 for a visitor without a click.
 *
 * @param isOfDevice Whether clicks of earlier sessions count, and count less.
 */
export function profileClicks(sessions: readonly SessionInput[], isOfDevice: boolean): Prepared {
  const found = sessions.map((session) => weighted(session, isOfDevice));
  const B = sessions.length;
  const S = longest(found.map(({ items }) => items.length));
  const clicks = new Int32Array(B * S);
  const weights = new Float32Array(B * S);
  found.forEach(({ items, weights: raw }, b) => {
    clicks.set(items, b * S);
    const total = raw.reduce((sum, weight) => sum + weight, 0);
    if (total > 0) for (let i = 0; i < raw.length; i++) weights[b * S + i] = raw[i]! / total;
  });
  return {
    clicks: { data: clicks, shape: [B, S], items: 'input' },
    weights: { data: weights, shape: [B, 1, S] },
  };
}

/** Newest click first. Where one list holds several sessions of the visitor, their times separate them. */
function weighted(session: SessionInput, isOfDevice: boolean): { items: number[]; weights: number[] } {
  const items: number[] = [];
  const weights: number[] = [];
  const lists = isOfDevice ? [...(session.earlier ?? []), session] : [session];
  const fades = isOfDevice ? DECAY : 1;
  let weight = 1;
  for (let list = lists.length - 1; list >= 0; list--) {
    const { items: clicked, times } = lists[list]!;
    if (list < lists.length - 1) weight *= fades;
    for (let t = clicked.length - 1; t >= 0 && items.length < LENGTH; t--) {
      if (times && t + 1 < clicked.length && times[t + 1]! - times[t]! > GAP) weight *= fades;
      items.push(clicked[t]!);
      weights.push(weight);
    }
  }
  return { items: items.reverse(), weights: weights.reverse() };
}
