import { beforeEach, expect, test } from 'vitest';
import { fastestBackend } from '../../src/pipeline/fastest-backend';
import { nodeHost } from '../../src/pipeline/files/training-host';
import type { Message, Progress } from '../../src/pipeline/observer';
import type { TrainOptions } from '../../src/pipeline/options';
import { smallTraining } from './small-training';

let messages: Message[];
let options: TrainOptions;
beforeEach(async () => {
  ({ options, messages } = await smallTraining());
});

/** Without a GPU. */
const host: typeof nodeHost = {
  ...nodeHost,
  async startBackend(slice, choice, observer) {
    if (choice === 'webgpu') throw new Error('no GPU today');
    return nodeHost.startBackend(slice, choice, observer);
  },
};

test('the backend whose steps are the shortest trains, and what each takes is told', async () => {
  expect(['cpu', 'wasm']).toContain(await fastestBackend(host, options, ['cpu', 'wasm']));
  expect(messages).toEqual([
    {
      level: 'info',
      text: expect.stringMatching(
        /^A step of gru4rec takes \d+\.\d ms on cpu, \d+\.\d ms on wasm: (cpu|wasm) trains it\.$/,
      ),
    },
  ]);
});

test('a backend that fails is passed over, and named', async () => {
  expect(await fastestBackend(host, options, ['webgpu', 'wasm'])).toBe('wasm');
  expect(messages).toEqual([{ level: 'warning', text: 'webgpu cannot train gru4rec here: no GPU today' }]);
  expect(await fastestBackend(host, options, ['webgpu'])).toBeUndefined();
});

test('an epoch of one step is measured, and a signal ends it', async () => {
  const config = { ...options.config, batchSize: 4096, nSample: 8 };
  expect(await fastestBackend(host, { ...options, config }, ['cpu', 'wasm'])).toMatch(/cpu|wasm/);
  expect(messages).toHaveLength(1);
  const stop = new AbortController();
  const stopped = {
    ...options,
    signal: stop.signal,
    onProgress: ({ label }: Progress) => label.startsWith('Measuring') && stop.abort(),
  };
  expect(await fastestBackend(host, stopped, ['wasm', 'cpu'])).toBeUndefined();
  expect(messages).toHaveLength(1);
});

test('where two threads train, the time of a processor is that of two trainings', async () => {
  await fastestBackend(host, { ...options, threads: 2 }, ['wasm', 'cpu']);
  expect(messages[0]!.text).toMatch(/ms on wasm, of two trainings at a time, [\d.]+ ms on cpu: /);
});

test('settings and logs are refused as the training refuses them', async () => {
  const config = { layers: [-1] };
  await expect(fastestBackend(host, { ...options, config }, ['wasm'])).rejects.toMatchObject({ code: 'bad-config' });
  const checkMemory = (): void => {
    throw new Error('too large');
  };
  await expect(fastestBackend({ ...host, checkMemory }, options, ['wasm'])).rejects.toThrow('too large');
});
