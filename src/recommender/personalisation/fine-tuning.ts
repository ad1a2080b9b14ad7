/**
 * Learning from the visitor: when it runs, in which slices, and what ends it. `adapter-store.ts` holds the result. This file is
 * loaded on demand.
 */

import { abortable } from '../../abort';
import { CapturedAbortController } from '../../captured';
import type { Delta } from '../../checkpoint/delta';
import { checkPassphrase } from '../../checkpoint/sealed-file';
import type { LearnableEvent, TuneProgress } from '../../engine/types';
import { quiet, RecommenderError, reasonOf, throwIfAborted } from '../../errors';
import { asOneTrainer, type StillAlone } from '../../store/one-trainer';
import { sleep } from '../../store/waiting';
import { type Checks, calls, checked, oneOf, SIGNAL } from '../arguments';
import { savesData } from '../computing';
import { isHidden, whenIdle } from '../idle';
import type { FineTuneOptions, LearningStatus, PredictedEvent } from '../learning-types';
import type { FineTuning, FineTuningParts } from '../parts';
import { AdapterStore } from './adapter-store';
import { createExplaining } from './explain';
import { earlierThan, freshSessions, newest, notAfter, portionOf, type Span } from './fresh-events';
import { readableLearnt } from './readable';
import { REMEMBERED } from './status';
import { checkSealed, exportTaste, openTaste } from './taste-file';

/** Attempts to write while another tab is about to delete the database: each takes 50 ms, and after 2 s that tab counts as gone. */
const TRIES = 50;
/** Milliseconds for an event of another tab to be stored and to arrive here. */
const OTHER_TABS_DELAY = 500;
const AT_ONCE = async () => {};
/** Errors that automatic learning does not report: the page or the visitor has ended it, or the model cannot learn (state `unable`). */
const EXPECTED: ReadonlySet<unknown> = new Set(['aborted', 'not-allowed', 'not-tunable']);
const NOT_LEARNT = "What is new in the visitor's events could not be learnt; it is tried again after the next answer.";
const FINE_TUNE: Checks<FineTuneOptions> = {
  method: oneOf<FineTuneOptions['method']>('adapter', 'full'),
  signal: SIGNAL,
  onProgress: calls('a function that is called for every event'),
};

export function createFineTuning(parts: FineTuningParts): FineTuning {
  const { engine, store, history, options, status, update, degrade, mend, on, ready, idle = whenIdle } = parts;
  const { now } = options;
  const user = options.user === undefined ? {} : { user: options.user };
  const adapterStore = new AdapterStore(parts);
  let state: LearningStatus['state'] = 'idle';
  /** Calls that learn or wait to learn. */
  const running = new Set<AbortController>();
  /** A wake-up during a run: check again afterwards, because the run may already have read the queue. */
  let isWakePending = false;
  /** Settles when all calls have ended. */
  let last: Promise<unknown> = Promise.resolve();
  /** The running automatic call. */
  let automatic: AbortController | undefined;
  /**
   * The newest event when nothing was left to learn. Learning starts again only after a newer event. The first run starts in any
   * case, so that the requests of a page do not reveal whether the visitor has clicked.
   */
  let learntUpTo: string | undefined;
  let isClosed = false;
  let isHeld = parts.isHeld();
  let latest: readonly PredictedEvent[] = [];
  /** Settles when the engine holds no adapter of an erased visit. */
  let cleared: Promise<void> = Promise.resolve();
  /** The status at the last event. */
  let lastStatus = status();

  function show(next = state, why?: string): void {
    state = next;
    if (!adapterStore.delta) latest = [];
    update({ learning: { state, ...(why !== undefined && { why }), ...adapterStore.status, latest } });
  }
  /** Shows the end of a call, and returns the status. */
  function shown(): LearningStatus {
    show('idle');
    return status().learning!;
  }
  const isAllowed = (): boolean => !isClosed && !isHeld && !status().paused && status().consent !== 'denied';
  function assertAllowed(): void {
    if (isAllowed()) return;
    const { paused, consent } = status();
    const reason = paused
      ? 'recording is paused'
      : consent === 'denied'
        ? 'the visitor does not want anything to be stored'
        : 'it is not known any more whether anything may be stored';
    throw notAllowed(reason);
  }

  function stop(): void {
    for (const run of running) run.abort();
  }
  function drop(): void {
    stop();
    adapterStore.drop();
    learntUpTo = undefined;
    cleared = adapterStore.setAdapter();
    show('idle');
  }
  const unsubscribe = [
    on('erased', drop),
    on('stored', () => quiet(keep)),
    on('status', (next) => {
      const before = lastStatus;
      lastStatus = next;
      if (next.consent === 'denied' && before.consent !== 'denied') drop();
      const wasHeld = isHeld;
      isHeld = parts.isHeld();
      if (next.paused || isHeld) stop();
      else if (before.paused || wasHeld) {
        quiet(keep);
        wake();
      }
      if (next.storage === 'indexeddb' && before.storage !== 'indexeddb') quiet(keep);
      if (next.model?.hash === before.model?.hash) return;
      learntUpTo = undefined;
      state = 'idle';
    }),
  ];
  /** Learning stops when the page is hidden or left. */
  const onVisibility = () => quiet(isHidden() ? stop : wake);
  globalThis.addEventListener?.('visibilitychange', onVisibility);
  globalThis.addEventListener?.('pagehide', stop);

  /** Stores what was learnt before storing was allowed. A running call stores its own result. Fails where the page forbids `show`. */
  async function keep(): Promise<void> {
    if (!adapterStore.isUnsaved || running.size > 0) return;
    await store.flush();
    if (adapterStore.isUnsaved) await adapterStore.save(() => !isAllowed());
    show();
  }

  /**
   * Creates the database if nothing is stored yet, unless everything was erased since this life. Never rejects: the save
   * reports what cannot be stored.
   */
  async function makeRoom(life: number): Promise<void> {
    for (let tries = TRIES; tries > 0 && life === adapterStore.life && isAllowed(); tries--) {
      if (status().storage === 'memory' || (await store.begin().catch(() => '')) !== undefined) return;
    }
  }

  const span = (): Span => ({ since: adapterStore.since, latest: now() / 1000 + 60 * options.sessionGap });
  const fresh = (delta: Delta | undefined) => freshSessions(history.sessions(), span(), delta);

  /**
   * The events to learn, up to the newest that this page knows. Waits until earlier events of other tabs have been stored and
   * have arrived, unless such a tab is slow.
   */
  async function settled(delta: Delta | undefined, signal: AbortSignal): Promise<LearnableEvent[][]> {
    const latest = fresh(delta).at(-1)?.at(-1)?.time;
    if (latest === undefined) return [];
    const age = now() - 1000 * latest;
    if (age >= 0 && age < OTHER_TABS_DELAY) await sleep(OTHER_TABS_DELAY - age).over;
    throwIfAborted(signal);
    return freshSessions(history.sessions(), { ...span(), latest }, delta);
  }

  async function learn(request: FineTuneOptions, signal: AbortSignal, pause: () => Promise<unknown>): Promise<void> {
    await ready();
    throwIfAborted(signal);
    await store.flush();
    const onWaiting = () => show('waiting');
    await asOneTrainer({ store, now, signal, onWaiting }, async (stillAlone) => {
      await adapterStore.read(); // another tab may have learnt meanwhile
      await adapterStore.setAdapter(true);
      if (adapterStore.notAfter(span().latest)) await adapterStore.save((isReplaced) => isReplaced || signal.aborted);
      // Events of another tab must be known before newer ones are learnt.
      if (!store.hears) await store.refresh();
      const learnAll = () => slices(request, signal, pause, stillAlone);
      try {
        await learnAll();
      } catch (error) {
        if (signal.aborted || !(await adapterStore.refused(error))) throw error;
        await learnAll(); // from the beginning
      } finally {
        show('idle'); // before another tab may begin
      }
    });
  }

  async function slices(
    { method = adapterStore.delta?.method ?? 'adapter', onProgress }: FineTuneOptions,
    signal: AbortSignal,
    pause: () => Promise<unknown>,
    stillAlone: StillAlone,
  ): Promise<void> {
    let delta = adapterStore.delta?.method === method ? notAfter(adapterStore.delta, span().latest) : undefined;
    if (!delta) latest = [];
    if (delta && delta !== adapterStore.delta) await take(delta, [], signal);
    let before = adapterStore.delta;
    let left = await settled(delta, signal);
    let end = newest(left);
    let events = 0;
    // The requests of the engine must not reveal whether there is something to learn.
    if (left.length === 0) await engine.fineTune({ sessions: [], method, ...(delta && { delta }) }, { signal });
    while (left.length > 0) {
      await pause();
      throwIfAborted(signal);
      show('learning');
      const sessions = portionOf(left);
      const earlier = earlierThan(sessions, history.sessions(), options.history);
      const goingOn = delta ? { delta } : {};
      const rest = left.slice(sessions.length).reduce((sum, session) => sum + session.length, 0);
      const predicted: PredictedEvent[] = [];
      const follow = (progress: TuneProgress) => {
        const { itemId, base, tuned } = progress;
        predicted.push({ itemId, base, tuned });
        onProgress?.({ ...progress, events: events + progress.events, of: events + progress.of + rest });
      };
      const slice = await engine.fineTune(
        {
          sessions: [...earlier.sessions, ...sessions],
          method,
          history: options.history,
          leftOut: earlier.leftOut,
          since: adapterStore.since,
          ...goingOn,
          ...user,
        },
        { signal, onProgress: follow },
      );
      throwIfAborted(signal);
      if (!(await stillAlone())) throw new RecommenderError('aborted', 'Another tab has taken over the learning.');
      throwIfAborted(signal);
      if (adapterStore.delta !== before) throw replaced();
      if (slice.events > 0) {
        events += slice.events;
        await take(slice.delta, predicted, signal);
        delta = slice.delta;
        before = delta;
      }
      if (slice.done) left = left.slice(sessions.length);
      if (left.length > 0) continue;
      const more = await settled(delta, signal); // what was tracked meanwhile
      if (newest(more) === end) break;
      left = more;
      end = newest(more);
    }
    if (events > 0) await adapterStore.setAdapter();
    learntUpTo = end;
  }

  async function take(delta: Delta, predicted: readonly PredictedEvent[], signal: AbortSignal): Promise<void> {
    const wasOpen = adapterStore.delta?.gate.isOpen === true;
    let isForeign = false;
    adapterStore.replace(delta);
    latest = [...latest, ...predicted].slice(-REMEMBERED);
    await adapterStore.save((isReplaced) => {
      isForeign = isReplaced;
      return isReplaced || signal.aborted;
    });
    throwIfAborted(signal);
    if (isForeign) {
      await adapterStore.read();
      throw replaced();
    }
    if (wasOpen !== delta.gate.isOpen) await adapterStore.setAdapter();
    show();
  }

  /** A mutex for the calls of this page, which share no lock if nothing may be stored. */
  function runExclusive(work: () => Promise<void>, signal: AbortSignal): Promise<void> {
    const before = last;
    const run = (async () => {
      await abortable(before, signal);
      await work();
    })();
    last = quiet(async () => {
      await before;
      await run;
    });
    return run;
  }

  /** @param pause Called before each slice. */
  async function run(request: FineTuneOptions, pause: () => Promise<unknown>, own: AbortController): Promise<void> {
    const { signal } = own;
    const end = () => own.abort();
    if (request.signal?.aborted) end();
    request.signal?.addEventListener('abort', end);
    const pauseOrEnd = async () => {
      await pause();
      if (savesData()) end();
    };
    running.add(own);
    try {
      await runExclusive(() => learn(request, signal, pauseOrEnd), signal);
      mend('learning-failed');
    } catch (error) {
      const isUnable = error instanceof RecommenderError && error.code === 'not-tunable';
      show(isUnable ? 'unable' : 'idle', isUnable ? error.message : undefined);
      throw error;
    } finally {
      running.delete(own);
      request.signal?.removeEventListener('abort', end);
    }
    if (isWakePending) wake();
  }

  function wake(): void {
    if (options.learn !== 'auto' || !isAllowed() || state === 'unable') return;
    isWakePending = running.size > 0;
    if (isWakePending) return;
    const { since, latest } = span();
    // After `forget` by a clock that was ahead, the events are checked again.
    if (reasonNotToLearn() || (since <= latest && newest(fresh(adapterStore.delta)) === learntUpTo)) return;
    const own = new CapturedAbortController();
    automatic = own;
    // Quiet where the page forbids reporting it.
    quiet(async () => {
      try {
        await run({}, idle, own);
      } catch (error) {
        // `error` reports a model that could not be loaded.
        const { code } = error as Partial<RecommenderError>;
        if (status().model && !EXPECTED.has(code)) degrade('learning-failed', `${NOT_LEARNT} ${reasonOf(error)}`);
      }
    });
  }

  return {
    wake,
    async look(mayHaveChanged) {
      await (mayHaveChanged ? adapterStore.read() : adapterStore.readOnce());
      if (isClosed) return;
      if (status().model) {
        const isSet = adapterStore.setAdapter(true);
        if (adapterStore.delta) await isSet; // no need to wait without an adapter
      }
      if (adapterStore.wasFound) show();
    },
    async fineTune(options) {
      const request = checkedFineTune(options);
      assertAllowed();
      const reason = reasonNotToLearn();
      if (reason) throw notAllowed(reason);
      automatic?.abort(); // it yields, and its finished slices stay
      await run(request, AT_ONCE, new CapturedAbortController()).catch((error) => {
        if (isClosed) throw new RecommenderError('disposed', 'The recommender was disposed.');
        throw error;
      });
      return shown();
    },
    explain: createExplaining(parts),
    taste: {
      async export(passphrase) {
        checkPassphrase(passphrase);
        await adapterStore.read();
        return exportTaste(adapterStore.delta, passphrase);
      },
      async import(file, passphrase) {
        checkSealed(file, passphrase);
        assertAllowed();
        const { life } = adapterStore;
        const assertKept = () => {
          if (life !== adapterStore.life)
            throw new RecommenderError('aborted', 'All was erased while a taste was read.');
        };
        await ready();
        const delta = notAfter(await openTaste(file, passphrase, engine), span().latest);
        await store.flush();
        await makeRoom(life);
        // The data may have been erased, or consent denied, meanwhile.
        assertKept();
        assertAllowed();
        stop();
        learntUpTo = undefined;
        latest = [];
        adapterStore.import(delta);
        await adapterStore.save(() => !isAllowed());
        assertKept();
        await adapterStore.setAdapter();
        return shown();
      },
      async forget() {
        stop();
        learntUpTo = undefined;
        // Events of earlier visits may not be known yet.
        const last = history.sessions().at(-1)?.at(-1)?.time ?? now() / 1000;
        adapterStore.forget(Math.min(last, span().latest));
        await store.flush();
        const failure = await adapterStore.save();
        await adapterStore.setAdapter();
        show('idle');
        if (failure) throw failure;
      },
    },
    async learnt() {
      await adapterStore.read();
      return adapterStore.delta && readableLearnt(adapterStore.delta, adapterStore.status, engine.products);
    },
    async quarantineActive(why) {
      await adapterStore.quarantineActive(why);
      show();
    },
    settled: () => cleared,
    close() {
      isClosed = true;
      stop();
      for (const end of unsubscribe) end();
      globalThis.removeEventListener?.('visibilitychange', onVisibility);
      globalThis.removeEventListener?.('pagehide', stop);
    },
  };
}

/** Why the page cannot learn now, in words; undefined if it can. */
function reasonNotToLearn(): string | undefined {
  if (isHidden()) return 'the page is hidden';
  return savesData() ? 'the visitor wants data to be saved' : undefined;
}

const notAllowed = (reason: string) => new RecommenderError('not-allowed', `Nothing is learnt while ${reason}.`);
const replaced = () => new RecommenderError('aborted', 'Another tab has replaced what was learnt.');

/** @throws RangeError for a wrong argument. */
function checkedFineTune(options: FineTuneOptions = {}): FineTuneOptions {
  const { onProgress, ...rest } = checked('fineTune', options, FINE_TUNE);
  if (!onProgress) return rest;
  const follow = (progress: TuneProgress): void => {
    try {
      onProgress(progress);
    } catch (error) {
      // An error of a listener does not fail the call.
      console.error('Aisle: onProgress of "fineTune" threw.', error);
    }
  };
  return { ...rest, onProgress: follow };
}
