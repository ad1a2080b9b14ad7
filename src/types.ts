/** Index of an item inside a model: 1…n. Index 0 is padding. The artifact's `items.json` maps indices to ids. */
export type ItemIndex = number;

/** A row-major array of plain numbers: what `prepare` returns, what crosses threads, what a checkpoint holds. */
export interface NdArray<D extends Float32Array | Int32Array = Float32Array | Int32Array> {
  readonly data: D;
  readonly shape: readonly number[];
}

/** Arrays by name. */
export type NdArrays = Readonly<Record<string, NdArray>>;

/** What an id is. `variant`: an id of one of the product's variants, none of which is selected. `url`: an address. */
export type CandidateKind = 'sku' | 'productID' | 'item_id' | 'gtin' | 'mpn' | 'group' | 'variant' | 'platform' | 'url';

/** One id that a page gives for a product. Which of several is the model's is decided when a model is read. */
export interface Candidate {
  /** As the page writes it, without white space around it. */
  readonly id: string;
  /** What sort of id it is. */
  readonly kind: CandidateKind;
  /** Where the page says it, such as `json-ld` or `data-layer`. */
  readonly source: string;
}

/** One session as a model sees it: clicks oldest first, as item indices 1…n, unknown items already left out. */
export interface SessionInput {
  readonly items: ArrayLike<ItemIndex>;
  /** Time of each click in seconds since 1970; absent where the log has none. */
  readonly times?: ArrayLike<number>;
  /** Features of each click by name, one value per click, as `ClickFeature` numbers them; NaN where one is missing. */
  readonly features?: Readonly<Record<string, ArrayLike<number>>>;
  /** This visitor's earlier sessions, oldest first, for models with a profile. */
  readonly earlier?: readonly SessionInput[];
  /** Number of the user from 0, in the order of the training log; absent where the model has not met him or her. */
  readonly user?: number;
}

/**
 * Many sessions in three flat arrays: session s holds events `offsets[s]` … `offsets[s + 1] - 1`.
 * Sessions are in the order of their first event, events inside a session oldest first.
 */
export interface Sessions {
  /** Item index of each event, 1…n. */
  readonly items: Int32Array;
  /** Seconds since 1970 of each event, with fractions; all 0 for logs without times. */
  readonly times: Float64Array;
  /** Start of each session, and one past the end of the last: length = sessions + 1. */
  readonly offsets: Int32Array;
  /**
   * Number of each session's user from 0, in the order of first appearance in the training log; −1 for one who is not in
   * it. Absent where the log names none.
   */
  readonly users?: Int32Array;
  /** Number of each session's visitor: sessions of one number are of one visitor, known to a model or not. Absent likewise. */
  readonly visitors?: Int32Array;
  /** Features of each event by name, as `ClickFeature` numbers them; NaN where one is missing. */
  readonly features?: Readonly<Record<string, Float64Array>>;
}

/** What a model reads of a click beside its item: a column of the log, something of the item, or how old that is. */
export interface WantedFeature {
  readonly name: string;
  /** `category`: values that are equal or not. `number`: standardised. `angle`: a number as it is, for a place in a period. */
  readonly kind: 'category' | 'number' | 'angle';
  /** Of a category: how many values of clicks are distinguished, the most frequent ones. Default: all. */
  readonly values?: number;
  /** What gives it where neither log nor catalogue have it: the model, from the click's time; or the item's age. */
  readonly otherwise?: 'time' | 'age';
}

/**
 * How a feature of clicks becomes a number. It travels with the model, so that the same name means the same number
 * wherever the model is asked.
 *
 * - `category`: the place in `values`, from 1; any other value is missing.
 * - `number`: (x − mean) / deviation.
 * - `angle`: x.
 * - `age`: the same of log(1 + days) since the item was new.
 */
export type ClickFeature =
  | { readonly kind: 'category'; readonly values: readonly string[] }
  | { readonly kind: 'number' | 'age'; readonly mean: number; readonly deviation: number }
  | { readonly kind: 'angle' };

export type ClickFeatures = Readonly<Record<string, ClickFeature>>;

/** What a model knows of the catalogue it ranks. */
export interface Catalogue {
  /** Number of real items n; indices run 1…n. */
  readonly items: number;
  /** Events of each item in the training log, `[n + 1]`, entry 0 unused; needed to draw popularity-weighted negatives. */
  readonly support?: ArrayLike<number>;
  /** Item features by name, each `[n + 1]` or `[n + 1, width]`. */
  readonly features?: NdArrays;
  /** Number of values of each category of clicks, by name. */
  readonly categories?: Readonly<Record<string, number>>;
}

/** Scores every item for sessions: what evaluation, ranking and recommending need of any model, neural or counted. */
export interface Scorer {
  /** Number of real items n. */
  readonly items: number;
  /** How many of the same visitor's earlier sessions it reads. Default 0. */
  readonly earlier?: number;
  /**
   * Of a counting model: whether a score is evidence of this session. Other scores say how popular an item is, and 0 that
   * nothing was counted for it. Absent where every score is evidence, as those of a network are.
   */
  readonly isEvidence?: ((score: number) => boolean) | undefined;
  /** Of a counting model: the scores `[n]` of what it has not counted for a session. */
  readonly base?: Float32Array;
  /**
   * Scores of all items for a batch of sessions, each with at least one click.
   *
   * @returns `[sessions, n]` row-major, column i belongs to item index i + 1.
   */
  score(sessions: readonly SessionInput[]): Promise<Float32Array>;
  /**
   * Walks whole sessions click by click and hands out scores after every click but the last: the cheap way to predict
   * every event of a log. Absent where a model has no state to carry; callers then score prefixes.
   *
   * @param visit Called with the scores `[rows, n]` of one batch and, per row, which session it is and which click was
   *   seen last (0-based). All of it is valid until what `visit` returns has settled, for which it is waited.
   */
  scoreSequences?(
    sessions: Sessions,
    visit: (scores: Float32Array, rows: readonly SequenceRow[]) => void | Promise<void>,
  ): Promise<void>;
  dispose(): void;
}

/** One row of `scoreSequences`: after the click at `position` of session `session`. */
export interface SequenceRow {
  readonly session: number;
  readonly position: number;
  /** Columns, each once, in which the row may differ from the scorer's `base`. Absent: it may in all. */
  readonly changed?: Int32Array;
}
