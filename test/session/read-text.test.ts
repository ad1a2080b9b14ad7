import { describe, expect, test } from 'vitest';
import { summarise } from '../../src/session/summary';
import { idsBySession, read, rowsOf } from './helpers';

const TSV = 'session_id\titem_id\ttimestamp\na\tx\t1\na\ty\t2\nb\ty\t3\nb\tz\t4\n';

describe('the reader', () => {
  test.each([
    ['tabs', TSV],
    ['commas', TSV.replaceAll('\t', ',')],
    ['semicolons', TSV.replaceAll('\t', ';')],
    ['bars', TSV.replaceAll('\t', '|')],
    ['Windows line ends', TSV.replaceAll('\n', '\r\n')],
    ['no newline at the end', TSV.trimEnd()],
    ['empty lines', TSV.replaceAll('\n', '\n\n')],
    ['a byte order mark', `\ufeff${TSV}`],
    ['columns in another order', 'timestamp,item_id,session_id\n1,x,a\n2,y,a\n3,y,b\n4,z,b\n'],
    ['quoted cells', `"session_id","item_id","timestamp"\n"a","x","1"\n"a","y","2"\n"b","y","3"\n"b","z","4"\n`],
    ['quoted cells between tabs', `"session_id"\t"item_id"\t"timestamp"\n"a"\t"x"\t1\na\ty\t2\nb\ty\t3\n"b"\t"z"\t4`],
  ])('takes %s', async (_, text) => {
    const log = await read(text);
    expect(rowsOf(log)).toEqual([
      ['a', 'x', 1],
      ['a', 'y', 2],
      ['b', 'y', 3],
      ['b', 'z', 4],
    ]);
    expect(log.itemIds).toEqual(['x', 'y', 'z']);
    expect([...log.support]).toEqual([0, 1, 2, 1]);
    expect(log.report.dropped.shortSessions.sessions).toBe(0);
  });

  test.each([
    ['seconds', '1396314141.719', '1396314191.6', 's'],
    ['milliseconds', '1396314141719', '1396314191600', 'ms'],
    ['ISO 8601 in UTC', '2014-04-01T01:02:21.719Z', '2014-04-01T01:03:11.6Z', 'iso'],
    ['ISO 8601 with a zone', '2014-04-01T03:02:21.719+02:00', '2014-03-31T21:03:11.600-0400', 'iso'],
    ['ISO 8601 without a zone', '2014-04-01 01:02:21.719', '2014-04-01 01:03:11.6', 'iso'],
    ['times that name UTC', '2014-04-01 01:02:21.719 UTC', '2014-04-01 01:03:11.6 UTC', 'iso'],
  ])('recognises times in %s and keeps fractions', async (_, first, second, unit) => {
    const log = await read(`session_id,item_id,timestamp\na,x,${first}\na,y,${second}\n`);
    expect([...log.sessions.times]).toEqual([1396314141.719, 1396314191.6]);
    expect(log.report.timeUnit).toBe(unit);
  });

  test('orders events by time with ties in file order, sessions by first event with ties by first appearance', async () => {
    const log = await read(
      'session_id,item_id,timestamp\nlate,e,9\ntie2,a,5\ntie1,a,5\nearly,d,3\ntie1,b,5\ntie2,b,4\nearly,c,2\nlate,a,9\ntie2,c,5\n' +
        'tie3,a,4\ntie3,b,5\n',
    );
    expect(idsBySession(log)).toEqual({ early: 'c d', tie2: 'b a c', tie3: 'a b', tie1: 'a b', late: 'e a' });
    expect(log.sessionIds).toEqual(['early', 'tie2', 'tie3', 'tie1', 'late']);
    expect(log.itemIds).toEqual(['c', 'd', 'b', 'a', 'e']);
  });

  test('gives the same log for every size of the pieces it comes in', async () => {
    const text = `session_id,item_id,timestamp\n"a ""1""","x\n,y",1\r\n"a ""1""",😀,2\nb,"z",3\nb,é,4`;
    const whole = await read(text);
    expect(rowsOf(whole).map(([, item]) => item)).toEqual(['x\n,y', '😀', 'z', 'é']);
    for (let size = 1; size < 20; size++) expect(await read(text, {}, size)).toEqual(whole);
  });

  test('takes quotes in tab-separated files as text, unless they are needed there', async () => {
    const log = await read(
      'session_id\titem_id\ttimestamp\na\t"x"\t1\na\t5" pipe\t2\na\t"6"" pipe"\t3\na\t"\t4\na\t"a\tb"\t5\n',
    );
    expect(log.itemIds).toEqual(['"x"', '5" pipe', '6" pipe', '"', 'a\tb']);
  });

  test('takes the quotes off that spreadsheets put around commas in tab-separated files', async () => {
    const log = await read('session_id\titem_id\ttimestamp\na\t"Cup, blue"\t1\na\t"a, b" c\t2\na\t"a","b"\t3\n');
    expect(log.itemIds).toEqual(['Cup, blue', '"a, b" c', '"a","b"']);
  });

  test('reads mixed line ends alike', async () => {
    const log = await read('session_id,timestamp,item_id\r\na,1,x\na,2,y\r\n');
    expect((await read('session_id,timestamp,item_id\na,1,x\na,2,y\r\na,3,"z\r"\r\n')).itemIds).toEqual([
      ...log.itemIds,
      'z\r',
    ]);
  });

  test('takes the first user that a session names, and tells of sessions with several', async () => {
    const text = 'session_id,user_id,item_id,timestamp\na,,x,1\na,u,y,2\nb,,x,3\nb,,y,4\nc,u,x,5\nc,v,y,6\n';
    const log = await read(text);
    expect(log.userIds).toEqual(['u', '', 'u']);
    expect(summarise(log).users).toBe(1);
    expect(log.report.warnings.join()).toContain('sessions that name several users: 1, such as "c"');
    expect((await read(text.replace('c,v', 'c,u'))).report.warnings).toEqual([]);
  });

  test('takes other column names', async () => {
    const log = await read('visit,sku,"at, UTC"\na,x,1\na,y,2\n', {
      columns: { session: 'visit', item: 'sku', time: 'at, UTC' },
    });
    expect(idsBySession(log)).toEqual({ a: 'x y' });
  });

  test('leaves out a column that is given no name', async () => {
    const text = 'session_id,user_id,item_id,timestamp\na,u,x,1\na,u,y,2\n';
    expect((await read(text)).userIds).toEqual(['u']);
    expect((await read(text, { columns: { user: '' } })).userIds).toBeUndefined();
    await expect(read(text, { columns: { item: '' } })).rejects.toThrow(
      'no column is chosen, expected ids of items; got "session_id", "user_id", "item_id"',
    );
  });

  test('keeps users, kinds of events and the features that are asked for', async () => {
    const text =
      'session_id,user_id,event,item_id,timestamp,price,colour\ns1,u1,view,x,1,9.90,red\ns1,u1,cart,y,2,5,\ns2,u2,view,y,3,5,blue\ns2,u2,view,x,4,9.90,red\n';
    const log = await read(text, { features: ['price'] });
    expect(log.userIds).toEqual(['u1', 'u2']);
    expect(Array.from(log.events!, (kind) => log.eventNames![kind])).toEqual(['view', 'cart', 'view', 'view']);
    expect(log.report.otherColumns).toEqual(['price', 'colour']);
    expect([...log.features!.keys()]).toEqual(['price']);
    const { codes, names } = (await read(text, { features: 'all' })).features!.get('colour')!;
    expect(Array.from(codes, (code) => names[code])).toEqual(['red', '', 'blue', 'red']);
  });

  test('needs no id and no time in rows of kinds that are not asked for', async () => {
    const text = 'session_id,event,item_id,timestamp\na,view,x,1\na,login,,2\n,search,y,\na,view,y,3\n';
    const log = await read(text, { events: ['view'] });
    expect(idsBySession(log)).toEqual({ a: 'x y' });
    expect(log.report).toMatchObject({ badRows: 0, dropped: { otherKinds: 2 } });
    await expect(read(text)).rejects.toThrow(/:3: item_id is empty/);
    await expect(read(text.replace('a,view,y', 'a,view,'), { events: ['view'] })).rejects.toThrow(
      /:5: item_id is empty/,
    );
  });

  test('keeps only the kinds of events that are asked for, and counts the others', async () => {
    const log = await read('session_id,event,item_id,timestamp\na,view,x,1\na,cart,x,2\na,view,y,3\na,buy,y,4\n', {
      events: ['view', 'wish'],
    });
    expect(idsBySession(log)).toEqual({ a: 'x y' });
    expect(log.report.dropped.otherKinds).toBe(2);
    expect(log.report.eventKinds).toEqual([
      { name: 'view', events: 2 },
      { name: 'cart', events: 1 },
      { name: 'buy', events: 1 },
    ]);
    expect(log.report.warnings).toContain('log.tsv: no event of kind "wish"; there are view, cart, buy.');
  });

  test('says that removals are read as clicks, and how to leave them out', async () => {
    const text = 'session_id,event,item_id,timestamp\na,view,x,1\na,cart,x,2\na,remove,x,3\na,view,y,4\n';
    expect((await read(text)).report.warnings).toContain(
      'log.tsv: events of kind "remove" (1) are read as clicks, which a page does not do; --events view,cart leaves them out.',
    );
    for (const events of [
      ['view', 'cart'],
      ['view', 'remove'],
    ])
      expect((await read(text, { events })).report.warnings.join()).not.toContain('read as clicks');
  });

  test('cuts the sessions of a user at pauses longer than the gap', async () => {
    const log = await read('user_id,item_id,timestamp\nu,a,0\nv,x,1000\nu,b,1800\nu,c,3601\nv,y,1001\nu,d,3602\n', {
      sessionsBy: { by: 'gap', minutes: 30 },
    });
    expect(idsBySession(log)).toEqual({ 'u:1': 'a b', 'v:1': 'x y', 'u:2': 'c d' });
    expect(log.userIds).toEqual(['u', 'v', 'u']);
  });

  test('forms one session per user', async () => {
    const text = 'session_id,user_id,item_id,timestamp\n1,u,a,1\n2,u,b,2\n1,v,a,3\n2,v,c,4\n';
    expect(idsBySession(await read(text, { sessionsBy: { by: 'user' } }))).toEqual({ u: 'a b', v: 'a c' });
  });

  test('reads sequences: a user and items on each line', async () => {
    const log = await read('7 a b  c\n\n8\t9 b a \n', { format: 'sequences' });
    expect(idsBySession(log)).toEqual({ '7': 'a b c', '8\t9': 'b a' });
    expect(log.userIds).toEqual(['7', '8\t9']);
    expect(log.report.timeUnit).toBeUndefined();
    expect([...log.sessions.times]).toEqual([0, 0, 0, 0, 0]);
    for (const [options, what] of [
      [{ columns: { session: 'x' } }, 'no columns (--columns)'],
      [{ timeUnit: 's' }, 'no times (--time-unit)'],
    ] as const) {
      await expect(read('7 a b\n', { ...options, format: 'sequences' })).rejects.toThrow(`sequences have ${what}`);
    }
  });

  test.each([
    'session_id\titem_id\ttimestamp\tuser_id',
    '"timestamp","item_id"',
    'item_id;user_id',
    '{"session_id":"a b","item_id":"x"}',
  ])('refuses a table as sequences: %s', async (first) => {
    await expect(read(`${first}\nu a b\n`, { format: 'sequences' })).rejects.toMatchObject({
      code: 'bad-input',
      message: `log.tsv:1: a table, expected lines "user item item …", got ${JSON.stringify(first)}. Leave \`format\` out to read it.`,
    });
  });

  test('reads sequences of items that are called as a column', async () => {
    const log = await read('u item_id b\nv b item_id\n', { format: 'sequences' });
    expect(log.itemIds).toEqual(['item_id', 'b']);
  });

  test('leaves out and counts up to so many bad rows', async () => {
    const bad = 'session_id,item_id,timestamp\na,x,1\na,y\na,y,soon\na,y,2\na,y,3,4\n';
    const log = await read(bad, { skipBadRows: 3 });
    expect(idsBySession(log)).toEqual({ a: 'x y' });
    expect(log.report).toMatchObject({ rows: 5, badRows: 3, dropped: { badRows: 3 } });
    expect(log.report.badRowExamples[1]).toBe(
      'log.tsv:4: timestamp is no time, expected a time in seconds since 1970, got "soon"',
    );
    await expect(read(bad, { skipBadRows: 2 })).rejects.toThrow(
      'log.tsv:6: 4 columns, expected 3 as in the header, got "a,y,3,4". This is bad row number 3; --skip-bad-rows allows 2.',
    );
  });

  test('refuses ids of items that are longer than a page tracks, or leaves their rows out', async () => {
    const most = 'é'.repeat(1000);
    const text = `session_id,item_id,timestamp\na,x,1\na,${most}e,2\na,${most},3\na,${most}e,4\n`;
    await expect(read(text)).rejects.toThrow(
      `log.tsv:3: item_id is too long, expected at most 1000 characters, got "${'é'.repeat(40)}…".`,
    );
    const log = await read(text, { skipBadRows: 2 });
    expect(idsBySession(log)).toEqual({ a: `x ${most}` });
    expect(log.report.badRows).toBe(2);
    await expect(read(`1 a ${most}e\n`, { format: 'sequences' })).rejects.toThrow('log.tsv:1: item is too long, ');
  });

  test('goes on after a row that is too long or has a quote inside quotes', async () => {
    const long = `a,${'x'.repeat(2 ** 20)},2`;
    const log = await read(`session_id,item_id,timestamp\na,x,1\n${long}\na,"q"q,3\na,y,4\n`, { skipBadRows: 2 });
    expect(idsBySession(log)).toEqual({ a: 'x y' });
    expect(log.report.badRowExamples.map((message) => message.split(',')[0])).toEqual([
      'log.tsv:3: the row is too long',
      'log.tsv:4: text follows a closing quote',
    ]);
  });

  test('warns of a single session', async () => {
    const log = await read('session_id,item_id,timestamp\na,x,1\na,y,2\n');
    expect(log.report.warnings).toEqual(['log.tsv: only one session; a model of it can be no more than an example.']);
  });
});

describe('filters', () => {
  const LOG = 'session_id,item_id,timestamp\n1,a,1\n1,a,2\n1,b,3\n2,a,4\n2,b,5\n2,c,6\n3,c,7\n3,d,8\n4,a,9\n';

  test('leave out sessions of one event only, by default', async () => {
    const log = await read(LOG);
    expect(idsBySession(log)).toEqual({ '1': 'a a b', '2': 'a b c', '3': 'c d' });
    expect(log.report.dropped.shortSessions).toEqual({ sessions: 1, events: 1 });
    expect(Object.keys(idsBySession(await read(LOG, { minLength: 1 })))).toHaveLength(4);
  });

  test('collapse immediate repeats before anything is counted', async () => {
    const log = await read(LOG, { collapseRepeats: true });
    expect(idsBySession(log)).toEqual({ '1': 'a b', '2': 'a b c', '3': 'c d' });
    expect(log.report.dropped.repeats).toBe(1);
  });

  test('apply the minima once: length, support, length', async () => {
    const log = await read(LOG, { minSupport: 2 });
    expect(idsBySession(log)).toEqual({ '1': 'a a b', '2': 'a b c' });
    expect(log.report.dropped).toMatchObject({
      rareItems: { items: 1, events: 1 },
      shortSessions: { sessions: 2, events: 2 },
    });
  });

  test('apply them until nothing changes', async () => {
    const log = await read(LOG, { minSupport: 2, iterative: true });
    expect(idsBySession(log)).toEqual({ '1': 'a a b', '2': 'a b' });
    expect(log.report.dropped).toMatchObject({
      rareItems: { items: 2, events: 2 },
      shortSessions: { sessions: 2, events: 2 },
    });
  });

  test('order sessions by what is left of them', async () => {
    const log = await read('session_id,item_id,timestamp\na,rare,1\na,x,5\na,y,6\nb,x,3\nb,y,4\n', { minSupport: 2 });
    expect(log.sessionIds).toEqual(['b', 'a']);
  });
});
