/**
 * Learning from the visitor: when, in which slices, and what ends it. What was learnt is kept by `kept-learning.ts`. Loaded
 * where something is learnt, explained or carried over, or was learnt before.
 */

import { abortable, firstOf } from '../abort';
import type { Delta } from '../checkpoint/delta';
import { checkPassphrase } from '../checkpoint/sealed-file';
import type { LearnableEvent, TuneProgress } from '../engine/types';
import { RecommenderError, reasonOf, throwIfAborted } from '../errors';
import { asOneTrainer, type StillAlone } from '../store/one-trainer';
import { sleep } from '../store/waiting';
import { savesData } from './computing';
import { createExplaining } from './explaining';
import { earlierThan, freshSessions, newest, notAfter, portionOf, type Span } from './fresh-events';
import { whenIdle } from './idle';
import { KeptLearning } from './kept-learning';
import { checkedFineTune } from './learning-arguments';
import { REMEMBERED } from './learning-status';
import { readableLearnt } from './learnt';
import { checkSealed, exportTaste, openTaste } from './taste';
import type { FineTuneOptions, Learning, LearningParts, LearningStatus, PredictedEvent } from './types';

/** Looks at a database that another tab is about to delete: each waits 50 ms, and after 2 s that tab counts as gone. */
const TRIES = 50;
/** Milliseconds in which an event of another tab is stored, and heard of here. */
const HEARSAY = 500;
const AT_ONCE = async () => {};
/** What learning by itself may end with: the page or the visitor wants it, or the model cannot learn (state `unable`). */
const EXPECTED: ReadonlySet<unknown> = new Set(['aborted', 'not-allowed', 'not-tunable']);
const NOT_LEARNT = "What is new in the visitor's events could not be learnt; it is tried again after the next answer.";

export function createLearning(parts: LearningParts): Learning {
  const { engine, store, history, options, status, update, degrade, mend, on, ready, idle = whenIdle } = parts;
  const { now } = options;
  const user = options.user === undefined ? {} : { user: options.user };
  const kept = new KeptLearning(parts);
  let state: LearningStatus['state'] = 'idle';
  /** What learns, or waits to. */
  const running = new Set<AbortController>();
  /** Woken while something ran, which may have looked for what is new for the last time by then. */
  let isMissed = false;
  /** Settles when all that was asked for has ended. */
  let last: Promise<unknown> = Promise.resolve();
  /** The one among them that nobody asked for. */
  let byItself: AbortController | undefined;
  /**
   * The newest event when nothing was left to learn: until there is another, there is no need to look. The first time it is
   * looked in any case, so that what a page loads does not tell whether its visitor has clicked.
   */
  let learntTo: string | undefined;
  let isClosed = false;
  /** Storing had been allowed, and is not any more, though nobody has said no: what is not to be stored is not to be learnt. */
  let isHeld = false;
  let latest: readonly PredictedEvent[] = [];
  /** What was erased is taken out of the engine. */
  let cleared: Promise<void> = Promise.resolve();
  /** What `status` said last. */
  let said = status();

  function show(next = state, why?: string): void {
    state = next;
    if (!kept.delta) latest = [];
    update({ learning: { state, ...(why !== undefined && { why }), ...kept.status, latest } });
  }
  /** What `status` says once a call has ended. */
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
    kept.drop();
    learntTo = undefined;
    cleared = kept.setAdapter();
    show('idle');
  }
  const unsubscribe = [
    on('erased', drop),
    on('stored', () => void keep()),
    on('status', (next) => {
      const before = said;
      said = next;
      if (next.consent === 'denied' && before.consent !== 'denied') drop();
      const wasHeld = isHeld;
      isHeld = next.consent === 'unknown' && (isHeld || before.consent === 'granted');
      if (next.paused || isHeld) stop();
      else if (before.paused || wasHeld) {
        void keep();
        wake();
      }
      if (next.storage === 'indexeddb' && before.storage !== 'indexeddb') void keep();
      if (next.model?.hash === before.model?.hash) return;
      learntTo = undefined;
      state = 'idle';
    }),
  ];
  /** A page that is left, or not looked at, learns nothing. */
  const turned = (): void => (isHidden() ? stop() : wake());
  globalThis.addEventListener?.('visibilitychange', turned);
  globalThis.addEventListener?.('pagehide', stop);

  /** Stores what was learnt while that was not allowed. What learns just now does so by itself. */
  async function keep(): Promise<void> {
    if (!kept.isUnsaved || running.size > 0) return;
    await store.flush();
    if (kept.isUnsaved) await kept.save(() => !isAllowed());
    show();
  }

  /**
   * Makes room on the device where nothing is stored yet, unless all was erased since this life. Never rejects: what cannot be
   * stored is told by the save.
   */
  async function makeRoom(life: number): Promise<void> {
    for (let tries = TRIES; tries > 0 && life === kept.life && isAllowed(); tries--) {
      if (status().storage === 'memory' || (await store.begin().catch(() => '')) !== undefined) return;
    }
  }

  const span = (): Span => ({ since: kept.since, latest: now() / 1000 + 60 * options.sessionGap });
  const fresh = (delta: Delta | undefined) => freshSessions(history.sessions(), span(), delta);

  /**
   * What is to be learnt, up to the newest event that this page knows: what another tab has seen before it has been stored and
   * heard of by then, unless that tab is slow.
   */
  async function settled(delta: Delta | undefined, signal: AbortSignal): Promise<LearnableEvent[][]> {
    const latest = fresh(delta).at(-1)?.at(-1)?.time;
    if (latest === undefined) return [];
    const age = now() - 1000 * latest;
    if (age >= 0 && age < HEARSAY) await sleep(HEARSAY - age).over;
    throwIfAborted(signal);
    return freshSessions(history.sessions(), { ...span(), latest }, delta);
  }

  async function learn(request: FineTuneOptions, signal: AbortSignal, pause: () => Promise<unknown>): Promise<void> {
    await ready();
    throwIfAborted(signal);
    await store.flush();
    const onWaiting = () => show('waiting');
    await asOneTrainer({ store, now, signal, onWaiting }, async (stillAlone) => {
      await kept.read(); // another tab may have learnt meanwhile
      await kept.setAdapter(true);
      if (kept.notAfter(span().latest)) await kept.save((isReplaced) => isReplaced || signal.aborted);
      // What another tab has stored is to be known before what is newer is learnt.
      if (!store.hears) await store.refresh();
      const learnAll = () => slices(request, signal, pause, stillAlone);
      await learnAll()
        .catch(async (error) => {
          if (signal.aborted || !(await kept.refused(error))) throw error;
          await learnAll(); // anew
        })
        .finally(() => show('idle')); // said before another tab may begin
    });
  }

  async function slices(
    { method = kept.delta?.method ?? 'adapter', onProgress }: FineTuneOptions,
    signal: AbortSignal,
    pause: () => Promise<unknown>,
    stillAlone: StillAlone,
  ): Promise<void> {
    let delta = kept.delta?.method === method ? notAfter(kept.delta, span().latest) : undefined;
    if (!delta) latest = [];
    if (delta && delta !== kept.delta) await take(delta, [], signal);
    let before = kept.delta;
    let left = await settled(delta, signal);
    let end = newest(left);
    let events = 0;
    // What the engine loads must not tell whether there is something to learn.
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
          since: kept.since,
          ...goingOn,
          ...user,
        },
        { signal, onProgress: follow },
      );
      throwIfAborted(signal);
      if (!(await stillAlone())) throw new RecommenderError('aborted', 'Another tab has taken over the learning.');
      throwIfAborted(signal);
      if (kept.delta !== before) throw replaced();
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
    if (events > 0) await kept.setAdapter();
    learntTo = end;
  }

  async function take(delta: Delta, predicted: readonly PredictedEvent[], signal: AbortSignal): Promise<void> {
    const wasOpen = kept.delta?.gate.isOpen === true;
    let isForeign = false;
    kept.replace(delta);
    latest = [...latest, ...predicted].slice(-REMEMBERED);
    await kept.save((isReplaced) => {
      isForeign = isReplaced;
      return isReplaced || signal.aborted;
    });
    throwIfAborted(signal);
    if (isForeign) {
      await kept.read();
      throw replaced();
    }
    if (wasOpen !== delta.gate.isOpen) await kept.setAdapter();
    show();
  }

  /** One after the other: where nothing is stored, there may be nothing else by which the calls of a page take turns. */
  function inTurn(work: () => Promise<void>, signal: AbortSignal): Promise<void> {
    const before = last;
    const run = abortable(before, signal).then(work);
    last = Promise.allSettled([before, run]);
    return run;
  }

  /** @param pause Before each slice. */
  async function run(request: FineTuneOptions, pause: () => Promise<unknown>, own: AbortController): Promise<void> {
    const either = firstOf(own.signal, request.signal);
    const { signal } = either;
    const pauseOrEnd = async () => {
      await pause();
      if (savesData()) own.abort();
    };
    running.add(own);
    try {
      await inTurn(() => learn(request, signal, pauseOrEnd), signal);
      mend('learning-failed');
    } catch (error) {
      const isUnable = error instanceof RecommenderError && error.code === 'not-tunable';
      show(isUnable ? 'unable' : 'idle', isUnable ? error.message : undefined);
      throw error;
    } finally {
      running.delete(own);
      either.release();
    }
    if (isMissed) wake();
  }

  function wake(): void {
    if (options.learn !== 'auto' || !isAllowed() || state === 'unable') return;
    isMissed = running.size > 0;
    if (isMissed) return;
    const { since, latest } = span();
    // What was forgotten by a clock that was ahead is looked at again.
    if (unfit() || (since <= latest && newest(fresh(kept.delta)) === learntTo)) return;
    const own = new AbortController();
    byItself = own;
    run({}, idle, own)
      .catch((error) => {
        // A model that could not be loaded is told by `error`.
        if (status().model && !EXPECTED.has(error.code)) degrade('learning-failed', `${NOT_LEARNT} ${reasonOf(error)}`);
      })
      .catch(() => {}); // a page in which nothing can be told
  }

  return {
    wake,
    async look() {
      await kept.read();
      if (isClosed) return;
      if (status().model) {
        const isSet = kept.setAdapter(true);
        if (kept.delta) await isSet; // nobody waits for nothing
      }
      if (kept.isMet) show();
    },
    async fineTune(options) {
      const request = checkedFineTune(options);
      assertAllowed();
      const reason = unfit();
      if (reason) throw notAllowed(reason);
      byItself?.abort(); // it gives way, and what it has learnt is kept
      await run(request, AT_ONCE, new AbortController());
      return shown();
    },
    explain: createExplaining(parts),
    taste: {
      async export(passphrase) {
        checkPassphrase(passphrase);
        await kept.read();
        return exportTaste(kept.delta, passphrase);
      },
      async import(file, passphrase) {
        checkSealed(file, passphrase);
        assertAllowed();
        const { life } = kept;
        const assertKept = () => {
          if (life !== kept.life) throw new RecommenderError('aborted', 'All was erased while a taste was read.');
        };
        await ready();
        const delta = notAfter(await openTaste(file, passphrase, engine), span().latest);
        await store.flush();
        await makeRoom(life);
        // Whatever was waited for, it may have been erased or denied meanwhile.
        assertKept();
        assertAllowed();
        stop();
        learntTo = undefined;
        latest = [];
        kept.replace(delta);
        await kept.save(() => !isAllowed());
        assertKept();
        await kept.setAdapter();
        return shown();
      },
      async forget() {
        stop();
        learntTo = undefined;
        // What earlier visits stored may not be known yet.
        const last = history.sessions().at(-1)?.at(-1)?.time ?? now() / 1000;
        kept.forget(Math.min(last, span().latest));
        await store.flush();
        await kept.save();
        await kept.setAdapter();
        show('idle');
      },
    },
    async learnt() {
      await kept.read();
      return kept.delta && readableLearnt(kept.delta, kept.status, engine.products);
    },
    async distrust(why) {
      await kept.distrust(why);
      show();
    },
    settled: () => cleared,
    close() {
      isClosed = true;
      stop();
      for (const end of unsubscribe) end();
      globalThis.removeEventListener?.('visibilitychange', turned);
      globalThis.removeEventListener?.('pagehide', stop);
    },
  };
}

/** Why a page that may learn does not do so now; undefined where it does. */
function unfit(): string | undefined {
  if (isHidden()) return 'the page is hidden';
  return savesData() ? 'the visitor wants data to be saved' : undefined;
}

const notAllowed = (reason: string) => new RecommenderError('not-allowed', `Nothing is learnt while ${reason}.`);
const replaced = () => new RecommenderError('aborted', 'Another tab has replaced what was learnt.');

function isHidden(): boolean {
  return (globalThis as { document?: { visibilityState: string } }).document?.visibilityState === 'hidden';
}
