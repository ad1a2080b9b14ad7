/** Which backends there are to try, in which order, and when one of them has failed. */
import { RecommenderError } from '../errors';
import { DeviceLost } from './backends/loss';
import type { BackendChoice, BackendName } from './engine';

/** From the one with the most promise to the one that always works. */
export const LADDER: readonly BackendName[] = ['webgpu', 'webgl', 'wasm', 'cpu'];

/** What answers first under `auto`: ready at once wherever they work. */
export const FIRST: readonly BackendName[] = ['wasm', 'cpu'];

/** The backends to try for a choice, in this order. */
export function ladderOf(choice: BackendChoice): readonly BackendName[] {
  if (choice === 'auto') return FIRST;
  if (LADDER.includes(choice)) return [choice];
  throw new RangeError(`No backend is called "${String(choice)}"; use auto, ${LADDER.join(', ')}.`);
}

/** A backend whose device was lost, and the rungs below it. */
export const below = (backend: BackendName): readonly BackendName[] => LADDER.slice(LADDER.indexOf(backend));

/** The GPU backends of which this environment has the interface; whether they work is to be seen. */
export function gpusHere(): readonly BackendName[] {
  const { navigator, OffscreenCanvas, document } = globalThis as { [name: string]: unknown };
  const has = {
    webgpu: typeof navigator === 'object' && navigator !== null && 'gpu' in navigator && navigator.gpu != null,
    webgl: OffscreenCanvas !== undefined || document !== undefined,
  };
  return (['webgpu', 'webgl'] as const).filter((name) => has[name]);
}

/** Another backend may do better: this one did not start, or computed something else than the artifact says. */
export function isBackendsFault(error: unknown): boolean {
  const codes = ['no-backend', 'bad-artifact', 'not-finite'];
  return error instanceof DeviceLost || (error instanceof RecommenderError && codes.includes(error.code));
}

/** An error of a GPU backend in the middle of its work, such as a shader that this driver does not compile. */
export const asBackendsFault = (error: unknown, backend: BackendName): unknown =>
  error instanceof RecommenderError || error instanceof RangeError || error instanceof DeviceLost
    ? error
    : new RecommenderError('no-backend', `The backend "${backend}" failed: ${(error as Error)?.message ?? error}.`, {
        cause: error,
      });

/**
 * @param work Gets a signal that fires once it is late: what it does then must change nothing any more.
 * @throws RecommenderError `no-backend` once the deadline has passed.
 */
export async function withDeadline<T>(
  work: (signal: AbortSignal) => Promise<T>,
  seconds: number,
  backend: BackendName,
): Promise<T> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const late = new AbortController();
  const tooLate = new Promise<never>((_, reject) => {
    timer = setTimeout(() => {
      const message = `The backend "${backend}" did not start within ${seconds} s. Use "cpu".`;
      reject(new RecommenderError('no-backend', message));
      late.abort();
    }, 1000 * seconds);
  });
  try {
    return await Promise.race([work(late.signal), tooLate]);
  } finally {
    clearTimeout(timer);
  }
}
