/** What troubles the storing, told once when it begins and once when it is over. */
import type { StoreTrouble } from './interface';

export function troublesOf(onTrouble: (code: StoreTrouble, message: string | undefined) => void) {
  const troubles = new Set<StoreTrouble>();
  function trouble(code: StoreTrouble, message?: string): void {
    if (troubles.has(code) === (message !== undefined)) return;
    if (message === undefined) troubles.delete(code);
    else troubles.add(code);
    onTrouble(code, message);
  }
  return {
    /** @param message Undefined where it is over. */
    trouble,
    /** What keeps events from being stored is over, and so are the others that are named. */
    mend(...others: readonly StoreTrouble[]): void {
      for (const code of ['no-storage', 'storage-full', ...others] as const) trouble(code);
    },
  };
}
