/** The visitor's answer to "keep my visits on this device", which the shop remembers; the library does not. */
const KEY = 'aisle-demo-keep';

export function keepsVisits(): boolean {
  try {
    return localStorage.getItem(KEY) === 'yes';
  } catch {
    return false; // a page without storage
  }
}

/** A no leaves nothing behind, not even itself. */
export function rememberChoice(kept: boolean): void {
  try {
    if (kept) localStorage.setItem(KEY, 'yes');
    else localStorage.removeItem(KEY);
  } catch {
    // Asked again in the next page.
  }
}
