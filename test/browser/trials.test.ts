/** Trying backends with real engines on all four; how long an inference takes is a table's, since software GPUs tell nothing. */
import { getBackend, engine as runtime } from '@tensorflow/tfjs';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import type { BackendName } from '../../src/compute/types';
import { createLocalEngine } from '../../src/engine/local-engine';
import type { Engine, ModelInfo } from '../../src/engine/types';
import { RecommenderError } from '../../src/errors';
import { BACKENDS, type DeviceRecord, recordOf } from '../../src/recommender/device-record';
import { createTrials } from '../../src/recommender/trials';
import { type DeviceNotes, openDeviceNotes } from '../../src/store/device-notes';
import { folderOf, MODEL_URL, NOW, SESSIONS, serveFolder, smallModel } from '../engine/fixture';
import expected from '../engine/small-model-answers.json';
import { isSoak } from '../soak-slice';
import { patient } from './patient-engine';
import { withWrongExponentials } from './wrong-driver';

vi.setConfig({ testTimeout: 120_000 });

const DAY = 24 * 3600 * 1000;
const running = new Set<Engine>();
let notes: DeviceNotes;
let today = NOW * 1000;
let device = 'a laptop';

beforeEach(() => {
  notes = openDeviceNotes({ name: 'aisle-trials', deadline: 20 });
});
afterEach(async () => {
  for (const engine of running) await engine.dispose();
  running.clear();
  await erase();
});

/** As the recommender does, where the store of the events deletes the database. */
async function erase(): Promise<void> {
  await notes.forget();
  await new Promise((done) => {
    indexedDB.deleteDatabase('aisle-trials').onsuccess = done;
  });
}

type Times = Partial<Record<BackendName, number>>;
/** What `npm test` tries where one GPU tells as much as two, which take their time in software. */
const ONE_GPU: Times = { webgl: 1, wasm: 3 };

/** A clock on which an inference of each backend takes what the table says. */
function clockOf(milliseconds: Times): () => number {
  let time = 0;
  return () => {
    time += milliseconds[getBackend() as BackendName]!;
    return time;
  };
}

/** A page with the backends of the table, whose model answers on WASM, and a second engine beside it whenever backends are tried. */
async function page(
  times: Times,
  during: (backend: BackendName) => Promise<unknown> = async () => {},
  version = '1.0.0',
) {
  const small = await smallModel();
  const fetchFile = serveFolder(await folderOf({ ...small, info: { ...small.info, version } }));
  const started = (clock: () => number) => {
    const engine = createLocalEngine({ fetchFile, clock, ...patient });
    running.add(engine);
    return engine;
  };
  let answering = started(() => 0);
  const loaded = await answering.load({ modelUrl: MODEL_URL, backend: 'auto' });
  expect(loaded.candidates).toEqual(['webgpu', 'webgl', 'wasm', 'cpu']);
  const model = { ...loaded, candidates: Object.keys(times) as BackendName[] }; // four take their time in software
  const tried: BackendName[] = [];
  const rival = async () => {
    const engine = started(clockOf(times));
    const move: Engine['move'] = async (request, control) => {
      tried.push(request.backend);
      await during(request.backend);
      return engine.move(request, control);
    };
    return {
      engine: { load: engine.load, move },
      isLost: false,
      takeOver() {
        answering = engine;
      },
      close: () => void (engine !== answering && engine.dispose()),
    };
  };
  const idle = async () => {};
  const trials = createTrials({ engine: { device: async () => device, rival }, notes, now: () => today, idle });
  return {
    trials,
    tried,
    fastest: (known: ModelInfo = model) => trials.fastest(known, { modelUrl: MODEL_URL }),
    async answers() {
      const session = SESSIONS['a repeat']!;
      const { items, backend } = await answering.recommend({ session, k: 20, exclude: [] });
      const right = expected['a repeat'] as { itemId: string }[];
      expect(items.map(({ itemId }) => itemId)).toEqual(right.map(({ itemId }) => itemId));
      return backend;
    },
  };
}
const recorded = async (): Promise<DeviceRecord> => recordOf(await notes.read(BACKENDS), today);

describe('the fastest backend', () => {
  test('is measured, takes over, and is taken at once by the pages of a week', async () => {
    const times = { webgpu: 5, webgl: 1, wasm: 3, cpu: 9 };
    const why = '"webgl" is the fastest here: webgl 1.0 ms, wasm 3.0 ms, webgpu 5.0 ms, cpu 9.0 ms.';
    const first = await page(times);
    expect(await first.answers()).toBe('wasm');
    expect(await first.fastest()).toMatchObject({ backend: 'webgl', why });
    expect(await first.answers()).toBe('webgl');
    expect(first.tried).toEqual(['webgpu', 'webgl', 'wasm', 'cpu', 'webgl']);

    const second = await page(times);
    expect(await second.fastest()).toMatchObject({ backend: 'webgl', why });
    expect(second.tried).toEqual(['webgl']);
    expect(await second.answers()).toBe('webgl');

    today += 8 * DAY;
    const third = await page(isSoak ? { ...times, wasm: 0.5 } : { webgl: 1, wasm: 0.5 });
    expect(await third.fastest()).toMatchObject({ backend: 'wasm', why: expect.stringContaining('wasm 0.5 ms') });
    expect(await third.answers()).toBe('wasm');
  });

  test('is measured again for another version of the model, and on another device', async () => {
    const times = { wasm: 3, cpu: 9 };
    const first = await page(times);
    const known = (await first.fastest())!;
    const again = await page(times);
    await again.fastest();
    expect(again.tried).toEqual([]);
    const next = await page(times, undefined, '1.0.1');
    await next.fastest();
    expect(next.tried).toHaveLength(2);
    device = 'the same laptop, docked';
    await again.fastest();
    expect(again.tried).toHaveLength(2);
    // The page shows one version, and the server has another by now: nothing is moved to that.
    await expect(again.fastest({ ...known, version: '0.9' })).rejects.toMatchObject({ code: 'bad-artifact' });
    expect(again.tried).toHaveLength(2);
  });

  test('stays what runs unless another one is faster by a tenth; GPUs are given back', async () => {
    const { fastest, answers } = await page({ ...(isSoak && { webgpu: 5 }), webgl: 5, wasm: 3, cpu: 2.9 });
    const gpus = isSoak ? 'webgpu 5.0 ms, webgl 5.0 ms' : 'webgl 5.0 ms';
    expect(await fastest()).toMatchObject({
      backend: 'wasm',
      why: `"wasm" stays, since none is faster by a tenth: cpu 2.9 ms, wasm 3.0 ms, ${gpus}.`,
    });
    expect(await answers()).toBe('wasm');
    expect(['webgl', 'webgpu'].filter((name) => runtime().registry[name])).toEqual([]);
  });

  test('is none that computes something else, however fast', async () => {
    const { fastest, answers } = await page({ webgpu: 0.1, wasm: 3 });
    await withWrongExponentials(async () => {
      const why = expect.stringMatching(/^"wasm" is the fastest .*does not give its own golden answer on "webgpu"/);
      expect(await fastest()).toMatchObject({ backend: 'wasm', why });
    });
    expect(await answers()).toBe('wasm');
  });

  test('is not found where none can be measured, which is an error with every reason', async () => {
    const { fastest, answers } = await page({ webgl: 1, wasm: 3 }, async (backend) => {
      throw new RecommenderError('no-backend', `"${backend}" is out of order.`);
    });
    const message = '"webgl" is out of order. "wasm" is out of order.';
    await expect(fastest()).rejects.toMatchObject({ code: 'no-backend', message });
    expect(await answers()).toBe('wasm');
  });

  test('is measured again where what is stored is no record', async () => {
    const { fastest, tried } = await page({ wasm: 3, cpu: 9 });
    const choice = { model: 'x', device: 7, backend: 'abacus', why: null, until: today + DAY };
    const odd = { ...choice, device: 'x', why: 'x', backend: 'wasm', until: { toString: 1, valueOf: 1 } };
    await notes.write(BACKENDS, { choices: [choice, odd, null], refusals: 'none', trying: 'abacus' }, notes.life);
    expect(await fastest()).toMatchObject({ backend: 'wasm' });
    expect(tried).toEqual(['wasm', 'cpu']);
  });
});

describe('a GPU', () => {
  test('is marked in the database while it is tried, and not before or after', async () => {
    notes.allow('yes');
    const marks = new Map<BackendName, unknown>();
    const other = openDeviceNotes({ name: 'aisle-trials', deadline: 20 }); // as the next page would see it
    const { fastest } = await page(isSoak ? { webgpu: 5, ...ONE_GPU, cpu: 9 } : ONE_GPU, async (backend) => {
      other.allow('yes');
      marks.set(backend, recordOf(await other.read(BACKENDS), today).trying);
    });
    await fastest();
    const seen = { ...(isSoak && { webgpu: 'webgpu', cpu: undefined }), webgl: 'webgl', wasm: undefined };
    expect(Object.fromEntries(marks)).toEqual(seen);
    expect(await recorded()).toMatchObject({ choices: [{ backend: 'webgl' }], refusals: [] });
    expect(await recorded()).not.toHaveProperty('trying');
    await other.close();
  });

  test('is left alone for a week where the page ended when it was tried last, also if asked for by name', async () => {
    await notes.write(BACKENDS, { choices: [], refusals: [], trying: 'webgl' }, notes.life);
    const { fastest, tried, trials } = await page({ ...(isSoak && { webgpu: 5 }), ...ONE_GPU, cpu: 9 });
    const died = '"webgl" is left alone, since the page ended when it was tried last.';
    const refused = { code: 'no-backend', message: died };
    await expect(trials.guarded('webgl', async () => 'started')).rejects.toMatchObject(refused);
    expect(await trials.guarded('webgpu', async () => 'started')).toBe('started');
    expect(await fastest()).toMatchObject({ backend: 'wasm', why: expect.stringContaining(died) });
    expect(tried).toEqual([...(isSoak ? ['webgpu'] : []), 'wasm', 'cpu']);
    today += 8 * DAY;
    expect(await trials.guarded('webgl', async () => 'started')).toBe('started');
  });

  test('of a page that is left meanwhile has not killed it', async () => {
    notes.allow('yes');
    const { trials } = await page({});
    await trials.guarded('webgl', async () => {
      expect(await recorded()).toMatchObject({ trying: 'webgl' });
      dispatchEvent(new PageTransitionEvent('pagehide'));
      await expect.poll(recorded).not.toHaveProperty('trying');
    });
    expect(await recorded()).toMatchObject({ refusals: [] });
  });

  test('that failed after it was chosen is refused, and its choice forgotten', async () => {
    const first = await page(ONE_GPU);
    await first.fastest();
    await first.trials.refuse('webgl', '"webgl" was lost three times.');
    const second = await page(ONE_GPU);
    const why = expect.stringMatching(/^"wasm" is the fastest here: .* "webgl" was lost three times\.$/);
    expect(await second.fastest()).toMatchObject({ backend: 'wasm', why });
  });
});

test('nothing is written after everything was erased, though a trial goes on', async () => {
  notes.allow('yes');
  let erased: Promise<void> | undefined;
  const { fastest } = await page(ONE_GPU, async (backend) => {
    if (backend === 'webgl') erased ??= erase();
    await erased;
  });
  expect(await fastest()).toMatchObject({ backend: 'webgl' });
  expect((await indexedDB.databases()).map(({ name }) => name)).not.toContain('aisle-trials');
  expect(await recorded()).toEqual({ choices: [], refusals: [] });
});
