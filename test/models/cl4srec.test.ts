import { beforeAll, describe, expect, test } from 'vitest';
import { type Cl4srecConfig, cl4srec } from '../../src/models/cl4srec';
import { augmentations, sasrecConfig } from '../../src/models/cl4srec-spec';
import { cl4srecTraining } from '../../src/models/cl4srec-training';
import { configure } from '../../src/models/configuration';
import { initialise } from '../../src/models/initialise';
import { type SasrecConfig, sasrec } from '../../src/models/sasrec';
import { sasrecTraining } from '../../src/models/sasrec-training';
import { upload } from '../../src/models/tensors';
import { neuralScorer } from '../../src/ranking/neural-scorer';
import { random } from '../../src/session/random';
import { Trainer } from '../../src/train/trainer';
import type { NdArray } from '../../src/types';
import { expectNoTensorsLeft, start } from '../compute/backends/start';
import { bitsOf, logOf, supportOf } from '../train/helpers';

const ITEMS = 12;
/** Sessions of 1 to 7 clicks; some are equal. */
const { integer } = random(5, 'log');
const sessions = logOf([
  ...Array.from({ length: 40 }, () => Array.from({ length: 1 + integer(7) }, () => 1 + integer(ITEMS))),
  [1, 2, 3],
  [1, 2, 3],
]);
const catalogue = { items: ITEMS, support: supportOf(sessions, ITEMS) };
const SMALL = {
  hiddenUnits: 8,
  numHeads: 2,
  maxlen: 5,
  numBlocks: 1,
  dropoutRate: 0.3,
  batchSize: 16,
  lr: 0.01,
} as const;

beforeAll(() => start('cpu'));

expectNoTensorsLeft();

const trainerOf = (given: Partial<Cl4srecConfig>) =>
  new Trainer({
    training: cl4srecTraining,
    config: configure(cl4srec, { ...SMALL, ...given }),
    catalogue,
    sessions,
    seed: 3,
    epochs: 3,
  });

async function train<C>(trainer: Trainer<C>, epochs = 3) {
  const losses: number[] = [];
  const measures: (Readonly<Record<string, number>> | undefined)[] = [];
  for (let e = 0; e < epochs; e++) {
    losses.push(await trainer.runEpoch());
    measures.push(trainer.measures);
  }
  const weights: Record<string, NdArray> = await trainer.weights();
  trainer.dispose();
  return { losses, measures, weights };
}

describe('with λ = 0', () => {
  test.each<Partial<SasrecConfig>>([
    { loss: 'bce', lr: 0.002 },
    { loss: 'ce', norm: 'pre', positions: 'start', lrSchedule: 'linear' },
    { loss: 'sampled', nSample: 5, sparseUpdates: true, norm: 'post' },
    { loss: 'gbce', negatives: 4, batching: 'same-length', batchClicks: 12 },
    { loss: 'ce', scoring: 'cosine', activation: 'gelu' },
  ])('it is SASRec, bit for bit in losses and weights: %o', async (given) => {
    const config = configure(sasrec, { ...SMALL, ...given });
    const options = { training: sasrecTraining, config, catalogue, sessions, seed: 3, epochs: 3 };
    const plain = await train(new Trainer(options));
    const ours = await train(trainerOf({ ...given, lambda: 0 }));
    expect(ours.losses).toEqual(plain.losses);
    expect(bitsOf(ours.weights)).toEqual(bitsOf(plain.weights));
    expect(ours.measures).toEqual([undefined, undefined, undefined]);
  });

  test('a main loss of another weight is that many times SASRec’s', async () => {
    const [once, twice] = [
      await train(trainerOf({ lambda: 0 }), 1),
      await train(trainerOf({ lambda: 0, recWeight: 2 }), 1),
    ];
    expect(twice.losses[0]).not.toBe(once.losses[0]);
    const first = async (recWeight: number) => {
      const result = await train(trainerOf({ lambda: 0, recWeight, batchSize: 1000, dropoutRate: 0 }), 1);
      return result.losses[0]!;
    };
    expect((await first(2)) / (await first(1))).toBeCloseTo(2, 6);
  });
});

describe('with λ above 0', () => {
  const start0 = (given: Partial<Cl4srecConfig>) =>
    initialise(cl4srec.parameters(configure(cl4srec, { ...SMALL, ...given }), catalogue), 3);

  test('it starts where SASRec starts, with one row more: the mask token’s', () => {
    const [plain, ours] = [start0({ lambda: 0 }), start0({ lambda: 0.1 })];
    expect(ours.items!.shape).toEqual([ITEMS + 2, 8]);
    expect(Array.from(ours.items!.data.subarray(0, plain.items!.data.length))).toEqual(Array.from(plain.items!.data));
    expect(ours.items!.data.subarray(plain.items!.data.length).every((x) => x !== 0)).toBe(true);
    for (const name of Object.keys(plain)) if (name !== 'items') expect(ours[name]).toEqual(plain[name]);
  });

  test('the loss is that of SASRec and λ times the contrastive one, which is measured beside it', async () => {
    const once = { batchSize: 1000, dropoutRate: 0 };
    const [plain, joint] = [
      await train(trainerOf({ ...once, lambda: 0 }), 1),
      await train(trainerOf({ ...once, lambda: 0.4 }), 1),
    ];
    const { contrastive, positiveSimilarity, negativeSimilarity } = joint.measures[0]!;
    expect(joint.losses[0]).toBeCloseTo(plain.losses[0]! + 0.4 * contrastive!, 4);
    // Layer-normed vectors have the length √d.
    expect(positiveSimilarity!).toBeLessThanOrEqual(8.001);
    expect(positiveSimilarity!).toBeGreaterThan(negativeSimilarity!);
  });

  test.each([false, true])(
    'the mask token learns, padding does not; updates of touched rows only: %s',
    async (sparse) => {
      const given = { lambda: 0.5, loss: 'bce', sparseUpdates: sparse } as const;
      const before = start0(given).items!.data;
      const { weights } = await train(trainerOf(given), 1);
      const after = weights.items!.data;
      expect(after.subarray(0, 8).every((x) => x === 0)).toBe(true);
      const moved = Array.from(after.subarray((ITEMS + 1) * 8), (x, j) => Math.abs(x - before[(ITEMS + 1) * 8 + j]!));
      expect(Math.max(...moved)).toBeGreaterThan(1e-3);
    },
  );

  test('views of one session come together, those of different sessions apart', async () => {
    // Session s clicks on two items of its own in turn; a view is one of its clicks.
    const log = logOf(Array.from({ length: 6 }, (_, s) => [0, 1, 0, 1, 0, 1].map((t) => 1 + 2 * s + t)));
    const views = { cropRatio: 0.2, maskRatio: 0, reorderRatio: 0, similarity: 'cosine', tau: 0.2 } as const;
    const config = configure(cl4srec, { ...SMALL, ...views, lambda: 1, recWeight: 0, dropoutRate: 0 });
    const trainer = new Trainer({ training: cl4srecTraining, config, catalogue, sessions: log, seed: 3 });
    const { losses, measures } = await train(trainer, 60);
    expect(losses).toEqual(measures.map((m) => m!.contrastive!));
    const gap = (m: (typeof measures)[number]) => m!.positiveSimilarity! - m!.negativeSimilarity!;
    expect(Math.min(...measures.slice(-5).map(gap))).toBeGreaterThan(0.5 + gap(measures[0]));
    expect(Math.max(...losses.slice(-5))).toBeLessThan(losses[0]! / 2);
  });
});

describe('for inference', () => {
  test.each(['sasrec', 'coserec'] as const)('encoder %s ranks the items, never the mask token', async (encoder) => {
    const config = configure(cl4srec, { ...SMALL, encoder });
    const values = initialise(cl4srec.parameters(config, catalogue), 1);
    // The mask token would win by far.
    values.items!.data.fill(1000, (ITEMS + 1) * 8);
    const params = upload(values);
    const scorer = neuralScorer(cl4srec, params, config, catalogue);
    const scores = await scorer.score([{ items: [3, 4] }, { items: [1, 2, 3, 4, 5, 6, 7] }]);
    expect(scores).toHaveLength(2 * ITEMS);
    expect(Math.max(...scores.map(Math.abs))).toBeLessThan(500);
    scorer.dispose();
    for (const param of Object.values(params)) param.dispose();
  });

  test('it is SASRec: the same weights give the same scores, to the bit', async () => {
    const scoresOf = async (
      model: typeof sasrec | typeof cl4srec,
      config: Cl4srecConfig & SasrecConfig,
      items: NdArray,
    ) => {
      const params = upload({ ...initialise(sasrec.parameters(config, catalogue), 2), items });
      const scorer = neuralScorer(model as typeof cl4srec, params, config, catalogue);
      const scores = await scorer.score([{ items: [3, 4, 3] }, { items: [7] }]);
      scorer.dispose();
      for (const param of Object.values(params)) param.dispose();
      return Array.from(scores);
    };
    const config = sasrecConfig(configure(cl4srec, { ...SMALL, lambda: 0.1 }));
    const { items } = initialise(cl4srec.parameters(config, catalogue), 2);
    const plain = { data: items!.data.slice(0, (ITEMS + 1) * 8), shape: [ITEMS + 1, 8] };
    expect(await scoresOf(cl4srec, config, items!)).toEqual(await scoresOf(sasrec, config, plain));
  });
});

describe('the encoder of CoSeRec', () => {
  test('trains with both losses', async () => {
    const { losses, measures } = await train(trainerOf({ encoder: 'coserec', loss: 'bce', lambda: 0.1, tau: 5 }), 3);
    expect(losses.at(-1)!).toBeLessThan(losses[0]!);
    expect(Number.isFinite(measures.at(-1)!.contrastive)).toBe(true);
  });

  test('starts as its code does: N(0, 0.02), widened four times, biases at zero', () => {
    const config = configure(cl4srec, { ...SMALL, encoder: 'coserec', hiddenUnits: 48 });
    const values = initialise(cl4srec.parameters(config, catalogue), 3);
    const spread = ({ data }: NdArray) => Math.sqrt(Array.from(data).reduce((a, x) => a + x * x, 0) / data.length);
    expect(values['blocks.0.feed.inner.w']!.shape).toEqual([48, 192]);
    expect(spread(values['blocks.0.feed.inner.w']!) / 0.02).toBeCloseTo(1, 1);
    expect(spread(values['blocks.0.feed.inner.b']!)).toBe(0);
    expect(spread(values.norm ?? values['norm.gain']!)).toBe(1);
  });
});

describe('the configuration', () => {
  const refused = (given: Partial<Cl4srecConfig>, message: RegExp) =>
    expect(() => configure(cl4srec, given)).toThrow(
      expect.objectContaining({ code: 'bad-config', message: expect.stringMatching(message) }),
    );

  test('has SASRec’s defaults', () => {
    expect(sasrecConfig(configure(cl4srec))).toMatchObject(configure(sasrec));
  });

  test('refuses what does not go together, and says why', () => {
    refused({ cropRatio: 0, maskRatio: 0, reorderRatio: 0 }, /"lambda" above 0 needs views/);
    refused({ lambda: 0, recWeight: 0 }, /both 0/);
    refused({ encoder: 'coserec', positions: 'start' }, /"positions" belongs to encoder "sasrec"/);
    refused({ encoder: 'coserec', scoring: 'cosine' }, /"scoring" belongs to encoder "sasrec"/);
    refused({ hiddenUnits: 9, numHeads: 2 }, /cl4srec: "hiddenUnits" must be a multiple/);
    expect(configure(cl4srec, { lambda: 0, cropRatio: 0, maskRatio: 0, reorderRatio: 0 }).lambda).toBe(0);
  });

  test('leaves an augmentation out at ratio 0', () => {
    const config = configure(cl4srec, { cropRatio: 0, reorderRatio: 0.4 });
    expect(augmentations(config)).toEqual([
      { kind: 'mask', ratio: 0.3 },
      { kind: 'reorder', ratio: 0.4 },
    ]);
    expect(config).toMatchObject({ lambda: 0.1, similarity: 'dot', tau: 1 });
  });
});
