/** The recommender's side of learning: what is asked for, what is kept, what ends it. */
import { describe, expect, test, vi } from 'vitest';
import type { LearningStatus, Recommender, TuneProgress } from '../../src/index';
import { HABIT, learningVisits, ranking, storedKeys, stores, stubWorkers } from './learning-page';

vi.setConfig({ testTimeout: 60_000 });

const { clock, folders, opened, follow, habitual } = learningVisits();
/** Codes of what is less than was asked for; that Node has no workers is not what a test is about. */
const troubles = ({ status }: Recommender) =>
  status.degraded.map(({ code }) => code).filter((found) => found !== 'no-worker');
const code = (expected: string) => expect.objectContaining({ code: expected });

describe('fineTune', () => {
  test('learns every event once, and what was learnt answers where the gate is open', async () => {
    const recommender = await habitual(8);
    const before = await ranking(await habitual(0, { consent: 'manual' }));
    const progress: TuneProgress[] = [];
    const learnt = await recommender.fineTune({ onProgress: (event) => progress.push(event) });
    expect(learnt).toMatchObject({
      state: 'idle',
      method: 'adapter',
      events: 40,
      storage: 'indexeddb',
      gate: { isOpen: true, events: 32, openings: 1 },
      refused: { rate: 0, repetition: 0, entropy: 0 },
    });
    expect(learnt.gate.tuned).toBeGreaterThan(learnt.gate.base);
    expect(learnt.gate.why).toMatch(/^What was learnt predicted 32 events better/);
    expect(learnt.bytes).toBeGreaterThan(1000);
    expect(recommender.status.learning).toEqual(learnt);
    const predicted = progress.map(({ itemId, base, tuned }) => ({ itemId, base, tuned }));
    expect(learnt.latest).toEqual(predicted.slice(-30));
    expect(progress.at(-1)).toMatchObject({ events: 40, of: 40, itemId: HABIT.at(-1) });
    const after = await ranking(recommender);
    expect(after.indexOf(HABIT[1]!)).toBeLessThan(before.indexOf(HABIT[1]!));
    const again = await recommender.fineTune();
    expect(again.events, 'the click of `ranking`').toBe(41);
    expect((await recommender.fineTune()).events).toBe(41);
  });

  test('reads before an event what a recommendation reads, earlier sessions where these count, in whichever portion', async () => {
    const recommender = await opened('attention', { history: 'all' });
    await follow(recommender, 52);
    // All but the very first; by the running session alone, the first of each would be missing.
    expect((await recommender.fineTune()).gate.events).toBe(52 * HABIT.length - 1);
  });

  test('goes on in the next page, where what was learnt gives the first answer', async () => {
    const first = await habitual(8);
    await first.fineTune();
    const { learning } = first.status;
    const answer = await ranking(first);
    await first.dispose();
    const next = await opened();
    await stores(next);
    expect((await next.recommend({ k: answer.length })).map(({ itemId }) => itemId)).toEqual(answer);
    expect(next.status.learning).toEqual({ ...learning, latest: [] });
    await follow(next, 1);
    const { events } = await next.fineTune();
    expect(events).toBe(40 + 1 + HABIT.length);
  });

  test('learns in memory where nothing may be stored, and stores it once that is allowed', async () => {
    const recommender = await habitual(4, { consent: 'manual' });
    expect(await recommender.fineTune()).toMatchObject({ events: 20, storage: 'memory' });
    expect(await storedKeys()).toBeUndefined();
    await recommender.privacy.consent('granted');
    await expect.poll(() => recommender.status.learning?.storage).toBe('indexeddb');
    expect(await storedKeys()).toContain('learnt');
  });

  test('leaves no rejection where the page forbids showing that it is stored', async () => {
    const recommender = await habitual(4, { consent: 'manual' });
    await recommender.fineTune();
    const { get } = Map.prototype;
    const broken = vi.spyOn(Map.prototype, 'get').mockImplementation(function (this: Map<unknown, unknown>, key) {
      if (key === 'status' && recommender.status.learning?.storage === 'indexeddb') throw new TypeError('by the page');
      return get.call(this, key);
    });
    await recommender.privacy.consent('granted');
    await expect.poll(() => broken.mock.results.some(({ type }) => type === 'throw')).toBe(true);
    broken.mockRestore();
    expect(await storedKeys()).toContain('learnt');
  });

  test('ends with its signal, and keeps what it had learnt', async () => {
    const recommender = await habitual(8);
    const abort = new AbortController();
    let last = 0;
    const learning = recommender.fineTune({
      signal: abort.signal,
      onProgress({ events }) {
        last = events;
        if (events === 5) abort.abort();
      },
    });
    await expect(learning).rejects.toThrow(code('aborted'));
    expect(recommender.status.learning?.state).toBe('idle');
    expect(last).toBeLessThan(40);
    expect(await recommender.fineTune()).toMatchObject({ events: 40 });
  });

  test('rejects what runs and what waits, once disposed', async () => {
    const recommender = await habitual(8);
    const waiting: Promise<unknown>[] = [];
    const onProgress = () => {
      if (waiting.length > 0) return;
      waiting.push(expect(recommender.fineTune()).rejects.toThrow(code('disposed')), recommender.dispose());
    };
    await expect(recommender.fineTune({ onProgress })).rejects.toThrow(code('disposed'));
    expect(waiting).toHaveLength(2);
    await Promise.all(waiting);
  });

  test('learns an event of tomorrow tomorrow, and refuses one of later', async () => {
    const recommender = await habitual(4);
    recommender.track({ itemId: 'item-7', time: clock.now + 23 * 3_600_000 });
    expect((await recommender.fineTune()).events).toBe(20);
    await follow(recommender, 1);
    expect((await recommender.fineTune()).events, 'with the one that has come').toBe(26);
    const microseconds = { itemId: 'item-7', time: 1000 * clock.now };
    expect(() => recommender.track(microseconds)).toThrow(
      /^time: expected milliseconds since 1970, at most a day from now/,
    );
  });

  test('goes on soon after a clock that was a year ahead is put right', async () => {
    const recommender = await habitual(2);
    const right = clock.now;
    clock.now += 365 * 24 * 3_600_000;
    await follow(recommender, 2);
    expect((await recommender.fineTune()).events).toBe(20);
    clock.now = right;
    await recommender.fineTune();
    clock.now += 24 * 3_600_000;
    await follow(recommender, 2);
    expect((await recommender.fineTune()).events).toBe(30);
  });

  test('learns all weights where it is asked to, and starts over where the way is another', async () => {
    const recommender = await habitual(3);
    await recommender.fineTune();
    const full = await recommender.fineTune({ method: 'full' });
    expect(full).toMatchObject({ method: 'full', events: 15, storage: 'indexeddb', state: 'idle' });
    expect(await recommender.fineTune(), 'as before').toMatchObject({ method: 'full', events: 15 });
    expect(await recommender.fineTune({ method: 'adapter' })).toMatchObject({ method: 'adapter', events: 15 });
    expect(recommender.status.learning!.bytes).toBeLessThan(full.bytes);
    expect((await recommender.privacy.export()).learnt).toMatchObject({ method: 'adapter', events: 15 });
  });

  test.each<[string, unknown]>([
    ['a way to learn that there is not', { method: 'half' }],
    ['a signal that is none', { signal: {} }],
    ['progress that nobody hears', { onProgress: true }],
    ['an option that there is not', { methods: 'full' }],
    ['null', null],
  ])('refuses %s', async (_, options) => {
    const recommender = await opened();
    await expect(recommender.fineTune(options as never)).rejects.toThrow(RangeError);
  });

  test('waits for one that was asked for before, where there are no locks and nothing is stored, too', async () => {
    vi.stubGlobal('navigator', {});
    const recommender = await habitual(8, { consent: 'manual' });
    const abort = new AbortController();
    const calls = [recommender.fineTune(), recommender.fineTune({ signal: abort.signal }), recommender.fineTune()];
    abort.abort();
    await expect(calls[1]).rejects.toThrow(code('aborted'));
    expect((await Promise.all([calls[0], calls[2]])).map((learnt) => learnt!.events)).toEqual([40, 40]);
  });

  test('ends before the next slice where data is to be saved from now on, and does not begin there', async () => {
    const connection = { saveData: false };
    vi.stubGlobal('navigator', { connection });
    const recommender = await habitual(60); // more than one slice takes
    const onProgress = ({ events }: TuneProgress) => {
      connection.saveData = events >= 3;
    };
    await expect(recommender.fineTune({ onProgress })).rejects.toThrow(code('aborted'));
    const { events } = recommender.status.learning!;
    expect(events, 'the slice is kept').toBeGreaterThanOrEqual(3);
    expect(events).toBeLessThan(300);
    await expect(recommender.fineTune()).rejects.toThrow(code('not-allowed'));
    connection.saveData = false;
    expect((await recommender.fineTune()).events).toBe(300);
  });

  test('says that what it learnt is not stored where the device has no room for it, until it is', async () => {
    const recommender = await habitual(4);
    await stores(recommender);
    const { put } = IDBObjectStore.prototype;
    vi.spyOn(IDBObjectStore.prototype, 'put').mockImplementation(function (this: IDBObjectStore, value, key) {
      if (key === 'learnt') throw new DOMException('There is no room.', 'QuotaExceededError');
      return put.call(this, value, key);
    });
    expect(await recommender.fineTune()).toMatchObject({ events: 20, storage: 'memory' });
    expect(troubles(recommender)).toEqual(['learnt-not-stored']);
    expect(recommender.status.degraded.at(-1)!.message).toContain('There is no room.');
    expect(await storedKeys()).not.toContain('learnt');
    vi.restoreAllMocks();
    await follow(recommender, 1);
    expect(await recommender.fineTune()).toMatchObject({ events: 25, storage: 'indexeddb' });
    expect(troubles(recommender)).toEqual([]);
  });

  test('says nothing of what could not be stored once that is erased', async () => {
    const recommender = await habitual(4);
    await stores(recommender);
    vi.spyOn(IDBObjectStore.prototype, 'put').mockImplementation(() => {
      throw new DOMException('There is no room.', 'QuotaExceededError');
    });
    await recommender.fineTune();
    expect(troubles(recommender)).toContain('learnt-not-stored');
    vi.restoreAllMocks();
    await recommender.privacy.erase();
    expect(troubles(recommender)).not.toContain('learnt-not-stored');
  });

  test('is not ended by who follows it and throws', async () => {
    const recommender = await habitual(2);
    const error = vi.spyOn(console, 'error').mockReturnValue(undefined);
    const onProgress = () => {
      throw new Error('a mistake of the page');
    };
    expect(await recommender.fineTune({ onProgress })).toMatchObject({ events: 10 });
    expect(error).toHaveBeenCalled();
  });

  test('says why where the model cannot learn', async () => {
    const counted = await opened('counted', { learn: 'auto' });
    await follow(counted, 2);
    await expect(counted.fineTune()).rejects.toThrow(code('not-tunable'));
    expect(counted.status.learning).toMatchObject({ state: 'unable', why: expect.stringContaining('pop') });
    const unscaled = await opened('unscaled', { learn: 'auto' });
    await follow(unscaled, 2);
    await expect(unscaled.fineTune()).rejects.toThrow(code('not-tunable'));
    expect(unscaled.status.learning).toMatchObject({ state: 'unable', why: expect.stringContaining('"scale"') });
  });
});

describe.each<[string, string, (recommender: Recommender) => Promise<void>]>([
  ['a pause', 'not-allowed', ({ privacy }) => privacy.pause()],
  ['a no', 'not-allowed', ({ privacy }) => privacy.consent('denied')],
  ['an erasure', '', ({ privacy }) => privacy.erase()],
])('%s', (what, refusal, end) => {
  test('ends what learns at once, and nothing of it is kept', async () => {
    const recommender = await habitual(8);
    await stores(recommender);
    let ended: Promise<void> | undefined;
    const learning = recommender.fineTune({
      onProgress({ events }) {
        if (events === 3) ended = end(recommender);
      },
    });
    await expect(learning).rejects.toThrow(code('aborted'));
    await ended;
    expect(recommender.status.learning).toMatchObject({ state: 'idle', events: 0, storage: 'none' });
    expect((await storedKeys()) ?? []).not.toContain('learnt');
    if (what !== 'a pause') expect(await storedKeys()).toBeUndefined();
    if (refusal) await expect(recommender.fineTune()).rejects.toThrow(code(refusal));
  });

  test('while it is being stored leaves nothing of it', async () => {
    const recommender = await habitual(8);
    await stores(recommender);
    const { put } = IDBObjectStore.prototype;
    let ended: Promise<void> | undefined;
    vi.spyOn(IDBObjectStore.prototype, 'put').mockImplementation(function (this: IDBObjectStore, value, key) {
      if (key === 'learnt') ended ??= end(recommender);
      return put.call(this, value, key);
    });
    await recommender.fineTune().catch(() => {});
    await ended;
    expect(ended, 'it was being stored').toBeDefined();
    // What is being written when a pause comes was learnt before it.
    if (what === 'a pause') return;
    expect(recommender.status.learning).toMatchObject({ state: 'idle', events: 0, storage: 'none' });
    expect(await storedKeys()).toBeUndefined();
  });

  test('takes out of what answers whatever is not to be known any more', async () => {
    const plain = await ranking(await habitual(0, { consent: 'manual' }));
    const recommender = await habitual(8);
    await recommender.fineTune();
    expect(recommender.status.learning!.gate.isOpen).toBe(true);
    await end(recommender);
    if (what === 'a pause') return expect(recommender.status.learning).toMatchObject({ events: 40 });
    expect(recommender.status.learning).toMatchObject({ events: 0, storage: 'none', gate: { isOpen: false } });
    expect(await ranking(recommender)).toEqual(plain);
  });
});

test('a consent that cannot be relied on any more ends learning, as it ends storing, until it is given again', async () => {
  let say = (_data: unknown, _success: boolean): void => {};
  const purpose = { consents: { 1: true, 5: true, 6: true } };
  const yes = { gdprApplies: true, cmpStatus: 'loaded', eventStatus: 'tcloaded', purpose };
  vi.stubGlobal('__tcfapi', (command: string, _version: number, callback: typeof say) => {
    if (command !== 'addEventListener') return;
    say = callback;
    callback(yes, true);
  });
  const recommender = await habitual(8, { consent: 'auto' });
  await stores(recommender);
  const onProgress = ({ events }: TuneProgress) => events === 3 && say(null, false);
  await expect(recommender.fineTune({ onProgress })).rejects.toThrow(code('aborted'));
  expect(recommender.status).toMatchObject({ consent: 'unknown', learning: { state: 'idle' } });
  await expect(recommender.fineTune()).rejects.toThrow(code('not-allowed'));
  say(yes, true);
  await stores(recommender);
  clock.now += 60_000; // where there are no locks, the lease of what was ended ends by itself
  expect(await recommender.fineTune()).toMatchObject({ events: 40, storage: 'indexeddb' });
});

test('a consent that became unknown before the code that learns had come lets nothing be learnt either', async () => {
  const layer: unknown[] = [];
  vi.stubGlobal('shopLayer', layer);
  const recommender = await habitual(8, { consent: 'auto', dataLayer: 'shopLayer' });
  void recommender.privacy.consent('granted');
  layer.push(['consent', 'default', { personalization_storage: 'denied' }]);
  recommender.track('item-9'); // looks for what the page says
  expect(recommender.status.consent).toBe('unknown');
  await expect(recommender.fineTune()).rejects.toThrow(code('not-allowed'));
});

describe('two tabs', () => {
  test('learn one at a time, and both answer by what was learnt', async () => {
    const [here, there] = [await opened(), await opened()];
    await Promise.all([stores(here), stores(there)]);
    await follow(here, 8);
    await expect.poll(async () => (await there.privacy.export()).sessions.flat()).toHaveLength(40);
    const both = await Promise.all([here.fineTune(), there.fineTune()]);
    expect(both.map(({ events }) => events)).toEqual([40, 40]);
    expect(here.status.learning!.gate).toEqual(there.status.learning!.gate);
    const expected = await ranking(here);
    await expect.poll(async () => (await there.privacy.export()).sessions.flat()).toHaveLength(41);
    expect((await there.recommend({ k: expected.length })).map(({ itemId }) => itemId)).toEqual(expected);
  });

  test('learn what the other one has stored before what is newer, where they cannot hear each other, too', async () => {
    vi.stubGlobal('BroadcastChannel', undefined);
    const [here, there] = [await opened(), await opened()];
    await Promise.all([stores(here), stores(there)]);
    await follow(there, 1);
    await there.privacy.export(); // all is stored by now
    await follow(here, 1);
    expect(await here.fineTune()).toMatchObject({ events: 2 * HABIT.length });
  });

  test('do not bring back what the other one forgets while they learn', async () => {
    const [here, there] = [await habitual(8), await opened()];
    await Promise.all([stores(here), stores(there)]);
    await here.fineTune();
    await expect.poll(() => there.status.learning?.events).toBe(40);
    await follow(here, 4);
    await expect.poll(async () => (await there.privacy.export()).sessions.flat()).toHaveLength(60);
    let time = -1e9; // long ago, so that nothing that remembers it waits for that time to come again
    vi.spyOn(performance, 'now').mockImplementation(() => {
      time += 1000; // a slice for each event
      return time;
    });
    vi.spyOn(BroadcastChannel.prototype, 'postMessage').mockReturnValue(undefined); // the message arrives late
    let forgotten: Promise<void> | undefined;
    const learning = here.fineTune({
      onProgress() {
        forgotten ??= there.taste.forget();
      },
    });
    await expect(learning).rejects.toThrow(code('aborted'));
    await forgotten;
    for (const { status } of [here, there]) expect(status.learning).toMatchObject({ events: 0, state: 'idle' });
    expect(await here.fineTune()).toMatchObject({ events: 0 });
  });

  test('hear of what the other one has learnt, forgotten or erased', async () => {
    const [here, there] = [await habitual(8), await opened()];
    await Promise.all([stores(here), stores(there)]);
    const learnt = await here.fineTune();
    await expect.poll(() => there.status.learning).toEqual({ ...learnt, latest: [] });
    await there.taste.forget();
    await expect.poll(() => here.status.learning).toMatchObject({ events: 0, latest: [] });
    await follow(here, 2);
    expect(await here.fineTune(), 'only what came after').toMatchObject({ events: 10 });
    await expect.poll(() => there.status.learning?.events).toBe(10);
    await here.privacy.erase();
    await expect.poll(() => there.status.learning).toMatchObject({ events: 0, storage: 'none' });
    expect(await storedKeys()).toBeUndefined();
  });
});

describe('by itself', () => {
  const learns = (recommender: Recommender, expected: Partial<LearningStatus>) =>
    expect.poll(() => recommender.status.learning, { timeout: 30_000 }).toMatchObject(expected);

  test('it learns after a recommendation, once the page is idle, and only what is new', async () => {
    const recommender = await habitual(4, { learn: 'auto' });
    await recommender.recommend();
    await learns(recommender, { state: 'idle', events: 20, storage: 'indexeddb' });
    await follow(recommender, 1);
    await recommender.recommend();
    await learns(recommender, { state: 'idle', events: 25 });
    expect(recommender.status.learning!.latest.at(-1)).toEqual({
      itemId: HABIT.at(-1),
      base: { rank: expect.any(Number), loss: expect.any(Number) },
      tuned: { rank: expect.any(Number), loss: expect.any(Number) },
    });
  });

  test('it learns what is tracked while a learning ends', async () => {
    const recommender = await habitual(4, { learn: 'auto' });
    let isTold = false;
    recommender.on('status', ({ learning }) => {
      if (isTold || learning?.state !== 'idle' || learning.events < 20) return;
      isTold = true; // said before the run has ended
      void follow(recommender, 1);
      void recommender.recommend();
    });
    await recommender.recommend();
    await learns(recommender, { state: 'idle', events: 25 });
  });

  test('it learns once a pause is over, before anything is asked for', async () => {
    const recommender = await habitual(4, { learn: 'auto' });
    await recommender.recommend();
    await recommender.privacy.pause();
    await new Promise((next) => setTimeout(next, 1500));
    expect(recommender.status.learning).toMatchObject({ state: 'idle', events: 0 });
    await recommender.privacy.resume();
    await learns(recommender, { state: 'idle', events: 20 });
  });

  test('it ends before the next slice where data is to be saved from now on', async () => {
    const connection = { saveData: false };
    vi.stubGlobal('navigator', { connection });
    const recommender = await habitual(4, { learn: 'auto' });
    await recommender.recommend();
    connection.saveData = true;
    await new Promise((next) => setTimeout(next, 1500));
    expect(recommender.status.learning).toMatchObject({ state: 'idle', events: 0 });
  });

  test('it says where it fails, goes on recommending, and says no more of it once it has learnt', async () => {
    const recommender = await habitual(4, { learn: 'auto' });
    // The adapter computes with it; the model, on plain CPU, does not.
    const broken = vi.spyOn(Math, 'log').mockImplementation(() => {
      throw new TypeError('Math.log is broken');
    });
    await recommender.recommend();
    await expect.poll(() => troubles(recommender), { timeout: 30_000 }).toEqual(['learning-failed']);
    expect(recommender.status.degraded.at(-1)!.message).toContain('Math.log is broken');
    expect(recommender.status.learning).toMatchObject({ state: 'idle', events: 0 });
    broken.mockRestore();
    await recommender.recommend();
    await learns(recommender, { events: 20 });
    await expect.poll(() => troubles(recommender)).toEqual([]);
  });

  test('it says where it fails, and leaves no rejection, where the page replaces `catch` and `finally` meanwhile', async () => {
    const recommender = await habitual(4, { learn: 'auto' });
    await recommender.recommend();
    await learns(recommender, { state: 'idle', events: 20 });
    await follow(recommender, 1);
    const spies = (['catch', 'finally'] as const).map((name) =>
      vi.spyOn(Promise.prototype, name).mockImplementation(() => {
        throw new TypeError('broken by the page');
      }),
    );
    const broken = vi.spyOn(Math, 'log').mockImplementation(() => {
      throw new TypeError('Math.log is broken');
    });
    await recommender.recommend().then(
      () => {},
      () => {},
    );
    await new Promise((next) => setTimeout(next, 50));
    for (const spy of spies) spy.mockRestore();
    await expect.poll(() => troubles(recommender), { timeout: 30_000 }).toEqual(['learning-failed']);
    broken.mockRestore();
    await recommender.recommend();
    await learns(recommender, { events: 25 });
  });

  test('it says nothing of what a pause ends', async () => {
    const recommender = await habitual(4, { learn: 'auto' });
    const begun = new Promise<void>((resolve) => {
      recommender.on('status', ({ learning }) => {
        if (learning?.state === 'learning') resolve();
      });
    });
    await recommender.recommend();
    await begun;
    await recommender.privacy.pause();
    await expect.poll(() => recommender.status.learning?.state).toBe('idle');
    expect(troubles(recommender)).toEqual([]);
  });

  test('it learns nothing where data is saved, or by `manual`', async () => {
    const manual = await habitual(4);
    await manual.recommend();
    vi.stubGlobal('navigator', { connection: { saveData: true } });
    const saving = await habitual(4, { learn: 'auto' });
    await saving.recommend();
    await new Promise((next) => setTimeout(next, 1500));
    expect([manual, saving].map(({ status }) => status.learning?.events ?? 0)).toEqual([0, 0]);
  });
});

describe('what was learnt on another release', () => {
  test('is carried over by the ids of its items', async () => {
    await (await habitual(8)).fineTune();
    const next = await opened('next');
    await stores(next);
    await next.recommend();
    await expect.poll(() => next.status.learning?.events).toBe(40);
    expect(next.status.learning!.gate).toMatchObject({ isOpen: false, events: 0 });
    expect(troubles(next)).toEqual([]);
    await follow(next, 2);
    expect(await next.fineTune()).toMatchObject({ events: 50, storage: 'indexeddb' });
  });

  test('is carried over where a worker that crashes loads that release', async () => {
    const crash = stubWorkers();
    const recommender = await habitual(8);
    await recommender.fineTune();
    const { small } = Object.fromEntries(folders);
    await recommender.recommend({ strategy: 'trending' });
    expect(troubles(recommender)).toEqual(['no-strategy']);
    try {
      folders.set('small', folders.get('next')!);
      crash('out of memory');
      await recommender.products(new Proxy(['item-9'], {})); // a list that a framework observes
      expect(recommender.status.model!.version).toBe('2.0.0');
      await expect.poll(() => recommender.status.learning?.gate).toMatchObject({ isOpen: false, events: 0 });
      expect(recommender.status.learning!.events).toBe(40);
      expect(troubles(recommender)).toEqual(['worker-restarted']);
    } finally {
      folders.set('small', small!);
    }
  });

  test('is set aside where nothing of it is known, and `status` says so', async () => {
    await (await habitual(8)).fineTune();
    const other = await opened('other');
    await stores(other);
    await other.recommend();
    await expect.poll(() => troubles(other).sort()).toEqual(['learnt-set-aside', 'unknown-ids']);
    expect(other.status.learning).toMatchObject({ events: 0, storage: 'none' });
    expect((await other.privacy.export()).unreadable).toMatchObject([{ key: 'learnt' }]);
    expect(await storedKeys()).not.toContain('learnt');
  });
});

describe('privacy.export', () => {
  test('says in words what was learnt', async () => {
    const recommender = await habitual(8);
    expect((await recommender.privacy.export()).learnt).toBeUndefined();
    await recommender.fineTune();
    const { learnt } = await recommender.privacy.export();
    expect(learnt).toMatchObject({
      format: 1,
      method: 'adapter',
      events: 40,
      storage: 'indexeddb',
      model: { name: 'small gru4rec', version: '1.0.0', hash: expect.stringMatching(/^[0-9a-f]{64}$/) },
      through: expect.stringMatching(/^202\d-\d\d-\d\dT/),
      gate: { isOpen: true },
    });
    const { categories, brands } = learnt!.favourites;
    for (const list of [categories, brands]) {
      expect(list.reduce((sum, { share }) => sum + share, 0)).toBeCloseTo(1);
      expect(list.map(({ share }) => share)).toEqual(list.map(({ share }) => share).sort((a, b) => b - a));
    }
    expect(learnt!.pulls.map(({ itemId }) => itemId).sort()).toEqual([...HABIT].sort());
    expect(learnt!.pulls[0]).toEqual({
      itemId: expect.any(String),
      title: expect.stringMatching(/^Title of item-/),
      events: expect.any(Number),
      learnt: expect.any(Number),
    });
    expect(JSON.parse(JSON.stringify(learnt))).toEqual(learnt);
  });
});

describe('explain', () => {
  test('says which clicks moved an item', async () => {
    const recommender = await habitual(1);
    clock.now -= 24 * 3_600_000 - 60_000;
    const explanation = await recommender.explain('item-12');
    expect(explanation).toMatchObject({ itemId: 'item-12', clicks: HABIT.map((itemId) => ({ itemId })) });
    const both = await Promise.all(['item-12', 'item-13'].map((id) => recommender.explain(id)));
    expect(both[0]).toEqual(explanation);
    expect(both[1]).toMatchObject({ itemId: 'item-13' });
    expect(await recommender.explain('nothing we sell')).toBeNull();
    await expect(recommender.explain('')).rejects.toThrow(RangeError);
  });
});
