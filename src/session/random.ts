/**
 * Seeded random numbers, the only ones in the project.
 *
 * A generator is named by a seed and a path (`random(seed, 'negatives', step)`): each name gives its own stream, so a
 * resumed run needs no saved generator state and adding one more draw somewhere moves no other stream.
 */
export interface Random {
  /** Uniform in [0, 1), 32 bits of resolution. */
  uniform(): number;
  /** Uniform integer in 0…n − 1. */
  integer(n: number): number;
  /** Standard normal, N(0, 1). */
  normal(): number;
  /** Shuffles in place (Fisher–Yates) and returns its argument. */
  shuffle<A extends { length: number; [index: number]: number }>(values: A): A;
}

/** Mixes 32 bits so that each input bit moves each output bit (the finaliser of MurmurHash3). */
export function mix(h: number): number {
  h = Math.imul(h ^ (h >>> 16), 0x85ebca6b);
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35);
  return (h ^ (h >>> 16)) >>> 0;
}

/** A 32-bit seed from a seed and a path of numbers and words. */
export function deriveSeed(seed: number, ...path: readonly (number | string)[]): number {
  let h = mix(seed ^ 0x9e3779b9);
  for (const part of path) {
    if (typeof part === 'number') {
      h = mix(h ^ mix(part | 0) ^ Math.floor(part / 2 ** 32));
    } else {
      for (let i = 0; i < part.length; i++) h = mix(h ^ part.charCodeAt(i));
    }
    h = mix(h + 0x9e3779b9);
  }
  return h;
}

/**
 * The stream of that name: the generator sfc32 (Chris Doty-Humphrey's "small fast counting" generator).
 *
 * @param seed Any integer.
 * @param path Names the stream below the seed.
 */
export function random(seed: number, ...path: readonly (number | string)[]): Random {
  const h = deriveSeed(seed, ...path);
  let a = h;
  let b = mix(h + 0x6d2b79f5);
  let c = mix(h + 0x3c6ef372);
  let counter = 1;
  const next = (): number => {
    const t = (((a + b) | 0) + counter) | 0;
    counter = (counter + 1) | 0;
    a = b ^ (b >>> 9);
    b = (c + (c << 3)) | 0;
    c = ((c << 21) | (c >>> 11)) + t;
    c |= 0;
    return t >>> 0;
  };
  for (let i = 0; i < 12; i++) next();

  let spare: number | undefined;
  const generator: Random = {
    uniform: () => next() / 2 ** 32,
    integer: (n) => Math.floor((next() / 2 ** 32) * n),
    normal() {
      if (spare !== undefined) {
        const value = spare;
        spare = undefined;
        return value;
      }
      // Box–Muller; 1 − u keeps the logarithm away from 0.
      const radius = Math.sqrt(-2 * Math.log(1 - generator.uniform()));
      const angle = 2 * Math.PI * generator.uniform();
      spare = radius * Math.sin(angle);
      return radius * Math.cos(angle);
    },
    shuffle(values) {
      for (let i = values.length - 1; i > 0; i--) {
        const j = generator.integer(i + 1);
        const value = values[i]!;
        values[i] = values[j]!;
        values[j] = value;
      }
      return values;
    },
  };
  return generator;
}
