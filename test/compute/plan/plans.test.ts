/**
 * Plans of every architecture, preset and option answer as the networks that they were compiled from: other sessions than those that
 * were traced, of every length.
 */
import { beforeAll, describe, expect, onTestFinished, test, vi } from 'vitest';
import type { CodedArray } from '../../../src/checkpoint/coded-array';
import { startBackend } from '../../../src/compute/backends/start';
import { decodePlan, encodePlan } from '../../../src/compute/plan/format';
import { KINDS, OP, stepsOf } from '../../../src/compute/plan/plan';
import { loadProducts } from '../../../src/compute/plan/products';
import { type PlanItems, startPlan } from '../../../src/compute/plan/runtime';
import { configure } from '../../../src/models/configuration';
import { models } from '../../../src/models/index';
import { initialise } from '../../../src/models/initialise';
import type { Params, SessionModel } from '../../../src/models/model';
import { presets } from '../../../src/models/presets';
import { upload } from '../../../src/models/tensors';
import { compilePlan } from '../../../src/ranking/compile-plan';
import { neuralScorer } from '../../../src/ranking/neural-scorer';
import { MOST_CLICKS, planScorer } from '../../../src/ranking/plan-scorer';
import { readerOf } from '../../../src/ranking/session-reader';
import { openSession } from '../../../src/ranking/session-scorer';
import { topK } from '../../../src/ranking/top-k';
import { random } from '../../../src/session/random';
import type { Catalogue, NdArray, SessionInput } from '../../../src/types';
import { SMALL } from '../../engine/parity';
import { isSoak, slice } from '../../soak-slice';
import { codedTables } from './coded';
import { loadPlanModule } from './module';

const ITEMS = 90;
const K = 20;
const SEED = 7;
/** Whom a model with a profile for each user knows. */
const USERS = 3;
const SESSIONS = isSoak ? 120 : 14;
/** Of the largest score: both sum in 32 bits, in another order. */
const NEAR = 1e-5;
const catalogue: Catalogue = { items: ITEMS, support: new Int32Array(ITEMS + 1).fill(1), features: {}, categories: {} };
let planModule: WebAssembly.Module;

beforeAll(async () => {
  await startBackend('cpu');
  planModule = await loadPlanModule();
});

/** Sessions of all lengths, with and without repetitions. */
function sessions(name: string): SessionInput[] {
  const next = random(SEED, name);
  return Array.from({ length: SESSIONS }, (_, s) => {
    const few = s % 2 === 0 ? ITEMS : 4;
    const length = s < 8 ? s + 1 : 1 + Math.floor(60 * next.uniform());
    return { items: Int32Array.from({ length }, () => 1 + Math.floor(few * next.uniform())), user: s % (USERS + 2) };
  });
}

type Model = SessionModel<Readonly<Record<string, unknown>>>;
const NETWORKS = Object.fromEntries(
  await Promise.all(
    Object.entries(models).map(async ([name, { network }]) => [name, (await network()) as unknown as Model] as const),
  ),
);

/** @param isCoded Whether the artifact holds tables of items as codes of product quantisation. */
async function answersAlike(name: string, given: Readonly<Record<string, unknown>>, isCoded = false): Promise<void> {
  const model = NETWORKS[name]!;
  const config = configure(model, given);
  const values: Record<string, NdArray> = initialise(model.parameters(config, catalogue), SEED);
  // What starts at 0, such as a bias, tells nothing.
  const draw = random(SEED, 'zeros');
  for (const { data } of Object.values(values)) {
    if (data.every((x) => x === 0)) for (let i = 0; i < data.length; i++) data[i] = 0.1 * draw.normal();
  }
  if (isCoded) Object.assign(values, codedTables(values, ITEMS, SEED));
  const params: Params = upload(values);
  const scorer = neuralScorer(model, params, config, catalogue);
  try {
    const plan = compilePlan({ model, params, config, catalogue }, values);
    const startCoded = await loadProducts();
    // Of lengths of rows, only a table that is written out tells.
    const tables = Object.keys(values).filter((of) => 'codes' in values[of]!);
    expect(Object.keys(plan.coded?.pieces ?? {})).toEqual(given['scoring'] === 'cosine' ? [] : tables);
    if (plan.coded) expect(tables).toContain(plan.coded.items);
    const [first, second] = [1, 2].map(() => {
      const read = decodePlan(encodePlan(plan));
      const running = (read.coded ? startCoded : startPlan)(planModule, read, (of) => values[of]);
      return planScorer(running, readerOf({ model, config, catalogue })).openSession();
    });
    const network = openSession(scorer);
    const next = random(SEED, 'excluded');
    for (const session of sessions(name)) {
      const expected = await network.score(session);
      const got = await first!.score(session);
      const largest = expected.reduce((most, x) => Math.max(most, Math.abs(x)), 0);
      const worst = expected.reduce((most, x, i) => Math.max(most, Math.abs(x - got[i]!)), 0);
      expect(worst, `${session.items}`).toBeLessThanOrEqual(NEAR * largest);
      const excluded = new Set([...Array.from(session.items), 1 + next.integer(ITEMS)]);
      for (const none of [new Set<number>(), excluded]) {
        expect(await first!.topK(session, K, none)).toEqual(topK(got, K, none));
        expect(await second!.topK(session, K, none)).toEqual(topK(got, K, none));
      }
      expect(await second!.score(session)).toEqual(got);
    }
  } finally {
    scorer.dispose();
    for (const tensor of Object.values(params)) tensor.dispose();
  }
}

const PRESETS = Object.keys(models).flatMap((name) => [
  [name, 'default', {}] as const,
  ...Object.entries(presets[name] ?? {}).map(([preset, { config }]) => [name, preset, config] as const),
]);

/** Every other value of a choice that goes with the defaults. */
const OTHERS = Object.entries(NETWORKS).flatMap(([name, model]) =>
  Object.entries(model.options).flatMap(([option, spec]): (readonly [string, string, unknown])[] => {
    const values = spec.type === 'boolean' ? [true, false] : spec.type === 'choice' ? spec.choices : [];
    const goes = (value: unknown): boolean => {
      try {
        configure(model, { ...SMALL[name], [option]: value });
        return true;
      } catch {
        return false;
      }
    };
    return values.filter((value) => value !== spec.default && goes(value)).map((value) => [name, option, value]);
  }),
);

const HEADS = { hiddenUnits: 32, numHeads: 2, numBlocks: 2, maxlen: 20 };

test.each(['tf', 'pre', 'post'])('of two heads of eight numbers and more, form %s, answers as its network', (norm) =>
  answersAlike('sasrec', { ...HEADS, norm }),
);

/** What a test of answers cannot see. */
test('heads are read and written in place, and the last click is answered without keys and values of all', () => {
  const model = NETWORKS['sasrec']!;
  const config = configure(model, HEADS);
  const params: Params = upload(initialise(model.parameters(config, catalogue), SEED));
  const { programs } = compilePlan({ model, params, config, catalogue });
  for (const tensor of Object.values(params)) tensor.dispose();
  const clicks = 20;
  const words = stepsOf(programs.at(-1)!, [clicks]);
  const steps: Int32Array[] = [];
  for (let at = 0; at < words.length; at += steps.at(-1)!.length)
    steps.push(words.subarray(at, at + 1 + KINDS[words[at]!]!.operands));
  const ofKind = (kind: number) => steps.filter(([op]) => op === kind).map((step) => Array.from(step));
  expect(ofKind(OP.move).filter(([, , , ...sizes]) => sizes.slice(0, 3).some((size) => size > 1))).toEqual([]);
  const products = ofKind(OP.matmul).map(([, , , , , m, k, n, , , , , , lda, ldc]) => ({ m, k, n, lda, ldc }));
  const layer = { m: clicks, k: 32, n: 32, lda: 32, ldc: 32 };
  const first = [
    ...[layer, layer, layer], // queries, keys and values
    { m: clicks, k: 16, n: clicks, lda: 32, ldc: clicks },
    { m: clicks, k: clicks, n: 16, lda: clicks, ldc: 32 },
    ...[layer, layer],
  ];
  expect(products.slice(0, first.length)).toEqual(first);
  expect(products.slice(first.length).filter(({ m }) => m! > HEADS.numHeads)).toEqual([]);
});

test('of a session that is too long, the newest clicks count', async () => {
  const model = NETWORKS['caser']!; // its profile reads every click
  const config = configure(model, { ...SMALL['caser'], profile: 'session' });
  const values = initialise(model.parameters(config, catalogue), SEED);
  const params: Params = upload(values);
  const plan = compilePlan({ model, params, config, catalogue });
  for (const tensor of Object.values(params)) tensor.dispose();
  const running = startPlan(planModule, plan, (of) => values[of]);
  const session = planScorer(running, readerOf({ model, config, catalogue })).openSession();
  const { integer } = random(SEED, 'long');
  const items = Int32Array.from({ length: MOST_CLICKS + 200 }, () => 1 + integer(ITEMS));
  const newest = items.subarray(200);
  const best = (items: Int32Array) => session.topK({ items, times: items }, K, new Set());
  expect(await best(items)).toEqual(await best(newest));
  expect(await best(items.subarray(0, MOST_CLICKS))).not.toEqual(await best(newest));
});

test('a network that unrolls more clicks than a plan has room for is refused by its option', () => {
  const model = NETWORKS['transformers4rec']!;
  const given = { ...SMALL['transformers4rec'], lm: 'gru', objective: 'clm', totalSeqLength: 66 };
  const config = configure(model, given);
  const params: Params = upload(initialise(model.parameters(config, catalogue), SEED));
  expect(() => compilePlan({ model, params, config, catalogue })).toThrow(
    'other steps for each of 65 lengths, and a plan has at most 64. Train it with totalSeqLength=64.',
  );
  for (const tensor of Object.values(params)) tensor.dispose();
});

/** Runs a plan whose items are in pairs that tie, where nothing else tells them apart. */
async function runningPairs(items: number, isCoded: boolean) {
  const catalogue = { items };
  const model = NETWORKS['gru4rec']!;
  const config = configure(model, { ...SMALL['gru4rec'], repeatLags: 5 });
  const values: Record<string, NdArray> = initialise(model.parameters(config, catalogue), SEED);
  values['repeats']!.data.fill(0.1);
  if (isCoded) Object.assign(values, codedTables(values, items, SEED));
  const { items: table } = values;
  const cells = (table as Partial<CodedArray>).codes ?? (table!.data as Float32Array);
  const width = cells.length / (items + 1);
  cells.copyWithin((1 + items / 2) * width, width, (1 + items / 2) * width);
  const params: Params = upload(values);
  const plan = compilePlan({ model, params, config, catalogue }, values);
  for (const tensor of Object.values(params)) tensor.dispose();
  const running = (isCoded ? await loadProducts() : startPlan)(planModule, plan, (of) => values[of]);
  return { running, reader: readerOf({ model, config, catalogue }) };
}

/** Those of few items, and how many clicks a call computes. */
async function countedPairs(isCoded: boolean) {
  const { running, reader } = await runningPairs(ITEMS, isCoded);
  let steps = 0;
  const run: typeof running.run = (inputs) => {
    steps++;
    return running.run(inputs);
  };
  const stepsOf = async (call: () => Promise<unknown>): Promise<number> => {
    steps = 0;
    await call();
    return steps;
  };
  return { scorer: planScorer({ ...running, run }, reader), stepsOf };
}

describe.each([
  ['numbers', false],
  ['codes', true],
])('of a table of %s,', (_, isCoded) => {
  test('many excluded items cost no work each, and answers stay as they are', async () => {
    const n = 2300;
    const { running, reader } = await runningPairs(n, isCoded);
    let most = 0;
    const counted: PlanItems = {
      ...running.items,
      top(k, added) {
        most = Math.max(most, added?.size ?? 0);
        return running.items.top(k, added);
      },
    };
    const session = planScorer(running, reader, counted).openSession();
    const { integer } = random(SEED, 'many');
    for (let i = 0; i < 20; i++) {
      const input = { items: Int32Array.from({ length: 4 }, () => 1 + integer(n)) };
      const excluded = new Set(input.items.subarray(2));
      while (excluded.size < 1000) excluded.add(1 + integer(n));
      const best = await session.topK(input, K, excluded);
      expect(best).toEqual(topK(await session.score(input), K, excluded));
      // One more, which no item has.
      expect(await session.topK(input, K, new Set([...excluded, n + 1]))).toEqual(best);
    }
    const all = new Set(Array.from({ length: n }, (_, i) => i + 1));
    expect(await session.topK({ items: [1, 2] }, K, all)).toEqual([]);
    all.delete(7);
    expect((await session.topK({ items: [1, 2] }, K, all)).map(({ index }) => index)).toEqual([7]);
    expect(most).toBeLessThan(1010);
  });

  test('a list of many items is cut from all scores', async () => {
    const n = 2300;
    const { running, reader } = await runningPairs(n, isCoded);
    const asked: number[] = [];
    const top: PlanItems['top'] = (k, added) => {
      asked.push(k);
      return running.items.top(k, added);
    };
    const session = planScorer(running, reader, { ...running.items, top }).openSession();
    const input = { items: [3, 5, 8] };
    const scores = await session.score(input);
    for (const k of [1000, 1001, n]) {
      expect(await session.topK(input, k, new Set([7]))).toEqual(topK(scores, k, new Set([7])));
    }
    expect(asked).toEqual([1000]);
  });

  test('a session that is asked again, or with another newest click, costs one step', async () => {
    const { scorer, stepsOf } = await countedPairs(isCoded);
    const session = scorer.openSession();
    for (const [items, steps] of [
      [[1, 2, 3], 3],
      [[1, 2, 3], 1],
      [[1, 2, 3], 1],
      [[1, 2, 4], 1],
      [[1, 2, 4, 5], 1],
      [[2, 2, 4, 5], 4],
      [[2, 2, 4], 3],
      [[7], 1],
      [[8], 1],
    ] as const) {
      const expected = await scorer.score([{ items }]);
      const again = async () => expect(await session.score({ items })).toEqual(expected);
      expect(await stepsOf(again)).toBe(steps);
    }
  });

  test('sessions apart from the running one are not remembered after their call', async () => {
    const { scorer, stepsOf } = await countedPairs(isCoded);
    const calls = [
      (items: number[]) => scorer.score([{ items }]),
      (items: number[]) => scorer.network!.encode([{ items }]),
    ];
    for (const call of calls) {
      await call([1, 2]);
      expect(await stepsOf(() => call([1, 2, 3]))).toBe(3);
    }
  });

  test('other items that are refused leave their place to the next', async () => {
    const { running } = await runningPairs(ITEMS, isCoded);
    const { d } = running.plan.items;
    const [table, bias] = [new Float32Array(ITEMS * d), new Float32Array(ITEMS)];
    running.withItems(table, bias);
    const refused = () => expect(() => running.withItems(table.fill(Number.NaN), bias)).toThrow('NaN');
    refused();
    const before = running.memory.buffer.byteLength;
    for (let i = 0; i < 10; i++) refused();
    expect(running.memory.buffer.byteLength).toBe(before);
  });

  test('answers that are each a little larger do not use up the memory', async () => {
    const { running, reader } = await runningPairs(ITEMS, isCoded);
    const session = planScorer(running, reader).openSession();
    const excluded = new Set<number>();
    const ask = (k: number) => session.topK({ items: [1, 2] }, k, excluded.add(k));
    await ask(1);
    const before = running.memory.buffer.byteLength;
    for (let k = 2; k <= ITEMS; k++) await ask(k);
    expect(running.memory.buffer.byteLength).toBeLessThan(before + 10 * 2 ** 16);
  });
});

test('asked often, it goes over to a copy of the items in bytes, and answers alike', async () => {
  const catalogue = { items: 5300 }; // of 100 numbers each: enough for a copy
  const model = NETWORKS['gru4rec']!;
  const config = configure(model, {});
  const values = initialise(model.parameters(config, catalogue), SEED);
  const params: Params = upload(values);
  const plan = compilePlan({ model, params, config, catalogue });
  for (const tensor of Object.values(params)) tensor.dispose();
  const start = () => startPlan(planModule, plan, (of) => values[of]);
  const open = (of: ReturnType<typeof start>) => planScorer(of, readerOf({ model, config, catalogue })).openSession();
  const running = start();
  const session = open(running);
  const bytes = () => running.memory.buffer.byteLength;
  const { integer } = random(SEED, 'often');
  const compile = vi.spyOn(WebAssembly, 'compile').mockRejectedValueOnce(new Error('no memory')); // it is tried again
  onTestFinished(() => compile.mockRestore());
  const answer = async () => {
    const items = Int32Array.from({ length: 3 }, () => 1 + integer(catalogue.items));
    const best = await session.topK({ items }, K, new Set(items));
    expect(best).toEqual(await open(start()).topK({ items }, K, new Set(items)));
  };
  await answer();
  const before = bytes();
  for (let i = 0; i < 5; i++) await answer();
  expect(bytes()).toBe(before);
  for (let i = 0; i < 100 && bytes() === before; i++) {
    await answer();
    await new Promise((resolve) => setTimeout(resolve)); // its code is fetched
  }
  expect(bytes()).toBeGreaterThan(before);
  for (let i = 0; i < 20; i++) await answer();
});

/** How a model names the most clicks that it reads. */
const SHORT: readonly (readonly [string, string, Readonly<Record<string, unknown>>])[] = [
  ['sasrec', 'maxlen', {}],
  ['cl4srec', 'maxlen', {}],
  ['srgnn', 'maxlen', {}],
  ['caser', 'L', {}],
  ['transformers4rec', 'totalSeqLength', { lm: 'gpt2', objective: 'clm' }],
  ['transformers4rec', 'totalSeqLength', { lm: 'xlnet', objective: 'mlm' }],
  ['transformers4rec', 'totalSeqLength', { lm: 'bert', objective: 'mlm' }],
];

describe('a plan answers as its network', () => {
  test.each([
    ...Object.keys(models).map((name) => [name, {}] as const),
    ['transformers4rec', { lm: 'bert', objective: 'mlm' }] as const,
    ['sasrec', { scoring: 'cosine' }] as const,
  ])('of %s, %o, whose tables are codes', (name, config) => answersAlike(name, { ...SMALL[name], ...config }, true));

  // One preset besides the defaults: most of what they choose is asked for below.
  test.each(slice(PRESETS, ([name, preset]) => preset === 'default' || (preset === 'diginetica' && name === 'sasrec')))(
    'of %s, preset %s',
    (name, _, config) => answersAlike(name, config),
  );

  test.each(
    SHORT.flatMap(([name, option, config]) => {
      const { min } = NETWORKS[name]!.options[option] as { readonly min: number };
      const lengths = slice([1, 2, 3, 4, 5, 6, 7, 8, 9, 10], (most) => [1, 3].includes(most));
      return lengths.filter((most) => most >= min).map((most) => [name, option, most, config] as const);
    }),
  )('of %s with %s %i, %o', (name, option, most, config) =>
    answersAlike(name, { ...SMALL[name], ...config, [option]: most }),
  );

  test.each(OTHERS)('of %s with %s: %s', (name, option, value) =>
    answersAlike(name, { ...SMALL[name], [option]: value, ...(value === 'user' && { users: USERS }) }),
  );
});
