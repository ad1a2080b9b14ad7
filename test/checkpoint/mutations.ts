/** Seeded damage to bytes, as a torn write, a bad disk or a hostile hand would do it. */
import { random } from '../../src/session/random';

/** Copies of a file that differ from it, one for each number: bits flipped, bytes set, cut off, left out, doubled or moved. */
export function mutated(file: Uint8Array, seed: number): Uint8Array {
  const { integer } = random(seed, 'mutations');
  let bytes = file.slice();
  const rounds = 1 + integer(3);
  for (let round = 0; round < rounds || isSame(bytes, file); round++) {
    const at = integer(bytes.length || 1);
    const to = Math.min(bytes.length, at + 1 + integer(16));
    switch (integer(7)) {
      case 0:
        bytes[at]! ^= 1 << integer(8);
        break;
      case 1:
        bytes.fill([0, 0xff, 0x22, 0x7b][integer(4)]!, at, to);
        break;
      case 2:
        bytes = bytes.slice(0, at);
        break;
      case 3:
        bytes = joined(bytes.subarray(0, at), bytes.subarray(to));
        break;
      case 4:
        bytes = joined(bytes.subarray(0, to), bytes.subarray(at));
        break;
      case 5:
        bytes.copyWithin(integer(bytes.length || 1), at, to);
        break;
      case 6:
        bytes = joined(
          bytes.subarray(0, at),
          Uint8Array.from({ length: 1 + integer(8) }, () => integer(256)),
          bytes.subarray(at),
        );
        break;
    }
  }
  return bytes;
}

const isSame = (a: Uint8Array, b: Uint8Array): boolean => a.length === b.length && a.every((byte, i) => byte === b[i]);

function joined(...parts: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  const whole = new Uint8Array(parts.reduce((length, part) => length + part.length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}
