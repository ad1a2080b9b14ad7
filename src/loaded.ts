/** Code that is fetched where it is wanted. No tensors: the page uses it too. */
import { within } from './abort';
import { RecommenderError, reasonOf } from './errors';

/**
 * A part of the library. To be awaited outside of slices of the executor: a network that stalls is no fault of a backend.
 *
 * @param what Whose code it is.
 * @throws RecommenderError `io` if it cannot be fetched, or has not come after 30 seconds.
 */
export async function loaded<T>(script: Promise<T>, what = 'Aisle'): Promise<T> {
  try {
    return await within(30, script, 'it does not come');
  } catch (cause) {
    const message = `The code of ${what} could not be loaded: ${reasonOf(cause)}. Try again.`;
    throw new RecommenderError('io', message, { cause });
  }
}
