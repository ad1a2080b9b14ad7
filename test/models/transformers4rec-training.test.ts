import { div, gather, grad, memory, type Tensor1D, type Tensor2D, tensor2d, tidy } from '@tensorflow/tfjs';
import { beforeAll, describe, expect, test } from 'vitest';
import { configure } from '../../src/models/configuration';
import { initialise } from '../../src/models/initialise';
import { upload } from '../../src/models/tensors';
import type { T4RecConfig } from '../../src/models/transformers4rec/options';
import { clickScorers, discriminate, transformers4rec } from '../../src/models/transformers4rec/transformers4rec';
import {
  permutationMask,
  softmaxOptions,
  type T4RecBatch,
  transformers4recTraining,
} from '../../src/models/transformers4rec/transformers4rec-training';
import { catalogueScores } from '../../src/nn/scores';
import { outputItems } from '../../src/objectives/batch';
import { logUniformChances } from '../../src/objectives/negatives';
import { drawReplacements, replaceTargets } from '../../src/objectives/replaced-tokens';
import { sampledBatch, softmaxLoss } from '../../src/objectives/softmax';
import { streamsOf } from '../../src/train/step';
import { start } from '../compute/backends/start';
import { drawWeights } from '../reference/weights64';
import { logOf, supportOf } from '../train/helpers';
import { epochOf, firstBatch, numberOf, runOf, stepOf, uploaded } from './steps';

const ITEMS = 30;
/** Items above 9 are clicked by nobody. */
const log = logOf([
  [1, 2, 3, 4],
  [5, 6],
  [7, 8, 9, 1, 2],
]);
const catalogue = { items: ITEMS, support: supportOf(log, ITEMS) };

beforeAll(() => start('cpu'));

const small = (given: Record<string, unknown>): T4RecConfig =>
  configure(transformers4rec, {
    dModel: 8,
    itemEmbeddingDim: 8,
    nHead: 2,
    nLayer: 1,
    totalSeqLength: 6,
    dropout: 0,
    inputDropout: 0,
    ...given,
  });

const batchOf = (config: T4RecConfig): T4RecBatch =>
  firstBatch(transformers4recTraining, config, log, catalogue, streamsOf(5, 0));

describe('what the options say of training', () => {
  const given = { lm: 'electra', objective: 'rtd', softmaxTemperature: 0.7, maxGradNorm: 0.5, weightDecay: 0.1 };

  test('reaches the plan', () => {
    const plan = transformers4recTraining.plan(small(given));
    expect(plan).toMatchObject({
      optimiser: { kind: 'adam', clipNorm: 0.5, weightDecay: { amount: 0.1, kind: 'decoupled' } },
      schedule: { kind: 'linear' },
    });
    const other = transformers4recTraining.plan(small({ ...given, maxGradNorm: 0 }));
    expect(other.optimiser).not.toHaveProperty('clipNorm');
  });

  test('reaches the rows: so many sessions, or those of one length', () => {
    const sizes = (of: Record<string, unknown>) =>
      epochOf(transformers4recTraining, small(of), log, catalogue).map(({ length }) => length);
    expect(sizes({ batchSize: 2 })).toEqual([2, 1]);
    expect(sizes({ batching: 'same-length', batchClicks: 64 })).toEqual([1, 1, 1]);
  });

  test('reaches the loss: scores over the temperature, bias included', () => {
    const config = small({ lm: 'gpt2', objective: 'clm', softmaxTemperature: 0.7, labelSmoothing: 0 });
    const { params } = drawWeights(transformers4rec, config, catalogue);
    const batch = batchOf(config);
    const scores = tidy(() => {
      const all = clickScorers(upload(params), upload(batch.inputs), config, runOf(ITEMS));
      return catalogueScores(all, transformers4rec.outputs(upload(params), config), ITEMS).arraySync();
    });
    const losses = Array.from(batch.targets.data, (target, m) => {
      const s = scores[batch.cells[m]!]!.map((x) => x / 0.7);
      return Math.log(s.reduce((sum, x) => sum + Math.exp(x), 0)) - s[target - 1]!;
    });
    const expected = losses.reduce((a, b) => a + b, 0) / losses.length;
    expect(stepOf(transformers4recTraining, params, batch, config, catalogue).loss / expected).toBeCloseTo(1, 5);
  });

  test.each([
    ['paper', 'clicks'],
    ['library', 'all columns'],
  ])('reaches the second loss of rtd: in form %s over %s', (form) => {
    const before = memory().numTensors;
    const config = small({
      ...given,
      form,
      labelSmoothing: 0.4,
    });
    const { params } = drawWeights(transformers4rec, config, catalogue);
    const batch = batchOf(config);
    const { first, second, expected } = tidy(() => {
      const [at, b, run] = [upload(params), uploaded(batch), runOf(ITEMS)];
      const { loss, second } = transformers4recTraining.loss(at, b, config, run);
      const further = second!();
      // The same draws, and the loss cell by cell.
      const c: Tensor2D = div(gather(clickScorers(at, b.inputs, config, run), b.positions), 0.7);
      const { table, bias } = transformers4rec.outputs(at, config);
      const over = { table, ...(bias && { bias: div<Tensor1D>(bias, 0.7) }) };
      const draws = drawReplacements(c, over, b.targets, batch.noise());
      const { items, labels } = replaceTargets(b.inputs.items as Tensor2D, batch.cells, b.targets, draws);
      const { masked: _, ...rest } = b.inputs;
      const z = discriminate(at, { ...rest, items }, config, run).dataSync();
      const y = labels.dataSync();
      const cells = Array.from(batch.inputs.items!.data.keys()).filter(
        (cell) => form === 'library' || batch.inputs.items!.data[cell] !== 0,
      );
      expect(cells.length).toBe(form === 'library' ? 3 * 6 : 11);
      const losses = cells.map((cell) => Math.log1p(Math.exp(z[cell]!)) - z[cell]! * y[cell]!);
      return {
        first: loss.dataSync()[0]!,
        second: further().dataSync()[0]!,
        expected: losses.reduce((a, b) => a + b, 0) / losses.length,
      };
    });
    expect(second / expected).toBeCloseTo(1, 4);
    const { loss } = stepOf(transformers4recTraining, params, batch, config, catalogue);
    expect(loss / (first + second)).toBeCloseTo(1, 5);
    expect(memory().numTensors, 'tensors left behind').toBe(before);
  });
});

describe('a sampled softmax', () => {
  const given = { sampledSoftmax: true, maxNSamples: 5, labelSmoothing: 0 };

  test('draws by popularity, or log-uniform as the library does, and corrects for it', () => {
    const logUniform = batchOf(small(given));
    const drawn = Array.from(logUniform.sampled!.negatives.data);
    expect(new Set(drawn).size).toBe(drawn.length);
    expect(drawn.length).toBeLessThanOrEqual(10);
    const chances = logUniformChances(catalogue.support, 10);
    const correction = (item: number) => Math.log(chances[item]! + 1e-16);
    for (const [items, logq] of [
      [drawn, logUniform.sampled!.logqNegatives!],
      [Array.from(logUniform.targets.data), logUniform.sampled!.logqTargets!],
    ] as const) {
      items.forEach((item, k) => {
        expect(logq.data[k]).toBeCloseTo(correction(item), 5);
      });
    }
    const byPopularity = batchOf(small({ ...given, sampleBy: 'popularity', sampleAlpha: 0.3 }));
    const { negatives, logqNegatives } = byPopularity.sampled!;
    expect(negatives.shape).toEqual([5]);
    Array.from(negatives.data).forEach((item, k) => {
      expect(logqNegatives!.data[k]).toBeCloseTo(0.3 * Math.log(catalogue.support[item]!), 5);
    });
  });

  test.each([
    ['log-uniform', 700 - 655.04],
    ['popularity', 0],
  ])('drawn %s gives a draw that equals the target a score that no other comes near, or none', (sampleBy, expected) => {
    const loss = numberOf(() => {
      const batch = {
        targets: outputItems(Int32Array.of(1)),
        sampled: sampledBatch(Int32Array.of(1), { negatives: Int32Array.of(1) }),
      };
      const config = small({ ...given, sampleBy });
      const table = tensor2d([[0], [-700]]);
      return softmaxLoss(tensor2d([[1]]), { table }, uploaded(batch), 1, softmaxOptions(config, 1));
    });
    expect(loss).toBeCloseTo(expected, 3);
  });
});

test.each([
  ['paper', 0.949438],
  ['library', 0.874438],
])('label smoothing shares its mass as in the %s form', (form, expected) => {
  // Logits 1, 2, 0, −1, 0.5 of five columns; in the library's form padding is one of them.
  const logits = [1, 2, 0, -1, 0.5];
  const loss = numberOf(() => {
    const table = tensor2d((form === 'paper' ? [9, ...logits] : logits).map((x) => [x]));
    const batch = { targets: outputItems(Int32Array.of(form === 'paper' ? 2 : 1)) };
    const n = form === 'paper' ? 5 : 4;
    const options = softmaxOptions(small({ form, labelSmoothing: 0.2 }), n);
    return softmaxLoss(tensor2d([[1]]), { table }, uploaded(batch), n, options);
  });
  expect(loss).toBeCloseTo(expected, 5);
});

test('a permutation hides targets from all that come before them in its order, themselves included', () => {
  const mask = permutationMask({ targets: Uint8Array.of(0, 1, 0, 1), ranks: Int32Array.of(-1, 3, -1, 1) }, 4);
  expect([0, 1, 2, 3].map((i) => Array.from(mask.subarray(4 * i, 4 * i + 4)))).toEqual([
    [0, 1, 0, 1],
    [0, 1, 0, 0],
    [0, 1, 0, 1],
    [0, 1, 0, 1],
  ]);
});

test('replacements come from the batch alone', () => {
  const config = small({ lm: 'electra', objective: 'rtd' });
  const params = initialise(transformers4rec.parameters(config, catalogue), 3);
  const batch = batchOf(config);
  // Of the items, the second loss reads replaced clicks alone.
  const slopes = tidy(() => {
    const at = upload(params);
    const { second } = transformers4recTraining.loss(at, uploaded(batch), config, runOf(ITEMS));
    const loss = second!();
    return grad(() => loss())(at.items!).arraySync() as number[][];
  });
  const met = slopes.flatMap((row, item) => (row.some((slope) => slope !== 0) ? [item] : []));
  // At the start all items are about as likely, and two in three of them nobody clicked.
  expect(met.some((item) => item > 9)).toBe(false);
  expect(met.some((item) => item >= 1 && item <= 9)).toBe(true);
});

test('clm learns every click but the first', () => {
  const { targets } = batchOf(small({ lm: 'gpt2', objective: 'clm' }));
  const sorted = [...targets.data].sort((a, b) => a - b);
  expect(sorted).toEqual([1, 2, 2, 3, 4, 6, 8, 9]);
});
