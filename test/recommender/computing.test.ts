/** Which backend a page follows its engine to, and what it says of the one before. */
import { afterEach, beforeEach, expect, test } from 'vitest';
import type { ModelInfo } from '../../src/engine/types';
import { createComputing } from '../../src/recommender/computing';
import { BACKENDS, recordOf } from '../../src/recommender/device-record';
import { openDeviceNotes } from '../../src/store/device-notes';
import type { WorkerEngine } from '../../src/worker/client';
import { closeAll, databaseName, freshDatabase } from '../store/helpers';

beforeEach(freshDatabase);
afterEach(closeAll);

test('a backend whose worker has crashed is left for that reason, not for that of the next one', async () => {
  const model = {
    backend: 'webgpu',
    why: '"webgpu" was asked for.',
    candidates: [],
  } as Partial<ModelInfo> as ModelInfo;
  const next: ModelInfo = { ...model, backend: 'wasm', why: '"wasm" is ready at once.' };
  const notes = openDeviceNotes({ name: databaseName(), deadline: 20 });
  const degraded: string[] = [];
  const computing = createComputing({
    engine: { load: async () => model, thread: async () => 'worker' } as Partial<WorkerEngine> as WorkerEngine,
    notes,
    model: { modelUrl: '/' },
    backend: 'webgpu',
    now: () => 0,
    onProgress() {},
    update() {},
    degrade: (_, message) => degraded.push(message),
    onRefusedAdapter() {},
  });
  await computing.start();
  computing.reloaded(next);
  const why = '"webgpu" crashed its worker.';
  expect(degraded).toEqual([why]);
  const refusals = async () => recordOf(await notes.read(BACKENDS), 0).refusals;
  await expect.poll(refusals).toMatchObject([{ backend: 'webgpu', why }]);
  await computing.close();
  await notes.close();
});
