import { existsSync, statSync } from 'node:fs';
import {
  appendFile,
  mkdir,
  mkdtemp,
  open,
  readdir,
  readFile,
  readlink,
  realpath,
  rename,
  rm,
  symlink,
  writeFile,
} from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, onTestFinished, test, vi } from 'vitest';
import type { Artifact } from '../../src/checkpoint/artifact';
import { buildModel } from '../../src/pipeline/build-model';
import { loadEngine } from '../../src/pipeline/files/artifact-engine';
import {
  checkReplaceable,
  inspectArtifact,
  readArtifactFolder,
  writeArtifactFolder,
} from '../../src/pipeline/files/artifact-folder';
import { smallArtifact } from '../checkpoint/artifacts';
import { aisle } from '../cli/program';

/** What is of the opened artifact alone. */
const OPENED = {
  hash: expect.stringMatching(/^[0-9a-f]{64}$/),
  further: expect.any(Function),
  bytes: expect.any(Function),
  hasPlan: false,
};
const artifact = smallArtifact();
const renamed = (name: string): Artifact => ({ ...artifact, info: { ...artifact.info, name } });
let root: string;
let dir: string;

beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'aisle-folder-'));
  dir = join(root, 'model');
});
afterEach(() => rm(root, { recursive: true, force: true }));

describe('buildModel', () => {
  const { info, itemIds, tensors } = artifact;
  const { config, golden, licence } = info;
  const built = (changes: object, name = 'model') => {
    const model = { architecture: 'pop', config, golden, licence, itemIds, tensors, training: {}, ...changes };
    return buildModel(name, model, ({ version }) => `# ${version}`, {});
  };

  test('gives the same model the same version, and other content another one', async () => {
    const { version, modelCard } = (await built({})).info;
    expect(version).toMatch(/^[0-9a-f]{12}$/);
    expect(modelCard).toBe(`# ${version}`);
    expect((await built({ training: { seconds: 3 } }, 'elsewhere')).info.version).toBe(version);
    const others = [
      { itemIds: itemIds.map((id) => `sku-${id}`) },
      { catalogue: [{ id: itemIds[0]!, title: 'A lamp' }] },
      { aliases: new Map([[itemIds[0]!, { also: ['lamp'] }]]) },
      { aliases: new Map([[itemIds[0]!, { also: ['LAMP'] }]]) },
      { rules: [{ do: 'pin', id: itemIds[0]! }] },
      { strategies: { trending: { until: 1e9, items: [1, 2.5] } } },
      { config: { ...config, halfLife: 3 } },
      { scale: 3 },
      { mix: { architecture: 'markov', config: {}, share: 0.5 } },
      { golden: { ...golden, top: golden.top.slice(1) } },
      { tensors: { ...tensors, more: { data: Float32Array.of(1), shape: [1] } } },
    ];
    const versions = await Promise.all(others.map(async (change) => (await built(change)).info.version));
    expect(new Set([version, ...versions]).size).toBe(1 + others.length);
  });
});

describe('writeArtifactFolder', () => {
  test('keeps what strategies answer by, and the rules of the shop', async () => {
    const strategies = { trending: { until: 1e9, items: [1, 2.5] } };
    const rules = [{ do: 'pin', id: 'a' }];
    await writeArtifactFolder(dir, { ...artifact, strategies, rules });
    const read = await readArtifactFolder(dir);
    expect([read.strategies, read.rules]).toEqual([{ ...strategies }, rules]);
    await writeArtifactFolder(dir, read); // in the place of itself
    expect((await inspectArtifact(dir)).files).toMatchObject({
      'strategies.json': expect.any(Number),
      'rules.json': expect.any(Number),
    });
    const wrong = { ...artifact, strategies: { trending: { until: 1, items: [99, 1] } } };
    await expect(writeArtifactFolder(dir, wrong)).rejects.toThrow(
      'strategies.json: field trending.items must be a list of item indices',
    );
  });

  test('writes what readArtifactFolder reads, and nothing else', async () => {
    await writeArtifactFolder(join(root, 'a/b/model'), artifact);
    expect(await readArtifactFolder(join(root, 'a/b/model'))).toEqual({
      ...artifact,
      ...OPENED,
    });
    expect(await readdir(join(root, 'a/b'))).toEqual(['model']);
    expect((await readdir(join(root, 'a/b/model'))).sort()).toEqual([
      'README.md',
      'catalogue.json',
      'items.json',
      'manifest.json',
      'weights.safetensors',
    ]);
  });

  test('writes the card, and a report, for people: the manifest does not list them, and the next artifact replaces them', async () => {
    await writeArtifactFolder(dir, artifact, { report: '<p>mine' });
    expect(await readFile(join(dir, 'README.md'), 'utf8')).toBe(artifact.info.modelCard);
    expect(await readFile(join(dir, 'report.html'), 'utf8')).toBe('<p>mine');
    const { files } = JSON.parse(await readFile(join(dir, 'manifest.json'), 'utf8'));
    expect(Object.keys(files)).toEqual(expect.not.arrayContaining(['README.md']));
    expect(Object.keys(files)).toEqual(expect.not.arrayContaining(['report.html']));
    await writeArtifactFolder(dir, renamed('second'));
    expect(await readdir(dir)).toContain('README.md');
    expect(await readdir(dir)).not.toContain('report.html');
  });

  test('replaces an artifact, an empty folder, and one that holds only what may go', async () => {
    await mkdir(dir);
    await writeArtifactFolder(dir, artifact);
    await writeFile(join(dir, 'checkpoint'), 'x');
    await writeArtifactFolder(dir, renamed('second'), { discard: ['checkpoint'] });
    expect((await readArtifactFolder(dir)).info.name).toBe('second');
    await rm(dir, { recursive: true });
    await mkdir(dir);
    await writeFile(join(dir, 'checkpoint'), 'x');
    await writeArtifactFolder(dir, artifact, { discard: ['checkpoint'] });
    expect(await readdir(dir)).not.toContain('checkpoint');
    expect(await readdir(root)).toEqual(['model']);
  });

  test('refuses a folder inside of another artifact, which that one could not be replaced with', async () => {
    await writeArtifactFolder(dir, artifact);
    await expect(checkReplaceable(join(dir, 'small'))).rejects.toThrow(
      `${join(dir, 'small')} is inside of the model ${dir}; name a folder elsewhere.`,
    );
  });

  test('refuses a folder that none can be made beside, before the work', async () => {
    const file = join(root, 'file');
    await writeFile(file, 'mine');
    await expect(checkReplaceable(join(file, 'models', 'shop'))).rejects.toThrow(/cannot be written, because .*file/);
  });

  // Such as a volume of a container. The work would be done, and could not be renamed into its place.
  const volume = '/dev/shm';
  const isVolume = existsSync(volume) && statSync(volume).dev !== statSync(join(volume, '..')).dev;
  test.skipIf(!isVolume)('refuses a mount point, before the work', async () => {
    await expect(checkReplaceable(volume)).rejects.toThrow(/a mount point.* name one inside of it, such as .*model\./);
    await checkReplaceable(join(volume, 'a-model-that-is-not-there'));
  });

  test('refuses a link to a folder that is not there, before the work', async () => {
    await symlink(join(root, 'nowhere'), dir);
    await expect(checkReplaceable(dir)).rejects.toThrow(/model: this is a link to a folder that is not there/);
    await mkdir(join(root, 'nowhere'));
    await checkReplaceable(dir);
  });

  test.each([
    [
      'a folder of something else',
      ['notes.txt'],
      /model holds "notes\.txt", so it is not an artifact and is left alone/,
    ],
    ['an artifact with a stranger in it', ['manifest.json', 'notes.txt'], /holds "notes\.txt"/],
    ['a web app', ['manifest.json', 'README.md'], /has no weights\.safetensors, so it is not an artifact/],
    [
      'a folder with a file of the same name as ours',
      ['items.json'],
      /has no manifest\.json, so it is not an artifact/,
    ],
  ])('leaves %s alone', async (_, names, message) => {
    await mkdir(dir);
    for (const name of names) await writeFile(join(dir, name), 'mine');
    const writing = writeArtifactFolder(dir, artifact);
    await expect(writing).rejects.toMatchObject({ code: 'bad-input' });
    await expect(writing).rejects.toThrow(message);
    expect((await readdir(dir)).sort()).toEqual([...names].sort());
    expect(await readFile(join(dir, names[0]!), 'utf8')).toBe('mine');
    expect(await readdir(root)).toEqual(['model']);
  });

  test('replaces the artifact that a link leads to, and keeps the link', async () => {
    await writeArtifactFolder(dir, artifact);
    const link = join(root, 'current');
    await symlink('model', link);
    await writeArtifactFolder(link, renamed('second'));
    expect(await readlink(link)).toBe('model');
    expect((await readArtifactFolder(dir)).info.name).toBe('second');
  });

  test('leaves the working directory alone', async () => {
    const working = vi.spyOn(process, 'cwd').mockReturnValue(await realpath(root));
    onTestFinished(() => working.mockRestore());
    await expect(writeArtifactFolder(root, artifact)).rejects.toThrow('is the folder that this runs in');
  });

  test('leaves a file alone', async () => {
    await writeFile(dir, 'mine');
    await expect(writeArtifactFolder(dir, artifact)).rejects.toMatchObject({ code: 'bad-input' });
    await expect(writeArtifactFolder(join(dir, 'below'), artifact)).rejects.toMatchObject({ code: 'bad-input' });
    expect(await readFile(dir, 'utf8')).toBe('mine');
  });

  test.each([0, 1, 2, 3])(
    'with a disk that is full at file %i, keeps the old artifact and leaves nothing else',
    async (full) => {
      await writeArtifactFolder(dir, artifact);
      let written = 0;
      // The system's own error, where it has a device that is always full.
      const write = async (path: string, bytes: Uint8Array) => {
        if (written++ < full) return writeFile(path, bytes);
        await writeFile(path, bytes.subarray(0, 10));
        await fillDisk(bytes);
      };
      const writing = writeArtifactFolder(dir, renamed('second'), { write });
      await expect(writing).rejects.toMatchObject({ name: 'RecommenderError', code: 'io' });
      await expect(writing).rejects.toThrow(
        /Writing .*model failed, nothing was changed: the disk is full; .* \(ENOSPC\)/,
      );
      expect(await readArtifactFolder(dir)).toEqual({ ...artifact, ...OPENED });
      expect(await readdir(root)).toEqual(['model']);
    },
  );

  test('with a full disk and no artifact yet, leaves no folder', async () => {
    const writing = writeArtifactFolder(dir, artifact, { write: (_, bytes) => fillDisk(bytes) });
    await expect(writing).rejects.toMatchObject({ code: 'io' });
    expect(await readdir(root)).toEqual([]);
    const below = writeArtifactFolder(join(root, 'a/b/model'), artifact, { write: (_, bytes) => fillDisk(bytes) });
    await expect(below).rejects.toMatchObject({ code: 'io' });
    expect(await readdir(root)).toEqual([]);
  });

  test('leaves nothing behind when the artifact itself is refused', async () => {
    const wrong = { ...artifact, itemIds: artifact.itemIds.slice(1) };
    await expect(writeArtifactFolder(dir, wrong)).rejects.toMatchObject({ code: 'bad-artifact' });
    expect(await readdir(root)).toEqual([]);
  });
});

describe('where a process was killed between the two renames of a replacement', () => {
  const names = async () => (await readdir(root)).sort();
  beforeEach(async () => {
    await writeArtifactFolder(dir, renamed('new'));
    await rename(dir, join(root, '.model.new-12ab'));
    await writeArtifactFolder(dir, renamed('old'));
    await rename(dir, join(root, '.model.old-12ab'));
  });

  test.each<[string, () => Promise<string>]>([
    ['readArtifactFolder', async () => (await readArtifactFolder(dir)).info.name],
    ['inspectArtifact', async () => (await inspectArtifact(dir)).name],
    ['aisle inspect', async () => JSON.parse((await aisle('inspect', dir, '--json')).stdout).name],
  ])('%s ends it, and reads the new artifact', async (_, read) => {
    expect(await read()).toBe('new');
    expect(await names()).toEqual(['model']);
  });

  test('an engine ends it before it loads', async () => {
    // This artifact has no more than some of a network's weights.
    await expect(loadEngine(dir, 'cpu')).rejects.toThrow('model: weights.safetensors lacks the tensor');
    expect(await names()).toEqual(['model']);
  });

  test('the next artifact replaces it', async () => {
    await writeArtifactFolder(dir, renamed('third'));
    expect((await readArtifactFolder(dir)).info.name).toBe('third');
    expect(await names()).toEqual(['model']);
  });

  test('a folder that stands is left alone, and so is one of which only the old files are still there', async () => {
    await writeArtifactFolder(join(root, 'other'), renamed('other'));
    await rename(join(root, 'other'), dir);
    expect((await readArtifactFolder(dir)).info.name).toBe('other');
    await rm(dir, { recursive: true });
    await rm(join(root, '.model.new-12ab'), { recursive: true });
    await expect(readArtifactFolder(dir)).rejects.toThrow('is not a folder');
    expect(await names()).toEqual(['.model.old-12ab']);
  });
});

async function fillDisk(bytes: Uint8Array): Promise<void> {
  if (process.platform !== 'linux') throw Object.assign(new Error('ENOSPC: no space left'), { code: 'ENOSPC' });
  const full = await open('/dev/full', 'w');
  try {
    await full.writeFile(bytes);
  } finally {
    await full.close();
  }
}

describe('readArtifactFolder refuses', () => {
  test.each<[string, () => Promise<unknown>, RegExp]>([
    ['a folder that does not exist', async () => {}, /model is not a folder; name the folder of an artifact/],
    ['a file', () => writeFile(dir, 'x'), /model is not a folder/],
    ['an empty folder', () => mkdir(dir), /model: manifest\.json is missing/],
    [
      'a missing file',
      async () => rm(await written('items.json')),
      /model: items\.json is missing; copy the whole folder/,
    ],
    [
      'a flipped byte',
      async () => flip(await written('weights.safetensors')),
      /model: weights\.safetensors has the SHA-256/,
    ],
    [
      'a file longer than the manifest says',
      async () => appendFile(await written('items.json'), ' '),
      /model: items\.json is longer than \d+ bytes/,
    ],
    [
      'a newer version',
      async () => {
        const path = await written('manifest.json');
        await writeFile(path, (await readFile(path, 'utf8')).replace('"formatVersion": 1', '"formatVersion": 2'));
      },
      /model: manifest\.json has formatVersion 2, but this release reads 1; update Aisle/,
    ],
    [
      'a folder in place of a file',
      async () => {
        const path = await written('items.json');
        await rm(path);
        await mkdir(path);
      },
      /model: items\.json could not be read/,
    ],
  ])('%s', async (_, prepare, message) => {
    await prepare();
    const reading = readArtifactFolder(dir);
    await expect(reading).rejects.toMatchObject({ name: 'RecommenderError', code: 'bad-artifact' });
    await expect(reading).rejects.toThrow(message);
  });

  async function written(name: string): Promise<string> {
    await writeArtifactFolder(dir, artifact);
    return join(dir, name);
  }

  async function flip(path: string): Promise<void> {
    const bytes = await readFile(path);
    bytes[bytes.length - 5]! ^= 0x10;
    await writeFile(path, bytes);
  }
});

test('inspectArtifact sums an artifact up', async () => {
  await writeArtifactFolder(dir, artifact, { precision: 'int8' });
  const { files, bytes, parameters, tensors, events, products, ...info } = await inspectArtifact(dir);
  expect(info).toEqual(artifact.info);
  expect(bytes).toBe(Object.values(files).reduce((a, b) => a + b, 0));
  expect(files['items.json']).toBe((await readFile(join(dir, 'items.json'))).length);
  expect({ parameters, events, products }).toEqual({ parameters: 12 * 16 + 12 + 16 * 48, events: 66, products: 1 });
  expect(tensors).toEqual([
    { name: 'bias', type: 'F16', shape: [12] },
    { name: 'catalogue.support', type: 'I32', shape: [12] },
    { name: 'gru.0.wh', type: 'I8', shape: [16, 48] },
    { name: 'gru.0.wh.scale', type: 'F32', shape: [16] },
    { name: 'items', type: 'I8', shape: [12, 16] },
    { name: 'items.scale', type: 'F32', shape: [12] },
  ]);
});
