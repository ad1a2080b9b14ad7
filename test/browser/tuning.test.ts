/** Learning from a visitor on the GPU, as the page's worker does it: what it teaches, and what is left of it. */
import { engine as runtime } from '@tensorflow/tfjs';
import { afterEach, beforeAll, describe, expect, test, vi } from 'vitest';
import { commands } from 'vitest/browser';
import type { Delta, TuneMethod } from '../../src/checkpoint/delta';
import type { BackendName } from '../../src/compute/types';
import { createLocalEngine } from '../../src/engine/local-engine';
import type { Engine, EngineEvent, RankedItem } from '../../src/engine/types';
import { startWorkerEngine } from '../../src/worker/client';
import { clicks, type Folder, folderOf, IDS, MODEL_URL, serveFolder, smallModel } from '../engine/fixture';
import { differences, SMALL, THOUSANDTH, within } from '../engine/parity';
import { isSoak, slice } from '../soak-slice';
import { lose } from './lose-device';
import { patient } from './patient-engine';

vi.setConfig({ testTimeout: 120_000 });

const GPUS = ['webgl', 'webgpu'] as const satisfies readonly BackendName[];
const METHODS = ['adapter', 'full'] as const satisfies readonly TuneMethod[];
/** One of each kind of layer: recurrent, a graph, attention, convolution. `npm test` takes the first by each method. */
const KINDS = slice(['gru4rec', 'srgnn', 'transformers4rec', 'caser'], (kind) => kind === 'gru4rec');

const folders = new Map<string, Folder>();
beforeAll(async () => {
  for (const architecture of KINDS) {
    folders.set(architecture, await folderOf(await smallModel({ architecture, config: SMALL[architecture]! })));
  }
});

const running: Engine[] = [];
afterEach(async () => {
  for (const engine of running.splice(0)) await engine.dispose();
});

async function loaded(architecture: string, backend: BackendName): Promise<Engine> {
  const engine = createLocalEngine({ fetchFile: serveFolder(folders.get(architecture)!), ...patient });
  running.push(engine);
  await engine.load({ modelUrl: MODEL_URL, backend });
  return engine;
}

const HABIT = ['item-20', 'item-31', 'item-9', 'item-44'];
const sessions: EngineEvent[][] = [0, 1].map((day) =>
  clicks(...HABIT).map((click) => ({ ...click, time: click.time + 86_400 * day })),
);

const learn = async (engine: Engine, method: TuneMethod): Promise<Delta> =>
  (await engine.fineTune({ sessions, method, milliseconds: 1e9 })).delta;
const ask = async (engine: Engine, session = clicks('item-20', 'item-31')): Promise<readonly RankedItem[]> =>
  (await engine.recommend({ session, k: IDS.length, exclude: [] })).items;

describe.each(KINDS.flatMap((kind) => METHODS.map((method) => [kind, method] as const)))(
  '%s, tuned by %s',
  (architecture, method) => {
    // `npm test` tunes by each method on one of them.
    test.each(slice(GPUS, (backend) => (backend === 'webgl') === (method === 'full')))(
      'learns on %s what it learns in WebAssembly, answers by it, and leaves nothing',
      async (backend) => {
        const cpu = await loaded(architecture, 'wasm');
        const expected = await learn(cpu, method);
        const gpu = await loaded(architecture, backend);
        const base = await ask(gpu);
        await cpu.forget();
        await gpu.forget();
        const before = await gpu.memory();
        const got = await learn(gpu, method);
        expect(await gpu.memory()).toEqual(before);
        expect(got).toMatchObject({ learnt: expected.learnt, step: expected.step, itemIds: expected.itemIds });
        for (const [name, { data }] of Object.entries(expected.arrays)) {
          const limit = 0.01 * Math.max(0, ...data.map(Math.abs)) + 1e-4;
          const error = Math.max(0, ...data.map((x, i) => Math.abs(x - got.arrays[name]!.data[i]!)));
          expect(error, name).toBeLessThan(limit);
        }

        await cpu.setAdapter(expected);
        await gpu.setAdapter(expected);
        const answer = await ask(cpu);
        const tuned = await ask(gpu);
        expect(differences(answer, tuned, within(THOUSANDTH, answer))).toEqual([]);
        expect(differences(base, tuned, within(THOUSANDTH, base))).not.toEqual([]);
        await cpu.setAdapter(null);
        await gpu.setAdapter(null);
        expect(differences(base, await ask(gpu))).toEqual([]);
        await gpu.forget();
        expect(await gpu.memory()).toEqual(before);
      },
    );
  },
);

describe.each(GPUS)('%s, lost', (backend) => {
  if (isSoak || backend === 'webgpu')
    test('is started again with the adapter that was set', async () => {
      const engine = await loaded('gru4rec', backend);
      await engine.setAdapter(await learn(engine, 'adapter'));
      const tuned = await ask(engine);
      const device = runtime().registry[backend];
      lose[backend]();
      expect(differences(tuned, await ask(engine), within(THOUSANDTH, tuned))).toEqual([]);
      expect(runtime().registry[backend]).not.toBe(device);
    });

  test.each(slice(METHODS, (method) => (backend === 'webgl') === (method === 'full')))(
    'while it learns by %s, ends that or goes on elsewhere, and answers as before',
    async (method) => {
      const engine = await loaded('gru4rec', backend);
      const base = await ask(engine);
      let events = 0;
      const onProgress = () => {
        events++;
        if (events === 2) lose[backend]();
      };
      const learning = engine.fineTune({ sessions, method, milliseconds: 1e9 }, { onProgress });
      const end = await learning.then(
        ({ done }) => done,
        ({ code }) => code,
      );
      // Between two events it goes on elsewhere; all parameters are not half learnt there.
      expect(method === 'adapter' ? [true] : [true, 'engine-lost']).toContain(end);
      expect(differences(base, await ask(engine), within(THOUSANDTH, base))).toEqual([]);
    },
  );
});

describe('a worker', () => {
  const FOLDER = 'dist/test-models/tuned/';
  beforeAll(async () => {
    for (const [name, bytes] of folders.get('gru4rec')!) {
      const text = Array.from(bytes, (byte) => String.fromCharCode(byte)).join('');
      await commands.writeFile(`${FOLDER}${name}`, btoa(text), 'base64');
    }
  });

  test.each(slice(METHODS, (method) => method === 'full'))(
    'learns by %s while it recommends, and explains what it recommends',
    async (method) => {
      const engine = startWorkerEngine();
      running.push(engine);
      await engine.load({ modelUrl: new URL(`/${FOLDER}`, location.href).href, backend: 'wasm' });
      const order: string[] = [];
      const days = method === 'adapter' ? 300 : 20;
      const many = Array.from({ length: days }, (_, day) =>
        clicks(...HABIT).map((click) => ({ ...click, time: click.time + 86_400 * day })),
      );
      const learning = engine.fineTune(
        { sessions: many, method, milliseconds: 1e9 },
        { onProgress: ({ events }) => order.push(`event ${events}`) },
      );
      await expect.poll(() => order.length).toBeGreaterThan(0);
      await ask(engine).then(() => order.push('answer'));
      const { delta } = await learning;
      expect(order.indexOf('answer')).toBeLessThan(order.indexOf(`event ${4 * days}`));
      await engine.setAdapter(delta);
      const tuned = await ask(engine);
      const [best] = await engine.explain({ session: clicks('item-20', 'item-31'), itemIds: [tuned[0]!.itemId] });
      expect(best).toMatchObject({ rank: 1, clicks: [{ itemId: 'item-20' }, { itemId: 'item-31' }] });
      expect(await engine.thread()).toBe('worker');
    },
  );
});
