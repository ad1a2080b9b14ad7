import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { badLogs, GOOD, HEADER } from './bad-logs';
import { aisle, file, folder } from './program';

const COMMANDS: [string, string[]][] = [
  ['split', ['--test', 'last:50%']],
  ['train', ['--model', 'gru4rec']],
  ['train', ['--model', 'markov']],
];

describe.each(COMMANDS)('aisle %s %j', (command, flags) => {
  test.each(badLogs)('on %s ends with code 2 and a sentence', async (_, name, content, message) => {
    const path = await file(name, content);
    const place = await folder();
    const { code, stdout, stderr } = await aisle(command, '--data', path, '--out', join(place, 'out'), ...flags);
    expect(stderr).toContain(`${message.startsWith(':') ? path : ''}${message}`);
    expect(stderr).not.toMatch(/^\s+at /m);
    expect(code).toBe(2);
    expect(stdout).toBe('');
    expect(await readdir(place)).toEqual([]);
  });

  test('on a file that is not there, and a folder in its place', async () => {
    const place = await folder();
    const run = (path: string) => aisle(command, '--data', path, '--out', join(place, 'out'), ...flags);
    expect(await run(join(place, 'no.csv'))).toMatchObject({
      code: 2,
      stderr: expect.stringContaining('no.csv: no such file'),
    });
    const empty = await folder();
    expect(await run(empty)).toMatchObject({ code: 2, stderr: expect.stringContaining(`${empty}: this is a folder`) });
    expect(await readdir(place)).toEqual([]);
  });
});

test('one session works, with a warning', async () => {
  const path = await file('e.csv', `${HEADER}a,x,1\na,y,2\n`);
  const { code, stderr } = await aisle('inspect', path);
  expect(code).toBe(0);
  expect(stderr).toContain('only one session; a model of it can be no more than an example.');
});

test('a stack trace is for those who ask', async () => {
  const path = await file('e.csv', HEADER);
  const { code, stderr } = await aisle('inspect', path, '--verbose');
  expect(code).toBe(2);
  expect(stderr).toMatch(/^\s+at /m);
});

test('a column of another use than its name says may be left unread', async () => {
  const rows = Array.from({ length: 600 }, (_, e) => `s${e >> 1},i${e % 3},${e},id-${e}\n`);
  const data = await file('events.csv', `session_id,item_id,timestamp,event\n${rows.join('')}`);
  const { code, stderr } = await aisle('inspect', data);
  expect({ code, stderr }).toEqual({ code: 2, stderr: expect.stringContaining('--columns event= leaves it unread') });
  expect((await aisle('inspect', data, '--columns', 'event=')).code).toBe(0);
  expect((await aisle('inspect', data, '--columns', 'item=')).code).toBe(2);
});

test('bad rows that are tolerated are counted', async () => {
  const path = await file('e.csv', `${GOOD}c,x\n`);
  const { code, stdout, stderr } = await aisle('inspect', path, '--skip-bad-rows', '1', '--json');
  expect(code).toBe(0);
  expect(JSON.parse(stdout)).toMatchObject({ rows: 5, badRows: 1, sessions: 2, events: 4 });
  expect(stderr).toContain(`${path}: 1 bad rows left out, the first: ${path}:6: 2 columns`);
});
