import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { RankedItem } from '../../src/engine/types';
import { firstOf } from '../../src/page/arrange';
import { type PageFacts, planSlots, type SlotRequest } from '../../src/page/plan-slots';
import type { Strategy } from '../../src/recommender/types';
import { runs } from '../soak-slice';

type Request = SlotRequest & { readonly name: string; readonly limit: number };
type Answers = Readonly<Partial<Record<Strategy, readonly string[]>>>;

const NOTHING: PageFacts = { basket: [], onShow: [] };
const slot = (name: string, more: Partial<Request> = {}): Request => ({
  name,
  limit: 3,
  strategies: ['for-you'],
  ...(more.strategies && { choose: (answers, exclude) => firstOf(answers, more.limit ?? 3, exclude) }),
  ...more,
});

/** What each slot shows, by its name, and the calls that were made. */
async function planned(slots: readonly Request[], answers: Answers, facts: Partial<PageFacts> = {}) {
  const shown: Record<string, string[]> = {};
  const asked: string[] = [];
  await planSlots(
    slots,
    { ...NOTHING, ...facts },
    async ({ name, limit }, strategy, exclude) => {
      asked.push(`${name} ${strategy}`);
      const items = (answers[strategy] ?? []).filter((id) => !exclude.includes(id)).slice(0, limit);
      return items.map((itemId): RankedItem => ({ itemId, score: 1, reason: 'neural' }));
    },
    async ({ name }, items) => {
      shown[name] = (await items).map(({ itemId }) => itemId);
    },
  );
  return { shown, asked };
}

describe('slots of a page', () => {
  const answers: Answers = { 'for-you': ['a', 'b', 'c', 'd', 'e'], popular: ['a', 'p', 'q', 'r'], recent: ['z'] };

  test('are filled in their order, no product twice', async () => {
    const { shown } = await planned(
      [slot('first'), slot('second'), slot('third', { strategies: ['popular'] })],
      answers,
    );
    expect(shown).toEqual({ first: ['a', 'b', 'c'], second: ['d', 'e'], third: ['p', 'q', 'r'] });
  });

  test('of what was looked at come first, then those for the visit, wherever they stand', async () => {
    const slots = ['popular', 'for-you', 'recent', 'trending'].map((name) =>
      slot(name, { strategies: [name as Strategy] }),
    );
    const all = { popular: ['a', 'b', 'c', 'd'], 'for-you': ['a', 'b'], recent: ['a'], trending: ['d', 'e'] };
    const { shown } = await planned(slots, all);
    expect(Object.keys(shown)).toEqual(['recent', 'for-you', 'popular', 'trending']);
    expect(shown).toEqual({ recent: ['a'], 'for-you': ['b'], popular: ['c', 'd'], trending: ['e'] });
  });

  test('hide what is on show elsewhere, and the basket unless they say otherwise', async () => {
    const facts = { basket: ['a', 'b'], onShow: ['c'] };
    expect((await planned([slot('one')], answers, facts)).shown).toEqual({ one: ['d', 'e'] });
    expect((await planned([slot('one', { showsBasket: true })], answers, facts)).shown).toEqual({
      one: ['a', 'b', 'd'],
    });
  });

  test('are filled up by their further strategies in turn, each product once', async () => {
    const { shown } = await planned([slot('one', { limit: 5, strategies: ['recent', 'popular', 'for-you'] })], answers);
    expect(shown).toEqual({ one: ['z', 'a', 'p', 'q', 'r'] });
  });

  test('ask all their strategies, whether or not they need the answers', async () => {
    const { asked } = await planned([slot('one', { strategies: ['for-you', 'popular', 'trending'] })], answers);
    expect(asked).toEqual(['one for-you', 'one popular', 'one trending']);
  });

  test('leave what they do not choose to the slots after, and are empty where they ask for nothing', async () => {
    const slots = [slot('off', { strategies: [] }), slot('few', { choose: () => [] }), slot('next')];
    expect((await planned(slots, answers)).shown).toEqual({ off: [], few: [], next: ['a', 'b', 'c'] });
  });

  test('that fail do not stop the others, and take nothing', async () => {
    const shown: string[][] = [];
    const failures: unknown[] = [];
    await planSlots(
      [slot('broken'), slot('whole')],
      NOTHING,
      async ({ name }) => {
        if (name === 'broken') throw new Error('no answer');
        return [{ itemId: 'a', score: 1, reason: 'neural' }];
      },
      async (_, items) =>
        void (await items.then(
          (found) => shown.push(found.map(({ itemId }) => itemId)),
          (error) => failures.push(error),
        )),
    );
    expect([shown, failures.length]).toEqual([[['a']], 1]);
  });

  test('never share a product, and never show what is hidden, whatever they ask for', async () => {
    const ids = fc.uniqueArray(fc.constantFrom(...'abcdefghijklmnop'), { maxLength: 12 });
    const strategies = fc.uniqueArray(fc.constantFrom<Strategy>('for-you', 'popular', 'recent', 'trending'), {
      maxLength: 4,
    });
    const request = fc.record({ limit: fc.integer({ min: 1, max: 6 }), strategies, showsBasket: fc.boolean() });
    const answer = fc.record({ 'for-you': ids, popular: ids, recent: ids, trending: ids });
    await fc.assert(
      fc.asyncProperty(fc.array(request, { maxLength: 5 }), answer, ids, ids, async (some, answers, basket, onShow) => {
        const slots = some.map((one, k) => slot(`${k}`, one));
        const { shown } = await planned(slots, answers, { basket, onShow });
        const first = (wanted?: Strategy) => slots.filter(({ strategies: [strategy] }) => strategy === wanted);
        const begun = [...first('recent'), ...first('for-you')];
        const turns = [...begun, ...slots.filter((one) => !begun.includes(one))];
        expect(Object.keys(shown).sort()).toEqual(slots.map(({ name }) => name).sort());
        const taken = new Set(onShow);
        for (const { name, limit, strategies, showsBasket } of turns) {
          const all = [...new Set(strategies.flatMap((name) => answers[name as keyof typeof answers]))];
          const left = all.filter((id) => !taken.has(id) && (showsBasket || !basket.includes(id)));
          expect(shown[name]).toEqual(left.slice(0, limit)); // as many as there are, none of the slots before
          for (const id of shown[name]!) taken.add(id);
        }
      }),
      { numRuns: runs(300), seed: 1 },
    );
  });
});
