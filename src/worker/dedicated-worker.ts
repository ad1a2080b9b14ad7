/** A worker beside the main one, for a trial. Loaded with the first one. */

import { RecommenderError } from '../errors';
import { startWorker } from './host';
import { type ArtifactFiles, engineOf } from './protocol';
import type { DedicatedWorkers, Rival } from './types';

const ENDED = new RecommenderError('aborted', 'The call has ended.');

/** @param artifact Files that it need not fetch. */
export async function startRival(workers: DedicatedWorkers, artifact: ArtifactFiles): Promise<Rival> {
  const { options, running } = workers;
  const disposed = workers.ended();
  if (disposed) throw disposed;
  const starting = startWorker(options, artifact);
  running.add(starting);
  /** @returns Whether it was still a dedicated worker. */
  const release = () => running.delete(starting);
  const started = await starting.catch((error) => {
    release();
    throw error;
  });
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
    close: () => void (release() && started.close(ENDED)),
  };
}
