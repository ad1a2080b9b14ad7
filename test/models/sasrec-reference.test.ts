import {
  gather,
  grads,
  type Scalar,
  type Tensor,
  type Tensor1D,
  type Tensor2D,
  tensor1d,
  tensor2d,
  tidy,
} from '@tensorflow/tfjs-core';
import { beforeAll, describe, expect, test } from 'vitest';
import { startBackend } from '../../src/engine/backends';
import { registerTraining } from '../../src/engine/backends/training';
import { configure } from '../../src/models/configuration';
import type { Run } from '../../src/models/model';
import { initialise } from '../../src/models/parameters';
import { type SasrecConfig, sasrec } from '../../src/models/sasrec';
import { upload } from '../../src/models/tensors';
import { logQ, objectiveLoss } from '../../src/objectives/objective';
import { random } from '../../src/session/random';
import { binaryLoss, fullLoss, predictions, sampledLoss, sasrecVectors, type Weights } from '../reference/sasrec';

const ITEMS = 8;
const SUPPORT = [0, 9, 4, 1, 7, 2, 3, 5, 6];
const SHARED = [3, 1, 4, 4, 7, 2]; // a repeat, and ids that are also targets
const ALPHA = 0.75;
const inference: Run = { dropout: (x) => x };

/** Length 2, a repeat, the maximum, and one beyond it. */
const SESSIONS = [
  [5, 2],
  [3, 3, 7],
  [1, 8, 2, 8, 4, 6],
  [2, 1, 4, 1, 5, 3, 7, 8],
];

beforeAll(async () => {
  await startBackend('cpu');
  await registerTraining();
});

const cases = (['end', 'start'] as const).flatMap((positions) =>
  [1, 2].map((numHeads) => ({ positions, numHeads, hiddenUnits: 4, maxlen: 5, numBlocks: 2 })),
);

/** The same weights in 64 bits for the reference and in 32 for the model; the former are exact copies. */
function draw(config: SasrecConfig): { reference: Weights; params: ReturnType<typeof initialise> } {
  const specs = sasrec.parameters(config, { items: ITEMS });
  const params = initialise(
    Object.fromEntries(
      Object.entries(specs).map(([name, spec]) => [name, { ...spec, init: { kind: 'normal', std: 0.6 } as const }]),
    ),
    11,
  );
  const reference = Object.fromEntries(
    Object.entries(params).map(([name, { data, shape }]) => [name, { data: Float64Array.from(data), shape }]),
  );
  return { reference, params };
}

const far = (a: ArrayLike<number>, b: ArrayLike<number>): number =>
  Array.from(a).reduce((worst, x, i) => Math.max(worst, Math.abs(x - b[i]!)), 0);

describe.each(cases)('form tf with masked padding, positions from $positions, $numHeads heads', (given) => {
  const config = configure(sasrec, { ...given, dropoutRate: 0 });
  const { reference, params } = draw(config);
  const inputs = SESSIONS.map((session) => session.slice(0, -1).slice(-config.maxlen));

  test('gives the vectors of the 64-bit reference after every click', () => {
    tidy(() => {
      const prepared = sasrec.prepare(
        inputs.map((items) => ({ items })),
        config,
        { items: ITEMS },
      );
      const width = prepared.items!.shape[1]!;
      const vectors = sasrec.positions!.encode(upload(params), upload(prepared), config, inference).arraySync();
      inputs.forEach((session, b) => {
        sasrecVectors(reference, session, given).forEach((expected, t) => {
          const column = sasrec.positions!.column(t, session.length, width, config);
          expect(far(vectors[b * width + column]!, expected)).toBeLessThan(1e-5);
        });
      });
    });
  });

  const made = predictions(reference, SESSIONS, given);
  const targets = Int32Array.from(made, ({ target }) => target);
  const generator = random(3, 'negatives');
  const own = made.map(() => [
    1 + generator.integer(ITEMS),
    1 + generator.integer(ITEMS),
    1 + generator.integer(ITEMS),
  ]);
  const losses = [
    { loss: 'ce', of: (w: Weights) => fullLoss(w, predictions(w, SESSIONS, given)), ids: [] as number[] },
    {
      loss: 'sampled',
      of: (w: Weights) => sampledLoss(w, predictions(w, SESSIONS, given), SHARED, SUPPORT, ALPHA, 1),
      ids: SHARED,
    },
    { loss: 'bce', of: (w: Weights) => binaryLoss(w, predictions(w, SESSIONS, given), own), ids: own },
  ] as const;

  test.each(losses)('$loss: equals the reference, and so do its finite differences', ({ loss, of, ids }) => {
    const { objective } = sasrec.training({
      ...config,
      loss,
      sampleAlpha: ALPHA,
      logq: 1,
      nSample: SHARED.length,
      negatives: 3,
    });
    const names = Object.keys(params);
    tidy(() => {
      const prepared = sasrec.prepare(
        inputs.map((items) => ({ items })),
        config,
        { items: ITEMS },
      );
      const arrays = upload(prepared);
      const width = prepared.items!.shape[1]!;
      const rows = inputs.flatMap((session, b) =>
        session.map((_, t) => b * width + sasrec.positions!.column(t, session.length, width, config)),
      );
      const logq = loss === 'sampled' ? logQ(objective, SUPPORT, targets, Int32Array.from(SHARED), 128) : undefined;
      const negatives: Tensor1D | Tensor2D =
        loss === 'bce' ? tensor2d(ids as number[][], undefined, 'int32') : tensor1d(ids as number[], 'int32');
      const ours = (...values: Tensor[]): Scalar => {
        const at = Object.fromEntries(names.map((name, i) => [name, values[i]!]));
        return objectiveLoss(objective, {
          vectors: gather(sasrec.positions!.encode(at, arrays, config, inference), tensor1d(rows, 'int32')),
          outputs: sasrec.outputs(at, config),
          targets: tensor1d(targets, 'int32'),
          negatives,
          ...(logq && { logq: tensor1d(logq) }),
          items: ITEMS,
          nominalBatch: 128,
          params: at,
        });
      };
      const values = names.map((name) => upload(params)[name]!);
      const expected = of(reference);
      expect(Math.abs(ours(...values).dataSync()[0]! - expected) / expected).toBeLessThan(1e-5);

      grads(ours)(values).forEach((gradient, i) => {
        const name = names[i]!;
        const { data } = reference[name]!;
        const differences = Float64Array.from(data, (value, k) => {
          const step = 1e-6;
          // Padding's row is not a weight.
          if (name === 'items' && k < config.hiddenUnits) return 0;
          data[k] = value + step;
          const above = of(reference);
          data[k] = value - step;
          const below = of(reference);
          data[k] = value;
          return (above - below) / (2 * step);
        });
        const largest = Math.max(1e-2, ...differences.map(Math.abs));
        expect(far(gradient.dataSync(), differences) / largest, name).toBeLessThan(1e-4);
      });
    });
  });
});
