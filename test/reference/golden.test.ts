import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { memory } from '@tensorflow/tfjs';
import { afterAll, afterEach, beforeAll, describe, expect, test, vi } from 'vitest';
import { decodeSafetensors } from '../../src/checkpoint/decode-safetensors';
import { encodeSafetensors } from '../../src/checkpoint/write-safetensors';
import { random } from '../../src/session/random';
import type { NdArray } from '../../src/types';
import { backends, start } from '../compute/backends/start';
import { GOLDEN } from '../shared';
import { slice } from '../soak-slice';
import { main } from './golden';
import { type Computed, compare, type GoldenFile } from './golden/compare';
import { goldenFiles, runGolden, runPlan } from './golden/run';

const all = goldenFiles(GOLDEN);

const folder = mkdtempSync(join(tmpdir(), 'aisle-golden-'));
afterAll(() => rmSync(folder, { recursive: true }));

type Tensors = Record<string, NdArray>;

function write(name: string, tensors: Tensors, metadata: Record<string, string>): string {
  writeFileSync(join(folder, name), encodeSafetensors(tensors, metadata));
  return name;
}

const CONFIG = {
  n_items: 6,
  layers: [4],
  batch_size: 3,
  embedding: 0,
  constrained_embedding: true,
  loss: 'cross-entropy',
  losses: { xe: { loss: 'cross-entropy' } },
};
const REFERENCE = { reference: 'hidasib/GRU4Rec_PyTorch_Official@0', config: JSON.stringify(CONFIG) };

test('the golden files are all here', () => {
  expect(all).toHaveLength(32);
});

describe.each(backends)('on %s', (backend) => {
  beforeAll(() => start(backend));

  test.each(all)('%s is ok, every tensor compared, none left behind', async (name) => {
    const before = memory().numTensors;
    const row = await runGolden(GOLDEN, name);
    expect(row).toMatchObject({ state: 'ok', compared: row.total });
    expect(row.total).toBeGreaterThan(4);
    expect(row.worst!.error).toBeLessThanOrEqual(row.worst!.limit);
    expect(memory().numTensors).toBe(before);
  });
});

describe('the comparison', () => {
  const array = (...values: number[]): NdArray => ({ data: Float32Array.from(values), shape: [values.length] });
  const file = (tensors: Tensors): GoldenFile => ({ name: 'f', tensors, reference: 'r', config: {} });
  const state = (tensors: Tensors, computed: Computed, gpu = false) => compare(file(tensors), computed, gpu);

  test('is ok where every output is within the limit of its group', () => {
    const tensors = { 'inputs/x': array(9), 'weights/w': array(1), 'outputs/y': array(1, 2), 'loss/l': array(3) };
    const ours = { 'outputs/y': [1.000001, 2], 'loss/l': [3.00001] };
    expect(state(tensors, ours)).toMatchObject({ state: 'ok', compared: 2, total: 2 });
  });

  test.each<[string, Tensors, Computed]>([
    ['an output nobody computes', { 'outputs/y': array(1), 'outputs/z': array(2) }, { 'outputs/y': [1] }],
    ['nothing to compare', { 'inputs/x': array(1) }, {}],
    ['a value out of the limit', { 'outputs/y': array(1, 2) }, { 'outputs/y': [1, 2.0001] }],
    ['a NaN', { 'outputs/y': array(1) }, { 'outputs/y': [Number.NaN] }],
    ['another length', { 'outputs/y': array(1, 2) }, { 'outputs/y': [1] }],
    ['a loss beyond 1e-5 of it', { 'loss/l': array(0.1) }, { 'loss/l': [0.100002] }],
    ['a gradient beyond 1e-4 of it', { 'grads/w': array(1) }, { 'grads/w': [1.0002] }],
    ['a weight that did not move', { 'before/w': array(1), 'after/w': array(1.001) }, { 'after/w': [1] }],
    ['an optimiser slot', { 'opt_acc/w': array(1) }, { 'opt_acc/w': [1.001] }],
  ])('misses %s', (_, tensors, computed) => {
    expect(state(tensors, computed).state).toBe('miss');
  });

  test('forgives small gradients beside large ones, and a graphics card a hundred times more', () => {
    const tensors = { 'grads/big': array(1000), 'grads/small': array(0) };
    expect(state(tensors, { 'grads/big': [1000], 'grads/small': [5e-5] }).state).toBe('ok');
    expect(state({ 'outputs/y': array(1) }, { 'outputs/y': [1.0005] }).state).toBe('miss');
    expect(state({ 'outputs/y': array(1) }, { 'outputs/y': [1.0005] }, true).state).toBe('ok');
  });

  test('lets noisy cells be off by a thousandth of the largest number, and no others', () => {
    const tensors = { 'outputs/y': array(1, 2) };
    const first = { 'outputs/y': (cell: number) => cell === 0 };
    const noisy = (y: number[], gpu = false) => compare(file(tensors), { 'outputs/y': y }, gpu, first).state;
    expect(noisy([1.0019, 2])).toBe('ok');
    expect(noisy([1.0021, 2])).toBe('miss');
    expect(noisy([1, 2.0019])).toBe('miss');
    expect(noisy([1.009, 2], true)).toBe('ok');
    expect(noisy([1.011, 2], true)).toBe('miss');
    expect(noisy([Number.NaN, 2])).toBe('miss');
  });

  test('sees a miss behind a weight that was not to move and did not', () => {
    const tensors = { 'before/a': array(1), 'after/a': array(1), 'outputs/b': array(1) };
    expect(state(tensors, { 'after/a': [1], 'outputs/b': [1] }).state).toBe('ok');
    expect(state(tensors, { 'after/a': [1], 'outputs/b': [2] })).toMatchObject({
      state: 'miss',
      worst: { tensor: 'outputs/b' },
    });
    expect(state(tensors, { 'after/a': [1.00001], 'outputs/b': [1] })).toMatchObject({
      state: 'miss',
      worst: { tensor: 'after/a' },
    });
  });

  test('misses a reference that holds NaN, wherever it stands', () => {
    const tensors = { 'outputs/a': array(Number.NaN), 'outputs/b': array(1) };
    const ours = { 'outputs/a': [Number.NaN], 'outputs/b': [1] };
    expect(state(tensors, ours)).toMatchObject({ state: 'miss', worst: { tensor: 'outputs/a' } });
    const reversed = { 'outputs/b': array(1), 'outputs/a': array(Number.NaN) };
    expect(state(reversed, ours)).toMatchObject({ state: 'miss', worst: { tensor: 'outputs/a' } });
  });

  test('names the tensor that comes nearest to its limit, or goes furthest beyond', () => {
    const { worst } = state(
      { 'outputs/a': array(1), 'outputs/b': array(1) },
      { 'outputs/a': [1.01], 'outputs/b': [1.5] },
    );
    expect(worst).toMatchObject({ tensor: 'outputs/b', error: 0.5 });
  });
});

describe('the runner', () => {
  beforeAll(() => start('cpu'));

  test('says unknown for other references, for none, and for files that it cannot read', async () => {
    const tensors = { 'outputs/y': { data: Float32Array.of(1), shape: [1] } };
    const other = write('other.safetensors', tensors, { reference: 'somebody/else@3', config: '{}' });
    expect(await runGolden(folder, other)).toMatchObject({
      state: 'unknown',
      reason: expect.stringContaining('somebody/else@3'),
    });
    const none = write('none.safetensors', tensors, {});
    expect(await runGolden(folder, none)).toMatchObject({ state: 'unknown', reason: 'it names no reference.' });
    writeFileSync(join(folder, 'damaged.safetensors'), Buffer.from([1, 2, 3]));
    expect(await runGolden(folder, 'damaged.safetensors')).toMatchObject({ state: 'unknown' });
    writeFileSync(join(folder, 'damaged.json'), '{');
    expect(await runGolden(folder, 'damaged.json')).toMatchObject({ state: 'unknown' });
  });

  test('says miss for neighbour results without their queries', async () => {
    writeFileSync(join(folder, 'knn.json'), JSON.stringify({ reference: 'rn5l/session-rec@2' }));
    expect(await runGolden(folder, 'knn.json')).toMatchObject({ state: 'miss' });
  });

  describe('with neighbour results', () => {
    const { cases, ...rest } = JSON.parse(readFileSync(join(GOLDEN, 'knn-medium.json'), 'utf8'));
    const run = (algorithm: string, params: Record<string, unknown>) => {
      const found = cases.find((one: { algorithm: string }) => one.algorithm === algorithm);
      const changed = [{ ...found, params: { ...found.params, ...params } }];
      writeFileSync(join(folder, 'knn.json'), JSON.stringify({ ...rest, cases: changed }));
      return runGolden(folder, 'knn.json');
    };
    const always = { sampling: 'recent', extend: false, dwelling_time: false, pop_boost: 0 };

    test.each([
      ['VMContextKNN', { last_n_days: null, idf_weighting_session: false, add_reminders: false }],
      ['STAN', { similarity: 'cosine' }],
      ['VSKNN_STAN', { similarity: 'cosine' }],
    ])('takes parameters of %s that say what is computed', async (algorithm, params) => {
      expect(await run(algorithm, { ...always, ...params })).toMatchObject({ state: 'ok' });
    });

    test('takes those of ContextKNN, whose similarity is the cosine of sets', async () => {
      const [half, third] = [Math.SQRT1_2, Math.sqrt(1 / 3)];
      const all = half + third; // item 1 is in both sessions
      const result = { n_neighbour_candidates: 2, n_scored: 4, score_sum: (2 * all + third) / all };
      const top = { top20: [1, 2, 3, 4], top20_scores: [1, half / all, third / all, third / all] };
      const results = [[{ ...result, ...top }]];
      const file = {
        reference: rest.reference,
        train: { session: [1, 1, 2, 2, 2], item: [1, 2, 1, 3, 4], time: [1, 2, 3, 4, 5] },
        candidates: [1, 2, 3, 4],
        queries: [{ items: [1], times: [9] }],
      };
      const params = { k: 5, sample_size: 9, ...always, similarity: 'cosine', normalize: true };
      const one = { name: 'sets', algorithm: 'ContextKNN', params, results };
      writeFileSync(join(folder, 'knn.json'), JSON.stringify({ ...file, cases: [one] }));
      expect(await runGolden(folder, 'knn.json')).toMatchObject({ state: 'ok', compared: 1 });
    });

    test.each([
      ['VMContextKNN', { sampling: 'random' }, 'no option "sampling"'],
      ['VMContextKNN', { last_n_days: 3 }, 'no option "last_n_days"'],
      ['VMContextKNN', { idf_weighting_session: true }, 'no option "idf_weighting_session"'],
      ['STAN', { similarity: 'vec' }, 'no option "similarity"'],
      ['STAN', { normalize: true }, 'no option "normalize"'],
      ['VSKNN_STAN', { extend: true }, 'no option "extend"'],
    ])('refuses %s with %j', async (algorithm, params, reason) => {
      expect(await run(algorithm, params)).toMatchObject({ state: 'miss', reason: expect.stringContaining(reason) });
    });
  });

  test('says miss where a file of a built reference lacks what its computation reads', async () => {
    const name = write(
      'gru4rec-empty.safetensors',
      { 'outputs/y': { data: Float32Array.of(1), shape: [1] } },
      REFERENCE,
    );
    const row = await runGolden(folder, name);
    expect(row.state).toBe('miss');
    expect(row.reason).toBeTruthy();
  });

  describe('with a training of GRU4Rec', () => {
    const name = 'gru4rec-fit-xe.safetensors';
    const { tensors, metadata } = decodeSafetensors(readFileSync(join(GOLDEN, name)), name);
    const run = (tensors: Tensors, options: Record<string, unknown>) => {
      const config = JSON.stringify({ ...JSON.parse(metadata!.config!), ...options });
      return runGolden(folder, write('order.safetensors', tensors, { ...metadata, config }));
    };

    test('takes sessions by their number with time_sort false', async () => {
      const numbers = tensors['inputs/log_session']!.data;
      const times = tensors['inputs/log_time']!;
      const first = (i: number) => times.data[numbers.indexOf(numbers[i]!)]!;
      const order = [...new Set(numbers)].sort((a, b) => first(numbers.indexOf(a)) - first(numbers.indexOf(b)));
      const log_session = { ...tensors['inputs/log_session']!, data: numbers.map((number) => order.indexOf(number)) };
      const backwards = { ...times, data: times.data.map((time, i) => time - 2 * first(i)) };
      const log = { ...(tensors as Tensors), 'inputs/log_session': log_session, 'inputs/log_time': backwards };
      expect(await run(log, { time_sort: false })).toMatchObject({ state: 'ok' });
      expect(await run(log, {})).toMatchObject({ state: 'miss', reason: expect.stringContaining('step 0 of inputs') });
    });

    test('refuses an order of sessions that was drawn', async () => {
      const row = await run(tensors as Tensors, { train_random_order: true });
      expect(row).toMatchObject({
        state: 'miss',
        reason: expect.stringContaining('"train_random_order" must be false'),
      });
      expect(await run(tensors as Tensors, { train_random_order: false })).toMatchObject({ state: 'ok' });
    });
  });

  describe.each<[string, Record<string, unknown>, Record<string, unknown>]>([
    ['gru4rec-fit-xe', { compatibility_mode: true, sample_cache_max_size: 10_000_000 }, {}],
    ['gru4rec-fit-xe-logq-momentum', { logqSplit: 'nominal' }, { logqSplit: 'live' }],
    ['srgnn-step3-nonhybrid', { dropout: 0 }, { dropout: 0.1 }],
    ['gsasrec-tied', { ff_activation: 'relu' }, { ff_activation: 'gelu' }],
    ['cl4srec-encoder-full', { sim: 'dot' }, { sim: 'cos' }],
    ['t4r-bert-mlm', { dropout: 0 }, { dropout: 0.3 }],
    ['t4r-sampled-softmax', { min_id: 1 }, { min_id: 0 }],
  ])('with %s and %j', (file, computed, others) => {
    const name = `${file}.safetensors`;
    const { tensors, metadata } = decodeSafetensors(readFileSync(join(GOLDEN, name)), name);
    const run = (options: Record<string, unknown>) => {
      const config = JSON.stringify({ ...JSON.parse(metadata!.config!), ...options });
      return runGolden(folder, write('options.safetensors', tensors as Tensors, { ...metadata, config }));
    };

    test('takes what says what is computed', async () => {
      expect(await run(computed)).toMatchObject({ state: 'ok' });
    });

    test.each(Object.entries(others))('refuses %s %j', async (key, value) => {
      const reason = `"${key}" must be ${JSON.stringify(computed[key])}, got ${JSON.stringify(value)}`;
      expect(await run({ [key]: value })).toMatchObject({ state: 'miss', reason: expect.stringContaining(reason) });
    });
  });

  test('divides the scores of Transformers4Rec by the temperature, and smooths its labels', async () => {
    const name = 't4r-gpt2-clm.safetensors';
    const { tensors, metadata } = decodeSafetensors(readFileSync(join(GOLDEN, name)), name);
    const [temperature, smoothing] = [2, 0.1];
    const changed: Tensors = Object.fromEntries(Object.entries(tensors).filter(([name]) => !name.startsWith('grads/')));
    for (const scores of ['train/predictions', 'eval/predictions', 'infer/scores']) {
      const { data, shape } = changed[`outputs/${scores}`]!;
      changed[`outputs/${scores}`] = { data: data.map((score) => score / temperature), shape };
    }
    for (const mode of ['train', 'eval']) {
      const { data, shape } = changed[`outputs/${mode}/predictions`]!;
      const [rows, columns] = shape as [number, number];
      const labels = changed[`outputs/${mode}/labels`]!.data;
      let sum = 0;
      for (let row = 0; row < rows; row++) {
        const scores = Array.from(data.subarray(row * columns, (row + 1) * columns));
        const all = Math.log(scores.reduce((total, score) => total + Math.exp(score), 0));
        const mean = scores.reduce((total, score) => total + score, 0) / columns;
        sum += all - (1 - smoothing) * scores[labels[row]!]! - smoothing * mean;
      }
      changed[`loss/${mode}`] = { data: Float32Array.of(sum / rows), shape: [1] };
    }
    const task = { softmax_temperature: temperature, label_smoothing: smoothing, weight_tying: true };
    const config = JSON.stringify({ ...JSON.parse(metadata!.config!), ...task });
    const row = await runGolden(folder, write('t4r.safetensors', changed, { ...metadata, config }));
    expect(row).toMatchObject({ state: 'ok', compared: row.total });
    expect(await runPlan(folder, 't4r.safetensors')).toMatchObject({ state: 'ok', compared: 1 });
  });

  test('says of a plan what it cannot compute, and goes on', async () => {
    const tensors = { 'outputs/scores': { data: Float32Array.of(1), shape: [1] } };
    write('plan.safetensors', tensors, { reference: 'CRIPAC-DIG/SR-GNN@0', config: '{"n_nodes":60}' });
    expect(await runPlan(folder, 'plan.safetensors')).toMatchObject({
      state: 'miss',
      reason: expect.stringContaining('the key "n_nodes" is not known'),
    });
    expect(await runPlan(folder, 'damaged.safetensors')).toMatchObject({ state: 'unknown' });
  });

  test('finds files by their beginning, and reads folders in order', () => {
    expect(goldenFiles(folder, 'gru4rec-')).toEqual(['gru4rec-empty.safetensors']);
    expect(goldenFiles(folder)).toEqual([...goldenFiles(folder)].sort());
  });

  const unusual =
    /constrained\.|fit-xe\.|prenorm|gsasrec-tied|cl4srec-encoder\.|srgnn-step1|caser\.|t4r-electra-rtd|t4r-xlnet-plm/;
  const quick = (name: string) => !/cl4srec|t4r/.test(name);
  describe.each(
    slice(
      all.filter((name) => unusual.test(name)),
      quick,
    ),
  )('with %s', (name) => {
    const read = () => decodeSafetensors(readFileSync(join(GOLDEN, name)), name);
    const outputs = Object.keys(read().tensors).filter((tensor) => /^(outputs|loss|grads|after|opt_)/.test(tensor));

    test('misses any one tensor that was tampered with', async () => {
      const { shuffle } = random(1, 'tampered', name);
      const order = shuffle(Int32Array.from(outputs, (_, i) => i)).slice(0, 6);
      for (const i of order) {
        const { tensors, metadata } = read();
        const tampered = outputs[i]!;
        const { data, shape } = tensors[tampered]!;
        const changed = data.slice();
        const largest = Array.from(data).reduce((most, x) => Math.max(most, Math.abs(x)), 1);
        changed[changed.length - 1]! += 0.01 * largest;
        write(name, { ...(tensors as Tensors), [tampered]: { data: changed, shape } }, metadata!);
        const row = await runGolden(folder, name);
        expect(row, tampered).toMatchObject({ state: 'miss', worst: { tensor: tampered } });
      }
    });

    test('misses an output that nobody computes, and says how many', async () => {
      const { tensors, metadata } = read();
      const extra = { data: Float32Array.of(1), shape: [1] };
      write(name, { ...(tensors as Tensors), 'outputs/of_the_future': extra }, metadata!);
      const row = await runGolden(folder, name);
      expect(row).toMatchObject({ state: 'miss', total: outputs.length + 1, compared: outputs.length });
    });
  });
});

describe('the command', () => {
  afterEach(() => {
    vi.restoreAllMocks();
    process.exitCode = undefined;
  });

  test.each([
    ['no folder', []],
    ['a folder that is not there', [join(folder, 'nowhere')]],
    ['a file for a folder', [import.meta.filename]],
    ['--help', ['--help']],
    ['an unknown flag', ['--onyl', 'x']],
    ['an unknown backend', [folder, '--backend', 'gpu']],
  ])('ends with 2 and one sentence on %s', async (_, args) => {
    const said = vi.spyOn(console, 'error').mockImplementation(() => {});
    await main(args);
    expect(process.exitCode).toBe(2);
    expect(said).toHaveBeenCalledOnce();
    expect(said.mock.calls[0]).toEqual([expect.not.stringMatching(/\n/)]);
  });
});
