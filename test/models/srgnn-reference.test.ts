import { tidy } from '@tensorflow/tfjs';
import { describe, expect, test } from 'vitest';
import { configure } from '../../src/models/configuration';
import { type SrgnnConfig, srgnn } from '../../src/models/srgnn';
import { srgnnTraining } from '../../src/models/srgnn-training';
import { upload } from '../../src/models/tensors';
import { backends, start } from '../compute/backends/start';
import { type ReferenceSettings, srgnnLoss, srgnnVector } from '../reference/srgnn';
import { drawing, INFERENCE, lossAndGradients } from '../reference/through-training';
import { differencesByWeight, drawWeights, expectGradients, far } from '../reference/weights64';
import { isSoak } from '../soak-slice';
import { logOf } from '../train/helpers';

const ITEMS = 8;
const SIZE = 5;
/** One click, transitions that occur twice, an item straight after itself, only one item, and a session of all kinds. */
const SESSIONS = [[4], [5, 7, 5, 7, 5, 8], [3, 3, 8], [6, 6, 6], [1, 2, 3, 2, 4, 1, 2]];
const TARGETS = [2, 8, 3, 6, 7];

const SAMPLED = { negatives: [2, 5, 6, 2, 8], support: [0, 9, 1, 4, 2, 7, 3, 1, 5], alpha: 0.5, logq: 1 };

type Given = Partial<SrgnnConfig> & Omit<ReferenceSettings, 'temperature'>;
const HYBRID = { edges: 'binary', readout: 'hybrid', step: 1 } as const;
const cases: Given[] = [
  HYBRID,
  { edges: 'counted', readout: 'hybrid', step: 2 },
  { edges: 'binary', readout: 'local', step: 2 },
  { edges: 'counted', readout: 'global', step: 1 },
  { edges: 'binary', readout: 'global', step: 1 },
  { edges: 'counted', readout: 'hybrid', step: 3 },
  { edges: 'counted', readout: 'local', step: 1 },
  { edges: 'counted', readout: 'hybrid', step: 1, loss: 'binary' },
  { ...HYBRID, positions: 'reverse', labelSmoothing: 0.2 },
  { ...HYBRID, readout: 'global', positions: 'reverse', loss: 'sampled' },
  { ...HYBRID, positions: 'reverse', loss: 'sampled', scoring: 'cosine' },
  { ...HYBRID, readout: 'local', step: 2, scoring: 'cosine', temperature: 0.3 },
  { ...HYBRID, scoring: 'cosine' },
];

const catalogue = { items: ITEMS, support: SAMPLED.support };
const sessions = SESSIONS.map((items) => ({ items }));

// Finite differences take two seconds each: `npm test` takes the first and every other case, which have all kinds of edges, readouts and losses.
describe.each(cases.filter((_, n) => isSoak || n % 2 === 1 || n === 0))('%o', (given) => {
  const config = configure(srgnn, {
    hiddenSize: SIZE,
    maxlen: 7,
    nSample: SAMPLED.negatives.length,
    sampleAlpha: SAMPLED.alpha,
    ...given,
  });
  const cosine = config.scoring === 'cosine';
  const temperature = given.temperature ?? (cosine ? 1 / 16 : 1);
  const settings: ReferenceSettings = { ...given, cosine, temperature, factor: cosine ? Math.sqrt(SIZE) / 2 : 1 };
  const sampled = config.loss === 'sampled' ? SAMPLED : undefined;
  const { params, reference } = drawWeights(srgnn, config, catalogue);
  const lossOf = () => srgnnLoss(reference, SESSIONS, TARGETS, settings, sampled);
  const differences = differencesByWeight(reference, lossOf);

  test.each(backends)('has vectors, loss and gradients of the 64-bit reference on %s', async (backend) => {
    await start(backend);
    tidy(() => {
      const inputs = srgnn.prepare(sessions, config, catalogue);
      const uploaded = upload(params);
      const vectors = srgnn.encode(uploaded, upload(inputs), config, INFERENCE).arraySync();
      SESSIONS.forEach((session, b) => {
        expect(far(vectors[b]!, srgnnVector(reference, session, settings))).toBeLessThan(1e-5 / temperature);
      });
      const log = { sessions: logOf(SESSIONS.map((items, b) => [...items, TARGETS[b]!])), catalogue, first: 0 };
      const { offsets } = log.sessions;
      const rows = SESSIONS.map(({ length }, source) => {
        const from = offsets[source]!;
        return { source, from, firstTarget: from + length, end: from + length + 1 };
      });
      const draws = drawing(sampled?.negatives, SAMPLED.support, SAMPLED.alpha);
      const batch = srgnnTraining.batch(rows, log, config, draws);
      const { loss, gradients } = lossAndGradients(srgnnTraining, uploaded, batch, config, catalogue);
      expect(loss.dataSync()[0]! / lossOf()).toBeCloseTo(1, 5);
      expectGradients(differences, gradients);
    });
  });
});

test('trains on every prefix of every session with the click after it', () => {
  const config = configure(srgnn, { maxlen: 2 });
  const log = { sessions: logOf([[1, 2, 3, 4], [5], [6, 7]]), catalogue, first: 0 };
  const rows = [...srgnnTraining.rows(log, config, drawing())].flat();
  const seen = rows.map(({ from, firstTarget, end }) => [from, firstTarget, end]).sort();
  expect(seen).toEqual([[0, 1, 2], [0, 2, 3], [1, 3, 4], [5, 6, 7]]); // biome-ignore format: one line
});
