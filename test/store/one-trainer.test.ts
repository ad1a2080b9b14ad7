/** One tab learns at a time, by a lease where the browser has no locks, as Node has none; by locks in test/browser. */
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { asOneTrainer, LEASE, type StillAlone } from '../../src/store/one-trainer';
import { closeAll, dump, freshDatabase, page, raw, view } from './helpers';
import { testTrainers } from './trainers';

beforeEach(freshDatabase);
afterEach(async () => {
  await closeAll();
});

let time = 1_700_000_000_000;
const now = () => time;
async function tab() {
  const { store } = page();
  await store.append(view('a', 1));
  return store;
}
type Options = Partial<Parameters<typeof asOneTrainer>[0]>;
const trains = async <T>(work: (stillAlone: StillAlone) => Promise<T>, options: Options = {}): Promise<T> =>
  asOneTrainer({ store: options.store ?? (await tab()), now, signal: new AbortController().signal, ...options }, work);
describe('where the browser has no locks', () => {
  testTrainers(trains);

  test('a lease does not outlast work that fails', async () => {
    await expect(trains(() => Promise.reject(new Error('no luck')))).rejects.toThrow('no luck');
    expect([...(await dump())!.keys()]).not.toContain(LEASE);
  });

  test('a tab that may not store anything learns for itself, and leaves nothing', async () => {
    const { store } = page({ opened: false });
    expect(await trains(async () => 'it runs', { store })).toBe('it runs');
    expect(await dump()).toBeUndefined();
  });
});

describe('a lease', () => {
  test('of a tab that died is over after ten seconds, and one that was taken by a wrong clock at once', async () => {
    const store = await tab();
    for (const until of [now() - 1, now() + 3_600_000]) {
      await raw((records) => void records.put({ holder: 'dead', until }, LEASE));
      expect(await trains(async () => 'it runs', { store })).toBe('it runs');
    }
    await raw((records) => void records.put({ holder: 'dead', until: now() + 9_000 }, LEASE));
    const waits = trains(async () => 'it runs', { store, onWaiting: () => (time += 9_001) });
    expect(await waits).toBe('it runs');
  });

  test.each([
    ['no object', 7],
    ['no holder', { until: 9e15 }],
    ['no time', { holder: 'x', until: 'soon' }],
  ])('that is %s is none', async (_, lease) => {
    const store = await tab();
    await raw((records) => void records.put(lease, LEASE));
    expect(await trains(async () => 'it runs', { store })).toBe('it runs');
  });

  test('is renewed by whoever works, and lost by a tab that was frozen until another one took it', async () => {
    await trains(async (stillAlone) => {
      time += 9_000;
      expect(await stillAlone()).toBe(true);
      time += 9_000;
      expect(await stillAlone(), 'it was renewed').toBe(true);
      time += 11_000;
      await trains(async () => {
        expect(await stillAlone()).toBe(false);
      });
      expect(await stillAlone(), 'the other one has ended').toBe(true);
    });
  });
});
