/**
 * Logs whose next item follows a rule that a model must find; items are unique within a session. `npm test` runs the quickest
 * case of each architecture, `npm run soak` all.
 */
import { beforeAll, expect, test } from 'vitest';
import { configure } from '../../src/models/configuration';
import { models } from '../../src/models/index';
import { neuralScorer } from '../../src/ranking/neural-scorer';
import { random } from '../../src/session/random';
import { Trainer } from '../../src/train/trainer';
import { start } from '../compute/backends/start';
import { sessionsOf } from '../neighbours/fixtures';
import { slice } from '../soak-slice';
import { supportOf } from '../train/helpers';

interface Rule {
  readonly items: number;
  session(integer: (below: number) => number): number[];
  /** Clicks before the first that the rule tells. */
  readonly known: number;
}

const RULES = {
  /** Steps of one size around a ring: xₜ = 2 xₜ₋₁ − xₜ₋₂. Neither of the two alone tells anything. */
  'the last two clicks': {
    items: 7,
    session(integer) {
      const [at, step] = [integer(7), 1 + integer(6)];
      return Array.from({ length: 5 }, (_, t) => 1 + ((at + t * step) % 7));
    },
    known: 2,
  },
  /** Five of seven items in any order, then the partner of each in the same order: 2,520 sessions. */
  'the click five back': {
    items: 14,
    session(integer) {
      const left = Array.from({ length: 7 }, (_, i) => 1 + i);
      const chosen = Array.from({ length: 5 }, () => left.splice(integer(left.length), 1)[0]!);
      return [...chosen, ...chosen.map((item) => 8 + ((item * 3) % 7))];
    },
    known: 5,
  },
} satisfies Record<string, Rule>;

type Case = readonly [
  model: string,
  rule: keyof typeof RULES,
  config: Readonly<Record<string, unknown>>,
  epochs: number,
  sessions: number,
];

const TWO = 'the last two clicks';
const FIVE = 'the click five back';
/** Only the items of the batch are negatives: there are so few. */
const GRU4REC = { batchSize: 32, nSample: 0 };
/**
 * All sessions are of one length, and are asked about before their end: positions counted from the end, as the references
 * do, would be other ones then than those that were learnt.
 */
const ATTENTION = {
  positions: 'start',
  norm: 'pre',
  init: 'normal',
  initStd: 0.3,
  hiddenUnits: 32,
  dropoutRate: 0,
  lr: 0.01,
  batchSize: 32,
};
const CASER = { T: 1, windows: 'all', negFrom: 'all', drop: 0, batchSize: 32, learningRate: 0.02 };
const T4REC = {
  dModel: 32,
  itemEmbeddingDim: 32,
  nLayer: 1,
  nHead: 2,
  totalSeqLength: 10,
  dInner: 64,
  initializerRange: 0.1,
  itemIdEmbeddingsInitStd: 0.3,
  dropout: 0,
  inputDropout: 0,
  labelSmoothing: 0,
  learningRate: 0.01,
  weightDecay: 0,
  batchSize: 32,
};

/** Every pair, and the epochs that it needs in the paper's form and in the library's. */
const PAIRS: readonly (readonly [lm: string, objective: string, paper: number, library?: number])[] = [
  ['gru', 'clm', 16, 20],
  ['gpt2', 'clm', 6, 6],
  // The library's attends to each click itself alone.
  ['transformer-xl', 'clm', 6],
  ['xlnet', 'clm', 6, 6],
  ['bert', 'mlm', 24, 16],
  ['electra', 'mlm', 24, 16],
  ['xlnet', 'mlm', 8, 8],
  ['xlnet', 'plm', 8, 8],
  ['bert', 'rtd', 16, 10],
  ['electra', 'rtd', 16, 10],
  ['xlnet', 'rtd', 8, 8],
];

const cases: readonly Case[] = [
  ['gru4rec', TWO, { ...GRU4REC, layers: 32, learningRate: 0.1 }, 4, 600],
  ['srgnn', TWO, { hiddenSize: 24, lr: 0.02, lrDcStep: 8, batchSize: 32 }, 8, 300],
  ['sasrec', TWO, { ...ATTENTION, maxlen: 5, numBlocks: 2 }, 48, 300],
  ['cl4srec', TWO, { ...ATTENTION, maxlen: 5, numBlocks: 2 }, 44, 300],
  ['caser', TWO, { ...CASER, d: 24, L: 3, acConv: 'tanh', acFc: 'tanh', negSamples: 8 }, 12, 300],
  ['transformers4rec', TWO, { ...T4REC, lm: 'gpt2', objective: 'clm' }, 20, 300],
  ['gru4rec', FIVE, { ...GRU4REC, layers: 100, learningRate: 0.05 }, 3, 4000],
  ['sasrec', FIVE, { ...ATTENTION, maxlen: 10, numBlocks: 1 }, 14, 600],
  ['cl4srec', FIVE, { ...ATTENTION, maxlen: 10, numBlocks: 1 }, 24, 600],
  ['caser', FIVE, { ...CASER, d: 16, L: 6, profile: 'none', negSamples: 12 }, 2, 300],
  ...PAIRS.flatMap(([lm, objective, paper, library]) => [
    ['transformers4rec', FIVE, { ...T4REC, lm, objective }, paper, 600] satisfies Case,
    ...(library === undefined
      ? []
      : [['transformers4rec', FIVE, { ...T4REC, lm, objective, form: 'library' }, library, 600] satisfies Case]),
  ]),
];

/** Of both rules, and of Transformers4Rec a causal, a masked, a permuted and a discriminating pair. */
const FEW = [
  `gru4rec ${TWO}`,
  `srgnn ${TWO}`,
  `sasrec ${FIVE}`,
  `caser ${FIVE}`,
  `transformers4rec (gpt2, clm, paper) ${TWO}`,
  `transformers4rec (xlnet, mlm, library) ${FIVE}`,
  `transformers4rec (xlnet, plm, paper) ${FIVE}`,
  `transformers4rec (bert, rtd, library) ${FIVE}`,
];

const titled = cases.map((given) => {
  const [name, rule, { lm, objective, form = 'paper' }] = given;
  return [lm === undefined ? name : `${name} (${lm}, ${objective}, ${form})`, rule, given] as const;
});

beforeAll(() => start('wasm'));

// Seconds of work, which a busy machine may stretch.
test.each(slice(titled, ([title, rule]) => FEW.includes(`${title} ${rule}`)))(
  '%s learns what follows from %s',
  async (_, ruleName, [name, , settings, epochs, count]) => {
    const training = await models[name]!.training();
    const { network } = training;
    const rule: Rule = RULES[ruleName];
    const draw = (seed: number, sessions: number) => {
      const { integer } = random(seed, 'sessions');
      return Array.from({ length: sessions }, () => rule.session(integer));
    };
    const sessions = sessionsOf(draw(1, count));
    const catalogue = { items: rule.items, support: supportOf(sessions, rule.items) };
    const config = configure<unknown>(network, settings);
    const trainer = new Trainer({ training, config, catalogue, sessions, seed: 2, epochs });
    for (let epoch = 0; epoch < epochs; epoch++) await trainer.runEpoch();
    const scorer = neuralScorer(network, trainer.params, config, catalogue);
    const asked = draw(3, 40).flatMap((session) =>
      session.slice(rule.known).map((target, i) => ({ items: session.slice(0, rule.known + i), target })),
    );
    const scores = await scorer.score(asked);
    const hits = asked.filter(({ target }, row) => {
      const own = scores.subarray(row * rule.items, (row + 1) * rule.items);
      return own.indexOf(Math.max(...own)) + 1 === target;
    });
    scorer.dispose();
    trainer.dispose();
    expect(hits.length / asked.length).toBeGreaterThanOrEqual(0.95);
  },
  600_000,
);
