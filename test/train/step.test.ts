import { customGrad, memory, mul, pad, type Scalar, slice, sum, type Tensor, tensor1d, tidy } from '@tensorflow/tfjs';
import { beforeAll, describe, expect, test } from 'vitest';
import { configure } from '../../src/models/configuration';
import { type Gru4RecConfig, gru4rec } from '../../src/models/gru4rec';
import { gru4recBatch, gru4recTraining } from '../../src/models/gru4rec-training';
import { initialise } from '../../src/models/initialise';
import type { Run } from '../../src/models/model';
import { upload } from '../../src/models/tensors';
import type { Training } from '../../src/models/training';
import { gradientsOf } from '../../src/train/gradients';
import { Optimiser } from '../../src/train/optimiser';
import { TrainStep } from '../../src/train/step';
import type { NdArray } from '../../src/types';
import { backends, expectNoTensorsLeft, start } from '../compute/backends/start';
import { bitsOf, logOf, supportOf } from './helpers';

const ITEMS = 40;
const log = logOf([[1, 2, 3, 4, 5, 6, 7, 8, 9, 10]]);
const catalogue = { items: ITEMS, support: supportOf(log, ITEMS).map((count) => count + 1) };

/** Rows of running sessions: a click, the one after it, and the row whose state it carries on. */
interface Row {
  readonly click: number;
  readonly target: number;
  readonly carriedFrom: number;
}

const clicks = (items: number[], targets: number[], carriedFrom: number[]): Row[] =>
  items.map((click, b) => ({ click, target: targets[b]!, carriedFrom: carriedFrom[b]! }));

/** What a step reads of them, with the extra items given. */
function batchOf(rows: readonly Row[], extra: readonly number[], config: Gru4RecConfig) {
  const running = rows.map(({ carriedFrom }, b) => ({ start: 2 * b, at: 2 * b, last: 2 * b + 1, carriedFrom }));
  const sessions = logOf(rows.map(({ click, target }) => [click, target]));
  return gru4recBatch(running, Int32Array.from(extra), { sessions, catalogue, first: 0 }, config);
}

/** Item 5 is input twice, 6 target twice and extra id; 7 is input, target and extra id. */
const FIRST = clicks([5, 5, 7], [6, 7, 6], [-1, -1, -1]);
const EXTRA = [6, 9, 9, 7];
const SECOND = clicks([12, 13], [14, 15], [0, -1]);
const LATER = [16, 17, 16, 17];

const embeddings: [string, Partial<Gru4RecConfig>][] = [
  ['constrained', {}],
  ['separate', { constrainedEmbedding: false, embedding: 4 }],
  ['one-hot', { constrainedEmbedding: false }],
];

const configOf = (given: Partial<Gru4RecConfig>): Gru4RecConfig =>
  configure(gru4rec, { layers: [5], batchSize: 3, nSample: 4, learningRate: 0.1, ...given });

/** A training whose extra items are those given for each step. */
const trainingOf = (extra: readonly number[][]): Training<Gru4RecConfig> => {
  let step = 0;
  return {
    ...gru4recTraining,
    batch: (rows, _, config) => batchOf(rows as Row[], extra[step++]!, config),
  } as Training<Gru4RecConfig>;
};

function trainStepOf(
  config: Gru4RecConfig,
  extra: readonly number[][],
  { seed = 1, items = ITEMS, training = trainingOf(extra) } = {},
) {
  const specs = gru4rec.parameters(config, { items });
  const params = upload(initialise(specs, 3));
  const optimiser = new Optimiser(training.plan(config).optimiser, params);
  const task = { training, config, specs, log: { sessions: log, catalogue: { ...catalogue, items }, first: 0 } };
  const trainStep = new TrainStep(task, params, optimiser, seed);
  const dispose = () => {
    trainStep.forget();
    optimiser.dispose();
    for (const value of Object.values(params)) value.dispose();
  };
  return { specs, params, optimiser, trainStep, dispose };
}

const read = (tensors: Readonly<Record<string, Tensor>>): Record<string, NdArray> =>
  Object.fromEntries(
    Object.entries(tensors).map(([name, value]) => [
      name,
      { data: value.dataSync().slice() as Float32Array, shape: value.shape },
    ]),
  );

/** Rows of a table whose bits differ. */
function changedRows(before: NdArray, after: NdArray): number[] {
  const [rows, width] = [before.shape[0]!, before.data.length / before.shape[0]!];
  const [a, b] = [bitsOf({ t: before }).t!, bitsOf({ t: after }).t!];
  return Array.from({ length: rows }, (_, r) => r).filter((r) =>
    a.slice(r * width, (r + 1) * width).some((bits, k) => bits !== b[r * width + k]),
  );
}

describe.each(backends)('%s', (backend) => {
  beforeAll(() => start(backend));

  expectNoTensorsLeft();

  test('a step whose gradients find no memory leaves nothing behind, and the next one is as if it had not been', () => {
    const noRoom = customGrad((x, save) => {
      (save as (tensors: Tensor[]) => void)([x as Tensor]);
      const gradFunc = (): never => {
        throw new RangeError('no room');
      };
      return { value: sum(x as Tensor), gradFunc };
    });
    const training: Training<Gru4RecConfig> = {
      ...trainingOf([EXTRA, EXTRA]),
      loss(params, batch, config, run) {
        const { loss, state } = gru4recTraining.loss(params, batch as never, config, run);
        return { loss: step++ === 0 ? (noRoom(loss) as Scalar) : loss, ...(state && { state }) };
      },
    };
    let step = 0;
    const failing = trainStepOf(configOf({}), [], { training });
    const before = memory();
    expect(() => failing.trainStep.run(FIRST, 0, 0.1)).toThrow('no room');
    expect(memory()).toMatchObject({ numTensors: before.numTensors, numBytes: before.numBytes });
    const plain = trainStepOf(configOf({}), [EXTRA]);
    for (const { trainStep } of [failing, plain]) trainStep.run(FIRST, 1, 0.1).dispose();
    expect(bitsOf(read(failing.params))).toEqual(bitsOf(read(plain.params)));
    failing.dispose();
    plain.dispose();
  });

  test.each(embeddings)(
    '%s: a step on touched rows is the step on whole tables, ids that repeat summed',
    (_, given) => {
      const config = configOf(given);
      const { specs, params, trainStep, dispose } = trainStepOf(config, [EXTRA]);
      const before = upload(read(params));
      trainStep.run(FIRST, 0, 0.1).dispose();

      const run = { dropout: <T extends Tensor>(x: T) => x, state: undefined, items: ITEMS };
      const batch = batchOf(FIRST, EXTRA, config);
      const { loss, gradients, state } = gradientsOf(gru4recTraining.loss, specs, before, batch, config, run);
      for (const [name, value] of Object.entries(before)) {
        const gradient = gradients[name]!.dataSync();
        const expected = value.dataSync().map((w, k) => w - (0.1 * gradient[k]!) / Math.sqrt(gradient[k]! ** 2 + 1e-6));
        const got = params[name]!.dataSync();
        expected.forEach((w, k) => {
          expect(Math.abs(w - got[k]!), name).toBeLessThan(2e-5);
        });
      }
      for (const value of [loss, ...state!, ...Object.values(gradients), ...Object.values(before)]) {
        value.dispose();
      }
      dispose();
    },
  );

  test.each(embeddings)('%s: only the rows of the step’s items change, with momentum too', (mode, given) => {
    const { params, optimiser, trainStep, dispose } = trainStepOf(configOf({ ...given, momentum: 0.5 }), [
      EXTRA,
      LATER,
    ]);
    const all = () => read({ ...params, ...optimiser.slots });
    const states = [all()];
    for (const [step, batch] of [FIRST, SECOND].entries()) {
      trainStep.run(batch, step, 0.1).dispose();
      states.push(all());
    }
    const [outputs, inputs] = [
      [
        [6, 7, 9],
        [14, 15, 16, 17],
      ],
      [
        [5, 7],
        [12, 13],
      ],
    ];
    for (const step of [0, 1]) {
      const changed = (name: string) => changedRows(states[step]![name]!, states[step + 1]![name]!);
      const both = [...new Set([...inputs[step]!, ...outputs[step]!])].sort((a, b) => a - b);
      const input = mode === 'separate' ? 'inputs' : 'gru.0.items';
      for (const slot of ['', '.accumulator', '.velocity']) {
        expect(changed(`items${slot}`)).toEqual(mode === 'constrained' ? both : outputs[step]);
        expect(changed(`bias${slot}`)).toEqual(outputs[step]);
        if (mode !== 'constrained') expect(changed(input + slot)).toEqual(inputs[step]);
      }
    }
    dispose();
  });

  test('a step works on tables of the touched rows only, however large the catalogue', () => {
    const seen: number[][] = [];
    for (const items of [40, 4000]) {
      const training = trainingOf([EXTRA]);
      const spied: typeof training = {
        ...training,
        loss(params, ...rest) {
          seen.push(params.items!.shape, params.bias!.shape);
          return training.loss(params, ...rest);
        },
      };
      const { trainStep, dispose } = trainStepOf(configOf({}), [EXTRA], { items, training: spied });
      trainStep.run(FIRST, 0, 0.1).dispose();
      dispose();
    }
    // Padding, the items 6, 7, 9 that are scored, and 5 that is only read.
    expect(seen).toEqual([[5, 5], [4], [5, 5], [4]]);
  });

  test('the state of a row is carried on, moved with it, and zero where a session starts', () => {
    const config = configOf({ layers: [4, 3] });
    const { params, trainStep, dispose } = trainStepOf(config, [EXTRA, LATER]);
    trainStep.run(FIRST, 0, 0.1).dispose();
    // Row 1 goes on as row 0, a session starts in row 1.
    const expected = tidy(() => {
      const before = trainStep.state!.map((layer) =>
        pad(slice(layer, [1, 0], [1, -1]), [
          [0, 1],
          [0, 0],
        ]),
      );
      const items = tensor1d([12, 13], 'int32');
      const after = gru4rec.stepping!.step(params, before, items, config, { dropout: (x) => x });
      expect(before.every((layer) => layer.dataSync().some((x) => x !== 0))).toBe(true);
      return after.map((layer) => Array.from(layer.dataSync()));
    });
    trainStep.run(clicks([12, 13], [14, 15], [1, -1]), 1, 0.1).dispose();
    trainStep.state!.forEach((layer, i) => {
      layer.dataSync().forEach((x, k) => {
        expect(Math.abs(x - expected[i]![k]!)).toBeLessThan(1e-6);
      });
    });
    dispose();
  });

  test('the loss of a shrunken batch is divided by the nominal size', () => {
    const rows = (batchSize: number) => {
      const { trainStep, dispose } = trainStepOf(configOf({ batchSize }), [EXTRA]);
      const loss = trainStep.run(clicks([5], [6], [-1]), 0, 0.1);
      const value = loss.dataSync()[0]!;
      loss.dispose();
      dispose();
      return value;
    };
    expect(rows(1) / rows(8)).toBeCloseTo(8, 4);
  });

  describe('dropout', () => {
    /** Widths and rates of what one click drops out, and the state after it; what is dropped is doubled. */
    function stepOf(given: Partial<Gru4RecConfig>) {
      const config = configOf(given);
      return tidy(() => {
        const params = upload(initialise(gru4rec.parameters(config, { items: ITEMS }), 3));
        const state = (of: Run) =>
          gru4rec
            .stepping!.step(params, gru4rec.stepping!.start(config, 2), tensor1d([1, 2], 'int32'), config, of)
            .map((layer) => Array.from(layer.dataSync()));
        const calls: { width: number; rate: number }[] = [];
        const doubled = state({
          dropout: (x, rate) => {
            calls.push({ width: x.shape[1]!, rate });
            return rate === 0 ? x : (mul(x, 2) as typeof x);
          },
        });
        return { calls, doubled, plain: state({ dropout: (x) => x }) };
      });
    }
    const rates = { dropoutPEmbed: 0.3, dropoutPHidden: 0.6 };

    test('takes the embedded input by one rate and every layer’s state by the other, the last one’s too', () => {
      expect(stepOf({ ...rates, layers: [4, 5] }).calls).toEqual([
        { width: 5, rate: 0.3 },
        { width: 4, rate: 0.6 },
        { width: 5, rate: 0.6 },
      ]);
      const separate = { ...rates, constrainedEmbedding: false, embedding: 3 };
      expect(stepOf(separate).calls).toEqual([
        { width: 3, rate: 0.3 },
        { width: 5, rate: 0.6 },
      ]);
      expect(stepOf({ ...rates, constrainedEmbedding: false }).calls).toEqual([{ width: 5, rate: 0.6 }]);
    });

    test('is what the next layer reads and what is carried on', () => {
      const { doubled, plain } = stepOf({ dropoutPHidden: 0.6, layers: [4, 5] });
      doubled[0]!.forEach((x, k) => {
        expect(x).toBeCloseTo(2 * plain[0]![k]!, 5);
      });
      const above = doubled[1]!.map((x, k) => x - 2 * plain[1]![k]!);
      expect(Math.max(...above.map(Math.abs))).toBeGreaterThan(1e-3);
    });

    test('drops the share that its rate says and scales up the rest', () => {
      const rows = Array.from({ length: 60 }, (_, b) => 1 + (b % 30));
      const wide = clicks(
        rows,
        rows,
        rows.map(() => -1),
      );
      const carried = (given: Partial<Gru4RecConfig>) => {
        const { trainStep, dispose } = trainStepOf(configOf({ layers: [50], batchSize: 60, ...given }), [EXTRA]);
        trainStep.run(wide, 0, 0.1).dispose();
        const values = Array.from(trainStep.state![0]!.dataSync());
        dispose();
        return values;
      };
      const plain = carried({});
      const values = carried({ dropoutPHidden: 0.8 });
      const dropped = values.filter((x) => x === 0).length / values.length;
      expect(dropped).toBeGreaterThan(0.76);
      expect(dropped).toBeLessThan(0.84);
      values.forEach((x, k) => {
        if (x !== 0) expect(Math.abs(x - 5 * plain[k]!)).toBeLessThan(1e-5);
      });
    });

    test('sees the input and the states, never the rows that serve as outputs', () => {
      const shapes: number[][] = [];
      const config = configOf(rates);
      const specs = gru4rec.parameters(config, catalogue);
      const dropout = <T extends Tensor>(x: T): T => {
        shapes.push(x.shape);
        return x;
      };
      tidy(() => {
        const params = upload(initialise(specs, 3));
        const batch = batchOf(clicks([1], [2], [-1]), [3], config);
        const run = { dropout, state: undefined, items: ITEMS };
        const { loss, gradients, state } = gradientsOf(gru4recTraining.loss, specs, params, batch, config, run);
        for (const value of [loss, ...state!, ...Object.values(gradients)]) value.dispose();
      });
      expect(shapes).toEqual([
        [1, 5],
        [1, 5],
      ]);
    });

    test('draws another mask for every step, place and seed, and the same one again for the same', () => {
      const losses = (seed: number) => {
        const { trainStep, dispose } = trainStepOf(configOf({ dropoutPHidden: 0.5, layers: [30] }), [EXTRA, EXTRA], {
          seed,
        });
        const values = [0, 1].map((step) => {
          trainStep.forget();
          const loss = trainStep.run(FIRST, step, 1e-12);
          const value = loss.dataSync()[0]!;
          loss.dispose();
          return value;
        });
        dispose();
        return values;
      };
      expect(losses(1)).toEqual(losses(1));
      expect(losses(1)[0]).not.toBe(losses(1)[1]);
      expect(losses(2)[0]).not.toBe(losses(1)[0]);
    });
  });
});
