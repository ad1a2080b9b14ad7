/**
 * Each architecture against its 64-bit reference at random sizes: widths, layers, heads, filters, rounds, catalogues and
 * session lengths, so that nothing holds at the sizes of the other tests alone. Few draws in `npm test`, hundreds in
 * `npm run soak`.
 */
import { tidy } from '@tensorflow/tfjs';
import { beforeAll, describe, expect, test } from 'vitest';
import { caser } from '../../src/models/caser';
import { configure } from '../../src/models/configuration';
import { gru4rec } from '../../src/models/gru4rec';
import type { SessionModel } from '../../src/models/model';
import { sasrec } from '../../src/models/sasrec';
import { srgnn } from '../../src/models/srgnn';
import { upload } from '../../src/models/tensors';
import { transformers4rec } from '../../src/models/transformers4rec/transformers4rec';
import { catalogueScores } from '../../src/nn/scores';
import { random } from '../../src/session/random';
import { start } from '../compute/backends/start';
import { caserVector } from '../reference/caser';
import { gruStep } from '../reference/gru4rec';
import { sasrecVectors } from '../reference/sasrec';
import { srgnnVector } from '../reference/srgnn';
import { INFERENCE } from '../reference/through-training';
import { scores, states } from '../reference/transformers4rec';
import { drawWeights, far, type Weights } from '../reference/weights64';
import { isSoak } from '../soak-slice';

const ROUNDS = isSoak ? 300 : 5;

type Draw = (from: number, to: number) => number;
type Given = Record<string, unknown>;

interface Subject {
  readonly model: SessionModel<never>;
  /** Random sizes; every number from the draw. */
  config(draw: Draw, pick: <T>(choices: readonly T[]) => T): Given;
  /** Clicks that count at most; undefined: all. */
  longest(config: Given): number | undefined;
  /** The session's vector, or with `scores` those of items 1…n. */
  expected(weights: Weights, clicks: readonly number[], config: Given): readonly number[];
  readonly scores?: true;
}

const PAIRS = [
  ['gru', 'clm'],
  ['gpt2', 'clm'],
  ['transformer-xl', 'clm'],
  ['bert', 'mlm'],
  ['electra', 'rtd'],
  ['xlnet', 'clm'],
  ['xlnet', 'mlm'],
  ['xlnet', 'plm'],
] as const;

const SUBJECTS: Readonly<Record<string, Subject>> = {
  gru4rec: {
    model: gru4rec as never,
    config: (draw, pick) => ({
      layers: Array.from({ length: draw(1, 3) }, () => draw(1, 9)),
      ...pick([{}, { constrainedEmbedding: false }, { constrainedEmbedding: false, embedding: draw(1, 9) }]),
    }),
    longest: () => undefined,
    expected(weights, clicks, config) {
      const { layers } = config as { layers: number[] };
      const embedding =
        config.constrainedEmbedding === true ? 'constrained' : config.embedding === 0 ? 'one-hot' : 'separate';
      const settings = { ...config, embedding } as Parameters<typeof gruStep>[3];
      const zero = layers.map((h) => Array<number>(h).fill(0));
      return clicks.reduce((state, item) => gruStep(weights, item, state, settings), zero).at(-1)!;
    },
  },
  sasrec: {
    model: sasrec as never,
    config(draw, pick) {
      const numHeads = draw(1, 4);
      return {
        numHeads,
        hiddenUnits: numHeads * draw(1, 4),
        numBlocks: draw(1, 3),
        maxlen: draw(1, 9),
        innerSize: draw(1, 9),
        norm: pick(['tf', 'pre', 'post']),
        positions: pick(['end', 'start']),
        maskPadding: 'true',
      };
    },
    longest: ({ maxlen }) => maxlen as number,
    expected: (weights, clicks, config) =>
      sasrecVectors(weights, clicks, {
        ...(config as unknown as Parameters<typeof sasrecVectors>[2]),
        maskPadding: true,
        inputScale: Math.sqrt(config.hiddenUnits as number),
        activation: 'relu',
      }).at(-1)!,
  },
  srgnn: {
    model: srgnn as never,
    config: (draw, pick) => ({
      hiddenSize: draw(1, 9),
      step: draw(1, 4),
      maxlen: draw(1, 12),

      edges: pick(['binary', 'counted']),
      ...pick([{ readout: 'local' }, { readout: 'hybrid' }, { readout: 'global', positions: 'reverse' }]),
      ...pick([{}, { scoring: 'cosine', temperature: 1 }]),
    }),
    longest: ({ maxlen }) => maxlen as number,
    expected: (weights, clicks, config) =>
      srgnnVector(weights, clicks, {
        ...(config as unknown as Parameters<typeof srgnnVector>[2]),
        ...(config.scoring === 'cosine' && { cosine: true, factor: Math.sqrt(config.hiddenSize as number) / 2 }),
        temperature: 1,
      }),
  },
  caser: {
    model: caser as never,
    config: (draw, pick) => ({
      d: draw(1, 8),
      L: draw(1, 7),
      nh: draw(1, 4),
      nv: draw(1, 4),
      profile: pick(['session', 'shared', 'none']),

      acConv: pick(['relu', 'tanh', 'sigm', 'iden']),
      acFc: pick(['relu', 'tanh']),
      padding: pick(['zero', 'trained']),
    }),
    longest: () => undefined,
    expected: (weights, clicks, config) =>
      caserVector(weights, { items: clicks }, config as unknown as Parameters<typeof caserVector>[2]),
  },
  transformers4rec: {
    model: transformers4rec as never,
    scores: true,
    config(draw, pick) {
      const nHead = draw(1, 4);
      const [lm, objective] = pick(PAIRS);
      return {
        lm,
        objective,
        form: pick(['paper', 'library']),
        padding: 'hidden',
        nHead,
        dModel: 2 * nHead * draw(1, 3),
        itemEmbeddingDim: draw(1, 9),
        nLayer: draw(1, 3),
        dInner: draw(1, 9),
        totalSeqLength: draw(2, 9),
      };
    },
    longest: ({ totalSeqLength }) => (totalSeqLength as number) - 1,
    expected(weights, clicks, config) {
      const settings = config as unknown as Parameters<typeof states>[2];
      const columns = clicks.map((item) => ({ item }));
      const { objective } = config;
      const h =
        objective === 'clm'
          ? states(weights, columns, settings)
          : objective === 'plm'
            ? states(weights, [...columns, {}], settings, {}, (_, j) => j === clicks.length)
            : states(weights, [...columns, { masked: true }], settings);
      return scores(weights, h.at(-1)!, settings).slice(config.form === 'paper' ? 0 : 1);
    },
  },
};

beforeAll(() => start('cpu'));

describe.each(Object.entries(SUBJECTS))('%s', (name, { model, config: drawConfig, longest, expected, ...subject }) => {
  const rounds = Array.from({ length: ROUNDS }, (_, round) => round);

  test.each(rounds)('is its 64-bit reference at random sizes, draw %i', (round) => {
    const { integer } = random(round, 'sizes', name);
    const draw: Draw = (from, to) => from + integer(to - from + 1);
    const given = drawConfig(draw, (choices) => choices[integer(choices.length)]!);
    const config = configure(model, given);
    const items = draw(1, 40);
    const sessions = Array.from({ length: draw(1, 5) }, () =>
      Array.from({ length: draw(1, 14) }, () => draw(1, items)),
    );
    const { params, reference } = drawWeights(model, config, { items }, 0.4);
    const most = longest(config);
    tidy(() => {
      const uploaded = upload(params);
      const inputs = sessions.map((clicks) => ({ items: clicks }));
      const prepared = upload(model.prepare(inputs, config, { items }));
      const vectors = model.encode(uploaded, prepared, config, INFERENCE);
      const ours = subject.scores ? catalogueScores(vectors, model.outputs(uploaded, config), items) : vectors;
      const rows = ours.arraySync();
      sessions.forEach((clicks, b) => {
        const theirs = expected(reference, most === undefined ? clicks : clicks.slice(-most), config);
        const largest = Math.max(1, ...theirs.map(Math.abs));
        expect(far(rows[b]!, theirs) / largest, `${JSON.stringify(given)}, clicks ${clicks}`).toBeLessThan(3e-5);
      });
    });
  });
});
