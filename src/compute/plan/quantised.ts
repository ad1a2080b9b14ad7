/**
 * The best items by integers: a copy of the item table in bytes, and an interval for each score. Items whose interval reaches the k-th
 * lower end are scored again in 32 bits, so that items and scores are those of the table itself, to the bit.
 *
 *     q = round(E / s), s = maxⱼ |Eⱼ| / 127, Ê = s q        in bytes, one scale for each item
 *     ĉ = t r, t = maxⱼ |cⱼ| / 16383                        the session's vector, in 16 bits
 *
 *     |(E · c + b)₃₂ − (s t (q · r) + b)₃₂| ≤ s (‖c‖₁ (½ + 128 (d + 8) 2⁻²⁴) + 128 ‖c − ĉ‖₁) + (d + 8) 2⁻²⁴ |b|
 *
 * The first term is what rounding E loses, |E − Ê| ≤ s / 2; the second the roundings, of 2⁻²⁴ each: d + 1 of the score in 32 bits,
 * six of an end of the interval; the third what rounding c loses. Within `LIMITS` no sum overflows, and what underflows is less than `MARGIN`.
 */

import { type Binary, compileFirst } from '../wasm-module';
import { SIMD_BINARY } from './binary-quantised';

const BINARIES: readonly Binary[] = [{ load: async () => ({ SIMD_BINARY }) }];

export interface QuantisedExports {
  quantise(table: number, d: number, groups: number, to: number, scales: number): number;
  scoreQuantised(
    c: number,
    d: number,
    table: number,
    bias: number,
    groups: number,
    k: number,
    best: number,
    bytes: number,
    scales: number,
    c16: number,
    unit: number,
    reach: number,
    share: number,
    list: number,
    room: number,
  ): number;
}

/** Of more numbers a sum of products of 128 and 16,383 could exceed 32 bits: sums of bytes that are stored 128 larger begin at −128 Σ r. */
const MOST_NUMBERS = 1024;
const LEVELS = 16_383;
/** The largest number of a session's vector, and of the table. */
const LIMITS = { least: 2 ** -20, most: 2 ** 40 } as const;
const ROUNDING = 2 ** -24;
/** For the roundings of an interval's half itself, and of the quotients E / s. */
const MARGIN = 1 + 2 ** -14;

interface Size {
  readonly n: number;
  readonly d: number;
}

function layoutOf({ n, d }: Size) {
  const groups = Math.ceil(n / 32);
  const pairs = Math.ceil(d / 2);
  const room = n >> 4;
  const scales = groups * pairs * 64;
  const c16 = scales + groups * 128;
  const list = c16 + Math.ceil(pairs / 4) * 16;
  return { groups, pairs, room, scales, c16, list, bytes: list + 8 * room };
}

/** Bytes of memory that the copy and its work need: a little more than a quarter of the table's. */
export const bytesOfQuantised = (size: Size): number => layoutOf(size).bytes;

/** The module that copies and scores by integers; undefined where the engine has no SIMD. */
export const loadQuantisedModule = () => compileFirst(BINARIES);

export const instantiateQuantiser = (module: WebAssembly.Module, memory: WebAssembly.Memory) =>
  new WebAssembly.Instance(module, { env: { memory } }).exports as unknown as QuantisedExports;

/** Loads what copies tables in a memory; undefined where a table of this size cannot be copied. */
export async function loadQuantiser(memory: WebAssembly.Memory, size: Size) {
  const module = size.d > MOST_NUMBERS ? undefined : await loadQuantisedModule();
  if (!module) return undefined;
  const exports = instantiateQuantiser(module, memory);
  return {
    bytes: bytesOfQuantised(size),
    copy: (places: Parameters<typeof quantisedTop>[3]) => quantisedTop(exports, memory, size, places),
  };
}
export type Quantiser = NonNullable<Awaited<ReturnType<typeof loadQuantiser>>>;

/**
 * Copies a table, which must not change from then on.
 *
 * @param places Addresses in bytes: of the table, of the bias, and of as many bytes as `bytesOfQuantised` says.
 * @returns Finds the k best by the session's vector at `c`, and puts them at `best`. It returns how many were found; undefined where scores
 *   of 32 bits find them sooner: nearly all scores are the same, a large part is wanted, or numbers are beyond the limits.
 */
export function quantisedTop(
  { quantise, scoreQuantised }: QuantisedExports,
  memory: WebAssembly.Memory,
  size: Size,
  { table, bias, own }: { readonly table: number; readonly bias: number; readonly own: number },
): (c: number, k: number, best: number) => number | undefined {
  const { d } = size;
  const { groups, pairs, room, scales, c16, list } = layoutOf(size);
  // Of NaN no comparison is true.
  const isUsable = quantise(table, d, groups, own, own + scales) <= LIMITS.most / 127;
  return (at, k, best) => {
    // The memory may have grown.
    const c = new Float32Array(memory.buffer, at, d);
    const integers = new Int16Array(memory.buffer, own + c16, 2 * pairs);
    let largest = 0;
    for (let j = 0; j < d; j++) largest = Math.max(largest, Math.abs(c[j]!));
    if (!isUsable || k > room >> 3 || !(largest >= LIMITS.least && largest <= LIMITS.most)) return undefined;
    const unit = Math.fround(largest / LEVELS);
    let sum = 0;
    let lost = 0;
    for (let j = 0; j < d; j++) {
      const x = c[j]!;
      const level = Math.round(x / unit);
      integers[j] = level;
      sum += Math.abs(x);
      lost += Math.abs(x - level * unit);
    }
    const roundings = (d + 8) * ROUNDING;
    const reach = MARGIN * (sum * (0.5 + 128 * roundings) + 128 * lost);
    const found = scoreQuantised(
      at,
      d,
      table,
      bias,
      groups,
      k,
      best,
      own,
      own + scales,
      own + c16,
      unit,
      reach,
      MARGIN * roundings,
      own + list,
      room,
    );
    return found < 0 ? undefined : found;
  };
}
