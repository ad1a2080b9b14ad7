/** How much a visitor's own past tells about the next click, beyond what everybody's clicks tell. */
import type { SimulatedLog } from '../../../src/pipeline/simulate/simulate';
import { mrrAt } from '../../../src/train/metrics';

export interface PersonalGain {
  /** Predictions of visitors with at least 20 earlier events. */
  readonly predictions: number;
  /** MRR@20 of what most often followed the last item, over all visitors. */
  readonly population: number;
  /** The same mixed with the visitor's own earlier items and kinds. */
  readonly personal: number;
}

/** Share of the visitor's own counts in the mixture: half for items, half for kinds. */
const OWN = 0.3;

/** Trains on the first nine tenths of the sessions; in the last tenth every event is predicted, then learnt. */
export function personalGain({ shop, offsets, items, visitors }: SimulatedLog): PersonalGain {
  const n = shop.products.length;
  const sessions = offsets.length - 1;
  const first = Math.floor(sessions * 0.9);
  const follows = new Float64Array(n * n);
  const popularity = new Float64Array(n);
  const past = new Map<number, number[]>();
  const remember = (visitor: number, item: number) => {
    const list = past.get(visitor);
    if (list) list.push(item);
    else past.set(visitor, [item]);
  };
  for (let s = 0; s < first; s++) {
    for (let e = offsets[s]!; e < offsets[s + 1]!; e++) {
      popularity[items[e]!]! += 1;
      if (e > offsets[s]!) follows[items[e - 1]! * n + items[e]!]! += 1;
      remember(visitors[s]!, items[e]!);
    }
  }
  const ofKind = new Float64Array(shop.listing.length);
  shop.products.forEach(({ kind }, item) => {
    ofKind[kind]! += popularity[item]!;
  });

  let predictions = 0;
  let population = 0;
  let personal = 0;
  for (let s = first; s < sessions; s++) {
    for (let e = offsets[s]!; e < offsets[s + 1]!; e++) {
      const own = past.get(visitors[s]!) ?? [];
      if (e > offsets[s]! && own.length >= 20) {
        const row = follows.subarray(items[e - 1]! * n, (items[e - 1]! + 1) * n);
        const total = row.reduce((sum, count) => sum + count, 0) || 1;
        const everybody = row.map((count) => count / total);
        const mixed = everybody.map((share) => (1 - OWN) * share);
        for (const item of own) {
          const { kind } = shop.products[item]!;
          mixed[item]! += OWN / 2 / own.length;
          for (let other = shop.listing[kind]!; other < shop.listing[kind + 1]!; other++) {
            mixed[other]! += ((OWN / 2 / own.length) * popularity[other]!) / (ofKind[kind]! || 1);
          }
        }
        predictions++;
        population += mrrAt(rank(everybody, items[e]!), 20);
        personal += mrrAt(rank(mixed, items[e]!), 20);
      }
      remember(visitors[s]!, items[e]!);
    }
  }
  return { predictions, population: population / predictions, personal: personal / predictions };
}

/** Ties lost. */
function rank(scores: Float64Array, target: number): number {
  return scores.reduce((above, score) => above + (score >= scores[target]! ? 1 : 0), 0);
}
