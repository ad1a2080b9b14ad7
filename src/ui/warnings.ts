/** A guest in somebody's page: nothing is thrown into it, and each problem is told once. */
import type { Host } from './host';

export function warnings(): Pick<Host, 'warn' | 'guard'> {
  const told = new Set<string>();
  function warn(problem: string, error?: unknown): void {
    try {
      if (told.has(problem)) return;
      told.add(problem);
      const why = error === undefined ? '' : ` ${error instanceof Error ? error.message : String(error)}`;
      console.warn(`Aisle: ${problem}${why}`);
    } catch {
      // a page whose console throws
    }
  }
  return {
    warn,
    guard(what, work) {
      try {
        const result = work();
        if (result instanceof Promise) result.catch((error) => warn(`${what} failed.`, error));
      } catch (error) {
        warn(`${what} failed.`, error);
      }
    },
  };
}
