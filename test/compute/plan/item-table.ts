/** A table of items as plans have it, scored by integers and in 32 bits. */
import {
  bytesOfQuantised,
  instantiateQuantiser,
  type QuantisedExports,
  quantisedTop,
} from '../../../src/compute/plan/quantised';

interface Exports {
  score(c: number, d: number, table: number, bias: number, groups: number, to: number, k: number, best: number): number;
}

/** A table of n items in memory, with what scores it. @param change Replaces what the integers are computed by. */
export function tableOf(
  planModule: WebAssembly.Module,
  quantiser: WebAssembly.Module,
  n: number,
  d: number,
  change: (exports: QuantisedExports) => QuantisedExports = (exports) => exports,
) {
  const groups = Math.ceil(n / 32);
  const width = 32 * groups;
  const c = 64;
  const bias = c + 16 * Math.ceil(d / 4);
  const best = bias + 4 * width;
  const table = best + 8 * width;
  const own = table + 4 * width * d;
  const end = own + bytesOfQuantised({ n, d });
  const memory = new WebAssembly.Memory({ initial: Math.ceil((end + 64) / 65536) });
  const exports = new WebAssembly.Instance(planModule, { env: { memory } }).exports as unknown as Exports;
  const floats = new Float32Array(memory.buffer);
  const behind = new Uint8Array(memory.buffer, end, 64).fill(99);
  floats.fill(Number.NEGATIVE_INFINITY, bias / 4 + n, bias / 4 + width);
  const integers = change(instantiateQuantiser(quantiser, memory));
  const quantised = () => quantisedTop(integers, memory, { n, d }, { table, bias, own });
  let quick = quantised();
  return {
    /** Copies the table again. */
    update(): void {
      quick = quantised();
    },
    setItem(item: number, vector: (j: number) => number, itemBias = 0): void {
      for (let j = 0; j < d; j++) floats[table / 4 + ((item >> 5) * d + j) * 32 + (item & 31)] = vector(j);
      floats[bias / 4 + item] = itemBias;
    },
    setBias(item: number, value: number): void {
      floats[bias / 4 + item] = value;
    },
    setVector(vector: (j: number) => number): void {
      for (let j = 0; j < d; j++) floats[c / 4 + j] = vector(j);
    },
    /** In 32 bits. @returns How many were found. */
    score: (k: number): number => exports.score(c, d, table, bias, groups, 0, k, best),
    /** By integers. */
    top: (k: number): number | undefined => quick(c, k, best),
    /** What the last call has found, the best first. */
    columns: (k: number, found: number): Int32Array => new Int32Array(memory.buffer, best + 4 * k, found),
    bitsOfScores: (found: number): Uint32Array => new Uint32Array(memory.buffer, best, found),
    /** Whether nothing was written behind what it needs. */
    isIntact: (): boolean => behind.every((byte) => byte === 99),
  };
}
