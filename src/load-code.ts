/** Code that is fetched where it is wanted. No tensors: the page uses it too. */
import { RecommenderError, reasonOf } from './errors';

/** Seconds after which code that has not come will not. */
const STALL = 30;

/**
 * To be called outside of slices of the executor: a network that stalls is no fault of a backend.
 *
 * @param what Whose code it is.
 * @throws RecommenderError `io` where it cannot be fetched, or does not come.
 */
export async function loadCode<T>(what: string, load: () => Promise<T>): Promise<T> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const stalled = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error('it does not come')), 1000 * STALL);
  });
  try {
    return await Promise.race([load(), stalled]);
  } catch (cause) {
    const message = `The code of ${what} could not be loaded: ${reasonOf(cause)}. Try again.`;
    throw new RecommenderError('io', message, { cause });
  } finally {
    clearTimeout(timer);
  }
}
