/** A worker thread of `aisle train --threads`: it shares every step until the training ends. */
import { parentPort, workerData } from 'node:worker_threads';
import { run } from '../compute/executor';
import type { BackendChoice } from '../compute/types';
import { RecommenderError } from '../errors';
import { startFirst } from '../pipeline/files/backend';
import type { ThreadMessage, ThreadTask } from '../pipeline/files/threads';
import { DataParallel } from '../train/data-parallel';
import { joinTraining } from '../train/train-from-log';
import { tameLibraries } from './libraries';

const say = (message: ThreadMessage): void => parentPort!.postMessage(message);

async function help({ options, backend, memory, thread, threads }: ThreadTask): Promise<void> {
  let parallel: DataParallel | undefined;
  try {
    await run(async (slice) => {
      await startFirst(slice, backend as BackendChoice, {});
      await joinTraining(options, (layout) => {
        parallel = new DataParallel(memory, layout, thread, threads);
        say({ state: 'ready' });
        return parallel;
      });
    });
  } catch (error) {
    // A training ends with `aborted`. After any other error the other threads must not wait.
    if (error instanceof RecommenderError && error.code === 'aborted') return;
    const { message } = error as Error;
    if (parallel) parallel.end(message);
    else say({ state: 'failed', message });
  }
}

tameLibraries(false);
void help(workerData as ThreadTask);
