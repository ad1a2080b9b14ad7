/** Plans as files: what is written is read, and a damaged or hostile one is refused, or harmless. */
import { beforeAll, describe, expect, test } from 'vitest';
import { startBackend } from '../../../src/compute/backends/start';
import { decodePlan, encodePlan } from '../../../src/compute/plan/format';
import { type Plan, PlanError } from '../../../src/compute/plan/plan';
import { startPlan } from '../../../src/compute/plan/runtime';
import { configure } from '../../../src/models/configuration';
import { models } from '../../../src/models/index';
import { initialise } from '../../../src/models/initialise';
import type { SessionModel } from '../../../src/models/model';
import { upload } from '../../../src/models/tensors';
import { compilePlan } from '../../../src/ranking/compile-plan';
import { random } from '../../../src/session/random';
import { SMALL } from '../../engine/parity';
import { loadPlanModule } from './module';

const SEED = 11;
/** `npm run soak` tries many more. */
const ROUNDS = Math.max(300, Number(process.env['SOAK'] ?? 0));
const catalogue = { items: 40 };
const session = { items: [3, 5, 3, 8, 1] };

type Model = SessionModel<Readonly<Record<string, unknown>>>;
interface Compiled {
  readonly plan: Plan;
  readonly bytes: Uint8Array;
  readonly parameter: (name: string) => Float32Array;
  readonly inputs: ReturnType<Model['prepare']>;
}
const compiled: Record<string, Compiled> = {};
let planModule: WebAssembly.Module;

beforeAll(async () => {
  await startBackend('cpu');
  planModule = await loadPlanModule();
  for (const name of ['sasrec', 'srgnn', 'caser']) {
    const model = (await models[name]!.network()) as unknown as Model;
    const config = configure(model, { ...SMALL[name] });
    const values = initialise(model.parameters(config, catalogue), SEED);
    const params = upload(values);
    const plan = compilePlan({ model, params, config, catalogue });
    for (const tensor of Object.values(params)) tensor.dispose();
    const parameter = (of: string) => values[of]?.data as Float32Array;
    compiled[name] = { plan, bytes: encodePlan(plan), parameter, inputs: model.prepare([session], config, catalogue) };
  }
});

test('what is written is read, and answers as before', () => {
  for (const { plan, bytes, parameter, inputs } of Object.values(compiled)) {
    const read = decodePlan(bytes);
    expect(read).toEqual(plan);
    const answers = [plan, read].map((one) => {
      const running = startPlan(planModule, one, parameter);
      running.run(inputs);
      return running.items.scores().slice();
    });
    expect(answers[1]).toEqual(answers[0]);
  }
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

  test('a parameter of another length', () => {
    const { plan } = compiled['sasrec']!;
    expect(() => startPlan(planModule, plan, () => new Float32Array(3))).toThrow(PlanError);
  });

  test('a session for which it has no steps', () => {
    const { plan, parameter, inputs } = compiled['sasrec']!;
    const shape = [1, 10_000];
    const longer = Object.fromEntries(
      Object.keys(inputs).map((name) => [name, { data: new Int32Array(10_000), shape }]),
    );
    expect(() => startPlan(planModule, plan, parameter).run(longer)).toThrow('no steps');
  });

  test('an item that is no row of the table', () => {
    const { plan, parameter, inputs } = compiled['sasrec']!;
    const ids = Int32Array.from(inputs['items']!.data, () => 99);
    expect(() =>
      startPlan(planModule, plan, parameter).run({ ...inputs, items: { ...inputs['items']!, data: ids } }),
    ).toThrow('row');
  });

  test('a weight that is no number', () => {
    const { plan, parameter } = compiled['sasrec']!;
    const damaged = (name: string) => (name === 'items' ? parameter(name).map(() => Number.NaN) : parameter(name));
    expect(() => startPlan(planModule, plan, damaged)).toThrow('NaN');
  });
});

/** It ends, and every error is one of ours: a step outside its memory would trap. */
test(`${ROUNDS} changes of its bytes, and as many of its words, are refused or harmless`, () => {
  const next = random(SEED, 'changes');
  let refused = 0;
  for (let round = 0; round < ROUNDS; round++) {
    const { bytes, plan, parameter, inputs } = Object.values(compiled)[round % 3]!;
    const changed = bytes.slice();
    for (let k = 0; k < 1 + next.integer(3); k++) changed[next.integer(changed.length)] = next.integer(256);
    const words = plan.programs.at(-1)!.words.slice();
    const values = [-1, 0, 1, 2, 2 ** 20, 2 ** 31 - 1, next.integer(plan.size), next.integer(100)];
    for (let k = 0; k < 1 + next.integer(3); k++)
      words[next.integer(words.length)] = values[next.integer(values.length)]!;
    const programs = plan.programs.map((program, i) =>
      i === plan.programs.length - 1 ? { ...program, words } : program,
    );
    for (const make of [() => decodePlan(changed), (): Plan => ({ ...plan, programs })]) {
      try {
        const running = startPlan(planModule, make(), parameter);
        running.run(inputs);
        running.items.scores();
        running.items.top(5);
      } catch (error) {
        refused++;
        if (!(error instanceof PlanError || (error as { code?: string }).code === 'not-finite')) throw error;
      }
    }
  }
  expect(refused).toBeGreaterThan(ROUNDS / 10);
});
