type Column = Int32Array | Float64Array | Uint8Array;

const BITS = 16;
const SIZE = 1 << BITS;
const MASK = SIZE - 1;

/**
 * A typed array that grows without copying: blocks of 65,536 values. Doubling one array would hold the old and the new
 * one at the moment of growth, which a log of tens of millions of events cannot afford.
 */
export class Growing<T extends Column> {
  length = 0;
  private readonly blocks: T[] = [];

  constructor(private readonly make: (length: number) => T) {}

  push(value: number): void {
    const at = this.length & MASK;
    if (at === 0) this.blocks.push(this.make(SIZE));
    this.blocks[this.length >>> BITS]![at] = value;
    this.length++;
  }

  /** The value at `index`, which must be below `length`. */
  get(index: number): number {
    return this.blocks[index >>> BITS]![index & MASK]!;
  }

  /** Replaces the value at `index`, which must be below `length`. */
  set(index: number, value: number): void {
    this.blocks[index >>> BITS]![index & MASK] = value;
  }
}

export const growingInt32 = () => new Growing((length) => new Int32Array(length));
export const growingFloat64 = () => new Growing((length) => new Float64Array(length));
export const growingUint8 = () => new Growing((length) => new Uint8Array(length));
