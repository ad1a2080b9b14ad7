import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { LOG_NAMES, LOGS } from './logs';
import { choosePartner } from './partner';
import { readResults } from './record';
import { rowsOf } from './rows';

let root: string;
let train: string;

beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'aisle-quality-partner-'));
  train = join(root, 'train.tsv.gz');
  // After each item the next comes in x, y, z, w, x; no item is clicked more than others.
  const rows = [1, 2, 3, 4].flatMap((day) =>
    ['xyzw', 'yzwx', 'zwxy', 'wxyz'].flatMap((session, n) =>
      [...session].map((item, i) => `${day}${n}\t${item}\t${Date.UTC(2020, 0, day, n) / 1000 + i}\n`),
    ),
  );
  writeFileSync(train, gzipSync(`session_id\titem_id\ttimestamp\n${rows.join('')}`));
});
afterEach(() => rmSync(root, { recursive: true, force: true }));

const named = (name: string, model: string) => ({ name, model, config: {} });

test.each([
  ['days that were cut off', { protocol: 'events', valid: 'last:1d' }],
  ['the event that every session holds out', { protocol: 'leave-one-out', holdout: 2 }],
] as const)('the best on the validation part is chosen: %s', async (_, how) => {
  const { name, reached } = await choosePartner(
    [named('popular', 'pop'), named('rules', 'sr')],
    { ...how, shown: ['mrr@20'] },
    train,
    join(root, 'partner'),
  );
  expect({ name, of: Object.keys(reached) }).toEqual({ name: 'rules', of: ['popular', 'rules'] });
  expect(reached['rules']).toBe(1);
  expect(reached['popular']).toBeLessThan(1);
});

test('of equal ones the first is chosen, by the metric that the log shows first', async () => {
  const choose = (names: readonly string[]) =>
    choosePartner(
      names.map((name) => named(name, 'sr')),
      { protocol: 'events', valid: 'last:1d', shown: ['ndcg@10', 'mrr@20'] },
      train,
      join(root, 'partner'),
    );
  expect(await choose(['one', 'other'])).toEqual({ name: 'one', metric: 'ndcg@10', reached: { one: 1, other: 1 } });
  expect((await choose(['other', 'one'])).name).toBe('other');
});

test.each(LOG_NAMES.filter((log) => !LOGS[log].only))(
  'what rows of %s are mixed with is what the figures beside it say',
  (log) => {
    const { partner, rows } = readResults(log);
    const mixed = rows.flatMap(({ blended }) => blended?.with ?? []);
    if (!partner) {
      expect(rows).toEqual([]);
      return;
    }
    expect(partner.metric).toBe(LOGS[log].shown[0]);
    expect(partner.reached[partner.name]).toBe(Math.max(...Object.values(partner.reached)));
    expect(mixed.filter((name) => name !== partner.name)).toEqual([]);
    expect(rowsOf(log, partner.name).some(({ name }) => name === `sasrec with ${partner.name}`)).toBe(true);
  },
);
