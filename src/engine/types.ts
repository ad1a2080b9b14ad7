/**
 * The engine: everything that computes, behind one asynchronous interface. It runs in a worker of the page
 * (`worker/`), in the page's own thread where workers cannot start, and in Node. The worker's messages are derived
 * from this interface (`worker/protocol.ts`), never listed.
 *
 * Arguments and results are plain data that can be structured-cloned. Item ids are text; indices never leave the engine.
 */
import type { CatalogueItem } from '../checkpoint/artifact';
import type { Delta, TuneMethod } from '../checkpoint/delta';
import type { BackendChoice, BackendName } from '../compute/types';
import type { HistoryChoice } from '../session/visitor-history';
import type { Candidate } from '../types';

/** Where a model is. */
export interface ModelSource {
  /** Folder of the artifact, absolute, ending in `/`. */
  readonly modelUrl: string;
  /** Most bytes of all its files together. Default `MAX_ARTIFACT_BYTES`. */
  readonly maxBytes?: number | undefined;
}

export interface LoadOptions extends ModelSource {
  readonly backend: BackendChoice;
  /** Backends that the engine must not choose by itself, such as one of which the page has died. Default none. */
  readonly avoid?: readonly BackendName[];
}

export interface ModelInfo {
  /** Of the artifact: the folder that it was trained into. */
  readonly name: string;
  /** Of the artifact: another training has another one. */
  readonly version: string;
  /** Name of the network or of the counting model, such as `gru4rec`. */
  readonly architecture: string;
  /** Of its weights and items: two models with the same one are the same. */
  readonly hash: string;
  /** Number of items that it can recommend. */
  readonly items: number;
  /** Number of trained weights. */
  readonly parameters: number;
  /** Of its parameters, in 32 bits. */
  readonly bytes: number;
  /** What computes. */
  readonly backend: BackendName;
  /** Why this backend, in words. */
  readonly why: string;
  /** Backends that could compute this model on this device; several only if the choice makes a difference. */
  readonly candidates: readonly BackendName[];
}

export interface MoveRequest {
  readonly backend: BackendName;
  /** Why, in words. Default: it was requested. */
  readonly why?: string;
}

export interface Moved {
  readonly model: ModelInfo;
  /** Time of one inference of the artifact's golden session there. */
  readonly milliseconds: number;
}

/** One click as the page knows it: an item id, known to the model or not. */
export interface EngineEvent {
  readonly itemId: string;
  /** Seconds since 1970. */
  readonly time: number;
  /** What is known of the click, by name; the model ignores features that it does not read or know. */
  readonly features?: Readonly<Record<string, number | string>>;
}

export interface RecommendRequest {
  /** The running session, oldest first. */
  readonly session: readonly EngineEvent[];
  /** The visitor's id in the training log, for models that know users. Default: no user. */
  readonly user?: string;
  readonly k: number;
  /** Ids that the answer must not contain. */
  readonly exclude: readonly string[];
  /**
   * What was counted by a strategy, for these items, in place of the model's answer. `related`: the session is one product to
   * relate to; then new products of a catalogue take part, through the known ones that they are like. Default: only the model's
   * items are ranked, by the model.
   */
  readonly strategy?: CountedStrategy | 'related';
}

/** Strategies that training counts; the artifact's `strategies.json` has them. */
export type CountedStrategy = 'bought-together' | 'trending';

/**
 * `neural`: ranked by the artifact's model. `popular`: by its popularity, because it knows no click, or because a counting
 * model has counted nothing for the item. `bought-together`, `trending`: by that strategy. The engine gives these. The recommender
 * says `related` for a request by one item, and `recent` for viewed items; a slot says `rule` for what the shop has pinned.
 */
export type Reason = 'neural' | 'popular' | 'related' | 'recent' | CountedStrategy | 'rule';

export interface RankedItem {
  readonly itemId: string;
  readonly score: number;
  readonly reason: Reason;
}

export interface Recommendations {
  /**
   * Best first; equal scores by ascending item index. Items for which a counting model has counted nothing have the score 0
   * and are ordered by popularity. Fewer than k if there are no more.
   */
  readonly items: readonly RankedItem[];
  /** Time of the inference inside the engine. */
  readonly milliseconds: number;
  /** The backend that answered: another than at `load` if a faster one was found or a device was lost. */
  readonly backend: BackendName;
  /** Why this backend, in words. */
  readonly why: string;
  /** Why the artifact has nothing by the strategy that was asked for. */
  readonly missing?: string;
  /** Why the adapter is not used any more, reported once: the model alone has answered. */
  readonly refusedAdapter?: string;
}

/** How far a load has come. A stage may be reported many times, or not at all. */
export type LoadProgress =
  | { readonly stage: 'download'; readonly file: string; readonly loaded: number; readonly total?: number }
  | { readonly stage: 'backend'; readonly backend: BackendName }
  | { readonly stage: 'check'; readonly backend: BackendName };

export interface ExplainRequest {
  /** As `RecommendRequest.session` and `user`: those of the request whose answer is explained. */
  readonly session: readonly EngineEvent[];
  readonly user?: string;
  /** The items to explain. */
  readonly itemIds: readonly string[];
}

/** What moved one item, and by how much. */
export interface Explanation {
  /** The item that was asked about. */
  readonly itemId: string;
  /** Of the model, on its own scale. */
  readonly score: number;
  /** Its place in a list of all items that may be shown, from 1. */
  readonly rank: number;
  /** The clicks that the model knows, in the order of the session; one that it reads several times, such as a purchase, once. */
  readonly clicks: readonly ClickEffect[];
}

export interface ClickEffect {
  /** The item that was clicked. */
  readonly itemId: string;
  /** Seconds since 1970. */
  readonly time: number;
  /**
   * By how much the natural logarithm of the item's probability is lower without this click. 0.7: half as likely; about 0:
   * the click hardly matters; below 0: the click moved the item down.
   */
  readonly effect: number;
}

/** An event to learn from, with its kind (`view`, `cart`, `purchase`, …). Default `view`. */
export type LearnableEvent = EngineEvent & { readonly event?: string };

export interface FineTuneRequest {
  /** The visitor's sessions, oldest first, each oldest event first. Events that the delta has learnt are skipped. */
  readonly sessions: readonly (readonly LearnableEvent[])[];
  /** Which sessions the model reads before an event, as in a recommendation. Default `session`: the event's own. */
  readonly history?: HistoryChoice;
  /**
   * With `history: 'all'`, the number of readable clicks in earlier sessions that were left out because no event here
   * reads them (`withoutUnread`). Default 0.
   */
  readonly leftOut?: number;
  /** Seconds since 1970: earlier events are read, but not learnt. Default: all are learnt. */
  readonly since?: number;
  readonly user?: string;
  /** Default: that of the delta, else `adapter`. */
  readonly method?: TuneMethod;
  /** The delta to continue from. Default: none. */
  readonly delta?: Delta;
  /** Work after which the slice ends, at least one event. Default 250. */
  readonly milliseconds?: number;
}

export interface FineTuned {
  readonly delta: Delta;
  /** Whether nothing of the sessions is left to learn. */
  readonly done: boolean;
  /** Events and learning steps of this slice. */
  readonly events: number;
  readonly steps: number;
}

/** One event, as it was predicted before it was learnt. */
export interface TuneProgress {
  /** Events so far, including this one. */
  readonly events: number;
  /** Events in all. */
  readonly of: number;
  /** The item of this event. */
  readonly itemId: string;
  /** Place of the item from 1, ties lost, and −ln of its probability, by the model as it is. */
  readonly base: { readonly rank: number; readonly loss: number };
  /** The same by what had been learnt before the event. */
  readonly tuned: { readonly rank: number; readonly loss: number };
}

/** A delta for the model that is loaded, with the ids of items that it does not know; or why there is none. */
export type Migrated = { readonly delta: Delta; readonly dropped: readonly string[] } | { readonly reason: string };

/** A catalogue that lives apart from the model, as its files. */
export interface CatalogueFiles {
  readonly manifest: Blob;
  /** The files that a page reads, by name. */
  readonly files: ReadonlyMap<string, Blob>;
}

export interface CatalogueRequest {
  /** The catalogue's folder, absolute, ending in `/`. */
  readonly url: string;
  /** What was fetched before: only files whose hash has changed are fetched again. */
  readonly have?: CatalogueFiles;
}

/** The catalogue that shows products. */
export interface CatalogueInfo {
  /** Null for the one inside the artifact. */
  readonly version: string | null;
  /** Its products, as far as a page reads them. */
  readonly products: number;
}

/** A file that a thread has loaded. */
export interface LoadedFile {
  readonly url: string;
  /** Bytes over the wire, headers included; 0 from the browser's cache, or of another host that does not let them be measured. */
  readonly bytes: number;
  /** Bytes after decompression; 0 likewise. */
  readonly decodedBytes: number;
  /** HTTP status; 0 if the browser does not report it. */
  readonly status: number;
}

/** How a caller follows and ends a call. `P` is what the call reports while it runs. */
export interface Control<P = never> {
  /** Ends the call early: it rejects with `aborted`. */
  readonly signal?: AbortSignal;
  readonly onProgress?: (progress: P) => void;
}

export interface ForeignIds {
  /** One that is not the model's. */
  readonly id: string;
  /** What the page calls it, such as `sku`. */
  readonly kind: string | undefined;
  /** How many ids there are. */
  readonly tracked: number;
  /** How many of them the model knows. */
  readonly known: number;
}

/**
 * Every method takes at most one argument of plain data, then its `Control`. Methods fail with a `RecommenderError`, or
 * with a `RangeError` for a wrong argument; after `dispose` with `disposed`.
 */
export interface Engine {
  /**
   * Loads an artifact and starts a backend; a second call replaces the first model once the new one is ready. `auto`: the
   * one that starts fastest, WASM, or plain CPU if WASM cannot start. A GPU that fails later is started again, and
   * replaced by the next backend of WebGPU, WebGL, WASM, CPU if that does not help.
   *
   * @throws RecommenderError `bad-artifact` naming the file that is missing, damaged or of another version, or when the
   *   model does not give the answer stored with it; `no-backend` if the requested backend cannot start, or computes
   *   something else; `io` and `timeout` if the network fails.
   */
  load(options: LoadOptions, control?: Control<LoadProgress>): Promise<ModelInfo>;
  /**
   * The k best items for the running session. Clicks that the model does not know are ignored; without a known click
   * the answer is by popularity. Items whose product is not available, and `exclude`, are left out. A device that fails,
   * does not answer in time or computes numbers that are not finite is replaced by the next backend.
   *
   * @throws RecommenderError `not-finite` if the model scores with anything but finite numbers on every backend.
   */
  recommend(request: RecommendRequest, control?: Control): Promise<Recommendations>;
  /**
   * Moves the loaded model to another backend, where it must give its golden answer, and times it there. If that
   * fails, the model stays on its backend.
   *
   * @throws RecommenderError `no-backend`.
   */
  move(request: MoveRequest, control?: Control): Promise<Moved>;
  /**
   * Learns one slice of the new events in the visitor's sessions, by time. Each event is predicted by the base model and by the
   * tuned model, judged by the gate, and learnt. Other calls are answered between two events. Only `setAdapter` changes
   * recommendations. A call that ends early does not change the given delta.
   *
   * @throws RecommenderError `not-tunable` for a counting baseline, or if the scale that turns a network's scores into
   *   probabilities is unknown; `foreign-delta`, `bad-delta`; `aborted`.
   */
  fineTune(request: FineTuneRequest, control?: Control<TuneProgress>): Promise<FineTuned>;
  /**
   * From now on recommends with this adapter; null: with the base model. It applies on every backend, until
   * another model is loaded.
   *
   * @throws RecommenderError `not-tunable`; `foreign-delta` for one of another model; `bad-delta` if it does not fit.
   */
  setAdapter(delta: Delta | null): Promise<void>;
  /**
   * Migrates what was learnt on another version of the model: counts and biases of items that both know. Vectors of
   * the old model are left out, and the gate starts from the beginning.
   */
  migrate(delta: Delta): Promise<Migrated>;
  /**
   * Why these items: each click is left out in turn, and all the sessions are scored together. One click alone is compared
   * with popularity, which would answer without it. Items that the model does not know are left out. The
   * answer is empty if the model knows no click, or if the scale of its scores is unknown.
   *
   * @throws RecommenderError as `recommend`.
   */
  explain(request: ExplainRequest, control?: Control): Promise<readonly Explanation[]>;
  /** Forgets the last session, whose state is cached so that one more click is one more step. */
  forget(): Promise<void>;
  /** Describes what decides which backend is the fastest: the kind of the GPU, the number of cores. */
  device(): Promise<string>;
  /**
   * Fetches and checks the files of a catalogue that lives apart from the model; `setCatalogue` uses them. The model may be
   * loaded before or later.
   *
   * @returns Null if they are those that the caller has.
   * @throws RecommenderError `bad-artifact`, `io` or `timeout`, as `load`.
   */
  fetchCatalogue(request: CatalogueRequest, control?: Control): Promise<CatalogueFiles | null>;
  /**
   * From now on shows these products in place of the artifact's own, also with another model. Items that are not among them, or
   * not available, are left out. Its aliases count before the artifact's.
   *
   * @throws RecommenderError `bad-artifact` naming the file, or if the loaded model knows none of the products; then nothing
   *   changes.
   */
  setCatalogue(files: CatalogueFiles): Promise<CatalogueInfo>;
  /**
   * What the page itself knows of products, in place of what it said before: merged over every catalogue, by id.
   *
   * @returns What is shown: the artifact's own also if a model that was loaded later knows none of the catalogue's products.
   */
  updateProducts(products: readonly CatalogueItem[]): Promise<CatalogueInfo>;
  /** The products of the catalogue: the artifact's `catalogue.json`, or the one apart; empty if there is none. */
  catalogue(): Promise<readonly CatalogueItem[]>;
  /**
   * The products of these ids, in their order; null for one that is not in the catalogue. If there is no
   * catalogue, an item that the model knows is a product with nothing but its id.
   */
  products(ids: readonly string[]): Promise<readonly (CatalogueItem | null)[]>;
  /**
   * The artifact's `rules.json`, not checked; null if it has none.
   *
   * @throws RecommenderError as `load`.
   */
  rules(): Promise<unknown>;
  /**
   * The item of the model that each product's candidates name, null for none. The first candidate that is an item's id or
   * alias decides; a group also stands for its only item. Of variants none of which is selected, the only known one counts.
   */
  resolve(products: readonly (readonly Candidate[])[]): Promise<readonly (string | null)[]>;
  /**
   * The item of the model that the candidates of one product name, else the first id that is a product of the catalogue; null for
   * none.
   */
  identify(candidates: readonly Candidate[]): Promise<string | null>;
  /** An item id of the model that is spelt like this one, to show in a message. */
  nearest(id: string): Promise<string>;
  /** Says that ids of a page are not the model's. */
  foreignIds(found: ForeignIds): Promise<string>;
  /** The files that the engine's thread has loaded. */
  loadedFiles(): Promise<readonly LoadedFile[]>;
  /** Tensors and bytes alive, for the leak tests and the demo's panel. */
  memory(): Promise<{ readonly tensors: number; readonly bytes: number }>;
  /** Frees everything. Calls that are running reject with `disposed`; a second call does nothing. */
  dispose(): Promise<void>;
}
