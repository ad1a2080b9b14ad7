/** Which backends there are to try, in which order, and when one of them has failed. */
import { RecommenderError } from '../errors';
import { DeviceLost } from './device-loss';
import type { BackendChoice, BackendName } from './types';

/** From the one with the most promise to the one that always works. */
export const LADDER: readonly BackendName[] = ['webgpu', 'webgl', 'wasm', 'cpu'];

/** What answers first under `auto`: ready at once wherever they work. */
export const FIRST: readonly BackendName[] = ['wasm', 'cpu'];

/**
 * The backends to try for a choice, in this order.
 *
 * @param avoid Left out under `auto`, but for the last, below which there is nothing.
 * @throws RangeError for a name that no backend has.
 */
export function ladderOf(choice: BackendChoice, avoid: readonly BackendName[] = []): readonly BackendName[] {
  if (choice === 'auto') return FIRST.filter((name) => name === FIRST.at(-1) || !avoid.includes(name));
  if (LADDER.includes(choice)) return [choice];
  throw new RangeError(`No backend is called "${String(choice)}"; use auto, ${LADDER.join(', ')}.`);
}

/** The rungs below a backend. */
export const below = (backend: BackendName): readonly BackendName[] => LADDER.slice(LADDER.indexOf(backend) + 1);

/** The backends of which this environment has the interface; whether they work is to be seen. */
export const backendsHere = (): readonly BackendName[] => LADDER.filter((name) => HAS[name]());

const HAS: Readonly<Record<BackendName, () => boolean>> = {
  webgpu: () => {
    try {
      return Boolean((globalThis.navigator as { gpu?: unknown } | undefined)?.gpu);
    } catch {
      return false; // a page may forbid even to look
    }
  },
  webgl: () => 'OffscreenCanvas' in globalThis || 'document' in globalThis,
  wasm: () => 'WebAssembly' in globalThis,
  cpu: () => true,
};

/** Another backend may do better: this one did not start, or computed something else than the artifact says. */
export function isBackendsFault(error: unknown): boolean {
  const codes = ['no-backend', 'bad-artifact', 'not-finite'];
  return error instanceof DeviceLost || (error instanceof RecommenderError && codes.includes(error.code));
}

/** An error of a backend in the middle of its work: a shader that a driver does not compile, memory that is used up. */
export function asBackendsFault(error: unknown, backend: BackendName): Error {
  if (error instanceof RecommenderError || error instanceof DeviceLost) return error;
  const message = `The backend "${backend}" failed: ${(error as Error)?.message ?? error}.`;
  return new RecommenderError('no-backend', message, { cause: error });
}

/** What a caller is told of a backend that failed while it was started for them. */
export function asNoBackend(error: unknown, backend: BackendName): Error {
  const known = asBackendsFault(error, backend);
  if (!(known instanceof DeviceLost)) return known;
  return new RecommenderError('no-backend', `The backend "${backend}" failed: ${known.message}`, { cause: known });
}

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
      reject(new RecommenderError('no-backend', `The backend "${backend}" did not answer within ${seconds} s.`));
      late.abort();
    }, 1000 * seconds);
  });
  try {
    return await Promise.race([work(late.signal), tooLate]);
  } finally {
    clearTimeout(timer);
  }
}
