/** A training on everything that another thread should have done: `test/cli/threads.built.test.ts` has those that it does. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeEach, expect, test } from 'vitest';
import { nodeHost } from '../../src/pipeline/files/training-host';
import type { Message } from '../../src/pipeline/observer';
import type { TrainOptions } from '../../src/pipeline/options';
import type { OpenThread } from '../../src/pipeline/threads';
import { trainOn } from '../../src/pipeline/training';
import { smallTraining } from './small-training';

let options: TrainOptions;
let messages: Message[];
let alone: Buffer;
beforeEach(async () => {
  const small = await smallTraining();
  messages = small.messages;
  options = { ...small.options, valid: 'last:20%' };
  await trainOn(nodeHost, options, false);
  alone = await weights();
  messages.length = 0;
});

const weights = () => readFile(join(options.out, 'weights.safetensors'));
const train = (openThread: OpenThread, more: Partial<TrainOptions> = {}) =>
  trainOn({ ...nodeHost, openThread }, { ...options, threads: 2, ...more }, false);
const warnings = () => messages.filter(({ level }) => level === 'warning').map(({ text }) => text);

test('where no thread can start, this one trains everything, and says so', async () => {
  await train(nodeHost.openThread); // whose script is in the built program only
  expect(warnings()).toEqual([
    expect.stringMatching(/^The trainings go on one after the other: Threads run in the built/),
  ]);
  expect((await weights()).equals(alone)).toBe(true);
});

test('where the thread fails, this one trains everything, and says so', async () => {
  await train((_, listen) => {
    setTimeout(listen, 0, { state: 'failed', message: 'no memory' });
    return () => {};
  });
  expect(warnings()).toEqual([
    'The training on everything goes on on this thread. A thread of the training failed: no memory',
  ]);
  expect((await weights()).equals(alone)).toBe(true);
});

test('one that is interrupted while it waits for the thread goes on to the same bytes', async () => {
  const stop = new AbortController();
  let isEnded = false;
  const waits: OpenThread = (_, listen) => {
    const progress = { epoch: 1, step: 1, steps: 2, loss: 0.5 };
    const timer = setInterval(listen, 10, { state: 'progress', progress });
    return () => {
      clearInterval(timer);
      isEnded = true;
    };
  };
  const onProgress = ({ label }: { readonly label: string }) => {
    if (label.startsWith('gru4rec, refit epoch 1 of ')) stop.abort();
  };
  const interrupted = train(waits, { signal: stop.signal, onProgress });
  await expect(interrupted).rejects.toMatchObject({ code: 'aborted', message: expect.stringMatching(/refit epoch 1/) });
  expect(isEnded).toBe(true);
  expect((await weights()).equals(alone)).toBe(true); // the artifact of before
  await train(waits, { resume: true });
  expect((await weights()).equals(alone)).toBe(true);
  expect(warnings()).toEqual([]);
});

test('one that memory has no room for trains after the first one, and says so', async () => {
  const checkMemory = (_: string, __: unknown, ___: number, threads: number, kept = 0): void => {
    if (threads > 1 && kept > 0) throw new Error('too large.');
  };
  await trainOn({ ...nodeHost, checkMemory }, { ...options, threads: 2 }, false);
  expect(warnings()).toEqual([
    'gru4rec trains on one thread, whatever `threads` says: its rows carry a state from step to step, and two trainings are too much: too large.',
  ]);
  expect((await weights()).equals(alone)).toBe(true);
});
