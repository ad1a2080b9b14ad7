import { RecommenderError } from './errors';

/** A lazily loaded part of the library. @throws RecommenderError `io` if it cannot be loaded. */
export function loaded<T>(script: Promise<T>): Promise<T> {
  return script.catch((error) => {
    throw new RecommenderError('io', `A part of Aisle could not be loaded. ${error.message}`, { cause: error });
  });
}
