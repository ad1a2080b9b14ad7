import { memory } from '@tensorflow/tfjs';
import { describe, expect, test } from 'vitest';
import type { Artifact } from '../../src/checkpoint/artifact';
import type { Delta, TuneMethod } from '../../src/checkpoint/delta';
import type { Engine, EngineEvent, FineTuneRequest, RankedItem, TuneProgress } from '../../src/engine/types';
import { models } from '../../src/models/index';
import { withoutUnread } from '../../src/recommender/personalisation/fresh-events';
import { type VisitorEvent, VisitorHistory } from '../../src/session/visitor-history';
import { watch } from '../../src/train/tuning/guard';
import {
  clicks,
  type FixtureOptions,
  folderOf,
  habitOf,
  IDS,
  MODEL_URL,
  modelFor,
  NOW,
  serveFolder,
  smallModel,
} from './fixture';
import { loadedEngine, openEngine } from './open-engine';
import { differences, SMALL } from './parity';

const ARCHITECTURES = Object.keys(models);
type Backend = 'cpu' | 'wasm' | 'plan';
const METHODS = ['adapter', 'full'] as const satisfies readonly TuneMethod[];

async function loaded(architecture: string, backend: Backend = 'wasm', over: FixtureOptions = {}): Promise<Engine> {
  return loadedEngine(await modelFor(backend, { architecture, config: SMALL[architecture] ?? {}, ...over }), backend);
}

/** The artifact with sessions of others. */
function replaying(artifact: Artifact, sessions: readonly (readonly number[])[]): Artifact {
  const items = Int32Array.from(sessions.flat());
  const ends = sessions.map((_, s) => sessions.slice(0, s + 1).flat().length);
  const replay = {
    'catalogue.replay': { data: items, shape: [items.length] },
    'catalogue.replay-offsets': { data: Int32Array.of(0, ...ends), shape: [ends.length + 1] },
  };
  return { ...artifact, tensors: { ...artifact.tensors, ...replay } };
}

/** A visitor of habits: the same five items in the same order, in each of so many sessions, one a day. */
const HABIT = ['item-20', 'item-31', 'item-9', 'item-44', 'item-27'];
const habit = (sessions: number): EngineEvent[][] => habitOf(HABIT, sessions);

/** Learns all there is, slice by slice. */
async function learnAll(engine: Engine, sessions: EngineEvent[][], given?: Delta, method?: TuneMethod): Promise<Delta> {
  for (let delta = given; ; ) {
    const how = { milliseconds: 1e9, ...(method && { method }), ...(delta && { delta }) };
    const slice = await engine.fineTune({ sessions, ...how });
    if (slice.done) return slice.delta;
    delta = slice.delta;
  }
}

const everything = async (engine: Engine, session: readonly EngineEvent[]): Promise<readonly RankedItem[]> =>
  (await engine.recommend({ session, k: IDS.length, exclude: [] })).items;
const rankOf = (items: readonly RankedItem[], id: string): number => 1 + items.findIndex(({ itemId }) => itemId === id);

/** All parameters learn by TensorFlow.js alone. */
const WAYS = [...METHODS.map((method) => [method, 'wasm'] as const), ['adapter', 'plan'] as const];

describe.each(ARCHITECTURES.flatMap((name) => WAYS.map((way) => [name, ...way] as const)))(
  '%s, tuned by %s on %s',
  (architecture, method, backend) => {
    test('ranks what the visitor keeps coming back to better, and null brings back the very scores of the base', async () => {
      const engine = await loaded(architecture, backend);
      const sessions = habit(8);
      const asked = HABIT.slice(1).map((id, t) => ({ id, session: clicks(...HABIT.slice(0, t + 1)) }));
      const all = async () => Promise.all(asked.map(({ session }) => everything(engine, session)));
      const before = await all();
      /** Bit for bit; but kernels for training, once they are there, sum in another order. */
      const expectSame = (got: typeof before, expected: typeof before) => {
        if (method === 'adapter') expect(got).toEqual(expected);
        else for (const [i, items] of expected.entries()) expect(differences(items, got[i]!)).toEqual([]);
      };
      const delta = await learnAll(engine, sessions, undefined, method);
      expectSame(await all(), before); // learning changes nothing that answers
      await engine.setAdapter(delta);
      const after = await all();
      const mean = (lists: readonly (readonly RankedItem[])[]) =>
        lists.reduce((sum, items, i) => sum + 1 / rankOf(items, asked[i]!.id), 0) / lists.length;
      expect(mean(after)).toBeGreaterThan(mean(before) + 0.05);
      expect(delta).toMatchObject({ learnt: { events: 40, atThrough: 1 }, base: { architecture } });
      await engine.setAdapter(null);
      expectSame(await all(), before);
    });

    test('answers with the very scores that it predicts the next event by', async () => {
      const engine = await loaded(architecture, backend);
      const delta = await learnAll(engine, habit(5), undefined, method);
      await engine.setAdapter(delta);
      const scores = await Promise.all(
        [1, 2, 3, 4].map((length) => everything(engine, clicks(...HABIT.slice(0, length)))),
      );
      const notices: TuneProgress[] = [];
      // One event a slice: each is predicted by what the slice before had learnt.
      const sessions = habit(6);
      const first = { ...sessions[5]![0]!, itemId: HABIT[0]! };
      for (const length of [2, 3, 4, 5]) {
        const session = [first, ...sessions[5]!.slice(1, length)];
        const after = { ...delta, learnt: { events: 0, through: session.at(-2)!.time, atThrough: 1 } };
        await engine.fineTune(
          { sessions: [session], delta: after },
          { onProgress: (progress) => notices.push(progress) },
        );
      }
      expect(notices).toHaveLength(4);
      // What an adapter adds to the scores is in their unit; it predicts by them times its weight of the base.
      const unit = method === 'adapter' ? delta.arrays['weights']!.data[0]! : 1;
      for (const [t, { itemId, tuned }] of notices.entries()) {
        const items = scores[t]!;
        expect(itemId).toBe(HABIT[t + 1]);
        expect(tuned.rank).toBe(rankOf(items, itemId));
        const sum = items.reduce((total, { score }) => total + Math.exp(unit * score), 0);
        const own = items[rankOf(items, itemId) - 1]!.score;
        expect(tuned.loss).toBeCloseTo(Math.log(sum) - unit * own, 3);
      }
    });

    test('leaves as many tensors and bytes as there were, however often it learns', async () => {
      const engine = await loaded(architecture, backend);
      await engine.forget(); // a session's state
      const before = await engine.memory();
      const delta = await learnAll(engine, habit(3), undefined, method);
      expect(await engine.memory()).toEqual(before);
      await engine.setAdapter(delta);
      // The memory of a plan does not shrink. It has room for two adapters: the next one is made before this one is freed.
      if (backend === 'plan') await engine.setAdapter({ ...delta });
      await everything(engine, clicks('item-9', 'item-20')); // a plan takes room for its answers with the first
      await engine.forget();
      const withAdapter = await engine.memory();
      for (let n = 0; n < 3; n++) {
        await engine.setAdapter(await learnAll(engine, habit(3 + n), delta));
        await everything(engine, clicks('item-9', 'item-20'));
        await engine.forget();
      }
      expect(await engine.memory()).toEqual(withAdapter);
      await engine.setAdapter(null);
      expect(await engine.memory()).toEqual(backend === 'plan' ? withAdapter : before);
      await engine.dispose();
      expect(memory().numTensors).toBe(0);
    });

    test('keeps the adapter that was set when it moves to another backend', async () => {
      const engine = await loaded(architecture, backend);
      const base = await everything(engine, clicks('item-9'));
      await engine.setAdapter(await learnAll(engine, habit(4), undefined, method));
      const tuned = await everything(engine, clicks('item-9'));
      expect(tuned).not.toEqual(base);
      await engine.move({ backend: 'cpu' });
      const moved = await everything(engine, clicks('item-9'));
      const scores = new Map(tuned.map(({ itemId, score }) => [itemId, score]));
      for (const { itemId, score } of moved) expect(score).toBeCloseTo(scores.get(itemId)!, 3);
    });
  },
);

describe('fineTune', () => {
  test('learns each event once, whatever the slices, and the same in any', async () => {
    const engine = await loaded('gru4rec');
    const whole = await learnAll(engine, habit(6));
    let slices = 0;
    let delta: Delta | undefined;
    for (let done = false; !done; slices++) {
      const slice = await engine.fineTune({ sessions: habit(6), milliseconds: 0, ...(delta && { delta }) });
      expect(slice.events).toBe(1);
      ({ delta, done } = slice);
    }
    expect(slices).toBe(30);
    expect(delta!.learnt).toEqual(whole.learnt);
    for (const [name, { data }] of Object.entries(whole.arrays)) {
      for (const [i, value] of delta!.arrays[name]!.data.entries()) expect(value).toBeCloseTo(data[i]!, 4);
    }
    const nothing = await engine.fineTune({ sessions: habit(6), delta: whole });
    expect(nothing).toMatchObject({ done: true, events: 0, steps: 0 });
    expect(nothing.delta).toEqual(whole);
    const more = await engine.fineTune({ sessions: habit(7), delta: whole, milliseconds: 1e9 });
    expect(more).toMatchObject({ done: true, events: 5 });
  });

  /** Two sessions with every step from a view to a purchase, by item and kind. */
  const SHOPPING = [
    ['20 view', '31 view', '31 cart', '9 view', '20 purchase', '44 view'],
    ['27 view', '44 view', '44 purchase', '9 cart', '31 view'],
  ].map((session, s) =>
    session.map((step, t): VisitorEvent => {
      const [item, event] = step.split(' ');
      return { itemId: `item-${item}`, event: event!, time: NOW - 86_400 * (2 - s) + 60 * t };
    }),
  );

  test.each(['session', 'recent', 'all'] as const)(
    'reads before an event what a page that recommends by "%s" reads',
    async (choice) => {
      const engine = await loaded('gru4rec');
      const history = new VisitorHistory({ gap: 1800, history: choice });
      const expected: string[] = [];
      for (const [s, session] of SHOPPING.entries()) {
        for (const [t, event] of session.entries()) {
          const read = history.at(event.time);
          const before = SHOPPING[s]![t - 1]?.itemId;
          if (read.length > 0 && !(event.itemId === before && event.event !== 'view')) {
            expected.push(`${event.itemId} ${rankOf(await everything(engine, read), event.itemId)}`);
          }
          history.add([event]);
        }
      }
      const notices: string[] = [];
      const onProgress = ({ itemId, base }: TuneProgress) => notices.push(`${itemId} ${base.rank}`);
      const { delta } = await engine.fineTune(
        { sessions: SHOPPING, history: choice, milliseconds: 1e9 },
        { onProgress },
      );
      expect(notices).toEqual(expected);
      expect(notices).toHaveLength(choice === 'session' ? 7 : 8); // without the first and the steps that only go further
      expect(delta.learnt.events).toBe(11);
    },
  );

  test.each(['recent', 'all'] as const)(
    'learns the same to the bit where sessions that nobody reads are not passed, by "%s"',
    async (history) => {
      const engine = await loaded('gru4rec');
      const sessions = habit(150);
      const [earlier, fresh] = [sessions.slice(0, 148), sessions.slice(148)];
      const since = earlier.at(-1)!.at(-1)!.time;
      const learnt = (notices: Omit<FineTuneRequest, 'since'>) =>
        engine.fineTune({ ...notices, history, since, milliseconds: 1e9 }).then(({ delta }) => delta);
      const { sessions: read, leftOut } = withoutUnread(earlier, fresh[0]![0]!.time, { history });
      expect(read.length).toBeLessThan(earlier.length - 20);
      const whole = await learnt({ sessions });
      expect(await learnt({ sessions: [...read, ...fresh], leftOut })).toEqual(whole);
      expect(whole.learnt.events).toBe(10);
    },
  );

  test('reads what is not to be learnt any more, and learns what came after it', async () => {
    const engine = await loaded('gru4rec');
    const notices: TuneProgress[] = [];
    const [session] = habit(1);
    const { delta } = await engine.fineTune(
      { sessions: [session!], since: session![2]!.time, milliseconds: 1e9 },
      { onProgress: (progress) => notices.push(progress) },
    );
    expect(delta.learnt.events).toBe(2);
    expect(notices.map(({ itemId }) => itemId)).toEqual(HABIT.slice(3));
    expect(notices[0]!.base.rank).toBe(rankOf(await everything(engine, clicks(...HABIT.slice(0, 3))), HABIT[3]!));
  });

  test('predicts nothing that a machine does, and counts it; a clock that was set back is no machine', async () => {
    const engine = await loaded('gru4rec');
    const hasty = Array.from({ length: 100 }, (_, t) => ({ itemId: IDS[t % 40]!, time: NOW + t / 100 }));
    const notices: TuneProgress[] = [];
    const onProgress = (progress: TuneProgress) => notices.push(progress);
    const { delta } = await engine.fineTune({ sessions: [hasty], milliseconds: 1e9 }, { onProgress });
    expect(delta).toMatchObject({ learnt: { events: 100 }, guard: { refused: { rate: 69, repetition: 0 } } });
    expect(notices).toHaveLength(30); // of the 31 before the guard knows, all but the first
    const back = watch(delta.guard, { itemId: 'item-9', time: NOW - 3600 });
    expect(back.nonsense).toBeUndefined();
  });

  test('tells how each event was predicted before it was learnt', async () => {
    const engine = await loaded('gru4rec');
    const notices: TuneProgress[] = [];
    await engine.fineTune(
      { sessions: habit(5), milliseconds: 1e9 },
      { onProgress: (progress) => notices.push(progress) },
    );
    expect(notices).toHaveLength(20); // nothing predicts the first click of a session
    expect(notices.map(({ itemId }) => itemId)).toEqual(Array.from({ length: 5 }, () => HABIT.slice(1)).flat());
    expect(notices.at(-1)).toMatchObject({ events: 25, of: 25 });
    for (const [s, click] of [0, 1, 2, 3].entries()) {
      const items = await everything(engine, clicks(...HABIT.slice(0, s + 1)));
      expect(notices[click]!.base.rank).toBe(rankOf(items, HABIT[s + 1]!));
    }
    const late = notices.slice(-4);
    const loss = (of: 'base' | 'tuned') => late.reduce((sum, progress) => sum + progress[of].loss, 0);
    expect(loss('tuned')).toBeLessThan(loss('base'));
  });

  test('lets recommendations through between its turns, ends at once on its signal, and with the engine', async () => {
    const engine = await loaded('sasrec');
    const order: string[] = [];
    const tuning = engine.fineTune({ sessions: habit(40), milliseconds: 1e9 }).then(() => order.push('tuned'));
    for (let n = 0; n < 3; n++) await everything(engine, clicks('item-9')).then(() => order.push('recommended'));
    await tuning;
    expect(order).toEqual(['recommended', 'recommended', 'recommended', 'tuned']);

    const abort = new AbortController();
    const events: number[] = [];
    const aborted = engine.fineTune(
      { sessions: habit(40), milliseconds: 1e9 },
      {
        signal: abort.signal,
        onProgress({ events: n }) {
          events.push(n);
          if (n > 30) abort.abort();
        },
      },
    );
    await expect(aborted).rejects.toMatchObject({ code: 'aborted' });
    expect(Math.max(...events)).toBeLessThan(40);
    const ended = engine.fineTune({ sessions: habit(40), milliseconds: 1e9 });
    const refused = expect(ended).rejects.toMatchObject({ code: 'disposed' });
    await engine.dispose();
    await refused;
  });

  test('passes over items that the model does not know', async () => {
    const engine = await loaded('gru4rec');
    const sessions = [clicks('gone', 'item-9', 'toString', 'item-12')];
    expect(await engine.fineTune({ sessions })).toMatchObject({
      events: 2,
      done: true,
      delta: { learnt: { events: 2 } },
    });
    expect(await engine.fineTune({ sessions: [] })).toMatchObject({ events: 0, done: true });
  });

  test('is nothing for a model that counts, and says so', async () => {
    const engine = await loaded('pop', 'cpu');
    await expect(engine.fineTune({ sessions: habit(1) })).rejects.toMatchObject({
      code: 'not-tunable',
      message: expect.stringContaining('counts (pop)'),
    });
    await engine.setAdapter(null); // as it is
  });
});

describe('a model whose scores nothing turns into probabilities', () => {
  const bprMax: FixtureOptions = { config: { layers: '16', loss: 'bpr-max' }, scale: 'unknown' };

  test('neither learns nor explains, and says why', async () => {
    const engine = await loaded('gru4rec', 'cpu', bprMax);
    await expect(engine.fineTune({ sessions: habit(1) })).rejects.toMatchObject({
      code: 'not-tunable',
      message: expect.stringMatching(/"scale" in its manifest.json.*validation part.*--data/),
    });
    await engine.setAdapter(null);
    expect(await engine.explain({ session: clicks('item-9'), itemIds: ['item-20'] })).toEqual([]);
    expect(await everything(engine, clicks('item-9'))).toHaveLength(IDS.length);
  });

  test('refuses what was learnt when a scale was known', async () => {
    const delta = await learnAll(await loaded('gru4rec', 'cpu', { ...bprMax, scale: 1 }), habit(2));
    const engine = await loaded('gru4rec', 'cpu', bprMax);
    await expect(engine.setAdapter(delta)).rejects.toMatchObject({ code: 'not-tunable' });
  });

  test('learns where sessions that travel with it tell the scale, which is fitted on them', async () => {
    const artifact = await smallModel(bprMax);
    // Random weights prefer any items: those that they do are what the sessions go on with.
    const top = artifact.info.golden.top.map(({ index }) => index);
    const session = [1, 2, 3, 2];
    const engine = await loadedEngine(
      replaying(
        artifact,
        top.slice(0, 4).map((target) => [...session, target]),
      ),
      'wasm',
    );
    const delta = await learnAll(engine, habit(2));
    expect(delta.step).toBeGreaterThan(0);
    await engine.setAdapter(delta);
    expect(await engine.explain({ session: clicks('item-9'), itemIds: ['item-20'] })).toHaveLength(1);
  });
});

describe('a delta', () => {
  test('of another model is refused, and the adapter that was set before stays', async () => {
    const engine = await loaded('gru4rec');
    const delta = await learnAll(engine, habit(4));
    await engine.setAdapter(delta);
    const tuned = await everything(engine, clicks('item-9'));
    const foreign: Delta = { ...delta, base: { ...delta.base, version: '0.9', hash: 'f'.repeat(64) } };
    await expect(engine.setAdapter(foreign)).rejects.toMatchObject({
      code: 'foreign-delta',
      message: expect.stringContaining('0.9'),
    });
    await expect(engine.fineTune({ sessions: [], delta: foreign })).rejects.toMatchObject({ code: 'foreign-delta' });
    expect(await everything(engine, clicks('item-9'))).toEqual(tuned);
  });

  test.each<[string, (delta: Delta) => Partial<Delta>]>([
    ['a row for an item that its model does not know', ({ itemIds }) => ({ itemIds: ['gone', ...itemIds.slice(1)] })],
    [
      'vectors of another width',
      ({ arrays }) => ({ arrays: { ...arrays, shift: { data: new Float32Array(3), shape: [3] } } }),
    ],
    ...['shift', 'gain', 'weights', 'rows.bias', 'rows.count', 'slot.vectors', 'slot.rows.bias'].map(
      (name): [string, (delta: Delta) => Partial<Delta>] => [
        `numbers in ${name} that no learning reaches`,
        ({ arrays }) => {
          const { data, shape } = arrays[name]!;
          return { arrays: { ...arrays, [name]: { data: data.map(() => -3), shape } } };
        },
      ],
    ),
    ['evidence of less than nothing', ({ gate }) => ({ gate: { ...gate, squares: -2 } })],
    ['a surprise that no events make', ({ guard }) => ({ guard: { ...guard, surprise: 1e9 } })],
  ])('with %s is refused, and the adapter that was set before stays', async (_, change) => {
    const engine = await loaded('gru4rec');
    const delta = await learnAll(engine, habit(4));
    await engine.setAdapter(delta);
    const tuned = await everything(engine, clicks('item-9'));
    const damaged = { ...delta, ...change(delta) };
    await expect(engine.setAdapter(damaged)).rejects.toMatchObject({ code: 'bad-delta' });
    await expect(engine.fineTune({ sessions: habit(5), delta: damaged })).rejects.toMatchObject({ code: 'bad-delta' });
    expect(await everything(engine, clicks('item-9'))).toEqual(tuned);
  });

  test('is carried over to another version of the model by the ids of items, and says what it lost', async () => {
    const before = await loaded('gru4rec');
    const delta = await learnAll(before, habit(8));
    expect(await before.migrate(delta)).toEqual({ delta, dropped: [] });
    const after = await loaded('gru4rec', 'wasm', { seed: 2 });
    const migrated = await after.migrate({ ...delta, itemIds: ['gone', ...delta.itemIds.slice(1)] });
    if (!('delta' in migrated)) throw new Error(migrated.reason);
    expect(migrated.dropped).toEqual(['gone']);
    expect(migrated.delta.itemIds).toEqual(delta.itemIds.slice(1));
    expect(migrated.delta.gate).toMatchObject({ isOpen: false, events: 0 });
    expect(migrated.delta.guard.surprise).toBe(0);
    const base = await everything(after, clicks('item-20'));
    await after.setAdapter(migrated.delta);
    const tuned = await everything(after, clicks('item-20'));
    const own = migrated.delta.itemIds;
    const mean = (items: readonly RankedItem[]) => own.reduce((sum, id) => sum + 1 / rankOf(items, id), 0);
    expect(mean(tuned)).toBeGreaterThan(mean(base));
    await learnAll(after, habit(9), migrated.delta);

    expect(await after.migrate({ ...delta, method: 'full' })).toEqual({ reason: expect.stringContaining('weights') });
    expect(await after.migrate({ ...delta, itemIds: delta.itemIds.map((id) => `${id} gone`) })).toEqual({
      reason: expect.stringContaining('No item'),
    });
  });
});

test('sessions that travel with the model are replayed, and learnt from as others', async () => {
  const plain = await loaded('gru4rec');
  const artifact = await smallModel({ architecture: 'gru4rec', config: SMALL['gru4rec']! });
  const engine = await loadedEngine(
    replaying(artifact, [
      [5, 6, 7],
      [5, 9],
      [11, 12],
    ]),
    'wasm',
  );
  const [replayed, alone] = [await learnAll(engine, habit(3)), await learnAll(plain, habit(3))];
  expect(replayed.learnt).toEqual(alone.learnt);
  expect(replayed.arrays['shift']).not.toEqual(alone.arrays['shift']);
  expect(replayed.arrays['rows.count']).toEqual(alone.arrays['rows.count']);
});

test('what was learnt is not used any more where it, and not the model alone, makes scores that are not finite', async () => {
  const engine = await loaded('sasrec');
  const session = clicks(...HABIT.slice(0, 2));
  const base = await everything(engine, session);
  const learnt = await learnAll(engine, habit(4));
  const damaged = { ...learnt.arrays['rows.bias']!, data: learnt.arrays['rows.bias']!.data.map(() => Number.NaN) };
  // `setAdapter` refuses such a delta: it is damaged afterwards.
  await engine.setAdapter(learnt);
  Object.assign(learnt.arrays, { 'rows.bias': damaged });
  const request = { session, k: IDS.length, exclude: [] };
  await engine.move({ backend: 'cpu' }); // makes the adapter again, from the damaged numbers
  const answer = await engine.recommend(request);
  expect(answer.refusedAdapter).toMatch(/not finite/);
  expect(differences(answer.items, base)).toEqual([]);
  expect((await engine.recommend(request)).refusedAdapter).toBeUndefined();
});

test('calls that wait behind a refusal leave the model on its backend, too', async () => {
  const engine = await loaded('sasrec');
  const learnt = await learnAll(engine, habit(4));
  const damaged = { ...learnt.arrays['rows.bias']!, data: learnt.arrays['rows.bias']!.data.map(() => Number.NaN) };
  await engine.setAdapter(learnt);
  Object.assign(learnt.arrays, { 'rows.bias': damaged });
  await engine.move({ backend: 'cpu' });
  await engine.move({ backend: 'wasm' }); // makes the adapter again
  const request = { session: clicks(...HABIT.slice(0, 2)), k: 1, exclude: [] };
  await Promise.all([1, 2, 3].map(() => engine.recommend(request)));
  expect(await engine.recommend(request)).toMatchObject({ backend: 'wasm' });
});

test('what was refused is not reported for the adapter that was set after it', async () => {
  const engine = await loaded('sasrec');
  const [learnt, next] = [await learnAll(engine, habit(4)), await learnAll(engine, habit(2))];
  const damaged = { ...learnt.arrays['rows.bias']!, data: learnt.arrays['rows.bias']!.data.map(() => Number.NaN) };
  await engine.setAdapter(learnt);
  Object.assign(learnt.arrays, { 'rows.bias': damaged });
  await engine.move({ backend: 'cpu' });
  const session = clicks(...HABIT.slice(0, 2));
  await engine.explain({ session, itemIds: [HABIT[2]!] }); // refuses it, and has no answer to say so in
  await engine.setAdapter(next);
  expect((await engine.recommend({ session, k: 1, exclude: [] })).refusedAdapter).toBeUndefined();
});

/** An engine that loads either of two models from the same address. */
async function twoModels() {
  const folders = [await folderOf(await smallModel()), await folderOf(await smallModel({ seed: 2 }))];
  let folder = folders[0]!;
  const engine = openEngine({ fetchFile: (url, signal) => serveFolder(folder)(url, signal) });
  const load = (which: 0 | 1) => {
    folder = folders[which]!;
    return engine.load({ modelUrl: MODEL_URL, backend: 'wasm' });
  };
  return { engine, load };
}

test('the adapter that was set belongs to its model: another one that is loaded answers as it is', async () => {
  const { engine, load } = await twoModels();
  await load(0);
  await engine.setAdapter(await learnAll(engine, habit(4)));
  const tuned = await everything(engine, clicks('item-9'));
  await load(1);
  const other = await everything(engine, clicks('item-9'));
  await engine.setAdapter(null);
  expect(await everything(engine, clicks('item-9'))).toEqual(other);
  await load(0);
  const base = await everything(engine, clicks('item-9'));
  expect(base).not.toEqual(tuned);
  await engine.setAdapter(await learnAll(engine, habit(4)));
  await load(0);
  expect(await everything(engine, clicks('item-9'))).toEqual(tuned);
});

test('another model that is loaded meanwhile ends the learning, and stays where it was loaded', async () => {
  const { engine, load } = await twoModels();
  await load(0);
  let other: Promise<unknown> | undefined;
  const learning = engine.fineTune(
    { sessions: habit(40_000), milliseconds: 1e9 },
    {
      onProgress() {
        other ??= load(1);
      },
    },
  );
  await expect(learning).rejects.toMatchObject({ code: 'aborted' });
  expect(await other).toMatchObject({ backend: 'wasm' });
  const { backend } = await engine.recommend({ session: clicks('item-9'), k: 5, exclude: [] });
  expect(backend).toBe('wasm');
});

describe('a model with a plan', () => {
  const planned = () => loaded('sasrec', 'plan');
  const session = clicks(...HABIT.slice(0, 2));
  const asked = { session, k: IDS.length, exclude: [] };

  test('learns by adapter as on WASM, and both answer alike by what was learnt', async () => {
    const [plan, wasm] = [await planned(), await loaded('sasrec', 'wasm')];
    const [ours, theirs] = [await learnAll(plan, habit(6)), await learnAll(wasm, habit(6))];
    expect(ours.learnt).toEqual(theirs.learnt);
    expect(ours.gate).toMatchObject({ isOpen: theirs.gate.isOpen, events: theirs.gate.events });
    for (const [name, { data }] of Object.entries(theirs.arrays)) {
      for (const [i, value] of ours.arrays[name]!.data.entries()) expect(value).toBeCloseTo(data[i]!, 4);
    }
    for (const engine of [plan, wasm]) await engine.setAdapter(theirs);
    expect(differences(await everything(wasm, session), await everything(plan, session))).toEqual([]);
    const answer = await plan.recommend({ ...asked, exclude: HABIT });
    expect(answer.backend).toBe('plan');
    expect(answer.items).toHaveLength(IDS.length - HABIT.length);
  });

  test('is left for WASM where all parameters learn, and not taken again', async () => {
    const engine = await planned();
    const base = await everything(engine, session);
    const delta = await learnAll(engine, habit(3), undefined, 'full');
    expect(delta.step).toBeGreaterThan(0);
    const left = await engine.recommend(asked);
    expect(left).toMatchObject({ backend: 'wasm', why: expect.stringContaining('which the plan cannot') });
    expect(differences(base, left.items)).toEqual([]);
    await engine.setAdapter(delta);
    expect(await everything(engine, session)).not.toEqual(base);
    await expect(engine.move({ backend: 'plan' })).rejects.toMatchObject({
      code: 'no-backend',
      message: expect.stringContaining('all parameters'),
    });
    expect((await engine.move({ backend: 'wasm' })).model.candidates).not.toContain('plan');

    // What was stored is set as adapter, while others ask.
    const next = await planned();
    const [, ...answers] = await Promise.all([next.setAdapter(delta), next.recommend(asked), next.recommend(asked)]);
    for (const { items } of answers) expect(differences(base, items)).toEqual([]);
    const tuned = await next.recommend(asked);
    expect(tuned.backend).toBe('wasm');
    expect(differences(await everything(engine, session), tuned.items)).toEqual([]);
    // The same model with the same adapter: every call waits until the plan has been left.
    await next.load({ modelUrl: MODEL_URL, backend: 'auto' });
    for (const { items, backend } of await Promise.all([next.recommend(asked), next.recommend(asked)])) {
      expect([backend, differences(tuned.items, items)]).toEqual(['wasm', []]);
    }
  });

  test('carries what was learnt over to another version, and refuses what is of neither', async () => {
    const delta = await learnAll(await planned(), habit(8));
    const after = await loaded('sasrec', 'plan', { seed: 2 });
    await expect(after.setAdapter(delta)).rejects.toMatchObject({ code: 'foreign-delta' });
    const migrated = await after.migrate(delta);
    if (!('delta' in migrated)) throw new Error(migrated.reason);
    const base = await everything(after, session);
    await after.setAdapter(migrated.delta);
    expect(await everything(after, session)).not.toEqual(base);
    expect((await after.recommend(asked)).backend).toBe('plan');
  });

  test('refuses an adapter of numbers that are not finite once, and answers on', async () => {
    const engine = await planned();
    const base = await everything(engine, session);
    const learnt = await learnAll(engine, habit(4));
    await engine.setAdapter(learnt);
    const { data } = learnt.arrays['rows.bias']!;
    Object.assign(learnt.arrays, { 'rows.bias': { ...learnt.arrays['rows.bias'], data: data.map(() => Number.NaN) } });
    await engine.move({ backend: 'cpu' });
    await engine.move({ backend: 'plan' }); // makes the adapter again, from the damaged numbers
    const answer = await engine.recommend(asked);
    expect(answer.refusedAdapter).toMatch(/not finite/);
    expect(differences(answer.items, base)).toEqual([]);
    const next = await engine.recommend(asked);
    expect([next.refusedAdapter, next.backend]).toEqual([undefined, 'plan']);
  });

  test('stays where only what was learnt makes scores that are not finite', async () => {
    const engine = await planned();
    const base = await everything(engine, session);
    const learnt = await learnAll(engine, habit(4));
    await engine.setAdapter(learnt);
    const { data } = learnt.arrays['rows.bias']!;
    Object.assign(learnt.arrays, { 'rows.bias': { ...learnt.arrays['rows.bias'], data: data.map(() => Number.NaN) } });
    await engine.load({ modelUrl: MODEL_URL, backend: 'auto' }); // makes the adapter again, from the damaged numbers
    const answer = await engine.recommend(asked);
    expect(answer).toMatchObject({ backend: 'plan', refusedAdapter: expect.stringMatching(/not finite/) });
    expect(differences(answer.items, base)).toEqual([]);
  });
});

test('a delta of one method does not go on by the other', async () => {
  const engine = await loaded('gru4rec');
  const delta = await learnAll(engine, habit(1));
  await expect(engine.fineTune({ sessions: habit(2), delta, method: 'full' })).rejects.toBeInstanceOf(RangeError);
});
