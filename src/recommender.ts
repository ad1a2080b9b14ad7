/** `createRecommender`: the whole story on one screen. The page tracks clicks and asks for items; a worker computes. */

import { abortable } from './abort';
import type { CatalogueItem } from './checkpoint/artifact';
import type { BackendChoice, BackendName } from './compute/types';
import type { LoadProgress, ModelInfo, RankedItem } from './engine/types';
import { RecommenderError, reasonOf } from './errors';
import { checkedEvent, checkedEventName, checkedIds, checkedOptions, checkedRequest } from './recommender/arguments';
import { createComputing } from './recommender/computing';
import type { Consent, ConsentOption, ConsentWords } from './recommender/consent';
import { createLearner } from './recommender/learner';
import type { LearnChoice, LearningCalls, LearningStatus } from './recommender/learning-status';
import { type ImagesChoice, pictured } from './recommender/pictures';
import { createPrivacy, type Privacy } from './recommender/privacy';
import { answer, type ProductFilter, type Strategy } from './recommender/strategies';
import { type HistoryChoice, VisitorHistory } from './session/visitor-history';
import { openDeviceNotes } from './store/device-notes';
import { createEventStore, type StorageState } from './store/event-store';
import type { StoredEvent } from './store/records';
import { startWorkerEngine } from './worker/client';

/** Everything has a default that a shop could ship, except the model. */
export interface RecommenderOptions {
  /** Folder of the artifact; relative to the page where it is not absolute. */
  readonly modelUrl: string;
  /**
   * What computes. Default `auto`: at first what is ready at once; the fastest on this device, measured when the page is
   * idle, takes over. One that is named and does not work is replaced as under `auto`.
   */
  readonly backend?: BackendChoice;
  /** Minutes without a click after which a new session begins. Default 30. */
  readonly sessionGap?: number;
  /** Whether events may be stored on the device. Default `auto`: only after the visitor's yes. */
  readonly consent?: ConsentOption;
  /** Name of the global array in which the page's Consent Mode commands stand, for `consent: 'auto'`. Default `dataLayer`. */
  readonly dataLayer?: string;
  /** What of the visitor's events the model reads. Default `session`: the running session, of all tabs. */
  readonly history?: HistoryChoice;
  /** Whether what is new in the visitor's events is learnt by itself, when the page is idle. Default `manual`: by `fineTune`. */
  readonly learn?: LearnChoice;
  /** Which pictures `catalogue` and `products` hand out. Default `artifact`: those inside the artifact's own files. */
  readonly images?: ImagesChoice;
  /** The worker's script, of the page's own origin. Default: beside the library. */
  readonly workerUrl?: string;
  /** Seconds in which the worker must have started; then the page's own thread computes. Default 10. */
  readonly startDeadline?: number;
  /**
   * Who the visitor is, by the id that the training log has; only models that know users read it (`caser` with
   * `profile=user`). It stays in this page: nothing stores or sends it. Default: nobody in particular.
   */
  readonly user?: string;
  /** The clock, in milliseconds since 1970. Default `Date.now`. */
  readonly now?: () => number;
}

/** One click, as the page reports it. */
export interface TrackedEvent {
  readonly itemId: string;
  /** What the visitor did. Default `view`. */
  readonly event?: string;
  /** Milliseconds since 1970. Default now. */
  readonly time?: number;
  /**
   * Names the page view that reports it, such as by the page's address and how often that was opened. Within one, each kind
   * of event of each item counts once, until another item is viewed. Default: so it is within a minute.
   */
  readonly pageView?: string;
  /**
   * What is known of the click, numbers or texts by name, as the training log's columns have it; stored with the event. A
   * model that reads a feature takes one that is missing, or that training did not know, for its stated default.
   */
  readonly features?: Readonly<Record<string, number | string>>;
}

/** A click as it is stored. */
export type StoredClick = Required<Omit<TrackedEvent, 'features' | 'pageView'>> & Pick<TrackedEvent, 'features'>;

export interface RecommendOptions {
  /** How many items, 1 or more. Default 10. */
  readonly k?: number;
  /** Ids never to answer with, such as that of the product on show. Default none. */
  readonly exclude?: readonly string[];
  /** A product for which it returns false is left out, and the next best takes its place. Default: all pass. */
  readonly filter?: ProductFilter;
  /** How many of the best the filter may look at, at least 1: where it lets few pass, the catalogue is long. Default: all. */
  readonly within?: number;
  /** Default `for-you`. */
  readonly strategy?: Strategy;
  /** The product on show: what `related` items are related to, and never in any answer. Default: the newest click, for `related`. */
  readonly item?: string;
  /** Ends the call early: it rejects with `aborted`. */
  readonly signal?: AbortSignal;
}

/** Something that is less than was asked for. Recommending goes on. */
export interface Degradation {
  /**
   * Stable: `no-worker`, `worker-restarted`, `no-backend`, or the code of an error. Of storing: `no-storage` and
   * `storage-full` while events wait in memory, `storage-short` where the device made us let older ones go,
   * `records-set-aside` where some could not be read, `not-erased`; `learnt-set-aside` where what was learnt cannot be used
   * any more, `learnt-not-stored`; `learning-failed` where what is new could not be learnt by itself; `trials-failed` where it
   * could not be found out which backend is the fastest; `consent-unread` where the page's consent platform cannot be read yet.
   */
  readonly code: string;
  readonly message: string;
  /** Milliseconds since 1970. */
  readonly since: number;
}

export interface Status {
  /** What computes, where and why; absent until the model is ready. */
  readonly engine?: { readonly backend: BackendName; readonly thread: 'worker' | 'main'; readonly why: string };
  readonly model?: ModelInfo;
  /** Where the visitor's events are. `idle`: they may be stored, and the database has not answered yet. */
  readonly storage: StorageState;
  readonly consent: Consent;
  /** What each source of consent says, of which the strictest counts; one that is not there is missing. */
  readonly consentBy: ConsentWords;
  /** Whether nothing more is recorded or learnt, by `privacy.pause`. */
  readonly paused: boolean;
  /** What was learnt on this device; absent until something is, or is asked for. */
  readonly learning?: LearningStatus;
  /** One entry for each code. */
  readonly degraded: readonly Degradation[];
}

export interface RecommenderEvents {
  /** The model is loaded. */
  readonly ready: ModelInfo;
  readonly recommendations: { readonly items: readonly RankedItem[]; readonly milliseconds: number };
  /** `status` has changed. */
  readonly status: Status;
  readonly progress: LoadProgress;
  /**
   * Tracked events that the device has acknowledged: they outlive this page, and a crash of its tab or of the browser.
   * Once each, in the order in which they were tracked. None before consent, nor while `storage` is `memory`.
   */
  readonly stored: { readonly events: readonly StoredClick[] };
  /**
   * What was known of the visitor is gone: whoever shows it clears it. By this page's `privacy`, or `elsewhere`: in
   * another tab, or by the browser.
   */
  readonly erased: { readonly by: 'page' | 'elsewhere' };
  /** The model could not be loaded (see `retry`), or a recommendation failed; aborted calls are no errors. */
  readonly error: RecommenderError;
}

export interface Recommender extends LearningCalls {
  /** Adds a click to the session and returns at once; `stored` tells when it is on the device. Paused, it does nothing. */
  track(event: string | TrackedEvent): void;
  /** The next items, best first; fewer than `k` where there are no more. Waits for the model. */
  recommend(options?: RecommendOptions): Promise<readonly RankedItem[]>;
  /** The products of the artifact's `catalogue.json`. Waits for the model. */
  catalogue(): Promise<readonly CatalogueItem[]>;
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
 * Starts a recommender. It resolves as soon as clicks can be tracked; the model loads meanwhile, and `recommend` waits
 * for it. A model that cannot be loaded is reported by `error`, and by every `recommend`.
 *
 * @throws RangeError at once for a wrong option.
 */
export function createRecommender(options: RecommenderOptions): Promise<Recommender> {
  return Promise.resolve(start(checkedOptions(options)));
}

function start(options: ReturnType<typeof checkedOptions>): Recommender {
  const { now } = options;
  const gap = 60 * options.sessionGap;
  const history = new VisitorHistory<StoredEvent>({ gap, history: options.history });
  const listeners = new Map<keyof RecommenderEvents, Set<(detail: never) => void>>();
  let status: Status = { storage: 'memory', consent: 'unknown', consentBy: {}, paused: false, degraded: [] };
  let disposed = false;
  let erasures = 0;

  const on: Recommender['on'] = (event, listener) => {
    const set = listeners.get(checkedEventName(event)) ?? new Set();
    listeners.set(event, set.add(listener as (detail: never) => void));
    return () => void set.delete(listener as (detail: never) => void);
  };
  function emit<E extends keyof RecommenderEvents>(event: E, detail: RecommenderEvents[E]): void {
    for (const listener of [...(listeners.get(event) ?? [])]) {
      try {
        (listener as (detail: RecommenderEvents[E]) => void)(detail);
      } catch (error) {
        // A listener's mistake is its own: it neither stops the others nor fails the call.
        console.error(`Aisle: a listener of "${event}" threw.`, error);
      }
    }
  }
  function update(change: Partial<Status>): void {
    if (disposed) return;
    status = { ...status, ...change };
    emit('status', status);
  }
  function degrade(code: string, message: string): void {
    const before = status.degraded.find((entry) => entry.code === code);
    if (before?.message === message) return;
    const others = status.degraded.filter((entry) => entry !== before);
    update({ degraded: [...others, { code, message, since: before?.since ?? now() }] });
  }
  function mend(code: string): void {
    const left = status.degraded.filter((entry) => entry.code !== code);
    if (left.length < status.degraded.length) update({ degraded: left });
  }
  function failed(error: unknown): never {
    const known = asRecommenderError(error);
    if (known.code !== 'aborted' && known.code !== 'disposed') emit('error', known);
    throw known;
  }

  const notes = openDeviceNotes();
  const store = createEventStore({
    gap,
    onEvents: (events) => history.add(events),
    onStored(events) {
      notes.allow('event'); // after an erasure, the first event that is stored begins anew
      emit('stored', { events: events.map(tracked) });
    },
    onErased(by) {
      erasures++;
      history.clear();
      forgetSession();
      const forgotten = notes.forget();
      emit('erased', { by });
      return forgotten;
    },
    onWithdrawn: (consent) => privacy.withdrawn(consent),
    onPaused(paused, dropped) {
      history.remove(dropped);
      if (paused !== status.paused) update({ paused });
    },
    onLearnt: () => learner.lookAgain(),
    onState: (storage) => update({ storage }),
    onTrouble: (code, message) => (message === undefined ? mend(code) : degrade(code, message)),
  });
  const { modelUrl, backend, workerUrl, startDeadline } = options;
  const engine = startWorkerEngine({
    ...{ workerUrl, startDeadline },
    onDegraded({ code, message }) {
      if (code === 'no-worker') computing.movedHere();
      degrade(code, message);
    },
    onReloaded: (model) => computing.reloaded(model),
  });
  const computing = createComputing({
    ...{ engine, notes, modelUrl, backend, now },
    onProgress: (progress) => emit('progress', progress),
    onChange: update,
    onDegraded: degrade,
    onRefusedAdapter: (why) => void learner.tell((learning) => learning.distrust(why)),
  });
  const learner = createLearner({
    ...{ engine, store, history, options, update, degrade, mend, on, assertAlive },
    status: () => status,
    ready: () => ready,
  });
  const privacy = createPrivacy({
    ...{ options, store, notes, history, now, update, degrade, mend, learner, assertAlive },
    status: () => status,
  });
  if (options.learn === 'auto') learner.look();
  privacy.start().catch(() => {}); // told by `status`
  /** The running load, or how the last one ended. */
  let ready: Promise<void>;
  let hasFailed = false;
  function load(): void {
    hasFailed = false;
    ready = computing.start().then(
      (model) => {
        learner.lookAgain();
        if (!disposed) emit('ready', model);
      },
      (error) => {
        hasFailed = true;
        failed(error);
      },
    );
    ready.catch(() => {}); // `recommend` reports it to whoever waits
  }
  load();

  /** The engine keeps the state of the session that it was asked about last. */
  function forgetSession(): void {
    engine.forget().catch(() => {}); // where a worker is lost, so is what it kept
  }
  function assertAlive(): void {
    if (disposed) throw new RecommenderError('disposed', 'The recommender was disposed. Create another one.');
  }

  return {
    track(event) {
      assertAlive();
      const { itemId, kind, time, pageView, features } = checkedEvent(event, now());
      privacy.lookAgain(); // before it may be stored
      if (status.paused) return;
      const reported = { itemId, event: kind, time: time / 1000, ...(features && { features }) };
      if (history.isRepeated(reported, pageView)) return;
      const seen = store.identify(reported);
      history.add([seen]);
      // What is tracked while the answer is no is not stored by a later yes.
      if (status.consent !== 'denied') void store.append(seen);
    },
    recommend(request) {
      const question = checkedRequest(request);
      const time = now() / 1000;
      return (async () => {
        assertAlive();
        privacy.lookAgain();
        await abortable(ready, question.signal);
        await learner.settled();
        const began = erasures;
        const asked = { ...question, user: options.user, now: time, clicks: history.at(time) };
        const answered = await answer(computing, asked)
          .catch(failed)
          .finally(() => {
            if (erasures !== began) forgetSession(); // a filter may have asked on about what is erased
          });
        if (!store.hears) void store.refresh(); // for the next one
        if (!disposed) emit('recommendations', answered);
        void learner.tell((learning) => learning.wake());
        return answered.items;
      })();
    },
    async catalogue() {
      assertAlive();
      await ready;
      return (await engine.catalogue()).map((product) => pictured(product, options.images));
    },
    products(ids) {
      const wanted = checkedIds('products', ids);
      return (async () => {
        assertAlive();
        await ready;
        return (await engine.products(wanted)).map((product) => pictured(product, options.images));
      })();
    },
    async retry() {
      assertAlive();
      if (hasFailed) load();
      await ready;
    },
    ...learner.calls,
    privacy: privacy.asked,
    get status() {
      return status;
    },
    on,
    async dispose() {
      disposed = true;
      listeners.clear();
      privacy.close();
      void learner.tell((learning) => learning.close());
      await Promise.all([engine.dispose(), store.close(), computing.close().then(notes.close)]);
    },
  };
}

/** An event as the page reported it. A microsecond is more than a clock tells, and less than a double loses. */
function tracked({ itemId, event, time, features }: StoredEvent): StoredClick {
  return { itemId, event, time: Math.round(1e6 * time) / 1000, ...(features && { features }) };
}

function asRecommenderError(error: unknown): RecommenderError {
  if (error instanceof RecommenderError) return error;
  return new RecommenderError('engine-lost', `The engine failed: ${reasonOf(error)}`, { cause: error });
}
