/**
 * Several scorers of one catalogue as one: an ensemble, or a network mixed with counting.
 *
 *     p(i) = Σₘ wₘ pₘ(i)      Σ wₘ = 1
 *
 * `probabilities`: pₘ is the softmax of a network's scores times their scale (`scale.ts`), and a counting model's scores, which
 * are no logits, divided by their sum; a negative one, such as V-SkNN gives to what was counted against, has a share of 0.
 * `standard`: pₘ are scores less their mean over the items, divided by their standard deviation; for networks whose scale is
 * not known.
 */
import type { Scorer } from '../types';

export const SCALES = ['probabilities', 'standard'] as const;
export type Scale = (typeof SCALES)[number];

export interface Member {
  readonly scorer: Scorer;
  /** Whether its scores are counts of some kind, not logits. */
  readonly isCounted: boolean;
  /** What turns a network's scores into logits. */
  readonly scale?: number;
}

/**
 * Brings every row of `[rows, n]` scores to one scale, in place. A row that says nothing becomes all 0.
 *
 * @throws RangeError for probabilities of a network whose scale is not known.
 */
export function rescale(scores: Float32Array, n: number, member: Omit<Member, 'scorer'>, by: Scale): void {
  const one = by === 'standard' ? standardise : member.isCounted ? share : softmaxOf(member.scale);
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

function softmaxOf(scale: number | undefined): (row: Float32Array) => void {
  if (scale === undefined) throw new RangeError('rescale: no scale turns the scores of this network into logits.');
  return (row) => {
    let top = Number.NEGATIVE_INFINITY;
    for (let i = 0; i < row.length; i++) top = Math.max(top, row[i]!);
    let sum = 0;
    for (let i = 0; i < row.length; i++) {
      const e = Math.exp(scale * (row[i]! - top));
      sum += e + 0 * row[i]!; // NaN where a score is not finite, −∞ included: no answer is made of it
      row[i] = e;
    }
    for (let i = 0; i < row.length; i++) row[i]! /= sum;
  };
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
