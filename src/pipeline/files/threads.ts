/** Worker threads of Node that share a training with this one. */
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { Worker } from 'node:worker_threads';
import { RecommenderError } from '../../errors';
import { type ThreadMessage, type ThreadTask, threadFailed, threadsBy } from '../threads';

/**
 * Starts `threads - 1` threads beside this one.
 *
 * @returns For `TrainFromLogOptions.parallel`. The threads end with the training.
 * @throws RecommenderError `no-backend` if there is no script for a thread; `engine-lost` with what one said that failed.
 */
export const startThreads = threadsBy(async (workerData: ThreadTask) =>
  ready(new Worker(threadScript(), { workerData })),
);

/** Until the thread waits for its first step. */
function ready(worker: Worker): Promise<void> {
  worker.unref(); // threads do not keep the program running
  return new Promise((resolve, reject) => {
    const fail = (message: string): void => reject(threadFailed(message));
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
