/**
 * Every fault at every device call of an operation: the operation is counted first, then repeated with the fault at its
 * first, second, … call, each time on an engine of its own.
 */
import { engine as runtime } from '@tensorflow/tfjs';
import { expect } from 'vitest';
import type { Artifact } from '../../src/checkpoint/artifact';
import type { Delta } from '../../src/checkpoint/delta';
import type { BackendName } from '../../src/compute/types';
import { createLocalEngine, type LocalEngineOptions } from '../../src/engine/local-engine';
import type { Engine, EngineEvent, RankedItem } from '../../src/engine/types';
import { tried } from '../tries';
import { clicks, folderOf, habitOf, MODEL_URL, serveFolder, smallModel } from './fixture';

export const FAULTS = ['throws', 'never settles', 'returns NaN', 'device lost'] as const;
export type Fault = (typeof FAULTS)[number];

const HABIT = ['item-20', 'item-31', 'item-9'];
const habit = (sessions: number): EngineEvent[][] => habitOf(HABIT, sessions);
const SESSION = clicks('item-20', 'item-31');

/** What a visitor may be in the middle of, and what has to come of it. */
export interface Operation {
  readonly name: string;
  /** @returns Plain data that is the same on every backend, within the precision of a GPU. */
  run(engine: Engine, learnt: Delta): Promise<unknown>;
}

const ids = (items: readonly RankedItem[]) => items.map(({ itemId }) => itemId);
const fineTuned = async (engine: Engine, delta?: Delta) => {
  const method = delta ? {} : ({ method: 'full' } as const);
  const slice = await engine.fineTune({ sessions: habit(2), milliseconds: 1e9, ...method, ...(delta && { delta }) });
  return { done: slice.done, events: slice.events, through: slice.delta.learnt.through };
};

export const OPERATIONS: readonly Operation[] = [
  { name: 'recommend', run: async (engine) => ids((await engine.recommend(request)).items) },
  {
    name: 'explain',
    run: async (engine) => (await engine.explain({ session: SESSION, itemIds: ['item-9'] })).map(({ rank }) => rank),
  },
  { name: 'fineTune by adapter', run: (engine, learnt) => fineTuned(engine, learnt) },
  { name: 'fineTune by all parameters', run: (engine) => fineTuned(engine) },
];

const request = { session: SESSION, k: 20, exclude: [] };

export interface Bench {
  /** Default: a small GRU4Rec. */
  readonly model?: () => Promise<Artifact>;
  readonly backend: BackendName;
  /** What the model falls back to. */
  readonly below: BackendName;
  readonly options?: LocalEngineOptions;
  /** Takes the device of the backend away. */
  readonly lose: () => void;
  /** Puts a fault into the device's calls, from the `at`-th on; without one, only counts them. Default: into its reads. */
  readonly withFault?: (fault?: Fault, at?: number) => Shim;
  /** In which all is answered, where the clock only runs while a device call hangs. */
  readonly seconds?: number;
  /** Waits for a call; time must pass while a device call hangs. Default: just waits. */
  readonly settle?: <T>(call: Promise<T>, isHung: () => boolean) => Promise<T>;
}

/** An engine with a model that has learnt a little, whose adapter is active. */
async function prepared(
  { backend, options, model = smallModel }: Bench,
  learnt?: Delta,
): Promise<{ engine: Engine; delta: Delta }> {
  const fetchFile = serveFolder(await folderOf(await model()));
  const engine = createLocalEngine({ fetchFile, ...options });
  await engine.load({ modelUrl: MODEL_URL, backend });
  const delta = learnt ?? (await engine.fineTune({ sessions: habit(1), milliseconds: 1e9 })).delta;
  await engine.setAdapter(delta);
  return { engine, delta };
}

/** What stands between the engine and a device. Another instance of the backend is sound. */
export interface Shim {
  calls(): number;
  remove(): void;
  isHung(): boolean;
}

type Read = (this: object, id: object) => Promise<ArrayLike<number>>;

function withFault(bench: Bench, fault?: Fault, at = Number.POSITIVE_INFINITY): Shim {
  const { backend, lose } = bench;
  if (bench.withFault) return bench.withFault(fault, at);
  const instance = runtime().registry[backend] as unknown as { read: Read };
  const { read } = instance;
  let calls = 0;
  let isHung = false;
  instance.read = async function (id) {
    if (++calls < at || fault === undefined) return read.call(this, id);
    if (fault === 'throws') throw new Error('the driver is broken');
    if (fault === 'never settles') {
      isHung = true;
      return new Promise<never>(() => {});
    }
    if (fault === 'device lost') lose();
    const values = await read.call(this, id);
    return fault === 'returns NaN' && values instanceof Float32Array ? values.map(() => Number.NaN) : values;
  };
  return {
    calls: () => calls,
    remove: () => Object.assign(instance, { read }),
    isHung: () => isHung && (runtime().registry[backend] as unknown) === instance,
  };
}

const every = (count: number): readonly number[] => Array.from({ length: count }, (_, i) => i + 1);

/**
 * The table for one operation and one fault.
 *
 * @param calls Which device calls fail, given how many there are. Default: each in turn.
 */
export async function checkFaults(bench: Bench, { name, run }: Operation, fault: Fault, calls = every): Promise<void> {
  let shim: Shim | undefined;
  const settle: <T>(call: Promise<T>) => Promise<T> = (call) =>
    bench.settle ? bench.settle(call, () => shim?.isHung() ?? false) : call;
  const sound = await settle(prepared(bench));
  const healthy = ids((await settle(sound.engine.recommend(request))).items);
  const counted = withFault(bench);
  const expected = await settle(run(sound.engine, sound.delta));
  const count = counted.calls();
  await settle(sound.engine.dispose());
  expect(count).toBeGreaterThan(0);
  for (const at of calls(count)) {
    tried(1);
    const where = `${name}, device call ${at} of ${count} ${fault}`;
    const { engine } = await settle(prepared(bench, sound.delta));
    shim = withFault(bench, fault, at);
    const from = performance.now();
    const answer = run(engine, sound.delta);
    const next = [1, 2, 3].map(() => engine.recommend(request)); // wait behind it
    expect(await settle(answer.catch((error) => error)), where).toEqual(expected);
    // What was learnt still answers, from the backend that the answer names.
    for (const { items } of await settle(Promise.all(next))) expect(ids(items), where).toEqual(healthy);
    const seconds = (performance.now() - from) / 1000;
    if (bench.seconds !== undefined) expect(seconds, where).toBeLessThanOrEqual(bench.seconds);
    const { items, backend, why, refusedAdapter } = await settle(engine.recommend(request));
    expect(ids(items), where).toEqual(healthy);
    expect(refusedAdapter, where).toBeUndefined();
    expect({ backend, why }, where).toEqual({
      backend: fault === 'device lost' ? bench.backend : bench.below,
      why: expect.stringContaining(`"${bench.backend}" had failed`),
    });
    await settle(engine.dispose());
    shim = undefined;
  }
}

/** The same for moving a model to the bench's backend, from another one that stays sound. */
export async function checkMove(
  bench: Bench & { readonly from: BackendName },
  fault: Fault,
  calls = every,
): Promise<void> {
  const { backend, from } = bench;
  let shim: Shim | undefined;
  const settle: <T>(call: Promise<T>) => Promise<T> = (call) =>
    bench.settle ? bench.settle(call, () => shim?.isHung() ?? false) : call;
  let time = 0;
  const options: LocalEngineOptions = { ...bench.options, clock: () => (time += 10) };
  /** An engine whose model is elsewhere, beside one that keeps the backend running: its device is there before the model. */
  const start = async () => {
    const other = await prepared(bench);
    return { other, ...(await prepared({ ...bench, options, backend: from })) };
  };
  const sound = await settle(start());
  const { items } = await settle(sound.engine.recommend(request));
  const counted = withFault(bench);
  await settle(sound.engine.move({ backend }));
  await settle(sound.engine.dispose());
  await settle(sound.other.engine.dispose());
  counted.remove();
  const count = counted.calls();
  expect(count).toBeGreaterThan(0);
  for (const at of calls(count)) {
    tried(1);
    const where = `move, device call ${at} of ${count} ${fault}`;
    const { engine, other } = await settle(start());
    shim = withFault(bench, fault, at);
    await expect(settle(engine.move({ backend })), where).rejects.toMatchObject({ code: 'no-backend' });
    const after = await settle(engine.recommend(request));
    expect([ids(after.items), after.backend], where).toEqual([ids(items), from]);
    shim.remove();
    shim = undefined;
    await settle(engine.dispose());
    await settle(other.engine.dispose());
  }
}
