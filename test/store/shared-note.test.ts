/** A note that several open pages may draw: the first one counts for all. */
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { openSharedNote } from '../../src/store/shared-note';
import { closeAll, databaseName, dump, freshDatabase, page, view } from './helpers';

const open: { close(): void }[] = [];
function note() {
  const opened = openSharedNote('variant', databaseName());
  open.push(opened);
  return opened;
}
const isOurs = (stored: unknown): boolean => Object(stored).test === 'a b';

beforeEach(freshDatabase);
afterEach(async () => {
  vi.restoreAllMocks();
  for (const one of open.splice(0)) one.close();
  await closeAll();
});

test('is what the first page has drawn, in every page, at once or later', async () => {
  await page().store.append(view('a', 1));
  const [one, other, third] = [note(), note(), note()];
  expect(await one.read()).toBeUndefined();
  await Promise.all([one, other].map((each, k) => each.draw(isOurs, { test: 'a b', variant: k })));
  await third.draw(isOurs, { test: 'a b', variant: 2 });
  for (const each of [one, other, third]) expect(await each.read()).toEqual({ test: 'a b', variant: 0 });
});

test('is drawn again where what is stored is not kept', async () => {
  await page().store.append(view('a', 1));
  await note().draw(isOurs, { test: 'x y', variant: 'x' });
  await note().draw(isOurs, { test: 'a b', variant: 'b' });
  expect(await note().read()).toEqual({ test: 'a b', variant: 'b' });
});

test('is not drawn where it cannot be read', async () => {
  await page().store.append(view('a', 1));
  await note().draw(isOurs, { test: 'a b', variant: 'a' });
  vi.spyOn(IDBObjectStore.prototype, 'get').mockImplementation(() => {
    throw new Error('gone');
  });
  await expect(note().draw(isOurs, { test: 'a b', variant: 'b' })).rejects.toThrow('gone');
  vi.restoreAllMocks();
  expect(await note().read()).toEqual({ test: 'a b', variant: 'a' });
});

test('makes no database: it would be one that was erased', async () => {
  await note().draw(isOurs, { test: 'a b', variant: 'a' });
  expect(await dump()).toBeUndefined();
  const { store } = page();
  await store.append(view('a', 1));
  const drawn = note();
  await drawn.draw(isOurs, { test: 'a b', variant: 'a' });
  await store.erase();
  await drawn.draw(isOurs, { test: 'a b', variant: 'b' });
  expect(await dump()).toBeUndefined();
});
