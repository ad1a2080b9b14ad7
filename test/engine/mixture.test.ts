/** Counting inside the artifact of a network, as a page uses it. */
import { engine as runtime } from '@tensorflow/tfjs';
import { describe, expect, test } from 'vitest';
import { type Artifact, type MixedCounter, SUPPORT_TENSOR } from '../../src/checkpoint/artifact';
import type { Engine, EngineEvent } from '../../src/engine/types';
import { random } from '../../src/session/random';
import type { Sessions } from '../../src/types';
import { clicks, IDS, LONG, SESSIONS, smallModel, withCounter, withPlan } from './fixture';
import { loadedEngine } from './open-engine';
import { SMALL } from './parity';

const SHARE = 0.3;
const SEED = 11;
const { integer } = random(SEED, 'sessions');
/** 40 sessions of 5 clicks on 50 of the items; of the others nothing was counted. */
const LOG: Sessions = {
  items: Int32Array.from({ length: 200 }, () => 1 + integer(50)),
  times: Float64Array.from({ length: 200 }, (_, e) => 1_699_000_000 + 100 * e),
  offsets: Int32Array.from({ length: 41 }, (_, s) => 5 * s),
};

const MIX: MixedCounter = { architecture: 'v-sknn', config: { k: 20, sampleSize: 40 }, share: SHARE };
/** A network with V-SkNN of that log inside. */
const mixture = async (architecture: string): Promise<Artifact> =>
  withCounter(await smallModel({ architecture, config: { ...SMALL[architecture] } }), LOG, MIX);

const isMixed = (name: string): boolean => name.startsWith('mix.');
/** The same network with nothing inside. */
function networkOf({ info: { mix: _, ...info }, tensors, itemIds }: Artifact): Promise<Artifact> {
  const own = Object.entries(tensors).filter(([name]) => !isMixed(name));
  return withPlan({ info, itemIds, tensors: Object.fromEntries(own) });
}
/** What is inside, by itself. */
function counterOf({ info: { mix, ...info }, tensors, itemIds }: Artifact): Artifact {
  const { architecture, config } = mix!;
  const counted = Object.entries(tensors).flatMap(([name, array]) => (isMixed(name) ? [[name.slice(4), array]] : []));
  return {
    info: { ...info, architecture, config, golden: { session: [1], top: [] } },
    itemIds,
    tensors: { ...Object.fromEntries(counted), [SUPPORT_TENSOR]: tensors[SUPPORT_TENSOR]! },
  };
}

const all = async (engine: Engine, session: readonly EngineEvent[]): Promise<Map<string, number>> => {
  const { items } = await engine.recommend({ session, k: IDS.length, exclude: [] });
  return new Map(items.map(({ itemId, score }) => [itemId, score]));
};
const sumOf = (scores: Iterable<number>): number => [...scores].reduce((sum, score) => sum + score, 0);

/** The share of each item among what is counted for a session. */
async function sharesOf(counter: Engine, session: readonly EngineEvent[]): Promise<(id: string) => number> {
  const positive = new Map([...(await all(counter, session))].filter(([, count]) => count > 0));
  const sum = sumOf(positive.values());
  expect(sum).toBeGreaterThan(0);
  return (id) => (positive.get(id) ?? 0) / sum;
}

function expectClose(got: ReadonlyMap<string, number>, expected: ReadonlyMap<string, number>): void {
  expect(got.size).toBe(expected.size);
  for (const [id, score] of expected) expect(got.get(id)).toBeCloseTo(score, 5);
}

const BACKENDS = ['plan', 'cpu', 'wasm'] as const;

describe.each(['gru4rec', 'sasrec'])('%s with V-SkNN inside', (architecture) => {
  test.each(BACKENDS)('answers by the weighted mean of their probabilities, on %s', async (backend) => {
    const artifact = await mixture(architecture);
    const engine = await loadedEngine(artifact, backend);
    const network = await loadedEngine(await networkOf(artifact), backend);
    const counter = await loadedEngine(counterOf(artifact), 'cpu');
    for (const session of Object.values(SESSIONS)) {
      const [mixed, learnt] = [await all(engine, session), await all(network, session)];
      if (!session.some(({ itemId }) => IDS.includes(itemId))) {
        expect(mixed).toEqual(learnt); // by popularity
        continue;
      }
      const whole = sumOf([...learnt.values()].map(Math.exp));
      const share = await sharesOf(counter, session);
      const mean = (id: string) => (1 - SHARE) * (Math.exp(learnt.get(id)!) / whole) + SHARE * share(id);
      expectClose(mixed, new Map(IDS.map((id) => [id, mean(id)])));
    }
  });

  test('answers the same when a session goes on click by click', async () => {
    const artifact = await mixture(architecture);
    const [engine, other] = [await loadedEngine(artifact, 'plan'), await loadedEngine(artifact, 'plan')];
    for (const length of [1, 2, 3, 50, 51]) {
      await other.forget();
      const session = LONG.slice(0, length);
      expect(await all(engine, session)).toEqual(await all(other, session));
    }
  });

  test('explains by those probabilities', async () => {
    const engine = await loadedEngine(await mixture(architecture), 'plan');
    const session = clicks('item-9', 'item-12', 'item-7');
    const [found] = await engine.explain({ session, itemIds: ['item-30'] });
    const share = (scores: Map<string, number>) => Math.log(0.99 * scores.get('item-30')! + 0.01 / IDS.length);
    const whole = await all(engine, session);
    expect(found!.score).toBeCloseTo(whole.get('item-30')!, 5);
    expect([...whole.keys()][found!.rank - 1]).toBe('item-30');
    for (const [t, { effect }] of found!.clicks.entries()) {
      const part = await all(
        engine,
        session.filter((_, other) => other !== t),
      );
      expect(effect).toBeCloseTo(share(whole) - share(part), 4);
    }
  });

  test.each(['adapter', 'full'] as const)(
    'learns by method %s in its network, and goes on to count',
    async (method) => {
      const artifact = await mixture(architecture);
      const engine = await loadedEngine(artifact, 'plan');
      const session = clicks('item-9', 'item-12');
      const share = await sharesOf(await loadedEngine(counterOf(artifact), 'cpu'), session);
      const before = await all(engine, session);
      const sessions = Array.from({ length: 8 }, () => clicks('item-9', 'item-12', 'item-31'));
      const { delta } = await engine.fineTune({ sessions, method, milliseconds: 1e9 });
      await engine.setAdapter(delta);
      const after = await all(engine, session);
      expect(after.get('item-31')).toBeGreaterThan(before.get('item-31')!);
      expect(sumOf(after.values())).toBeCloseTo(1, 4);
      for (const [id, score] of after) expect(score).toBeGreaterThanOrEqual(SHARE * share(id) - 1e-6);
      await engine.setAdapter(null);
      expectClose(await all(engine, session), before);
    },
  );

  test('answers the same after it has moved to another backend', async () => {
    const engine = await loadedEngine(await mixture(architecture), 'plan');
    const session = clicks('item-9', 'item-12');
    const before = await all(engine, session);
    for (const backend of ['cpu', 'wasm', 'plan'] as const) {
      await engine.move({ backend });
      expectClose(await all(engine, session), before);
    }
  });

  test.each(['plan', 'cpu'] as const)(
    'is refused on %s where its network has other weights, however much is counted',
    async (backend) => {
      const artifact = await mixture(architecture);
      const items = artifact.tensors['items']!;
      const other = { ...items, data: (items.data as Float32Array).map((x) => 1.05 * x) };
      const mix = { ...MIX, share: 0.99 };
      const damaged = { ...artifact, info: { ...artifact.info, mix }, tensors: { ...artifact.tensors, items: other } };
      await expect(loadedEngine(damaged, backend)).rejects.toMatchObject({
        message: expect.stringContaining('golden answer'),
      });
    },
  );
});

const HOSTILE = { toString: 1, valueOf: 1 };
test.each([
  [{ share: 1 }, 'the share 1, expected a number between 0 and 1'],
  [{ share: '0.5' }, 'the share "0.5"'],
  [{ share: HOSTILE }, 'the share {"toString":1,"valueOf":1}'],
  [{ architecture: 'sasrec' }, '"sasrec", which is no model that counts'],
  [{ architecture: '__proto__' }, '"__proto__", which is no model that counts'],
  [{ architecture: ['v-sknn'] }, '["v-sknn"], which is no model that counts'],
  [{ architecture: HOSTILE }, 'which is no model that counts'],
  [{ architecture: undefined }, 'nothing, which is no model that counts'],
  [{ config: null }, 'field mix.config must be a JSON object, got null'],
  [{ config: [] }, 'field mix.config must be a JSON object, got []'],
  [{ config: { k: -1 } }, 'cannot be used'],
  [{ architecture: 'sr' }, '"items.events"'],
])('is refused with %j, and leaves no tensor', async (over, message) => {
  const artifact = await mixture('gru4rec');
  const mix = { ...MIX, ...over } as MixedCounter;
  const before = runtime().state.numTensors;
  const loading = loadedEngine({ ...artifact, info: { ...artifact.info, mix } }, 'cpu');
  await expect(loading).rejects.toMatchObject({
    code: expect.stringMatching(/^(bad-artifact|weights-mismatch)$/),
    message: expect.stringContaining(message),
  });
  expect(runtime().state.numTensors).toBe(before);
});
