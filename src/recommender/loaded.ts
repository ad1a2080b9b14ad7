import { RecommenderError } from '../errors';

/** A part of the library that is loaded when it is asked for. */
export function loaded<T>(script: Promise<T>): Promise<T> {
  return script.catch((error) => {
    throw new RecommenderError('io', `A part of Aisle could not be loaded. ${error.message}`, { cause: error });
  });
}
