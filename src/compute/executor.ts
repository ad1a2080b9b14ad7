/**
 * Turns on the thread's one tensor runtime. TensorFlow.js has a single active backend per thread, and work that awaits
 * its results can be interrupted by other work: so whatever makes tensors here runs in a turn, one after the other, on
 * the backend it names. What a turn makes it frees, however it ends.
 */
import { getBackend } from '@tensorflow/tfjs-core';
import { throwIfAborted } from '../errors';
import { type BackendOptions, startBackend } from './backends/start';
import type { BackendName } from './types';

let last: Promise<unknown> = Promise.resolve();

/**
 * Runs `work` after all earlier turns of this thread.
 *
 * @param signal Asked before the turn begins: a call that was aborted while it queued costs nothing.
 */
export function inTurn<T>(work: () => Promise<T>, signal?: AbortSignal): Promise<T> {
  const turn = last.then(() => {
    throwIfAborted(signal);
    return work();
  });
  last = turn.catch(() => {});
  return turn;
}

/** Makes a backend that was started before the active one again. Call it inside a turn. */
export async function useBackend(name: BackendName, options?: BackendOptions): Promise<void> {
  if (getBackend() !== name) await startBackend(name, options);
}
