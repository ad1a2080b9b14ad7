import { expect, test } from 'vitest';
import type { EventLog } from '../../src/session/event-log';
import { holdOut } from '../../src/session/hold-out';

const log: EventLog = {
  sessions: {
    items: Int32Array.of(1, 2, 3, 2, 4, 1),
    times: Float64Array.of(10, 11, 12, 20, 21, 30),
    offsets: Int32Array.of(0, 3, 5, 6),
  },
  itemIds: ['a', 'b', 'c', 'd'],
  sessionIds: ['s', 't', 'u'],
  events: Uint8Array.of(0, 0, 1, 0, 1, 0),
  eventNames: ['view', 'buy'],
  features: new Map([['page', { codes: Int32Array.of(0, 1, 2, 0, 1, 2), names: ['x', 'y', 'z'] }]]),
  support: Int32Array.of(0, 2, 2, 1, 1),
  report: {
    rows: 6,
    badRows: 0,
    badRowExamples: [],
    eventKinds: [],
    otherColumns: [],
    dropped: {
      badRows: 0,
      otherKinds: 0,
      repeats: 0,
      rareItems: { items: 0, events: 0 },
      shortSessions: { sessions: 0, events: 0 },
    },
    warnings: [],
  },
};

test('takes the last events off every session, with all that belongs to them', () => {
  const { sessions, events, features, support } = holdOut(log, 1);
  expect(sessions).toEqual({
    items: Int32Array.of(1, 2, 2),
    times: Float64Array.of(10, 11, 20),
    offsets: Int32Array.of(0, 2, 3, 3),
  });
  expect(events).toEqual(Uint8Array.of(0, 0, 0));
  expect(features!.get('page')).toEqual({ codes: Int32Array.of(0, 1, 0), names: ['x', 'y', 'z'] });
  expect(support).toEqual(Int32Array.of(0, 1, 2, 0, 0));
});

test('keeps items, sessions and their numbers, also of those that lose every event', () => {
  const { sessions, itemIds, sessionIds } = holdOut(log, 2);
  expect(Array.from(sessions.offsets)).toEqual([0, 1, 1, 1]);
  expect(itemIds).toEqual(log.itemIds);
  expect(sessionIds).toEqual(log.sessionIds);
});

test('holding nothing out changes nothing, and the log itself is never written to', () => {
  const copy = structuredClone(log);
  expect(holdOut(log, 0)).toEqual(log);
  holdOut(log, 2);
  expect(log).toEqual(copy);
});
