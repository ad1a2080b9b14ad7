/** Threads that share a training: those of Node, or the workers of a page. */
import { run, type Slice } from '../compute/executor';
import type { BackendName } from '../compute/types';
import { RecommenderError } from '../errors';
import { DataParallel, type Layout, type SharedMemory, sharedMemory } from '../train/data-parallel';
import { joinTraining } from '../train/train-from-log';
import type { ThreadOptions } from './host';

export { SHARDS } from '../train/data-parallel';

/** The task of a thread: the same training on the same backend. */
export interface ThreadTask {
  readonly options: ThreadOptions;
  readonly backend: BackendName;
  readonly memory: SharedMemory;
  readonly thread: number;
  readonly threads: number;
}

/** A thread's message before its first step: its backend runs, or why not. Later errors are in the shared memory. */
export type ThreadMessage = { readonly state: 'ready' } | { readonly state: 'failed'; readonly message: string };

/**
 * Starts `threads - 1` threads beside this one.
 *
 * @param open Starts one; resolves once it waits for its first step. @throws `threadFailed`.
 * @returns For `TrainFromLogOptions.parallel`. The threads end with the training.
 */
export const threadsBy =
  (open: (task: ThreadTask) => Promise<void>) =>
  (threads: number, options: ThreadOptions, backend: BackendName) =>
  async (layout: Layout): Promise<DataParallel> => {
    const memory = sharedMemory(layout);
    const parallel = new DataParallel(memory, layout, 0, threads);
    const starting = Array.from({ length: threads - 1 }, (_, i) =>
      open({ options, backend, memory, thread: i + 1, threads }),
    );
    try {
      await Promise.all(starting);
    } catch (error) {
      parallel.end();
      throw error;
    }
    return parallel;
  };

export const threadFailed = (message: string): RecommenderError =>
  new RecommenderError('engine-lost', `A thread of the training failed: ${message}`);

/**
 * What a thread does: it shares every step until the training ends.
 *
 * @param start Starts the backend of the task.
 * @param say Tells the thread that opened this one.
 */
export async function shareTraining(
  { options, memory, thread, threads }: Omit<ThreadTask, 'backend'>,
  start: (slice: Slice) => Promise<unknown>,
  say: (message: ThreadMessage) => void,
): Promise<void> {
  let parallel: DataParallel | undefined;
  try {
    await run(async (slice) => {
      await start(slice);
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
