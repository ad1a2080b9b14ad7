/** A call in a worker of its own; loaded where one is made, which a shop's pages do not do. */

import type { Control } from '../engine/types';
import { RecommenderError, reasonOf } from '../errors';
import type { Home } from './host';
import type { Method, Progress, Result, Sent } from './protocol';

/** @param start Starts the worker, and says how to end it. */
export async function callApart<M extends Method>(
  start: (signal?: AbortSignal) => Promise<{ readonly started: Home; readonly end: () => void }>,
  method: M,
  args: Sent<M>,
  control?: Control<Progress<M>>,
): Promise<Result<M>> {
  const { started, end } = await start(control?.signal).catch((error) => {
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
