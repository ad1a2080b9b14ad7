import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { beforeEach, describe, expect, test } from 'vitest';
import { run } from '../../src/cli/main';
import { aisle, file, folder } from './program';
import { ringDays } from './ring-days';

const DAYS = 4;
let data: string;
let out: string;
beforeEach(async () => {
  data = await file('events.csv', ringDays(DAYS));
  out = join(await folder(), 'report');
});

const small = { layers: [8], batchSize: 8, nSample: 8 };
const variants = (list: unknown) => file('variants.json', JSON.stringify(list));
const compare = (...argv: string[]) =>
  aisle('compare', '--data', data, '--out', out, '--protocol', 'incremental', ...argv);
const report = () => JSON.parse(readFileSync(join(out, 'report.json'), 'utf8'));
const rows = (name: string) =>
  gunzipSync(readFileSync(join(out, 'windows', name)))
    .toString()
    .trimEnd()
    .split('\n')
    .slice(1)
    .map((line) => line.split('\t'));
const cells = () => readdirSync(join(out, 'cells'));

describe('aisle compare --protocol incremental', () => {
  test('a model that goes on learns a day whose next day is not tested with the day after', async () => {
    const day = (n: number, ...items: string[]) =>
      Array.from({ length: 8 }, (_, s) =>
        items.map((id, i) => `${n}-${s},${id},${1709251200 + n * 86400 + s * 100 + i}\n`).join(''),
      ).join('');
    const log = day(0, 'a', 'b') + day(1, 'c', 'd') + day(2, 'a', 'b', 'c', 'd') + day(3, 'a', 'b');
    data = await file('events.csv', `session_id,item_id,timestamp\n${log}`);
    const net = { name: 'net', model: 'sasrec', config: { hiddenUnits: 8, maxlen: 6 }, retrain: 'before' };
    const { code } = await compare('--models', 'pop', '--variants', await variants([net]), '--epochs', '1');
    expect(code).toBe(0);
    expect(readdirSync(join(out, 'windows')).filter((name) => name.startsWith('train'))).toContain(
      'train-2024-03-01-to-2024-03-02.tsv.gz',
    );
    const [one, other] = report().rows;
    expect([one.predictions, one.dropped]).toEqual([other.predictions, { events: 0, sessions: 0 }]);
  });

  test('says what is tested, and what was left out of the windows', async () => {
    const day = (n: number, ...items: string[]) =>
      Array.from({ length: 8 }, (_, s) =>
        items.map((id, i) => `${n}-${s},${id},${1709251200 + n * 86400 + s * 100 + i}\n`).join(''),
      ).join('');
    const single = Array.from({ length: 8 }, (_, s) => `b-${s},a,${1709424000 + s}\nb-${s},y,${1709424001 + s}\n`);
    data = await file(
      'events.csv',
      `session_id,item_id,timestamp\n${day(0, 'a', 'b')}${day(1, 'a', 'b', 'x')}${day(2, 'b', 'a')}${single.join('')}`,
    );
    expect((await compare('--models', 'pop')).code).toBe(0);
    const { test, rows } = report();
    expect(test).toBe('the last event of half of the sessions of each window after the first');
    const [{ dropped, predictions }] = rows;
    // Four of eight sessions of the second day, and eight of sixteen of the third.
    expect(dropped).toEqual({ events: 4 + dropped.sessions, sessions: expect.any(Number) });
    expect(predictions).toBe(4 + 8 - dropped.sessions);
    expect(dropped.sessions).toBeGreaterThan(0);
  });

  test('trains on each day, tests on half of the next, and reports the mean over days', async () => {
    const { code, stderr, stdout } = await compare('--models', 'pop,v-sknn');
    expect({ code, stderr }).toEqual({ code: 0, stderr: expect.not.stringContaining('no result') });
    expect(readdirSync(join(out, 'windows')).sort()).toEqual([
      'test-2024-03-02.tsv.gz',
      'test-2024-03-03.tsv.gz',
      'test-2024-03-04.tsv.gz',
      'train-2024-03-01-to-2024-03-01.tsv.gz',
      'train-2024-03-01-to-2024-03-02.tsv.gz',
      'train-2024-03-01-to-2024-03-03.tsv.gz',
    ]);
    const facts = report();
    expect(facts).toMatchObject({ protocol: 'incremental', metric: 'ndcg@20', windows: 3 });
    for (const row of facts.rows) {
      const values = row.byWindow.map(({ value }: { value: number }) => value);
      expect(values).toHaveLength(3);
      expect(row.metrics['ndcg@20']).toBeCloseTo((values[0] + values[1] + values[2]) / 3, 12);
      // One prediction a session.
      const sessions = ['02', '03', '04'].map(
        (day) => new Set(rows(`test-2024-03-${day}.tsv.gz`).map(([id]) => id)).size,
      );
      expect(row.byWindow.map(({ predictions }: { predictions: number }) => predictions)).toEqual(sessions);
    }
    expect(facts.rows.map(({ name }: { name: string }) => name)).toEqual(['v-sknn', 'pop']);
    expect(stdout).toContain('Ordered by ndcg@20');
    const html = readFileSync(join(out, 'report.html'), 'utf8');
    expect(html).toContain('NDCG@20 by window');
    expect(html).not.toMatch(/NaN|Infinity|undefined/);
  });

  test('no session of a test is in what it is predicted from, and every item of it is', async () => {
    await compare('--models', 'pop');
    for (const [last, next] of [
      ['01', '02'],
      ['02', '03'],
      ['03', '04'],
    ]) {
      const trained = rows(`train-2024-03-01-to-2024-03-${last}.tsv.gz`);
      const tested = rows(`test-2024-03-${next}.tsv.gz`);
      const [sessions, items] = [0, 1].map((column) => new Set(trained.map((cells) => cells[column])));
      for (const [session, item] of tested) {
        expect(sessions!.has(session)).toBe(false);
        expect(items!.has(item)).toBe(true);
      }
      const newest = Math.max(...trained.map(([, , time]) => Number(time)));
      expect(Math.min(...tested.map(([, , time]) => Number(time)))).toBeGreaterThan(newest - 86_400);
    }
  });

  test('has two rows of GRU4Rec, trained again on all days and on the last six; other networks go on', async () => {
    const file = await variants([
      { model: 'gru4rec', config: small },
      { name: 'gru on', model: 'gru4rec', config: small, retrain: 'before' },
      { name: 'gru last', model: 'gru4rec', config: small, retrain: 'last:1' },
    ]);
    const { code, stderr } = await compare('--variants', file, '--epochs', '1');
    expect({ code, stderr }).toEqual({ code: 0, stderr: expect.not.stringContaining('no result') });
    const facts = report();
    expect(facts.rows.map(({ name }: { name: string }) => name).sort()).toEqual([
      'gru last',
      'gru on',
      'gru4rec, all',
      'gru4rec, last:6',
    ]);
    const trained = (name: string) =>
      facts.rows
        .find((row: { name: string }) => row.name === name)
        .commands.filter((line: string) => line.startsWith('aisle train'))
        .map((line: string) => ({
          data: /train-\S+-(\d\d)-to-\S+-(\d\d)/.exec(line)!.slice(1).join(),
          from: line.includes('--from'),
        }));
    const again = (data: string) => ({ data, from: false });
    expect(trained('gru4rec, all')).toEqual(['01,01', '01,02', '01,03'].map(again));
    expect(trained('gru4rec, last:6')).toEqual(['01,01', '01,02', '01,03'].map(again));
    expect(trained('gru last')).toEqual(['01,01', '02,02', '03,03'].map(again));
    expect(trained('gru on')).toEqual([
      { data: '01,01', from: false },
      { data: '02,02', from: true },
      { data: '03,03', from: true },
    ]);
    // All rows predict the same.
    const predictions = facts.rows.map((row: { byWindow: { predictions: number }[] }) =>
      row.byWindow.map((part) => part.predictions),
    );
    for (const one of predictions) expect(one).toEqual(predictions[0]);
    expect(facts.rows[0].curve.map(({ epoch }: { epoch: number }) => epoch)).toEqual([1, 2, 3]);
  });

  test('goes on after Ctrl-C without repeating a window', async () => {
    const list = await variants([{ name: 'gru on', model: 'gru4rec', config: small, retrain: 'before' }]);
    const argv = [
      'compare',
      '--data',
      data,
      '--out',
      out,
      '--protocol',
      'incremental',
      '--variants',
      list,
      '--epochs',
      '1',
    ];
    const abort = new AbortController();
    const stderr = { write: (text: string) => void (text.startsWith('[2/3]') && abort.abort()) };
    expect(await run(argv, { stdout: { write() {} }, stderr, signal: abort.signal })).toBe(130);
    const resumed = await aisle(...argv);
    expect(resumed.code).toBe(0);
    expect(resumed.stderr.match(/was there already/g)).toHaveLength(2);
    expect(cells()).toHaveLength(3);
  });

  test('cuts days into hours where it is asked to', async () => {
    const { code } = await compare('--models', 'pop', '--window', '12h');
    expect(code).toBe(0);
    expect(report().rows[0].byWindow[0].label).toMatch(/^2024-03-\d\dT\d\d-00$/);
  });

  test.each([
    ['a test part of its own', ['--test', 'x.tsv'], /--test does not go with --protocol incremental/],
    ['windows longer than the log', ['--window', '60d'], /needs two, and this log has sessions in 1/],
    ['a window of nonsense', ['--window', 'daily'], /Expected days or hours/],
  ])('refuses %s in one sentence', async (_, argv, message) => {
    const { code, stderr } = await compare('--models', 'pop', ...argv);
    expect({ code, stderr }).toEqual({ code: 2, stderr: expect.stringMatching(message) });
    expect(stderr).not.toMatch(/^\s+at /m);
  });

  test('refuses a way of retraining that nobody knows, and windows of a log without times', async () => {
    const list = await variants([{ model: 'pop', retrain: 'often' }]);
    expect((await compare('--variants', list)).stderr).toMatch(/"often" is no way to retrain; expected all, last:N/);
    const sequences = await file('sequences.txt', 'u1 a b c\nu2 a b d\n');
    const timeless = await aisle(
      ...['compare', '--data', sequences, '--format', 'sequences', '--out', out, '--protocol', 'incremental'],
    );
    expect(timeless).toMatchObject({ code: 2, stderr: expect.stringContaining('need times, and this log has none') });
  });
});

describe('aisle evaluate --protocol incremental', () => {
  test('gives what compare gives for the same settings, and leaves nothing behind', async () => {
    const artifact = join(await folder(), 'model');
    await aisle('train', '--data', data, '--model', 'v-sknn', '--out', artifact, '--set', 'k=5');
    const { code, stdout, stderr } = await aisle(
      ...['evaluate', '--artifact', artifact, '--data', data, '--protocol', 'incremental', '--json'],
    );
    expect({ code, stderr }).toEqual({ code: 0, stderr: expect.any(String) });
    const evaluated = JSON.parse(stdout);
    await compare('--variants', await variants([{ model: 'v-sknn', config: { k: 5 } }]));
    const [row] = report().rows;
    expect(evaluated.metrics).toEqual({ conservative: row.metrics, standard: row.standard });
    expect(evaluated).toMatchObject({ protocol: 'incremental', n: row.predictions, ties: 'conservative' });
    expect(evaluated.windows.map(({ window }: { window: string }) => window)).toEqual([
      '2024-03-02',
      '2024-03-03',
      '2024-03-04',
    ]);
  });

  test('tests the other half with --target valid', async () => {
    const artifact = join(await folder(), 'model');
    await aisle('train', '--data', data, '--model', 'markov', '--out', artifact);
    const argv = ['evaluate', '--artifact', artifact, '--data', data, '--protocol', 'incremental', '--json'];
    const [test, valid] = [
      JSON.parse((await aisle(...argv)).stdout),
      JSON.parse((await aisle(...argv, '--target', 'valid')).stdout),
    ];
    expect(Math.abs(test.n - valid.n)).toBeLessThanOrEqual(DAYS);
    expect(valid.metrics).not.toEqual(test.metrics);
  });

  test('trains a network with the settings of the artifact', async () => {
    const artifact = join(await folder(), 'model');
    const settings = [
      '--set',
      'layers=8',
      '--set',
      'batchSize=8',
      '--set',
      'nSample=8',
      '--epochs',
      '1',
      '--seed',
      '4',
    ];
    await aisle('train', '--data', data, '--model', 'gru4rec', '--out', artifact, '--preset', 'none', ...settings);
    const argv = ['evaluate', '--artifact', artifact, '--data', data, '--protocol', 'incremental', '--epochs', '1'];
    const { code, stdout } = await aisle(...argv, '--retrain', 'before');
    expect(code).toBe(0);
    expect(stdout).toMatch(/^2024-03-04 +\d+ +\d\.\d{4}/m);
    const abort = new AbortController();
    let said = '';
    const write = (text: string) => {
      said += text;
      if (text.startsWith('epoch 1')) abort.abort();
    };
    const longer = [...argv.slice(0, -1), '2'];
    expect(await run(longer, { stdout: { write() {} }, stderr: { write }, signal: abort.signal })).toBe(130);
    expect(said).toMatch(/^aisle: Interrupted in the training of model\.$/m);
  });

  test.each([
    ['--ranks', ['--protocol', 'incremental', '--ranks', 'r.tsv'], /--ranks does not go with --protocol incremental/],
    ['--retrain', ['--protocol', 'events', '--retrain', 'all'], /--retrain does not go with --protocol events/],
  ])('refuses %s where it means nothing', async (_, argv, message) => {
    const { code, stderr } = await aisle('evaluate', '--artifact', 'nowhere', '--data', data, ...argv);
    expect({ code, stderr }).toEqual({ code: 2, stderr: expect.stringMatching(message) });
  });
});
