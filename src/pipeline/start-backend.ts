/** Starts what computes a training or an evaluation. */
import type { BackendOptions } from '../compute/backends/options';
import type { Slice } from '../compute/executor';
import type { BackendChoice, BackendName } from '../compute/types';
import { RecommenderError } from '../errors';
import { type Observer, warn } from './observer';

/**
 * Starts the first backend that works, in a slice of the executor: with `auto` WASM, then plain CPU.
 *
 * @param options What backends need here to start.
 * @param observer Gets a warning if the faster one cannot start.
 * @returns Which one it is.
 * @throws RecommenderError `no-backend` if none can; `bad-config` for `plan`.
 */
export async function startFirstOf(
  slice: Pick<Slice, 'start'>,
  choice: BackendChoice,
  options: () => BackendOptions | Promise<BackendOptions>,
  observer: Observer,
): Promise<BackendName> {
  if (choice === 'plan') {
    const message = 'The backend "plan" only recommends and evaluates. Use auto, wasm, cpu or webgpu to train.';
    throw new RecommenderError('bad-config', message);
  }
  const order: readonly BackendName[] = choice === 'auto' ? ['wasm', 'cpu'] : [choice];
  const given = await options();
  for (const backend of order) {
    try {
      await slice.start(backend, given);
      return backend;
    } catch (error) {
      const isLast = backend === order.at(-1);
      if (isLast || !(error instanceof RecommenderError && error.code === 'no-backend')) throw error;
      warn(observer, `plain CPU computes, many times slower. ${error.message}`);
    }
  }
  throw new Error('The last backend of the order neither started nor failed.');
}
