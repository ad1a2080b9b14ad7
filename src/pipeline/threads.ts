/** Threads that learn with this one: those of Node, or the workers of a page. */
import { run, type Slice } from '../compute/executor';
import type { BackendName } from '../compute/types';
import { RecommenderError } from '../errors';
import { DataParallel, type Layout, type SharedMemory, sharedMemory } from '../train/data-parallel';
import type { FitState } from '../train/fit';
import { joinTraining, type TrainFromLogOptions, trainFromLog } from '../train/train-from-log';

export { SHARDS } from '../train/data-parallel';

/** The training of another thread, without what only the first one does. */
export type ThreadOptions = Omit<TrainFromLogOptions, 'signal' | 'parallel' | 'valid' | 'onProgress' | 'onEpoch'>;

/** A share of each step of the training of another thread. */
interface Share {
  readonly memory: SharedMemory;
  readonly thread: number;
  readonly threads: number;
}

/** The task of a thread: a training, or, with a share, its part of one. */
export interface ThreadTask {
  readonly options: ThreadOptions;
  readonly backend: BackendName;
  readonly share?: Share;
}

/**
 * A message of a thread: it is about to learn; it cannot, or not any more; an epoch of its own training has ended. Of a share, later
 * errors are in the shared memory.
 */
export type ThreadMessage =
  | { readonly state: 'ready' }
  | { readonly state: 'failed'; readonly message: string }
  | { readonly state: 'epoch'; readonly fit: FitState };

/**
 * Starts a thread.
 *
 * @param listen Gets its messages, also `failed` where it could not start, or has ended.
 * @returns Ends it.
 * @throws RecommenderError `no-backend` where there is no script for it.
 */
export type OpenThread = (task: ThreadTask, listen: (message: ThreadMessage) => void) => () => void;

const threadFailed = (message: string): RecommenderError =>
  new RecommenderError('engine-lost', `A thread of the training failed: ${message}`);

/**
 * Starts `threads - 1` threads beside this one, which share its steps and end with the training.
 *
 * @returns For `TrainFromLogOptions.parallel`.
 */
export async function shareSteps(
  open: OpenThread,
  { threads, layout, ...task }: ThreadTask & { readonly threads: number; readonly layout: Layout },
): Promise<DataParallel> {
  const memory = sharedMemory(layout);
  const parallel = new DataParallel(memory, layout, 0, threads);
  const starting = Array.from(
    { length: threads - 1 },
    (_, i) =>
      new Promise<void>((resolve, reject) => {
        open({ ...task, share: { memory, thread: i + 1, threads } }, (message) => {
          if (message.state === 'failed') reject(threadFailed(message.message));
          else resolve();
        });
      }),
  );
  try {
    await Promise.all(starting);
  } catch (error) {
    parallel.end();
    throw error;
  }
  return parallel;
}

/** A training of its own on another thread. */
export interface TrainingBeside {
  /**
   * The state after an epoch, or after the last one before it of which more is known than before.
   *
   * @param known Epochs of which the caller knows.
   * @throws RecommenderError `engine-lost` where the thread has failed.
   */
  after(epoch: number, known: number): Promise<FitState>;
  /** States of earlier epochs will not be asked for. */
  forgetBefore(epoch: number): void;
  end(): void;
}

/** Trains on another thread, with the epochs of the options. @throws RecommenderError as `open`. */
export function trainBeside(open: OpenThread, task: ThreadTask): TrainingBeside {
  const states = new Map<number, FitState>();
  let first = 1;
  let latest = 0;
  let failure: RecommenderError | undefined;
  let tell = () => {};
  const end = open(task, (message) => {
    if (message.state === 'failed') failure ??= threadFailed(message.message);
    if (message.state === 'epoch') {
      if (latest < first) states.delete(latest);
      latest = message.fit.epochs.length;
      states.set(latest, message.fit);
    }
    tell();
  });
  return {
    async after(epoch, known) {
      while (latest <= known) {
        if (failure) throw failure;
        await new Promise<void>((resolve) => {
          tell = resolve;
        });
      }
      return states.get(Math.min(epoch, latest))!;
    },
    forgetBefore(epoch) {
      first = epoch;
      for (const one of states.keys()) if (one < epoch && one !== latest) states.delete(one);
    },
    end,
  };
}

/**
 * What a thread does until its training ends.
 *
 * @param start Starts the backend of the task.
 * @param say Tells the thread that opened this one.
 */
export async function serveThread(
  { options, backend, share }: ThreadTask,
  start: (slice: Slice, backend: BackendName) => Promise<unknown>,
  say: (message: ThreadMessage) => void,
): Promise<void> {
  let parallel: DataParallel | undefined;
  try {
    await run(async (slice) => {
      await start(slice, backend);
      if (!share) {
        const onEpoch = async (_: unknown, state: () => Promise<FitState>) =>
          say({ state: 'epoch', fit: await state() });
        return trainFromLog({ ...options, signal: new AbortController().signal, onEpoch });
      }
      return joinTraining(options, (layout) => {
        parallel = new DataParallel(share.memory, layout, share.thread, share.threads);
        say({ state: 'ready' });
        return parallel;
      });
    });
  } catch (error) {
    // A shared training ends with `aborted`. After any other error the other threads must not wait.
    if (parallel && error instanceof RecommenderError && error.code === 'aborted') return;
    const { message } = error as Error;
    if (parallel) parallel.end(message);
    else say({ state: 'failed', message });
  }
}
