/** What the second worker of a trial has loaded before it may answer. */
import { expect, test } from 'vitest';
import type { BackendName } from '../../src/compute/types';
import type { Engine, ModelInfo } from '../../src/engine/types';
import { createTrials } from '../../src/recommender/trials';
import type { DeviceNotes } from '../../src/store/device-notes';
import type { WorkerEngine } from '../../src/worker/client';
import type { Rival } from '../../src/worker/types';

const MODEL = {
  architecture: 'sasrec',
  name: 'shop',
  version: '1',
  backend: 'wasm',
  candidates: ['wasm', 'cpu'],
} as Partial<ModelInfo> as ModelInfo;
const TIMES: Partial<Record<BackendName, number>> = { wasm: 9, cpu: 1 };

/** A page whose second workers load with `load`; it has tried the backends with version 1 if `hasChosen`. */
async function trialsWith(load: Engine['load']) {
  let record: unknown;
  const notes = {
    life: 0,
    read: async () => record,
    write: async (_: string, next: unknown) => {
      record = next;
    },
  } as Partial<DeviceNotes> as DeviceNotes;
  let served = load;
  const done: string[] = [];
  const rival = (): Rival => ({
    isLost: false,
    engine: {
      load: (...request) => served(...request),
      move: async ({ backend }) => ({ model: { ...MODEL, backend }, milliseconds: TIMES[backend]! }),
    },
    takeOver: () => done.push('takes over'),
    close: () => done.push('closed'),
  });
  const engine = {
    device: async () => 'this one',
    rival: async () => rival(),
  } as Partial<WorkerEngine> as WorkerEngine;
  const trials = createTrials({ engine, notes, now: () => 0, idle: async () => {} });
  const fastest = () => trials.fastest(MODEL, { modelUrl: '/' });
  served = async () => MODEL;
  expect((await fastest())?.backend).toBe('cpu');
  expect(done.splice(0)).toEqual(['takes over', 'closed']);
  served = load;
  return { fastest, done };
}

test.each<[string, Engine['load'], string]>([
  [
    'the server has got another version',
    async () => ({ ...MODEL, version: '2' }),
    'The server has got another model since the page loaded its own.',
  ],
  [
    'the model could not be loaded',
    async () => {
      throw new Error('The network is gone.');
    },
    'The network is gone.',
  ],
])('a worker never takes over where %s, although the backend was chosen before', async (_, load, reason) => {
  const { fastest, done } = await trialsWith(load);
  await expect(fastest()).rejects.toThrow(reason);
  expect(done).toEqual(['closed', 'closed']);
});
