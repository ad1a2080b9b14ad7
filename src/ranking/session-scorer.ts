/** Scores of one running session, as a page asks for them: after every click. */
import type { Scorer, SessionInput } from '../types';
import type { ExcludedItems, ScoredItem } from './top-k';

/** Remembers the session it scored last: one that continues it costs its new clicks only, any other starts afresh. */
export interface SessionScorer {
  /** Number of real items n. */
  readonly items: number;
  /**
   * Scores of all items, `[n]`, column i belongs to item index i + 1.
   *
   * @throws RangeError if the session has no click.
   */
  score(session: SessionInput): Promise<Float32Array>;
  /**
   * The k best items, as `topK` of all scores: in one pass, in which no other score is written. Absent where all are needed.
   *
   * @param exclude Items never to answer with.
   */
  topK?(session: SessionInput, k: number, exclude?: ExcludedItems): Promise<ScoredItem[]>;
  /** Frees what is remembered; the next session starts afresh. */
  forget(): void;
  /** Frees everything; the scorer it was opened on stays. */
  dispose(): void;
}

/** Opens a running session on any scorer; those without a state score the whole session each time. */
export function openSession(scorer: Scorer & { openSession?(): SessionScorer }): SessionScorer {
  if (scorer.openSession) return scorer.openSession();
  return {
    items: scorer.items,
    score: (session: SessionInput) => scorer.score([session]),
    forget() {},
    dispose() {},
  };
}
