/** What a page knows of what was learnt, beside tabs that change it. */
import { afterEach, beforeEach, expect, test } from 'vitest';
import { encodeDelta } from '../../src/checkpoint/delta-file';
import type { Status } from '../../src/index';
import { AdapterStore } from '../../src/recommender/personalisation/adapter-store';
import { createDeltaStore } from '../../src/store/delta-store';
import { DELTA } from '../checkpoint/deltas';
import { closeAll, freshDatabase, page, view } from '../store/helpers';

beforeEach(freshDatabase);
afterEach(closeAll);

const STATUS: Status = {
  storage: 'indexeddb',
  consent: 'granted',
  consentBy: {},
  paused: false,
  ids: { known: 0, unknown: 0, examples: [] },
  degraded: [],
};

test('a change that comes while an earlier one is being read is read, too', async () => {
  const there = page();
  await there.store.append(view('a', 1));
  const here = page();
  await here.store.flush();
  const engine = { setAdapter: async () => {}, migrate: async () => ({ reason: 'it is never asked' }) };
  const kept = new AdapterStore({
    engine,
    store: here.store,
    status: () => STATUS,
    degrade: (_, message) => expect.fail(message),
    mend() {},
  });
  const deltas = createDeltaStore(there.store, 64 * 1024);
  const learnt = (events: number) =>
    deltas.write({ bytes: encodeDelta({ ...DELTA, learnt: { ...DELTA.learnt, events } }) }, () => false);
  await learnt(1);
  const first = kept.read();
  await Promise.all([first, learnt(2), kept.read()]);
  expect(kept.delta?.learnt.events).toBe(2);
});

test('what is forgotten leaves the engine, also where an earlier call without an adapter ends late', async () => {
  const here = page();
  await here.store.append(view('a', 1));
  const calls: [adapter: unknown, end: () => void][] = [];
  const kept = new AdapterStore({
    engine: {
      setAdapter: (adapter) => new Promise((end) => calls.push([adapter, end])),
      migrate: async () => ({ reason: 'it is never asked' }),
    },
    store: here.store,
    status: () => STATUS,
    degrade: (_, message) => expect.fail(message),
    mend() {},
  });
  const early = kept.setAdapter(true);
  const open = { ...DELTA, gate: { ...DELTA.gate, isOpen: true } };
  await createDeltaStore(here.store, 64 * 1024).write({ bytes: encodeDelta(open) }, () => false);
  await kept.read();
  const late = kept.setAdapter();
  calls[1]![1]();
  await late;
  calls[0]![1]();
  await early;
  kept.drop();
  void kept.setAdapter();
  expect(calls.map(([adapter]) => adapter !== null)).toEqual([false, true, false]);
});
