/** Threads that learn with this one: those of Node, or the workers of a page. */
import { run, type Slice } from '../compute/executor';
import type { BackendName } from '../compute/types';
import { RecommenderError } from '../errors';
import { DataParallel, type Layout, type SharedMemory, sharedMemory } from '../train/data-parallel';
import type { FitState } from '../train/fit';
import { joinTraining, type TrainFromLogOptions, trainFromLog } from '../train/train-from-log';
import type { Progress } from '../train/trainer';

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
 * A message of a thread: it is about to learn; it cannot, or not any more; how far its own training is; an epoch of that has ended. Of
 * a share, later errors are in the shared memory.
 */
export type ThreadMessage =
  | { readonly state: 'ready' }
  | { readonly state: 'failed'; readonly message: string }
  | { readonly state: 'progress'; readonly progress: Progress }
  | { readonly state: 'epoch'; readonly fit: FitState };

/** Milliseconds between two messages of progress. */
const PROGRESS_INTERVAL = 250;

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
   * @returns Undefined where no more will come.
   * @throws RecommenderError `engine-lost` where the thread has failed.
   */
  after(epoch: number, known: number): Promise<FitState | undefined>;
  /** States of earlier epochs will not be asked for. */
  forgetBefore(epoch: number): void;
  /** No later state will be asked for: the thread ends with that epoch. */
  endAfter(epoch: number): void;
  /** Called with how far it is, once it is set. */
  onProgress: (progress: Progress) => void;
  end(): void;
}

/**
 * Trains on another thread, with the epochs of the options.
 *
 * @param most States that are kept: with one more the thread ends, since it is far ahead; who wants a later epoch goes on from there.
 * @throws RecommenderError as `open`.
 */
export function trainBeside(open: OpenThread, task: ThreadTask, most: number): TrainingBeside {
  const states = new Map<number, FitState>();
  let first = 1;
  let last = Number.POSITIVE_INFINITY;
  let latest = 0;
  let isEnded = false;
  let failure: RecommenderError | undefined;
  let tell = () => {};
  const endIfEnough = (): void => {
    if (latest < last && states.size <= most) return;
    isEnded = true;
    end();
  };
  const end = open(task, (message) => {
    if (message.state === 'failed') failure ??= threadFailed(message.message);
    if (message.state === 'progress') beside.onProgress(message.progress);
    if (message.state === 'epoch') {
      if (latest < first) states.delete(latest);
      latest = message.fit.epochs.length;
      states.set(latest, message.fit);
      endIfEnough();
    }
    tell();
  });
  const beside: TrainingBeside = {
    async after(epoch, known) {
      while (latest <= known) {
        if (isEnded) return undefined;
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
    endAfter(epoch) {
      last = epoch;
      endIfEnough();
    },
    onProgress() {},
    end,
  };
  return beside;
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
        let told = 0;
        const onProgress = (progress: Progress): void => {
          if (performance.now() - told < PROGRESS_INTERVAL) return;
          told = performance.now();
          say({ state: 'progress', progress });
        };
        const onEpoch = async (_: unknown, state: () => Promise<FitState>) =>
          say({ state: 'epoch', fit: await state() });
        await trainFromLog({ ...options, onProgress, onEpoch });
        return say({ state: 'failed', message: 'it has ended.' });
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
