/** Users whom a model knows: found by id in evaluation, on the command line and on a page, and named in no file. */
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest';
import { createRecommender } from '../../src/index';
import { random } from '../../src/session/random';
import { aisle, file } from './program';
import { type Served, serveArtifact } from './serve';

/** Visitors read of one thing after the other, and look at each in a colour of their own. */
const COLOURS: Readonly<Record<string, string>> = { 'ann@shop.example': 'red', 'bob, jr.': 'blue', 사용자: 'green' };
const USERS = Object.keys(COLOURS);
const THINGS = 4;
const ITEMS = THINGS * (1 + USERS.length);

function table(seed: number, count: number): string {
  const { integer } = random(seed, 'walks');
  const rows = Array.from({ length: count }, (_, s) => {
    const user = USERS[integer(USERS.length)]!;
    const first = integer(THINGS);
    return Array.from({ length: 4 }, (_, t) => {
      const thing = (first + (t >> 1)) % THINGS;
      const item = t % 2 === 0 ? `about ${thing}` : `${COLOURS[user]} ${thing}`;
      return `s${s}\t${item}\t${1_700_000_000 + 10_000 * s + t}\t${user}\n`;
    }).join('');
  });
  return `session_id\titem_id\ttimestamp\tuser_id\n${rows.join('')}`;
}

/** The log with every session of one user, whom no model knows. */
const ofStrangers = (log: string): string => log.replaceAll(/\t[^\t]*$/gm, '\tsomebody').replace('somebody', 'user_id'); // the first is of the header

let folder: string;
let out: string;
let server: Served;
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'aisle-users-'));
  out = join(folder, 'model');
  const settings = ['profile=user', 'd=16', 'L=1', 'T=1', 'windows=all', 'negSamples=6', 'negFrom=all', 'drop=0'];
  const data = join(folder, 'train.tsv');
  writeFileSync(data, table(1, 240));
  const { code, stderr } = await aisle(
    ...['train', '--data', data, '--model', 'caser', '--preset', 'none', '--out', out],
    ...[...settings, 'batchSize=32', 'learningRate=0.02'].flatMap((setting) => ['--set', setting]),
    ...['--epochs', '25'],
  );
  expect({ code, stderr: code === 0 ? '' : stderr }).toEqual({ code: 0, stderr: '' });
  server = await serveArtifact(out);
}, 120_000);
afterAll(() => {
  server.close();
  rmSync(folder, { recursive: true, force: true });
});

async function recall(log: string): Promise<number> {
  const { stdout } = await aisle('evaluate', '--artifact', out, '--data', await file('test.tsv', log), '--json');
  return JSON.parse(stdout).metrics.conservative['recall@1'];
}

async function recommended(...argv: string[]): Promise<{ itemId: string; score: number }[]> {
  const { stdout } = await aisle(
    ...['recommend', '--artifact', out, '--item', 'about 3', '--k', `${ITEMS}`, '--backend', 'cpu', '--json', ...argv],
  );
  return JSON.parse(stdout).items;
}

test('a log without users is evaluated as of strangers, with a warning', async () => {
  const nameless = await file('test.tsv', table(2, 9).replaceAll(/\t[^\t]*$/gm, ''));
  const { code, stderr } = await aisle('evaluate', '--artifact', out, '--data', nameless);
  expect({ code, stderr }).toEqual({
    code: 0,
    stderr: expect.stringContaining(`${nameless} names no users, whom the model reads`),
  });
});

test('a log of strangers, and a stranger who asks, are named', async () => {
  const strangers = await file('test.tsv', ofStrangers(table(2, 9)));
  const { code, stderr } = await aisle('evaluate', '--artifact', out, '--data', strangers);
  expect({ code, stderr }).toEqual({
    code: 0,
    stderr: expect.stringContaining(`${strangers} names only users whom the model does not know`),
  });
  const warned = async (user: string) =>
    (await aisle('recommend', '--artifact', out, '--item', 'about 3', '--user', user)).stderr.includes('Warning');
  expect(await warned(USERS[0]!)).toBe(false);
  expect(await warned('somebody')).toBe(true);
});

test('evaluation finds each user by id; a stranger has no taste of his or her own', async () => {
  const log = table(2, 40);
  expect(await recall(log)).toBeGreaterThanOrEqual(0.95);
  const strangers = await recall(ofStrangers(log));
  expect(strangers).toBeLessThan(0.7);
  expect(await recall(log.replaceAll(/\t[^\t]*$/gm, ''))).toBe(strangers);
});

test('command line and page take the user’s id, and give one answer', async () => {
  for (const [user, colour] of Object.entries(COLOURS)) {
    const items = await recommended('--user', user);
    expect(items[0]!.itemId).toBe(`${colour} 3`);
    const recommender = await createRecommender({ modelUrl: server.modelUrl, backend: 'cpu', user });
    onTestFinished(() => recommender.dispose());
    recommender.track('about 3');
    const page = await recommender.recommend({ k: ITEMS });
    expect(page.map(({ itemId, score }) => ({ itemId, score }))).toEqual(
      items.map(({ itemId, score }) => ({ itemId, score })),
    );
  }
  expect(await recommended('--user', 'somebody')).toEqual(await recommended());
});

test('no file of the artifact names a user, and its card says who is inside', async () => {
  for (const name of readdirSync(out)) {
    const text = readFileSync(join(out, name)).toString('utf8');
    for (const user of USERS) expect(text).not.toContain(user);
  }
  const { modelCard } = JSON.parse(readFileSync(join(out, 'manifest.json'), 'utf8'));
  expect(modelCard).toContain('Personal data is inside: a vector of taste for each of 3 users');
  expect((await aisle('inspect', out)).stdout).toContain('  reads       who of 3 users asks\n');
});

test('a page gets an error at once for a user that is no id', () => {
  expect(() => createRecommender({ modelUrl: server.modelUrl, user: '' })).toThrow(
    'user: expected the id of a user, got "".',
  );
});
