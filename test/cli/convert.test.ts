import { execFileSync } from 'node:child_process';
import { lstat, mkdir, readdir, readFile, stat, symlink, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { gunzipSync, gzipSync } from 'node:zlib';
import { describe, expect, test } from 'vitest';
import { RECIPES } from '../../src/session/recipes';
import { aisle, file, folder } from './program';

const JSON_REVIEWS = [
  { reviewerID: 'A2SUAM1J3GNN3B', asin: '0000013714', overall: 5, unixReviewTime: 1394496000 },
  { reviewerID: 'A2SUAM1J3GNN3B', asin: 'B000068VBQ', overall: 4, unixReviewTime: 1394582400 },
];
const NEW_REVIEWS = [
  { user_id: 'AGKHLEW2SOWHNMFQIJGBECAF7INQ', asin: 'B1', parent_asin: 'B00YQ6X8EO', timestamp: 1588687728923 },
  { user_id: 'AGKHLEW2SOWHNMFQIJGBECAF7INQ', asin: 'B2', parent_asin: 'B081TJ8YS3', timestamp: 1588615855070 },
];
const lines = (rows: readonly unknown[]): string => rows.map((row) => `${JSON.stringify(row)}\n`).join('');
const ga4 = (name: string, seconds: number, item: string): object => ({
  event_name: name,
  event_timestamp: `${seconds}000000`,
  user_pseudo_id: 'u.1',
  event_params: [{ key: 'ga_session_id', value: { int_value: '5' } }],
  items: [{ item_id: item }],
});

/** Which log, what its files are called and hold, and the events file. All of it is made up. */
const cases: readonly [string, Readonly<Record<string, string>>, string][] = [
  [
    'movielens',
    { 'ratings.dat': '1::1193::5::978300760\n1::661::3::978302109\n2::1193::4::978298413\n' },
    'session_id item_id timestamp user_id|2 1193 978298413 2|1 1193 978300760 1|1 661 978302109 1',
  ],
  [
    'movielens',
    { 'ratings.csv': 'userId,movieId,rating,timestamp\n1,31,2.5,1260759144\n1,1029,3.0,1260759179\n' },
    'session_id item_id timestamp user_id|1 31 1260759144 1|1 1029 1260759179 1',
  ],
  [
    'movielens',
    { 'u.data': '196\t242\t3\t881250949\n186\t302\t3\t891717742\n' },
    'session_id item_id timestamp user_id|196 242 881250949 196|186 302 891717742 186',
  ],
  [
    'amazon',
    { 'reviews.json': lines(JSON_REVIEWS) },
    'session_id item_id timestamp user_id|A2SUAM1J3GNN3B 0000013714 1394496000 A2SUAM1J3GNN3B|' +
      'A2SUAM1J3GNN3B B000068VBQ 1394582400 A2SUAM1J3GNN3B',
  ],
  [
    'amazon',
    { 'Books.jsonl': lines(NEW_REVIEWS) },
    'session_id item_id timestamp user_id|AGKHLEW2SOWHNMFQIJGBECAF7INQ B081TJ8YS3 1588615855.07 AGKHLEW2SOWHNMFQIJGBECAF7INQ|' +
      'AGKHLEW2SOWHNMFQIJGBECAF7INQ B00YQ6X8EO 1588687728.923 AGKHLEW2SOWHNMFQIJGBECAF7INQ',
  ],
  [
    'amazon',
    { 'ratings_Beauty.csv': 'A39HTATAQ9V7YF,0205616461,5.0,1369699200\nA3JM6GV9MNOF9X,0558925278,3.0,1355443200\n' },
    'session_id item_id timestamp user_id|A3JM6GV9MNOF9X 0558925278 1355443200 A3JM6GV9MNOF9X|' +
      'A39HTATAQ9V7YF 0205616461 1369699200 A39HTATAQ9V7YF',
  ],
  [
    'amazon',
    { 'All_Beauty.csv': '0143026860,A1V6B6TNIC10QE,1.0,1424304000\n' },
    'session_id item_id timestamp user_id|A1V6B6TNIC10QE 0143026860 1424304000 A1V6B6TNIC10QE',
  ],
  [
    'yoochoose',
    {
      'yoochoose-clicks.dat': '1,2014-04-07T10:51:09.277Z,214536502,0\n1,2014-04-07T10:54:09.868Z,214536500,S\n',
      'yoochoose-buys.dat': '1,2014-04-07T10:55:00.000Z,214536500,12462,1\n',
    },
    'session_id item_id timestamp event|1 214536502 1396867869.277 view|1 214536500 1396868049.868 view|' +
      '1 214536500 1396868100 purchase',
  ],
  [
    'diginetica',
    {
      'train-item-views.csv':
        'sessionId;userId;itemId;timeframe;eventdate\n1;NA;81766;526309;2016-05-09\n1;NA;31331;1031018;2016-05-09\n' +
        '2;NA;32118;243569;2016-05-09\n2;7;9654;243570;2016-05-09\n',
    },
    'session_id item_id timestamp user_id|2 32118 1462752243.569 7|2 9654 1462752243.57 7|1 81766 1462752526.309 |' +
      '1 31331 1462753031.018 ',
  ],
  [
    'retailrocket',
    {
      'events.csv':
        'timestamp,visitorid,event,itemid,transactionid\n1433221332117,257597,view,355908,\n' +
        '1433221400000,257597,addtocart,355908,\n1433231400000,257597,transaction,355908,9\n',
    },
    'session_id item_id timestamp user_id event|257597:1 355908 1433221332.117 257597 view|' +
      '257597:1 355908 1433221400 257597 cart|257597:2 355908 1433231400 257597 purchase',
  ],
  [
    'tmall',
    {
      'user_log_format1.csv':
        'user_id,item_id,cat_id,seller_id,brand_id,time_stamp,action_type\n328862,323294,833,2882,2661,829,0\n' +
        '328862,844400,1271,2882,2661,829,3\n328862,575153,1271,2882,2661,1111,2\n',
    },
    'session_id item_id timestamp user_id event|328862:1 323294 1409270400 328862 view|' +
      '328862:1 844400 1409270400 328862 favourite|328862:2 575153 1415664000 328862 purchase',
  ],
  [
    'ga4',
    { 'events.jsonl': lines([ga4('view_item', 100, 'x'), ga4('page_view', 101, 'x'), ga4('purchase', 102, 'x')]) },
    'session_id item_id timestamp user_id event|u.1.5 x 100 u.1 view|u.1.5 x 102 u.1 purchase',
  ],
  [
    'recbole',
    { 'log.inter': 'session_id:token\titem_id:token\ttimestamp:float\n1\t10\t100\n1\t11\t101.5\n' },
    'session_id item_id timestamp|1 10 100|1 11 101.5',
  ],
];

describe.each(['plain', 'packed'])('aisle convert, %s', (how) => {
  test.each(cases)('%s %o', async (name, contents, expected) => {
    const isPacked = how === 'packed';
    const paths: string[] = [];
    for (const [base, text] of Object.entries(contents)) {
      paths.push(await file(isPacked ? `${base}.gz` : base, isPacked ? gzipSync(text) : text));
    }
    const out = join(await folder(), isPacked ? 'events.tsv.gz' : 'events.tsv');
    const { code, stderr, stdout } = await aisle('convert', name, ...paths, '--out', out, '--json');
    expect(stderr).not.toContain('aisle:');
    expect(code).toBe(0);
    const bytes = await readFile(out);
    const rows = (isPacked ? gunzipSync(bytes) : bytes).toString().trimEnd().split('\n');
    expect(rows.join('|').replaceAll('\t', ' ')).toBe(expected.trimEnd());
    expect(JSON.parse(stdout)).toMatchObject({ file: out, events: rows.length - 1 });
    expect((await aisle('inspect', out)).code).toBe(0);
  });
});

test('every recipe has a case, and help names its files and where they are described', async () => {
  expect(new Set(cases.map(([name]) => name))).toEqual(new Set(RECIPES.map(({ name }) => name)));
  const { stdout } = await aisle('convert', '--help');
  for (const { name, files, page } of RECIPES) {
    const line = stdout.split('\n').find((text) => text.trim().startsWith(`${name} `));
    expect(line).toContain(files);
    expect(line).toContain(page);
  }
});

test('other sessions may be asked for', async () => {
  const path = await file('ratings.csv', 'userId,movieId,rating,timestamp\n1,31,2,1000\n1,32,2,1001\n1,33,2,9000\n');
  const out = join(await folder(), 'events.tsv');
  const { stdout } = await aisle('convert', 'movielens', path, '--out', out, '--sessions-by', 'gap:30');
  expect(stdout).toBe(`${out}: 3 events, 2 sessions, 3 items, 1 users\n`);
});

const refused: readonly [string, string, string, string][] = [
  ['movielens', 'ratings.csv', 'a,b,c,d\n1,2,3,4\n', ':1: this is no file of movielens, expected ratings.dat of 1M'],
  [
    'movielens',
    'ratings.dat',
    '1::2::3::978300760\n1::2::3\n',
    ':2: 3 columns, expected 4 as in the header, got "1::2::3"',
  ],
  ['amazon', 'ratings.csv', 'user,item,5.0,1369699200\n', ':1: this is no file of amazon, expected reviews as JSON'],
  ['amazon', 'r.json', "{'reviewerID': 'A'}\n", `:1: no valid JSON, expected an object, got "{'reviewerID': 'A'}"`],
  ['yoochoose', 'clicks.dat', '1,2014-04-07T10:51:09.277Z,2\n', ':1: this is no file of yoochoose'],
  ['yoochoose', 'clicks.dat', '1,x,2,0\n', ':1: time is no time, expected a time in seconds, milliseconds or ISO 8601'],
  [
    'diginetica',
    'views.csv',
    'sessionId;userId;itemId;timeframe;eventdate\n1;NA;2;soon;2016-05-09\n',
    ':2: eventdate is no time, expected a date such as 2016-05-09 and milliseconds within it in timeframe, got "2016-05-09".',
  ],
  [
    'tmall',
    'log.csv',
    'user_id,item_id,time_stamp,action_type\n1,2,1332,0\n',
    ':2: time_stamp is no time, expected a month and a day such as 1111, got "1332".',
  ],
  ['ga4', 'e.jsonl', '{"session_id":"a"}\n', ': this is no file of ga4, expected the tables events_YYYYMMDD'],
  ['recbole', 'e.inter', 'session_id\titem_id\n1\t2\n', ':1: this is no file of recbole, expected atomic files'],
  [
    'recbole',
    'e.inter',
    'user_id:token\titem_id:token\ttimestamp:float\n1\t2\t3\n',
    'got "user_id", "item_id", "timestamp". Name it so in the file. Or form sessions per user: --sessions-by gap:30.\n',
  ],
  [
    'ga4',
    'e.jsonl',
    lines([ga4('page_view', 100, 'x')]),
    ': no event of Google Analytics that names items; expected view_item, add_to_cart, remove_from_cart, purchase, got 1 of',
  ],
  [
    'ga4',
    'e.jsonl',
    lines([{ ...ga4('view_item', 100, 'x'), user_pseudo_id: null }, ga4('page_view', 100, 'x')]),
    ': no event of Google Analytics has a visitor (user_pseudo_id), a session (ga_session_id) and an item (items.item_id), 1 lack',
  ],
  ['retailrocket', 'events.csv', '', ': the file is empty'],
];

test.each(refused)('%s: %s that begins with %j is refused', async (name, base, text, message) => {
  const path = await file(base, text);
  const out = join(await folder(), 'events.tsv');
  const { code, stdout, stderr } = await aisle('convert', name, path, '--out', out);
  expect(stderr).toContain(message.startsWith(':') ? `${path}${message}` : message);
  expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
  await expect(stat(out)).rejects.toThrow('ENOENT');
});

test('users are refused for a log that has none', async () => {
  const path = await file('yoochoose-clicks.dat', '1,2014-04-07T10:51:09.277Z,2,0\n');
  const out = join(dirname(path), 'out.tsv');
  const { code, stderr } = await aisle('convert', 'yoochoose', path, '--out', out, '--sessions-by', 'user');
  expect(stderr).toMatch(/no column "user_id".* Leave out --sessions-by\.\n$/);
  expect(code).toBe(2);
});

test('a log without a recipe, and files that are not there, are refused', async () => {
  const path = await file('e.csv', 'x\n');
  const out = join(dirname(path), 'out.tsv');
  const unknown = await aisle('convert', 'movielense', path, '--out', out);
  expect(unknown).toMatchObject({ code: 2, stderr: expect.stringContaining('Did you mean movielens?') });
  const missing = await aisle('convert', 'movielens', `${path}x`, '--out', out);
  expect(missing).toMatchObject({ code: 2, stderr: expect.stringContaining('e.csvx: no such file') });
});

describe('visitors without a user', () => {
  const views =
    'sessionId;userId;itemId;timeframe;eventdate\n1;NA;8;0;2016-05-09\n2;NA;9;1;2016-05-09\n3;7;8;2;2016-05-09\n';

  test.each(['user', 'gap:30'])('do not become one by --sessions-by %s, nor later', async (rule) => {
    const path = await file('train-item-views.csv', views);
    const out = join(dirname(path), 'events.tsv');
    const { code, stderr } = await aisle('convert', 'diginetica', path, '--out', out, '--sessions-by', rule);
    expect(stderr).toContain(
      `${path}: --sessions-by would make one user of all visitors without one ("NA"); leave it out`,
    );
    expect(code).toBe(2);
    expect((await aisle('convert', 'diginetica', path, '--out', out)).code).toBe(0);
    const later = await aisle('inspect', out, '--sessions-by', rule);
    expect(later).toMatchObject({
      code: 2,
      stderr: expect.stringContaining(`${out}:2: user_id is empty, expected an id`),
    });
  });
});

describe('files of one log', () => {
  const header = 'session_id:token\titem_id:token\ttimestamp:float';

  test.each([
    ['user_id', 'a', 'b', 'no column "user_id", which ROOT/a.inter has'],
    ['user_id', 'b', 'a', 'column "user_id" is not in ROOT/b.inter'],
    ['event', 'a', 'b', 'no column "event", which ROOT/a.inter has'],
    ['event', 'b', 'a', 'column "event" is not in ROOT/b.inter'],
  ])('are refused where only one has %s: %s, %s', async (column, first, second, what) => {
    const root = await folder();
    await writeFile(join(root, 'a.inter'), `${header}\t${column}:token\n1\t10\t100\tu\n`);
    await writeFile(join(root, 'b.inter'), `${header}\n2\t10\t100\n`);
    const paths = [first, second].map((name) => join(root, `${name}.inter`));
    const { code, stderr } = await aisle('convert', 'recbole', ...paths, '--out', join(root, 'events.tsv'));
    expect(stderr).toContain(`${paths[1]}: ${what.replace('ROOT', root)}; expected the same columns`);
    expect(code).toBe(2);
  });

  test('may have other columns that are not read', async () => {
    const one = await file('a.inter', `${header}\tprice:float\n1\t10\t100\t5\n`);
    const two = await file('b.inter', `${header}\n1\t11\t101\n`);
    const { code } = await aisle('convert', 'recbole', one, two, '--out', join(dirname(one), 'events.tsv'));
    expect(code).toBe(0);
  });
});

describe('--out', () => {
  const ratings = 'userId,movieId,rating,timestamp\n1,31,2,1000\n1,32,2,1001\n';

  test.each([
    ['one of the files', (path: string) => [path, path, `would replace ${path}, which is read; name another file.\n`]],
    [
      'a part of the folder',
      (path: string) => [dirname(path), path, `${path} is among the files of ${dirname(path)}: `],
    ],
    [
      'a link to one of the files',
      (path: string) => [
        path,
        join(dirname(path), 'link'),
        `would replace ${path}, which is read; name another file.\n`,
      ],
    ],
  ])('is refused where it is %s, which stays as it is', async (_, argv) => {
    const path = await file('ratings.csv', ratings);
    await symlink(path, join(dirname(path), 'link'));
    const [input, out, why] = argv(path);
    const { code, stderr } = await aisle('convert', 'movielens', input!, '--out', out!);
    expect({ code, stderr }).toEqual({ code: 2, stderr: expect.stringContaining(`aisle: --out ${why}`) });
    expect(await readFile(path, 'utf8')).toBe(ratings);
  });

  test('may lie beside the files that a glob names', async () => {
    const path = await file('ratings.csv', ratings);
    const argv = ['convert', 'movielens', join(dirname(path), '*.csv'), '--out', join(dirname(path), 'events.tsv')];
    for (let run = 0; run < 2; run++) expect((await aisle(...argv)).code).toBe(0);
  });

  test.each([
    ['its own', 'items.json'],
    ['new', 'events.tsv'],
  ])('in the folder of a model is refused: a file that is %s', async (_, name) => {
    const model = await folder();
    for (const one of ['manifest.json', 'items.json']) await writeFile(join(model, one), '[]');
    const out = join(model, name);
    const { code, stderr } = await aisle('convert', 'movielens', 'not read', '--out', out);
    expect({ code, stderr }).toEqual({
      code: 2,
      stderr: `aisle: ${out} is inside of the model ${model}; name a file elsewhere.\n`,
    });
    expect((await readdir(model)).sort()).toEqual(['items.json', 'manifest.json']);
    expect(await readFile(join(model, 'items.json'), 'utf8')).toBe('[]');
  });

  test('beside a manifest.json of something else is written', async () => {
    const out = join(dirname(await file('manifest.json', '{"name":"app"}')), 'events.tsv');
    expect((await aisle('convert', 'movielens', await file('ratings.csv', ratings), '--out', out)).code).toBe(0);
  });

  test.each(['x.tsv', 'x/y.tsv'])('below a file is refused before anything is read: %s', async (name) => {
    const path = join(await file('file', ''), name);
    const { code, stderr } = await aisle('convert', 'movielens', 'not read', '--out', path);
    expect(stderr).toBe(
      `aisle: ${path}: the folder cannot be made (ENOTDIR): a part of the path is a file; choose another folder.\n`,
    );
    expect(code).toBe(2);
  });

  test('writes through a link', async () => {
    const target = await file('events.tsv', 'old');
    const out = join(dirname(target), 'link');
    await symlink('events.tsv', out);
    expect((await aisle('convert', 'movielens', await file('ratings.csv', ratings), '--out', out)).code).toBe(0);
    expect((await lstat(out)).isSymbolicLink()).toBe(true);
    expect(await readFile(target, 'utf8')).toContain('session_id');
    expect((await readdir(dirname(target))).sort()).toEqual(['events.tsv', 'link']);
  });

  test.skipIf(process.platform === 'win32').each([
    ['a pipe', (out: string) => void execFileSync('mkfifo', [out]), 'this is a pipe or a device'],
    ['a link to nothing', (out: string) => symlink('nothing', out), 'this is a link to a file that is not there'],
    ['a folder', (out: string) => mkdir(out), 'this is a folder'],
  ])('is refused where it is %s, which stays', async (_, make, message) => {
    const out = join(await folder(), 'out');
    await make(out);
    const before = (await lstat(out)).ino;
    const { code, stderr } = await aisle('convert', 'movielens', 'not read', '--out', out);
    expect({ code, stderr }).toEqual({ code: 2, stderr: `aisle: ${out}: ${message}; name a file to write.\n` });
    expect((await lstat(out)).ino).toBe(before);
  });
});
