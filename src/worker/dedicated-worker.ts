/** Workers beside the main one, for a long call or a trial. Loaded with the first one. */

import { abortable } from '../abort';
import type { Control } from '../engine/types';
import { RecommenderError, reasonOf } from '../errors';
import { closeOnceStarted, startWorker } from './host';
import { type ArtifactFiles, engineOf, type Method, type Progress, type Result, type Sent } from './protocol';
import type { DedicatedWorkers, Rival } from './types';

const ENDED = new RecommenderError('aborted', 'The call has ended.');

async function start({ options, running, ended }: DedicatedWorkers, artifact?: ArtifactFiles, signal?: AbortSignal) {
  const disposed = ended();
  if (disposed) throw disposed;
  const starting = startWorker(options, artifact);
  running.add(starting);
  /** @returns Whether it was still a dedicated worker. */
  const release = () => running.delete(starting);
  const end = () => void (release() && closeOnceStarted(starting, ENDED));
  try {
    return { started: await abortable(starting, signal), release, end };
  } catch (error) {
    end();
    throw error;
  }
}

/** Runs a call in a worker of its own, which then ends and frees its memory. */
export async function callDedicated<M extends Method>(
  workers: DedicatedWorkers,
  method: M,
  args: Sent<M>,
  control?: Control<Progress<M>>,
): Promise<Result<M>> {
  const { started, end } = await start(workers, undefined, control?.signal).catch((error) => {
    if (error instanceof RecommenderError) throw error;
    const message = `To ${method} needs a worker, and none can start here: ${reasonOf(error)}.`;
    throw new RecommenderError('no-backend', message);
  });
  try {
    return await started.call(method, args, control);
  } finally {
    end();
  }
}

/** @param artifact Files that it need not fetch. */
export async function startRival(workers: DedicatedWorkers, artifact: ArtifactFiles): Promise<Rival> {
  const { started, release, end } = await start(workers, artifact);
  return {
    engine: engineOf(started.call, {}),
    get isLost() {
      return started.lost;
    },
    takeOver() {
      if (workers.ended() || started.lost || !release()) return;
      workers.replaceWith(started)?.then(
        (replaced) => {
          replaced.onLost = () => {};
          replaced.retire(ENDED);
        },
        () => {}, // it never started
      );
    },
    close: end,
  };
}
