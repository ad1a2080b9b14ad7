/** The public types of the recommender, and the interfaces between its parts. Types only. */
import type { CatalogueItem } from '../checkpoint/artifact';
import type { Delta, GateState, GuardState, TuneMethod } from '../checkpoint/delta';
import type { Rule } from '../checkpoint/rules';
import type { BackendChoice, BackendName } from '../compute/types';
import type {
  CatalogueInfo,
  CountedStrategy,
  Engine,
  EngineEvent,
  Explanation,
  LoadedFile,
  LoadProgress,
  ModelInfo,
  RankedItem,
  Reason,
  Recommendations,
  TuneProgress,
} from '../engine/types';
import type { RecommenderError } from '../errors';
import type { Basket } from '../session/basket';
import type { HistoryChoice, VisitorEvent } from '../session/visitor-history';
import type { EventStore, StorageState } from '../store/event-store';
import type { QuarantinedRecord } from '../store/transactions';
import type { Candidate } from '../types';

/** Everything has a default that a shop could ship, except the model. */
export interface RecommenderOptions {
  /**
   * Folder of the artifact; relative to the page where it is not absolute. Where files cannot be in a folder of their own, their
   * common address with `{file}` in it: `/cdn/aisle-{file}?v=1`.
   */
  readonly modelUrl: string;
  /**
   * Folder of a catalogue that lives apart from the model, as `aisle catalogue` writes it. It is fetched beside the model and again
   * every hour, and replaces the artifact's own. `/catalogue/{en|de}/`: the folder of the page's `lang`, or the first one where no
   * other fits. Default: the catalogue inside the artifact.
   */
  readonly catalogueUrl?: string;
  /**
   * The backend. Default `auto`: begins with the one that starts at once, and changes to the fastest on this device, which is
   * measured when the page is idle. If a named backend does not work, `auto` replaces it.
   */
  readonly backend?: BackendChoice;
  /** Most bytes of all files of the model together; a larger one is refused before a file is fetched. Default 512 MiB. */
  readonly maxModelBytes?: number;
  /** Minutes without a click after which a new session begins. Default 30. */
  readonly sessionGap?: number;
  /** Days after which a stored event is deleted, the next time that a page reads events. Default 30. */
  readonly retention?: number;
  /** Whether events may be stored on the device. Default `auto`: only after the visitor's consent. */
  readonly consent?: ConsentOption;
  /**
   * Which types of Google's Consent Mode allow storing, for `consent: 'auto'`: one or more of `personalization_storage`,
   * `functionality_storage` and `analytics_storage`, separated by `|`. Those that the page sets must all be granted, and one at
   * least. Default: `personalization_storage` must be granted, and `functionality_storage` not be denied.
   */
  readonly consentMap?: string;
  /** Name of the global array that holds the page's Consent Mode commands, for `consent: 'auto'`. Default `dataLayer`. */
  readonly dataLayer?: string;
  /** Which of the visitor's events the model reads. Default `session`: the current session, of all tabs. */
  readonly history?: HistoryChoice;
  /** Whether the visitor's new events are learnt automatically when the page is idle. Default `manual`: by `fineTune`. */
  readonly learn?: LearnChoice;
  /** Which pictures `catalogue` and `products` return. Default `artifact`: those inside the artifact's own files. */
  readonly images?: ImagesChoice;
  /**
   * The worker's script, `worker.js`, in a copy of the library's whole folder `dist/lib`. Default: where the library, or the
   * shop's bundler, has put it.
   */
  readonly workerUrl?: string;
  /** Seconds within which the worker must start; otherwise the page's own thread computes. Default 10. */
  readonly startDeadline?: number;
  /**
   * The visitor's user id in the training log. Only models that know users read it (`caser` with `profile=user`). It stays in this
   * page and is never stored or sent. Default: no user.
   */
  readonly user?: string;
  /** The clock, in milliseconds since 1970. Default `Date.now`. */
  readonly now?: () => number;
}

/** One click, as the page reports it. */
export interface TrackedEvent {
  /** As the page or the model writes it; aliases are resolved. */
  readonly itemId: string;
  /** What the visitor did. Default `view`. */
  readonly event?: string;
  /** Milliseconds since 1970. Default now. */
  readonly time?: number;
  /**
   * Names the page view that reports the event, for example by the page's address and a counter. Within one page view, each kind
   * of event of each item counts once, until another item is viewed. Default: the same within one minute.
   */
  readonly pageView?: string;
  /**
   * Features of the click, numbers or texts, by the names of the training log's columns. They are stored with the event. A model
   * replaces a feature that is missing or unknown by its stated default.
   */
  readonly features?: Readonly<Record<string, number | string>>;
  /**
   * All that the page calls the product, best first: 1 to 8. They are stored with the event. When a model reads it, the first one
   * that the model knows, by an id or an alias, is the item; `itemId` counts if there are no candidates. A view with candidates
   * and the `pageView` of an earlier one completes that one, unless both begin with another `item_id`.
   */
  readonly candidates?: readonly Candidate[];
  /**
   * Of a purchase: the id of its order. It is stored with the event. A purchase of one item counts once in an order, however often
   * a page reports it, also after a reload.
   */
  readonly transaction?: string;
}

/** A recommended product that the visitor chose. */
export interface Selection {
  /** The item that was chosen. */
  readonly itemId: string;
  /** Its place in the list, from 0. */
  readonly index?: number;
  /** The list's name. In the embed, the slot's `id`, or its strategy. */
  readonly list?: string;
  /** Why it was recommended. */
  readonly reason?: Reason;
}

/** A stored click. */
export type StoredClick = Required<Pick<TrackedEvent, 'itemId' | 'event' | 'time'>> &
  Pick<TrackedEvent, 'features' | 'candidates' | 'transaction'>;

export interface RecommendOptions {
  /** How many items, 1 or more. Default 10. */
  readonly k?: number;
  /** Ids to leave out, such as that of the current product. Default none. */
  readonly exclude?: readonly string[];
  /** Leaves out products for which it returns false; the next best take their place. Default: all pass. */
  readonly filter?: ProductFilter;
  /** Most items that the filter checks, at least 1, to limit the search if few pass. Default: all. */
  readonly within?: number;
  /** Default `for-you`. */
  readonly strategy?: Strategy;
  /**
   * The current product: the reference of `related` and `bought-together`, and never in an answer. Default: the newest click, for
   * `bought-together` what is in the cart.
   */
  readonly item?: string;
  /** Ends the call early: it rejects with `aborted`. */
  readonly signal?: AbortSignal;
}

/** The ids of the running session: of all tabs and documents where events are stored, else of this document. */
export interface IdCounts {
  /** Different items that the model knows. */
  readonly known: number;
  /** Different ids that it does not know. */
  readonly unknown: number;
  /** 5 of these at most. */
  readonly examples: readonly string[];
  /** Present if all of them are unknown, and fewer than 5: the first one beside an id of the model, in words. */
  readonly why?: string;
}

export interface Diagnosis {
  /** The files that the engine's thread has loaded: the worker, or else the page, with all that the page itself has loaded. */
  readonly files: readonly LoadedFile[];
  /** An item id of the model that is spelt like the given one; absent without a model. */
  readonly nearest: string | undefined;
}

/** What `status.degraded` reports. A code is stable, the text beside it is not. */
export type DegradationCode =
  /** No worker could be started: the model runs in the page's own thread. */
  | 'no-worker'
  /** The worker has crashed and was started again. */
  | 'worker-restarted'
  /** The backend that was asked for does not work here: another one computes. */
  | 'no-backend'
  /** The browser does not store: events wait in memory. */
  | 'no-storage'
  /** The device has no room: events wait in memory. */
  | 'storage-full'
  /** The oldest events were deleted: the device has no more space, or the visitor more than is kept. */
  | 'storage-short'
  /** There were too many events within a minute: the later ones were not recorded. */
  | 'events-refused'
  /** Some stored records could not be read. They are kept apart, and exported. */
  | 'records-set-aside'
  /** Some stored events are more than a day ahead of the device's clock. They are left out until it has come to them. */
  | 'events-ahead'
  /** The device has not confirmed that it erased what was stored. */
  | 'not-erased'
  /** What was learnt cannot be used any more. */
  | 'learnt-set-aside'
  /** What was learnt could not be stored, and ends with this page. */
  | 'learnt-not-stored'
  /** Automatic learning has failed. */
  | 'learning-failed'
  /** The fastest backend could not be determined. */
  | 'trials-failed'
  /** The page's consent platform cannot be read yet. */
  | 'consent-unread'
  /** The page's consent platform grants only what does not count here. */
  | 'consent-ignored'
  /** The model does not know five of the ids of this session. */
  | 'unknown-ids'
  /** The catalogue of `catalogueUrl` cannot be had: the last good one, or the artifact's own, is shown. */
  | 'catalogue-stale'
  /** The artifact lacks what a strategy needs. */
  | 'no-strategy'
  /** Rules of the shop are wrong, or cannot be read. */
  | 'bad-rules';

/** A degraded state. Recommending continues. */
export interface Degradation {
  /** What a page branches on. */
  readonly code: DegradationCode;
  /** A sentence for a person, with what to do where there is something. */
  readonly message: string;
  /** Milliseconds since 1970. */
  readonly since: number;
}

export interface Status {
  /** The backend, its thread, and the reason; absent until the model is ready. */
  readonly engine?: { readonly backend: BackendName; readonly thread: 'worker' | 'main'; readonly why: string };
  /** What recommends; absent until it is loaded. */
  readonly model?: ModelInfo;
  /** The catalogue that is shown; absent while that is the artifact's own, without a word of the page. */
  readonly catalogue?: CatalogueInfo;
  /** Where the visitor's events are. `idle`: they may be stored, but the database has not answered yet. */
  readonly storage: StorageState;
  /** The strictest answer, which counts. */
  readonly consent: Consent;
  /** The answer of each source of consent; the strictest counts. An absent source is missing. */
  readonly consentBy: ConsentWords;
  /** Whether `privacy.pause` has stopped recording and learning. */
  readonly paused: boolean;
  /** Learning on this device; absent until something is learnt or requested. */
  readonly learning?: LearningStatus;
  /** How many ids of the running session the model knows. */
  readonly ids: IdCounts;
  /** One entry for each code. */
  readonly degraded: readonly Degradation[];
}

export interface RecommenderEvents {
  /** The model is loaded. */
  readonly ready: ModelInfo;
  /** A list that was recommended, best first, and how long the model took for it. */
  readonly recommendations: { readonly items: readonly RankedItem[]; readonly milliseconds: number };
  /** `status` has changed. */
  readonly status: Status;
  /** How much of the model is loaded. */
  readonly progress: LoadProgress;
  /**
   * Tracked events that the device has acknowledged: they outlive this page, and a crash of its tab or of the browser.
   * Once each, in the order in which they were tracked. None before consent, nor while `storage` is `memory`.
   */
  readonly stored: { readonly events: readonly StoredClick[] };
  /**
   * All data of the visitor are erased, so clear what you show of them. By this page's `privacy`, or `elsewhere`: by another tab or
   * the browser.
   */
  readonly erased: { readonly by: 'page' | 'elsewhere' };
  /** The visitor chose a recommended product: what `select` was called with. */
  readonly select: Selection;
  /** Another catalogue is in effect, or `update` has changed products: what is shown may have another price, or be sold out. */
  readonly catalogue: CatalogueInfo;
  /** The model could not be loaded (see `retry`), or a recommendation failed; aborted calls are no errors. */
  readonly error: RecommenderError;
}

export interface Recommender extends LearningCalls {
  /** Adds a click to the session and returns at once; `stored` tells when it is on the device. Paused, it does nothing. */
  track(event: string | TrackedEvent): void;
  /** The next items, best first; fewer than `k` where there are no more. Waits for the model. */
  recommend(options?: RecommendOptions): Promise<readonly RankedItem[]>;
  /** Tells the listeners of `select` that the visitor chose a recommended product. The embed calls it for its slots. */
  select(selection: Selection): void;
  /**
   * The item of the model that these candidates of one product name, else the first that is a product of the catalogue; null for
   * none. Waits for the model.
   */
  identify(candidates: readonly Candidate[]): Promise<string | null>;
  /** Facts to find out why ids do not match, or what was loaded, about this id. Does not wait for the model. */
  diagnose(id: string): Promise<Diagnosis>;
  /**
   * What the visitor has in the cart and has bought within a day, as item ids, by the events `cart`, `remove` and `purchase` of
   * all tabs. Waits for the model, which says which items the events are of.
   */
  basket(): Promise<Basket>;
  /**
   * The shop's rules for slots, from `rules.json` of the catalogue, or else of the artifact; those that are wrong are left out, and `status.degraded` names them.
   * Waits for the model.
   */
  rules(): Promise<readonly Rule[]>;
  /** The products of the catalogue: of `catalogueUrl`, or the artifact's `catalogue.json`. Waits for the model. */
  catalogue(): Promise<readonly CatalogueItem[]>;
  /**
   * What the page itself knows of products, such as a price or that one is sold out, for this page's lifetime. It is merged over
   * the catalogue by id, whichever is in effect; what was said before of other fields stays. A product that the catalogue does
   * not have is added. Resolves when it counts.
   *
   * @throws RangeError for a wrong product; RecommenderError `io` if the script that does it cannot be loaded.
   */
  update(products: readonly CatalogueItem[]): Promise<void>;
  /**
   * The products of these ids, in their order, to show them; null for one that the catalogue does not have. Without a
   * catalogue, an item of the model is a product of which only the id is known. Waits for the model.
   */
  products(ids: readonly string[]): Promise<readonly (CatalogueItem | null)[]>;
  /**
   * Loads the model again where that has failed, as it does without a network; where the model is there or on its way, it
   * only waits for it. The visit, the visitor's answers and the listeners stay. Rejects as `error` tells.
   */
  retry(): Promise<void>;
  readonly privacy: Privacy;
  readonly status: Status;
  /** @returns Unsubscribes. */
  on<E extends keyof RecommenderEvents>(event: E, listener: (detail: RecommenderEvents[E]) => void): () => void;
  /** Stores what waits to be, stops the worker and frees the model. Calls that wait reject with `disposed`; a second call does nothing. */
  dispose(): Promise<void>;
}

/**
 * `for-you`: by the clicks that `history` lets count. `related`: by one item alone, as if it were the only click; every
 * architecture answers that. `popular`: by the training log. `recent`: what the visitor looked at last, newest first.
 * `bought-together`: what baskets of the training log have beside one item, or beside what is in the cart. `trending`: what more
 * visitors looked at in the newest days of the log than before.
 */
export type Strategy = 'for-you' | 'related' | 'popular' | 'recent' | CountedStrategy;

/** Whether a product may be recommended. It runs in the page; without a catalogue, it gets the id alone. */
export type ProductFilter = (product: CatalogueItem) => boolean;

/**
 * `artifact`: pictures that are inside the artifact's own files, so that showing one makes no request. `page`: also
 * addresses, from which a page loads each picture that it shows; their host then sees what was recommended. `none`.
 */
export type ImagesChoice = 'artifact' | 'page' | 'none';

/**
 * `granted` and `denied`: the visitor's answer. `manual`: the page calls `privacy.consent`. `auto`: the page's consent platform
 * (Google Consent Mode, IAB TCF) and `privacy.consent`; without consent, nothing is stored. Global Privacy Control counts
 * with every value.
 */
export type ConsentOption = 'auto' | 'granted' | 'denied' | 'manual';

export type ConsentAnswer = 'granted' | 'denied';

/**
 * `unknown`: no source has answered, or one has still to answer; or, if the browser's tabs cannot send each
 * other messages, what was stored is gone for an unknown reason. Only `granted` stores.
 */
export type Consent = ConsentAnswer | 'unknown';

/**
 * `page`: the option `consent` and `privacy.consent`. `other-tab`: a denial in another tab counts here, until
 * there is a new consent.
 */
export type ConsentSource = 'privacy-control' | 'page' | 'consent-mode' | 'tcf' | 'shopify' | 'other-tab';

/** The answer of a source. `waiting`: it is present, but has not answered, or its answer is not reliable. */
export type ConsentWord = ConsentAnswer | 'waiting';

/** A source that is absent or gives no answer is missing. */
export type ConsentWords = Readonly<Partial<Record<ConsentSource, ConsentWord>>>;

export interface Privacy {
  /**
   * Everything that is known of the visitor, of every tab if it is stored, as readable JSON. Waiting events are
   * stored first: with `storage: 'indexeddb'`, all of the export is on the device.
   *
   * @throws RecommenderError `io` if the script that makes it cannot be loaded.
   */
  export(): Promise<PrivacyExport>;
  /**
   * Erases every trace of the visitor, in memory and on the device, in every tab. What is tracked later starts a new history. Paused
   * pages stay paused until they are left; the device forgets the pause, too.
   *
   * @throws RecommenderError `io` if the device does not confirm it.
   */
  erase(): Promise<void>;
  /**
   * The visitor's answer. `granted`: what was and will be tracked is stored, unless Global Privacy Control is on or, with
   * `consent: 'auto'`, the page's consent platform says otherwise. `denied`: what is stored is erased and no tab stores
   * again; events stay in each page's memory. `status.consent` has the result.
   *
   * @throws RangeError for another answer; RecommenderError `io` if the device does not confirm that it erased.
   */
  consent(answer: ConsentAnswer): Promise<void>;
  /**
   * From now on nothing more is recorded or learnt, in every tab; recommendations continue from what is known. It outlasts
   * reloads if events may be stored. It takes effect at once, as `status.paused` shows. The promise resolves when the device
   * has stored it, or cannot; it rejects only with `disposed`.
   */
  pause(): Promise<void>;
  /** Records again what is tracked from now on, in every tab. Settles as `pause` does. */
  resume(): Promise<void>;
}

export interface PrivacyExport {
  /** Tells the file from others. */
  readonly format: 'aisle-export';
  /** Of the format. */
  readonly version: 1;
  /** When, in ISO 8601. */
  readonly exported: string;
  /** The strictest answer, which counts. */
  readonly consent: Consent;
  /** The answers that it combines. */
  readonly consentBy: ConsentWords;
  /** Where the events are. */
  readonly storage: 'idle' | 'memory' | 'indexeddb';
  /** What recommends; absent until it is loaded. */
  readonly model?: { readonly name: string; readonly version: string };
  /** Oldest first, as are their events, under the ids that the model knows; times in ISO 8601. */
  readonly sessions: readonly (readonly (Pick<
    VisitorEvent,
    'event' | 'itemId' | 'features' | 'candidates' | 'transaction'
  > & {
    readonly time: string;
  })[])[];
  /** What was learnt from them; absent where nothing was. */
  readonly learnt?: Learnt;
  /** Stored records that could not be read, and why. */
  readonly unreadable: readonly QuarantinedRecord[];
  /** What was found out about the device, not the visitor: which backend computes the fastest. */
  readonly device?: unknown;
  /** The visitor's variant in the page's A/B test; absent where none was drawn. */
  readonly variant?: unknown;
  /** What the slots showed last, each list with its time; absent where they showed nothing. */
  readonly lists?: unknown;
}

export type LearnChoice = 'auto' | 'manual';

/** Learning from the visitor on this device. All of its code is loaded on demand. */
export interface LearningCalls {
  /**
   * Learns the visitor's new events in short slices, and stores each slice; with `learn: 'auto'` that happens automatically. The
   * result is used only while it predicts this visitor's clicks better than the base model: see `status.learning`. If another tab
   * learns, the call waits. The calls of one page run one after another.
   *
   * @returns What `status.learning` says when nothing is left to learn.
   * @throws RangeError for a wrong option; RecommenderError `not-allowed` while recording is paused, storing denied, the page
   *   hidden, or data to be saved; `aborted` by `signal`, a pause, an erasure, by another tab that forgets or imports what is
   *   learnt, when the page is hidden, or before the next slice once data is to be saved; `not-tunable` where the model is a
   *   counting baseline, or nothing tells what turns its scores into probabilities.
   */
  fineTune(options?: FineTuneOptions): Promise<LearningStatus>;
  /**
   * Which of the visitor's clicks moved an item up or down, and by how much.
   *
   * @returns Null where nothing can be said: an item or clicks that the model does not know, or no probabilities.
   */
  explain(itemId: string): Promise<Explanation | null>;
  readonly taste: Taste;
}

/**
 * Options of `fineTune`. Learning also stops when the page is hidden or left, or the visitor saves data. Finished slices stay.
 */
export interface FineTuneOptions {
  /**
   * `adapter`: a few vectors and counts beside the model, a few kB. `full`: all of its weights. Default: the method used before, at
   * first `adapter`. A different method starts from the beginning.
   */
  readonly method?: TuneMethod;
  /** Ends the call early: it rejects with `aborted`. Finished slices stay. */
  readonly signal?: AbortSignal;
  /** Called for every event, with its prediction from before it was learnt. */
  readonly onProgress?: (progress: TuneProgress) => void;
}

export interface Taste {
  /**
   * What was learnt, as a file that only the passphrase opens: for another browser or device of the same visitor. It holds
   * which items were learnt from, how much each counts, and the time of the newest event; no other time, and no single events.
   *
   * @param passphrase At least 8 characters.
   * @throws RangeError for a shorter one; RecommenderError `nothing-learnt`; `insecure-context` in a page without https.
   */
  export(passphrase: string): Promise<Uint8Array>;
  /**
   * Goes on from such a file, in every tab; what was learnt here before is replaced.
   *
   * @throws RecommenderError `wrong-passphrase`; `bad-delta` for a file that is cut off, damaged or none of ours;
   *   `foreign-delta` where it was learnt on another model and nothing of it can be carried over; `not-allowed` while the
   *   visitor does not want it; `aborted` where all is erased or forgotten meanwhile; `insecure-context` in a page without
   *   https.
   */
  import(file: Uint8Array, passphrase: string): Promise<LearningStatus>;
  /**
   * Forgets what was learnt, in every tab. The events stay, and are not learnt again: what is learnt next is of later ones.
   *
   * @throws RecommenderError `io` where the device does not confirm it: this page has forgotten, and tries again later.
   */
  forget(): Promise<void>;
}

/** What was learnt, and whether it is used. */
export interface LearningStatus {
  /**
   * `idle`: nothing is being learnt. `waiting`: for another tab that learns, or until the page is idle. `learning`. `unable`: this
   * model cannot learn here, for the reason in `why`.
   */
  readonly state: 'idle' | 'waiting' | 'learning' | 'unable';
  /** Why it cannot learn, in words. */
  readonly why?: string;
  /** What is learnt: an adapter, or all parameters. */
  readonly method: TuneMethod;
  /** Events that were learnt or refused. */
  readonly events: number;
  /** Updates of the weights so far. */
  readonly steps: number;
  /** Size of what was learnt. */
  readonly bytes: number;
  /** Where it is: nothing yet, in this page's memory, or on the device. */
  readonly storage: 'none' | 'memory' | 'indexeddb';
  /** Whether what was learnt is used, and by what evidence. */
  readonly gate: GateStatus;
  /** Events that look like no visitor's, and were not learnt, by kind. */
  readonly refused: GuardState['refused'];
  /** The newest 30 of those that this page has learnt, the newest last. They are not stored. */
  readonly latest: readonly PredictedEvent[];
}

/** An event that was learnt, as it was predicted before: by the model alone, and with what had been learnt. */
export type PredictedEvent = Pick<TuneProgress, 'itemId' | 'base' | 'tuned'>;

/** Whether what was learnt answers, and the numbers. */
export interface GateStatus extends Pick<GateState, 'isOpen' | 'events' | 'openings' | 'rollbacks'> {
  /** Mean reciprocal rank of the events before they were learnt, by the model as it is. */
  readonly base: number;
  /** The same with what had been learnt. */
  readonly tuned: number;
  /** How many times likelier the events are if tuned predicts this visitor better; it opens at 5, twice that after each rollback. */
  readonly evidence: number;
  /** In words. */
  readonly why: string;
}

export interface Learnt {
  /** Of this object; another number has other fields. */
  readonly format: 1;
  /** What was learnt: an adapter, or all parameters. */
  readonly method: Delta['method'];
  /** What it was learnt on. */
  readonly model: { readonly name: string; readonly version: string; readonly hash: string };
  /** That were learnt or refused. */
  readonly events: number;
  /** Updates of the weights. */
  readonly steps: number;
  /** Time of the newest event that was learnt, in ISO 8601. */
  readonly through?: string;
  /** Size of what was learnt. */
  readonly bytes: number;
  /** Where it is. */
  readonly storage: LearningStatus['storage'];
  /** Whether it is used, and the numbers. */
  readonly gate: GateStatus;
  /** Events that look like no visitor's, and were not learnt, by kind. */
  readonly refused: LearningStatus['refused'];
  /** The newest events, oldest first, learnt or refused: how fast and how alike they come tells a machine. */
  readonly recent: readonly { readonly itemId: string; readonly time: string }[];
  /** Every item that was learnt from, with the visitor's events of it, older ones counting less. */
  readonly items: readonly Pick<Pull, 'itemId' | 'events'>[];
  /** The most frequent first. Levels of a category are joined by ` > `. */
  readonly favourites: { readonly categories: readonly Favourite[]; readonly brands: readonly Favourite[] };
  /** The strongest first. */
  readonly pulls: readonly Pull[];
}

/** One thing of which the visitor chose more than of others. */
export interface Favourite {
  /** The brand, or the levels of the category joined by ` > `. */
  readonly name: string;
  /** The visitor's events of it, older ones counting less. */
  readonly events: number;
  /** Of the visitor's events of which it is known, older ones counting less, 0…1. */
  readonly share: number;
}

/** An item that what was learnt moves up. */
export interface Pull {
  /** The item that is more, or less, likely. */
  readonly itemId: string;
  /** From the catalogue, where that has the item. */
  readonly title?: string;
  /** The visitor's events of it, older ones counting less. */
  readonly events: number;
  /** By how much it was learnt to be likelier, as a natural logarithm; beside what its counted events say. */
  readonly learnt: number;
}

/** @param isNew Whether the answer was given just now. An older consent does not revoke a later denial. */
export type ConsentReport = (source: ConsentSource, word: ConsentWord | undefined, isNew: boolean) => void;

/** A checked call of `recommend`. */
export interface Question {
  readonly strategy: Strategy;
  readonly k: number;
  readonly exclude: readonly string[];
  /** What `related` items are related to. Default: the newest click. `exclude` holds it already. */
  readonly item?: string | undefined;
  /** What is in the cart. */
  readonly cart: () => Promise<readonly string[]>;
  readonly filter?: ProductFilter | undefined;
  /** How many of the best the filter looks at. Default: all. */
  readonly within?: number | undefined;
  readonly signal?: AbortSignal | undefined;
  /** Who asks, for models that know users. */
  readonly user?: string | undefined;
  /** Seconds since 1970. */
  readonly now: number;
  /** The clicks that count, oldest first. */
  readonly clicks: readonly EngineEvent[];
}

/** What a question needs of the engine. */
export type Answerer = Pick<Engine, 'recommend' | 'products'>;

export type Answer = Pick<Recommendations, 'items' | 'milliseconds'>;

export interface AdapterStoreParts {
  readonly engine: Pick<Engine, 'setAdapter' | 'migrate'>;
  readonly store: Pick<EventStore, 'beside'>;
  readonly status: () => Status;
  readonly degrade: (code: DegradationCode, message: string) => void;
  readonly mend: (code: DegradationCode) => void;
}

export interface FineTuningParts extends AdapterStoreParts {
  readonly engine: Pick<Engine, 'setAdapter' | 'explain' | 'fineTune' | 'migrate' | 'products'>;
  readonly store: Pick<EventStore, 'begin' | 'beside' | 'flush' | 'hears' | 'refresh'>;
  readonly history: {
    sessions(): readonly (readonly VisitorEvent[])[];
    at(now: number): readonly VisitorEvent[];
  };
  readonly options: {
    readonly learn: LearnChoice;
    readonly history: HistoryChoice;
    readonly user?: string | undefined;
    /** Minutes. */
    readonly sessionGap: number;
    /** Milliseconds since 1970. */
    readonly now: () => number;
  };
  readonly update: (change: Pick<Status, 'learning'>) => void;
  readonly on: Recommender['on'];
  /** Settles when the model is loaded. */
  readonly ready: () => Promise<unknown>;
  /** Settles when the page is idle. Default: as the browser reports it. */
  readonly idle?: () => Promise<unknown>;
}

export interface FineTuning extends LearningCalls {
  /**
   * Reads and activates the stored adapter after it, or the model, has changed.
   *
   * @param mayHaveChanged Whether it is read again, though it was read before.
   */
  look(mayHaveChanged: boolean): Promise<void>;
  /** There may be new events: with `auto`, they are learnt when the page is idle. */
  wake(): void;
  /** Quarantines the active adapter, which the engine has stopped using; `status` says so. */
  quarantineActive(why: string): Promise<void>;
  /** Settles when the engine holds no adapter of an erased visit. */
  settled(): Promise<void>;
  /** The adapter in a readable form; undefined if nothing was learnt. */
  learnt(): Promise<Learnt | undefined>;
  close(): void;
}
