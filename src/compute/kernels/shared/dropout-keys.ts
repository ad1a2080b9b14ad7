/** A bijection of 32-bit integers that scatters neighbours ("lowbias32", C. Wellons, "Hash function prospector", 2018). */
function scatter(x: number): number {
  let h = x ^ (x >>> 16);
  h = Math.imul(h, 0x7feb352d);
  h ^= h >>> 15;
  h = Math.imul(h, 0x846ca68b);
  return h ^ (h >>> 16);
}

/**
 * What the dropout kernels of all backends compute with, as 32-bit integers: where the counter starts, what is added in
 * the middle of the hash, and the bound that the upper 31 bits of a hash must reach for a number to stay.
 */
export function dropoutKeys(
  rate: number,
  seed: number,
): { readonly first: number; readonly second: number; readonly bound: number } {
  // Two keys: with one alone, two seeds would give the same bits at shifted positions.
  const first = scatter(seed | 0);
  const second = scatter(first ^ Math.floor(seed / 2 ** 32) ^ 0x9e3779b9);
  return { first, second, bound: Math.floor(rate * 2 ** 31) };
}
