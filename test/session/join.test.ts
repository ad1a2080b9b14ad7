import { expect, test } from 'vitest';
import type { EventLog } from '../../src/session/event-log';
import { joinLogs, sessionsNotIn } from '../../src/session/join';
import { idsBySession, read } from './helpers';

const HEADER = 'session_id,item_id,timestamp,user_id,page\n';
const EARLY = 's,a,10,ann,home\ns,b,11,ann,list\nt,b,30,bob,home\nt,c,31,bob,home\n';
const LATE = 'u,c,20,cid,list\nu,d,21,cid,sale\n';
const OPTIONS = { features: ['page'] };

test('two logs are one as if their files had been one', async () => {
  const [early, late] = [await read(HEADER + EARLY, OPTIONS), await read(HEADER + LATE, OPTIONS)];
  const { report: _, features, ...joined } = joinLogs(early, late);
  const { report: __, features: columns, ...whole } = await read(HEADER + EARLY + LATE, OPTIONS);
  expect(joined).toEqual(whole);
  const texts = ({ codes, names }: { codes: Int32Array; names: readonly string[] }) =>
    [...codes].map((code) => names[code]);
  expect(texts(features!.get('page')!)).toEqual(texts(columns!.get('page')!));
});

test('kinds of events keep their names, and are empty where a log has none', async () => {
  const kinds = (rows: string) => read(`session_id,item_id,timestamp,event\n${rows}`);
  const early = await kinds('s,a,10,view\ns,b,11,cart\n');
  const late = await kinds('t,a,20,purchase\nt,b,21,view\n');
  const kindsOf = ({ events, eventNames }: EventLog) => [...events!].map((kind) => eventNames![kind]);
  expect(kindsOf(joinLogs(early, late))).toEqual(['view', 'cart', 'purchase', 'view']);
  const none = await read(HEADER + LATE, OPTIONS);
  expect(kindsOf(joinLogs(early, none))).toEqual(['view', 'cart', '', '']);
  expect(kindsOf(joinLogs(none, late))).toEqual(['', '', 'purchase', 'view']);
  expect(joinLogs(none, none)).not.toHaveProperty('events');
});

test('sessions of equal ids stay apart, a column that one lacks is empty there, and users need both', async () => {
  const other = await read('session_id,item_id,timestamp\ns,a,5\ns,d,6\n');
  const joined = joinLogs(await read(HEADER + EARLY, OPTIONS), other);
  expect(joined.sessionIds).toEqual(['s', 's', 't']);
  expect(idsBySession(joined)).toMatchObject({ t: 'b c' });
  expect([...joined.sessions.offsets]).toEqual([0, 2, 4, 6]);
  expect(joined.itemIds).toEqual(['a', 'd', 'b', 'c']);
  expect([...joined.support]).toEqual([0, 2, 1, 2, 1]);
  const { codes, names } = joined.features!.get('page')!;
  expect([...codes].map((code) => names[code])).toEqual(['', '', 'home', 'list', 'home', 'home']);
  expect(joined.userIds).toBeUndefined();
});

test('sessions that another log has are those of equal ids, items and times', async () => {
  const log = await read(
    'session_id,item_id,timestamp\ns,a,10\ns,b,11\nt,b,30\nt,c,31\nu,a,40\nu,b,41\nv,a,50\nv,b,51\n',
  );
  const other = await read(
    'session_id,item_id,timestamp\ns,a,10\ns,b,11\nt,b,30\nt,d,31\nu,a,40\nu,b,42\nw,a,50\nw,b,51\n',
  );
  expect(sessionsNotIn(log, other).map((s) => other.sessionIds[s])).toEqual(['t', 'u', 'w']);
});

test('sessions that another log has without their rare items are no others', async () => {
  const rows = 's,a,10\ns,rare,11\ns,b,12\nt,a,20\nt,b,21\n';
  const log = await read(`session_id,item_id,timestamp\n${rows}`, { minSupport: 2 });
  expect(log.itemIds).toEqual(['a', 'b']);
  const other = await read(`session_id,item_id,timestamp\n${rows}u,a,10\nu,rare,11\nu,b,12\n`);
  expect(sessionsNotIn(log, other).map((s) => other.sessionIds[s])).toEqual(['u']);
});
