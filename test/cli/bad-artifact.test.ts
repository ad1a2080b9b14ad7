import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { cp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { folderOf, smallModel } from '../engine/fixture';
import { aisle, file, folder } from './program';

let sound: string;
let log: string;
beforeAll(async () => {
  sound = mkdtempSync(join(tmpdir(), 'aisle-artifact-'));
  const catalogue = [{ id: 'item-9', title: 'Sock' }];
  for (const [name, bytes] of await folderOf(await smallModel({ catalogue }))) writeFileSync(join(sound, name), bytes);
});
afterAll(() => rmSync(sound, { recursive: true, force: true }));

/** Every command that reads an artifact. */
const COMMANDS: Record<string, (dir: string) => string[]> = {
  evaluate: (dir) => ['evaluate', '--artifact', dir, '--data', log],
  recommend: (dir) => ['recommend', '--artifact', dir, '--item', 'item-9'],
  inspect: (dir) => ['inspect', dir],
  pack: (dir) => ['pack', '--artifact', dir, '--precision', 'int8', '--out', `${dir}-packed`],
  demo: (dir) => ['demo', '--artifact', dir, '--port', '0'],
};

const flip = (name: string, at: number) => async (dir: string) => {
  const bytes = readFileSync(join(dir, name));
  bytes[at < 0 ? bytes.length + at : at]! ^= 1;
  writeFileSync(join(dir, name), bytes);
};
const without = (name: string) => (dir: string) => rm(join(dir, name));
const manifest = (change: (manifest: Record<string, unknown>) => unknown) => async (dir: string) => {
  const path = join(dir, 'manifest.json');
  writeFileSync(path, JSON.stringify(change(JSON.parse(readFileSync(path, 'utf8')))));
};

const DAMAGES: [what: string, damage: (dir: string) => Promise<void>, message: RegExp][] = [
  ['a flipped byte in the weights', flip('weights.safetensors', -5), /weights\.safetensors.*SHA-256/i],
  ['a flipped byte in the header of the weights', flip('weights.safetensors', 20), /weights\.safetensors/],
  ['a flipped byte in the items', flip('items.json', 10), /items\.json/],
  ['a flipped byte in the catalogue', flip('catalogue.json', 10), /catalogue\.json/],
  ['no weights', without('weights.safetensors'), /weights\.safetensors.*missing/],
  ['no items', without('items.json'), /items\.json.*missing/],
  ['no catalogue, which it lists', without('catalogue.json'), /catalogue\.json.*missing/],
  ['no manifest', without('manifest.json'), /manifest\.json.*missing/],
  ['a newer version', manifest((m) => ({ ...m, formatVersion: 99 })), /99.*[Uu]pdate|newer/],
  [
    'half a manifest',
    async (dir) => writeFileSync(join(dir, 'manifest.json'), '{"formatVersion": 1,'),
    /manifest\.json/,
  ],
];

describe.each(Object.keys(COMMANDS))('aisle %s', (command) => {
  test.each(DAMAGES)('refuses an artifact with %s: code 2 and a sentence', async (_, damage, message) => {
    log = await file('log.csv', 'session_id,item_id,timestamp\na,item-9,1\na,item-10,2\n');
    const dir = await folder();
    await cp(sound, dir, { recursive: true });
    await damage(dir);
    const before = await readdir(dir);
    const { code, stdout, stderr } = await aisle(...COMMANDS[command]!(dir));
    expect(stderr).toMatch(message);
    expect(stderr).toContain(dir);
    expect(stderr).not.toMatch(/^\s+at /m);
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
    expect(await readdir(dir)).toEqual(before);
  });

  test('refuses a folder that is not there', async () => {
    log = await file('log.csv', 'session_id,item_id,timestamp\na,item-9,1\na,item-10,2\n');
    const { code, stdout, stderr } = await aisle(...COMMANDS[command]!('no-such-folder'));
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
    expect(stderr).toContain('no-such-folder');
    expect(stderr).not.toMatch(/^\s+at /m);
  });
});
