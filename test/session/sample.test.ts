import { expect, test } from 'vitest';
import { sampleSessions } from '../../src/session/sample';
import { read } from './helpers';

const LOG = `session_id,item_id,timestamp\n${Array.from({ length: 40 }, (_, s) => `s${s},a${s},${10 * s}\ns${s},b,${10 * s + 1}\n`).join('')}`;

test('a sample has its share of the sessions, in the order of the log, the same for the same seed', async () => {
  const log = await read(LOG);
  const ids = (share: number, seed: number) => sampleSessions(log, share, seed).sessionIds;
  const first = ids(0.25, 1);
  expect(first).toHaveLength(10);
  expect(first).toEqual(log.sessionIds.filter((id) => first.includes(id)));
  expect(ids(0.25, 1)).toEqual(first);
  expect(ids(0.25, 2)).not.toEqual(first);
  expect(ids(1, 1)).toEqual(log.sessionIds);
  expect(ids(0.001, 1)).toHaveLength(1);
});

test('items that are in no session of the sample are not in its log', async () => {
  const { itemIds, support } = sampleSessions(await read(LOG), 0.1, 3);
  expect(itemIds).toHaveLength(5);
  expect([...support].toSorted()).toEqual([0, 1, 1, 1, 1, 4]);
});
