import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { gunzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { run } from '../../../src/cli/main';
import { catalogueText, eventLines } from '../../../src/pipeline/simulate/files';
import { type SimulatedLog, simulate } from '../../../src/pipeline/simulate/simulate';
import { EVENT_NAMES } from '../../../src/pipeline/simulate/visit';
import { fillDisk } from '../../cli/program';
import { readText } from '../../session/helpers';
import { personalGain } from './personal';

const SMALL = { items: 300, sessions: 3000, visitors: 600, seed: 5 };
const text = (log: SimulatedLog): string => [...eventLines(log)].join('');
const log = simulate(SMALL);

/** Every session's events as `[item, kind of event]`. */
const sessionsOf = ({ offsets, items, events }: SimulatedLog) =>
  Array.from({ length: offsets.length - 1 }, (_, s) =>
    Array.from(
      items.subarray(offsets[s], offsets[s + 1]),
      (item, i) => [item, EVENT_NAMES[events[offsets[s]! + i]!]] as const,
    ),
  );

describe('a simulated log', () => {
  test('is the same, byte for byte, for the same seed, and another for another', () => {
    const again = simulate(SMALL);
    expect(text(again)).toBe(text(log));
    expect(catalogueText(again)).toBe(catalogueText(log));
    const other = simulate({ ...SMALL, seed: 6 });
    expect(text(other)).not.toBe(text(log));
    expect(catalogueText(other)).not.toBe(catalogueText(log));
  });

  test.each([
    { items: 10, sessions: 40, visitors: 40 },
    { items: 95, sessions: 500, visitors: 1 },
    { items: 2500, sessions: 2000, visitors: 300 },
  ])('has as many products, sessions and visitors as asked for: %o', (sizes) => {
    const sized = simulate({ ...sizes, seed: 1 });
    expect(new Set(sized.shop.products.map(({ id }) => id)).size).toBe(sizes.items);
    expect(sized.offsets.length - 1).toBe(sizes.sessions);
    expect(new Set(sized.visitors).size).toBe(sizes.visitors);
    expect(sessionsOf(sized).every((session) => session.length > 0)).toBe(true);
  });

  test('never shows a product before its launch or after its end', () => {
    const arriving = log.shop.products.filter(({ launch }) => launch > log.shop.period.start);
    expect(arriving.length).toBeGreaterThan(10);
    expect(log.shop.products.some(({ end }) => end < log.times.at(-1)!)).toBe(true);
    const wrong = Array.from(log.items).filter((item, e) => {
      const { launch, end } = log.shop.products[item]!;
      return log.times[e]! < launch || log.times[e]! >= end;
    });
    expect(wrong).toEqual([]);
  });

  test('puts into the basket only what was viewed in the session, and sells only what is in the basket', () => {
    const counts = { view: 0, cart: 0, purchase: 0 };
    for (const session of sessionsOf(log)) {
      const before = { view: new Set<number>(), cart: new Set<number>(), purchase: new Set<number>() };
      for (const [item, event] of session) {
        if (event === 'cart') expect(before.view).toContain(item);
        if (event === 'purchase') expect(before.cart).toContain(item);
        before[event!].add(item);
        counts[event!]++;
      }
    }
    expect(counts.view).toBeGreaterThan(10 * counts.cart);
    expect(counts.cart).toBeGreaterThan(counts.purchase);
    expect(counts.purchase).toBeGreaterThan(50);
  });

  test('has rising times with fractions inside a session, sessions in the order of their start, and pauses between visits', () => {
    const ends = new Map<number, number>();
    for (let s = 0; s + 1 < log.offsets.length; s++) {
      const [from, to] = [log.offsets[s]!, log.offsets[s + 1]!];
      for (let e = from + 1; e < to; e++) expect(log.times[e]).toBeGreaterThan(log.times[e - 1]!);
      if (s > 0) expect(log.times[from]).toBeGreaterThanOrEqual(log.times[log.offsets[s - 1]!]!);
      expect(log.times[from]! - (ends.get(log.visitors[s]!) ?? 0)).toBeGreaterThan(30 * 60);
      ends.set(log.visitors[s]!, log.times[to - 1]!);
    }
    expect(log.times.some((time) => time % 1 !== 0)).toBe(true);
    const days = (log.times.at(-1)! - log.times[0]!) / 86400;
    expect(days).toBeGreaterThan(60);
    expect(days).toBeLessThan(90);
  });

  test('has bounces, reloads, one-time visitors and visitors who come often', () => {
    const sessions = sessionsOf(log);
    expect(sessions.filter(({ length }) => length === 1).length / sessions.length).toBeGreaterThan(0.05);
    expect(sessions.some((session) => session.some(([item], i) => i > 0 && item === session[i - 1]![0]))).toBe(true);
    const visits = new Map<number, number>();
    for (const visitor of log.visitors) visits.set(visitor, (visits.get(visitor) ?? 0) + 1);
    const counts = [...visits.values()];
    expect(counts.filter((count) => count === 1).length / counts.length).toBeGreaterThan(0.3);
    expect(Math.max(...counts)).toBeGreaterThan(20);
  });

  test('is read by the reader of event logs, with nothing dropped but sessions of one event', async () => {
    const read = await readText(Readable.from([Buffer.from(text(log))]), 'simulated');
    expect(read.report.badRows).toBe(0);
    const bounces = sessionsOf(log).filter(({ length }) => length === 1).length;
    expect(read.report.dropped.shortSessions).toEqual({ sessions: bounces, events: bounces });
    expect(read.sessions.items.length).toBe(log.items.length - bounces);
  });
});

describe('returning visitors', () => {
  const larger = simulate({ items: 400, sessions: 12_000, visitors: 1500, seed: 2 });
  const { items, offsets, shop, visitors } = larger;

  test('keep their taste: the first half of their events tells the kinds of the second better than everybody does', () => {
    const histories = new Map<number, number[]>();
    const everybody = new Float64Array(shop.listing.length - 1).fill(1);
    for (let s = 0; s + 1 < offsets.length; s++) {
      for (let e = offsets[s]!; e < offsets[s + 1]!; e++) {
        const { kind } = shop.products[items[e]!]!;
        everybody[kind]! += 1;
        histories.set(visitors[s]!, [...(histories.get(visitors[s]!) ?? []), kind]);
      }
    }
    const total = everybody.reduce((sum, count) => sum + count, 0);
    const regulars = [...histories.values()].filter(({ length }) => length >= 20);
    expect(regulars.length).toBeGreaterThan(300);
    const gains = regulars.map((kinds) => {
      const half = kinds.length >> 1;
      const own = new Float64Array(everybody.length);
      for (const kind of kinds.slice(0, half)) own[kind]! += 1 / half;
      // Log likelihood of the second half, in nats an event: own counts smoothed by everybody's, against everybody's.
      const later = kinds.slice(half).map((kind) => {
        const share = everybody[kind]! / total;
        return Math.log((0.5 * own[kind]! + 0.5 * share) / share);
      });
      return later.reduce((sum, gain) => sum + gain, 0) / later.length;
    });
    const mean = gains.reduce((sum, gain) => sum + gain, 0) / gains.length;
    expect(mean).toBeGreaterThan(0.5);
    expect(gains.filter((gain) => gain > 0).length / gains.length).toBeGreaterThan(0.85);
  });

  test('are better predicted with their own past than from what others clicked next', () => {
    const { predictions, population, personal } = personalGain(larger);
    expect(predictions).toBeGreaterThan(1000);
    expect(personal).toBeGreaterThan(population * 1.04);
  });
});

describe('aisle simulate', () => {
  let root: string;
  beforeAll(() => {
    root = mkdtempSync(join(tmpdir(), 'aisle-simulate-'));
  });
  afterAll(() => rmSync(root, { recursive: true, force: true }));

  async function aisle(...argv: string[]) {
    let out = '';
    let err = '';
    const code = await run(['simulate', ...argv], {
      stdout: { write: (part) => (out += part) },
      stderr: { write: (part) => (err += part) },
    });
    return { code, out, err };
  }

  test('writes events.tsv.gz and catalogue.json and nothing else', async () => {
    const out = join(root, 'shop');
    const { code, err } = await aisle(
      '--out',
      out,
      '--items',
      '300',
      '--sessions',
      '3000',
      '--visitors',
      '600',
      '--seed',
      '5',
    );
    expect(code).toBe(0);
    expect(err).toContain('300 products');
    expect(readdirSync(out).sort()).toEqual(['catalogue.json', 'events.tsv.gz']);
    expect(gunzipSync(readFileSync(join(out, 'events.tsv.gz'))).toString()).toBe(text(log));
    expect(readFileSync(join(out, 'catalogue.json'), 'utf8')).toBe(catalogueText(log));
  });

  test('takes as many visitors as suit the sessions where none are asked for', async () => {
    const out = join(root, 'few');
    expect((await aisle('--out', out, '--items', '20', '--sessions', '100')).code).toBe(0);
    const lines = gunzipSync(readFileSync(join(out, 'events.tsv.gz')))
      .toString()
      .trimEnd()
      .split('\n')
      .slice(1);
    expect(new Set(lines.map((line) => line.split('\t')[3])).size).toBe(23);
  });

  test('replaces a simulation, and leaves every other file alone', async () => {
    const out = join(root, 'again');
    const args = ['--out', out, '--items', '20', '--sessions', '20'];
    expect((await aisle(...args)).code).toBe(0);
    expect((await aisle(...args, '--seed', '2')).code).toBe(0);
    writeFileSync(join(out, 'catalogue-manifest.json'), '{}');
    const finished = await aisle(...args);
    expect(finished.code).toBe(2);
    expect(finished.err).toBe(
      `aisle: ${out} holds catalogue-manifest.json, which no simulation wrote, and is left alone; name a new or empty folder.\n`,
    );
    const model = join(root, 'model');
    mkdirSync(model);
    writeFileSync(join(model, 'manifest.json'), '{}');
    const refused = await aisle(...args.with(1, model));
    expect(refused.code).toBe(2);
    expect(refused.err).toContain(`${model} holds manifest.json, which no simulation wrote, and is left alone`);
    const mine = join(root, 'mine');
    mkdirSync(mine);
    for (const [name, content] of [
      ['events.tsv.gz', 'my log'],
      ['catalogue.json', '[\n{"id":"a","title":"A","url":"/a"}\n]\n'],
    ] as const) {
      writeFileSync(join(mine, name), content);
      const { code, err } = await aisle('--out', mine, '--items', '20', '--sessions', '20');
      expect(code).toBe(2);
      expect(err).toContain(`${mine} holds events.tsv.gz, which no simulation wrote, and is left alone`);
      expect(readFileSync(join(mine, name), 'utf8')).toBe(content);
    }
  });

  test.each([
    [['--items', '9'], /10/],
    [['--items', 'many'], /whole number/],
    [['--seed', '-1'], /whole number/],
    [['--sessions', '10', '--visitors', '11'], /at most 10/],
  ])('refuses %o as a wrong use', async (flags, message) => {
    const { code, err } = await aisle('--out', join(root, 'refused'), ...flags);
    expect(code).toBe(2);
    expect(err).toMatch(message);
    expect(readdirSync(root)).not.toContain('refused');
  });

  test('fails where the folder cannot be made, with its name', async () => {
    const file = join(root, 'file');
    writeFileSync(file, '');
    const { code, err } = await aisle('--out', join(file, 'shop'), '--items', '20', '--sessions', '20');
    expect(code).toBe(2);
    expect(err).toContain(`${join(file, 'shop')}: the folder cannot be made (ENOTDIR): a part of the path is a file;`);
    const onFile = await aisle('--out', file, '--items', '20', '--sessions', '20');
    expect(onFile).toMatchObject({ code: 2, err: expect.stringContaining(`${file} is a file; name a folder.`) });
  });

  test('stops where it is interrupted and leaves nothing half-written', async () => {
    const out = join(root, 'interrupted');
    const code = await run(['simulate', '--out', out, '--items', '20', '--sessions', '2000'], {
      stdout: { write: () => true },
      stderr: { write: () => true },
      signal: AbortSignal.abort(),
    });
    expect(code).toBe(130);
    expect(existsSync(out)).toBe(false);
  });

  test('says in words that the disk is full, and leaves no folder', async () => {
    const file = join(root, 'any');
    writeFileSync(file, '');
    await fillDisk(file);
    const { code, err } = await aisle('--out', join(root, 'full'), '--items', '20', '--sessions', '20');
    expect(code).toBe(1);
    expect(err).toContain('the disk is full; free some space (ENOSPC)');
    expect(existsSync(join(root, 'full'))).toBe(false);
  });
});
