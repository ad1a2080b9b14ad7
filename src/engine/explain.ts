/**
 * Explains an item by occlusion: leaves out each click of the session in turn. The effect of a click is how much the item's
 * log-probability falls without it.
 *
 *     effect of click t on item i = ln p(i | x₁ … x_T) − ln p(i | x₁ … x_T without x_t)
 *
 * Zeiler & Fergus, "Visualizing and Understanding Convolutional Networks", ECCV 2014, §4, of pictures.
 */

import { rankAmong } from '../ranking/rank-among';
import { notFinite } from '../ranking/top-k';
import { yieldToEventLoop } from '../train/yield-to-event-loop';
import type { Scorer, SessionInput } from '../types';
import { scaleOf } from './frozen-model';
import type { Model } from './model';
import type { Placed } from './placed';
import type { EngineEvent, ExplainRequest, Explanation } from './types';

/** Most sessions in one slice, so that a recommendation need not wait longer. */
const SLICE_SESSIONS = 32;
/** Most scores in memory, 16 MB: a large catalogue has fewer sessions in a slice. */
const SLICE_SCORES = 4 * 1024 * 1024;
/** Share of the probability that goes to all items alike where something counts: it says nothing of most. */
const UNSAID = 0.01;

/** Runs work that scores, in a slice, with the active adapter if there is one. */
export type Scored = <T>(placement: Placed, work: (model: Model) => Promise<T>, signal: AbortSignal) => Promise<T>;

/** As `Engine.explain`. */
export async function explain(
  placement: Placed,
  scored: Scored,
  { session, user, itemIds }: ExplainRequest,
  signal: AbortSignal,
): Promise<Explanation[]> {
  const { items } = placement;
  const count = placement.info.items;
  const clicks = session.filter(({ itemId }) => items.indexOf(itemId) !== undefined);
  const indexOf = (id: string) => items.indexOf(items.named(id));
  const requested = itemIds.filter((id) => indexOf(id) !== undefined);
  if (clicks.length === 0 || requested.length === 0) return [];
  const columns = requested.map((id) => indexOf(id)! - 1);

  const isSame = (a: EngineEvent, b: EngineEvent) => a.itemId === b.itemId && a.time === b.time;
  // A purchase, which the model reads several times, is one click.
  const events = clicks.filter((click, t) => clicks.findIndex((other) => isSame(click, other)) === t);
  const wholeAndParts = [clicks, ...events.map((event) => clicks.filter((click) => !isSame(click, event)))];
  const inputs = await Promise.all(wholeAndParts.map((part: readonly EngineEvent[]) => items.known(part, user)));
  /** For each session and each requested item. */
  const rows: Float64Array[] = [];
  let whole: { readonly row: Float32Array } & Pick<Scorer, 'isEvidence'> = {
    row: new Float32Array(0),
    isEvidence: undefined,
  };
  const perSlice = Math.max(1, Math.min(SLICE_SESSIONS, Math.floor(SLICE_SCORES / count)));
  for (let from = 0; from < inputs.length; from += perSlice) {
    const block = inputs.slice(from, from + perSlice);
    const score = async (model: Model) => ({
      ...(await scoreAll(model, block)),
      isEvidence: (model.activeAdapter()?.scorer ?? model.scorer).isEvidence,
    });
    const { scores, scale, isEvidence } = await scored(placement, score, signal);
    // no probabilities, so nothing to compare
    if (placement.network && !placement.artifact.info.mix && scale === undefined) return [];
    for (const row of scores) {
      if (row === undefined) rows.push(logShares(items.popularity, columns));
      else rows.push(scale === undefined ? logShares(row, columns) : logSoftmax(row, columns, scale));
    }
    if (from === 0) whole = { row: scores[0]!, isEvidence };
    await yieldToEventLoop();
  }
  const hidden = items.hidden([]);
  return requested.map((itemId, i) => ({
    itemId,
    score: whole.row[columns[i]!]!,
    rank: rankAmong(whole, whole.row, items.popularity, columns[i]!, hidden),
    clicks: events.map((click, t) => ({
      itemId: click.itemId,
      time: click.time,
      effect: rows[0]![i]! - rows[t + 1]![i]!,
    })),
  }));
}

/**
 * The scores of each session, `[n]`; undefined for one without a click. The scale converts scores of a network to logits; undefined
 * if it is unknown.
 */
async function scoreAll(
  model: Model,
  sessions: readonly SessionInput[],
): Promise<{ readonly scores: (Float32Array | undefined)[]; readonly scale: number | undefined }> {
  const { scorer, scale: own } = model.activeAdapter() ?? { scorer: model.scorer, scale: await scaleOf(model) };
  const scale = model.artifact.info.mix ? undefined : own; // mixed scores are shares already
  const scores = await scorer.score(sessions.filter(({ items }) => items.length > 0));
  const wrong = scores.findIndex((score) => !Number.isFinite(score));
  if (wrong >= 0) throw notFinite(scores[wrong]!, 1 + (wrong % scorer.items));
  let row = 0;
  const rows = sessions.map(({ items }) => {
    return items.length > 0 ? scores.subarray(row * scorer.items, ++row * scorer.items) : undefined;
  });
  return { scores: rows, scale };
}

/** ln softmax of scores, times their scale, at some columns. */
function logSoftmax(scores: Float32Array, columns: readonly number[], scale: number): Float64Array {
  let top = Number.NEGATIVE_INFINITY;
  for (const score of scores) top = Math.max(top, score);
  let sum = 0;
  for (const score of scores) sum += Math.exp(scale * (score - top));
  return Float64Array.from(columns, (column) => scale * (scores[column]! - top) - Math.log(sum));
}

/** ln of the share of scores that count something, at some columns. */
function logShares(scores: Float32Array, columns: readonly number[]): Float64Array {
  let sum = 0;
  for (const score of scores) sum += Math.max(0, score);
  const share = (score: number) => (sum > 0 ? Math.max(0, score) / sum : 1 / scores.length);
  return Float64Array.from(columns, (column) =>
    Math.log((1 - UNSAID) * share(scores[column]!) + UNSAID / scores.length),
  );
}
