/** Reports each problem once on the console, so that nothing throws into the shop's page. */
import type { Host } from './types';

/** Most problems that are reported. */
const MAX_REPORTED = 50;

export function warnings(): Pick<Host, 'warn' | 'guard'> {
  const reported = new Set<string>();
  function warn(problem: string, error?: unknown): void {
    try {
      if (reported.has(problem) || reported.size >= MAX_REPORTED) return;
      reported.add(problem);
      const why = error === undefined ? '' : ` ${(error as { message?: unknown } | null)?.message ?? String(error)}`;
      console.warn(`Aisle: ${problem}${why}`);
    } catch {
      // a page whose console throws
    }
  }
  return {
    warn,
    guard(what, work) {
      const failed = (error: unknown) => warn(`${what} failed.`, error);
      try {
        // Not `instanceof Promise`: pages exchange that for a promise of their own.
        (work() as PromiseLike<unknown> | undefined)?.then?.(undefined, failed);
      } catch (error) {
        failed(error);
      }
    },
  };
}
