import fc from 'fast-check';
import { beforeAll, describe, expect, test } from 'vitest';
import { configure } from '../../src/models/configuration';
import { initialise } from '../../src/models/initialise';
import type { SessionModel } from '../../src/models/model';
import { upload } from '../../src/models/tensors';
import { rowScorer } from '../../src/neighbours/baseline';
import { type Baseline, baselines } from '../../src/neighbours/index';
import { neuralScorer } from '../../src/ranking/neural-scorer';
import { rankOf, UNRANKED } from '../../src/ranking/rank';
import { evaluate, type RankRow } from '../../src/train/evaluate';
import type { Scorer, SessionInput } from '../../src/types';
import { start } from '../compute/backends/start';
import { allModels } from '../models/all-models';
import { sessionsOf, worked } from '../neighbours/fixtures';

const models = await allModels();

const n = 5;
const support = Int32Array.of(0, 3, 3, 3, 2, 1);

/** A model without a state that scores the items 1…5 by a rule. */
const scorerOf = (rule: (session: SessionInput) => number[]): Scorer => ({
  items: n,
  score: async (sessions) => Float32Array.from(sessions.flatMap(rule)),
  dispose() {},
});

/** The next index is the best, then the one after it. */
const successor = scorerOf(({ items }) => {
  const last = items[items.length - 1]!;
  return Array.from({ length: n }, (_, i) => -((i - last + n) % n));
});

const log = sessionsOf([[1, 2, 3], [4], [2, 4, 5, 5]]);

async function ranksOf(scorer: Scorer, sessions = log, options = {}) {
  const rows: RankRow[] = [];
  const onRank = (row: RankRow) => rows.push(row);
  const result = await evaluate(scorer, sessions, { protocol: 'events', support, onRank, ...options });
  return { rows, result };
}

describe('protocols', () => {
  test('events: every event after the first, in the order of the log', async () => {
    const { rows, result } = await ranksOf(successor);
    expect(rows).toEqual([
      { session: 0, position: 0, target: 2, rank: 1 },
      { session: 0, position: 1, target: 3, rank: 1 },
      { session: 2, position: 0, target: 4, rank: 2 },
      { session: 2, position: 1, target: 5, rank: 1 },
      { session: 2, position: 2, target: 5, rank: 5 },
    ]);
    expect(result).toMatchObject({ protocol: 'events', n: 5, sessions: 2, ties: 'conservative', warnings: [] });
    expect(result.metrics.conservative['recall@1']).toBe(3 / 5);
    expect(result.metrics.conservative['mrr@20']).toBeCloseTo((3 + 1 / 2 + 1 / 5) / 5, 12);
    expect(Object.keys(result.metrics.standard)).toEqual(
      [1, 5, 10, 20].flatMap((k) => [`recall@${k}`, `mrr@${k}`, `ndcg@${k}`]),
    );
  });

  test('last-item: one prediction per session, of its last event or of the one before', async () => {
    const last = await ranksOf(successor, log, { protocol: 'last-item' });
    expect(last.rows.map(({ session, position }) => [session, position])).toEqual([
      [0, 1],
      [2, 2],
    ]);
    const valid = await ranksOf(successor, log, { protocol: 'last-item', target: 'valid' });
    expect(valid.rows.map(({ session, position }) => [session, position])).toEqual([
      [0, 0],
      [2, 1],
    ]);
    expect(valid.result.sessions).toBe(2);
  });

  test('leave-one-out: leaves the items of the input out of the candidates unless told to keep them', async () => {
    const constant = scorerOf(() => [5, 4, 3, 2, 1]);
    const sessions = sessionsOf([
      [1, 2, 3],
      [1, 1, 4],
      [2, 5, 2],
    ]);
    const dropped = await ranksOf(constant, sessions, { protocol: 'leave-one-out' });
    expect(dropped.rows.map(({ rank }) => rank)).toEqual([1, 3, UNRANKED]); // 2 is no candidate after 2 5
    const kept = await ranksOf(constant, sessions, { protocol: 'leave-one-out', seen: 'keep' });
    expect(kept.rows.map(({ rank }) => rank)).toEqual([3, 4, 2]);
    // Item 1 is a candidate of none; it had been one of the first and the last kept.
    const excluded = new Set([1]);
    const fewer = await ranksOf(constant, sessions, { protocol: 'leave-one-out', seen: 'keep', excluded });
    expect(fewer.rows.map(({ rank }) => rank)).toEqual([2, 3, 1]);
    const both = await ranksOf(constant, sessions, { protocol: 'leave-one-out', excluded });
    expect(both.rows.map(({ rank }) => rank)).toEqual([1, 3, UNRANKED]); // twice left out is left out once
  });

  test('incremental is refused with what to do instead', async () => {
    const refused = ranksOf(successor, log, { protocol: 'incremental' });
    await expect(refused).rejects.toMatchObject({
      code: 'bad-config',
      message: expect.stringContaining('`protocol` events'),
    });
  });

  test('a validation target among all events is refused', async () => {
    await expect(ranksOf(successor, log, { target: 'valid' })).rejects.toMatchObject({ code: 'bad-config' });
  });
});

describe('a visitor’s past', () => {
  const visited = { ...sessionsOf([[1, 2], [3, 4, 5], [2, 3]]), visitors: Int32Array.of(4, 6, 4) }; // biome-ignore format: one line
  const past = { ...sessionsOf([[5, 1]]), visitors: Int32Array.of(6) };
  const askedWith = async (earlier: number | undefined, options = {}) => {
    const asked: (number[][] | undefined)[] = [];
    const watching = scorerOf((session) => {
      asked.push(session.earlier?.map(({ items }) => Array.from(items)));
      return [1, 2, 3, 4, 5];
    });
    await ranksOf({ ...watching, ...(earlier !== undefined && { earlier }) }, visited, options);
    return asked;
  };

  test('is handed to a model that reads it, of before the log too, and to no other', async () => {
    expect(await askedWith(3)).toEqual([[], [], [[1, 2]], []]);
    expect(await askedWith(3, { past })).toEqual([[], [[5, 1]], [[1, 2]], [[5, 1]]]); // biome-ignore format: one line
    expect(await askedWith(0)).toEqual([undefined, undefined, undefined, undefined]);
    expect(await askedWith(undefined)).toEqual([undefined, undefined, undefined, undefined]);
  });
});

describe('honest figures', () => {
  test('a model that scores everything alike succeeds in standard ties only, and is warned about', async () => {
    const { result } = await ranksOf(
      scorerOf(() => [0, 0, 0, 0, 0]),
      log,
      { ks: [1] },
    );
    expect(result.metrics.standard['recall@1']).toBe(1);
    expect(result.metrics.conservative['recall@1']).toBe(0);
    expect(result.warnings).toEqual([expect.stringContaining('Many scores are equal: recall@1 is 0.0000')]);
  });

  test.each([Number.NaN, Number.POSITIVE_INFINITY])('a score of %d stops the evaluation', async (value) => {
    const broken = scorerOf(() => [1, 2, value, 4, 5]);
    await expect(ranksOf(broken)).rejects.toMatchObject({ code: 'not-finite' });
  });

  test('coverage counts distinct recommended items, popularity averages their support', async () => {
    const many = 40;
    const favourite: Scorer = {
      items: many,
      score: async (sessions) =>
        Float32Array.from(
          sessions.flatMap(({ items }) => Array.from({ length: many }, (_, i) => (items[0] === 1 ? -i : i))),
        ),
      dispose() {},
    };
    const supports = Int32Array.from({ length: many + 1 }, (_, i) => (i <= 20 ? 10 : 4));
    const one = await evaluate(favourite, sessionsOf([[1, 2]]), { protocol: 'events', support: supports });
    expect([one['coverage@20'], one['popularity@20']]).toEqual([0.5, 1]);
    const both = await evaluate(
      favourite,
      sessionsOf([
        [1, 2],
        [3, 2],
      ]),
      { protocol: 'events', support: supports },
    );
    expect(both['coverage@20']).toBe(1);
    expect(both['popularity@20']).toBeCloseTo(0.7, 12);
    expect(both.exposure!.gini).toBeCloseTo(0, 12);
    // One list holds 20 of 40 items, each once.
    expect(one.exposure!.gini).toBeCloseTo(0.5, 12);
  });

  test('popularity deviates by how rare and popular items share the lists and the targets', async () => {
    // Items 1 and 2 are in the lowest fifth of the events, the others in one each.
    const support = Int32Array.of(0, 1, 2, 3, 4, 5);
    const anything: Scorer = {
      items: 5,
      score: async (sessions) => Float32Array.from(sessions.flatMap(() => [1, 2, 3, 4, 5])),
      dispose() {},
    };
    const of = async (sessions: number[][]) =>
      (await evaluate(anything, sessionsOf(sessions), { protocol: 'events', support })).exposure!.popularityDeviation;
    // All five items are in every list, and each is a target once.
    expect(await of([[1, 1, 2, 3, 4, 5]])).toBeCloseTo(0, 12);
    // All targets are of one fifth, which has a fifth of the lists.
    const m = (1 + 1 / 5) / 2;
    const expected = (Math.log2(1 / m) + Math.log2(1 / 5 / m) / 5 + (4 / 5) * Math.log2(2)) / 2;
    expect(await of([[1, 5, 5]])).toBeCloseTo(expected, 12);
  });

  test('nothing to predict is said, not divided by', async () => {
    const { result } = await ranksOf(successor, sessionsOf([[1], [2]]));
    expect(result).toMatchObject({ n: 0, sessions: 0, 'coverage@20': 0, 'popularity@20': 0 });
    expect(result.warnings[0]).toContain('nothing to predict');
  });
});

describe('wrong arguments', () => {
  test.each([
    ['an item index beyond the catalogue', sessionsOf([[1, 6]]), {}],
    ['padding among the events', sessionsOf([[1, 0]]), {}],
    ['a cut-off of 0', log, { ks: [0] }],
    ['a support of another length', log, { support: [0, 1] }],
  ])('%s is a RangeError', async (_, sessions, options) => {
    await expect(ranksOf(successor, sessions, options)).rejects.toThrow(RangeError);
  });

  test('an aborted evaluation stops after its batch', async () => {
    const controller = new AbortController();
    controller.abort();
    await expect(ranksOf(successor, log, { signal: controller.signal })).rejects.toMatchObject({ code: 'aborted' });
  });
});

test('a signal fires although a model scores without a pause', async () => {
  const controller = new AbortController();
  let rows = 0;
  const wide = new Float32Array(2 ** 20);
  const counting = rowScorer(wide, () => {
    rows++;
    setTimeout(() => controller.abort());
    for (const begun = performance.now(); performance.now() - begun < 50; );
  });
  const options = { protocol: 'events', support: new Int32Array(wide.length + 1), signal: controller.signal } as const;
  const long = sessionsOf([[1, 2, 3, 4, 5, 1, 2, 3, 4, 5]]);
  await expect(evaluate(counting, long, options)).rejects.toMatchObject({ code: 'aborted' });
  expect(rows).toBeLessThan(9);
});

describe('the rank of an evaluation is the rank of a recommendation', () => {
  beforeAll(() => start('wasm'));
  const catalogue = { items: n, support };

  function build(name: string): Scorer {
    if (Object.hasOwn(baselines, name)) {
      const baseline = baselines[name] as Baseline<unknown>;
      const config = configure(baseline, {});
      return baseline.scorer(baseline.fit(worked, catalogue, config), catalogue, config);
    }
    const model = models[name] as SessionModel<unknown>;
    const config = configure(model, {});
    return neuralScorer(model, upload(initialise(model.parameters(config, catalogue), 2)), config, catalogue);
  }

  test.each([...Object.keys(baselines), ...Object.keys(models)])('%s', async (name) => {
    const scorer = build(name);
    const item = fc.integer({ min: 1, max: n });
    const lists = fc.array(fc.array(item, { minLength: 1, maxLength: 6 }), { minLength: 1, maxLength: 6 });
    await fc.assert(
      fc.asyncProperty(lists, async (sessions) => {
        const { rows, result } = await ranksOf(scorer, sessionsOf(sessions));
        expect(rows.length).toBe(result.n);
        for (const { session, position, target, rank } of rows) {
          const scores = await scorer.score([{ items: sessions[session]!.slice(0, position + 1) }]);
          expect(rankOf(scores, target).conservative).toBe(rank);
        }
      }),
      { seed: 13, numRuns: 10 },
    );
    scorer.dispose();
  });
});
