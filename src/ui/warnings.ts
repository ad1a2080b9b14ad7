/** A guest in somebody's page: nothing is thrown into it, and each problem is told once. */
import type { Host } from './types';

/** Most problems that are told; a page with more has read enough. */
const MAX_TOLD = 50;

export function warnings(): Pick<Host, 'warn' | 'guard'> {
  const told = new Set<string>();
  function warn(problem: string, error?: unknown): void {
    try {
      if (told.has(problem) || told.size >= MAX_TOLD) return;
      told.add(problem);
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
