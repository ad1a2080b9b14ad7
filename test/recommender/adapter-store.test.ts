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

test('a change that comes while an earlier one is being read is read, too', async () => {
  const there = page();
  await there.store.append(view('a', 1));
  const here = page();
  await here.store.flush();
  const status: Status = {
    storage: 'indexeddb',
    consent: 'granted',
    consentBy: {},
    paused: false,
    ids: { known: 0, unknown: 0, examples: [] },
    degraded: [],
  };
  const engine = { setAdapter: async () => {}, migrate: async () => ({ reason: 'it is never asked' }) };
  const kept = new AdapterStore({
    engine,
    store: here.store,
    status: () => status,
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
