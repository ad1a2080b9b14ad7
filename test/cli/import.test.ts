import { readFileSync } from 'node:fs';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { decodeSafetensors } from '../../src/checkpoint/decode-safetensors';
import { type Precision, packTensors } from '../../src/checkpoint/pack-tensors';
import { encodeSafetensors, writeSafetensors } from '../../src/checkpoint/write-safetensors';
import type { NdArray } from '../../src/types';
import { GOLDEN as FOLDER } from '../shared';
import { architectureOf, IDS, mapOf, REFERENCES, weightsOf } from './foreign-weights';
import { aisle, file, folder } from './program';

function notFinite(): Record<string, NdArray> {
  const weights = weightsOf('srgnn');
  weights['gnn.w_hh']!.data[3] = Number.NaN;
  return weights;
}

interface Given {
  readonly weights?: Record<string, NdArray>;
  readonly config?: unknown;
  readonly items?: string;
  readonly argv?: readonly string[];
  readonly precision?: Precision;
}

async function importFrom(from: string, given: Given = {}) {
  const {
    weights = weightsOf(from),
    config = REFERENCES[from],
    items = JSON.stringify(IDS),
    argv = [],
    precision = 'f32',
  } = given;
  const dir = await folder();
  const path = (name: string) => join(dir, name);
  await writeFile(
    path('w.safetensors'),
    precision === 'f32' ? encodeSafetensors(weights) : writeSafetensors(await packTensors(weights, precision)),
  );
  await writeFile(path('config.json'), JSON.stringify(config));
  await writeFile(path('items.txt'), items);
  const files = ['--weights', path('w.safetensors'), '--config', path('config.json'), '--items', path('items.txt')];
  const outcome = await aisle('import', '--from', from, ...files, '--out', path('model'), ...argv);
  return { ...outcome, out: path('model'), stderr: outcome.stderr.replaceAll(`${dir}/`, '') };
}

test('a log gives imported weights their scale and what is popular, and another one of none of their items is refused', async () => {
  const dir = await folder();
  const visits = join(dir, 'visits.csv');
  const rows = Array.from({ length: 40 }, (_, k) => `s${k >> 1},${k % 2 ? 'g' : 'e'},${k}`);
  await writeFile(visits, `session_id,item_id,timestamp\n${rows.join('\n')}\n`);
  const weights = weightsOf('sasrec');
  const { code, stdout, stderr, out } = await importFrom('sasrec', { weights, argv: ['--data', visits, '--json'] });
  expect(code).toBe(0);
  const manifest = JSON.parse(await readFile(join(out, 'manifest.json'), 'utf8'));
  expect(manifest.scale).toBe(JSON.parse(stdout).scale);
  expect(manifest.scale > 0 || stderr.includes('no better than by chance')).toBe(true);
  expect(manifest.training.command).toContain('--data visits.csv');
  expect(stderr).not.toContain('visitors without a click');
  const first = await aisle('recommend', '--artifact', out, '--session', 'unheard', '--allow-unknown', '--json');
  const popular = { score: 20, reason: 'popular' };
  expect(JSON.parse(first.stdout).items).toEqual(['e', 'g'].map((itemId) => ({ itemId, ...popular })));
  await writeFile(visits, 'session_id,item_id,timestamp\n1,unheard,1\n1,of,2\n');
  const refused = await importFrom('sasrec', { weights, argv: ['--data', visits] });
  expect(refused).toMatchObject({ code: 2, stderr: expect.stringContaining('no session holds two items of') });
});

describe.each(Object.keys(REFERENCES))('weights of %s', (from) => {
  test('become an artifact that recommends, and says where it comes from', async () => {
    const { code, stdout, stderr, out } = await importFrom(from, { argv: ['--json'] });
    const isCalibrated = ['gru4rec', 'srgnn', 'transformers4rec'].includes(architectureOf(from)); // by its loss
    const warnings = [
      ...(isCalibrated ? [] : [expect.stringMatching(/^Warning: the model will not learn on devices, .*--data\.$/)]),
      expect.stringMatching(/^Warning: visitors without a click get no suggestions, .*--data\.$/),
      '',
    ];
    expect({ code, lines: stderr.replace(/^Not used, .*\n/, '').split('\n') }).toEqual({ code: 0, lines: warnings });
    const first = await aisle('recommend', '--artifact', out, '--session', 'unheard', '--allow-unknown', '--json');
    expect(JSON.parse(first.stdout).items).toEqual([]);
    expect(JSON.parse(stdout)).toMatchObject({ artifact: out, architecture: architectureOf(from), items: IDS.length });
    const answer = await aisle('recommend', '--artifact', out, '--item', 'b,c', '🧦', '--k', '7', '--json');
    const { items } = JSON.parse(answer.stdout);
    expect(items).toHaveLength(IDS.length);
    expect(items[0].reason).toBe('neural');
    const manifest = JSON.parse(await readFile(join(out, 'manifest.json'), 'utf8'));
    expect(manifest.training).toMatchObject({
      imported: { from, weights: 'w.safetensors' },
      command: `aisle import --from ${from} --weights w.safetensors --config config.json --items items.txt --out model`,
    });
    expect(manifest.modelCard).toContain(`trained by the reference implementation of ${from}, and imported`);
  });

  test('are refused by name where one is missing, is not used, or is transposed', async () => {
    const weights = weightsOf(from);
    const isOblong = ({ shape }: NdArray) => shape.length === 2 && shape[0] !== shape[1];
    const [first, tensor] = Object.entries(weights).find(([, array]) => isOblong(array))!;
    const { [first]: _, ...rest } = weights;
    const turned = { ...tensor, shape: [...tensor.shape].reverse() };
    const shapes = `must be float32 [${tensor.shape.join(', ')}], got float32 [${turned.shape.join(', ')}], as if transposed`;
    const messages = [
      [{ ...rest }, `w.safetensors lacks the tensor "${first}"`],
      [{ ...weights, extra: tensor }, 'w.safetensors has the tensor "extra"'],
      [{ ...weights, [first]: turned }, `w.safetensors: tensor "${first}" ${shapes}`],
    ] as const;
    for (const [given, message] of messages) {
      const { code, stderr } = await importFrom(from, { weights: given });
      expect({ code, stderr }).toEqual({ code: 2, stderr: expect.stringContaining(message) });
    }
  });

  test('of half precision are read as what they are', async () => {
    const exact = weightsOf(from);
    const { code, stderr, out } = await importFrom(from, { precision: 'f16' });
    expect({ code, stderr: code === 0 ? '' : stderr }).toEqual({ code: 0, stderr: '' });
    const { tensors } = decodeSafetensors(await readFile(join(out, 'weights.safetensors')), 'weights.safetensors');
    const sum = (arrays: readonly NdArray[]) =>
      arrays.flatMap(({ data }) => Array.from(data, Math.abs)).reduce((total, x) => total + x, 0);
    const { map } = mapOf(from);
    const used = Object.entries(exact).flatMap(([name, array]) => (map.unused?.includes(name) ? [] : [array]));
    const floats = Object.values(tensors).filter(({ data }) => data instanceof Float32Array);
    expect(sum(floats)).not.toBe(sum(used));
    expect(Math.abs(sum(floats) / sum(used) - 1)).toBeLessThan(1e-3);
  });

  test.each(Object.keys(REFERENCES).filter((other) => other !== from))(
    'are not taken for those of %s',
    async (other) => {
      const { code, stdout, stderr } = await importFrom(other, { weights: weightsOf(from) });
      expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
      expect(stderr).toMatch(
        /^aisle: w\.safetensors(: tensor ".*" must be| lacks the tensor ".*", expected) float32 \[.*\].* Export weights and/,
      );
    },
  );
});

describe('import', () => {
  test('tells a name that nobody has before files that are missing', async () => {
    const files = ['--weights', 'no.safetensors', '--config', 'no.json', '--items', 'no.txt', '--out', 'model'];
    const { code, stderr } = await aisle('import', '--from', 'sasrecs', ...files);
    expect({ code, stderr }).toEqual({
      code: 2,
      stderr: expect.stringContaining('No reference implementation is called "sasrecs"; the nearest is "sasrec"'),
    });
  });

  test('ends with a command to copy, whatever the folder is called', async () => {
    const odd = join(await folder(), 'my model');
    const { stdout } = await importFrom('gru4rec', { argv: ['--out', odd] });
    expect(stdout).toContain(`Try it:  aisle recommend --artifact '${odd}' --item ID\n`);
  });

  test('refuses flags that say how a log is read, without one', async () => {
    const { code, stderr } = await importFrom('sasrec', { argv: ['--min-support', '5'] });
    expect({ code, stderr }).toEqual({
      code: 2,
      stderr: 'aisle: --min-support does not go without --data. Leave it out.\n',
    });
  });

  test('reads ids line by line, and tensors behind a prefix', async () => {
    const weights = Object.entries(weightsOf('srgnn')).map(([name, array]) => [`model.${name}`, array]);
    const { code, stderr, stdout } = await importFrom('srgnn', {
      weights: Object.fromEntries(weights),
      items: `${IDS.join('\r\n')}\r\n`,
      argv: ['--prefix', 'model.'],
    });
    expect(code).toBe(0);
    expect(stdout).toContain('Imported 20 tensors of srgnn with 7 items as srgnn.');
    expect(stderr).toContain(
      'Not used, since srgnn itself never reads them: linear_transform.weight, linear_transform.bias, ' +
        'gnn.linear_edge_f.weight, gnn.linear_edge_f.bias\n',
    );
  });

  test('refuses ids that are not UTF-8', async () => {
    const items = await file('items.txt', new Uint8Array([0x67, 0x72, 0xfc, 0x6e, 0x0a, 0x61, 0x0a]));
    const files = ['--weights', items, '--config', await file('config.json', '{}'), '--items', items];
    const { code, stderr } = await aisle('import', '--from', 'srgnn', ...files, '--out', join(await folder(), 'model'));
    expect({ code, stderr }).toEqual({
      code: 2,
      stderr: expect.stringContaining(`${items}: expected UTF-8, got invalid UTF-8`),
    });
  });

  test.each<[string, string, Given, string]>([
    [
      'a name that nobody has',
      'grurec',
      {},
      'No reference implementation is called "grurec"; the nearest is "gru4rec"',
    ],
    [
      'too few ids',
      'srgnn',
      { items: '["a"]' },
      'items.txt holds 1 item ids, config.json says 7 items without padding',
    ],
    ['an id twice', 'srgnn', { items: 'a\nb\na\n' }, 'items.txt: line 3: the id "a" stands at 1 already'],
    ['an empty line', 'srgnn', { items: 'a\n\nb\n' }, 'items.txt: line 2: expected an item id as text, got ""'],
    ['ids that are numbers', 'srgnn', { items: '[1, 2]' }, 'items.txt: entry 1: expected an item id as text, got 1'],
    ['a list for a configuration', 'srgnn', { config: [] }, 'config.json: expected a JSON object'],
    ['a key that is not known', 'srgnn', { config: { hidden: 4 } }, 'the key "hidden" is not known'],
    ['a value out of range', 'srgnn', { config: { hiddenSize: 0 } }, '"hiddenSize" must be a whole number from 1'],
    ['a weight that is no number', 'srgnn', { weights: notFinite() }, 'tensor "gnn.w_hh" holds NaN at position 3'],
    ['a prefix that no tensor has', 'srgnn', { argv: ['--prefix', 'net.'] }, 'no tensor\'s name starts with "net."'],
  ])('refuses %s', async (_, from, given, message) => {
    const weights = given.weights ?? weightsOf('srgnn');
    const config = given.config ?? REFERENCES[from] ?? {};
    const { code, stderr } = await importFrom(from, { ...given, weights, config });
    expect({ code, stderr }).toEqual({ code: 2, stderr: expect.stringContaining(message) });
  });
});

/** The longest session, which is as long as the model, is asked for at a position beyond it, as the library does. */
const longest = (tensors: Readonly<Record<string, NdArray>>) => ({
  session: lastRow(tensors['inputs/item_ids']!),
  scores: lastRow(tensors['outputs/infer/scores']!).slice(1),
});
const lastRow = ({ data, shape }: NdArray): number[] => Array.from(data.subarray(data.length - shape.at(-1)!));

/** A golden file, a session of it, and the scores of all items that the reference gave to it. */
const GOLDEN: readonly (readonly [
  from: string,
  file: string,
  answer: (tensors: Readonly<Record<string, NdArray>>) => { session: number[]; scores: number[] },
])[] = [
  [
    'gru4rec',
    'gru4rec-constrained',
    (tensors) => ({
      session: [tensors['inputs/steps_in_idx']!.data[0]! + 1],
      scores: row(tensors['outputs/steps_scores']!),
    }),
  ],
  [
    'sasrec',
    'sasrec-prenorm',
    (tensors) => ({ session: row(tensors['inputs/seq']!), scores: row(tensors['outputs/all_item_logits']!).slice(1) }),
  ],
  [
    'srgnn',
    'srgnn-step1',
    (tensors) => ({ session: row(tensors['inputs/sessions']!), scores: row(tensors['outputs/scores']!) }),
  ],
  [
    'caser',
    'caser-tanh-zero-user',
    (tensors) => ({
      session: row(tensors['inputs/sequences']!),
      scores: row(tensors['outputs/all_item_scores']!).slice(1),
    }),
  ],
  ...['gpt2-clm', 'transfoxl-clm', 'transfoxl-clm-causal', 'xlnet-clm-uni', 'bert-mlm', 'electra-rtd', 'xlnet-mlm'].map(
    (name) => ['transformers4rec', `t4r-${name}`, longest] as const,
  ),
];

/** The first row of the last axis. */
const row = ({ data, shape }: NdArray): number[] => Array.from(data.subarray(0, shape.at(-1)!));

test('golden weights, imported, recommend the reference’s top items', async () => {
  for (const [from, name, answer] of GOLDEN) {
    const path = join(FOLDER, `${name}.safetensors`);
    const { tensors, metadata } = decodeSafetensors(readFileSync(path), name);
    const { session, scores } = answer(tensors);
    const dir = await folder();
    await writeFile(join(dir, 'config.json'), metadata['config']!);
    await writeFile(join(dir, 'items.txt'), scores.map((_, k) => `item ${k + 1}\n`).join(''));
    const files = ['--weights', path, '--config', join(dir, 'config.json'), '--items', join(dir, 'items.txt')];
    const out = join(dir, 'model');
    expect(await aisle('import', '--from', from, ...files, '--out', out, '--prefix', 'weights/')).toMatchObject({
      code: 0,
    });
    const clicks = session.filter((item) => item !== 0).map((item) => `item ${item}`);
    const { stdout } = await aisle('recommend', '--artifact', out, '--item', ...clicks, '--k', '10', '--json');
    const expected = scores
      .map((score, k) => ({ itemId: `item ${k + 1}`, score }))
      .sort((a, b) => b.score - a.score)
      .slice(0, 10);
    const { items } = JSON.parse(stdout) as { items: { itemId: string; score: number }[] };
    expect(
      items.map(({ itemId }) => itemId),
      name,
    ).toEqual(expected.map(({ itemId }) => itemId));
    items.forEach(({ score }, i) => {
      expect(Math.abs(score - expected[i]!.score), name).toBeLessThan(1e-4);
    });
  }
});
