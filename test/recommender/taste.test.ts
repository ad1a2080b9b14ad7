/** What was learnt, carried elsewhere in a sealed file; and what is stored of it, damaged. */
import { IDBFactory } from 'fake-indexeddb';
import { describe, expect, test, vi } from 'vitest';
import type { Delta } from '../../src/checkpoint/delta';
import { decodeDelta, encodeDelta } from '../../src/checkpoint/delta-file';
import { seal, unseal } from '../../src/checkpoint/sealed-file';
import type { Recommender } from '../../src/index';
import { DELTA } from '../checkpoint/deltas';
import { mutated } from '../checkpoint/mutations';
import { isSoak, PATIENT, runs, slice } from '../soak-slice';
import { tried } from '../tries';
import { HABIT, learningVisits, ranking, replaceStored, storedDelta, storedKeys, stores } from './learning-page';

vi.setConfig({ testTimeout: 120_000 });

const { clock, opened, follow, habitual } = learningVisits();
const DAY = 24 * 3_600_000;
const PASSPHRASE = 'correct horse battery staple';
const code = (expected: string) => expect.objectContaining({ code: expected });
/** A device of its own: nothing is stored, so nothing of the other one's is read. */
const elsewhere = (folder = 'small') => opened(folder, { consent: 'manual' });

/** The taste of a visitor of whom nothing is left here. */
async function sealedHabit(): Promise<Uint8Array> {
  const recommender = await habitual(8);
  await recommender.fineTune();
  const file = await recommender.taste.export(PASSPHRASE);
  await recommender.privacy.erase();
  await recommender.dispose();
  return file;
}
/** What was learnt cannot be written, until mocks are restored. */
function leaveNoRoom(): void {
  const { put } = IDBObjectStore.prototype;
  vi.spyOn(IDBObjectStore.prototype, 'put').mockImplementation(function (this: IDBObjectStore, value, key) {
    if (key === 'learnt') throw new DOMException('There is no room.', 'QuotaExceededError');
    return put.call(this, value, key);
  });
}
/** So many turns of the event loop. */
async function steps(count: number): Promise<void> {
  for (let step = 0; step < count; step++) await new Promise(setImmediate);
}

describe('taste', () => {
  test('gives the same answers elsewhere, and goes on from there', async () => {
    const recommender = await habitual(8);
    await recommender.fineTune();
    const { learning } = recommender.status;
    const file = await recommender.taste.export(PASSPHRASE);
    const other = await elsewhere();
    expect(await other.taste.import(file, PASSPHRASE)).toEqual({
      ...learning,
      storage: 'memory',
      latest: [],
      bytes: expect.any(Number),
    });
    expect(await ranking(other)).toEqual(await ranking(recommender));
    expect((await other.fineTune()).events).toBe(41);
  });

  test('holds what was learnt from and when last, but no single clicks, and none that was refused', async () => {
    const [SEEN, REFUSED] = [
      ['item-50', 'item-52', 'item-53'],
      ['item-51', 'item-54'],
    ] as const;
    const recommender = await habitual(8);
    // A machine: what comes after the first 31 is refused.
    for (let n = 0; n < 40; n++) {
      recommender.track(n < 31 ? SEEN[n % 3]! : REFUSED[n % 2]!);
      clock.now += 100;
    }
    await recommender.fineTune();
    const { learnt, sessions } = await recommender.privacy.export();
    expect(learnt!.refused.rate).toBe(9);
    const { recent, items, through } = learnt!;
    expect(recent).toEqual(
      sessions
        .flat()
        .slice(-32)
        .map(({ itemId, time }) => ({ itemId, time })),
    );
    expect(items.map(({ itemId }) => itemId).sort()).toEqual([...HABIT, ...SEEN].sort());
    const content = await unseal(await recommender.taste.export(PASSPHRASE), PASSPHRASE, 1e6);
    const text = new TextDecoder().decode(content);
    expect(decodeDelta(content).itemIds).toEqual(items.map(({ itemId }) => itemId));
    for (const itemId of REFUSED) expect(text).not.toContain(itemId);
    const numbers = new Set(text.match(/\d+(\.\d+)?/g)!.map(Number));
    const times = new Set(sessions.flat().map(({ time }) => time));
    expect([...times].filter((time) => numbers.has(Date.parse(time) / 1000))).toEqual([through]);
  });

  test('of an earlier release, which held the newest clicks, is opened without them', async () => {
    const recommender = await habitual(8);
    await recommender.fineTune();
    await recommender.dispose();
    expect(decodeDelta(await storedDelta()).guard.recent).toHaveLength(32);
    const other = await elsewhere();
    await other.taste.import(await seal(await storedDelta(), PASSPHRASE), PASSPHRASE);
    expect((await other.privacy.export()).learnt).toMatchObject({ events: 40, recent: [] });
  });

  test('that was imported before the visitor agreed replaces what is on the device then', async () => {
    const earlier = await habitual(8);
    await earlier.fineTune();
    const file = await earlier.taste.export(PASSPHRASE);
    await earlier.taste.forget();
    await follow(earlier, 1);
    expect((await earlier.fineTune()).events).toBe(5);
    await earlier.dispose();
    const recommender = await opened('small', { consent: 'manual' });
    expect(await recommender.taste.import(file, PASSPHRASE)).toMatchObject({ events: 40, storage: 'memory' });
    await recommender.privacy.consent('granted');
    await expect.poll(() => recommender.status.learning).toMatchObject({ events: 40, storage: 'indexeddb' });
  });

  test('that was imported is stored where that is allowed, for every tab', async () => {
    const file = await sealedHabit();
    const [here, there] = [await opened(), await opened()];
    await Promise.all([stores(here), stores(there)]);
    here.track('item-7');
    await here.taste.import(file, PASSPHRASE);
    expect(here.status.learning).toMatchObject({ events: 40, storage: 'indexeddb' });
    await expect.poll(() => there.status.learning?.events).toBe(40);
  });

  test.each<[string, (recommender: Recommender) => Promise<void>]>([
    ['an erasure', ({ privacy }) => privacy.erase()],
    ['a no', ({ privacy }) => privacy.consent('denied')],
  ])('that is being imported does not outlive %s, whenever it comes', async (_, end) => {
    const file = await sealedHabit();
    const plain = await ranking(await elsewhere());
    const { decrypt } = crypto.subtle;
    for (let moment = 0; moment < 12; moment += isSoak ? 2 : 4) {
      const recommender = await opened();
      await stores(recommender);
      await recommender.recommend();
      let ended: Promise<void> | undefined;
      vi.spyOn(crypto.subtle, 'decrypt').mockImplementation(async (...sealed) => {
        const opens = await decrypt.apply(crypto.subtle, sealed);
        recommender.track('item-7'); // waits to be stored
        ended = steps(moment).then(() => end(recommender));
        return opens;
      });
      await recommender.taste.import(file, PASSPHRASE).catch(({ code }) => {
        expect(['aborted', 'not-allowed'], `moment ${moment}`).toContain(code);
      });
      await ended;
      expect(recommender.status.learning, `moment ${moment}`).toMatchObject({ events: 0, gate: { isOpen: false } });
      expect(await storedKeys(), `moment ${moment}`).toBeUndefined();
      await recommender.privacy.erase(); // what was tracked while nothing is stored
      expect(await ranking(recommender), `moment ${moment}`).toEqual(plain);
      await recommender.dispose();
      vi.restoreAllMocks();
      globalThis.indexedDB = new IDBFactory();
    }
  });

  test('that does not answer where it was learnt does not answer elsewhere, not even while it is imported', async () => {
    const open = decodeDelta(await unseal(await sealedHabit(), PASSPHRASE, 1e6));
    const file = await seal(encodeDelta({ ...open, gate: { ...open.gate, isOpen: false } }), PASSPHRASE);
    const [plain, other] = [await ranking(await elsewhere()), await elsewhere()];
    expect(await ranking(other)).toEqual(plain);
    const answers: ReturnType<Recommender['recommend']>[] = [];
    let asking: Promise<void> | undefined;
    const { decrypt } = crypto.subtle;
    vi.spyOn(crypto.subtle, 'decrypt').mockImplementation(async (...sealed) => {
      const opens = await decrypt.apply(crypto.subtle, sealed);
      asking = (async () => {
        for (; answers.length < 500; await undefined) answers.push(other.recommend({ k: plain.length }));
      })();
      return opens;
    });
    const importing = other.taste.import(file, PASSPHRASE);
    expect((await importing).gate.isOpen).toBe(false);
    await asking;
    for (const answer of await Promise.all(answers)) expect(answer.map(({ itemId }) => itemId)).toEqual(plain);
  });

  test('that is imported where nobody has clicked yet is there in the next page, and gone with an erasure', async () => {
    const file = await sealedHabit();
    const first = await opened();
    await stores(first);
    await first.privacy.erase(); // there is no database
    expect(await first.taste.import(file, PASSPHRASE)).toMatchObject({ events: 40, storage: 'indexeddb' });
    await first.dispose();
    const next = await opened();
    await stores(next);
    await expect.poll(() => next.status.learning).toMatchObject({ events: 40, storage: 'indexeddb' });
    await next.privacy.erase();
    expect(await storedKeys()).toBeUndefined();
    expect(next.status.learning).toMatchObject({ events: 0 });
  });

  test('that could not be stored when it was imported is, with the next click', async () => {
    const file = await sealedHabit();
    const recommender = await opened();
    await stores(recommender);
    leaveNoRoom();
    expect(await recommender.taste.import(file, PASSPHRASE)).toMatchObject({ events: 40, storage: 'memory' });
    vi.restoreAllMocks();
    recommender.track('item-7');
    await expect.poll(() => recommender.status.learning?.storage).toBe('indexeddb');
    expect(await storedKeys()).toContain('learnt');
  });

  test('says what is wrong with what it is given, before anything is waited for', async () => {
    const recommender = await opened('nowhere');
    await expect(recommender.taste.export('short')).rejects.toThrow(RangeError);
    await expect(recommender.taste.import('a text' as never, PASSPHRASE)).rejects.toThrow(RangeError);
    await expect(recommender.taste.import(new Uint8Array(), 7 as never)).rejects.toThrow(RangeError);
  });

  test('says why a file cannot be opened, and keeps what there was', async () => {
    const recommender = await habitual(8);
    await expect(recommender.taste.export(PASSPHRASE)).rejects.toThrow(code('nothing-learnt'));
    await recommender.fineTune();
    const { learning } = recommender.status;
    await expect(recommender.taste.export('short')).rejects.toThrow(RangeError);
    const file = await recommender.taste.export(PASSPHRASE);
    const delta = decodeDelta(await unseal(file, PASSPHRASE, 1e6));
    const sealed = (change: Partial<Delta>) => seal(encodeDelta({ ...delta, ...change }), PASSPHRASE);
    const wrong = { ...delta.arrays, shift: { data: Float32Array.of(1), shape: [1] } };
    const foreign = { ...DELTA, itemIds: ['never', 'heard', 'of', 'these', 'items'] };
    for (const [expected, bytes, passphrase] of [
      ['wrong-passphrase', file, 'Correct horse battery staple'],
      ['bad-delta', file.subarray(0, 100), PASSPHRASE],
      ['bad-delta', new Uint8Array(), PASSPHRASE],
      ['bad-delta', await seal(Uint8Array.of(1, 2, 3), PASSPHRASE), PASSPHRASE],
      ['bad-delta', await sealed({ arrays: wrong }), PASSPHRASE],
      ['foreign-delta', await seal(encodeDelta(foreign), PASSPHRASE), PASSPHRASE],
    ] as const) {
      await expect(recommender.taste.import(bytes, passphrase), expected).rejects.toThrow(code(expected));
    }
    await expect(recommender.taste.import('a text' as never, PASSPHRASE)).rejects.toThrow(RangeError);
    expect(recommender.status.learning).toEqual(learning);
    await recommender.privacy.pause();
    await expect(recommender.taste.import(file, PASSPHRASE)).rejects.toThrow(code('not-allowed'));
    vi.stubGlobal('crypto', undefined);
    await expect(recommender.taste.export(PASSPHRASE)).rejects.toThrow(code('insecure-context'));
  });

  test('that was forgotten is gone, and its events are not learnt again', async () => {
    const recommender = await habitual(8);
    const plain = await ranking(await elsewhere());
    await recommender.fineTune();
    await recommender.taste.forget();
    expect(recommender.status.learning).toMatchObject({ events: 0, storage: 'none' });
    expect(await ranking(recommender)).toEqual(plain);
    await recommender.dispose();
    const next = await opened();
    await stores(next);
    expect((await next.fineTune()).events, 'the click of `ranking`').toBeLessThanOrEqual(1);
    await follow(next, 1);
    expect((await next.privacy.export()).sessions.flat().length).toBeGreaterThan(40);
  });

  test('that the device does not forget is forgotten in this page, and on the device with the next click', async () => {
    const recommender = await habitual(8);
    await recommender.fineTune();
    leaveNoRoom();
    await expect(recommender.taste.forget()).rejects.toThrow(code('io'));
    expect(recommender.status.degraded.at(-1)!.message).toBe(
      'What was learnt is forgotten in this page, but not yet on the device: There is no room.',
    );
    expect((await recommender.privacy.export()).learnt).toBeUndefined();
    expect((await recommender.fineTune()).events).toBe(0);
    vi.restoreAllMocks();
    expect(decodeDelta(await storedDelta()).learnt.events).toBe(40);
    recommender.track('item-7');
    await expect.poll(storedDelta).toBeUndefined();
    expect(recommender.status.degraded.map((entry) => entry.code)).not.toContain('learnt-not-stored');
  });

  test.each([
    ['in the same page', false],
    ['in the next one', true],
  ])('that was forgotten by a clock a year ahead is learnt again soon after it is put right, %s', async (_, again) => {
    const first = await habitual(2);
    const right = clock.now;
    clock.now += 365 * DAY;
    await follow(first, 1);
    await first.taste.forget();
    clock.now = right + DAY;
    const visit = async () => {
      if (!again) return first;
      const next = await opened();
      await stores(next);
      return next;
    };
    expect(await (await visit()).fineTune()).toMatchObject({ events: 0 });
    for (const events of [5, 10]) {
      clock.now += DAY;
      const recommender = await visit();
      await follow(recommender, 1);
      expect(await recommender.fineTune()).toMatchObject({ events });
      if (again) await recommender.dispose();
    }
  });
});

test('a pause does not keep what was learnt from being forgotten', async () => {
  const recommender = await habitual(8);
  await recommender.fineTune();
  await recommender.privacy.pause();
  await recommender.taste.forget();
  expect(await storedKeys()).toContain('learnt/name');
  expect((await recommender.privacy.export()).learnt).toBeUndefined();
  await recommender.dispose();
  const next = await opened();
  await stores(next);
  expect((await next.privacy.export()).learnt).toBeUndefined();
});

describe('a stored record that was damaged', () => {
  test(
    'is set aside: suggestions go on, `status` says so, and learning starts over',
    async () => {
      await (await habitual(8)).fineTune();
      const whole = await storedDelta();
      tried(runs(100));
      for (let seed = 0; seed < runs(100); seed++) {
        await replaceStored({ bytes: mutated(whole, seed) });
        const recommender = await opened();
        const errors: string[] = [];
        recommender.on('error', (error) => errors.push(error.code));
        await stores(recommender);
        expect((await recommender.recommend({ k: 5 })).length, `seed ${seed}`).toBe(5);
        const codes = recommender.status.degraded.map((entry) => entry.code);
        const isWhole = recommender.status.learning?.events === 40; // space in the header says nothing
        expect(codes.includes('learnt-set-aside'), `seed ${seed}`).toBe(!isWhole);
        expect(errors).toEqual([]);
        if (!isWhole) await expect.poll(storedKeys, { interval: 2 }).not.toContain('learnt');
        await recommender.dispose();
      }
      const last = await opened();
      await stores(last);
      expect((await last.fineTune()).events).toBe(40);
    },
    PATIENT.timeout * 4,
  );

  const deltas: [string, boolean][] = [
    ['that answers', true],
    ['that is only learnt on', false],
  ];
  test.each(slice(deltas, ([, isOpen]) => isOpen))(
    'but has a good checksum and numbers beyond reason, of a delta %s, is set aside, too',
    async (_, isOpen) => {
      const recommender = await habitual(8);
      await recommender.fineTune();
      await recommender.dispose();
      const { gate, ...delta } = decodeDelta(await storedDelta());
      const arrays = Object.fromEntries(
        Object.entries(delta.arrays).map(([name, { data, shape }]) => [name, { data: data.map(() => 3e38), shape }]),
      );
      await replaceStored({ bytes: encodeDelta({ ...delta, arrays, gate: { ...gate, isOpen } }) });
      const next = await opened();
      await stores(next);
      next.track('item-9');
      expect(await next.recommend({ k: 5 })).toHaveLength(5);
      expect((await next.fineTune()).events).toBe(41);
      expect(next.status.degraded.map((entry) => entry.code)).toContain('learnt-set-aside');
    },
  );
});

test('what is forgotten before anything may be stored or read is forgotten on the device once it may', async () => {
  const first = await habitual(4);
  await first.fineTune();
  await first.dispose();
  const next = await opened('small', { consent: 'manual' });
  await next.taste.forget();
  await next.privacy.consent('granted');
  await stores(next);
  await expect.poll(storedKeys).toContain('learnt/name');
  await expect.poll(async () => (await next.privacy.export()).sessions.flat()).toHaveLength(20);
  expect(await next.fineTune()).toMatchObject({ events: 0 });
  await next.dispose();
  const last = await opened();
  await stores(last);
  expect(await last.fineTune()).toMatchObject({ events: 0 });
});
