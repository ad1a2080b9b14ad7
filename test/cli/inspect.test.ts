import { dirname } from 'node:path';
import { expect, test } from 'vitest';
import { testWithLogs } from '../with-logs';
import { aisle, file, folder } from './program';

const LOG =
  'session_id,item_id,timestamp,event,user_id\n1,a,0,view,u\n1,a,1,view,u\n1,b,2,cart,u\n1,a,3,view,u\n2,a,86400,view,v\n2,c,86401.5,view,v\n3,b,90000,view,u\n';

test('sums a log up as JSON', async () => {
  const path = await file('log.csv', LOG);
  const { code, stdout, stderr } = await aisle('inspect', path, '--json');
  expect(code).toBe(0);
  const summary = JSON.parse(stdout);
  expect(summary).toMatchObject({
    file: path,
    rows: 7,
    timeUnit: 's',
    sessions: 3,
    sessionsOfTwoOrMore: 2,
    events: 7,
    items: 3,
    users: 2,
    time: { first: 0, last: 90000 },
    length: { mean: 7 / 3, median: 2, p90: 4, max: 4 },
    repeats: { immediate: 1 / 4, seen: 2 / 4 },
    eventKinds: [
      { name: 'view', events: 6 },
      { name: 'cart', events: 1 },
    ],
  });
  expect(summary.length.distribution).toEqual([
    { from: 1, to: 1, sessions: 1 },
    { from: 2, to: 2, sessions: 1 },
    { from: 3, to: 3, sessions: 0 },
    { from: 4, to: 4, sessions: 1 },
  ]);
  expect(summary.popularity.top[0]).toEqual({ share: 0.01, items: 1, events: 4 / 7 });
  expect(summary.popularity.gini).toBeCloseTo((2 * (1 * 1 + 2 * 2 + 3 * 4)) / (3 * 7) - 4 / 3, 12);
  expect(stderr).toContain('6 view, 1 cart');
});

test('draws the distributions for a person', async () => {
  const { code, stdout } = await aisle('inspect', await file('log.csv', LOG));
  expect(code).toBe(0);
  expect(stdout).toContain('sessions  3, 2 of two or more events');
  expect(stdout).toContain('time      1970-01-01T00:00:00Z to 1970-01-02T01:00:00Z');
  expect(stdout).toMatch(/ 4 █{40} +1 +33\.3 %/);
  expect(stdout).toMatch(/top 1 % █+ +1 items +57\.1 %/);
});

test('names kinds of events that it does not read, and lines up those that it does', async () => {
  const path = await file('log.csv', LOG.replace('event,', 'event_name,').replaceAll('cart', 'begin_checkout'));
  const unread = await aisle('inspect', path);
  expect(unread.stderr).toContain('add event=event_name to --columns');
  const { stdout, stderr } = await aisle('inspect', path, '--columns', 'event=event_name');
  expect(stderr).not.toContain('--columns');
  expect(stdout).toMatch(/^ {2} {10}view █/m);
  expect(stdout).toMatch(/^ {2}begin_checkout █/m);
});

test('counts one item and single clicks too, which training would refuse', async () => {
  const { code, stdout } = await aisle(
    'inspect',
    await file('log.csv', 'session_id,item_id,timestamp\n1,a,5\n'),
    '--json',
  );
  expect(code).toBe(0);
  expect(JSON.parse(stdout)).toMatchObject({
    sessions: 1,
    sessionsOfTwoOrMore: 0,
    items: 1,
    repeats: { immediate: 0, seen: 0 },
  });
});

const REAL = ['eshop-clothing-2008/sessions.tsv.gz', 'amazon-beauty/sequences.txt'];
testWithLogs('agrees with the notes on the real logs', REAL, async (eshop, beauty) => {
  const clicks = JSON.parse((await aisle('inspect', eshop!, '--json')).stdout);
  expect(clicks).toMatchObject({ sessions: 22102, sessionsOfTwoOrMore: 17432, events: 151326, items: 217 });
  expect(clicks.length).toMatchObject({ median: 4, max: 192 });
  expect(clicks.length.mean).toBeCloseTo(6.85, 2);
  expect(clicks.repeats.immediate).toBeCloseTo(0.054, 3);
  const sequences = JSON.parse((await aisle('inspect', beauty!, '--format', 'sequences', '--json')).stdout);
  expect(sequences).toMatchObject({ sessions: 22363, events: 198502, items: 12101, repeats: { seen: 0 } });
  expect(sequences.length).toMatchObject({ median: 6, max: 204 });
});

test('reads a folder of parts as a log, and refuses one that is neither that nor an artifact', async () => {
  const part = await file('log.csv', LOG);
  const parts = await aisle('inspect', dirname(part), '--json');
  expect(JSON.parse(parts.stdout)).toMatchObject({ file: dirname(part), sessions: 3, events: 7 });
  const empty = await folder();
  for (const path of [empty, dirname(await file('notes.txt', LOG))]) {
    const { code, stderr } = await aisle('inspect', path);
    expect({ code, stderr }).toEqual({
      code: 2,
      stderr: expect.stringMatching(
        /: this is a folder without parts of a log, expected one or more files in \.parquet/,
      ),
    });
  }
  // An artifact without its manifest is none of them.
  const { code, stderr } = await aisle('inspect', dirname(await file('strategies.json', LOG)));
  expect({ code, stderr }).toEqual({ code: 2, stderr: expect.stringContaining('manifest.json is missing') });
});

test('reads a folder of Google Analytics’ export, whose files BigQuery calls .json', async () => {
  const row = (second: number, item: string) =>
    JSON.stringify({
      event_name: 'view_item',
      event_timestamp: `${second}000000`,
      user_pseudo_id: 'u.1',
      event_params: [{ key: 'ga_session_id', value: { int_value: '5' } }],
      items: [{ item_id: item }],
    });
  const exported = await file('e-000.json', `${row(1, 'x')}\n${row(2, 'y')}\n`);
  const { stdout } = await aisle('inspect', dirname(exported), '--json');
  expect(JSON.parse(stdout)).toMatchObject({ sessions: 1, events: 2, items: 2 });
});
