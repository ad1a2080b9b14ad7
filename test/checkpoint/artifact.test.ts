import fc from 'fast-check';
import { describe, expect, test, vi } from 'vitest';
import { openArtifact } from '../../src/checkpoint/open';
import { packArtifact } from '../../src/checkpoint/pack';
import { sha256 } from '../../src/checkpoint/sha256';
import { encodeSafetensors } from '../../src/checkpoint/write-safetensors';
import { RecommenderError } from '../../src/errors';
import type { NdArray } from '../../src/types';
import { PATIENT, runs } from '../soak-slice';
import { editManifest, type Folder, ODD_IDS, reader, replaceFile, smallArtifact } from './artifacts';

const artifact = smallArtifact();
const folder = await packArtifact(artifact);
const n = ODD_IDS.length;
const hash = '0'.repeat(64);
/** What is of the opened artifact alone. */
const OPENED = {
  hash: expect.stringMatching(/^[0-9a-f]{64}$/),
  further: expect.any(Function),
  bytes: expect.any(Function),
  hasPlan: false,
};
/** The folder with this `aliases.json`. */
const aliased = async (content: string): Promise<Folder> =>
  editManifest(
    await replaceFile(folder, 'aliases.json', content),
    (manifest) => void Object.assign(manifest, { aliases: 'aliases.json' }),
  );

describe('an artifact', () => {
  test('opens as it was packed, odd ids byte for byte', async () => {
    expect(await openArtifact(reader(folder))).toEqual({ ...artifact, ...OPENED });
  });

  test('packs to the same bytes twice, with the manifest last', async () => {
    expect(await packArtifact(artifact)).toEqual(folder);
    expect([...folder.keys()]).toEqual(['weights.safetensors', 'items.json', 'catalogue.json', 'manifest.json']);
  });

  test('has a hash that changes with its weights and its items, and with nothing else', async () => {
    const hashOf = async (changed: Partial<typeof artifact>) =>
      (await openArtifact(reader(await packArtifact({ ...artifact, ...changed })))).hash;
    const [name, { data, shape }] = Object.entries(artifact.tensors).find(
      ([, { data }]) => data instanceof Float32Array,
    )!;
    const weights = { ...artifact.tensors, [name]: { data: Float32Array.from(data, (x) => x + 1), shape } };
    const same = await hashOf({});
    expect(await hashOf({ info: { ...artifact.info, version: 'another' }, catalogue: [] })).toBe(same);
    expect(await hashOf({ tensors: weights })).not.toBe(same);
    expect(await hashOf({ itemIds: [...artifact.itemIds].reverse() })).not.toBe(same);
  });

  test('opens with its aliases, and packs without them to the bytes of before', async () => {
    const aliases = new Map([
      [ODD_IDS[0]!, { also: ['4711', 'https://shop.example/p/1'], group: 'g' }],
      ['an item that the model does not know', {}],
    ]);
    const packed = await packArtifact({ ...artifact, aliases });
    expect(packed.has('aliases.json')).toBe(true);
    expect(await openArtifact(reader(packed))).toEqual({
      ...artifact,
      aliases,
      ...OPENED,
      namesOf: expect.any(Function),
    });
    expect(new TextDecoder().decode(folder.get('manifest.json'))).not.toContain('aliases');
  });

  test('works without a catalogue', async () => {
    const { catalogue: _, ...bare } = artifact;
    const packed = await packArtifact(bare);
    expect(packed.has('catalogue.json')).toBe(false);
    expect(await openArtifact(reader(packed))).toEqual({ ...bare, ...OPENED });
  });

  test.each([
    ['f16', 2 ** -11],
    ['int8', 1 / 254],
  ] as const)('in %s keeps its weights within half a step, and its integers exactly', async (precision, limit) => {
    const packed = await packArtifact(artifact, { precision });
    expect(packed.get('weights.safetensors')!.length).toBeLessThan(folder.get('weights.safetensors')!.length * 0.65);
    const { tensors } = await openArtifact(reader(packed));
    expect(Object.keys(tensors).sort()).toEqual(Object.keys(artifact.tensors).sort());
    expect(tensors['catalogue.support']).toEqual(artifact.tensors['catalogue.support']);
    for (const [name, { data, shape }] of Object.entries(tensors)) {
      expect(shape).toEqual(artifact.tensors[name]!.shape);
      const error = Math.max(...data.map((x, i) => Math.abs(x - artifact.tensors[name]!.data[i]!)));
      expect(error).toBeLessThanOrEqual(limit * 1.001); // every row's largest weight is below 1
    }
  });

  // Before the next, which loads it.
  test('is refused with a code where a page has no crypto.subtle, and what replaces it cannot be loaded', async () => {
    vi.stubGlobal('crypto', {});
    vi.doMock('@noble/hashes/sha2.js', () => {
      throw new Error('no network');
    });
    try {
      const refused = { code: 'io', message: expect.stringMatching(/^The code of SHA-256 could not be loaded: /) };
      await expect(openArtifact(reader(folder))).rejects.toMatchObject(refused);
    } finally {
      vi.doUnmock('@noble/hashes/sha2.js');
      vi.unstubAllGlobals();
    }
  });

  test('has the same hashes where a page has no crypto.subtle', async () => {
    const bytes = folder.get('weights.safetensors')!;
    const secure = await sha256(bytes);
    vi.stubGlobal('crypto', {});
    try {
      expect(await sha256(bytes)).toBe(secure);
      expect(await openArtifact(reader(folder))).toEqual({ ...artifact, ...OPENED });
    } finally {
      vi.unstubAllGlobals();
    }
  });
});

const weights = (change: Record<string, NdArray | undefined>) => {
  const tensors = Object.entries({ ...artifact.tensors, ...change }).filter(([, tensor]) => tensor);
  return replaceFile(
    folder,
    'weights.safetensors',
    encodeSafetensors(Object.fromEntries(tensors) as Record<string, NdArray>),
  );
};
const without = (name: string): Folder => new Map([...folder].filter(([key]) => key !== name));
const field = (name: string, value: unknown) =>
  editManifest(folder, (manifest) => Object.assign(manifest, { [name]: value }));
const files = (change: Record<string, unknown>) =>
  editManifest(folder, (manifest) => Object.assign(manifest['files'] as object, change));
const ints = (values: readonly number[]): NdArray => ({ data: Int32Array.from(values), shape: [values.length] });
const floats = (...shape: number[]): NdArray => ({ data: new Float32Array(shape.reduce((a, b) => a * b, 1)), shape });
const flipped = (name: string): Folder => {
  const bytes = folder.get(name)!.slice();
  bytes[bytes.length >> 1]! ^= 1;
  return new Map(folder).set(name, bytes);
};
const html = new TextEncoder().encode('<!doctype html><title>Not found</title>');

describe('openArtifact refuses, in one sentence that names file and tensor or field,', () => {
  test.each<[string, () => Folder | Promise<Folder>, RegExp]>([
    ['an empty folder', () => new Map(), /^manifest\.json is missing/],
    ['a folder without weights', () => without('weights.safetensors'), /^weights\.safetensors is missing/],
    ['a folder without items', () => without('items.json'), /^items\.json is missing/],
    ['a folder without its catalogue', () => without('catalogue.json'), /^catalogue\.json is missing/],
    [
      'weights with a flipped bit',
      () => flipped('weights.safetensors'),
      /^weights\.safetensors has the SHA-256 .* says/,
    ],
    ['items with a flipped bit', () => flipped('items.json'), /^items\.json has the SHA-256/],
    [
      'a truncated file',
      () => new Map(folder).set('items.json', folder.get('items.json')!.slice(0, -1)),
      /^items\.json is \d+ bytes long, manifest\.json says \d+/,
    ],
    [
      'a web page for the manifest',
      () => new Map(folder).set('manifest.json', html),
      /^manifest\.json is an HTML page, not JSON/,
    ],
    [
      'a web page for the weights',
      () => new Map(folder).set('weights.safetensors', html),
      /^weights\.safetensors is .* like an HTML page/,
    ],
    ['a web page with the right hash', () => replaceFile(folder, 'items.json', html), /^items\.json is an HTML page/],
    [
      'a manifest that is not JSON',
      () => new Map(folder).set('manifest.json', new TextEncoder().encode('{"a":')),
      /^manifest\.json is not valid JSON/,
    ],
    [
      'a manifest that is not UTF-8',
      () => new Map(folder).set('manifest.json', Uint8Array.of(0x22, 0xff, 0x22)),
      /^manifest\.json is not valid UTF-8/,
    ],
    [
      'an empty manifest',
      () => new Map(folder).set('manifest.json', new Uint8Array()),
      /^manifest\.json is not valid JSON/,
    ],
    [
      'a manifest that is a list',
      () => new Map(folder).set('manifest.json', new TextEncoder().encode('[]')),
      /^manifest\.json: field the whole must be a JSON object/,
    ],
    [
      'a manifest with a name twice',
      () => new Map(folder).set('manifest.json', new TextEncoder().encode('{"name":"a","n\\u0061me":"b"}')),
      /^manifest\.json has the name "name" twice/,
    ],
    [
      'a newer format',
      () => field('formatVersion', 2),
      /^manifest\.json has formatVersion 2, but this release reads 1; update/,
    ],
    [
      'no format version',
      () => field('formatVersion', undefined),
      /field formatVersion must be a whole number from 1, got nothing/,
    ],
    ['a format version of text', () => field('formatVersion', '1'), /field formatVersion must be .* got "1"/],
    ['an empty name', () => field('name', ''), /field name must be text that is not empty, got ""/],
    ['a version of another type', () => field('version', 1), /field version must be text/],
    ['no architecture', () => field('architecture', undefined), /field architecture must be text/],
    ['a config that is a list', () => field('config', []), /field config must be a JSON object/],
    ['items of another type', () => field('items', '11'), /field items must be a whole number/],
    ['no items at all', () => field('items', 0), /field items must be a whole number from 1, got 0/],
    ['half an item', () => field('items', 1.5), /field items must be a whole number/],
    ['training that is null', () => field('training', null), /field training must be a JSON object, got null/],
    ['a licence that is a number', () => field('licence', 3), /field licence must be text/],
    ['no model card', () => field('modelCard', undefined), /field modelCard must be text/],
    ['a scale of 0', () => field('scale', 0), /field scale must be a number above 0, got 0/],
    ['a scale in words', () => field('scale', '2'), /field scale must be a number above 0/],
    ['no golden check', () => field('golden', undefined), /field golden must be a JSON object/],
    [
      'a golden session of padding',
      () => field('golden', { session: [0], top: [] }),
      /field golden\.session must be a list of 1 to 1000 item indices 1…11/,
    ],
    [
      'a golden session without a click',
      () => field('golden', { session: [], top: [] }),
      /field golden\.session must be a list of 1 to 1000 item indices/,
    ],
    [
      'a golden session of 1,001 clicks',
      () => field('golden', { session: Array(1001).fill(1), top: [] }),
      /field golden\.session must be a list of 1 to 1000 item indices/,
    ],
    [
      'a golden answer of more items than there are',
      () => field('golden', { session: [1], top: Array(12).fill({ index: 1, score: 1 }) }),
      /field golden\.top must be a list of at most 11/,
    ],
    [
      'a golden answer outside',
      () => field('golden', { session: [1], top: [{ index: 12, score: 1 }] }),
      /golden\.top\[0\]\.index must be an item index 1…11, got 12/,
    ],
    [
      'a golden score of text',
      () => field('golden', { session: [1], top: [{ index: 1, score: 'x' }] }),
      /golden\.top\[0\]\.score must be a finite number/,
    ],
    [
      'a golden score beyond all numbers, from which no score would differ',
      () => {
        const edited = field('golden', { session: [1], top: [{ index: 1, score: 12345 }] });
        const text = new TextDecoder().decode(edited.get('manifest.json')).replace('12345', '1e999');
        return new Map(edited).set('manifest.json', new TextEncoder().encode(text));
      },
      /golden\.top\[0\]\.score must be a finite number/,
    ],
    ['a golden list of another type', () => field('golden', { session: [1], top: {} }), /golden\.top must be a list/],
    ['no list of files', () => field('files', undefined), /field files must be a JSON object/],
    [
      'files without weights',
      () => field('files', { 'items.json': { sha256: hash, bytes: 1 } }),
      /does not list the file weights\.safetensors/,
    ],
    [
      'a file above the folder',
      () => files({ '../secret': { sha256: hash, bytes: 1 } }),
      /files with the name "\.\.\/secret"/,
    ],
    ['a file in a folder', () => files({ 'a/b': { sha256: hash, bytes: 1 } }), /files with the name "a\/b"/],
    ['a file with a backslash', () => files({ 'a\\b': { sha256: hash, bytes: 1 } }), /a plain file name is needed/],
    [
      'the manifest among its files',
      () => files({ 'manifest.json': { sha256: hash, bytes: 1 } }),
      /files with the name "manifest\.json"/,
    ],
    [
      'a hash of the wrong length',
      () => files({ 'items.json': { sha256: 'ab', bytes: 1 } }),
      /files\["items\.json"\]\.sha256 must be 64 .* got "ab"/,
    ],
    [
      'a negative length',
      () => files({ 'items.json': { sha256: hash, bytes: -1 } }),
      /files\["items\.json"\]\.bytes must be a whole number from 0, got -1/,
    ],
    [
      'items that are not a list',
      () => replaceFile(folder, 'items.json', '{}'),
      /^items\.json must be a list of item ids, got {}/,
    ],
    [
      'one item too few',
      () => replaceFile(folder, 'items.json', JSON.stringify(ODD_IDS.slice(1))),
      /^items\.json has 10 items, manifest\.json says 11/,
    ],
    [
      'an id that is a number',
      () => replaceFile(folder, 'items.json', JSON.stringify([1, ...ODD_IDS.slice(1)])),
      /^items\.json has 1 at position 0; every item id is text/,
    ],
    [
      'an id twice',
      () => replaceFile(folder, 'items.json', JSON.stringify(['b,c', ...ODD_IDS.slice(1)])),
      /^items\.json has the id "b,c" twice, at positions 0 and 1/,
    ],
    [
      'aliases that the manifest does not list',
      () => editManifest(folder, (manifest) => void Object.assign(manifest, { aliases: 'aliases.json' })),
      /field aliases must be "aliases\.json", a file in files, got "aliases\.json"/,
    ],
    [
      'aliases in another file',
      () => editManifest(folder, (manifest) => void Object.assign(manifest, { aliases: 'catalogue.json' })),
      /field aliases must be "aliases\.json", a file in files, got "catalogue\.json"/,
    ],
    ['aliases that are a list', () => aliased('[]'), /^aliases\.json must be an object with the ids of items/],
    ['an item without an object', () => aliased('{"a":["b"]}'), /field item "a" must be a JSON object/],
    [
      'an alias that is a number',
      () => aliased('{"a":{"also":[7]}}'),
      /field item "a": also must be at most 10000 texts/,
    ],
    [
      'an alias of 2 kB',
      () => aliased(JSON.stringify({ a: { also: ['x'.repeat(2000)] } })),
      /item "a": also must be at most 10000 texts of 1 to 1000 characters/,
    ],
    ['an empty group', () => aliased('{"a":{"group":""}}'), /field item "a": group must be a text of 1 to 1000/],
    [
      'a catalogue that is not a list',
      () => replaceFile(folder, 'catalogue.json', '{}'),
      /^catalogue\.json must be a list of products/,
    ],
    [
      'a product without id',
      () => replaceFile(folder, 'catalogue.json', '[{}]'),
      /^catalogue\.json: field product 0: id must be text/,
    ],
    [
      'a product twice',
      () => replaceFile(folder, 'catalogue.json', '[{"id":"a"},{"id":"a"}]'),
      /^catalogue\.json has the id "a" twice/,
    ],
    [
      'a price of text',
      () => replaceFile(folder, 'catalogue.json', '[{"id":"a","price":"3"}]'),
      /product "a": price must be a number from 0, got "3"/,
    ],
    [
      'a category of text',
      () => replaceFile(folder, 'catalogue.json', '[{"id":"a","category":"x"}]'),
      /category must be a list of texts/,
    ],
    [
      'features of lists',
      () => replaceFile(folder, 'catalogue.json', '[{"id":"a","features":{"x":[]}}]'),
      /features must be numbers or texts by name/,
    ],
    [
      'a title of 100,001 characters',
      () => replaceFile(folder, 'catalogue.json', `[{"id":"a","title":"${'y'.repeat(100_001)}"}]`),
      /product "a": title must be text, at most 100000 characters, got "yyy/,
    ],
    [
      'features of 100,001 characters',
      () => replaceFile(folder, 'catalogue.json', `[{"id":"a","features":{"x":"${'y'.repeat(100_000)}"}}]`),
      /features must be numbers or texts by name, at most 100000 characters/,
    ],
    [
      'weights that are not safetensors',
      () => replaceFile(folder, 'weights.safetensors', 'PK'),
      /^weights\.safetensors is 2 bytes long/,
    ],
    ['no support', () => weights({ 'catalogue.support': undefined }), /tensor "catalogue\.support" is missing/],
    [
      'a support of floats',
      () => weights({ 'catalogue.support': floats(n + 1) }),
      /"catalogue\.support" must be int32 \[12\] for 11 items, got float32 \[12\]/,
    ],
    [
      'a support of another vocabulary',
      () => weights({ 'catalogue.support': { data: new Int32Array(n), shape: [n] } }),
      /must be int32 \[12\] for 11 items, got int32 \[11\]/,
    ],
    [
      'a negative support',
      () => weights({ 'catalogue.support': { data: new Int32Array(n + 1).fill(-1, 2), shape: [n + 1] } }),
      /"catalogue\.support" holds -1 at index 2/,
    ],
    [
      'an item table with too few rows',
      () => weights({ items: floats(n, 16) }),
      /tensor "items" has 11 rows, but 11 items need 12/,
    ],
    ['an item table of another vocabulary', () => weights({ items: floats(100, 16) }), /tensor "items" has 100 rows/],
    ['an item bias of another vocabulary', () => weights({ bias: floats(n) }), /tensor "bias" has 11 rows/],
    [
      'one-hot rows of another vocabulary',
      () => weights({ 'gru.0.items': floats(3, 48) }),
      /tensor "gru\.0\.items" has 3 rows/,
    ],
    ...(
      [
        ['without their starts', [1, 2, 3], undefined],
        ['without clicks', undefined, [0, 2]],
        ['of an unknown item', [1, n + 1], [0, 2]],
        ['of padding', [1, 0], [0, 2]],
        ['of one click', [1, 2, 3], [0, 1, 3]],
        ['that end too early', [1, 2, 3], [0, 2]],
        ['that begin too late', [1, 2, 3], [1, 3]],
        ['without a start', [], []],
        ['that run backwards', [1, 2, 3, 4], [0, 6, 4]],
      ] as const
    ).map(([what, replay, offsets]): [string, () => Promise<Folder>, RegExp] => [
      `sessions ${what}`,
      () =>
        weights({ 'catalogue.replay': replay && ints(replay), 'catalogue.replay-offsets': offsets && ints(offsets) }),
      /the sessions in "catalogue\.replay" are damaged/,
    ]),
  ])('%s', async (_, build, message) => {
    const opening = openArtifact(reader(await build()));
    await expect(opening).rejects.toMatchObject({ name: 'RecommenderError', code: 'bad-artifact' });
    await expect(opening).rejects.toThrow(message);
  });

  test('a file that cannot be read, and passes on the reader’s own errors', async () => {
    const failing = (error: Error) => openArtifact(() => Promise.reject(error));
    await expect(failing(new Error('connection reset'))).rejects.toThrow(
      /^manifest\.json could not be read \(connection reset\)/,
    );
    await expect(failing(new DOMException('stop', 'AbortError'))).rejects.toMatchObject({ name: 'AbortError' });
  });
});

describe('an artifact with any change', () => {
  /** Opens, or refuses with an error of our own: never anything else. */
  async function opens(changed: Folder): Promise<boolean> {
    try {
      await openArtifact(reader(changed));
      return true;
    } catch (error) {
      expect(error).toBeInstanceOf(RecommenderError);
      return false;
    }
  }
  const names = [...folder.keys()];

  test('of one byte is refused, except where the manifest says nothing that could be checked', PATIENT, async () => {
    const change = fc.record({ name: fc.constantFrom(...names), at: fc.nat(), bit: fc.nat(7) });
    await fc.assert(
      fc.asyncProperty(change, async ({ name, at, bit }) => {
        const bytes = folder.get(name)!.slice();
        bytes[at % bytes.length]! ^= 1 << bit;
        const opened = await opens(new Map(folder).set(name, bytes));
        if (name !== 'manifest.json') expect(opened).toBe(false);
      }),
      { seed: 1, numRuns: runs(500) },
    );
  });

  test('of a field of the manifest opens or is refused, but does not fail in another way', PATIENT, async () => {
    const paths = [...pathsOf(JSON.parse(new TextDecoder().decode(folder.get('manifest.json'))))];
    const value = fc.jsonValue({ maxDepth: 2 });
    await fc.assert(
      fc.asyncProperty(fc.constantFrom(...paths), value, async (path, value) => {
        const edited = editManifest(folder, (manifest) => {
          let at = manifest as Record<string, never>;
          for (const key of path.slice(0, -1)) at = at[key]!;
          Object.assign(at, { [path.at(-1)!]: value });
        });
        await opens(edited);
      }),
      { seed: 2, numRuns: runs(500) },
    );
  });

  test(
    'behind hashes that were made to fit opens or is refused, but does not fail in another way',
    PATIENT,
    async () => {
      const change = fc.record({
        name: fc.constantFrom('weights.safetensors', 'items.json', 'catalogue.json'),
        edits: fc.array(fc.tuple(fc.nat(), fc.nat(255)), { minLength: 1, maxLength: 3 }),
        length: fc.option(fc.nat(3000)),
      });
      await fc.assert(
        fc.asyncProperty(change, async ({ name, edits, length }) => {
          const bytes = folder.get(name)!.slice(0, length ?? undefined);
          for (const [at, byte] of edits) if (bytes.length > 0) bytes[at % Math.min(bytes.length, 600)] = byte;
          await opens(await replaceFile(folder, name, bytes));
        }),
        { seed: 3, numRuns: runs(500) },
      );
    },
  );
});

function* pathsOf(value: unknown, path: string[] = []): Generator<string[]> {
  if (path.length > 0) yield path;
  if (typeof value !== 'object' || value === null) return;
  for (const [key, child] of Object.entries(value)) yield* pathsOf(child, [...path, key]);
}

describe('packArtifact refuses', () => {
  const { info, itemIds, tensors } = artifact;

  test('what openArtifact would refuse', async () => {
    await expect(packArtifact({ ...artifact, itemIds: itemIds.slice(1) })).rejects.toThrow(/items\.json has 10 items/);
    await expect(packArtifact({ ...artifact, info: { ...info, name: '' } })).rejects.toThrow(/field name must be text/);
    const modelCard = 'x'.repeat(16 * 1024 * 1024);
    await expect(packArtifact({ ...artifact, info: { ...info, modelCard } })).rejects.toThrow(/shorten the model card/);
    await expect(packArtifact({ ...artifact, tensors: {} })).rejects.toThrow(/"catalogue\.support" is missing/);
  });

  test('weights that are not finite', async () => {
    const diverged = { ...tensors, bias: { data: new Float32Array(n + 1).fill(Number.NaN, 3), shape: [n + 1] } };
    const packing = packArtifact({ ...artifact, tensors: diverged });
    await expect(packing).rejects.toMatchObject({ code: 'diverged' });
    await expect(packing).rejects.toThrow(/Tensor "bias" holds NaN at position 3/);
  });

  test('an unknown precision, and a name that a scale needs', async () => {
    await expect(packArtifact(artifact, { precision: 'f8' as 'f16' })).rejects.toThrow(RangeError);
    const taken = { ...tensors, 'items.scale': floats(1) };
    await expect(packArtifact({ ...artifact, tensors: taken }, { precision: 'int8' })).rejects.toThrow(RangeError);
  });
});
