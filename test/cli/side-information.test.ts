/** Side information from the log and the catalogue to the answers of every door: evaluation, command line, page. */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { createRecommender, type TrackedEvent } from '../../src/index';
import { aisle, file } from './program';
import { type Served, serveArtifact } from './serve';
import { CATALOGUE, dwell, ITEMS, SMALL, set, table, visits } from './visits';

const FEATURES = 'device,dwell:soft,minute:cyclic:60,colour,price:numeric:2,age,hour,weekday:categorical';

let folder: string;
let out: string;
let trained: Awaited<ReturnType<typeof aisle>>;
let server: Served;
const path = (name: string) => join(folder, name);
const TEST = visits(2, 30);

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'aisle-side-'));
  out = path('model');
  await writeFile(path('train.tsv'), table(visits(1, 300)));
  await writeFile(path('test.tsv'), table(TEST));
  await writeFile(path('items.tsv'), CATALOGUE);
  trained = await aisle(
    ...['train', '--data', path('train.tsv'), '--model', 'transformers4rec', '--preset', 'none', '--out', out],
    ...['--catalogue', path('items.tsv'), ...SMALL, ...set(`features=${FEATURES}`), '--epochs', '20', '--json'],
  );
  server = await serveArtifact(out);
}, 120_000);
afterAll(() => {
  server.close();
  rmSync(folder, { recursive: true, force: true });
});

async function evaluated(data: string, ...argv: string[]) {
  const { code, stdout, stderr } = await aisle('evaluate', '--artifact', out, '--data', data, ...argv, '--json');
  expect({ code, stderr: code === 0 ? '' : stderr }).toEqual({ code: 0, stderr: '' });
  return { recall: JSON.parse(stdout).metrics.conservative['recall@1'] as number, stderr };
}

/** The first `length` clicks of a session of the test log, as a page tells of them. */
function notices(
  session: number,
  length: number,
): Required<Omit<TrackedEvent, 'pageView' | 'candidates' | 'transaction'>>[] {
  return TEST.slice(5 * session, 5 * session + length).map((click, t) => {
    const { item, time, device, minute } = click;
    const waited = dwell(click, 5 * session + t);
    const features = { device, minute, ...(waited !== '' && { dwell: waited }) };
    return { itemId: `p${item}`, event: 'view', time: 1000 * time, features };
  });
}

/** All items, best first, as the command line gives them. */
async function recommended(clicks: readonly Pick<TrackedEvent, 'itemId' | 'time' | 'features'>[]) {
  const list = clicks.map(({ itemId, time, features }) => ({ itemId, time: time! / 1000, features }));
  const session = await file('session.json', JSON.stringify(list));
  const { stdout, stderr } = await aisle(
    ...['recommend', '--artifact', out, '--session-json', session, '--k', `${ITEMS}`, '--backend', 'cpu', '--json'],
  );
  if (stdout === '') throw new Error(stderr);
  return JSON.parse(stdout).items as { itemId: string; score: number }[];
}

/** The same by a page. */
async function onPage(clicks: readonly TrackedEvent[]) {
  const now = () => clicks.at(-1)!.time!;
  const recommender = await createRecommender({ modelUrl: server.modelUrl, backend: 'cpu', now });
  onTestFinished(() => recommender.dispose());
  for (const click of clicks) recommender.track(click);
  return recommender.recommend({ k: ITEMS });
}

test('what a click says beside its item decides, and without it nothing does', async () => {
  expect(trained).toMatchObject({ code: 0 });
  expect(trained.stderr.match(/Warning/g)).toHaveLength(1);
  expect(trained.stderr).toContain(`items.tsv lacks 1 of the log's 8 items, such as "p7"`);
  const { recall, stderr } = await evaluated(path('test.tsv'));
  expect(recall).toBeGreaterThanOrEqual(0.95);
  expect(stderr).not.toContain('Warning');
  const bare = table(TEST).replaceAll(/^(.*?\t.*?\t.*?)\t.*$/gm, '$1');
  const blind = await evaluated(await file('bare.tsv', bare));
  expect(blind.recall).toBeLessThan(0.8);
  for (const name of ['device', 'minute', 'dwell']) {
    expect(blind.stderr).toContain(`bare.tsv has no column "${name}", which the model reads: it counts as missing.`);
  }
});

test('evaluation, command line and page give one answer', async () => {
  await evaluated(path('test.tsv'), '--ranks', path('ranks.tsv'));
  const ranks = readFileSync(path('ranks.tsv'), 'utf8').trimEnd().split('\n').slice(1);
  for (const session of [0, 7, 29]) {
    for (const length of [1, 4]) {
      const clicks = notices(session, length);
      const items = await recommended(clicks);
      const target = `p${TEST[5 * session + length]!.item}`;
      const rank = 1 + items.findIndex(({ itemId }) => itemId === target);
      expect(ranks).toContain(`s${session}\t${length - 1}\t${target}\t${rank}`);
      const page = await onPage(clicks);
      expect(page.map(({ itemId }) => itemId)).toEqual(items.map(({ itemId }) => itemId));
      page.forEach(({ score }, i) => {
        expect(score).toBeCloseTo(items[i]!.score, 5);
      });
    }
  }
});

test('a value that training did not know is a missing one, and the time of a click counts', async () => {
  const [click] = notices(3, 1);
  const { device: _, ...others } = click!.features as Record<string, string | number>;
  const withDevice = (device: string) => recommended([{ ...click!, features: { ...others, device } }]);
  expect(await withDevice('fridge')).toEqual(await recommended([{ ...click!, features: others }]));
  expect(await withDevice('phone')).not.toEqual(await withDevice('desktop'));
  expect(await recommended([{ ...click!, time: click!.time + 3_600_000 }])).not.toEqual(await recommended([click!]));
});

test('of the columns of a table, the artifact publishes what its model reads, and the training lists the others', () => {
  const products: { features?: object }[] = JSON.parse(readFileSync(join(out, 'catalogue.json'), 'utf8'));
  expect(new Set(products.flatMap(({ features = {} }) => Object.keys(features)))).toEqual(new Set(['colour']));
  expect(trained.stderr).toContain(`${path('items.tsv')}: not published: released.`);
});

test('the artifact says what its model reads, and inspect shows it', async () => {
  const { features } = JSON.parse(readFileSync(join(out, 'manifest.json'), 'utf8'));
  expect(features).toEqual({
    device: { kind: 'category', values: expect.arrayContaining(['phone', 'desktop']) },
    dwell: { kind: 'number', mean: expect.any(Number), deviation: expect.any(Number) },
    minute: { kind: 'angle' },
    age: { kind: 'age', mean: expect.any(Number), deviation: expect.any(Number) },
  });
  const { stdout } = await aisle('inspect', out);
  expect(stdout).toContain(
    '  reads       of clicks: device (2 values), dwell (a number), minute (an angle), age (of the item); ' +
      'of the time of clicks: hour, weekday; of items: colour, price\n',
  );
});

describe('bad input', () => {
  const train = (features: string, { data = table(visits(1, 8)), items = CATALOGUE, argv = [] as string[] } = {}) =>
    (async () => {
      const files = ['--data', await file('log.tsv', data), '--catalogue', await file('items.tsv', items)];
      const outcome = await aisle(
        ...[
          'train',
          ...files,
          '--model',
          'transformers4rec',
          '--preset',
          'none',
          '--out',
          path('refused'),
          '--epochs',
          '1',
        ],
        ...[...SMALL, ...set(`features=${features}`), ...argv],
      );
      return { code: outcome.code, stdout: outcome.stdout, stderr: outcome.stderr };
    })();

  test.each<[what: string, features: string, given: Parameters<typeof train>[1], message: RegExp]>([
    [
      'a feature that nobody has',
      'colur',
      {},
      /No click and no item has the feature "colur"; the nearest is "colour"\./,
    ],
    [
      'a column that is misspelt',
      'devise',
      {},
      /the nearest is "device"\. Columns of the log are device, minute, dwell; /,
    ],
    ['a kind that there is not', 'price:number', {}, /"number" is not one of .* the nearest is numeric/],
    ['a numeric column of the log that holds texts', 'device:numeric', {}, /column "device" must hold numbers, got "/],
    [
      'a numeric column of the catalogue that does',
      'colour:soft',
      {},
      /"colour" must be a number, the product "p\d" has "(red|blue)"/,
    ],
    [
      'a cyclic feature without its period',
      'minute:cyclic',
      {},
      /a cyclic feature needs its period, such as hour:cyclic:24/,
    ],
    [
      'a cyclic feature of items',
      'price:cyclic:7',
      {},
      /"price" is one of items, and a cyclic one says when a click was/,
    ],
    ['an age that is no number', 'age:categorical', {}, /No click and no item has the feature "age"/],
    [
      'an age where there are no times',
      'age',
      { data: 'u p1 p2\nv p2 p3\n', argv: ['--format', 'sequences'] },
      /needs times/,
    ],
    [
      'a catalogue without ids',
      'colour',
      { items: CATALOGUE.replace('item_id', 'name') },
      /items\.tsv:1: no column "item_id"/,
    ],
    [
      'a catalogue of other items',
      'colour',
      { items: CATALOGUE.replaceAll(/^p/gm, 'q') },
      /there is|the catalogue has none/,
    ],
  ])('%s is refused with a sentence', async (_, features, given, message) => {
    const { code, stdout, stderr } = await train(features, given);
    expect(stderr).toMatch(message);
    expect(stderr).not.toMatch(/^\s+at /m);
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
  });

  test('a number that is none is refused in evaluation too', async () => {
    const data = await file('test.tsv', table(TEST).replace(/\t[\d.]+\n/, '\tlong\n'));
    expect(await aisle('evaluate', '--artifact', out, '--data', data)).toMatchObject({
      code: 2,
      stderr: expect.stringContaining('column "dwell" must hold numbers, got "long"'),
    });
  });

  test('features of a session that are no list of names and values are refused', async () => {
    const session = await file('session.json', '[{"itemId":"p1","features":["phone"]}]');
    expect(await aisle('recommend', '--artifact', out, '--session-json', session)).toMatchObject({
      code: 2,
      stderr: expect.stringContaining('entry 1: expected features as numbers or texts by name, got ["phone"]'),
    });
  });

  test.each([
    ['no values', { device: { kind: 'category' } }, 'features["device"].values must be a list of texts'],
    ['a deviation of 0', { dwell: { kind: 'number', mean: 0, deviation: 0 } }, '.deviation must be a number above 0'],
    ['another kind', { dwell: { kind: 'colour' } }, '.kind must be category, number, angle or age'],
  ])('an artifact whose features have %s is refused', async (_, features, message) => {
    const manifest = JSON.parse(readFileSync(join(out, 'manifest.json'), 'utf8'));
    const copy = mkdtempSync(join(tmpdir(), 'aisle-side-'));
    onTestFinished(() => rmSync(copy, { recursive: true, force: true }));
    for (const name of Object.keys(manifest.files)) await writeFile(join(copy, name), readFileSync(join(out, name)));
    await writeFile(join(copy, 'manifest.json'), JSON.stringify({ ...manifest, features }));
    expect(await aisle('inspect', copy)).toMatchObject({ code: 2, stderr: expect.stringContaining(message) });
  });
});
