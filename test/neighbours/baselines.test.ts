import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { configure } from '../../src/models/configuration';
import type { OptionSpec } from '../../src/models/model';
import { type Baseline, baselines } from '../../src/neighbours/index';
import type { SessionInput, Sessions } from '../../src/types';
import { sessionsOf, worked } from './fixtures';

const [A, B, C, D] = [1, 2, 3, 4];

/** Trains on a log of n items and scores sessions. */
async function scores(name: string, given: object, log: Sessions, n: number, ...queries: number[][]) {
  const model = baselines[name] as Baseline<unknown>;
  const config = configure(model, given as Record<string, unknown>);
  const scorer = model.scorer(model.fit(log, { items: n }, config), { items: n }, config);
  const all = await scorer.score(queries.map((items) => ({ items })));
  return queries.map((_, q) => Array.from(all.subarray(q * n, (q + 1) * n)));
}

const close = (got: number[], expected: number[]) =>
  got.forEach((value, i) => {
    expect(value).toBeCloseTo(expected[i]!, 5);
  });

describe('the worked example, session A B after A B C, B C D, A C E, B A D', () => {
  test.each([
    ['pop', {}, [0.75, 0.75, 0.75, 0.666667, 0.5]],
    ['s-pop', {}, [1.75, 1.75, 0.75, 0.666667, 0.5]],
    ['item-knn', { lambda: 20, alpha: 0.5 }, [0.086957, 0, 0.086957, 0.088911, 0]],
    ['ar', { normalize: false }, [2, 0, 2, 2, 0]],
    ['markov', { normalize: false }, [1, 0, 2, 0, 0]],
    ['sr', { normalize: false, weighting: 'div' }, [1, 0, 2, 1, 0]],
    ['sr', {}, [0.5, 0, 1, 0.5, 0]],
  ])('%s %j', async (name, config, expected) => {
    const [got] = await scores(name, config, worked, 5, [A!, B!]);
    close(got!, expected);
  });
});

describe('popularity', () => {
  test('scores only the most popular items when told to, the first of equals', async () => {
    const [got] = await scores('pop', { top: 2 }, worked, 5, [A!]);
    close(got!, [0.75, 0.75, 0, 0, 0]);
  });

  test('counts the last days only when told to', async () => {
    const [got] = await scores('pop', { days: 1.5 }, worked, 5, [A!]); // sessions A C E and B A D
    close(got!, [2 / 3, 0.5, 0.5, 0.5, 0.5]);
  });

  test('refuses to count the last days of a log without times', async () => {
    const timeless = { ...worked, times: new Float64Array(worked.items.length) };
    for (const name of ['pop', 's-pop']) {
      const message = 'The option "days" needs times, and the log has none';
      await expect(scores(name, { days: 1.5 }, timeless, 5, [A!])).rejects.toThrow(message);
      expect(await scores(name, {}, timeless, 5, [A!])).toEqual(await scores(name, {}, worked, 5, [A!]));
    }
  });

  test('keeps the order of supports that float32 cannot tell apart by the formula', async () => {
    const support = Int32Array.from([0, 900_000, 900_001, 3, 899_999, 900_001]);
    const pop = baselines.pop!;
    const catalogue = { items: 5, support };
    const config = configure(pop, {});
    const arrays = pop.fit(sessionsOf([]), catalogue, config);
    const row = await pop.scorer(arrays, catalogue, config).score([{ items: [1] }]);
    const [a, b, c, d, e] = row as unknown as [number, number, number, number, number];
    expect(b).toBe(e);
    expect(b).toBeLessThan(1);
    expect(b).toBeGreaterThan(a);
    expect(a).toBeGreaterThan(d);
    expect(d).toBeGreaterThan(c);
  });

  test('puts an item clicked twice above one clicked once, and that above any popular one', async () => {
    const [got] = await scores('s-pop', {}, worked, 5, [5, 4, 5]);
    close(got!, [0.75, 0.75, 0.75, 1.666667, 2.5]);
  });
});

describe('item-kNN', () => {
  test('alpha 1 damps by the last click alone', async () => {
    const [got] = await scores('item-knn', { lambda: 1, alpha: 1 }, worked, 5, [B!]);
    close(got!, [2 / 4, 0, 2 / 4, 2 / 4, 0]);
  });

  test('counts every pair of events, never an item with itself', async () => {
    const log = sessionsOf([[A!, B!, A!, A!]]); // supports 3 and 1, three pairs
    const [fromA, fromB] = await scores('item-knn', { lambda: 0, alpha: 1 }, log, 2, [A!], [B!]);
    close(fromA!, [0, 1]);
    close(fromB!, [3, 0]);
  });

  test('keeps only the most similar items', async () => {
    const [got] = await scores('item-knn', { nSims: 1 }, worked, 5, [B!]);
    close(got!, [0, 0, 0, 0.088911, 0]);
  });
});

describe('rules', () => {
  const log = sessionsOf([[A!, A!, B!, C!, A!]]);

  test('a repeat is a rule like any other', async () => {
    const raw = { normalize: false };
    const [markovRow] = await scores('markov', raw, log, 3, [A!]);
    close(markovRow!, [1, 1, 0]);
    const [arRow] = await scores('ar', raw, log, 3, [A!]);
    close(arRow!, [6, 3, 3]); // three events of A: 3 pairs, each in both directions
    const [srRow] = await scores('sr', raw, log, 3, [A!]);
    close(srRow!, [1 + 1 / 4 + 1 / 3, 1 / 2 + 1, 1 / 3 + 1 / 2]);
  });

  test.each([
    ['div', (k: number) => 1 / k],
    ['quadratic', (k: number) => 1 / k ** 2],
    ['linear', (k: number) => 1 - 0.1 * k],
    ['log', (k: number) => 1 / Math.log10(k + 1.7)],
    ['same', () => 1],
  ])('SR weighs distance by %s and stops after `steps` clicks', async (weighting, weight) => {
    const distinct = sessionsOf([[1, 2, 3, 4, 5]]);
    const [got] = await scores('sr', { weighting, steps: 3, normalize: false }, distinct, 5, [1]);
    close(got!, [0, weight(1), weight(2), weight(3), 0]);
  });

  test('SR looks up earlier clicks at their distance when told to', async () => {
    const distinct = sessionsOf([
      [1, 4],
      [2, 5],
      [3, 6],
    ]);
    const raw = { normalize: false, lastInSession: 1 };
    const [got] = await scores('sr', raw, distinct, 6, [1, 2, 3]);
    close(got!, [0, 0, 0, 0, 1 / 2, 1]);
  });

  test('decayed rules add up over the last clicks, each click and each step counting less, divided by a power of the support', async () => {
    const log = sessionsOf([
      [1, 4, 6],
      [1, 5],
      [2, 5],
      [3, 6],
    ]);
    const raw = { normalize: false, stepDecay: 0.5, clickDecay: 0.1, clicks: 3 };
    const [plain] = await scores('decayed-sr', { ...raw, supportPower: 0 }, log, 6, [1, 2, 3]);
    close(plain!, [0, 0, 0, 0.01, 0.01 + 0.1, 0.01 * 0.5 + 1]);
    const [shares] = await scores('decayed-sr', { ...raw, supportPower: 1 }, log, 6, [1, 2, 3]);
    close(shares!, [0, 0, 0, 0.01 / 2, 0.01 / 2 + 0.1, (0.01 * 0.5) / 2 + 1]); // item 1 has two events
    const [two] = await scores('decayed-sr', { ...raw, supportPower: 0, clicks: 2 }, log, 6, [1, 2, 3]);
    close(two!, [0, 0, 0, 0, 0.1, 1]);
    const [near] = await scores('decayed-sr', { ...raw, supportPower: 0, steps: 1 }, log, 6, [1, 2, 3]);
    close(near!, [0, 0, 0, 0.01, 0.01 + 0.1, 1]);
  });

  test.each(['item-knn', 'markov', 'ar', 'sr', 'decayed-sr'])(
    '%s leaves out the items of the session when told to, and scores the others the same',
    async (name) => {
      const session = [A!, B!];
      const raw = name === 'item-knn' ? {} : { normalize: false };
      const [all] = await scores(name, raw, worked, 5, session);
      const [others] = await scores(name, { ...raw, remind: false }, worked, 5, session);
      expect(all![0]).toBeGreaterThan(0); // A follows B, and is in the session
      expect(others).toEqual(all!.map((score, i) => (session.includes(i + 1) ? 0 : score)));
    },
  );

  test('pruning keeps the strongest rules, the first seen of equals; a share below 1 is dropped; 0 keeps all', async () => {
    const many = sessionsOf([
      [1, 2],
      [1, 3],
      [1, 3],
      [1, 4],
      [1, 5],
    ]);
    const row = async (pruning: number) => (await scores('markov', { pruning, normalize: false }, many, 5, [1]))[0]!;
    close(await row(2), [0, 1, 2, 0, 0]);
    close(await row(0.5), [0, 1, 2, 0, 0]);
    close(await row(0.2), [0, 1, 2, 1, 1]);
    close(await row(0), [0, 1, 2, 1, 1]);
  });

  test('rules of equal weight rank by which pair came first, or not at all', async () => {
    const log = sessionsOf([
      [1, 4],
      [1, 2],
      [1, 3],
      [1, 3],
      [1, 5],
    ]);
    const [ordered] = await scores('markov', {}, log, 5, [1]);
    expect(ordered![2]).toBe(1);
    expect(ordered![3]).toBeGreaterThan(ordered![1]!);
    expect(ordered![1]).toBeGreaterThan(ordered![4]!);
    close(ordered!, [0, 0.5, 1, 0.5, 0.5]);
    const [equal] = await scores('markov', { ties: 'equal' }, log, 5, [1]);
    expect(equal).toEqual([0, 0.5, 1, 0.5, 0.5]);
  });

  test('an item that nothing followed scores 0 everywhere, not NaN', async () => {
    const [got] = await scores('markov', {}, sessionsOf([[1, 2]]), 2, [2]);
    expect(got).toEqual([0, 0]);
  });
});

describe.each(Object.keys(baselines))('%s', (name) => {
  const model = baselines[name] as Baseline<unknown>;
  const config = configure(model, {});
  const catalogue = { items: 6 };

  const variants = [{}, { remind: false }, { pushReminders: true }].filter((given) =>
    Object.keys(given).every((option) => option in model.options),
  );
  test.each(variants)('walks a log to the same scores as its prefixes, with %j', async (given) => {
    const config = configure(model, given);
    const item = fc.integer({ min: 1, max: 6 });
    const logs = fc.array(fc.array(item, { minLength: 1, maxLength: 8 }), { minLength: 1, maxLength: 6 });
    await fc.assert(
      fc.asyncProperty(logs, logs, async (train, test) => {
        const scorer = model.scorer(model.fit(sessionsOf(train), catalogue, config), catalogue, config);
        const log = sessionsOf(test);
        const visited: number[][] = [];
        const prefixes: SessionInput[] = [];
        const walked: number[] = [];
        await scorer.scoreSequences!(log, (block, rows) => {
          walked.push(...block);
          for (const [r, { session, position, changed }] of rows.entries()) {
            const others = Array.from(block.subarray(6 * r, 6 * (r + 1)).entries()).filter(
              ([i]) => !changed!.includes(i),
            );
            for (const [i, score] of others) expect(score).toBe(scorer.base![i]);
            visited.push(test[session]!.slice(0, position + 1));
            const from = log.offsets[session]!;
            const to = from + position + 1;
            prefixes.push({ items: log.items.subarray(from, to), times: log.times.subarray(from, to) });
          }
        });
        expect(visited).toEqual(test.flatMap((clicks) => clicks.slice(0, -1).map((_, t) => clicks.slice(0, t + 1))));
        const scored = await scorer.score(prefixes);
        expect(walked).toEqual(Array.from(scored));
      }),
      { seed: 7, numRuns: 30 },
    );
  });

  test('refuses arrays that do not fit the catalogue', () => {
    const arrays = model.fit(worked, { items: 5 }, config);
    const mismatch = expect.objectContaining({ code: 'weights-mismatch' });
    expect(() => model.scorer({}, { items: 5 }, config)).toThrow(mismatch);
    expect(() => model.scorer(arrays, { items: 4 }, config)).toThrow(mismatch);
    const [first] = Object.keys(arrays) as [string];
    const damaged = { ...arrays, [first]: { data: arrays[first]!.data.slice(1), shape: [4] } };
    expect(() => model.scorer(damaged, { items: 5 }, config)).toThrow(mismatch);
  });

  test('explains every option with its source', () => {
    for (const option of Object.values(model.options as Record<string, OptionSpec>)) {
      expect(option.doc).not.toBe('');
      expect(option.source).not.toBe('');
    }
  });
});

test('rules that point outside the catalogue are refused, not followed', () => {
  const { markov } = baselines;
  const config = configure(markov!, {});
  const arrays = markov!.fit(worked, { items: 5 }, config);
  const items = Int32Array.from(arrays['pairs.items']!.data).fill(D! + 2, 0, 1);
  const wrong = { ...arrays, 'pairs.items': { data: items, shape: [items.length] } };
  expect(() => markov!.scorer(wrong, { items: 5 }, config)).toThrow('item indices 1…5, got 6 at 0');
});
