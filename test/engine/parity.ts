/** What Node and a page must agree on: sessions, and Node's answers to them. Runs in both. */
import type { BackendName, EngineEvent, RankedItem } from '../../src/engine/engine';

export const PARITY_MODELS = ['gru4rec', 'sasrec'] as const;
export type ParityModel = (typeof PARITY_MODELS)[number];
export const BACKENDS: readonly BackendName[] = ['cpu', 'wasm'];
export const K = 20;
/** Seconds since 1970: the end of the first session. */
const START = 1_700_000_000;
/** Seconds from one session's end to the next one's, longer than any of them: each begins anew. */
const APART = 86_400;

export interface Parity {
  /** Where the sessions come from, in words. */
  readonly source: string;
  /** Item ids, oldest first, by the session's name. */
  readonly sessions: Readonly<Record<string, readonly string[]>>;
  /** Node's answers by model, backend and session. */
  readonly answers: Readonly<Record<ParityModel, Record<BackendName, Record<string, readonly RankedItem[]>>>>;
}

/** The n-th session as events a minute apart, and the time at which somebody asks what comes next. */
export function timed(ids: readonly string[], n: number): { readonly session: EngineEvent[]; readonly now: number } {
  const now = START + n * APART;
  return { session: ids.map((itemId, t) => ({ itemId, time: now - 90 * (ids.length - t) })), now };
}

/** Scores that differ by less than this may change places: backends sum in different orders. */
const TIE = 2e-5;

/**
 * In which way two answers differ by more than rounding: other scores, other items, another order.
 *
 * @returns Empty where they agree.
 */
export function differences(expected: readonly RankedItem[], got: readonly RankedItem[]): string[] {
  if (expected.length !== got.length) return [`${expected.length} items became ${got.length}`];
  const scores = new Map(expected.map(({ itemId, score }) => [itemId, score]));
  const last = expected.at(-1)?.score ?? 0;
  return got.flatMap(({ itemId, score, reason }, i) => {
    const there = expected[i]!;
    if (reason !== there.reason) return [`reason of place ${i + 1}: ${there.reason} became ${reason}`];
    if (!(Math.abs(score - there.score) < 1e-4)) return [`score of place ${i + 1}: ${there.score} became ${score}`];
    // Another item stands here only where its score is the same, or at the end where it displaced an equal one.
    const own = scores.get(itemId) ?? last;
    const isTied = Math.abs(own - there.score) < TIE;
    return itemId === there.itemId || isTied ? [] : [`place ${i + 1}: ${there.itemId} became ${itemId}`];
  });
}
