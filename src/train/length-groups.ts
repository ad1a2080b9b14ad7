/**
 * Rows of a batch in groups of like length, so that short sessions are not padded to the longest of the batch: attention and
 * layers see each group as a rectangle of its own, the loss sees all clicks together, as without groups.
 */

import type { Prepared, TrainingDraw } from '../models/model';
import type { SessionInput } from '../types';
import type { Trainee } from './types';

/** Where a session is among the rows of all groups, and its clicks among their cells. */
interface Cells {
  readonly place: number;
  readonly first: number;
  readonly width: number;
}

/** What `prepare` makes of sessions, in groups where that saves padding, and where each session's cells are. */
export function prepareInGroups<C>(
  { model, config, catalogue, plan }: Trainee<C>,
  sessions: readonly SessionInput[],
  draw?: TrainingDraw,
): { readonly inputs: readonly Prepared[]; readonly cells: readonly Cells[] } {
  const { rows, objective } = plan;
  // Others need all in one rectangle: noise and replacements are drawn for it, draws of a row belong to its cells.
  const isApart =
    rows.kind === 'sequences' && model.positions!.trims?.(config) && objective.negatives.kind !== 'per-row';
  const groups = isApart
    ? lengthGroups(sessions.map(({ items }) => Math.min(items.length, rows.maxLength)))
    : [Int32Array.from(sessions.keys())];
  const cells: Cells[] = [];
  let [first, place] = [0, 0];
  const inputs = groups.map((group) => {
    const own = Array.from(group, (b) => sessions[b]!);
    const prepared = model.prepare(own, config, catalogue, draw);
    const width = prepared.items?.shape[1] ?? 0;
    for (const b of group) {
      cells[b] = { first, width, place: place++ };
      first += width;
    }
    return prepared;
  });
  return { inputs, cells };
}

/** Cells that a further group must save: starting all kernels once more costs about as much as they do. */
const WORTH = 1024;

/**
 * The groups with the fewest cells, Σ rows × longest row + WORTH for each.
 *
 * @param lengths Clicks of each row, `[B]`.
 * @returns Numbers of rows, shorter groups first; inside a group they ascend.
 */
export function lengthGroups(lengths: ArrayLike<number>): Int32Array[] {
  const order = Int32Array.from({ length: lengths.length }, (_, row) => row).sort(
    (a, b) => lengths[a]! - lengths[b]! || a - b,
  );
  // Where a group may end: after the last row of each length.
  const ends = [...order.keys(), order.length].filter(
    (at) => at > 0 && (at === order.length || lengths[order[at]!] !== lengths[order[at - 1]!]),
  );
  // Of the rows up to each end: the fewest cells, and where their last group begins, as a number of `ends`; -1 is the start.
  const fewest: number[] = [];
  const from: number[] = [];
  ends.forEach((end, i) => {
    const width = lengths[order[end - 1]!]!;
    fewest[i] = Number.POSITIVE_INFINITY;
    for (let before = -1; before < i; before++) {
      const begin = before < 0 ? 0 : ends[before]!;
      const cells = (before < 0 ? 0 : fewest[before]!) + (end - begin) * width + WORTH;
      if (cells < fewest[i]!) [fewest[i], from[i]] = [cells, before];
    }
  });
  const groups: Int32Array[] = [];
  for (let i = ends.length - 1; i >= 0; i = from[i]!) {
    groups.unshift(order.slice(from[i]! < 0 ? 0 : ends[from[i]!]!, ends[i]).sort());
  }
  return groups;
}
