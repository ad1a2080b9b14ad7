/** The public types of the recommender. Types only. */
import type { CatalogueItem } from '../checkpoint/artifact';
import type { Rule } from '../checkpoint/rules';
import type { BackendChoice, BackendName } from '../compute/types';
import type {
  CatalogueInfo,
  CountedStrategy,
  LoadedFile,
  LoadProgress,
  ModelInfo,
  RankedItem,
  Reason,
} from '../engine/types';
import type { RecommenderError } from '../errors';
import type { Basket } from '../session/basket';
import type { HistoryChoice } from '../session/visitor-history';
import type { StorageState } from '../store/event-store';
import type { Candidate } from '../types';
import type { LearnChoice, LearningCalls, LearningStatus } from './learning-types';
import type { Consent, ConsentOption, ConsentWords, Privacy } from './privacy-types';

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
  /**
   * The clock, in milliseconds since 1970, of events, visits and what is remembered; sales follow the device's. Default `Date.now`.
   */
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
   * of event of each item counts once, until another item is viewed (one given by `candidates` opens no page view). Default: the
   * same within one minute.
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
  /** The artifact lacks what a strategy needs, or was replaced since the page loaded it. */
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
