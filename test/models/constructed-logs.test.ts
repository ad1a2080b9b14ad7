/** Logs whose next item follows a rule that a model must find; items are unique within a session. */
import { beforeAll, expect, test } from 'vitest';
import { configure } from '../../src/models/configuration';
import { models } from '../../src/models/index';
import type { SessionModel } from '../../src/models/model';
import { neuralScorer } from '../../src/ranking/neural-scorer';
import { random } from '../../src/session/random';
import { Trainer } from '../../src/train/trainer';
import { start } from '../engine/backends/start';
import { sessionsOf } from '../neighbours/fixtures';
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
    items: 11,
    session(integer) {
      const [at, step] = [integer(11), 1 + integer(10)];
      return Array.from({ length: 6 }, (_, t) => 1 + ((at + t * step) % 11));
    },
    known: 2,
  },
  /** Five of ten items in any order, then the partner of each in the same order. */
  'the click five back': {
    items: 20,
    session(integer) {
      const left = Array.from({ length: 10 }, (_, i) => 1 + i);
      const chosen = Array.from({ length: 5 }, () => left.splice(integer(left.length), 1)[0]!);
      return [...chosen, ...chosen.map((item) => 11 + ((item * 3) % 10))];
    },
    known: 5,
  },
} satisfies Record<string, Rule>;

const cases: readonly (readonly [
  model: string,
  rule: keyof typeof RULES,
  config: Readonly<Record<string, unknown>>,
  epochs: number,
])[] = [
  ['srgnn', 'the last two clicks', { hiddenSize: 32, lr: 0.01, lrDcStep: 40, batchSize: 50 }, 30],
  [
    'caser',
    'the last two clicks',
    { d: 24, L: 5, T: 1, windows: 'all', drop: 0.1, learningRate: 0.01, batchSize: 50, negSamples: 8 },
    40,
  ],
  [
    'caser',
    'the click five back',
    { d: 24, L: 6, T: 1, windows: 'all', drop: 0.1, learningRate: 0.01, batchSize: 50, negSamples: 8 },
    40,
  ],
];

beforeAll(() => start('wasm'));

test.each(cases)('%s learns what follows from %s', async (name, ruleName, given, epochs) => {
  const model = (await models[name]!()) as SessionModel<unknown>;
  const rule: Rule = RULES[ruleName];
  const draw = (seed: number, count: number) => {
    const { integer } = random(seed, 'sessions');
    return Array.from({ length: count }, () => rule.session(integer));
  };
  const sessions = sessionsOf(draw(1, 400));
  const catalogue = { items: rule.items, support: supportOf(sessions, rule.items) };
  const config = configure(model, given);
  const trainer = new Trainer({ model, config, catalogue, sessions, seed: 2, epochs });
  for (let epoch = 0; epoch < epochs; epoch++) await trainer.runEpoch();
  const scorer = neuralScorer(model, trainer.params, config, catalogue);
  const asked = draw(3, 60).flatMap((session) =>
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
});
