import { describe, expect, test } from 'vitest';
import type { Engine, EngineEvent } from '../../src/engine/types';
import { models } from '../../src/models/index';
import { clicks, IDS, modelFor, smallModel } from './fixture';
import { loadedEngine } from './open-engine';
import { SMALL } from './parity';

async function loaded(
  architecture: string,
  backend: 'cpu' | 'wasm' | 'plan' = 'wasm',
  catalogue?: { id: string; availability: string }[],
) {
  const artifact = await modelFor(backend, {
    architecture,
    config: SMALL[architecture] ?? {},
    ...(catalogue && { catalogue }),
  });
  return loadedEngine(artifact, backend);
}

/** ln of each item's probability, from the scores of a recommendation of everything. */
async function logProbabilities(engine: Engine, session: readonly EngineEvent[]): Promise<Map<string, number>> {
  const { items } = await engine.recommend({ session, k: IDS.length, exclude: [] });
  const shares = session.length === 0; // by popularity, whose scores count events
  const all = items.reduce((sum, { score }) => sum + (shares ? score : Math.exp(score)), 0);
  return new Map(
    items.map(({ itemId, score }) => [
      itemId,
      shares ? Math.log((0.99 * score) / all + 0.01 / items.length) : score - Math.log(all),
    ]),
  );
}

describe.each(Object.keys(models))('explain by %s', (architecture) => {
  test.each(['cpu', 'wasm', 'plan'] as const)(
    'equals leaving out one click after the other, on %s',
    async (backend) => {
      const engine = await loaded(architecture, backend);
      for (const session of [clicks('item-9'), clicks('item-9', 'item-12', 'gone', '__proto__', 'item-9')]) {
        const itemIds = ['item-9', 'a,b', 'unheard of', 'item-30'];
        const explanations = await engine.explain({ session, itemIds });
        const known = session.filter(({ itemId }) => IDS.includes(itemId));
        const ranked = await engine.recommend({ session, k: IDS.length, exclude: [] });
        const whole = await logProbabilities(engine, known);
        const parts = await Promise.all(
          known.map((_, t) =>
            logProbabilities(
              engine,
              known.filter((_, other) => other !== t),
            ),
          ),
        );
        expect(explanations.map(({ itemId }) => itemId)).toEqual(['item-9', 'a,b', 'item-30']);
        for (const { itemId, score, rank, clicks } of explanations) {
          expect(ranked.items[rank - 1]).toMatchObject({ itemId, score: expect.closeTo(score, 4) });
          expect(clicks.map(({ itemId, time }) => ({ itemId, time }))).toEqual(
            known.map(({ itemId, time }) => ({ itemId, time })),
          );
          clicks.forEach(({ effect }, t) => {
            expect(effect).toBeCloseTo(whole.get(itemId)! - parts[t]!.get(itemId)!, 4);
          });
        }
      }
    },
  );

  test('takes a click that is read several times for one', async () => {
    const engine = await loaded(architecture);
    const [viewed, bought] = clicks('item-9', 'item-12') as [EngineEvent, EngineEvent];
    const session = [viewed, bought, bought, bought];
    const [explanation] = await engine.explain({ session, itemIds: ['a,b'] });
    const of = async (part: readonly EngineEvent[]) => (await logProbabilities(engine, part)).get('a,b')!;
    const whole = await of(session);
    expect(explanation!.clicks).toEqual([
      { ...viewed, effect: expect.closeTo(whole - (await of([bought, bought, bought])), 4) },
      { ...bought, effect: expect.closeTo(whole - (await of([viewed])), 4) },
    ]);
  });

  test.each(['wasm', 'plan'] as const)('leaves memory and the session as they were, on %s', async (backend) => {
    const engine = await loaded(architecture, backend);
    const session = clicks('item-9', 'item-12', 'item-7');
    const ask = () => engine.recommend({ session, k: 5, exclude: [] });
    const { items } = await ask();
    await engine.explain({ session, itemIds: ['item-8'] });
    const before = await engine.memory();
    for (let n = 0; n < 3; n++) await engine.explain({ session, itemIds: IDS });
    expect(await engine.memory()).toEqual(before);
    expect((await ask()).items).toEqual(items);
  });
});

describe('explain', () => {
  test('turns scores into probabilities by their scale, those of an adapter by its own weight of them, too', async () => {
    const [session, itemIds] = [clicks('item-9', 'item-12'), ['item-30']];
    const artifact = await smallModel({ scale: 3 });
    const engine = await loadedEngine(artifact, 'cpu');
    const logProbability = async (session: readonly EngineEvent[], scale: number) => {
      const { items } = await engine.recommend({ session, k: IDS.length, exclude: [] });
      const score = items.find(({ itemId }) => itemId === 'item-30')!.score;
      return scale * score - Math.log(items.reduce((sum, { score }) => sum + Math.exp(scale * score), 0));
    };
    const check = async (scale: number) => {
      const [explanation] = await engine.explain({ session, itemIds });
      const effect = (await logProbability(session, scale)) - (await logProbability(clicks('item-12'), scale));
      expect(explanation!.clicks[0]!.effect).toBeCloseTo(effect, 4);
    };
    await check(3);
    const { delta } = await engine.fineTune({ sessions: [clicks('item-9', 'item-30', 'item-12')], milliseconds: 1e9 });
    await engine.setAdapter(delta);
    await check(3 * delta.arrays['weights']!.data[0]!);
  });

  test('ranks among what may be shown, as recommend does', async () => {
    const engine = await loaded(
      'gru4rec',
      'cpu',
      IDS.map((id, k) => ({ id, availability: k % 3 ? 'in stock' : 'out of stock' })),
    );
    const session = clicks('item-9', 'item-12');
    const { items } = await engine.recommend({ session, k: 10, exclude: [] });
    const explanations = await engine.explain({ session, itemIds: items.map(({ itemId }) => itemId) });
    expect(explanations.map(({ rank }) => rank)).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9, 10]);
  });

  test('says nothing where the model knows no click, or none of the items', async () => {
    const engine = await loaded('gru4rec', 'cpu');
    expect(await engine.explain({ session: clicks('gone'), itemIds: ['item-9'] })).toEqual([]);
    expect(await engine.explain({ session: clicks('item-9'), itemIds: ['gone'] })).toEqual([]);
  });

  test('tells what counted, too: an item that nothing but the click speaks for loses by its absence', async () => {
    const engine = await loaded('pop', 'cpu');
    const [explanation] = await engine.explain({ session: clicks('item-9', 'item-7'), itemIds: ['item-9'] });
    expect(explanation!.clicks.map(({ effect }) => effect)).toEqual([expect.closeTo(0, 9), expect.closeTo(0, 9)]);
  });

  test('scores long sessions in turns, between which others are answered, and ends with its signal', async () => {
    const engine = await loaded('gru4rec');
    const session = clicks(...Array.from({ length: 100 }, (_, t) => IDS[(t * 7) % IDS.length]!));
    const order: string[] = [];
    const explaining = engine.explain({ session, itemIds: ['item-9'] }).then(() => order.push('explained'));
    await engine.recommend({ session, k: 5, exclude: [] }).then(() => order.push('recommended'));
    await explaining;
    expect(order).toEqual(['recommended', 'explained']);
    const abort = new AbortController();
    const aborted = engine.explain({ session, itemIds: ['item-9'] }, { signal: abort.signal });
    abort.abort();
    await expect(aborted).rejects.toMatchObject({ code: 'aborted' });
    await engine.dispose();
    await expect(engine.explain({ session, itemIds: ['item-9'] })).rejects.toMatchObject({ code: 'disposed' });
  });
});
