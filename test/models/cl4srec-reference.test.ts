import { dispose } from '@tensorflow/tfjs';
import { beforeAll, describe, expect, test } from 'vitest';
import { type Cl4srecConfig, cl4srec } from '../../src/models/cl4srec';
import { augmentations } from '../../src/models/cl4srec-spec';
import { cl4srecTraining } from '../../src/models/cl4srec-training';
import { configure } from '../../src/models/configuration';
import { upload } from '../../src/models/tensors';
import { drawViews } from '../../src/objectives/augmentations';
import { sequences } from '../../src/objectives/examples';
import { random } from '../../src/session/random';
import { expectNoTensorsLeft, start } from '../compute/backends/start';
import {
  binaryLoss,
  calibratedLoss,
  contrastiveLoss,
  fullLoss,
  outputTable,
  predictions,
  type ReferenceSettings,
  sampledLoss,
  sasrecVectors,
  type Weights,
} from '../reference/sasrec';
import { drawing, lossAndGradients, withNegatives } from '../reference/through-training';
import { differencesByWeight, drawWeights, expectGradients } from '../reference/weights64';
import { logOf } from '../train/helpers';

const ITEMS = 8;
const SUPPORT = [0, 9, 4, 1, 7, 2, 3, 5, 6];
const SHARED = [3, 1, 4, 4, 7, 2];
const SESSIONS = [
  [5, 2],
  [1, 8, 2, 8, 4, 6],
  [3, 3, 7],
  [2, 1, 4, 1, 5, 3, 7, 8],
];
const SIZE = { hiddenUnits: 4, maxlen: 5, numBlocks: 1 };

beforeAll(() => start('cpu'));
expectNoTensorsLeft();

/** SASRec's forms below it, each with another loss. */
const cases: [string, Partial<Cl4srecConfig>, Partial<ReferenceSettings>][] = [
  ['form tf, bce', { loss: 'bce', lambda: 0.7, numHeads: 2 }, {}],
  ['form pre, ce, from the start', { loss: 'ce', norm: 'pre', positions: 'start', lambda: 0.5 }, { norm: 'pre' }],
  [
    'form post, sampled, cosine views',
    { loss: 'sampled', norm: 'post', lambda: 1.5, similarity: 'cosine', tau: 0.4 },
    { norm: 'post', maskPadding: false },
  ],
  ['gbce, weighted main loss', { loss: 'gbce', recWeight: 0.3, lambda: 0.2, tau: 2 }, {}],
  [
    'cosine scoring: views compare what it does not scale',
    { loss: 'ce', scoring: 'cosine', temperature: 0.5, lambda: 0.3 },
    { cosine: true, temperature: 0.5, inputScale: Math.sqrt(SIZE.hiddenUnits) / 2 },
  ],
];

describe.each(cases)('%s', (_, given, settings) => {
  const config = configure(cl4srec, {
    numHeads: 1,
    ...SIZE,
    ...given,
    dropoutRate: 0,
    negatives: 3,
    sampleAlpha: 0.75,
    nSample: SHARED.length,
    cropRatio: 0.6,
    maskRatio: 0.5,
    reorderRatio: 0.8,
  });
  const { positions, numHeads, loss, lambda, recWeight, tau } = config;
  const plain = { ...SIZE, numHeads, positions, ...settings };
  const { reference, params } = drawWeights(cl4srec, config, { items: ITEMS });
  const inputs = SESSIONS.map((session) => ({ items: session.slice(0, -1).slice(-config.maxlen) }));
  const views = drawViews(inputs, augmentations(config), ITEMS + 1, random(1, 'views'));
  const made = (w: Weights) => predictions(w, SESSIONS, plain);
  const targets = Int32Array.from(made(reference), ({ target }) => target);
  const { integer } = random(3, 'negatives');
  const own = Array.from(targets, () => Array.from({ length: 3 }, () => 1 + integer(ITEMS)));

  const main = (w: Weights): number => {
    const table = outputTable(w, ITEMS, settings.cosine);
    switch (loss) {
      case 'ce':
        return fullLoss(table, made(w));
      case 'sampled':
        return sampledLoss(
          table,
          made(w),
          Array.from(targets, () => SHARED),
          SUPPORT,
          0.75,
          1,
        );
      case 'bce':
        return binaryLoss(table, made(w), own);
      case 'gbce':
        return calibratedLoss(table, made(w), own, 0.75);
    }
  };
  // The vector of a view is that of its last click; the mask token is a click like any other.
  const contrastive = (w: Weights): number =>
    contrastiveLoss(
      views.map(({ items }) => sasrecVectors(w, Array.from(items), plain).at(-1)!),
      tau,
      config.similarity === 'cosine',
    );
  const joint = (w: Weights): number => recWeight * main(w) + lambda * contrastive(w);

  test('the joint loss and its gradients are those of the 64-bit reference', () => {
    expect(views.flatMap(({ items }) => Array.from(items))).toContain(ITEMS + 1);
    const log = { sessions: logOf(SESSIONS), catalogue: { items: ITEMS, support: SUPPORT }, first: 0 };
    const draws = drawing(loss === 'sampled' ? SHARED : undefined, SUPPORT, config.sampleAlpha);
    const drawn = cl4srecTraining.batch(sequences(log, config.maxlen), log, config, draws);
    expect(drawn.targets.data).toEqual(targets);
    const batch = loss === 'bce' || loss === 'gbce' ? withNegatives(drawn, own.flat()) : drawn;
    const at = upload(params);
    const { gradients, measures, ...result } = lossAndGradients(cl4srecTraining, at, batch, config, log.catalogue);
    expect(result.loss.dataSync()[0]! / joint(reference)).toBeCloseTo(1, 5);
    expect(measures!.contrastive!.dataSync()[0]! / contrastive(reference)).toBeCloseTo(1, 4);
    const felt = Object.fromEntries(Object.entries(reference).filter(([name]) => !name.endsWith('key.b')));
    const fixed = ['items', 'outputs', ...(config.norm === 'tf' ? [] : ['positions'])];
    expectGradients(
      differencesByWeight(felt, () => joint(reference), fixed),
      gradients,
    );
    // The mask token learns from views alone.
    const d = config.hiddenUnits;
    const ofMask = gradients.items!.dataSync().subarray((ITEMS + 1) * d);
    expect(ofMask).toHaveLength(d);
    expect(Math.max(...ofMask.map(Math.abs))).toBeGreaterThan(1e-5);
    dispose([result.loss, ...Object.values(gradients), ...Object.values(measures!), ...Object.values(at)]);
  });
});
