import { dispose, tidy } from '@tensorflow/tfjs';
import { beforeAll, describe, expect, test } from 'vitest';
import { configure } from '../../src/models/configuration';
import { type SasrecConfig, sasrec, sasrecHidden } from '../../src/models/sasrec';
import { sasrecTraining } from '../../src/models/sasrec-training';
import { scoringVector } from '../../src/models/scoring';
import { upload } from '../../src/models/tensors';
import { sequences } from '../../src/objectives/examples';
import { random } from '../../src/session/random';
import { expectNoTensorsLeft, start } from '../compute/backends/start';
import {
  binaryLoss,
  calibratedLoss,
  fullLoss,
  outputTable,
  predictions,
  type ReferenceSettings,
  sampledLoss,
  sasrecVectors,
  type Weights,
} from '../reference/sasrec';
import { drawing, INFERENCE, lossAndGradients, withNegatives } from '../reference/through-training';
import { differencesByWeight, drawWeights, expectGradients, far } from '../reference/weights64';
import { logOf } from '../train/helpers';

const ITEMS = 8;
const SUPPORT = [0, 9, 4, 1, 7, 2, 3, 5, 6];
const SHARED = [3, 1, 4, 4, 7, 2]; // a repeat, and ids that are also targets
const ALPHA = 0.75;
const T = 0.6;
const SMOOTHING = 0.2;

/** Length 2, a repeat, the maximum, and one beyond it. */
const SESSIONS = [
  [5, 2],
  [3, 3, 7],
  [1, 8, 2, 8, 4, 6],
  [2, 1, 4, 1, 5, 3, 7, 8],
];
const SIZE = { hiddenUnits: 4, maxlen: 5, numBlocks: 2 };

beforeAll(() => start('cpu'));
expectNoTensorsLeft();

type Loss = SasrecConfig['loss'];

/** A form, what it is in the reference, and which losses are compared in it. */
const forms: [string, Partial<SasrecConfig>, Partial<ReferenceSettings>, readonly Loss[]][] = [
  ['tf, from the end', {}, {}, ['ce', 'sampled', 'bce', 'gbce']],
  ['tf, from the end, two heads', { numHeads: 2 }, {}, ['ce', 'gbce']],
  ['tf, from the start', { positions: 'start' }, {}, ['ce', 'bce']],
  ['tf, from the start, two heads', { positions: 'start', numHeads: 2 }, {}, ['sampled']],
  ['tf of 2020', { outputProjection: 'true', maskPadding: 'false' }, { maskPadding: false }, ['bce']],
  ['pre', { norm: 'pre' }, { norm: 'pre', maskPadding: false }, ['ce']],
  ['pre, padding masked', { norm: 'pre', maskPadding: 'true' }, { norm: 'pre' }, ['bce']],
  ['post', { norm: 'post' }, { norm: 'post', maskPadding: false }, ['gbce']],
  [
    'gSASRec',
    { inputScale: 'none', layerNormEps: 1e-5, reuseItemEmbeddings: false },
    { inputScale: 1, layerNormEps: 1e-5 },
    ['gbce', 'ce'],
  ],
  [
    'cosine, wide GELU layers',
    { norm: 'pre', positions: 'start', scoring: 'cosine', activation: 'gelu', innerSize: 7 },
    { norm: 'pre', cosine: true, temperature: 1 / 16, inputScale: 1, activation: 'gelu' },
    ['ce', 'sampled'],
  ],
  [
    'cosine with a table of its own, and a temperature',
    { scoring: 'cosine', reuseItemEmbeddings: false, temperature: 0.3, inputScale: 'sqrt' },
    { cosine: true, temperature: 0.3 },
    ['sampled'],
  ],
];

describe.each(forms)('%s', (_, given, settings, losses) => {
  const config = configure(sasrec, { numHeads: 1, ...SIZE, ...given, dropoutRate: 0 });
  const { positions, numHeads } = config;
  const plain = { ...SIZE, numHeads, positions, ...settings };
  const { reference, params } = drawWeights(sasrec, config, { items: ITEMS });
  const inputs = SESSIONS.map((session) => ({ items: session.slice(0, -1).slice(-config.maxlen) }));
  const prepared = sasrec.prepare(inputs, config, { items: ITEMS });
  const width = prepared.items!.shape[1]!;
  const places = inputs.flatMap(({ items }, b) =>
    items.map((_, t) => b * width + (positions === 'end' ? width - items.length + t : t)),
  );

  test('gives the vectors of the 64-bit reference after every click', () => {
    const made = predictions(reference, SESSIONS, plain);
    tidy(() => {
      const hidden = sasrecHidden(upload(params), upload(prepared), config, INFERENCE, false);
      const vectors = scoringVector(hidden, config).arraySync();
      const largest = Math.max(1, ...made.flatMap(({ vector }) => vector.map(Math.abs)));
      made.forEach(({ vector }, m) => {
        expect(far(vectors[places[m]!]!, vector) / largest).toBeLessThan(1e-5);
      });
    });
    // Cosine scoring aside they are what the network puts out.
    if (!settings.cosine) expect(made[0]!.vector).toEqual(sasrecVectors(reference, [5], plain)[0]);
  });

  const targets = Int32Array.from(predictions(reference, SESSIONS, plain), ({ target }) => target);
  const generator = random(3, 'negatives');
  const own = Array.from(targets, () => Array.from({ length: 3 }, () => 1 + generator.integer(ITEMS)));
  const of: Record<Loss, (w: Weights) => number> = {
    ce: (w) => fullLoss(outputTable(w, ITEMS, settings.cosine), predictions(w, SESSIONS, plain), SMOOTHING),
    sampled: (w) => {
      const made = predictions(w, SESSIONS, plain);
      const shared = made.map(() => SHARED);
      return sampledLoss(outputTable(w, ITEMS, settings.cosine), made, shared, SUPPORT, ALPHA, 1);
    },
    bce: (w) => binaryLoss(outputTable(w, ITEMS), predictions(w, SESSIONS, plain), own),
    gbce: (w) => calibratedLoss(outputTable(w, ITEMS), predictions(w, SESSIONS, plain), own, T),
  };

  test.each(losses)('%s: equals the reference, and so do its finite differences', (loss) => {
    const training = configure(sasrec, {
      ...config,
      loss,
      sampleAlpha: ALPHA,
      logq: 1,
      nSample: SHARED.length,
      negatives: 3,
      gbceT: T,
      ...(loss === 'ce' && { labelSmoothing: SMOOTHING }),
    });
    const log = { sessions: logOf(SESSIONS), catalogue: { items: ITEMS, support: SUPPORT }, first: 0 };
    const draws = drawing(loss === 'sampled' ? SHARED : undefined, SUPPORT, ALPHA);
    const drawn = sasrecTraining.batch(sequences(log, config.maxlen), log, training, draws);
    expect(drawn.targets.data).toEqual(targets);
    const batch = loss === 'bce' || loss === 'gbce' ? withNegatives(drawn, own.flat()) : drawn;
    const at = upload(params);
    const result = lossAndGradients(sasrecTraining, at, batch, training, log.catalogue);
    const expected = of[loss](reference);
    expect(Math.abs(result.loss.dataSync()[0]! - expected) / expected).toBeLessThan(1e-5);
    // A softmax does not feel a constant added to all keys.
    const felt = Object.fromEntries(Object.entries(reference).filter(([name]) => !name.endsWith('key.b')));
    const fixed = ['items', 'outputs', ...(config.norm === 'tf' ? [] : ['positions'])];
    expectGradients(
      differencesByWeight(felt, () => of[loss](reference), fixed),
      result.gradients,
    );
    dispose([result.loss, ...Object.values(result.gradients), ...Object.values(at)]);
  });
});
