/**
 * Several scorers of one catalogue as one: an ensemble, or a network mixed with counting.
 *
 *     p(i) = Σₘ wₘ pₘ(i)      Σ wₘ = 1
 *
 * `probabilities`: pₘ is the softmax of a network's scores, and a counting model's scores, which are no logits, divided by their
 * sum; one below 0, such as V-SkNN gives to what was counted against, has no share of it. `standard`: pₘ are scores less their mean over the items, divided by their standard deviation;
 * for networks whose loss is no softmax, so that their scores are no logits either.
 */
import type { Scorer } from '../types';

export const SCALES = ['probabilities', 'standard'] as const;
export type Scale = (typeof SCALES)[number];

export interface Member {
  readonly scorer: Scorer;
  /** Whether its scores are counts of some kind, not logits. */
  readonly isCounted: boolean;
}

/** Brings every row of `[rows, n]` scores to one scale, in place. A row that says nothing becomes all 0. */
export function rescale(scores: Float32Array, n: number, { isCounted }: Pick<Member, 'isCounted'>, scale: Scale): void {
  const one = scale === 'standard' ? standardise : isCounted ? share : softmax;
  for (let start = 0; start < scores.length; start += n) one(scores.subarray(start, start + n));
}

/** A scorer of the weighted mean of the members. Scores of one batch and one member are in memory beside those of the answer. */
export function combined(members: readonly (Member & { readonly weight: number })[], scale: Scale): Scorer {
  const items = members[0]!.scorer.items;
  const other = members.find(({ scorer }) => scorer.items !== items);
  if (other) throw new RangeError(`combined: one scorer has ${items} items, another ${other.scorer.items}.`);
  return {
    items,
    earlier: Math.max(...members.map(({ scorer }) => scorer.earlier ?? 0)),
    async score(sessions) {
      const sum = new Float32Array(sessions.length * items);
      for (const member of members) {
        const scores = await member.scorer.score(sessions);
        rescale(scores, items, member, scale);
        for (let i = 0; i < sum.length; i++) sum[i]! += member.weight * scores[i]!;
      }
      return sum;
    },
    dispose() {
      for (const { scorer } of members) scorer.dispose();
    },
  };
}

function softmax(row: Float32Array): void {
  let top = Number.NEGATIVE_INFINITY;
  for (let i = 0; i < row.length; i++) top = Math.max(top, row[i]!);
  let sum = 0;
  for (let i = 0; i < row.length; i++) {
    const e = Math.exp(row[i]! - top);
    row[i] = e;
    sum += e;
  }
  for (let i = 0; i < row.length; i++) row[i]! /= sum;
}

function share(row: Float32Array): void {
  let sum = 0;
  for (let i = 0; i < row.length; i++) {
    row[i] = Math.max(0, row[i]!);
    sum += row[i]!;
  }
  if (sum > 0) for (let i = 0; i < row.length; i++) row[i]! /= sum;
}

function standardise(row: Float32Array): void {
  let sum = 0;
  let squares = 0;
  for (let i = 0; i < row.length; i++) sum += row[i]!;
  const mean = sum / row.length;
  for (let i = 0; i < row.length; i++) squares += (row[i]! - mean) ** 2;
  const deviation = Math.sqrt(squares / row.length);
  for (let i = 0; i < row.length; i++) row[i] = deviation === 0 ? 0 : (row[i]! - mean) / deviation;
}
