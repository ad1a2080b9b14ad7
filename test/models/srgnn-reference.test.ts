import { tidy } from '@tensorflow/tfjs-core';
import { describe, expect, test } from 'vitest';
import { configure } from '../../src/models/configuration';
import { srgnn } from '../../src/models/srgnn';
import { upload } from '../../src/models/tensors';
import { differentiate, trainee } from '../../src/train/step';
import { backends, start } from '../engine/backends/start';
import { srgnnLoss, srgnnVector } from '../reference/srgnn';
import { drawWeights, expectGradients, far, finiteDifferences } from '../reference/weights64';

const ITEMS = 8;
/** One click, transitions that occur twice, an item straight after itself, only one item, and a session of all kinds. */
const SESSIONS = [[4], [5, 7, 5, 7, 5, 8], [3, 3, 8], [6, 6, 6], [1, 2, 3, 2, 4, 1, 2]];
const TARGETS = [2, 8, 3, 6, 7];

const cases = [
  { cell: 'code', edges: 'binary', readout: 'hybrid', step: 1 },
  { cell: 'code', edges: 'counted', readout: 'hybrid', step: 2 },
  { cell: 'code', edges: 'binary', readout: 'local', step: 2 },
  { cell: 'code', edges: 'counted', readout: 'global', step: 1 },
  { cell: 'paper', edges: 'binary', readout: 'global', step: 1 },
  { cell: 'paper', edges: 'counted', readout: 'hybrid', step: 3 },
  { cell: 'paper', edges: 'counted', readout: 'local', step: 1 },
  { cell: 'paper', edges: 'counted', readout: 'hybrid', step: 1, loss: 'binary' },
] as const;

const catalogue = { items: ITEMS };
const sessions = SESSIONS.map((items) => ({ items }));

describe.each(cases)('$cell cell, $edges edges, $readout, $step rounds', (settings) => {
  const config = configure(srgnn, { ...settings, hiddenSize: 4 });
  const { params, reference } = drawWeights(srgnn, config, catalogue);
  const lossOf = () => srgnnLoss(reference, SESSIONS, TARGETS, settings);
  const differences = finiteDifferences(reference, lossOf);

  test.each(backends)('has vectors, loss and gradients of the 64-bit reference on %s', async (backend) => {
    await start(backend);
    tidy(() => {
      const inputs = srgnn.prepare(sessions, config, catalogue);
      const uploaded = upload(params);
      const vectors = srgnn.encode(uploaded, upload(inputs), config, { dropout: (x) => x }).arraySync();
      SESSIONS.forEach((session, b) => {
        expect(far(vectors[b]!, srgnnVector(reference, session, settings))).toBeLessThan(1e-5);
      });
      const { loss, gradients } = differentiate(
        trainee(srgnn, config, catalogue),
        uploaded,
        { inputs, targets: Int32Array.from(TARGETS), negatives: { ids: new Int32Array(0), perTarget: false } },
        { dropout: (x) => x },
      );
      expect(loss.dataSync()[0]! / lossOf()).toBeCloseTo(1, 5);
      expectGradients(differences, gradients);
    });
  });
});
