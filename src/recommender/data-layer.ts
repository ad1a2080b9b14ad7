/** A page's data layer: an array into which the page and its tags push their messages. */

/**
 * Reads the entries of a data layer, and later ones. Wraps `push` as Tag Manager does; the page's call returns the same as
 * before.
 *
 * @param read Called with each entry. It must not throw, because the page would get the error.
 * @returns Stops, and restores `push` unless another script has wrapped it since.
 */
export function watchLayer(layer: unknown[], read: (entry: unknown) => void): () => void {
  readAll(layer);
  let stopped = false;
  const push = layer.push;
  const own = function (this: unknown, ...entries: unknown[]): number {
    const result = push.apply(layer, entries);
    if (!stopped) readAll(entries);
    return result;
  };
  // The page may have replaced `forEach`.
  function readAll(entries: readonly unknown[]): void {
    for (let i = 0; i < entries.length; i++) read(entries[i]);
  }
  setPush(layer, own);
  return () => {
    stopped = true;
    if (layer.push === own) setPush(layer, push);
  };
}

/** Gives an array another `push`. An assignment would throw where the page has frozen `Array.prototype`. */
export function setPush(array: unknown[], push: (...entries: unknown[]) => number): void {
  Object.defineProperty(array, 'push', { value: push, configurable: true, writable: true });
}
