/** Data-parallel training cuts a batch into shards: what their gradients add up to, for every form of every architecture. */
import { beforeAll, expect, test } from 'vitest';
import { configure } from '../../src/models/configuration';
import type { Streams, TrainingLog } from '../../src/objectives/batch';
import type { Random } from '../../src/session/random';
import { shardsOf, whyIndivisible } from '../../src/train/data-parallel';
import { streamsOf } from '../../src/train/step';
import { start } from '../compute/backends/start';
import { drawWeights, far } from '../reference/weights64';
import { logOf, supportOf } from '../train/helpers';
import { forms, SMALL, trainings } from './forms';
import { epochOf, stepOf } from './steps';

const ITEMS = 12;
/** Sessions of one and of many clicks, some longer than a network sees. */
const sessions = logOf([
  [3, 7, 3, 3],
  [8, 8, 8],
  [1, 2, 3, 4, 9],
  [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 6, 6, 1],
  [4, 2, 9, 11],
  [10, 1, 7, 12, 5],
  [6, 3],
  [5],
  [2, 8, 5, 1],
  [11, 12, 11, 3, 10, 2, 4],
]);
const catalogue = { items: ITEMS, support: supportOf(sessions, ITEMS) };
const log: TrainingLog = { sessions, catalogue, first: 0 };

/** Besides those of all tables. */
const FORMS: readonly (readonly [name: string, given: Readonly<Record<string, unknown>>])[] = [
  ['sasrec', { loss: 'sampled', nSample: 6, repeatLags: 3, logqOf: 'draws' }],
  ['sasrec', { loss: 'sampled', nSample: 6, positions: 'start' }],
  ['sasrec', { loss: 'bce', l2Emb: 0.01 }],
  ['sasrec', { loss: 'ce', labelSmoothing: 0.1, repeatLags: 3 }],
  ['cl4srec', { lambda: 0 }],
  ['srgnn', { loss: 'binary' }],
  ['srgnn', { repeatLags: 3 }],
  ['caser', { loss: 'cross-entropy', profile: 'device' }],
  ['caser', { loss: 'sampled', nSample: 6, repeatLags: 3 }],
  ['transformers4rec', { ...SMALL.transformers4rec, lm: 'xlnet', objective: 'plm', repeatLags: 3 }],
];

const divisible = [
  ...forms,
  ...FORMS.map(([name, given]) => [`${name} ${JSON.stringify(given)}`, name, given] as const),
]
  .map(([title, name, given]) => {
    const training = trainings[name]!;
    return [title, { training, config: configure<unknown>(training.network, given) }] as const;
  })
  .filter(([, { training, config }]) => whyIndivisible(training, config) === undefined);

/** Streams that go on where the last batch left them. */
function goingOn(streams: Streams): Streams {
  const known = new Map<string, Random>();
  return (name) => {
    if (!known.has(name)) known.set(name, streams(name));
    return known.get(name)!;
  };
}

beforeAll(() => start('wasm'));

test('every architecture has a form whose steps threads can share, except GRU4Rec', () => {
  const names = new Set(divisible.map(([title]) => title.split(' ')[0]));
  expect([...names].sort()).toEqual(
    Object.keys(trainings)
      .filter((name) => name !== 'gru4rec')
      .sort(),
  );
});

test.each(divisible)(
  'the shards of a batch add up to its gradient, each by its share of the targets: %s',
  (_, form) => {
    const { training, config } = form;
    const { params } = drawWeights(training.network, config, catalogue, 0.3);
    const [rows] = epochOf(training, config, sessions, catalogue);
    const shards = shardsOf(rows!, training.size!).filter((shard) => shard.length > 0);
    expect(shards.length).toBeGreaterThan(1);
    const targets = (of: readonly unknown[]) => of.reduce((sum: number, row) => sum + training.size!(row).targets, 0);
    // Negatives that a batch shares are the same in each shard; those of a target or a session are drawn one after the other.
    const read = training.batch(shards.flat(), log, config, streamsOf(2, 0)) as {
      sampled?: { rowOf?: unknown };
      negatives?: unknown;
    };
    const areShared = !read.negatives && !read.sampled?.rowOf;
    const streams = areShared ? streamsOf(2, 0) : goingOn(streamsOf(2, 0));
    const whole = stepOf(training, params, read, config, catalogue);
    let loss = 0;
    const sum: Record<string, Float64Array> = {};
    for (const shard of shards) {
      const weight = targets(shard) / targets(rows!);
      const part = stepOf(training, params, training.batch(shard, log, config, streams), config, catalogue);
      loss += weight * part.loss;
      for (const [name, gradient] of Object.entries(part.gradients)) {
        sum[name] ??= new Float64Array(gradient.length);
        gradient.forEach((x, i) => {
          sum[name]![i]! += weight * x;
        });
      }
    }
    expect(loss / whole.loss).toBeCloseTo(1, 5);
    expect(Object.keys(sum).sort()).toEqual(Object.keys(whole.gradients).sort());
    for (const [name, gradient] of Object.entries(whole.gradients)) {
      const largest = gradient.reduce((most, x) => Math.max(most, Math.abs(x)), 0);
      expect(far(sum[name]!, gradient) / Math.max(1e-2, largest), name).toBeLessThan(1e-5);
    }
  },
);
