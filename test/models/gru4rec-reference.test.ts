import { mul, sub, tensor1d, tensor2d, tidy } from '@tensorflow/tfjs';
import { beforeAll, describe, expect, test } from 'vitest';
import { configure } from '../../src/models/configuration';
import { type Gru4RecConfig, gru4rec } from '../../src/models/gru4rec';
import { type Gru4RecBatch, gru4recTraining } from '../../src/models/gru4rec-training';
import { upload } from '../../src/models/tensors';
import { gruResetAfter, gruResetBefore } from '../../src/nn/gru';
import { random } from '../../src/session/random';
import { backends, expectNoTensorsLeft, start } from '../compute/backends/start';
import { cellAfter, cellBefore, gruStep, type ReferenceSettings, stepLoss } from '../reference/gru4rec';
import { drawing, lossAndGradients } from '../reference/through-training';
import { drawWeights, far } from '../reference/weights64';
import { logOf } from '../train/helpers';

const ITEMS = 7;
/** Repeats among the inputs and the extra ids, and an id that is input, target and extra id at once. */
const INPUTS = [3, 3, 6];
const TARGETS = [5, 3, 1];
const EXTRA = [2, 3, 2, 7];
const CATALOGUE = { items: ITEMS, support: [0, 4, 9, 1, 2, 7, 3, 5] };
/** Larger than the batch: as if it had shrunk. */
const NOMINAL = 4;

type Given = Partial<Gru4RecConfig>;

/** What the configuration means to the reference. */
function settingsOf(config: Gru4RecConfig): ReferenceSettings {
  const { layers, loss, finalAct, eluParam, bpreg } = config;
  const auto = loss === 'bpr-max' && eluParam > 0 ? 'elu' : loss === 'top1' ? 'tanh' : 'linear';
  return {
    layers,
    loss,
    bpreg,
    finalAct: finalAct === 'auto' ? auto : finalAct,
    alpha: eluParam,
    embedding: config.constrainedEmbedding ? 'constrained' : config.embedding !== 0 ? 'separate' : 'one-hot',
  };
}

/** Random weights in 32 and in 64 bits, and carried states. */
function draw(config: Gru4RecConfig) {
  const { params, reference } = drawWeights(gru4rec, config, { items: ITEMS });
  const { normal } = random(8, 'state');
  const states = config.layers.map((h) =>
    INPUTS.map(() => Array.from({ length: h }, () => Math.fround(Math.tanh(normal())))),
  );
  return { params, reference, states };
}

const configOf = (given: Given): Gru4RecConfig =>
  configure(gru4rec, { layers: [4], nSample: EXTRA.length, batchSize: NOMINAL, ...given });

/** The inputs with their targets, side by side. */
function batchOf(config: Gru4RecConfig): Gru4RecBatch {
  const sessions = logOf(INPUTS.map((item, b) => [item, TARGETS[b]!]));
  const rows = INPUTS.map((_, b) => ({ start: 2 * b, at: 2 * b, last: 2 * b + 1, carriedFrom: b }));
  const draws = drawing(EXTRA, CATALOGUE.support, config.sampleAlpha);
  return gru4recTraining.batch(rows, { sessions, catalogue: CATALOGUE, first: 0 }, config, draws);
}

const SEPARATE = { constrainedEmbedding: false, embedding: 3 };
const ONE_HOT = { constrainedEmbedding: false, embedding: 0 };

const cases: [string, Given][] = [
  ['top1, tanh', { loss: 'top1' }],
  ['top1, linear', { loss: 'top1', finalAct: 'linear' }],
  ['top1-max, linear', { loss: 'top1-max' }],
  ['top1-max, tanh', { loss: 'top1-max', finalAct: 'tanh' }],
  ['bpr', { loss: 'bpr' }],
  ['bpr-max, elu-0.5', { loss: 'bpr-max', bpreg: 1.95 }],
  ['bpr-max, elu-1', { loss: 'bpr-max', bpreg: 0.9, eluParam: 1 }],
  ['bpr-max, linear', { loss: 'bpr-max', eluParam: 0 }],
  ['bpr-max, relu', { loss: 'bpr-max', finalAct: 'relu' }],
  ['bpr-max, leaky', { loss: 'bpr-max', finalAct: 'leaky', eluParam: 0.2 }],
  ['bpr-max, selu', { loss: 'bpr-max', finalAct: 'selu' }],
  ['bpr-max without regularisation', { loss: 'bpr-max', bpreg: 0 }],
  ['cross-entropy', {}],
  ['three layers', { layers: [4, 3, 5] }],
  ['two layers of one size', { layers: [4, 4] }],
  ['separate embedding', { ...SEPARATE }],
  ['separate embedding of the layer’s size, two layers', { ...SEPARATE, embedding: -1, layers: [3, 4] }],
  ['one-hot', { ...ONE_HOT }],
  ['one-hot with a second layer', { ...ONE_HOT, layers: [3, 4] }],
  ['one-hot with a second layer, bpr-max', { ...ONE_HOT, layers: [4, 3], loss: 'bpr-max' }],
];

describe.each(backends)('%s', (backend) => {
  beforeAll(() => start(backend));

  expectNoTensorsLeft();

  test.each(cases)('%s: states, loss and every gradient are those of the 64-bit reference', (_, given) => {
    const config = configOf(given);
    const settings = settingsOf(config);
    const { params, reference, states } = draw(config);
    const step = { inputs: INPUTS, states, targets: TARGETS, extra: EXTRA, nominalBatch: NOMINAL };
    tidy(() => {
      const carried = states.map((rows) => tensor2d(rows));
      const { loss, gradients, state } = lossAndGradients(
        gru4recTraining,
        upload(params),
        batchOf(config),
        config,
        CATALOGUE,
        carried,
      );
      state!.forEach((layer, i) => {
        const expected = INPUTS.flatMap(
          (item, b) =>
            gruStep(
              reference,
              item,
              states.map((rows) => rows[b]!),
              settings,
            )[i]!,
        );
        expect(far(layer.dataSync(), expected), `state of layer ${i}`).toBeLessThan(1e-5);
        layer.dispose();
      });
      const expected = stepLoss(reference, step, settings);
      expect(Math.abs(loss.dataSync()[0]! - expected)).toBeLessThan(1e-5 * Math.max(1, Math.abs(expected)));
      for (const [name, { data, shape }] of Object.entries(reference)) {
        const differences = Float64Array.from(data, (value, k) => {
          const h = 1e-6;
          data[k] = value + h;
          const above = stepLoss(reference, step, settings);
          data[k] = value - h;
          const below = stepLoss(reference, step, settings);
          data[k] = value;
          return (above - below) / (2 * h);
        });
        const largest = Math.max(1e-2, ...differences.map(Math.abs));
        expect(gradients[name]!.shape, name).toEqual(shape);
        expect(far(gradients[name]!.dataSync(), differences) / largest, name).toBeLessThan(1e-4);
        expect(Math.max(...differences.map(Math.abs)), `${name} takes part`).toBeGreaterThan(1e-5);
      }
    });
  });

  test('cross-entropy: a target out of reach costs −log 1e-24 and teaches nothing, as in the official code', () => {
    const config = configOf({});
    const { params, states } = draw(config);
    const batch = batchOf(config);
    tidy(() => {
      const { bias, ...rest } = upload(params);
      const isTarget = tensor1d(Array.from({ length: ITEMS + 1 }, (_, item) => Number(TARGETS.includes(item))));
      const given = { ...rest, bias: sub(bias!, mul(isTarget, 1000)) };
      const carried = states.map((rows) => tensor2d(rows));
      const { loss, gradients, state } = lossAndGradients(gru4recTraining, given, batch, config, CATALOGUE, carried);
      expect(loss.dataSync()[0]! / ((INPUTS.length * -Math.log(1e-24)) / NOMINAL)).toBeCloseTo(1, 5);
      expect(Math.max(...gradients.bias!.dataSync().map(Math.abs))).toBe(0);
      for (const layer of state!) layer.dispose();
    });
  });

  describe('one cell, by hand', () => {
    // Gates stand in the order r, z, c.
    const input = [-0.3 * 0.5, 0.4 * 0.5, 0.7 * 0.5];
    const recurrent = { shape: [1, 3], data: Float64Array.of(0.9, -0.6, 1.1) };
    const wh = () => tensor2d([[0.9, -0.6, 1.1]]);
    const h = -0.8;
    const none = [0, 0, 0];
    const resetBefore = () => tidy(() => gruResetBefore(tensor2d([input]), tensor2d([[h]]), wh()).dataSync()[0]!);
    const resetAfter = (bias: number[]) =>
      tidy(() => gruResetAfter(tensor2d([input]), tensor2d([[h]]), wh(), tensor1d(bias)).dataSync()[0]!);

    test('gives −0.209317 with the reset gate before the product', () => {
      expect(resetBefore()).toBeCloseTo(-0.209317, 5);
      expect(cellBefore(input, [h], recurrent, none)[0]).toBeCloseTo(-0.209317, 6);
    });

    test('gives −0.500750 in the other convention of the update gate', () => {
      expect(resetAfter(none)).toBeCloseTo(-0.50075, 5);
      expect(cellAfter(input, [h], recurrent, none, none)[0]).toBeCloseTo(-0.50075, 6);
    });

    test('multiplies the recurrent bias of the candidate by the reset gate after the product only', () => {
      const z = 0.663739;
      // h' = (1 − z) c + z h, solved for the candidate c.
      expect((resetAfter([0, 0, 0.2]) - z * h) / (1 - z)).toBeCloseTo(0.148129, 4);
      const biased = tidy(
        () => gruResetBefore(tensor2d([[input[0]!, input[1]!, input[2]! + 0.2]]), tensor2d([[h]]), wh()).dataSync()[0]!,
      );
      // h' = (1 − z) h + z c
      expect((biased - (1 - z) * h) / z).toBeCloseTo(0.282297, 4);
    });
  });
});
