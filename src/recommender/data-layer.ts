/** A page's data layer: an array into which the page and its tags push what they tell each other. */

/**
 * Reads what is in a data layer, and what will be pushed. Its `push` is wrapped as Tag Manager itself does it; the page's
 * call returns what it would have returned.
 *
 * @param read Told of each entry. It must not throw: that would be the page's error.
 * @returns Stops; `push` is put back where nobody has wrapped it since.
 */
export function watchLayer(layer: unknown[], read: (entry: unknown) => void): () => void {
  layer.forEach(read);
  let stopped = false;
  const push = layer.push;
  const own = function (this: unknown, ...entries: unknown[]): number {
    const result = push.apply(layer, entries);
    if (!stopped) entries.forEach(read);
    return result;
  };
  layer.push = own;
  return () => {
    stopped = true;
    if (layer.push === own) layer.push = push;
  };
}
