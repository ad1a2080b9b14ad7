/** Plans as files: what is written is read, and a damaged or hostile one is refused, or harmless. */
import { beforeAll, describe, expect, test } from 'vitest';
import { startBackend } from '../../../src/compute/backends/start';
import { decodePlan, encodePlan } from '../../../src/compute/plan/format';
import { OP, type Plan, PlanError } from '../../../src/compute/plan/plan';
import { loadProducts } from '../../../src/compute/plan/products';
import { type PlanInput, type RunningPlan, startPlan } from '../../../src/compute/plan/runtime';
import { configure } from '../../../src/models/configuration';
import { models } from '../../../src/models/index';
import { initialise } from '../../../src/models/initialise';
import type { SessionModel } from '../../../src/models/model';
import { upload } from '../../../src/models/tensors';
import { compilePlan } from '../../../src/ranking/compile-plan';
import { CLICK, planScorer } from '../../../src/ranking/plan-scorer';
import { readerOf, type SessionReader } from '../../../src/ranking/session-reader';
import type { ScoredItem } from '../../../src/ranking/top-k';
import { random } from '../../../src/session/random';
import type { NdArray } from '../../../src/types';
import { SMALL } from '../../engine/parity';
import { isSoak, runs } from '../../soak-slice';
import { tried } from '../../tries';
import { codedTables } from './coded';
import { loadPlanModule } from './module';

const SEED = 11;
/** `npm run soak` tries 100,000. */
const CHANGES = 10 * runs(90);
const catalogue = { items: 40 };
const session = { items: [3, 5, 3, 8, 1] };

type Model = SessionModel<Readonly<Record<string, unknown>>>;
type Inputs = Readonly<Record<string, PlanInput>>;
interface Compiled {
  readonly plan: Plan;
  readonly bytes: Uint8Array;
  readonly tensor: (name: string) => NdArray | undefined;
  readonly start: (plan: Plan) => RunningPlan;
  readonly inputs: Inputs;
  readonly reader: SessionReader;
}
const compiled: Record<string, Compiled> = {};
let planModule: WebAssembly.Module;

beforeAll(async () => {
  await startBackend('cpu');
  planModule = await loadPlanModule();
  const startCoded = await loadProducts();
  for (const [name, isCoded] of [
    ...Object.keys(models).map((name) => [name, false] as const),
    ['gru4rec', true] as const,
  ]) {
    const model = (await models[name]!.network()) as unknown as Model;
    const config = configure(model, { ...SMALL[name] });
    const values: Record<string, NdArray> = initialise(model.parameters(config, catalogue), SEED);
    if (isCoded) Object.assign(values, codedTables(values, catalogue.items, SEED));
    const params = upload(values);
    const plan = compilePlan({ model, params, config, catalogue }, values);
    for (const tensor of Object.values(params)) tensor.dispose();
    const tensor = (of: string) => values[of];
    const inputs = model.stepping ? firstClick(plan) : model.prepare([session], config, catalogue);
    const reader = readerOf({ model, config, catalogue });
    // As plans are started that are read.
    const start = (one: Plan) => (one.coded ? startCoded : startPlan)(planModule, one, tensor);
    compiled[isCoded ? `${name} by codes` : name] = { plan, bytes: encodePlan(plan), tensor, start, inputs, reader };
  }
});

/** Of a network that goes on click by click. */
function firstClick({ programs }: Plan): Inputs {
  const [first] = programs;
  const given = Object.entries(first!.inputs).filter(([name]) => !name.includes('['));
  const inputs = given.map(([name, { length }]) => {
    const data = name === CLICK ? Int32Array.of(session.items[0]!) : new Float32Array(length);
    return [name, { data, shape: [1, data.length] }];
  });
  return Object.fromEntries(inputs);
}

test('what is written is read, and answers as before', () => {
  for (const { plan, bytes, start, inputs } of Object.values(compiled)) {
    const read = decodePlan(bytes);
    expect(read).toEqual(plan);
    const answers = [plan, read].map((one) => {
      const running = start(one);
      running.run(inputs);
      return running.items.scores().slice();
    });
    expect(answers[1]).toEqual(answers[0]);
  }
});

test.each(['preis', 'größe', 'é', '色'])('a feature may be called %s', (name) => {
  const { plan } = compiled['sasrec']!;
  const parameters = { ...plan.parameters, [`features.${name}.table`]: { at: 0, length: 1 } };
  expect(decodePlan(encodePlan({ ...plan, parameters })).parameters).toEqual(parameters);
});

test('is far smaller than what it computes with', () => {
  for (const { bytes } of Object.values(compiled)) expect(bytes.length).toBeLessThan(20_000);
});

describe('is refused', () => {
  test.each([
    ['no plan', (bytes: Uint8Array) => bytes.fill(0, 0, 4), 'no plan'],
    ['another version', (bytes: Uint8Array) => bytes.fill(9, 4, 5), 'version 9'],
    ['a header without an end', (bytes: Uint8Array) => bytes.fill(255, 8, 11), 'header'],
    ['a file that is cut off', (bytes: Uint8Array) => bytes.subarray(0, -4), 'end'],
    ['a file with more behind it', (bytes: Uint8Array) => Uint8Array.of(...bytes, 0, 0, 0, 0), 'end'],
  ] as const)('%s', (_, damage, why) => {
    expect(() => decodePlan(damage(compiled['sasrec']!.bytes.slice()))).toThrow(why);
  });

  test('more variables than a network has, of which there would be pairs without end', () => {
    const { plan } = compiled['sasrec']!;
    const programs = plan.programs.map((program) => ({
      ...program,
      variables: Array.from({ length: 2000 }, () => program.variables[0]!),
    }));
    expect(() => decodePlan(encodePlan({ ...plan, programs }))).toThrow('a variable is wrong');
  });

  test('products without an end, whose rows all lie in one place', () => {
    const { plan, start } = compiled['sasrec']!;
    const endless = Int32Array.of(OP.matmul, 64, 128, 0, 256, 2 ** 31 - 1, 1, 1, 0, 1, 0, 0, 0, 0, 0);
    const programs = plan.programs.map((program) => ({ ...program, words: endless, varying: [] }));
    expect(() => start({ ...plan, programs }).run(compiled['sasrec']!.inputs)).toThrow('out of range');
  });

  test('a parameter of another length', () => {
    const { plan } = compiled['sasrec']!;
    expect(() => startPlan(planModule, plan, () => ({ data: new Float32Array(3) }))).toThrow(PlanError);
  });

  test('a session for which it has no steps', () => {
    const { plan, start, inputs } = compiled['sasrec']!;
    const shape = [1, 10_000];
    const longer = Object.fromEntries(
      Object.keys(inputs).map((name) => [name, { data: new Int32Array(10_000), shape }]),
    );
    expect(() => start(plan).run(longer)).toThrow('no steps');
  });

  test('an item that is no row of the table', () => {
    const { plan, start, inputs } = compiled['sasrec']!;
    const ids = Int32Array.from(inputs['items']!.data, () => 99);
    expect(() => start(plan).run({ ...inputs, items: { ...inputs['items']!, data: ids } })).toThrow('row');
  });

  test.each([
    ['without codes', { bias: 1 }, 'no codes'],
    ['with other pieces', { items: 5 }, 'other codes'],
  ])('a table %s', (_, pieces, why) => {
    const { plan, start } = compiled['gru4rec by codes']!;
    expect(() => start({ ...plan, coded: { pieces } as NonNullable<Plan['coded']> })).toThrow(why);
  });

  test('a count of pieces that is text, which would make text of an address', () => {
    const { plan, start } = compiled['gru4rec by codes']!;
    const pieces = { items: `${plan.coded!.pieces['items']}` };
    expect(() =>
      start({ ...plan, coded: { pieces, items: 'items' } as unknown as NonNullable<Plan['coded']> }),
    ).toThrow('other codes');
  });

  test('items whose codes are none of its tables', () => {
    const { plan, start } = compiled['gru4rec by codes']!;
    const { coded, ...without } = plan;
    expect(() => start(without)).toThrow('items.codes');
    expect(() => start({ ...plan, coded: { ...coded!, items: 'bias' } })).toThrow('no codes');
    expect(() => start({ ...plan, items: { ...plan.items, n: plan.items.n + 1 } })).toThrow('other items');
  });

  test('a click that is no row of a table of codes', () => {
    const { plan, start, inputs } = compiled['gru4rec by codes']!;
    const click = { data: [99], shape: [1] };
    expect(() => start(plan).run({ ...inputs, [CLICK]: click })).toThrow('no row 99');
  });

  test.each([
    ['sasrec', 'items'],
    ['cl4srec', 'repeats'],
  ])('a weight that is no number: of %s, %s', (model, of) => {
    const { plan, tensor } = compiled[model]!;
    const damaged = (name: string) => (name === of ? { data: tensor(name)!.data.map(() => Number.NaN) } : tensor(name));
    expect(() => startPlan(planModule, plan, damaged)).toThrow('NaN');
  });
});

/** What numbers of a damaged or hostile file may be. */
const NUMBERS = [-1, 0, 1, 2, 31, 2 ** 16, 2 ** 20, 2 ** 27, 2 ** 31 - 1];
/** The same of its header, where they are text; and what are no numbers. */
const VALUES = [...NUMBERS, 0.5, -0, 2 ** 32, 2 ** 53, 1e300, null, true, '', 'x', [], {}, [[]], [0, 2 ** 28]];

type Random = ReturnType<typeof random>;

/** Changes some bytes of the file. */
function changedBytes({ bytes }: Compiled, next: Random): Plan {
  const changed = bytes.slice();
  for (let k = 0; k < 1 + next.integer(3); k++) changed[next.integer(changed.length)] = next.integer(256);
  return decodePlan(changed);
}

/** Changes some words of the steps, or of what they vary by. */
function changedWords({ plan, bytes }: Compiled, next: Random): Plan {
  const changed = decodePlan(bytes);
  const varying = changed.programs.flatMap((program) => program.varying.map(({ coefficients }) => coefficients));
  const lists = [changed.setup, ...changed.programs.map(({ words }) => words), ...varying] as number[][];
  const numbers = [...NUMBERS, next.integer(plan.size), next.integer(100), -next.integer(100)];
  for (let k = 0; k < 1 + next.integer(3); k++) {
    const list = lists[next.integer(lists.length)]!;
    if (list.length > 0) list[next.integer(list.length)] = numbers[next.integer(numbers.length)]!;
  }
  return changed;
}

/** Changes some fields of the header: sizes, places, ranges, names of inputs, or the form of the whole. */
function changedHeader({ plan, bytes }: Compiled, next: Random): Plan {
  const view = new DataView(bytes.buffer, bytes.byteOffset);
  const end = 12 + view.getUint32(8, true);
  const header = JSON.parse(new TextDecoder().decode(bytes.subarray(12, end)));
  for (let k = 0; k < 1 + next.integer(2); k++) {
    let [owner, at] = [header, ''];
    for (let field: unknown = header; typeof field === 'object' && field !== null; field = owner[at]) {
      const names = Object.keys(field);
      if (names.length === 0 || (field !== header && next.integer(8) === 0)) break;
      [owner, at] = [field, names[next.integer(names.length)]!];
    }
    if (at === '') continue;
    const near = typeof owner[at] === 'number' ? [owner[at] + 1, owner[at] - 1, 2 * owner[at]] : [];
    const values = [...VALUES, ...near, next.integer(plan.size)];
    if (next.integer(10) === 0) delete owner[at];
    else owner[at] = structuredClone(values[next.integer(values.length)]);
  }
  const json = new TextEncoder().encode(JSON.stringify(header));
  const padded = new Uint8Array(Math.ceil(json.length / 4) * 4).fill(0x20);
  padded.set(json);
  const start = bytes.slice(0, 12);
  new DataView(start.buffer).setUint32(8, padded.length, true);
  return decodePlan(Uint8Array.of(...start, ...padded, ...bytes.subarray(end)));
}

/** It ends, and every error is one of ours: a step outside its memory would trap. */
test(
  `${CHANGES} changes of its bytes, its words and its header are refused or harmless`,
  async () => {
    const next = random(SEED, 'changes');
    const outcomes = { refused: 0, harmless: 0 };
    const all = Object.values(compiled);
    const ways = [changedBytes, changedWords, changedHeader];
    for (let change = 0; change < CHANGES; change++) {
      const one = all[change % all.length]!;
      const way = ways[Math.floor(change / all.length) % ways.length]!;
      try {
        const running = one.start(way(one, next));
        const { size, items } = running.plan;
        running.run(one.inputs);
        // The steps lie behind the block: none of them may write there.
        const words = Math.max(...running.plan.programs.map((program) => program.words.length));
        const steps = () => new Int32Array(running.memory.buffer, 4 * (64 + size), words).slice();
        const before = steps();
        running.run(one.inputs);
        expect(steps()).toEqual(before);
        const best = await planScorer(running, one.reader)
          .openSession()
          .topK(session, 5, new Set([1]));
        const isRight = ({ index, score }: ScoredItem) => index > 1 && index <= items.n && Number.isFinite(score);
        expect(best.filter((item) => !isRight(item))).toEqual([]);
        outcomes.harmless++;
      } catch (error) {
        outcomes.refused++;
        const isOurs = error instanceof PlanError || (error as { code?: string }).code === 'not-finite';
        if (!isOurs) throw new Error(`Change ${change}, by ${way.name}: ${error}`, { cause: error });
      }
    }
    tried(CHANGES);
    expect(outcomes.refused).toBeGreaterThan(CHANGES / 10);
    expect(outcomes.harmless).toBeGreaterThan(CHANGES / 100);
  },
  isSoak ? 10_000_000 : 60_000,
);
