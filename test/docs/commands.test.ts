/** The commands of the manual, run in this process as they stand, on a small simulated shop. Those of the quick starts are in their own test. */
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { gunzipSync, gzipSync } from 'node:zlib';
import { parquetWriteBuffer } from 'hyparquet-writer';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { aisle } from '../cli/program';
import { isSoak } from '../soak-slice';
import { blocksOf, PAGES } from './manual';

vi.setConfig({ testTimeout: 600_000 }); // trains models, on a machine that may be busy

/** Pages whose lines another test runs. */
const ELSEWHERE = ['README.md', 'docs/quick-start.md', 'docs/researchers.md', 'CHANGELOG.md'];
/** Lines that are not run here, and why. */
const NOT_RUN: readonly (readonly [RegExp, string])[] = [
  [/^aisle demo /, 'serves until it is stopped; the quick starts open it'],
  [/shop\.example|^aisle doctor site\//, 'a site that is not there; test/cli/doctor.test.ts has sites of its own'],
  [/\b(diginetica|yoochoose|Beauty|eshop|retail)\b/, 'public logs, which are not here'],
  [/^zcat |^cat /, 'a pipe; test/cli/process.built.test.ts fills one'],
  [/--sessions (2000000|200000) /, 'a log of hours; run by hand, with the figures beside it'],
  [
    /^aisle (inspect|split) .*(sessions|--sessions-by gap:30)\b.*/,
    'what Dask has cut; run by hand, with the figures beside it',
  ],
  [
    /^aisle import --from gru4rec --weights weights\//,
    'weights of PyTorch; test/pipeline/torch-ddp.test.ts imports them',
  ],
];

/** The whole lines of a page's blocks that call the program, without what shells do. */
function linesOf(page: string): string[] {
  return blocksOf(page)
    .filter(({ language, code }) => language === 'sh' && !code.startsWith('#!'))
    .flatMap(({ code }) => code.replace(/\\\n/g, ' ').split('\n'))
    .map((line) =>
      line
        .replace(/\s#\s.*/, '')
        .trim()
        .replace(/^npx /, '')
        .replace(/\s+/g, ' '),
    )
    .filter((line) => /^(aisle|zcat) /.test(line));
}

/** In `npm test` networks learn for one epoch, and a comparison has few rows; the soak has all rows, too. */
function inShort(line: string): string {
  let short = line
    .replace(/--(items|sessions) \d+/g, '')
    .replace(/^(aisle simulate .*)/, '$1 --items 30 --sessions 300 --visitors 60');
  if (
    /^aisle (train|compare|search) /.test(line) &&
    !line.includes('--epochs') &&
    !/--model (v-sknn|markov|decayed-sr)/.test(line)
  )
    short += ' --epochs 1';
  if (isSoak) return short;
  if (/^aisle compare /.test(line)) short = `${short.replace(/--models \S+/, '')} --models pop,gru4rec`;
  return /^aisle search /.test(line) ? `${short.replace(/--trials \d+/, '')} --trials 1` : short;
}

const wordsOf = (line: string): string[] =>
  [...line.matchAll(/"([^"]*)"|(\S+)/g)].map(([, quoted, plain]) => quoted ?? plain!).slice(1);

let base: string;
let place: string;
const before = process.cwd();

const write = (path: string, content: string | Uint8Array): void => {
  mkdirSync(dirname(join(base, path)), { recursive: true });
  writeFileSync(join(base, path), content);
};
const run = async (line: string): Promise<void> => {
  const { code, stderr } = await aisle(...wordsOf(line));
  expect(code, `${line}\n${stderr}`).toBe(0);
};

const NET = '--data parts/train.tsv.gz --model sasrec --epochs 1 --preset none --set hiddenUnits=8';
/** Artifacts that a page is about, beside `my-model`. */
const NEEDED: Readonly<Record<string, readonly string[]>> = {
  'docs/evaluation.md': [
    ...[1, 2, 3].map((seed) => `aisle train ${NET} --seed ${seed} --out sasrec-${seed}`),
    'aisle train --data parts/train.tsv.gz --model v-sknn --out v-sknn',
  ],
};

beforeAll(async () => {
  base = mkdtempSync(join(tmpdir(), 'aisle-manual-'));
  process.chdir(base);
  await run('aisle simulate --out shop --items 30 --sessions 300 --visitors 60');
  const table = gunzipSync(readFileSync('shop/events.tsv.gz')).toString().trimEnd().split('\n').slice(1);
  const rows = table.map((line, k) => {
    const [session, item, time, user, event] = line.split('\t') as [string, string, string, string, string];
    return {
      session_id: session,
      item_id: item,
      timestamp: time,
      user_id: user,
      event,
      device: 'phone',
      dwell: `${k % 9}`,
    };
  });
  const tsv = (list: readonly object[]) =>
    gzipSync([Object.keys(list[0]!), ...list.map((row) => Object.values(row))].map((row) => row.join('\t')).join('\n'));
  write('events.tsv.gz', tsv(rows));
  write('users.tsv.gz', tsv(rows.map((row) => ({ ...row, session_id: row.user_id }))));
  const column = (name: 'session_id' | 'item_id' | 'timestamp') => ({
    name,
    data: rows.map((row) => row[name]),
    type: 'STRING' as const,
  });
  const columns = [column('session_id'), column('item_id'), column('timestamp')];
  write('events/day=2024-05-01/part-0.parquet', new Uint8Array(parquetWriteBuffer({ columnData: columns })));
  const ids = [...new Set(rows.map(({ item_id: id }) => id))];
  const orders = rows.map(({ session_id: order, item_id: sku, timestamp }) => `${order},${sku},${timestamp}`);
  write('sales/event=purchase/orders.csv', ['order_id,sku,created_at', ...orders].join('\n'));
  const list = (lines: readonly (readonly string[])[], mark: string) => lines.map((row) => row.join(mark)).join('\n');
  write('products.csv', list([['sku', 'name', 'amount'], ...ids.map((id) => [id, `Thing ${id}`, '9.90'])], ','));
  const things = ids.map((id, k) => [id, `brand ${k % 3}`, `kind ${k % 4}`, `${k + 1}`]);
  write('items.tsv', list([['item_id', 'brand', 'category', 'price'], ...things], '\t'));
  const entries = ids.map((id) => `<item><g:id>${id}</g:id><g:title>Thing</g:title><g:price>5 EUR</g:price></item>`);
  write(
    'feed.xml',
    `<?xml version="1.0"?><rss version="2.0" xmlns:g="http://base.google.com/ns/1.0"><channel>${entries.join('')}</channel></rss>`,
  );
  await run('aisle split --data shop/events.tsv.gz --out parts --by start --test last:10%');
  await run(`aisle train ${NET} --out my-model`);
});
afterAll(() => {
  process.chdir(before);
  for (const folder of [base, place]) rmSync(folder, { recursive: true, force: true });
});

const pages = PAGES.filter((page) => !ELSEWHERE.includes(page) && linesOf(page).length > 0);
/** In `npm test` what takes a few seconds. */
const SHORT = ['docs/catalogue.md', 'docs/models.md', 'docs/training.md'];

describe('the commands of the manual', () => {
  test.each(pages.filter((page) => isSoak || SHORT.includes(page)))('run as they stand: %s', async (page) => {
    place = mkdtempSync(join(tmpdir(), 'aisle-manual-'));
    cpSync(base, place, { recursive: true });
    process.chdir(place);
    const [item] = JSON.parse(readFileSync('my-model/items.json', 'utf8')) as [string];
    for (const line of NEEDED[page] ?? []) await run(line);
    const lines = linesOf(page).filter((line) => !NOT_RUN.some(([what]) => what.test(line)));
    for (const line of lines) await run(inShort(line).replace(/ ID\b/, ` ${item}`));
    expect(linesOf(page).length).toBeGreaterThan(0);
    rmSync(place, { recursive: true });
  });

  test('are all run, or there is a reason why not', () => {
    const all = pages.flatMap(linesOf);
    expect(all.length).toBeGreaterThan(30);
    for (const [what, why] of NOT_RUN)
      expect(
        all.some((line) => what.test(line)),
        why,
      ).toBe(true);
  });
});

if (isSoak)
  test('aisle train prints what docs/training.md shows of it', async () => {
    place = mkdtempSync(join(tmpdir(), 'aisle-manual-'));
    process.chdir(place);
    await run('aisle simulate --out shop --items 600 --sessions 6000 --seed 1');
    const { stdout, stderr } = await aisle(
      'train',
      '--data',
      'shop/events.tsv.gz',
      '--model',
      'gru4rec',
      '--out',
      'my-model',
    );
    const plain = (text: string) =>
      text
        .replace(/\b\d+(:\d\d)* (s|min)\b/g, 'TIME')
        .replace(/\s+/g, ' ')
        .trim();
    const [shown] = blocksOf('docs/training.md').filter(({ language }) => language === 'text');
    // It leaves out lines that were printed, and breaks others.
    let rest = plain(shown!.code.replaceAll('…', ''));
    for (const line of (stderr + stdout).split('\n').map(plain))
      if (rest.startsWith(line)) rest = rest.slice(line.length).trim();
    expect(rest).toBe('');
  });
