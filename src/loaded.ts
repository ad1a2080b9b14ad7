import { RecommenderError, reasonOf } from './errors';

/** A lazily loaded part of the library. @throws RecommenderError `io` if it cannot be loaded. */
export async function loaded<T>(script: Promise<T>): Promise<T> {
  try {
    return await script;
  } catch (cause) {
    throw new RecommenderError('io', `A part of Aisle could not be loaded. ${reasonOf(cause)}`, { cause });
  }
}
