/**
 * How fast a visitor's model learns and how far it may go. One place, one set for all models and shops.
 *
 * Chosen on visitors that no reported figure is of: `test/bench/results/personal.md` says on whom.
 */
export interface AdapterSettings {
  /** Lengths of a step of each part, in its own unit; 0 leaves a part at its start. */
  readonly rates: {
    readonly shift: number;
    readonly gain: number;
    readonly bias: number;
    readonly item: number;
    readonly weights: number;
  };
  /** Start and anchor of the weights: of the base, of the visitor's own items, of each level of the category, of other facets. */
  readonly weights: {
    readonly base: number;
    readonly item: number;
    readonly category: number;
    readonly facet: number;
  };
  /** κ of the visitor priors of items and of attributes, in events. */
  readonly shrink: { readonly item: number; readonly facet: number };
  /** What each event leaves of the counts of earlier ones. */
  readonly decay: number;
  /** Pull towards the start. */
  readonly anchor: number;
  /** Weight of a replayed session beside an event of the visitor. */
  readonly replay: number;
}

export const ADAPTER: AdapterSettings = {
  rates: { shift: 0.3, gain: 0.05, bias: 0.3, item: 0.1, weights: 0.03 },
  weights: { base: 0.8, item: 0.15, category: 0.1, facet: 0.1 },
  shrink: { item: 10, facet: 10 },
  decay: 0.995,
  anchor: 0.01,
  replay: 0.25,
};

/** Bounds that no sequence of events can pass. */
export const CAPS = {
  /** Items with rows of their own: the most clicked stay. */
  rows: 128,
  /** ‖û‖₂ in logits. */
  shift: 2,
  /** |gₖ|. */
  gain: 0.5,
  /** |βᵢ| in logits. */
  bias: 2,
  /** |w|; m stays between its two bounds. */
  weight: 1,
  baseWeight: [0.3, 1.5],
} as const;

/** Above so many items the loss is taken over a sample of them. */
export const SAMPLE_ABOVE = 20_000;
/** Items drawn then, besides the target and the visitor's own. */
export const SAMPLE = 4096;

/** The same for all parameters (`full.ts`), in shares of the length of each. */
export const FULL = {
  rates: { block: 0.02, row: 0.1 },
  caps: { block: 0.1, row: 0.5 },
  anchor: 0.01,
  decay: 0.998,
  /** Parameters of more numbers, such as a vector for each user, stay as they are: a visitor is only one of them. */
  most: 262_144,
  /** Replaces the length, by element, of a vector that starts at zero. */
  zero: 0.05,
} as const;
