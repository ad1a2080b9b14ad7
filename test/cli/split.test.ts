import { readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { expect, test } from 'vitest';
import { aisle, aisleUntil, file, fillDisk, folder } from './program';

const ODD = ['a,b', '"q"', '😀', '__proto__'];
const LOG = `visit,user_id,event,sku,at,price\n${Array.from({ length: 8 }, (_, k) =>
  ['view', 'cart']
    .map(
      (kind, e) =>
        `v${k},u${k % 2},${kind},"${ODD[(k + e) % 4]!.replaceAll('"', '""')}",2014-04-0${k + 1}T00:00:0${e}.5Z,${k}.50`,
    )
    .join('\n'),
).join('\n')}\n`;
const COLUMNS = 'session=visit,item=sku,time=at';

async function parts(dir: string): Promise<Record<string, string>> {
  const names = (await readdir(dir)).sort();
  return Object.fromEntries(
    await Promise.all(
      names.map(async (name) => {
        const bytes = await readFile(join(dir, name));
        return [name, (name.endsWith('.gz') ? gunzipSync(bytes) : bytes).toString()] as const;
      }),
    ),
  );
}

test('writes the three parts with every column, and the counts', async () => {
  const path = await file('log.csv', LOG);
  const out = join(await folder(), 'deep', 'out');
  const args = ['--data', path, '--out', out, '--columns', COLUMNS];
  const { code, stdout } = await aisle(
    'split',
    ...args,
    '--by',
    'start',
    '--test-from',
    '2014-04-07',
    '--valid',
    'last:2d',
    '--json',
  );
  expect(code).toBe(0);
  const written = await parts(out);
  expect(Object.keys(written)).toEqual(['split.json', 'test.tsv.gz', 'train.tsv.gz', 'valid.tsv.gz']);
  const counts = JSON.parse(stdout);
  expect(JSON.parse(written['split.json']!)).toEqual(counts);
  expect(counts).toMatchObject({
    train: { sessions: 4, events: 8, items: 4 },
    valid: { sessions: 2, events: 4, items: 3 },
    test: { sessions: 2, events: 4, items: 3 },
    dropped: { badRows: 0, shortSessions: { sessions: 0, events: 0 } },
  });
  expect(written['test.tsv.gz']).toBe(
    [
      'session_id\titem_id\ttimestamp\tuser_id\tevent\tprice',
      'v6\t😀\t1396828800.5\tu0\tview\t6.50',
      'v6\t__proto__\t1396828801.5\tu0\tcart\t6.50',
      'v7\t__proto__\t1396915200.5\tu1\tview\t7.50',
      'v7\ta,b\t1396915201.5\tu1\tcart\t7.50',
      '',
    ].join('\n'),
  );
  // Reading a part gives the same log.
  const again = join(await folder(), 'again');
  expect((await aisle('split', '--data', join(out, 'train.tsv.gz'), '--out', again, '--test', 'last:50%')).code).toBe(
    0,
  );
  expect((await parts(again))['train.tsv.gz']).toContain('v0\ta,b\t1396310400.5\tu0\tview\t0.50\nv0\t"""q"""\t');
});

test('a part, or a folder of parts, is never cut over itself', async () => {
  const out = await folder();
  await aisle('split', '--data', await file('log.csv', LOG), '--out', out, '--columns', COLUMNS, '--test', 'last:25%');
  const before = await parts(out);
  const train = join(out, 'train.tsv.gz');
  for (const [data, why] of [
    [train, `the parts would replace ${train}; choose another folder.`],
    [out, `--out ${out} is among the files of ${out}`],
  ] as const) {
    const { code, stderr } = await aisle('split', '--data', data, '--out', out, '--test', 'last:50%');
    expect(code).toBe(2);
    expect(stderr).toContain(why);
  }
  expect(await parts(out)).toEqual(before);
});

test('a second split without a validation part takes the old one away', async () => {
  const path = await file('log.csv', LOG);
  const out = await folder();
  const args = ['split', '--data', path, '--out', out, '--columns', COLUMNS, '--test', 'last:25%'];
  await aisle(...args, '--valid', 'last:10%');
  expect(await readdir(out)).toContain('valid.tsv.gz');
  const { code, stdout } = await aisle(...args);
  expect(code).toBe(0);
  expect((await readdir(out)).sort()).toEqual(['split.json', 'test.tsv.gz', 'train.tsv.gz']);
  expect(stdout).toMatch(/train +6 +12 +4\ntest +2 +4 +3\n/);
});

test('the folder of a model is left alone', async () => {
  const path = await file('log.csv', LOG);
  const out = await folder();
  await writeFile(join(out, 'manifest.json'), '{}');
  const args = ['split', '--data', path, '--out', out, '--columns', COLUMNS, '--test', 'last:25%'];
  const { code, stderr } = await aisle(...args);
  expect({ code, stderr }).toEqual({
    code: 2,
    stderr: `aisle: ${out} holds manifest.json, so it is the folder of a model; name another one.\n`,
  });
  expect(await readdir(out)).toEqual(['manifest.json']);
});

test.each(['train.tsv.gz', 'valid.tsv.gz'])('a %s that no split wrote is left alone', async (name) => {
  const path = await file('log.csv', LOG);
  const out = await folder();
  await writeFile(join(out, name), 'mine');
  const args = ['split', '--data', path, '--out', out, '--columns', COLUMNS, '--test', 'last:25%'];
  const { code, stderr } = await aisle(...args);
  expect({ code, stderr }).toEqual({
    code: 2,
    stderr: `aisle: ${out} holds ${name} and no split.json, so it is no split and is left alone; name a new or empty folder.\n`,
  });
  expect(await readdir(out)).toEqual([name]);
  expect(await readFile(join(out, name), 'utf8')).toBe('mine');
});

test('filters print what they left out', async () => {
  const path = await file('log.csv', LOG);
  const out = await folder();
  const args = ['split', '--data', path, '--out', out, '--columns', COLUMNS, '--test', 'last:25%'];
  const { stderr } = await aisle(
    ...args,
    '--events',
    'view',
    '--sessions-by',
    'user',
    '--min-support',
    '2',
    '--min-length',
    '2',
  );
  expect(stderr).toContain(`${path}: 8 view, 8 cart\n${path}: left out 8 events of other kinds\n`);
});

test.each([
  [['--test', 'last:7'], "option '--test <part>' argument 'last:7' is invalid. Expected last:DAYSd or last:PERCENT%"],
  [['--test-from', 'tomorrow'], 'Expected a date such as 2014-04-07'],
  [['--test-from', '2014'], 'Expected a date such as 2014-04-07'],
  [['--test-from', '201404'], 'Expected a date such as 2014-04-07'],
  [['--test', 'last:7d', '--by', 'middle'], 'Expected start or end.'],
  [['--test', 'last:7d', '--sessions-by', 'gap'], 'Expected id, user or gap:MINUTES, such as gap:30.'],
  [['--test', 'last:7d', '--columns', '__proto__=x'], 'Expected session=…,item=…'],
  [['--test', 'last:7d', '--format', 'sequences'], 'sequences have no columns (--columns).'],
  [['--test', 'last:7d', '--min-support', '1.5'], 'Expected a whole number of 1 or more.'],
  [['--test', 'last:7d', '--test-from', '2014-04-07'], '--test-from and --test exclude each other'],
  [[], 'Which part is the test? Pass --test-from DATE or --test last:7d.'],
  [['--test', 'last:7d', '--tets', 'x'], "unknown option '--tets'\n(Did you mean --test?)"],
])('wrong use %j ends with code 2', async (args, message) => {
  const path = await file('log.csv', LOG);
  const out = join(await folder(), 'out');
  const { code, stderr } = await aisle('split', '--data', path, '--out', out, '--columns', COLUMNS, ...args);
  expect(stderr).toContain(message);
  expect(code).toBe(2);
});

test('an output folder that cannot be made ends with code 2', async () => {
  const path = await file('log.csv', LOG);
  const { code, stderr } = await aisle(
    'split',
    '--data',
    path,
    '--out',
    join(path, 'x'),
    '--columns',
    COLUMNS,
    '--test',
    'last:10%',
  );
  expect(code).toBe(2);
  expect(stderr).toContain('the folder cannot be made (ENOTDIR)');
  const onFile = await aisle('split', '--data', path, '--out', path, '--columns', COLUMNS, '--test', 'last:10%');
  expect(onFile).toMatchObject({ code: 2, stderr: expect.stringContaining(`${path} is a file; name a folder.`) });
});

test('a full disk ends with code 1 and leaves nothing half-written', async () => {
  const path = await file('log.csv', LOG);
  const out = await folder();
  await fillDisk(path);
  const { code, stderr } = await aisle(
    'split',
    '--data',
    path,
    '--out',
    out,
    '--columns',
    COLUMNS,
    '--test',
    'last:10%',
  );
  expect(code).toBe(1);
  expect(stderr).toContain('the disk is full; free some space (ENOSPC)');
  expect(await readdir(out)).toEqual([]);
});

test('an interrupted split ends with code 130 and leaves nothing half-written', async () => {
  const path = await file('log.csv', LOG);
  const out = await folder();
  await writeFile(join(out, 'mine.txt'), 'stays');
  const args = ['split', '--data', path, '--out', out, '--columns', COLUMNS, '--test', 'last:10%'];
  const { code, stderr } = await aisleUntil(AbortSignal.abort(), ...args);
  expect(code).toBe(130);
  expect(stderr).toBe(`aisle: Interrupted while reading ${path}.\n`);
  expect(await readdir(out)).toEqual(['mine.txt']);
});
