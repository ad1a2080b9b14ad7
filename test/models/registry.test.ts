/** What every architecture holds to, in its default form and in those of `forms.ts`; a new one joins by being registered. */
import { type Tensor2D, tensor1d, tidy } from '@tensorflow/tfjs';
import { beforeAll, describe, expect, test } from 'vitest';
import { configure } from '../../src/models/configuration';
import { allSpecs } from '../../src/models/index';
import { initialise } from '../../src/models/initialise';
import type { Params, PreparedTensors, Run } from '../../src/models/model';
import { upload } from '../../src/models/tensors';
import { clickScorers } from '../../src/models/transformers4rec/transformers4rec';
import { random } from '../../src/session/random';
import { Trainer, type TrainerOptions } from '../../src/train/trainer';
import type { Catalogue, NdArray, SessionInput } from '../../src/types';
import { expectNoTensorsLeft, start } from '../compute/backends/start';
import { sessionsOf } from '../neighbours/fixtures';
import { INFERENCE } from '../reference/through-training';
import { drawWeights, far } from '../reference/weights64';
import { slice } from '../soak-slice';
import { allModels } from './all-models';
import { forms, SMALL, trainings } from './forms';

const models = await allModels();
const specs = await allSpecs();
const ITEMS = 12;
const catalogue: Catalogue = { items: ITEMS, support: Int32Array.from({ length: ITEMS + 1 }, (_, i) => i) };
/** One click, repeats, all the same, an item straight after itself, and more clicks than items. */
const SESSIONS = [[5], [3, 7, 3, 3], [8, 8, 8], [1, 2, 3, 4, 9], [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 6, 6, 1]];

/** The option for the clicks that a network sees at most; one that steps sees all. */
const LENGTHS: Readonly<Record<string, string>> = {
  sasrec: 'maxlen',
  cl4srec: 'maxlen',
  srgnn: 'maxlen',
  caser: 'L',
  transformers4rec: 'totalSeqLength',
};

/** The vectors after all clicks, `[B · W, d]`, in one pass. */
type Vectors = (params: Params, prepared: PreparedTensors, config: unknown, run: Run) => Tensor2D;

/** Of the trainings that read them. */
const vectorsOf = (name: string): Vectors | undefined =>
  name === 'transformers4rec' ? (clickScorers as Vectors) : (trainings[name]!.network as { vectors?: Vectors }).vectors;

beforeAll(() => start('wasm'));

expectNoTensorsLeft();

test.each(slice(Object.entries(models), ([name]) => name !== 'srgnn'))(
  '%s takes a batch of more than a hundred thousand sessions',
  (name, model) => {
    // A step may take 65,536 sessions in two views each, or a million clicks of sessions of one length.
    const sessions = Array.from({ length: 150_000 }, (_, s) => ({ items: [1 + (s % ITEMS)] }));
    const prepared = model.prepare(sessions, configure<unknown>(model, SMALL[name]), catalogue);
    const read = Object.values(prepared).find(({ items }) => items)!;
    expect(read.shape[0]).toBe(sessions.length);
    const width = read.data.length / sessions.length;
    const last = read.data.slice(-width);
    expect([...last]).toContain(1 + (149_999 % ITEMS));
  },
);

describe.each(Object.entries(models))('%s', (name, model) => {
  const { network, plan } = trainings[name]!;
  const known = (given: Readonly<Record<string, unknown>>) => configure<unknown>(model, { ...SMALL[name], ...given });

  test('is registered under its own name, and its network and training are of the same specification', () => {
    expect(model.name).toBe(name);
    expect(model).toMatchObject(specs[name]!);
    expect(network).toMatchObject({ name, options: model.options, parameters: model.parameters });
  });

  test('trains for as many epochs as its option for them says', () => {
    const { epochsOption } = model;
    expect(model.options[epochsOption]).toMatchObject({ type: 'integer' });
    for (const epochs of [3, 7]) expect(plan(known({ [epochsOption]: epochs })).epochs).toBe(epochs);
  });

  test('has a logit scale exactly where its loss is a softmax cross-entropy', () => {
    const option = model.options['loss'];
    const choices = option?.type === 'choice' ? option.choices : [undefined];
    const isSoftmax = (loss: string | undefined) => loss === undefined || /^(cross-entropy|ce|sampled)$/.test(loss);
    for (const loss of choices) {
      const scale = model.logitScale!(known(loss === undefined ? {} : { loss }));
      expect(scale, loss).toEqual(isSoftmax(loss) ? expect.any(Number) : undefined);
    }
  });
});

/** What only the full run goes through: forms of which the networks' own tests have much, and a wide GRU4Rec. */
const OWN = /^gru4rec {}|"constrained|"numHeads":2|"edges"|"readout":"local"|"positions":"reverse"|"coserec"/;

describe.each(slice(forms, ([title]) => !OWN.test(title)))('%s', (_, name, given) => {
  const training = trainings[name]!;
  const model = training.network;
  const config = configure<unknown>(model, given);
  const options = config as Readonly<Record<string, unknown>>;

  const weights = () => drawWeights(model, config, catalogue, 0.3).params;
  function encode(sessions: readonly (readonly number[])[]): number[][] {
    return tidy(() => {
      const inputs: SessionInput[] = sessions.map((items) => ({ items }));
      const prepared = upload(model.prepare(inputs, config, catalogue));
      return model.encode(upload(weights()), prepared, config, INFERENCE).arraySync();
    });
  }

  const longest = model.stepping ? 40 : Number(options[LENGTHS[name]!]);
  const clicks = (count: number, seed: number): number[] => {
    const { integer } = random(seed, 'clicks');
    return Array.from({ length: count }, () => 1 + integer(ITEMS));
  };

  test('gives one finite vector a session, as wide as its output table', () => {
    const vectors = encode(SESSIONS);
    const { table, bias } = tidy(() => {
      const outputs = model.outputs(upload(weights()), config);
      return { table: outputs.table.shape, bias: outputs.bias?.shape };
    });
    expect(vectors).toHaveLength(SESSIONS.length);
    expect(table[0]).toBeGreaterThan(ITEMS);
    if (bias) expect(bias).toEqual([table[0]]);
    for (const vector of vectors) {
      expect(vector).toHaveLength(table[1]);
      expect(vector.every(Number.isFinite)).toBe(true);
    }
  });

  test('gives a session the same vector alone, in a batch of any width, and in any order', () => {
    const together = encode(SESSIONS);
    const turned = encode([...SESSIONS].reverse()).reverse();
    SESSIONS.forEach((session, b) => {
      expect(far(encode([session])[0]!, together[b]!)).toBeLessThan(1e-5);
      expect(far(turned[b]!, together[b]!)).toBeLessThan(1e-5);
    });
  });

  test('tells sessions apart by their last click, and each from all the others', () => {
    const vectors = encode([...SESSIONS, [6], [3, 7, 3, 4]]);
    for (let i = 0; i < vectors.length; i++) {
      for (let j = 0; j < i; j++) expect(far(vectors[i]!, vectors[j]!), `${i} and ${j}`).toBeGreaterThan(1e-4);
    }
  });

  test('reads sessions of one click, of the maximum, and beyond it', () => {
    const full = clicks(longest, 1);
    const [one, most, beyond] = encode([[full.at(-1)!], full, [...clicks(3, 2), ...full]]);
    for (const vector of [one!, most!, beyond!]) expect(vector.every(Number.isFinite)).toBe(true);
    if (longest > 1) expect(far(one!, most!)).toBeGreaterThan(1e-4);
    if (cutsAt(longest)) expect(far(beyond!, most!)).toBeLessThan(1e-5);
  });

  /** Whether clicks before the newest `count` are not read at all. */
  const cutsAt = (count: number): boolean =>
    Object.values(model.prepare([{ items: clicks(count + 3, 3) }], config, catalogue))
      .filter(({ items }) => items)
      .every(({ shape }) => shape[1]! <= count);

  // The others see prefixes only, or fill gaps from both sides.
  const vectors = vectorsOf(name);
  const fillsGaps = vectors === clickScorers && options['objective'] !== 'clm';
  if ((vectors ?? model.stepping) && !fillsGaps) {
    test('leaves the vectors of earlier clicks alone, bit for bit, when a later one changes', async () => {
      await start('cpu');
      const before = vectorsAfterEachClick([1, 2, 3, 4, 5]);
      const after = vectorsAfterEachClick([1, 2, 3, 9, 8]);
      expect(after.slice(0, 3)).toEqual(before.slice(0, 3));
      expect(far(after[3]!, before[3]!)).toBeGreaterThan(1e-4);
      await start('wasm');
    });
  }

  /** In one pass over the session. */
  function vectorsAfterEachClick(session: readonly number[]): number[][] {
    const { stepping } = model;
    return tidy(() => {
      const params = upload(weights());
      if (vectors) {
        const prepared = model.prepare([{ items: session }], config, catalogue);
        const before = options['positions'] === 'end' ? prepared.items!.shape[1]! - session.length : 0;
        return vectors(params, upload(prepared), config, INFERENCE)
          .arraySync()
          .slice(before, before + session.length);
      }
      let state = stepping!.start(config, 1);
      return session.map((item) => {
        state = stepping!.step(params, state, tensor1d([item], 'int32'), config, INFERENCE);
        return stepping!.vector(state).arraySync()[0]!;
      });
    });
  }

  describe('in training', () => {
    const log = sessionsOf([...SESSIONS.slice(1), [4, 2, 9, 11], [10, 1, 7, 12, 5], [6, 3], [2, 8, 5, 1]]);
    const task: TrainerOptions<unknown> = { training, config, catalogue, sessions: log, seed: 3, epochs: 12 };

    test('moves every parameter that a step reads, stays finite, and learns', async () => {
      const trainer = new Trainer(task);
      const before = initialise(model.parameters(config, catalogue), 3);
      const losses: number[] = [];
      for (let epoch = 0; epoch < 12; epoch++) losses.push(await trainer.runEpoch());
      const after = await trainer.weights();
      trainer.dispose();
      expect(losses.every(Number.isFinite)).toBe(true);
      const late = losses.slice(-3).reduce((a, b) => a + b, 0) / 3;
      expect(late).toBeLessThan(losses[0]!);
      for (const [name, { data }] of Object.entries(after)) {
        expect(data.every(Number.isFinite), name).toBe(true);
        expect(far(data, before[name]!.data), `${name} moved`).toBeGreaterThan(0);
      }
    });

    test('resumes to the very weights of an uninterrupted run', async () => {
      const whole = new Trainer(task);
      await whole.runEpoch();
      const saved = await whole.save();
      await whole.runEpoch();
      const expected = await whole.save();
      whole.dispose();
      const resumed = new Trainer(task, saved);
      await resumed.runEpoch();
      const { arrays, ...counts } = await resumed.save();
      const { arrays: wanted, ...wantedCounts } = expected;
      expect(counts).toEqual(wantedCounts);
      expect(Object.keys(arrays)).toEqual(Object.keys(wanted));
      for (const [name, { data }] of Object.entries(arrays)) {
        expect(bytesOf(data).equals(bytesOf(wanted[name]!.data)), name).toBe(true);
      }
      resumed.dispose();
    });
  });
});

/** To compare bit for bit, and fast. */
const bytesOf = ({ buffer, byteOffset, byteLength }: NdArray['data']): Buffer =>
  Buffer.from(buffer as ArrayBuffer, byteOffset, byteLength);
