/** `createRecommender`, the entry of the library: the page tracks clicks and requests items, a worker computes. */

import { abortable } from './abort';
import { CapturedAbortController, round } from './captured';
import type { CatalogueInfo } from './engine/types';
import { quiet, RecommenderError, reasonOf } from './errors';
import { MAX_CHARACTERS_PER_MINUTE, MAX_EVENTS_PER_MINUTE } from './limits';
import { loaded } from './loaded';
import {
  checkedCandidates,
  checkedEvent,
  checkedEventName,
  checkedOptions,
  checkedRequest,
  checkedSelection,
  IDS,
  must,
  TEXT,
} from './recommender/arguments';
import { createComputing } from './recommender/computing';
import { createIdentity } from './recommender/identity';
import { isHidden } from './recommender/idle';
import type { LiveCatalogue } from './recommender/live-catalogue';
import { createLazyPersonalisation } from './recommender/personalisation/lazy-personalisation';
import { createPrivacy } from './recommender/privacy';
import { pictured } from './recommender/products';
import { answer } from './recommender/strategies';
import type {
  DegradationCode,
  Recommender,
  RecommenderEvents,
  RecommenderOptions,
  Status,
  StoredClick,
  TrackedEvent,
} from './recommender/types';
import type { Basket } from './session/basket';
import { VisitorHistory } from './session/visitor-history';
import { openDeviceNotes } from './store/device-notes';
import { createEventStore } from './store/event-store';
import { lengthOf, type StoredEvent } from './store/records';
import { startWorkerEngine } from './worker/client';

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
  const history = new VisitorHistory<StoredEvent>({
    gap,
    history: options.history,
    read: (events) => identity.read(events),
  });
  const listeners = new Map<keyof RecommenderEvents, Set<(detail: never) => void>>();
  let status: Status = {
    storage: 'memory',
    consent: 'unknown',
    consentBy: {},
    paused: false,
    ids: { known: 0, unknown: 0, examples: [] },
    degraded: [],
  };
  let disposed = false;
  let erasures = 0;
  /** The minute of the clock, and how many events and characters may still be recorded in it. */
  let [minute, events, characters] = [Number.NaN, 0, 0];
  /** What was tracked before the visitor has seen the page, which may be prerendered, or a tab that is never opened. */
  let unseen: [event: TrackedEvent, isDenied: boolean][] | undefined = isHidden() ? [] : undefined;

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
    if (change.consent === 'denied') for (const entry of unseen ?? []) entry[1] = true;
    status = { ...status, ...change };
    emit('status', status);
  }
  function degrade(code: DegradationCode, message: string): void {
    const before = status.degraded.find((entry) => entry.code === code);
    if (before?.message === message) return;
    const others = status.degraded.filter((entry) => entry !== before);
    update({ degraded: [...others, { code, message, since: before?.since ?? now() }] });
  }
  function mend(code: DegradationCode): void {
    const left = status.degraded.filter((entry) => entry.code !== code);
    if (left.length < status.degraded.length) update({ degraded: left });
  }
  function failed(error: unknown): never {
    const known =
      error instanceof RecommenderError
        ? error
        : new RecommenderError('engine-lost', `The engine failed: ${reasonOf(error)}`, { cause: error });
    if (known.code !== 'aborted' && known.code !== 'disposed') emit('error', known);
    throw known;
  }

  const notes = openDeviceNotes();
  const store = createEventStore({
    gap,
    retention: 86_400 * options.retention,
    now: () => now() / 1000,
    onEvents(events) {
      history.add(events);
      resolveIds();
    },
    onStored(events) {
      notes.allow('event'); // after an erasure, the first stored event starts a new life
      emit('stored', { events: events.map(tracked) });
    },
    onErased(by) {
      erasures++;
      unseen &&= [];
      history.clear();
      resolveIds(true);
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
    onLearnt: () => personalisation.lookAgain(true),
    onState: (storage) => update({ storage }),
    onProblem: (code, message) => (message === undefined ? mend(code) : degrade(code, message)),
  });
  const { modelUrl, maxModelBytes, backend, workerUrl, startDeadline } = options;
  const engine = startWorkerEngine({
    workerUrl,
    startDeadline,
    onDegraded({ code, message }) {
      if (code === 'no-worker') computing.movedHere();
      degrade(code, message);
    },
    onReloaded(model) {
      computing.reloaded(model);
      isNewModel();
    },
  });
  /** What several parts of the recommender need. */
  const parts = {
    engine,
    options,
    store,
    notes,
    history,
    now,
    status: () => status,
    update,
    degrade,
    mend,
    on,
    assertAlive,
  };
  const identity = createIdentity(parts);
  /**
   * Asks the model, if it is loaded, which items the new events are of.
   *
   * @param again Also those of before: another model or catalogue is there, or all was erased.
   */
  function resolveIds(again?: boolean): void {
    if (again) identity.changed();
    quiet(() => ready?.then(identity.settle)); // a model that is not there, or a lost engine: `recommend` reports it
  }
  /** A model is there, perhaps of another release. */
  function isNewModel(): void {
    mend('no-strategy');
    resolveIds(true);
    personalisation.lookAgain(false);
  }
  const computing = createComputing({
    ...parts,
    model: { modelUrl, maxBytes: maxModelBytes },
    backend,
    onProgress: (progress) => emit('progress', progress),
    onRefusedAdapter: (why) => void personalisation.ifLoaded((loaded) => loaded.quarantineActive(why)),
  });
  const personalisation = createLazyPersonalisation({
    ...parts,
    isHeld: () => privacy.isHeld(),
    ready: () => ready!.then(identity.settle),
  });
  const privacy = createPrivacy({ ...parts, personalisation });
  if (options.learn === 'auto') personalisation.look();
  quiet(privacy.start); // `status` reports it
  let live: Promise<LiveCatalogue> | undefined;
  /** The catalogue apart, and the page's own word on products. Its code is loaded if a page has either. */
  function liveCatalogue(): Promise<LiveCatalogue> {
    live ??= loaded(import('./recommender/live-catalogue')).then(({ createLiveCatalogue }) =>
      createLiveCatalogue({ ...parts, onChange: showCatalogue }),
    );
    live.catch(() => {
      live = undefined; // the next call tries again
    });
    return live;
  }
  function showCatalogue(catalogue: CatalogueInfo): void {
    const isNew = catalogue.version !== status.catalogue?.version;
    update({ catalogue });
    if (isNew) resolveIds(true); // it has aliases
    emit('catalogue', catalogue);
  }
  /** The running load, or how the last one ended. */
  let ready: Promise<void> | undefined;
  let hasFailed = false;
  function load(): void {
    hasFailed = false;
    waitFor(
      computing.start().then(
        (model) => {
          isNewModel();
          emit('ready', model);
        },
        (error) => {
          hasFailed = true;
          failed(error);
        },
      ),
    );
  }
  function waitFor(work: Promise<void>): void {
    ready = work;
    quiet(() => work); // `recommend` reports it
  }
  load();
  const end = new CapturedAbortController();
  for (const type of ['visibilitychange', 'pageshow', 'online'])
    globalThis.addEventListener?.(type, wake, { signal: end.signal, capture: true }); // before the page tracks
  wake({});

  /** The engine caches the state of the last session. */
  function forgetSession(): void {
    quiet(() => engine.forget()); // a lost worker has no state to forget
  }
  async function basket(): Promise<Basket> {
    const { basketOf } = await loaded(import('./session/basket'));
    return basketOf(history.sessions().flat(), now() / 1000);
  }
  function assertAlive(): void {
    if (disposed) throw new RecommenderError('disposed', 'The recommender was disposed. Create another one.');
  }
  /** Settles when the model is there. */
  async function whenReady(): Promise<void> {
    assertAlive();
    await ready;
  }

  /** The page is visible, online, or out of the browser's cache again, where it has missed what other tabs did. */
  function wake({ persisted }: Partial<PageTransitionEvent>): void {
    const before = ready!;
    if (persisted) waitFor(store.refresh(true).then(() => before));
    // Its code may not have come before.
    if (options.catalogueUrl) liveCatalogue().catch(({ message }) => degrade('catalogue-stale', message));
    if (isHidden()) return;
    const events = unseen ?? [];
    unseen = undefined;
    for (const entry of events) track(...entry);
  }

  /** @param isDenied Whether it must not be stored, whatever consent is now. */
  function track(event: string | TrackedEvent, isDenied: boolean): void {
    assertAlive();
    const { pageView, candidates, ...given } = checkedEvent(event, now());
    privacy.lookAgain(); // before it may be stored
    if (status.paused) return;
    const reported = {
      ...given,
      time: given.time / 1000,
      ...(candidates && { candidates, ...(pageView !== undefined && { pageView }) }),
    };
    const seen = store.identify(reported);
    const length = lengthOf([seen]);
    const at = round(now() / 60_000);
    if (at !== minute) [minute, events, characters] = [at, MAX_EVENTS_PER_MINUTE, MAX_CHARACTERS_PER_MINUTE];
    if (unseen ? unseen.length === MAX_EVENTS_PER_MINUTE : events < 1 || characters < length) {
      degrade('events-refused', 'Too many events at once.');
      return;
    }
    if (!unseen && history.isRepeated(reported, pageView)) return;
    mend('events-refused');
    if (unseen) {
      const { time } = event as Partial<TrackedEvent>; // else it is that of the moment when it is seen
      const later = { ...given, pageView, candidates, time } as TrackedEvent;
      unseen.push([later, status.consent === 'denied']);
      return;
    }
    events--;
    characters -= length;
    history.add([seen]);
    resolveIds();
    // What is tracked while the answer is no is not stored by a later yes.
    if (status.consent !== 'denied' && !isDenied) void store.append(seen);
  }

  return {
    track: (event) => track(event, false),
    recommend(request) {
      const question = checkedRequest(request);
      const time = now() / 1000;
      return (async () => {
        assertAlive();
        privacy.lookAgain();
        await abortable(ready!, question.signal);
        await personalisation.settled();
        let answered: Awaited<ReturnType<typeof answer>>;
        for (;;) {
          const began = erasures;
          try {
            await abortable(identity.settle(), question.signal);
            const cart = async () => (await basket()).cart;
            const complete = { ...question, user: options.user, now: time, clicks: history.at(time), cart };
            answered = await answer(computing, complete);
            if (erasures === began) break; // else the answer says what the erased visit was
          } catch (error) {
            return failed(error);
          } finally {
            if (erasures !== began) forgetSession(); // a filter may have caused another request with erased events
          }
        }
        if (!store.hears) void store.refresh(); // for the next one
        emit('recommendations', answered);
        personalisation.wake();
        return answered.items;
      })();
    },
    select(selection) {
      const checked = checkedSelection(selection);
      assertAlive();
      emit('select', checked);
    },
    identify(candidates) {
      const checked = checkedCandidates(candidates);
      return (async () => {
        await whenReady();
        return engine.identify(checked);
      })();
    },
    async diagnose(id) {
      must('id', id, TEXT);
      return { files: await engine.loadedFiles(), nearest: status.model && (await engine.nearest(id)) };
    },
    async basket() {
      await whenReady();
      await identity.settle();
      return basket();
    },
    async rules() {
      await whenReady();
      let given: unknown;
      try {
        given = await engine.rules();
      } catch (error) {
        given = error;
      }
      return given === null ? [] : (await loaded(import('./recommender/rules'))).checkedRules(given, parts);
    },
    async catalogue() {
      await whenReady();
      return (await engine.catalogue()).map((product) => pictured(product, options.images));
    },
    products(ids) {
      const wanted = must('products', ids, IDS);
      return (async () => {
        await whenReady();
        return (await engine.products([...wanted])).map((product) => pictured(product, options.images));
      })();
    },
    async update(products) {
      assertAlive();
      await (await liveCatalogue()).update(products);
    },
    async retry() {
      assertAlive();
      if (hasFailed) load();
      await ready;
    },
    ...personalisation.calls,
    privacy: privacy.calls,
    get status() {
      return status;
    },
    on,
    async dispose() {
      disposed = true;
      end.abort();
      listeners.clear();
      privacy.close();
      void personalisation.ifLoaded((loaded) => loaded.close());
      quiet(() => live?.then((loaded) => loaded.close())); // its code may never have come
      await Promise.all([engine.dispose(), store.close(), computing.close().then(notes.close)]);
    },
  };
}

/** An event as the page reported it. A microsecond is more than a clock tells, and less than a double loses. */
function tracked({ itemId, event, time, features, candidates, transaction }: StoredEvent): StoredClick {
  return {
    itemId,
    event,
    time: round(1e6 * time) / 1000,
    ...(transaction !== undefined && { transaction }),
    ...(features && { features }),
    ...(candidates && { candidates }),
  };
}
