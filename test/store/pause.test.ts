/** Recording that is paused: in every tab, over reloads, with and without tabs that can talk. */
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { closeAll, dump, freshDatabase, page, raw, stored, view } from './helpers';

beforeEach(freshDatabase);
afterEach(async () => {
  await closeAll();
  vi.restoreAllMocks();
  vi.unstubAllGlobals();
});

const words = ({ notices }: { notices: readonly string[] }) => notices.filter((word) => /^(paused|resumed)/.test(word));

describe('a pause', () => {
  test('is in force at once, is kept for the next page, and ends there', async () => {
    const first = page();
    const before = first.store.append(view('a', 1));
    const kept = first.store.pause(true);
    expect(words(first)).toEqual(['paused']);
    expect(await before, 'what was tracked before it is stored').toBe(true);
    await kept;
    await first.store.close();
    const next = page();
    await next.store.refresh();
    expect(words(next)).toEqual(['paused']);
    expect(next.events, 'what is known stays').toMatchObject([view('a', 1)]);
    await next.store.pause(false);
    await next.store.append(view('b', 2));
    const last = page();
    await last.store.refresh();
    expect(words(last)).toEqual([]);
    expect(await stored()).toEqual(['a 1', 'b 2']);
  });

  test('drops what the next page tracked before it could know', async () => {
    await page().store.pause(true);
    await closeAll();
    const next = page();
    expect(await next.store.append(view('early', 1))).toBe(false);
    expect(words(next)).toEqual(['paused early']);
    expect(await stored()).toEqual([]);
  });

  test('does not outweigh the word of the next page, said before the device answered', async () => {
    await page().store.pause(true);
    await closeAll();
    const next = page();
    const kept = next.store.pause(false);
    expect(await next.store.append(view('a', 1))).toBe(true);
    await kept;
    expect(words(next)).toEqual(['resumed']);
    const later = page();
    await later.store.refresh();
    expect(words(later)).toEqual([]);
  });

  test('and its end reach every tab, those that may not store too', async () => {
    const tabs = [page(), page(), page({ opened: false })];
    await tabs[0]!.store.pause(true);
    await expect.poll(() => tabs.map(words)).toEqual([['paused'], ['paused'], ['paused']]);
    await tabs[1]!.store.pause(false);
    await expect.poll(() => tabs.map((tab) => words(tab).at(-1))).toEqual(['resumed', 'resumed', 'resumed']);
    await Promise.all(tabs.map(({ store }) => store.flush()));
    expect((await dump())!.has('paused')).toBe(false);
  });

  test('and its end reach tabs that get no message when they next look; what they tracked meanwhile is dropped', async () => {
    vi.stubGlobal('BroadcastChannel', undefined);
    const [one, other] = [page(), page()];
    await other.store.append(view('a', 1));
    await one.store.pause(true);
    expect(await other.store.append(view('b', 2))).toBe(false);
    expect(words(other)).toEqual(['paused b']);
    await one.store.pause(false);
    await other.store.refresh();
    expect(words(other)).toEqual(['paused b', 'resumed']);
    expect(await other.store.append(view('c', 3))).toBe(true);
    expect(await stored()).toEqual(['a 1', 'c 3']);
  });

  test('in a page that may not store is written as soon as it may, and nothing is before', async () => {
    const first = page({ opened: false });
    await first.store.pause(true);
    expect(await dump()).toBeUndefined();
    first.store.open();
    await first.store.flush();
    expect((await dump())!.get('paused')).toBe(true);
  });

  test('ends by the word of a page that may not store yet, and what that tracked since is stored', async () => {
    await page().store.pause(true);
    await closeAll();
    const next = page({ opened: false });
    await next.store.pause(false);
    expect((await dump())!.get('paused')).toBe(true);
    const tracked = next.store.append(view('a', 1));
    next.store.open();
    expect(await tracked).toBe(true);
    await next.store.flush();
    expect(words(next)).toEqual(['resumed']);
    expect((await dump())!.has('paused')).toBe(false);
  });

  test('ends by the word of a page that has stopped storing, and what that tracked since is stored', async () => {
    const { store, notices } = page();
    await store.append(view('a', 1));
    await store.pause(true);
    store.hold();
    await store.pause(false);
    const tracked = store.append(view('b', 2));
    store.open();
    expect(await tracked).toBe(true);
    expect(words({ notices })).toEqual(['paused', 'resumed']);
    expect(await stored()).toEqual(['a 1', 'b 2']);
  });

  test('outlives an erasure in the pages that are open, and leaves nothing on the device', async () => {
    const [one, other] = [page(), page()];
    await one.store.append(view('a', 1));
    await one.store.pause(true);
    await other.store.refresh();
    await one.store.erase();
    await Promise.all([one.store.refresh(), other.store.refresh()]);
    expect([words(one), words(other)]).toEqual([['paused'], ['paused']]);
    expect([...((await dump()) ?? [])]).toEqual([]);
  });

  test('resolves where the device does not answer, and is kept when it does', async () => {
    vi.spyOn(indexedDB, 'open').mockReturnValue({} as IDBOpenDBRequest);
    const { store, notices } = page({ deadline: 0.05 });
    await store.pause(true);
    expect(notices).toContain('memory');
    vi.restoreAllMocks();
    await expect.poll(async () => (await dump())?.get('paused')).toBe(true);
  });

  test('that a foreign script has scribbled over is none', async () => {
    const { store, notices } = page();
    await store.append(view('a', 1));
    await raw((records) => records.put('perhaps', 'paused'));
    await store.append(view('b', 2));
    expect(words({ notices })).toEqual([]);
  });
});
