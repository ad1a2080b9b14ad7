/** Ending work early. No tensors: the page uses it too. */
import { abortedError, quiet, RecommenderError } from './errors';

/**
 * Settles as the work does, unless something rejects it before. Unlike `Promise.race`, which a page may have replaced, it leaves no
 * rejection behind.
 *
 * @param watch Watches for what rejects it. @returns Stops.
 */
export function unless<T>(work: Promise<T>, watch: (reject: (reason: Error) => void) => () => void): Promise<T> {
  quiet(() => work); // `watch` may fail
  return new Promise((resolve, reject) => {
    const stop = watch(reject);
    quiet(async () => {
      try {
        resolve(await work);
      } catch (error) {
        reject(error);
      }
      stop();
    });
  });
}

/** Rejects with `timeout` and the message where the work has not settled after so many seconds. */
export function within<T>(seconds: number, work: Promise<T>, message: string): Promise<T> {
  return unless(work, (reject) => {
    const timer = setTimeout(() => reject(new RecommenderError('timeout', message)), 1000 * seconds);
    return () => clearTimeout(timer);
  });
}

/** Rejects as soon as the signal fires; what it waited for goes on, for others or to its own check of the signal. */
export function abortable<T>(work: Promise<T>, signal: AbortSignal | undefined): Promise<T> {
  if (!signal) return work;
  return unless(work, (reject) => {
    const abort = () => reject(abortedError());
    if (signal.aborted) abort();
    else signal.addEventListener('abort', abort, { once: true });
    return () => signal.removeEventListener('abort', abort);
  });
}
