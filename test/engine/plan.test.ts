/** A compiled plan as a backend of the engine: when it answers, and what answers in its place. */
import { createHash } from 'node:crypto';
import { engine as runtime } from '@tensorflow/tfjs';
import { afterEach, describe, expect, onTestFinished, test, vi } from 'vitest';
import type { Artifact } from '../../src/checkpoint/artifact';
import { packArtifact } from '../../src/checkpoint/pack';
import { fallbacks } from '../../src/compute/fallback';
import { decodePlan, encodePlan } from '../../src/compute/plan/format';
import { KINDS, OP, UNARY } from '../../src/compute/plan/plan';
import { runningBackends, runningDevice } from '../../src/compute/running';
import type { BackendChoice } from '../../src/compute/types';
import type { Engine } from '../../src/engine/types';
import { models } from '../../src/models/index';
import { plannedModel as plannedReading } from '../../src/ranking/session-reader';
import { codedTable } from '../compute/plan/coded';
import {
  clicks,
  type Folder,
  folderOf,
  MODEL_URL,
  plannedModel,
  SESSIONS,
  serveFolder,
  smallModel,
  withPlan,
} from './fixture';
import { openEngine } from './open-engine';
import { differences, SMALL } from './parity';

afterEach(() => {
  vi.restoreAllMocks();
});

async function load(folder: Folder, over: Partial<Parameters<Engine['load']>[0]> = {}) {
  const fetchFile = serveFolder(folder);
  const engine = openEngine({ fetchFile });
  return { engine, fetchFile, info: await engine.load({ modelUrl: MODEL_URL, backend: 'auto', ...over }) };
}
const loaded = async (artifact: Artifact, backend: BackendChoice = 'auto') =>
  load(await folderOf(artifact), { backend });
const request = { session: clicks('item-9', 'item-12'), k: 20, exclude: ['item-7'] };

test('answers first under auto, from files that are each fetched once, and without a tensor', async () => {
  const artifact = await plannedModel();
  const before = runtime().state.numTensors;
  const { engine, fetchFile, info } = await loaded(artifact);
  const files = ['items.json', 'manifest.json', 'plan.bin', 'weights.safetensors'];
  expect(fetchFile.urls.map((url) => url.slice(MODEL_URL.length)).sort()).toEqual(files);
  expect(info).toMatchObject({ backend: 'plan', why: '"plan" is ready at once.', candidates: ['plan'] });
  expect(await engine.recommend(request)).toMatchObject({ backend: 'plan', why: info.why });
  expect(runtime().state.numTensors).toBe(before);
  expect(await engine.memory()).toEqual({ tensors: 0, bytes: expect.any(Number) });
  const other = await loaded(artifact);
  const { bytes } = await engine.memory();
  expect(bytes).toBeGreaterThan(0);
  await other.engine.dispose();
  expect((await engine.memory()).bytes).toBe(bytes / 2);
  await engine.dispose();
  expect(runningDevice('plan')!.memory()).toEqual({ tensors: 0, bytes: 0 });
});

test('answers the same to the bit each time, and is compiled to the same bytes', async () => {
  // The scale is 1 by default: the options differ, so that the second one is compiled, too.
  const [first, second] = [await plannedModel({ seed: 3 }), await plannedModel({ seed: 3, scale: 1 })];
  expect(second.plan).toEqual(first.plan);
  const [{ engine }, { engine: other }] = [await loaded(first), await loaded(second)];
  for (const session of Object.values(SESSIONS)) {
    const { items } = await engine.recommend({ ...request, session });
    expect((await other.recommend({ ...request, session })).items).toEqual(items);
    await engine.forget();
    expect((await engine.recommend({ ...request, session })).items).toEqual(items);
  }
});

test('scores by codes of product quantisation, which nobody writes out until it learns', async () => {
  const itemIds = Array.from({ length: 5000 }, (_, k) => `item-${k}`);
  const small = await smallModel({ itemIds, config: { layers: '64' } });
  const items = codedTable(small.tensors['items']!, 3);
  const coded = { ...small, info: { ...small.info, golden: { session: [1], top: [] } } };
  const artifact = await withPlan({ ...coded, tensors: { ...small.tensors, items } });
  const folder = await packArtifact(artifact, { precision: 'pq' });
  const { engine } = await load(folder, { backend: 'plan' });
  const written = 4 * 64 * itemIds.length;
  const answer = await engine.recommend(request);
  expect((await engine.memory()).bytes).toBeLessThan(written / 2);
  const { engine: other } = await load(folder, { backend: 'cpu' });
  expect(differences(answer.items, (await other.recommend(request)).items)).toEqual([]);
  const { delta } = await engine.fineTune({ sessions: [clicks('item-20', 'item-31')], milliseconds: 1e9 });
  await engine.setAdapter(delta);
  expect((await engine.recommend(request)).backend).toBe('plan');
  expect((await engine.memory()).bytes).toBeGreaterThan(written);
  await other.setAdapter(delta);
  expect(differences((await engine.recommend(request)).items, (await other.recommend(request)).items)).toEqual([]);
});

/** The plan with another operation in place of its hyperbolic tangents. */
function withUnary(bytes: Uint8Array, operation: string): Uint8Array {
  const plan = decodePlan(bytes);
  let changed = 0;
  for (const { words } of plan.programs) {
    for (let at = 0; at < words.length; at += 1 + KINDS[words[at]!]!.operands) {
      if (words[at] !== OP.unary || words[at + 1] !== UNARY.indexOf('Tanh')) continue;
      words[at + 1] = UNARY.indexOf(operation);
      changed++;
    }
  }
  expect(changed).toBeGreaterThan(0);
  return encodePlan(plan);
}

function furtherState(bytes: Uint8Array): Uint8Array {
  const plan = decodePlan(bytes);
  const programs = plan.programs.map((program) => ({ ...program, results: [...program.results, program.results[0]!] }));
  return encodePlan({ ...plan, programs });
}

function fewerItems(bytes: Uint8Array): Uint8Array {
  const plan = decodePlan(bytes);
  return encodePlan({ ...plan, items: { ...plan.items, n: plan.items.n - 1 } });
}

describe('is passed over for WASM, which says why, where', () => {
  const replaced =
    (change: (plan: Uint8Array) => Uint8Array) =>
    async (artifact: Artifact): Promise<Folder> =>
      folderOf({ ...artifact, plan: change(artifact.plan!.slice()) });
  const served =
    (change: (plan: Uint8Array) => Uint8Array | undefined) =>
    async (artifact: Artifact): Promise<Folder> => {
      const files = new Map(await folderOf(artifact));
      const plan = change(files.get('plan.bin')!.slice());
      if (plan) return files.set('plan.bin', plan);
      files.delete('plan.bin');
      return files;
    };

  test.each<[string, (artifact: Artifact) => Promise<Folder>, string]>([
    ['its file is missing', served(() => undefined), 'plan.bin is not served'],
    ['its file was changed', served((plan) => plan.fill(7, 20, 24)), 'plan.bin has the SHA-256'],
    ['its file was cut off', served((plan) => plan.subarray(0, -4)), 'plan.bin is '],
    ['it is no plan', replaced((plan) => plan.fill(0, 0, 4)), 'It is no plan'],
    ['it is of another version', replaced((plan) => plan.fill(9, 4, 5)), 'a plan of version 9'],
    ['it is damaged', replaced((plan) => plan.subarray(0, -4)), 'The plan is damaged'],
    ['it computes something else', replaced((plan) => withUnary(plan, 'Sigmoid')), 'golden answer on "plan"'],
    ['it computes what is no number', replaced((plan) => withUnary(plan, 'Rsqrt')), 'A computed number is NaN'],
    ['it has a further state', replaced(furtherState), 'it is of another model'],
    ['it has other items', replaced(fewerItems), 'it is of another model'],
    [
      'it is of a wider model',
      async (artifact) => folderOf({ ...artifact, plan: (await plannedModel({ config: { layers: '24' } })).plan! }),
      'The parameter ',
    ],
  ])('%s', async (_, change, why) => {
    const artifact = await plannedModel();
    const folder = await change(artifact);
    const { engine, info } = await load(folder);
    // GPUs must be compared with what computes, or a slower one would take over.
    expect(info).toMatchObject({ backend: 'wasm', why: expect.stringContaining(why), candidates: ['wasm', 'cpu'] });
    expect(info.why).toMatch(/^"wasm" computes, since a faster one failed\. /);
    const { engine: sound } = await loaded(artifact, 'wasm');
    const { items } = await sound.recommend(request);
    expect((await engine.recommend(request)).items).toEqual(items);
    await expect(load(folder, { backend: 'plan' })).rejects.toMatchObject({
      code: 'no-backend',
      message: expect.stringContaining(why),
    });
  });

  test('it is to be avoided: then its file is not fetched', async () => {
    const { fetchFile, info } = await load(await folderOf(await plannedModel()), { avoid: ['plan'] });
    expect(info.backend).toBe('wasm');
    expect(fetchFile.urls).not.toContain(`${MODEL_URL}plan.bin`);
  });

  test('the memory of WebAssembly is used up by the weights, or by an adapter', async () => {
    const { engine } = await loaded(await plannedModel());
    const sessions = [clicks('item-20', 'item-31', 'item-9')];
    const { delta } = await engine.fineTune({ sessions, milliseconds: 1e9 });
    const full = (): never => {
      throw new RangeError('WebAssembly.Memory.grow(): Maximum memory size exceeded');
    };
    vi.spyOn(WebAssembly.Memory.prototype, 'grow').mockImplementation(full);
    await engine.setAdapter(delta);
    const why = expect.stringContaining('Maximum memory size exceeded');
    const learnt = await engine.recommend(request);
    expect(learnt).toMatchObject({ backend: 'wasm', why });
    vi.restoreAllMocks();
    const { engine: sound } = await loaded(await plannedModel());
    await sound.setAdapter(delta);
    const answer = await sound.recommend(request);
    expect(answer.backend).toBe('plan');
    expect(differences(answer.items, learnt.items)).toEqual([]);
    vi.spyOn(WebAssembly, 'Memory').mockImplementation(full);
    expect((await loaded(await plannedModel())).info).toMatchObject({ backend: 'wasm', why });
  });
});

describe('holds how sessions are read', () => {
  /** The folder with another configuration in its manifest, which no hash covers. */
  async function configured(change: Readonly<Record<string, unknown>>): Promise<Folder> {
    const files = new Map(await folderOf(await plannedModel({ architecture: 'caser', config: SMALL['caser']! })));
    const manifest = JSON.parse(new TextDecoder().decode(files.get('manifest.json')));
    Object.assign(manifest.config, change);
    return files.set('manifest.json', new TextEncoder().encode(JSON.stringify(manifest)));
  }
  /** How often the options of Caser were loaded. */
  function watched() {
    const real = models['caser']!;
    const spec = vi.fn(real.spec);
    models['caser'] = { ...real, spec };
    onTestFinished(() => {
      models['caser'] = real;
    });
    return spec;
  }

  test('of the artifact that it was compiled for: its options are not loaded', async () => {
    const folder = await configured({});
    const spec = watched();
    const { engine, info } = await load(folder);
    expect(info.backend).toBe('plan');
    expect((await engine.recommend(request)).items).toHaveLength(20);
    expect(spec).not.toHaveBeenCalled();
  });

  test('where the configuration is another one, its options are loaded and checked', async () => {
    const spec = watched();
    const [{ engine }, { engine: other }] = [
      await load(await configured({})),
      await load(await configured({ nIter: 3 })),
    ];
    expect(spec).toHaveBeenCalled();
    expect((await other.recommend(request)).items).toEqual((await engine.recommend(request)).items);
    const code = 'bad-artifact';
    await expect(load(await configured({ nIter: -1 }))).rejects.toMatchObject({ code });
    await expect(load(await configured({ nothing: 1 }))).rejects.toMatchObject({ code });
    await expect(load(await configured({ d: 7 }))).rejects.toMatchObject({ code: 'weights-mismatch' });
  });
});

test.each(['caser', 'transformers4rec'])(
  'that says wrongly how sessions of %s are read, under a right signature, is read by the specification',
  async (architecture) => {
    const artifact = await plannedModel({ architecture, config: SMALL[architecture]! });
    const plan = decodePlan(artifact.plan!);
    const { reading, earlier } = plan.model as { reading: Record<string, unknown>; earlier: number };
    const { engine: sound } = await loaded(artifact, 'plan');
    const { items } = await sound.recommend(request);
    for (const damage of [-1, {}]) {
      const damaged = Object.fromEntries(Object.keys(reading).map((name) => [name, damage]));
      const model = { reading: () => damaged, earlier: () => earlier };
      const info = { model, config: {}, catalogue: undefined } as never;
      const bytes = encodePlan({ ...plan, model: (await plannedReading(artifact, info))! });
      const { engine, info: loadedInfo } = await load(await folderOf({ ...artifact, plan: bytes }));
      expect([loadedInfo.backend, (await engine.recommend(request)).items]).toEqual(['plan', items]);
    }
  },
);

test.each(['markov', 'sknn', 'pop'])(
  'is not needed to count: %s answers without a tensor, and without a backend',
  async (architecture) => {
    const before = [...runningBackends()];
    const { engine, info } = await loaded(await smallModel({ architecture }));
    expect(info).toMatchObject({ backend: 'cpu', why: '"cpu" is ready at once.', candidates: ['cpu'] });
    const { items, backend } = await engine.recommend(request);
    expect(backend).toBe('cpu');
    expect(items).toHaveLength(20);
    expect(await engine.explain({ session: request.session, itemIds: ['item-20'] })).toHaveLength(1);
    expect(runningBackends()).toEqual(before);
    const { engine: other } = await loaded(await smallModel({ architecture }), 'wasm');
    expect((await other.recommend(request)).items).toEqual(items);
    expect((await engine.move({ backend: 'wasm' })).model.backend).toBe('wasm');
    expect(await engine.recommend(request)).toMatchObject({ backend: 'wasm', items });
  },
);

test('is refused by name where an artifact has none, and says what to do', async () => {
  const message = /^The model "small gru4rec" has no compiled plan\. Train it again .* use the backend "auto"\.$/;
  await expect(loaded(await smallModel(), 'plan')).rejects.toMatchObject({
    code: 'no-backend',
    message: expect.stringMatching(message),
  });
  await expect(loaded(await smallModel({ architecture: 'pop' }), 'plan')).rejects.toMatchObject({ code: 'no-backend' });
  const { engine, info } = await loaded(await smallModel());
  expect(info).toMatchObject({ backend: 'wasm', why: '"wasm" is ready at once.', candidates: ['wasm', 'cpu'] });
  await expect(engine.move({ backend: 'plan' })).rejects.toMatchObject({
    code: 'no-backend',
    message: expect.stringMatching(message),
  });
  expect((await engine.recommend(request)).backend).toBe('wasm');
});

describe('a weight that is no number', () => {
  /** The folder with one among the weights of its last norm, and hashes that fit. */
  async function withNaN(artifact: Artifact): Promise<Folder> {
    const files = new Map(await folderOf(artifact));
    const weights = files.get('weights.safetensors')!.slice();
    const view = new DataView(weights.buffer);
    const header = 8 + Number(view.getBigUint64(0, true));
    const tensors = JSON.parse(new TextDecoder().decode(weights.subarray(8, header)));
    const norm: { dtype: string; data_offsets: [number, number] } = tensors['norm.gain'];
    expect(norm.dtype).toBe('F32');
    view.setFloat32(header + norm.data_offsets[1] - 4, Number.NaN, true);
    const manifest = JSON.parse(new TextDecoder().decode(files.get('manifest.json')));
    manifest.files['weights.safetensors'].sha256 = createHash('sha256').update(weights).digest('hex');
    files.set('weights.safetensors', weights);
    return files.set('manifest.json', new TextEncoder().encode(JSON.stringify(manifest)));
  }

  test.each([
    ['auto', 'not-finite'],
    ['plan', 'no-backend'], // others are then tried
    ['wasm', 'not-finite'],
  ] as const)('is refused on %s', async (backend, code) => {
    const folder = await withNaN(await plannedModel({ architecture: 'sasrec', config: SMALL['sasrec']! }));
    await expect(load(folder, { backend })).rejects.toMatchObject({ code });
  });
});

test('is moved to and from, and answers alike', async () => {
  const { engine } = await loaded(await plannedModel());
  const { items } = await engine.recommend(request);
  const before = await engine.memory();
  for (const backend of ['wasm', 'plan', 'plan', 'cpu', 'plan'] as const) {
    const { model, milliseconds } = await engine.move({ backend, why: `"${backend}" for a test.` });
    // Where another backend of the processor computes, GPUs are compared with that.
    const candidates = backend === 'plan' ? ['plan'] : ['wasm', 'cpu'];
    expect(model).toMatchObject({ backend, why: `"${backend}" for a test.`, candidates });
    expect(milliseconds).toBeGreaterThan(0);
    const answer = await engine.recommend(request);
    expect(answer).toMatchObject({ backend, why: `"${backend}" for a test.` });
    expect(differences(items, answer.items)).toEqual([]);
  }
  expect(await engine.memory()).toEqual(before);
});

test('is next where a GPU fails, if the model has one', () => {
  expect(fallbacks('webgl', () => false)).toEqual(['plan', 'wasm', 'cpu']);
  expect(fallbacks('webgpu', (name) => name === 'plan')).toEqual(['wasm', 'cpu']);
  expect(fallbacks('plan', () => false)).toEqual(['wasm', 'cpu']);
});
