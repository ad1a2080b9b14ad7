import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { filesOf } from './files';

let root: string;
let data: string;
let work: string;

beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'aisle-quality-files-'));
  data = join(root, 'log');
  work = join(root, 'work');
  mkdirSync(data);
});
afterEach(() => rmSync(root, { recursive: true, force: true }));

const written = (text: string, name = 'as it was') => ({
  cut: {
    name,
    train: 'events',
    test: 'events',
    write: (_: string, out: string) => writeFileSync(join(out, 'events'), text),
  },
});

test('a log that came cut is read where it is', async () => {
  const files = await filesOf('diginetica', { cut: 'given' }, data, work);
  expect(files).toEqual({ train: join(data, 'train.tsv.gz'), test: join(data, 'test.tsv.gz') });
});

test('a cut that changes is made again beside the old one, and one that does not is read again', async () => {
  const day = (n: number) => Math.round(Date.UTC(2020, 0, n) / 1000);
  const rows = [1, 2, 3, 4].flatMap((n) => ['x', 'y'].map((item, i) => `s${n}\t${item}\t${day(n) + i}\n`));
  writeFileSync(join(data, 'sessions.tsv.gz'), gzipSync(`session_id\titem_id\ttimestamp\n${rows.join('')}`));
  const early = ['--by', 'start', '--test-from', '2020-01-03'];
  const late = ['--by', 'start', '--test-from', '2020-01-04'];

  const first = await filesOf('eshop', { cut: early }, data, work);
  const second = await filesOf('eshop', { cut: late }, data, work);

  const notices = (file: string) => JSON.parse(readFileSync(join(dirname(file), 'split.json'), 'utf8'));
  expect(notices(first.train)).not.toEqual(notices(second.train));
  writeFileSync(first.test, 'kept');
  const again = await filesOf('eshop', { cut: early }, data, work);
  expect(again).toEqual(first);
  expect(readFileSync(again.test, 'utf8')).toBe('kept');
});

test('what a log writes itself is written again under another name', async () => {
  const first = await filesOf('amazon-beauty', written('first'), data, work);
  expect(readFileSync((await filesOf('amazon-beauty', written('second'), data, work)).train, 'utf8')).toBe('first');
  const second = await filesOf('amazon-beauty', written('second', 'otherwise'), data, work);
  expect([first, second].map(({ test }) => readFileSync(test, 'utf8'))).toEqual(['first', 'second']);
});

test('a cut that was broken off is not read: it leaves nothing, or what a killed process cannot clear up, and the next is whole', async () => {
  let out = '';
  const write = (_: string, folder: string) => {
    out = join(folder, 'events');
    writeFileSync(out, 'hal');
    throw new Error('broken off');
  };
  await expect(filesOf('amazon-beauty', { cut: { ...written('').cut, write } }, data, work)).rejects.toThrow('broken');
  expect(readdirSync(work)).toEqual([]);
  mkdirSync(dirname(out));
  writeFileSync(out, 'hal');
  const { train } = await filesOf('amazon-beauty', written('whole'), data, work);
  expect(readFileSync(train, 'utf8')).toBe('whole');
});
