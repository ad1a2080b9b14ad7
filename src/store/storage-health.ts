/** Reports each storage problem once when it begins and once when it ends. */
import type { StorageProblem } from './interface';

export function storageHealth(onProblem: (code: StorageProblem, message: string | undefined) => void) {
  const problems = new Set<StorageProblem>();
  function report(code: StorageProblem, message?: string): void {
    if (problems.has(code) === (message !== undefined)) return;
    if (message === undefined) problems.delete(code);
    else problems.add(code);
    onProblem(code, message);
  }
  return {
    /** @param message Undefined if the problem is over. */
    report,
    /** Ends the problems that keep events from being stored, or `all`. */
    mend(all = false): void {
      for (const code of all ? problems : (['no-storage', 'storage-full'] as const)) report(code);
    },
  };
}
