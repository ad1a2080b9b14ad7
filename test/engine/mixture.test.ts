/** Counting inside the artifact of a network, as a page uses it. */
import { afterEach, describe, expect, test } from 'vitest';
import { type Artifact, type Mix, SUPPORT_TENSOR } from '../../src/checkpoint/artifact';
import type { BackendName } from '../../src/compute/types';
import { createLocalEngine } from '../../src/engine/local-engine';
import type { Engine, EngineEvent } from '../../src/engine/types';
import { random } from '../../src/session/random';
import type { Sessions } from '../../src/types';
import { wasmPath } from '../compute/backends/start';
import {
  clicks,
  folderOf,
  IDS,
  LONG,
  MODEL_URL,
  NOW,
  SESSIONS,
  serveFolder,
  smallModel,
  withCounter,
  withPlan,
} from './fixture';
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

const MIX: Mix = { architecture: 'v-sknn', config: { k: 20, sampleSize: 40 }, share: SHARE };
/** A network with V-SkNN of that log inside. */
const mixture = async (architecture: string): Promise<Artifact> =>
  withCounter(await smallModel({ architecture, config: { ...SMALL[architecture] } }), LOG, MIX);

const running: Engine[] = [];
afterEach(async () => {
  await Promise.all(running.splice(0).map((engine) => engine.dispose()));
});

async function load(artifact: Artifact, backend: BackendName): Promise<Engine> {
  const engine = createLocalEngine({ fetchFile: serveFolder(await folderOf(artifact)), wasmPath });
  running.push(engine);
  await engine.load({ modelUrl: MODEL_URL, backend });
  return engine;
}

const all = async (engine: Engine, session: readonly EngineEvent[]): Promise<Map<string, number>> => {
  const { items } = await engine.recommend({ session, k: IDS.length, exclude: [], now: NOW });
  return new Map(items.map(({ itemId, score }) => [itemId, score]));
};
const sumOf = (scores: Iterable<number>): number => [...scores].reduce((sum, score) => sum + score, 0);

describe.each(['gru4rec', 'sasrec'])('%s with V-SkNN inside', (architecture) => {
  test.each(['plan', 'cpu', 'wasm'] as const)(
    'answers by the weighted mean of their probabilities, on %s',
    async (backend) => {
      const artifact = await mixture(architecture);
      const engine = await load(artifact, backend);
      const { mix, ...info } = artifact.info;
      const own = Object.entries(artifact.tensors).filter(([name]) => !name.startsWith('mix.'));
      const counted = Object.entries(artifact.tensors).flatMap(([name, array]) =>
        name.startsWith('mix.') ? [[name.slice(4), array] as const] : [],
      );
      const golden = { session: [1], top: [] };
      const alone = { ...artifact, info: { ...info, golden }, tensors: Object.fromEntries(own) };
      const network = await load(await withPlan(alone), backend);
      const counter = await load(
        {
          ...alone,
          info: { ...alone.info, architecture: mix!.architecture, config: mix!.config },
          tensors: { ...Object.fromEntries(counted), [SUPPORT_TENSOR]: artifact.tensors[SUPPORT_TENSOR]! },
        },
        'cpu',
      );
      for (const session of Object.values(SESSIONS)) {
        const known = session.some(({ itemId }) => IDS.includes(itemId));
        const [mixed, learnt, counts] = [
          await all(engine, session),
          await all(network, session),
          await all(counter, session),
        ];
        if (!known) {
          expect(mixed).toEqual(learnt); // by popularity
          continue;
        }
        const whole = sumOf([...learnt.values()].map(Math.exp));
        const positive = [...counts].filter(([, count]) => count > 0);
        const sum = sumOf(positive.map(([, count]) => count));
        expect(positive.length).toBeGreaterThan(0);
        for (const id of IDS) {
          const share = Math.max(0, counts.get(id) ?? 0) / sum;
          expect(mixed.get(id)).toBeCloseTo((1 - SHARE) * (Math.exp(learnt.get(id)!) / whole) + SHARE * share, 5);
        }
      }
    },
  );

  test('answers the same when a session goes on click by click', async () => {
    const artifact = await mixture(architecture);
    const [engine, other] = [await load(artifact, 'plan'), await load(artifact, 'plan')];
    for (const length of [1, 2, 3, 50, 51]) {
      await other.forget();
      const session = LONG.slice(0, length);
      expect(await all(engine, session)).toEqual(await all(other, session));
    }
  });

  test('explains by those probabilities', async () => {
    const engine = await load(await mixture(architecture), 'plan');
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

  test('learns in its network, and goes on to count', async () => {
    const engine = await load(await mixture(architecture), 'plan');
    const session = clicks('item-9', 'item-12');
    const before = await all(engine, session);
    const sessions = Array.from({ length: 8 }, () => clicks('item-9', 'item-12', 'item-31'));
    const { delta } = await engine.fineTune({ sessions, milliseconds: 1e9 });
    await engine.setAdapter(delta);
    const after = await all(engine, session);
    expect(after).not.toEqual(before);
    expect(sumOf(after.values())).toBeCloseTo(1, 4);
    // Of what the neighbours say, nothing is lost: no item falls below its share.
    for (const [id, score] of after) expect(score).toBeGreaterThan(before.get(id)! - (1 - SHARE));
    await engine.setAdapter(null);
    expect(await all(engine, session)).toEqual(before);
  });
});

test.each([
  [{ share: 1 }, 'the share 1, expected a number between 0 and 1'],
  [{ share: 'much' as unknown as number }, 'the share "much"'],
  [{ architecture: 'sasrec' }, '"sasrec", which is no model that counts'],
  [{ architecture: 'oracle' }, 'has the architecture "oracle"'],
  [{ config: { k: -1 } }, 'cannot be used'],
  [{ architecture: 'sr' }, '"items.events"'],
])('is refused with %j', async (over, message) => {
  const artifact = await mixture('gru4rec');
  const loading = load({ ...artifact, info: { ...artifact.info, mix: { ...MIX, ...over } } }, 'cpu');
  await expect(loading).rejects.toMatchObject({ message: expect.stringContaining(message) });
  await expect(loading).rejects.toMatchObject({ code: expect.stringMatching(/^(bad-artifact|weights-mismatch)$/) });
});
