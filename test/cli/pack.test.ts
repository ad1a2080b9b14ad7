import { readFile, stat, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import type { Artifact } from '../../src/checkpoint/artifact';
import { readSafetensors } from '../../src/checkpoint/safetensors';
import { readArtifactFolder, writeArtifactFolder } from '../../src/pipeline/files/artifact-folder';
import type { Progress } from '../../src/pipeline/observer';
import { pack } from '../../src/pipeline/pack';
import { IDS, smallModel } from '../engine/fixture';
import { SMALL } from '../engine/parity';
import { aisle, file, folder } from './program';
import { RING_LOG, SMALL as RING_SMALL } from './ring-log';

const catalogue = IDS.map((id) => ({ id, title: `Product ${id}` }));
const aliases = new Map(IDS.map((id, k) => [id, { also: [`other-${k}`] }]));
let model: Artifact;
beforeAll(async () => {
  model = await smallModel({ catalogue, aliases });
});

async function written(artifact: Artifact): Promise<string> {
  const dir = join(await folder(), 'model');
  await writeArtifactFolder(dir, artifact);
  return dir;
}

async function packed(artifact: Artifact, ...flags: string[]) {
  const dir = await written(artifact);
  const out = join(dir, '../packed');
  const outcome = await aisle('pack', '--artifact', dir, '--out', out, ...flags);
  return { ...outcome, dir, out, stderr: outcome.stderr.replaceAll(dir, 'model') };
}

async function read(out: string) {
  const { tensors } = readSafetensors(await readFile(join(out, 'weights.safetensors')), 'weights.safetensors');
  return { artifact: await readArtifactFolder(out), types: (name: string) => tensors.get(name)?.dtype };
}

describe.each([
  ['f32', 'F32'],
  ['f16', 'F16'],
  ['int8', 'I8'],
] as const)('aisle pack --precision %s', (precision, type) => {
  test.each(Object.keys(SMALL))('packs %s, whose golden answer is that of the new weights', async (architecture) => {
    const given = await smallModel({ architecture, config: { ...SMALL[architecture] } });
    const { code, stdout, stderr, dir, out } = await packed(given, '--precision', precision, '--json');
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    const { top, items } = JSON.parse(stdout);
    expect(items).toEqual({ before: IDS.length, after: IDS.length });
    expect(top.of).toBe(20);
    expect(top.stay).toBeGreaterThan(precision === 'int8' ? 15 : 18);
    const { artifact, types } = await read(out);
    expect(types('items')).toBe(type);
    expect(artifact.plan).toBeDefined();
    const [before, after] = await Promise.all([dir, out].map((folder) => stat(join(folder, 'weights.safetensors'))));
    if (precision !== 'f32') expect(after!.size).toBeLessThan(0.7 * before!.size);
    // It is checked as the model is loaded.
    const session = artifact.info.golden.session.map((index) => artifact.itemIds[index - 1]!);
    const { stdout: answer } = await aisle('recommend', '--artifact', out, '--item', ...session, '--json', '--k', '60');
    const scores = new Map(
      JSON.parse(answer).items.map((item: { itemId: string; score: number }) => [item.itemId, item.score]),
    );
    const [best] = artifact.info.golden.top.filter(({ index }) => scores.has(artifact.itemIds[index - 1]!));
    expect(scores.get(artifact.itemIds[best!.index - 1]!)).toBeCloseTo(best!.score, 4);
  });
});

test.each(['gru4rec', 'sasrec'])(
  'aisle pack --precision pq makes a byte of four numbers of an item, of %s',
  async (architecture) => {
    const itemIds = Array.from({ length: 2100 }, (_, k) => `item-${k}`);
    const config = architecture === 'gru4rec' ? { layers: '32' } : { hiddenUnits: 32, numBlocks: 1, maxlen: 5 };
    const given = await smallModel({ architecture, config, itemIds });
    const { code, stdout, stderr, dir, out } = await packed(given, '--precision', 'pq', '--json');
    expect({ code, stderr }).toEqual({ code: 0, stderr: expect.stringMatching(/^(Quantising .*\n)*$/) });
    expect(JSON.parse(stdout)).toMatchObject({
      precision: 'pq',
      items: { before: 2100, after: 2100 },
      top: { of: 20 },
    });
    const { artifact, types } = await read(out);
    expect([types('items'), types('items.centroids')]).toEqual(['U8', 'F16']);
    if (architecture === 'gru4rec') expect(types('bias')).toBe('F16');
    const sizes = await Promise.all(
      [dir, out].map(async (folder) => (await stat(join(folder, 'weights.safetensors'))).size),
    );
    expect(sizes[1]).toBeLessThan(0.2 * sizes[0]!);
    // Every backend reads the codes, and a plan was compiled of what they stand for.
    const answers = await Promise.all(
      ['plan', 'wasm', 'cpu'].map(async (backend) => {
        const { stdout } = await aisle(
          'recommend',
          '--artifact',
          out,
          '--item',
          'item-7',
          '--json',
          '--backend',
          backend,
        );
        return JSON.parse(stdout).items as { itemId: string; score: number }[];
      }),
    );
    expect(artifact.plan).toBeDefined();
    for (const items of answers) {
      expect(items.map(({ itemId }) => itemId)).toEqual(answers[0]!.map(({ itemId }) => itemId));
      for (const [i, { score }] of items.entries()) expect(score).toBeCloseTo(answers[0]![i]!.score, 4);
    }
  },
);

describe('aisle train --from an artifact of codes', () => {
  const itemIds = Array.from({ length: 2100 }, (_, k) => `item-${k}`);
  const log = (ids: readonly string[]) =>
    `session_id,item_id,timestamp\n${ids.map((id, k) => `s${k >> 2},${id},${1_700_000_000 + k}\n`).join('')}`;
  const trainFrom = async (codes: string, ids: readonly string[]) => {
    const out = join(await folder(), 'model');
    const data = await file('events.csv', log(ids));
    const flags = ['--data', data, '--model', 'sasrec', '--from', codes, '--epochs', '2', '--out', out];
    const outcome = await aisle('train', ...flags);
    const stderr = outcome.stderr.replaceAll(codes, 'codes');
    return { code: outcome.code, stderr, ...(outcome.code === 0 && (await read(out))), out };
  };
  const codesOf = async (dir: string) => {
    const { tensors } = readSafetensors(await readFile(join(dir, 'weights.safetensors')), 'weights.safetensors');
    return { codes: tensors.get('items')!.bytes, centroids: tensors.get('items.centroids')?.bytes };
  };
  const packedCodes = async (): Promise<string> => {
    const config = { hiddenUnits: 32, numBlocks: 1, maxlen: 5 };
    const { out } = await packed(await smallModel({ architecture: 'sasrec', config, itemIds }), '--precision', 'pq');
    return out;
  };

  test('learns centroids and keeps the codes, as does packing what it wrote', async () => {
    const codes = await packedCodes();
    const { code, stderr, types, out } = await trainFrom(codes, itemIds.slice(0, 400));
    expect({ code, stderr }).toEqual({ code: 0, stderr: expect.not.stringContaining('no room') });
    expect([types!('items'), types!('items.centroids')]).toEqual(['U8', 'F32']);
    const [before, after] = [await codesOf(codes), await codesOf(out)];
    expect(after.codes).toEqual(before.codes);
    const again = join(out, '../again');
    await pack({ artifact: out, precision: 'pq', out: again });
    const last = await codesOf(again);
    expect(last.codes).toEqual(before.codes);
    expect(last.centroids).not.toEqual(before.centroids);
    const { code: answers } = await aisle('recommend', '--artifact', again, '--item', 'item-7', '--backend', 'plan');
    expect(answers).toBe(0);
  });

  test('writes tables out where the log has items that have no codes, and says so', async () => {
    const { code, stderr, types } = await trainFrom(await packedCodes(), ['new-1', ...itemIds.slice(0, 99)]);
    expect(code).toBe(0);
    expect(stderr).toContain('1 item of the log is new to codes, whose codes have no room for more');
    expect(types!('items')).toBe('F32');
  });
});

test('aisle pack --precision pq says where no table is large enough', async () => {
  const { code, stdout, stderr, out } = await packed(model, '--precision', 'pq');
  expect(code).toBe(0);
  expect(stderr).toContain(
    'no table has 2,048 rows of 8 numbers, the least that pq quantises: all weights are halves, as with f16.',
  );
  expect(stdout).toContain('Weights as f16, ');
  const { modelCard, training } = (await readArtifactFolder(out)).info;
  expect(modelCard).toContain('with weights as f16.');
  expect(training['packed']).toMatchObject({ precision: 'f16', command: expect.stringContaining('--precision pq') });
});

test('quantising says how far it is, and stops', async () => {
  const itemIds = Array.from({ length: 2100 }, (_, k) => `item-${k}`);
  const dir = await written(await smallModel({ config: { layers: '8' }, itemIds }));
  const request = { artifact: dir, precision: 'pq', out: join(dir, '../packed') } as const;
  const reports: Progress[] = [];
  await pack({ ...request, onProgress: (progress) => reports.push(progress) });
  const quantising = reports.filter(({ label }) => label === 'Quantising');
  const done = quantising.map(({ done }) => done);
  expect(done).toEqual([...done].sort((a, b) => a - b));
  expect([done[0], quantising.at(-1)]).toMatchObject([0, { done: 2100, total: 2100, unit: 'items', isFinished: true }]);
  const stop = new AbortController();
  const stopped = pack({
    ...request,
    out: join(dir, '../stopped'),
    signal: stop.signal,
    onProgress: ({ label, done }) => {
      if (label === 'Quantising' && done > 1000) stop.abort();
    },
  });
  await expect(stopped).rejects.toMatchObject({ code: 'aborted' });
  await expect(stat(join(dir, '../stopped'))).rejects.toMatchObject({ code: 'ENOENT' });
});

test('the text says what became smaller, and how much of the best stayed', async () => {
  const { code, stdout, dir, out } = await packed(model, '--precision', 'int8');
  expect(code).toBe(0);
  expect(stdout).toMatch(
    /^Weights as int8, all 60 items: [\d,]+ bytes, \d\d % of [\d,]+\.\nOf the best 20 items of the golden session \d+ stay/,
  );
  expect(stdout).toContain(`Written to ${out}.`);
  const [before, after] = [await readArtifactFolder(dir), await readArtifactFolder(out)];
  expect(after.info.golden.top).not.toEqual(before.info.golden.top);
  expect(after.catalogue).toEqual(before.catalogue);
  expect(after.aliases).toEqual(before.aliases);
});

test('the same artifact gives the same bytes, and each precision a version of its own', async () => {
  const versions = new Set<string>();
  for (const precision of ['f32', 'f16', 'int8']) {
    const [a, b] = [await packed(model, '--precision', precision), await packed(model, '--precision', precision)];
    for (const name of ['manifest.json', 'weights.safetensors', 'items.json'])
      expect(await readFile(join(a.out, name))).toEqual(await readFile(join(b.out, name)));
    versions.add((await readArtifactFolder(a.out)).info.version);
  }
  expect(versions.size).toBe(3);
});

describe('--top-items', () => {
  test('keeps the items with most events, and says so in the artifact', async () => {
    const { code, stdout, out } = await packed(model, '--precision', 'f32', '--top-items', '20');
    expect(code).toBe(0);
    expect(stdout).toContain('Weights as f32, 20 of 60 items: ');
    const { artifact } = await read(out);
    const support = model.tensors['catalogue.support']!.data;
    const least = [...support].sort((a, b) => b - a)[19]!;
    const kept = IDS.filter((_, k) => support[k + 1]! >= least);
    expect(artifact.itemIds).toEqual(kept);
    expect(artifact.catalogue!.map(({ id }) => id)).toEqual(kept);
    expect([...artifact.aliases!.keys()]).toEqual(kept);
    expect(artifact.info.training['packed']).toMatchObject({
      from: { name: 'small gru4rec', version: '1.0.0', items: 60 },
      precision: 'f32',
      items: 20,
      command: 'aisle pack --artifact model --precision f32 --top-items 20 --out packed',
    });
    expect(artifact.info.modelCard).toContain('Of its 60 items, the 20 with most events in the log are left');
    const { stdout: answer } = await aisle('recommend', '--artifact', out, '--item', kept[3]!, '--k', '60', '--json');
    for (const { itemId } of JSON.parse(answer).items) expect(kept).toContain(itemId);
  });

  test('answers a golden session without the items that go, or with the item that was clicked most', async () => {
    const support = Int32Array.from({ length: 61 }, (_, i) => (i === 0 ? 0 : i));
    const tensors = { ...model.tensors, 'catalogue.support': { data: support, shape: [61] } };
    for (const [session, left] of [
      [
        [1, 59, 2, 60, 59],
        [2, 3, 2],
      ],
      [[1, 2], [3]],
    ]) {
      const golden = { ...model.info.golden, session: session! };
      const { out } = await packed(
        { ...model, info: { ...model.info, golden }, tensors },
        '--precision',
        'int8',
        '--top-items',
        '3',
      );
      expect((await readArtifactFolder(out)).info.golden.session).toEqual(left);
    }
  });

  test('of more items than there are keeps all, and says so', async () => {
    const { code, stdout, stderr } = await packed(model, '--precision', 'f16', '--top-items', '61');
    expect(code).toBe(0);
    expect(stdout).toContain('all 60 items');
    expect(stderr).toBe('All 60 items stay: model has no more than 61.\n');
  });
});

describe('--mix', () => {
  const trained = async (model: string, data: string) => {
    const dir = join(await folder(), model);
    const flags = RING_SMALL[model] ?? [];
    expect((await aisle('train', '--data', data, '--model', model, '--out', dir, ...flags)).code).toBe(0);
    return dir;
  };

  test('puts a counting model inside a network, which then answers as both do', async () => {
    const data = await file('events.csv', RING_LOG);
    const [network, counter] = [await trained('gru4rec', data), await trained('v-sknn', data)];
    const out = join(network, '../mixed');
    const flags = ['--precision', 'f32', '--mix', `${counter}:0.9`];
    const { code, stderr } = await aisle('pack', '--artifact', network, '--out', out, ...flags);
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    const metrics = async (...artifacts: string[]) => {
      const { stdout } = await aisle('evaluate', '--data', data, '--json', ...artifacts);
      return JSON.parse(stdout).metrics;
    };
    const both = await metrics('--artifact', network, '--mix', `${counter}:0.9`);
    expect(both).not.toEqual(await metrics('--artifact', network));
    expect(both).not.toEqual(await metrics('--artifact', network, '--mix', `${counter}:0.3`));
    for (const backend of ['auto', 'plan']) {
      expect(await metrics('--artifact', out, '--backend', backend)).toEqual(both);
    }
    const { info } = await readArtifactFolder(out);
    expect(info.mix).toMatchObject({ architecture: 'v-sknn', share: 0.9 });
    expect(info.training['packed']).toMatchObject({
      mixed: { name: 'v-sknn', architecture: 'v-sknn', share: 0.9 },
      command: 'aisle pack --artifact gru4rec --precision f32 --mix v-sknn:0.9 --out mixed',
    });
    expect(info.modelCard).toMatch(/A share of 0.9 of the probabilities is counted by v-sknn /);
    expect(info.modelCard).toContain('60 sessions of the log are inside, as lists of items with times');
    expect(info.modelCard).not.toContain('No personal data is inside');
    const inspected = await aisle('inspect', out);
    expect(inspected.stdout).toContain('architecture gru4rec, with "v-sknn" inside, share 0.9\n');
    const incrementally = await aisle('evaluate', '--artifact', out, '--data', data, '--protocol', 'incremental');
    expect(incrementally).toMatchObject({ code: 2, stderr: expect.stringContaining('mixes both. Name the network') });
    const less = join(network, '../mixed-less', 'mixed');
    const lessFlags = ['--precision', 'f32', '--mix', `${counter}:0.3`];
    expect((await aisle('pack', '--artifact', network, '--out', less, ...lessFlags)).code).toBe(0);
    expect((await readArtifactFolder(less)).info.version).not.toBe(info.version);
    const again = join(network, '../again');
    expect((await aisle('pack', '--artifact', out, '--out', again, '--precision', 'int8')).code).toBe(0);
    expect((await readArtifactFolder(again)).info).toMatchObject({
      mix: info.mix,
      training: { packed: { precision: 'int8', mixed: { name: 'v-sknn' } } },
    });
    const next = join(network, '../next');
    const more = ['--data', data, '--model', 'gru4rec', '--from', out, '--epochs', '1'];
    const further = await aisle('train', ...more, '--out', next);
    expect({ code: further.code, said: further.stderr }).toMatchObject({
      code: 0,
      said: expect.stringContaining('what it counts by v-sknn is left out'),
    });
    expect((await readArtifactFolder(next)).info.mix).toBeUndefined();
    for (const [argv, message] of [
      [['--artifact', out, '--mix', `${counter}:0.3`], 'has v-sknn inside; begin with the network'],
      [['--artifact', out, '--top-items', '5'], '--top-items: a model that counts keeps all'],
      [['--artifact', network, '--mix', `${counter}:0.3`, '--top-items', '5'], '--mix: a model that counts keeps all'],
      [['--artifact', network, '--mix', `${network}:0.3`], 'is a network (gru4rec); only a model that counts'],
      [['--artifact', counter, '--mix', `${counter}:0.3`], 'counts itself (v-sknn)'],
      [['--artifact', network, '--mix', `${counter}:0.1,0.2`], 'one share above 0 and below 1 is needed'],
      [['--artifact', network, '--mix', `${counter}:1`], 'one share above 0 and below 1 is needed'],
      [['--artifact', network, '--mix', counter], 'Expected DIR:WEIGHT'],
      [['--artifact', network, '--mix', `${counter}-gone:0.3`], 'is not a folder'],
    ] as const) {
      const refused = await aisle('pack', ...argv, '--precision', 'f32', '--out', join(network, '../refused'));
      expect(refused).toMatchObject({ code: 2, stdout: '', stderr: expect.stringContaining(message) });
    }
  });

  test('of other items is refused', async () => {
    const other = await smallModel({ architecture: 'pop', itemIds: [...IDS].reverse() });
    const { code, stderr } = await packed(model, '--precision', 'f32', '--mix', `${await written(other)}:0.2`);
    expect({ code, stderr }).toEqual({ code: 2, stderr: expect.stringContaining('ranks other items than') });
  });

  test('into a network that does not say what turns its scores into probabilities is refused', async () => {
    const unscaled = await smallModel({ config: { layers: '48', loss: 'bpr-max' }, scale: 'unknown' });
    const counter = await written(await smallModel({ architecture: 'pop' }));
    const { code, stderr } = await packed(unscaled, '--precision', 'f32', '--mix', `${counter}:0.2`);
    expect({ code, stderr }).toEqual({
      code: 2,
      stderr: expect.stringContaining('turns its scores into probabilities'),
    });
  });
});

describe('what a training has written', () => {
  test('is packed with its pairs, trends and card, and evaluates', async () => {
    const data = await file('events.csv', RING_LOG);
    const dir = join(await folder(), 'ring');
    const out = join(dir, '../small');
    const set = ['--preset', 'none', '--set', 'layers=8', '--set', 'batchSize=8', '--epochs', '2', '--replay', '20'];
    expect((await aisle('train', '--data', data, '--model', 'gru4rec', '--out', dir, ...set)).code).toBe(0);
    const flags = ['--precision', 'int8', '--top-items', '10'];
    expect((await aisle('pack', '--artifact', dir, '--out', out, ...flags)).code).toBe(0);
    const { info, strategies } = await readArtifactFolder(out);
    expect(strategies!.trending).toBeDefined();
    expect(info.training).toMatchObject({ data: { items: 12 }, packed: { items: 10 } });
    expect(info.modelCard).toMatch(new RegExp(`^# small ${info.version}\n\nRanks the next item`));
    expect(info.modelCard).toContain('## Packed\nFrom ring ');
    expect((await aisle('evaluate', '--artifact', out, '--data', data)).code).toBe(0);
  });

  test('of a counting model keeps its items', async () => {
    const counted = await smallModel({ architecture: 'pop' });
    expect((await packed(counted, '--precision', 'f16')).code).toBe(0);
    const { code, stderr } = await packed(counted, '--precision', 'f16', '--top-items', '10');
    expect({ code, stderr }).toEqual({
      code: 2,
      stderr: 'aisle: --top-items: pop counts its log once; train it again with --min-support, or leave it out.\n',
    });
  });
});

describe('refused:', () => {
  test.each([
    ['a precision that is not there', ['--precision', 'int4'], 'Expected f32 or f16 or int8 or pq.'],
    ['no precision', [], "required option '--precision <name>' not specified"],
    ['one item', ['--precision', 'f16', '--top-items', '1'], 'Expected a whole number of 2 or more.'],
  ])('%s', async (_, flags, message) => {
    const { code, stdout, stderr } = await packed(model, ...flags);
    expect({ code, stdout, stderr }).toEqual({ code: 2, stdout: '', stderr: expect.stringContaining(message) });
  });

  test('a model that does not know how often its items were clicked', async () => {
    const tensors = { ...model.tensors, 'catalogue.support': { data: new Int32Array(61), shape: [61] } };
    const { code, stderr } = await packed({ ...model, tensors }, '--precision', 'f16', '--top-items', '5');
    expect({ code, stderr }).toEqual({
      code: 2,
      stderr: expect.stringContaining('model does not say how often its items were clicked'),
    });
  });

  test('the artifact itself, and a folder with other files, which stay as they are', async () => {
    const dir = await written(model);
    const own = await aisle('pack', '--artifact', dir, '--out', `${dir}/`, '--precision', 'int8');
    expect(own).toMatchObject({ code: 2, stderr: expect.stringContaining('name another folder') });
    const link = join(await folder(), 'link');
    await symlink(dir, link);
    const linked = await aisle('pack', '--artifact', link, '--out', dir, '--precision', 'int8');
    expect(linked).toMatchObject({ code: 2, stderr: expect.stringContaining('name another folder') });
    const other = await folder();
    await writeFile(join(other, 'notes.txt'), 'mine');
    const foreign = await aisle('pack', '--artifact', dir, '--out', other, '--precision', 'int8');
    expect(foreign).toMatchObject({ code: 2, stderr: expect.stringContaining('holds "notes.txt"') });
    expect((await readArtifactFolder(dir)).info.golden).toEqual(model.info.golden);
  });
});
