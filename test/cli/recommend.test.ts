import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { writeArtifactFolder } from '../../src/pipeline/files/artifact-folder';
import { folderOf, IDS, plannedModel, smallModel } from '../engine/fixture';
import { aisle } from './program';

let folder: string;
/** Of the model that most tests ask. */
let root: string;
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'aisle-recommend-'));
  root = join(folder, 'small');
  mkdirSync(root);
  for (const [name, bytes] of await folderOf(await smallModel())) writeFileSync(join(root, name), bytes);
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const recommend = (...argv: string[]) => aisle('recommend', ...argv);
const json = async (...argv: string[]) => JSON.parse((await recommend('--artifact', root, '--json', ...argv)).stdout);
const file = (name: string, content: unknown): string => {
  const path = join(root, name);
  writeFileSync(path, typeof content === 'string' || content instanceof Uint8Array ? content : JSON.stringify(content));
  return path;
};

describe('aisle recommend', () => {
  test('prints one JSON object in the form of the contract', async () => {
    const { code, stdout, stderr } = await recommend(
      '--artifact',
      root,
      '--session',
      'item-9,item-10',
      '--k',
      '3',
      '--json',
    );
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(stdout.trimEnd().split('\n')).toHaveLength(1);
    const item = { itemId: expect.any(String), score: expect.any(Number), reason: 'neural' };
    expect(JSON.parse(stdout)).toEqual({
      items: [item, item, item],
      model: { name: 'small gru4rec', version: '1.0.0' },
      backend: 'wasm',
      milliseconds: expect.any(Number),
    });
  });

  test('prints a table for people, and which model answered on the side', async () => {
    const { code, stdout, stderr } = await recommend(
      '--artifact',
      root,
      '--session',
      'item-9',
      '--k',
      '2',
      '--backend',
      'cpu',
    );
    expect(code).toBe(0);
    expect(stdout.split('\n')).toHaveLength(4);
    expect(stdout).toMatch(/#\s+score\s+reason\s+item/);
    expect(stderr).toMatch(/small gru4rec 1\.0\.0 on cpu, [\d.]+ ms/);
  });

  test('gives 20 items by default, the same on both backends', async () => {
    const [wasm, cpu] = [await json('--item', 'item-9'), await json('--item', 'item-9', '--backend', 'cpu')];
    expect([wasm.backend, cpu.backend]).toEqual(['wasm', 'cpu']);
    expect(wasm.items).toHaveLength(20);
    expect(wasm.items.map(({ itemId }: { itemId: string }) => itemId)).toEqual(
      cpu.items.map(({ itemId }: { itemId: string }) => itemId),
    );
  });

  test('takes a session in three ways, ids with commas, quotes, emoji and __proto__ in two of them', async () => {
    const odd = IDS.slice(0, 5);
    const flags = await json(...odd.flatMap((id) => ['--item', id]));
    const list = await json('--item', ...odd);
    expect(list.items).toEqual(flags.items);
    expect((await json('--item', ...odd.slice(0, 2), '--item', ...odd.slice(2))).items).toEqual(flags.items);
    const listed = await json('--session-json', file('odd.json', odd));
    const timed = odd.map((itemId, t) => ({ itemId, time: new Date(1.7e12 + 60_000 * t).toISOString() }));
    const withTimes = await json('--session-json', file('timed.json', timed), '--now', '2023-11-15');
    expect(listed.items).toEqual(flags.items);
    const tracked = odd.map((itemId) => ({ itemId, event: 'cart', pageView: '/p', candidates: [] }));
    const removed = [...tracked, { itemId: 'item-9', event: 'remove', transaction: '1' }];
    expect((await json('--session-json', file('removed.json', removed))).items).toEqual(flags.items);
    expect(withTimes.items).toEqual(flags.items);
    expect((await json('--session', '__proto__,constructor')).items).toEqual(
      (await json('--item', '__proto__', '--item', 'constructor')).items,
    );
  });

  test.each([
    ['no click', ['--session', '']],
    ['no click in a file', ['--session-json', '[]']],
    ['no known item and --allow-unknown', ['--session', 'gone,toString', '--allow-unknown']],
  ])('answers by popularity where there is %s', async (_, argv) => {
    const { items } = await json(...argv.map((word) => (word === '[]' ? file('empty.json', []) : word)));
    expect(items).toHaveLength(20);
    expect(new Set(items.map(({ reason }: { reason: string }) => reason))).toEqual(new Set(['popular']));
  });

  test('refuses a session without a known item, naming the nearest ids', async () => {
    const { code, stdout, stderr } = await recommend(
      '--artifact',
      root,
      '--session',
      'ITEM-9,item-100,"quoted" twice,x,y',
      '--json',
    );
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
    expect(stderr).toBe(
      'aisle: The model does not know "ITEM-9" (nearest: "item-9", "item-6", "item-7"), ' +
        '"item-100" (nearest: "item-10", "item-11", "item-12"), ' +
        `"\\"quoted\\" twice" (nearest: "\\"quoted\\" 'twice'", "constructor", "item-6"), 2 more. ` +
        'Pass at least one item that it knows; --allow-unknown prints what is popular.\n',
    );
  });

  test('warns of unknown items beside known ones, and answers by the known', async () => {
    const { code, stdout, stderr } = await recommend('--artifact', root, '--item', 'item-9', 'gone\u009b2J', '--json');
    expect(code).toBe(0);
    expect(JSON.parse(stdout).items).toEqual((await json('--item', 'item-9')).items);
    expect(stderr).toMatch(
      /^Warning: the model does not know "gone\\u009b2J" \(nearest: .*\)\. It answers by the other items\.\n$/,
    );
  });

  test('warns of a user where the model knows no users', async () => {
    const { stderr } = await recommend('--artifact', root, '--session', 'item-1', '--allow-unknown', '--user', 'ann');
    expect(stderr).toContain('knows no users: --user changes nothing.');
  });

  test('prints a list of 200,000 items', async () => {
    const ids = Array.from({ length: 200_000 }, (_, k) => `i${k}`);
    const support = new Int32Array(ids.length + 1).fill(1);
    const info = { ...(await smallModel({ architecture: 'pop' })).info, items: ids.length };
    const golden = { session: [1], top: [] };
    const large = join(folder, 'large');
    const shape = [support.length];
    const tensors = {
      'catalogue.support': { data: support, shape },
      popularity: { data: Float32Array.from(support), shape },
    };
    await writeArtifactFolder(large, { info: { ...info, golden }, itemIds: ids, tensors });
    const { code, stdout, stderr } = await recommend('--artifact', large, '--session', '', '--k', `${ids.length}`);
    expect({ code, stderr }).toEqual({ code: 0, stderr: expect.stringContaining('pop') });
    expect(stdout.trimEnd().split('\n')).toHaveLength(1 + ids.length);
  });

  test('by the plan of a model that has none, ends with 2', async () => {
    const { code, stderr } = await recommend('--artifact', root, '--session', 'item-9', '--backend', 'plan');
    expect(code).toBe(2);
    expect(stderr).toMatch(/"small gru4rec" has no compiled plan/);
    const counting = join(folder, 'counting');
    await writeArtifactFolder(counting, await smallModel({ architecture: 'pop' }));
    expect(await recommend('--artifact', counting, '--session', 'item-9', '--backend', 'plan')).toEqual({
      code: 2,
      stdout: '',
      stderr: 'aisle: The model "small pop" only counts: leave --backend plan out.\n',
    });
  });

  test('by a damaged plan, ends with 2 and names its file', async () => {
    const dir = join(folder, 'damaged');
    await writeArtifactFolder(dir, await plannedModel());
    const path = join(dir, 'plan.bin');
    const bytes = readFileSync(path);
    bytes[bytes.length - 5]! ^= 1;
    writeFileSync(path, bytes);
    const { code, stderr } = await recommend('--artifact', dir, '--session', 'item-9', '--backend', 'plan');
    expect({ code, stderr }).toEqual({ code: 2, stderr: expect.stringContaining('plan.bin') });
  });

  test.each([
    ['no artifact', ['--session', 'a'], '--artifact'],
    ['a folder that is not there', ['--artifact', '/nowhere/at/all', '--session', 'a'], 'manifest.json is missing'],
    ['no session', ['--artifact', '.'], 'in one way'],
    ['two sessions', ['--artifact', '.', '--session', 'a', '--item', 'b'], 'in one way'],
    ['k of zero', ['--artifact', '.', '--session', 'a', '--k', '0'], 'whole number'],
    ['an unknown backend', ['--artifact', '.', '--session', 'a', '--backend', 'gpu'], 'auto or plan or wasm or cpu'],
    ['a time that is none', ['--artifact', '.', '--session', 'a', '--now', 'soon'], 'date'],
    ['a session file that is not there', ['--artifact', '.', '--session-json', '/nowhere.json'], 'no such file'],
    ['a folder for a session file', ['--artifact', '.', '--session-json', tmpdir()], `${tmpdir()} cannot be read`],
  ])('ends with 2 and a sentence, without a stack trace: %s', async (_, argv, sentence) => {
    const { code, stdout, stderr } = await recommend(...argv);
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
    expect(stderr).toContain(sentence);
    expect(stderr).not.toMatch(/^\s+at /m);
  });

  test.each([
    ['no JSON', '[1', 'is not valid JSON'],
    ['bytes that are not UTF-8', Uint8Array.of(0x5b, 0x22, 0xff, 0x22, 0x5d), 'is not valid UTF-8'],
    ['no list', { a: 1 }, 'JSON list'],
    ['a number for an id', [1], 'entry 1: expected an item id'],
    [
      'a misspelt key',
      [{ itemId: 'item-9', timestamp: 5 }],
      'entry 1: expected "itemId", "time" and "features", got "timestamp".',
    ],
    ['an entry of null', ['a', null], 'entry 2: expected an item id'],
    ['a time that is none', [{ itemId: 'a', time: 'soon' }], 'entry 1: expected a time'],
  ])('refuses a session file with %s', async (_, content, sentence) => {
    const { code, stderr } = await recommend('--artifact', root, '--session-json', file('bad.json', content));
    expect(code).toBe(2);
    expect(stderr).toContain('bad.json');
    expect(stderr).toContain(sentence);
  });
});
