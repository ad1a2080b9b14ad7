import { tensor1d, tidy } from '@tensorflow/tfjs';
import { beforeAll, describe, expect, test } from 'vitest';
import { configure } from '../../src/models/configuration';
import { type Gru4RecConfig, gru4rec } from '../../src/models/gru4rec';
import type { State } from '../../src/models/model';
import { upload } from '../../src/models/tensors';
import { neuralScorer } from '../../src/ranking/neural-scorer';
import { expectNoTensorsLeft, start } from '../compute/backends/start';
import { INFERENCE } from '../reference/through-training';
import { drawWeights, far } from '../reference/weights64';

const ITEMS = 9;
const SUPPORT = Int32Array.of(0, 90, 1, 40, 5, 5, 700, 2, 1, 3);

beforeAll(() => start('cpu'));

expectNoTensorsLeft();

const configOf = (given: Partial<Gru4RecConfig>) => configure(gru4rec, { layers: [6], ...given });

const weights = (config: Gru4RecConfig) => drawWeights(gru4rec, config, { items: ITEMS }, 0.5).params;

const forms: [string, Partial<Gru4RecConfig>][] = [
  ['constrained', {}],
  ['constrained, two layers', { layers: [4, 6] }],
  ['separate', { constrainedEmbedding: false, embedding: 5 }],
  ['one-hot', { constrainedEmbedding: false }],
];

describe.each(forms)('%s', (_, given) => {
  const config = configOf(given);
  const encode = (sessions: readonly number[][]): number[][] =>
    tidy(() => {
      const prepared = gru4rec.prepare(
        sessions.map((items) => ({ items })),
        config,
        { items: ITEMS },
      );
      return gru4rec.encode(upload(weights(config)), upload(prepared), config, INFERENCE).arraySync();
    });

  test('padding leaves a session alone: the same vector in a batch of any width', () => {
    const [alone] = encode([[3, 7]]);
    const [padded] = encode([[3, 7], [1, 2, 3, 4, 5], [8]]);
    expect(far(alone!, padded!)).toBeLessThan(1e-6);
  });

  test('one more click is one step from the state before it', () => {
    const session = [3, 7, 7, 1];
    const stepped = tidy(() => {
      const params = upload(weights(config));
      let state: State = gru4rec.stepping!.start(config, 1);
      for (const item of session) {
        state = gru4rec.stepping!.step(params, state, tensor1d([item], 'int32'), config, INFERENCE);
      }
      return Array.from(gru4rec.stepping!.vector(state).dataSync());
    });
    expect(far(stepped, encode([session])[0]!)).toBeLessThan(1e-6);
  });

  test('hears every click and its order', () => {
    const vectors = encode([[1, 2, 3], [4, 2, 3], [2, 1, 3], [3, 3], [3]]);
    for (let i = 0; i < vectors.length; i++) {
      for (let j = 0; j < i; j++) expect(far(vectors[i]!, vectors[j]!)).toBeGreaterThan(1e-4);
    }
  });

  test('scores are products with the output table and its bias: training’s corrections are not in them', async () => {
    const training = { logq: 1, sampleAlpha: 0.3, dropoutPHidden: 0.5, dropoutPEmbed: 0.5 };
    const trained = configOf({ ...given, ...training });
    const values = weights(trained);
    const params = upload(values);
    const scorer = neuralScorer(gru4rec, params, trained, { items: ITEMS, support: SUPPORT });
    const scores = await scorer.score([{ items: [3, 7] }]);
    const vector = encode([[3, 7]])[0]!;
    const expected = Array.from({ length: ITEMS }, (_, k) => {
      const row = values.items!.data.subarray((k + 1) * 6, (k + 2) * 6);
      return vector.reduce((total, x, j) => total + x * row[j]!, values.bias!.data[k + 1]!);
    });
    expect(scores).toHaveLength(ITEMS);
    expect(far(scores, expected)).toBeLessThan(1e-5);
    scorer.dispose();
    for (const value of Object.values(params)) value.dispose();
  });
});
