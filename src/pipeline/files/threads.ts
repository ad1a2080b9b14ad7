/** Worker threads of Node that share a training with this one. */
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { Worker } from 'node:worker_threads';
import { RecommenderError } from '../../errors';
import { DataParallel, type Layout, type SharedMemory, sharedMemory } from '../../train/data-parallel';
import type { TrainFromLogOptions } from '../../train/train-from-log';

/** The task of a thread: the same training on the same backend. */
export interface ThreadTask {
  readonly options: ThreadOptions;
  readonly backend: string;
  readonly memory: SharedMemory;
  readonly thread: number;
  readonly threads: number;
}

/** The training, without what only the first thread does. */
export type ThreadOptions = Omit<TrainFromLogOptions, 'signal' | 'parallel' | 'valid' | 'onProgress' | 'onEpoch'>;

/** A thread's message before its first step: its backend runs, or why not. Later errors are in the shared memory. */
export type ThreadMessage = { readonly state: 'ready' } | { readonly state: 'failed'; readonly message: string };

/**
 * Starts `threads - 1` threads beside this one.
 *
 * @returns For `TrainFromLogOptions.parallel`. The threads end with the training.
 * @throws RecommenderError `no-backend` if there is no script for a thread; `engine-lost` with what one said that failed.
 */
export function startThreads(
  threads: number,
  options: ThreadOptions,
  backend: string,
): (layout: Layout) => Promise<DataParallel> {
  return async (layout) => {
    const memory = sharedMemory(layout);
    const parallel = new DataParallel(memory, layout, 0, threads);
    const script = threadScript();
    const starting = Array.from({ length: threads - 1 }, (_, i) => {
      const workerData: ThreadTask = { options, backend, memory, thread: i + 1, threads };
      return ready(new Worker(script, { workerData }));
    });
    try {
      await Promise.all(starting);
    } catch (error) {
      parallel.end();
      throw error;
    }
    return parallel;
  };
}

/** Until the thread waits for its first step. */
function ready(worker: Worker): Promise<void> {
  worker.unref(); // threads do not keep the program running
  return new Promise((resolve, reject) => {
    const fail = (message: string): void =>
      reject(new RecommenderError('engine-lost', `A thread of the training failed: ${message}`));
    worker.on('message', (message: ThreadMessage) => {
      if (message.state === 'ready') resolve();
      else fail(message.message);
    });
    worker.on('error', (error) => fail(error.message));
    worker.on('exit', () => fail('it ended.')); // has no effect once the thread was ready
  });
}

/** The script of a thread, beside the program. */
function threadScript(): URL {
  const script = new URL('./thread.js', import.meta.url);
  if (existsSync(fileURLToPath(script))) return script;
  throw new RecommenderError(
    'no-backend',
    'Threads run in the built program only, and its file thread.js is missing: build it again, or leave out `threads`.',
  );
}
