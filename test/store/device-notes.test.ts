/** Notes about the device: in memory until they may be stored, and erased with everything else. */
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { type DeviceNotes, openDeviceNotes } from '../../src/store/device-notes';
import { closeAll, databaseName, dump, freshDatabase, page, raw, view } from './helpers';

const open: DeviceNotes[] = [];
function notes({ allowed = true, deadline = 20 } = {}): DeviceNotes {
  const opened = openDeviceNotes({ name: databaseName(), deadline });
  open.push(opened);
  if (allowed) opened.allow('yes');
  return opened;
}
const NOTE = { fastest: 'wasm' };

beforeEach(freshDatabase);
afterEach(async () => {
  vi.restoreAllMocks();
  for (const one of open.splice(0)) {
    await one.forget();
    await one.close();
  }
  await closeAll();
});

describe('a note', () => {
  test('stays in memory until it may be stored, and then is what the next page reads', async () => {
    const first = notes({ allowed: false });
    await first.write('device', NOTE, first.life);
    expect(await first.read('device')).toEqual(NOTE);
    expect(await dump()).toBeUndefined();
    first.allow('yes');
    await first.close();
    expect(await dump()).toEqual(new Map([['note/device', NOTE]]));
    expect(await notes().read('device')).toEqual(NOTE);
  });

  test('is what another tab has stored since', async () => {
    const here = notes();
    await here.write('device', NOTE, here.life);
    await raw((store) => store.put({ fastest: 'webgl' }, 'note/device'));
    expect(await here.read('device')).toEqual({ fastest: 'webgl' });
  });

  test('is not written any more once storing is forbidden', async () => {
    const here = notes();
    await here.write('device', NOTE, here.life);
    await here.forbid();
    await here.write('device', { fastest: 'cpu' }, here.life);
    expect(await here.read('device')).toEqual({ fastest: 'cpu' });
    expect(await dump()).toEqual(new Map([['note/device', NOTE]]));
  });

  test('stays in memory once they are closed: the database is not opened again', async () => {
    const here = notes();
    await here.write('device', NOTE, here.life);
    await here.close();
    const opens = vi.spyOn(indexedDB, 'open');
    await here.write('device', { fastest: 'cpu' }, here.life);
    here.allow('yes');
    expect(await here.read('device')).toEqual({ fastest: 'cpu' });
    expect(opens).not.toHaveBeenCalled();
    expect(await dump()).toEqual(new Map([['note/device', NOTE]]));
  });

  test('of an earlier life is dropped, and does not bring back the database', async () => {
    const here = notes();
    const { store } = page();
    await store.append(view('a', 1));
    const { life } = here;
    const late = here.write('device', NOTE, life);
    await Promise.all([store.erase(), here.forget()]);
    await late;
    await here.write('device', NOTE, life);
    expect(await dump()).toBeUndefined();
    expect(await here.read('device')).toBeUndefined();
  });

  test('that is made after an erasure stays in memory until it may be stored again', async () => {
    const here = notes();
    await here.write('device', NOTE, here.life);
    await Promise.all([page().store.erase(), here.forget()]);
    await here.write('device', { fastest: 'cpu' }, here.life);
    expect(await here.read('device')).toEqual({ fastest: 'cpu' });
    expect(await dump()).toBeUndefined();
    here.allow('event'); // which is gone again
    await here.write('device', { fastest: 'wasm' }, here.life);
    expect(await dump()).toBeUndefined();
    await here.forbid();
    here.allow('yes');
    await expect.poll(dump).toEqual(new Map([['note/device', { fastest: 'wasm' }]]));
  });

  test('is forgotten when another tab erases', async () => {
    const here = notes();
    await here.write('device', NOTE, here.life);
    const { store } = page();
    await store.erase();
    await expect.poll(() => here.life).toBe(1);
    expect(await here.read('device')).toBeUndefined();
    expect(await dump()).toBeUndefined();
  });

  test('is no event, and none of the events is one', async () => {
    const here = notes();
    await here.write('device', NOTE, here.life);
    const { store, events, notices } = page();
    await store.append(view('a', 1));
    const reader = page();
    await reader.store.refresh();
    expect(reader.events).toMatchObject([{ itemId: 'a' }]);
    expect([...events, ...notices, ...reader.notices].join()).not.toContain('records-set-aside');
    expect(await here.read('device')).toEqual(NOTE);
  });
});

test('a database that never answers is waited for once', async () => {
  const opens = vi.spyOn(indexedDB, 'open').mockImplementation((): never => ({}) as never);
  const here = notes({ deadline: 0.05 });
  await here.write('device', NOTE, here.life);
  expect(await here.read('device')).toEqual(NOTE);
  await here.write('device', { fastest: 'cpu' }, here.life);
  expect(opens).toHaveBeenCalledTimes(1);
});
