import { beforeEach, expect, test, vi } from 'vitest';
import { encodeSafetensors } from '../../src/checkpoint/write-safetensors';
import { readZip } from '../../src/pipeline/zip';
import { Workbench } from '../../src/studio/workbench';
import { IDS, REFERENCES, weightsOf } from '../cli/foreign-weights';

/** A folder of the browser's private storage. */
class Folder {
  readonly entries = new Map<string, Folder | Blob>();

  async getDirectoryHandle(name: string, { create = false } = {}): Promise<Folder> {
    if (create && !this.entries.has(name)) this.entries.set(name, new Folder());
    return this.#entry(name) as Folder;
  }

  async getFileHandle(name: string, { create = false } = {}) {
    if (create && !this.entries.has(name)) this.entries.set(name, new Blob());
    this.#entry(name);
    const pieces: BlobPart[] = [];
    return {
      getFile: async () => this.#entry(name) as Blob,
      createWritable: async () => ({
        write: async (piece: BlobPart) => void pieces.push(piece),
        close: async () => void this.entries.set(name, new Blob(pieces)),
      }),
    };
  }

  async removeEntry(name: string): Promise<void> {
    this.#entry(name);
    this.entries.delete(name);
  }

  #entry(name: string): Folder | Blob {
    const entry = this.entries.get(name);
    if (!entry) throw new DOMException(name, 'NotFoundError');
    return entry;
  }
}

let storage: Folder;
beforeEach(() => {
  storage = new Folder();
  vi.stubGlobal('navigator', { storage: { getDirectory: async () => storage }, userAgent: '' });
  return () => vi.unstubAllGlobals();
});

/** Sessions of four clicks. */
const logOf = (name: string, sessions: number) => {
  const rows = Array.from({ length: 4 * sessions }, (_, k) => {
    const [session, click] = [Math.floor(k / 4), k % 4];
    return `${session},${name}-${(7 * session + 3 * click) % 40},${1700000000 + 100 * session + click}`;
  });
  return { name: `${name}.csv`, blob: new Blob([['session_id,item_id,timestamp', ...rows].join('\n')]) };
};

const silent = (): void => {};

test('opens what an earlier visit has left', async () => {
  await new Workbench(silent).read({ files: [logOf('old', 200)], read: {} });
  expect(await new Workbench(silent).restore()).toMatchObject({ log: { name: 'old.csv', summary: { sessions: 200 } } });
});

test('a log that is read while an earlier visit is restored takes its place', async () => {
  await new Workbench(silent).read({ files: [logOf('old', 200)], read: {} });
  let begin = silent;
  const bench = new Workbench(({ kind }) => kind === 'progress' && begin());
  const begun = new Promise<void>((resolve) => {
    begin = resolve;
  });
  const restored = bench.restore();
  await begun;
  const read = await bench.read({ files: [logOf('new', 100)], read: {} });
  expect(read).toMatchObject({ name: 'new.csv', summary: { sessions: 100 } });
  expect(await restored).toBeUndefined();
  await bench.wait({ run: 'gru4rec', model: 'gru4rec' }); // writes what it holds to be open
  const next = await new Workbench(silent).restore();
  expect(next).toMatchObject({ log: { name: 'new.csv', summary: { sessions: 100 } }, runs: [{ epochs: [] }] });
});

test('a model of imported weights is handed over, and stored nowhere', async () => {
  vi.spyOn(console, 'warn').mockImplementation(silent); // Node has no WASM module at the address that a page has
  const blob = (content: string | Uint8Array<ArrayBuffer>) => new Blob([content]);
  const files = [
    { name: 'net.safetensors', blob: blob(encodeSafetensors(weightsOf('gru4rec')) as Uint8Array<ArrayBuffer>) },
    { name: 'net.json', blob: blob(JSON.stringify(REFERENCES['gru4rec'])) },
    { name: 'ids.json', blob: blob(JSON.stringify(IDS)) },
  ];
  const names = { from: 'gru4rec', weights: 'net.safetensors', config: 'net.json', items: 'ids.json' };
  const { archive, summary } = await new Workbench(silent).importWeights(files, names, 'imported-gru4rec');
  expect(summary).toMatchObject({ name: 'imported-gru4rec', items: IDS.length });
  expect([...(await readZip(archive, 'model.zip')).keys()]).toContain('weights.safetensors');
  const folder = await storage.getDirectoryHandle('aisle-studio');
  expect([...folder.entries.keys()]).toEqual([]);
});
