import { mkdir, readdir, readFile, symlink, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { Readable } from 'node:stream';
import { gunzipSync, gzipSync } from 'node:zlib';
import { parquetWriteBuffer } from 'hyparquet-writer';
import { describe, expect, onTestFinished, test, vi } from 'vitest';
import { inputHash, readEventsFile, refuseAmong } from '../../src/pipeline/files/events-file';
import type { Message, Progress } from '../../src/pipeline/observer';
import { aisle, folder } from '../cli/program';
import { idsBySession, rowsOf } from '../session/helpers';
import { testWithLogs } from '../with-logs';

const HEADER = 'session_id,item_id,timestamp\n';

/** A folder of these files, whose names may hold folders. */
async function folderOf(files: Readonly<Record<string, string | Uint8Array>>): Promise<string> {
  const root = await folder();
  for (const [name, content] of Object.entries(files)) {
    await mkdir(dirname(join(root, name)), { recursive: true });
    await writeFile(join(root, name), content);
  }
  return root;
}

function parquet(rows: readonly (readonly [session: string, item: string, time: number])[]): Uint8Array {
  const column = <T>(at: number) => rows.map((row) => row[at]) as T[];
  return new Uint8Array(
    parquetWriteBuffer({
      columnData: [
        { name: 'session_id', data: column<string>(0), type: 'STRING' },
        { name: 'item_id', data: column<string>(1), type: 'STRING' },
        { name: 'timestamp', data: column<number>(2), type: 'DOUBLE' },
      ],
    }),
  );
}

const FORMATS: [string, string | Uint8Array][] = [
  ['.csv', `${HEADER}a,x,1\nb,y,2\n`],
  ['.tsv', 'timestamp\titem_id\tsession_id\n1\tx\ta\n2\ty\tb\n'],
  ['.jsonl', '{"session_id":"a","item_id":"x","timestamp":1}\n{"item_id":"y","timestamp":2,"session_id":"b"}\n'],
  ['.inter', 'session_id:token\titem_id:token\ttimestamp:float\na\tx\t1\nb\ty\t2\n'],
  [
    '.parquet',
    parquet([
      ['a', 'x', 1],
      ['b', 'y', 2],
    ]),
  ],
];

/** The same, each also packed. */
const PACKED_TOO = FORMATS.flatMap(
  ([name, content]) =>
    [
      [name, content],
      [`${name}.gz`, gzipSync(content)],
    ] as const,
);

describe('parts of a log', () => {
  test.each(PACKED_TOO)('may be %s files, each with its own order of columns', async (extension, content) => {
    const root = await folderOf({ 'one.csv': `${HEADER}a,z,0\n`, [`two${extension}`]: content });
    expect(idsBySession(await readEventsFile(root, { minLength: 1 }))).toEqual({ a: 'z x', b: 'y' });
  });

  test('are read in the order of their names, in folders too, without what writers put beside them', async () => {
    const part = (item: string) => `${HEADER}s,${item},1\n`;
    const root = await folderOf({
      'b.csv': part('3'),
      'a/2.csv': part('2'),
      'a/10.csv': part('1'),
      _SUCCESS: '',
      '.b.csv.crc': 'x',
      '_temporary/b.csv': part('0'),
      'notes.md': 'x',
    });
    const messages: Message[] = [];
    const log = await readEventsFile(root, {}, { onMessage: (message) => messages.push(message) });
    expect(idsBySession(log)).toEqual({ s: '1 2 3' });
    expect(messages[0]!.text).toBe(`${root}: 3 parts; left out 1 other files: ${root}/notes.md`);
  });

  test('may be called .json, as BigQuery exports them, where nothing else is a part', async () => {
    const part = (item: string) => `{"session_id":"s","item_id":"${item}","timestamp":1}\n`;
    const files = { 'e-000.json': part('x'), 'e-001.json.gz': gzipSync(part('y')) };
    expect(idsBySession(await readEventsFile(await folderOf(files)))).toEqual({ s: 'x y' });
    const root = await folderOf({ 'schema.json': '[{ "name": "item_id" }]', 'a.csv': `${HEADER}s,z,1\ns,z,2\n` });
    const messages: Message[] = [];
    const log = await readEventsFile(root, { minItems: 1 }, { onMessage: (message) => messages.push(message) });
    expect(idsBySession(log)).toEqual({ s: 'z z' });
    expect(messages[0]!.text).toBe(`${root}: 1 parts; left out 1 other files: ${root}/schema.json`);
  });

  test.each([
    ['*.csv', '6 1 2'],
    ['part-?.csv', '1 2'],
    ['deep/*.csv', '3'],
    ['deep/**/*.csv', '3 4'],
    ['**/*.csv', '6 3 4 1 2'],
    ['deep/**', '3 4 5'],
    ['*/*/*.csv', '4'],
    ['[x]*.csv', '6'],
  ])('are named by the glob %s', async (glob, items) => {
    const part = (item: string) => `${HEADER}s,${item},1\n`;
    const root = await folderOf({
      'part-1.csv': part('1'),
      'part-2.csv': part('2'),
      'deep/3.csv': part('3'),
      'deep/er/4.csv': part('4'),
      'deep/last': part('5'),
      'deep/_7.csv': part('7'),
      '[x]y.csv': part('6'),
    });
    const log = await readEventsFile(`${root}/${glob}`, { minLength: 1, minItems: 1 });
    expect(idsBySession(log)).toEqual({ s: items });
  });

  test.each(['csv', 'jsonl', 'parquet'])('give columns by the names of their folders: %s', async (format) => {
    const content = (item: string): string | Uint8Array =>
      format === 'csv'
        ? `${HEADER}s,${item},1\n`
        : format === 'jsonl'
          ? `{"session_id":"s","item_id":"${item}","timestamp":1}\n`
          : parquet([['s', item, 1]]);
    const root = await folderOf({
      [`country=DE/day=2024-05-02/part.${format}`]: content('c'),
      [`country=DE/day=2024-05-01/part.${format}`]: content('b'),
      [`country=__HIVE_DEFAULT_PARTITION__/day=2024-05-03/part.${format}`]: content('d'),
      [`country=C%C3%B4te/day=2024-04-01/part.${format}`]: content('a'),
    });
    const log = await readEventsFile(root, { columns: { time: 'day', event: 'country' }, events: ['DE', '', 'Côte'] });
    expect(rowsOf(log)).toEqual([
      ['s', 'a', Date.UTC(2024, 3, 1) / 1000],
      ['s', 'b', Date.UTC(2024, 4, 1) / 1000],
      ['s', 'c', Date.UTC(2024, 4, 2) / 1000],
      ['s', 'd', Date.UTC(2024, 4, 3) / 1000],
    ]);
    expect(Array.from(log.events!, (kind) => log.eventNames![kind])).toEqual(['Côte', 'DE', 'DE', '']);
    expect(log.report.otherColumns).toEqual(['timestamp']);
  });

  test('keep their own column where a folder has its name, and features where their order differs', async () => {
    const root = await folderOf({
      'price=7/a.csv': 'session_id,item_id,timestamp,price,colour\ns,x,1,5,red\n',
      'price=7/b.csv': 'colour,session_id,item_id,timestamp,price\nblue,s,y,2,6\n',
    });
    const { features } = await readEventsFile(root, { features: 'all' });
    const cells = (name: string) => Array.from(features!.get(name)!.codes, (code) => features!.get(name)!.names[code]);
    expect([cells('price'), cells('colour')]).toEqual([
      ['5', '6'],
      ['red', 'blue'],
    ]);
  });

  test('are one task, from its beginning to its end', async () => {
    const root = await folderOf({ 'a.csv': `${HEADER}s,x,1\n`, 'b.parquet': parquet([['s', 'y', 2]]) });
    const reports: Progress[] = [];
    await readEventsFile(root, {}, { onProgress: (progress) => reports.push(progress) });
    expect(new Set(reports.map(({ label }) => label))).toEqual(new Set([`Reading ${root}`]));
    expect(reports.at(-1)).toMatchObject({ isFinished: true, done: reports[0]!.total });
    expect(reports.map(({ done }) => done)).toEqual(reports.map(({ done }) => done).sort((a, b) => a - b));
  });

  test('have a hash that changes with any of them', async () => {
    const root = await folderOf({ 'a.csv': 'x', 'b.csv': 'y' });
    const hash = await inputHash(root, {});
    expect(await inputHash(root, {})).toBe(hash);
    await writeFile(join(root, 'b.csv'), 'z');
    expect(await inputHash(root, {})).not.toBe(hash);
  });
});

const LONG = HEADER + Array.from({ length: 500 }, (_, k) => `s${k % 9},i${k * k},${k}\n`).join('');

/** Until the test ends, this comes in through standard input. */
function pipe(content: string | Uint8Array, isTTY = false): void {
  const bytes = Buffer.from(content as Uint8Array);
  const stdin = Object.assign(Readable.from([bytes.subarray(0, 3), bytes.subarray(3)]), { isTTY });
  const spy = vi.spyOn(process, 'stdin', 'get').mockReturnValue(stdin as unknown as typeof process.stdin);
  onTestFinished(() => spy.mockRestore());
}

describe('standard input', () => {
  test.each(PACKED_TOO)('may be %s, and is read as often as it is needed', async (_, content) => {
    pipe(content);
    const place = await temporaryPlace();
    const first = await readEventsFile('-', { minLength: 1 });
    expect(await readdir(place)).toEqual([]); // whatever ends the process now
    expect(idsBySession(first)).toEqual({ a: 'x', b: 'y' });
    expect(await readEventsFile('-', { minLength: 1 })).toEqual(first);
    expect(await inputHash('-', {})).toMatch(/^[0-9a-f]{64}$/);
  });

  test('has its name in messages', async () => {
    pipe(`${HEADER}a,x,yesterday\n`);
    await expect(readEventsFile('-')).rejects.toThrow('standard input:2: timestamp is no time');
  });

  test('has its name in messages about a damaged file, too', async () => {
    pipe(gzipSync(LONG).subarray(0, 60));
    await expect(readEventsFile('-')).rejects.toThrow('standard input: the gzip file is cut off');
  });

  test('is refused from a terminal, which would wait for ever', async () => {
    pipe('', true);
    await expect(readEventsFile('-')).rejects.toThrow('standard input: this is a terminal, expected an events file');
  });

  test('stops by its signal', async () => {
    const stdin = Object.assign(new Readable({ read: () => {} }), { isTTY: false });
    const spy = vi.spyOn(process, 'stdin', 'get').mockReturnValue(stdin as unknown as typeof process.stdin);
    onTestFinished(() => spy.mockRestore());
    const place = await temporaryPlace();
    const abort = new AbortController();
    const reading = readEventsFile('-', {}, { signal: abort.signal });
    setTimeout(() => abort.abort(), 20);
    await expect(reading).rejects.toMatchObject({ code: 'aborted' });
    expect(await readdir(place)).toEqual([]);
  });
});

/** Where temporary files lie until the test ends. */
async function temporaryPlace(): Promise<string> {
  const place = await folder();
  vi.stubEnv('TMPDIR', place);
  onTestFinished(() => void vi.unstubAllEnvs());
  return place;
}

describe('a log is not written into', () => {
  /** What is read, what is written, whether that is a file, and whether the next command would read it. */
  const cases: [string, string, boolean, boolean][] = [
    ['ev', 'ev', false, true],
    ['ev/', 'ev/deep/er', false, true],
    ['link', 'ev/parts', false, true],
    ['ev', 'link/parts', false, true],
    ['ev', 'ev/_parts', false, false],
    ['ev', 'evening', false, false],
    ['ev', '.', false, false],
    ['ev/a.csv', 'ev', false, false],
    ['ev/*.csv', 'ev', false, true],
    ['ev/*.csv', 'ev/parts', false, false],
    ['ev/*/*.csv', 'ev/parts', false, true],
    ['ev/d*/*.csv', 'ev/parts', false, false],
    ['ev/**/*.csv', 'ev/parts/deep', false, true],
    ['ev/*.csv', 'ev/b.csv', true, true],
    ['ev/*.csv', 'ev/b.tsv', true, false],
    ['ev', 'ev/b.tsv', true, true],
    ['-', 'ev', false, false],
    ['last:10%', 'ev', false, false],
  ];
  test.each(cases)('%s, %s', async (log, out, isFile, isRefused) => {
    const root = await folderOf({ 'ev/a.csv': HEADER });
    await symlink(join(root, 'ev'), join(root, 'link'));
    const at = (path: string) => (/^(-|last:.*)$/.test(path) ? path : `${root}/${path}`);
    const checking = refuseAmong([undefined, at(log)], at(out), { isFile });
    if (!isRefused) return expect(await checking).toBeUndefined();
    await expect(checking).rejects.toMatchObject({
      code: 'bad-input',
      message: `\`out\` ${at(out)} is among the files of ${at(log)}: what is written there would be read as a part of the log. Choose a place elsewhere.`,
    });
  });

  test.each([
    ['split --data EV --out EV/x --test last:10%', 'out'],
    ['train --data EV --model pop --out EV/x', 'out'],
    ['train --data EV --model pop --out x --log EV/x.jsonl', 'log'],
    ['compare --data EV --models pop --out EV/x', 'out'],
    ['compare --data x.tsv --test EV --models pop --out EV/x', 'out'],
    ['search --data EV --model sknn --out EV/x', 'out'],
    ['convert recbole EV --out EV/x.tsv', 'out'],
    ['evaluate --artifact x --data EV --ranks EV/x.tsv', 'ranks'],
    ['import --from gru4rec --weights x --config x --items x --data EV --out EV/x', 'out'],
  ])('aisle %s', async (line, option) => {
    const root = await folderOf({ 'a.csv': `${HEADER}a,x,1\na,y,2\n` });
    const { code, stderr } = await aisle(...line.replaceAll('EV', root).split(' '));
    expect(stderr).toContain(`--${option} ${root}/x`);
    expect(stderr).toContain(`is among the files of ${root}: `);
    expect(code).toBe(2);
    expect(await readdir(root)).toEqual(['a.csv']);
  });
});

const refused: [string, Record<string, string | Uint8Array>, string, string][] = [
  ['an empty folder', { 'x.md': '' }, '', 'ROOT: this is a folder without parts of a log, expected one or more files'],
  ['a glob without files', { 'a.csv': HEADER }, '/*.tsv', 'ROOT/*.tsv: no file has such a name, expected one or more'],
  [
    'a glob with brackets',
    { '1.csv': HEADER },
    '/[12].csv',
    'ROOT/[12].csv: no such file; brackets stand for themselves, a glob has *, ? and **.',
  ],
  [
    'a glob with brackets and a star',
    { '1.csv': HEADER },
    '/{1,2}*.csv',
    'ROOT/{1,2}*.csv: no file has such a name; brackets stand for themselves, a glob has *, ? and **, expected',
  ],
  [
    'a glob of hidden files',
    { '_q/_1.csv': HEADER },
    '/_q/_*.csv',
    'ROOT/_q/_*.csv: files and folders whose names begin with . or _ are passed over, expected one or more',
  ],
  [
    'a glob in a folder that is not there',
    { 'a.csv': HEADER },
    '/no/*.csv',
    'ROOT/no/: the folder cannot be read, no such file (ENOENT).',
  ],
  [
    'a part with a column less',
    { 'a.csv': 'session_id,item_id,timestamp,price\na,x,1,2\n', 'b.csv': `${HEADER}a,x,1\n` },
    '',
    'ROOT/b.csv: no column "price", which ROOT/a.csv has; expected the same columns in all parts.',
  ],
  [
    'a part with a column more',
    { 'a.csv': `${HEADER}a,x,1\n`, 'b.csv': 'session_id,item_id,timestamp,price\na,x,1,2\n' },
    '',
    'ROOT/b.csv: column "price" is not in ROOT/a.csv; expected the same columns in all parts.',
  ],
  [
    'a part in a folder of another kind',
    { 'a.csv': `${HEADER}a,x,1\n`, 'day=1/b.csv': `${HEADER}a,x,1\n` },
    '',
    'ROOT/day=1/b.csv: column "day" is not in ROOT/a.csv',
  ],
  [
    'a bad row in the second part',
    { 'a.csv': `${HEADER}a,x,1\n`, 'b.csv': `${HEADER}a,y,2\na,,3\n` },
    '',
    'ROOT/b.csv:3: item_id is empty, expected an id, got nothing.',
  ],
  [
    'a part with times of another unit',
    { 'a.csv': `${HEADER}a,x,1396314141\n`, 'b.csv': `${HEADER}a,y,1396314141719\n` },
    '',
    'ROOT/b.csv:2: timestamp is no time, expected seconds since 1970, as in the first row',
  ],
  [
    'a time in the name of a folder',
    { 'day=monday/a.csv': 'session_id,item_id\na,x\n' },
    '?columns=day',
    'ROOT/day=monday/a.csv:2: day is no time, expected a time in seconds, milliseconds or ISO 8601, got "monday".',
  ],
  [
    'a damaged Parquet part',
    { 'a.parquet': parquet([['a', 'x', 1]]), 'b.parquet': parquet([['a', 'x', 1]]).subarray(0, 60) },
    '',
    'ROOT/b.parquet: no Parquet file, or a damaged one',
  ],
  [
    'a cut-off gzip part',
    { 'a.csv.gz': gzipSync(`${HEADER}a,x,1\n`).subarray(0, 30) },
    '',
    'ROOT/a.csv.gz: the gzip file is cut off',
  ],
  [
    'an empty part',
    { 'a.csv': `${HEADER}a,x,1\n`, 'b.csv': '' },
    '',
    'ROOT/b.csv: the file is empty; expected a header',
  ],
];

test.each(refused)('%s is refused with what to do', async (_, files, path, message) => {
  const root = await folderOf(files);
  const [glob, time] = path.split('?columns=');
  const reading = readEventsFile(root + glob, time === undefined ? {} : { columns: { time } });
  await expect(reading).rejects.toMatchObject({
    code: 'bad-input',
    message: expect.stringContaining(message.replaceAll('ROOT', root)),
  });
});

testWithLogs(
  'a real log is the same as objects, as Parquet parts and as text',
  ['eshop-clothing-2008/sessions.tsv.gz'],
  async (path) => {
    const text = gunzipSync(await readFile(path!)).toString();
    const [header, ...rows] = text
      .trimEnd()
      .split('\n')
      .map((line) => line.split('\t'));
    const names = header!.map((name, at) => ({ name, at }));
    const objects = (part: readonly string[][]) =>
      part
        .map((row) => `${JSON.stringify(Object.fromEntries(names.map(({ name, at }) => [name, row[at]])))}\n`)
        .join('');
    const columns = (part: readonly string[][]) =>
      names.map(({ name, at }) => ({ name, data: part.map((row) => row[at]!), type: 'STRING' as const }));
    const half = rows.length >> 1;
    const [first, second] = [rows.slice(0, half), rows.slice(half)];
    const root = await folderOf({
      'part=1/a.parquet': new Uint8Array(parquetWriteBuffer({ columnData: columns(first), rowGroupSize: 20_000 })),
      'part=2/b.jsonl.gz': gzipSync(objects(second)),
    });
    const [whole, parts] = [await readEventsFile(path!), await readEventsFile(root)];
    expect(parts.itemIds).toEqual(whole.itemIds);
    expect(parts.sessions).toEqual(whole.sessions);
    expect(parts.sessionIds).toEqual(whole.sessionIds);
  },
);

testWithLogs('the parts of a real log are named by a glob', ['yoochoose-100k'], async (path) => {
  const read = async (name: string) =>
    (await readEventsFile(join(path!, name), { minLength: 1 })).sessions.items.length;
  expect(await read('t*.tsv.gz')).toBe((await read('train.tsv.gz')) + (await read('test.tsv.gz')));
});
