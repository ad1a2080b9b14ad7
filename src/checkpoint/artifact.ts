/** What an artifact folder holds, in memory: plain arrays, no tensors, no files. `packArtifact` documents the file form. */
import type { ClickFeatures, NdArrays } from '../types';

/** One product of `catalogue.json`. Only `id` is required. */
export interface CatalogueItem {
  /** The item id of the model. */
  readonly id: string;
  /** What cards show; at most 300 characters of it. */
  readonly title?: string;
  /** The product's page, absolute or relative to the shop's origin. */
  readonly url?: string;
  /** Address of a picture, or a `data:` address. */
  readonly image?: string;
  /** In `currency`. */
  readonly price?: number;
  /** A price that holds for a time, in place of `price`. */
  readonly sale?: Sale;
  /** Code of ISO 4217, such as `EUR`. */
  readonly currency?: string;
  /** The path from the widest level to the narrowest. */
  readonly category?: readonly string[];
  /** Name, as conditions and `diversity` compare it. */
  readonly brand?: string;
  /** Its `item_group_id`. Default: that of the artifact's aliases. */
  readonly group?: string;
  /** `in stock` where absent; what is not available by `isAvailable` is never shown. */
  readonly availability?: string;
  /** Whatever else is published of it: what models, rules and filters read. */
  readonly features?: Readonly<Record<string, number | string>>;
}

export interface Sale {
  readonly price: number;
  /** ISO 8601 with a time zone: the first instant, and the first one after it. Open where absent. */
  readonly from?: string;
  readonly until?: string;
}

/** The product with the price of a moment, in milliseconds since 1970, and without its sale. */
export function pricedAt(given: CatalogueItem, now: number): CatalogueItem {
  if (!given.sale) return given;
  const { sale, ...product } = given;
  if (now < Date.parse(sale.from ?? '') || now >= Date.parse(sale.until ?? '')) return product;
  return { ...product, price: sale.price };
}

/** How else pages and feeds call an item. */
export interface ItemAliases {
  /** Other ids and addresses of it. One that several items have names none of them. */
  readonly also?: readonly string[];
  /** Its `item_group_id`. */
  readonly group?: string;
}

/** By item id. Items that the model does not know count for nothing. */
export type Aliases = ReadonlyMap<string, ItemAliases>;

/** The one item of each alias, and the one of each group; null if there are several. */
export interface AliasNames {
  readonly also: ReadonlyMap<string, string | null>;
  readonly groups: ReadonlyMap<string, string | null>;
}

/**
 * Whether a product may be shown: its availability is absent, `in stock`, `preorder` or `backorder`, also in the
 * spellings of schema.org (`https://schema.org/InStock`) and of shopping feeds (`in_stock`).
 */
export function isAvailable({ availability }: Pick<CatalogueItem, 'availability'>): boolean {
  const word = (availability ?? 'in stock') // null in an unchecked file
    .toLowerCase()
    .split('/')
    .at(-1)!
    .replace(/[^a-z]/g, '');
  return word === 'instock' || word === 'preorder' || word === 'backorder';
}

/** A session with the answer that the model must give to it on every backend. */
export interface GoldenCheck {
  /** Item indices, from 1; at least one. */
  readonly session: readonly number[];
  /** The best items after it, by index, with their scores. */
  readonly top: readonly { readonly index: number; readonly score: number }[];
}

/** A counting model inside the artifact of a network. `ranking/mixture.ts` mixes both, and checks this. */
export interface MixedCounter {
  /** Its name, such as `v-sknn`. */
  readonly architecture: string;
  /** Its settings. */
  readonly config: Readonly<Record<string, unknown>>;
  /** Its share of the probabilities, above 0 and below 1. */
  readonly share: number;
}

/** `manifest.json`, except `files`, which belongs to the file form. */
export interface ArtifactInfo {
  /** Of the folder that it was written into. */
  readonly name: string;
  /** It follows from what pages read: the same training gives the same version; other weights, ids, products or rules give another. */
  readonly version: string;
  /** Name of an architecture or of a counting model, such as `gru4rec`. */
  readonly architecture: string;
  /** The settings of the architecture, by their names there. */
  readonly config: Readonly<Record<string, unknown>>;
  /** Number of items: `items.json` has so many ids, of the indices 1 to n; index 0 is padding. */
  readonly items: number;
  /** Columns of clicks that the model reads beside their items, and how they are numbered; `config` names what it reads besides, such as `hour`. */
  readonly features?: ClickFeatures;
  /** Above 0: what turns scores into logits, softmax(scale · scores) being probabilities. Absent where it was not fitted. */
  readonly scale?: number;
  /** The counting model that is mixed into the network. Default: none is. */
  readonly mix?: MixedCounter;
  /** A session and the answer to it, which every device checks. */
  readonly golden: GoldenCheck;
  /** Data counts, epochs, metrics with protocol, seed, command, software versions; what `aisle train --from` goes on from. */
  readonly training: Readonly<Record<string, unknown>>;
  /** Of the weights: a name, or `UNLICENSED`. */
  readonly licence: string;
  /** What the model is, was trained on and reaches, in Markdown. */
  readonly modelCard: string;
}

/** What `strategies.json` holds; items are indices. */
export interface Strategies {
  readonly boughtTogether?: BoughtTogether;
  readonly trending?: Trending;
}

export interface BoughtTogether {
  /** The kind of event that was counted. */
  readonly of: 'purchase' | 'cart';
  /** How many baskets were counted. */
  readonly baskets: number;
  readonly pairs: Readonly<Record<string, readonly number[]>>;
}

export interface Trending {
  /** Time of the log's newest event, in seconds since 1970. */
  readonly until: number;
  readonly items: readonly number[];
}

export interface Artifact {
  readonly info: ArtifactInfo;
  /** `itemIds[k]` is the id of index k + 1. */
  readonly itemIds: readonly string[];
  /**
   * Weights by name. Besides the parameters of the architecture: `catalogue.support`, `[n + 1]` int32, events of each
   * item in the training log (entry 0 unused), from which popularity answers where a session is empty.
   */
  readonly tensors: NdArrays;
  readonly catalogue?: readonly CatalogueItem[];
  readonly aliases?: Aliases;
  /** `strategies.json` and `rules.json`, to be written. An artifact that was opened reads them by `further`. */
  readonly strategies?: Strategies;
  readonly rules?: readonly unknown[];
  /** `plan.bin`, to be written. An artifact that was opened reads it by `bytes`. */
  readonly plan?: Uint8Array;
}

/** An artifact that was read from its files. */
export interface OpenedArtifact extends Artifact {
  /** Where it has aliases: the names of the items that are known. */
  readonly namesOf?: (known: ReadonlyMap<string, unknown>) => AliasNames;
  /** Whether it has a compiled plan. */
  readonly hasPlan: boolean;
  /**
   * Reads and checks a further file, once; undefined if the manifest does not list it.
   *
   * @throws RecommenderError as `openArtifact`.
   */
  readonly bytes: (name: string) => Promise<Uint8Array | undefined>;
  /**
   * Reads and checks a further JSON file, once; undefined if the manifest does not list it.
   *
   * @throws RecommenderError as `openArtifact`.
   */
  readonly further: (name: string) => Promise<unknown>;
  /** Of its weights and items, from their digests: 64 hexadecimal digits. */
  readonly hash: string;
}

/** Events of each item in the training log, `[n + 1]` int32: every artifact has it. `--from` adds them to those of the artifact before. */
export const SUPPORT_TENSOR = 'catalogue.support';

/** An array of the counting model that is mixed in, by its name there: `mix.sessions.items`. */
export const MIX_PREFIX = 'mix.';

/** What a model reads of its items, by name: `catalogue.features.brand`, `[n + 1]`. */
export const FEATURE_PREFIX = 'catalogue.features.';

/** When each item was new, in minutes since 1970, `[n + 1]` int32; where a model reads how old items are. */
export const BIRTHS_TENSOR = 'catalogue.births';
/** Sessions of the log, if any, for devices that learn: item indices, `[clicks]` int32. */
export const REPLAY_TENSOR = 'catalogue.replay';
/** Where each of these sessions starts, with one past the end of the last, int32. */
export const REPLAY_OFFSETS_TENSOR = 'catalogue.replay-offsets';
/** Whom a model knows by number: 128 bits of the SHA-256 of each user's id, `[users, 4]` int32. */
export const USERS_TENSOR = 'catalogue.users';
