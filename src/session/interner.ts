import { isText, textOf } from './utf8';

/**
 * Numbers byte strings 0, 1, 2, … in order of first appearance, without making a JavaScript string for each row: ids
 * are kept as bytes in one arena and become strings once, at the end. Any text is a safe key, `__proto__` included.
 */
export class Interner {
  size = 0;
  private arena = new Uint8Array(1 << 14);
  private used = 0;
  /** End of each id in the arena; it starts where the one before ends. */
  private ends = new Int32Array(1 << 10);
  private hashes = new Int32Array(1 << 10);
  /** Open addressing: code + 1, or 0 where free. */
  private table = new Int32Array(1 << 11);

  /** @param most Characters of an id. */
  constructor(private readonly most = Number.POSITIVE_INFINITY) {}

  /** Number of `bytes[start…end)`; −1 if it is not valid UTF-8, holds a NUL byte or is too long (such an id is never kept). */
  intern(bytes: Uint8Array, start: number, end: number): number {
    let hash = 0x811c9dc5;
    for (let i = start; i < end; i++) hash = Math.imul(hash ^ bytes[i]!, 0x01000193);
    hash = Math.imul(hash ^ (hash >>> 15), 0x2c1b3c6d);
    hash ^= hash >>> 13;
    const mask = this.table.length - 1;
    let slot = hash & mask;
    for (let entry = this.table[slot]!; entry !== 0; entry = this.table[slot]!) {
      if (this.hashes[entry - 1] === hash && this.equals(entry - 1, bytes, start, end)) return entry - 1;
      slot = (slot + 1) & mask;
    }
    if (!isText(bytes, start, end)) return -1;
    if (end - start > this.most && textOf(bytes, start, end).length > this.most) return -1;
    return this.append(bytes, start, end, hash, slot);
  }

  /** The id with this number, as text. */
  text(code: number): string {
    return decoder.decode(this.arena.subarray(code === 0 ? 0 : this.ends[code - 1]!, this.ends[code]!));
  }

  /** All ids by number. */
  texts(): string[] {
    return Array.from({ length: this.size }, (_, code) => this.text(code));
  }

  private equals(code: number, bytes: Uint8Array, start: number, end: number): boolean {
    const from = code === 0 ? 0 : this.ends[code - 1]!;
    if (this.ends[code]! - from !== end - start) return false;
    for (let i = 0; i < end - start; i++) if (this.arena[from + i] !== bytes[start + i]) return false;
    return true;
  }

  private append(bytes: Uint8Array, start: number, end: number, hash: number, slot: number): number {
    const code = this.size++;
    const needed = this.used + end - start;
    if (needed > this.arena.length) this.arena = grown(this.arena, Math.max(needed, this.arena.length * 2), Uint8Array);
    this.arena.set(bytes.subarray(start, end), this.used);
    this.used = needed;
    if (code === this.ends.length) {
      this.ends = grown(this.ends, code * 2, Int32Array);
      this.hashes = grown(this.hashes, code * 2, Int32Array);
    }
    this.ends[code] = needed;
    this.hashes[code] = hash;
    this.table[slot] = code + 1;
    if (this.size * 2 > this.table.length) this.rehash();
    return code;
  }

  private rehash(): void {
    const table = new Int32Array(this.table.length * 2);
    const mask = table.length - 1;
    for (let code = 0; code < this.size; code++) {
      let slot = this.hashes[code]! & mask;
      while (table[slot] !== 0) slot = (slot + 1) & mask;
      table[slot] = code + 1;
    }
    this.table = table;
  }
}

/** `ignoreBOM` keeps an id that starts with U+FEFF whole. */
const decoder = new TextDecoder('utf-8', { ignoreBOM: true });

function grown<T extends Uint8Array | Int32Array>(old: T, length: number, Type: new (length: number) => T): T {
  const array = new Type(length);
  array.set(old);
  return array;
}
