/** Getting a model to run on one backend, or on the first of several that works. */

import { firstOf } from '../abort';
import type { OpenedArtifact } from '../checkpoint/artifact';
import { type BackendOptions, startBackend } from '../compute/backends/start';
import { asBackendsFault, isBackendsFault, withDeadline } from '../compute/fallback';
import type { BackendName } from '../compute/types';
import { throwIfAborted } from '../errors';
import { type Model, readyModel } from './ready-model';
import type { LoadProgress } from './types';

export interface RungOptions extends BackendOptions {
  /** Seconds in which a backend must have started, and the model have given its golden answer. */
  readonly deadline: number;
}

/** Starts a backend and makes it the active one; the deadline ends a start that never settles. */
export const startInTime = (backend: BackendName, { deadline, ...options }: RungOptions): Promise<void> =>
  withDeadline((signal) => startBackend(backend, { ...options, signal }), deadline, backend);

/** A model on a backend that starts and computes right. Inside a turn. */
export async function readyOn(
  artifact: OpenedArtifact,
  backend: BackendName,
  why: string,
  options: RungOptions,
  signal: AbortSignal,
  onProgress: (progress: LoadProgress) => void = () => {},
): Promise<Model> {
  const { deadline, ...plain } = options;
  try {
    onProgress({ stage: 'backend', backend });
    await startInTime(backend, options);
    throwIfAborted(signal);
    onProgress({ stage: 'check', backend });
    const ready = async (late: AbortSignal) => {
      const either = firstOf(signal, late);
      try {
        return await readyModel(artifact, backend, why, plain, either.signal);
      } finally {
        either.release();
      }
    };
    return await withDeadline(ready, deadline, backend);
  } catch (error) {
    throwIfAborted(signal);
    throw backend === 'cpu' ? error : asBackendsFault(error, backend); // what fails there fails everywhere
  }
}

/**
 * The model on the first rung that works.
 *
 * @param ladder At least one.
 * @param why Says why it is this backend, given what was wrong with the ones before.
 * @throws What was wrong with the last rung.
 */
export async function climb(
  artifact: OpenedArtifact,
  ladder: readonly BackendName[],
  why: (backend: BackendName, failures: readonly string[]) => string,
  options: RungOptions,
  signal: AbortSignal,
  onProgress?: (progress: LoadProgress) => void,
): Promise<Model> {
  const failures: string[] = [];
  return firstThat(
    ladder,
    (backend) => readyOn(artifact, backend, why(backend, failures), options, signal, onProgress),
    (error) => failures.push(error.message),
  );
}

/** Goes down a ladder until `work` succeeds on a rung. */
export async function firstThat<T>(
  ladder: readonly BackendName[],
  work: (backend: BackendName) => Promise<T>,
  failed: (error: Error) => void = () => {},
): Promise<T> {
  for (const backend of ladder.slice(0, -1)) {
    try {
      return await work(backend);
    } catch (error) {
      if (!isBackendsFault(error)) throw error;
      failed(error as Error);
    }
  }
  return work(ladder.at(-1)!);
}
