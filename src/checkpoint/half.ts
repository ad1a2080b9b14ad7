/** 16-bit floats: IEEE 754 binary16 ("half") and bfloat16. Both round to nearest, ties to even, as hardware does. */

const float = new Float32Array(1);
const bits = new Uint32Array(float.buffer);

/** Largest finite half. */
export const MAX_HALF = 65504;

/** The half nearest to a number, as its 16 bits. Beyond 65,519.99… it is an infinity; NaN stays NaN. */
export function toHalf(value: number): number {
  float[0] = value;
  const single = bits[0]!;
  const sign = (single >>> 16) & 0x8000;
  const magnitude = single & 0x7fffffff;
  if (magnitude > 0x7f800000) return sign | 0x7e00; // NaN
  if (magnitude >= 0x477ff000) return sign | 0x7c00; // 65,520 and more: rounds to infinity
  if (magnitude >= 0x38800000) {
    // Normal half: drop 13 bits of fraction, rounding to even; a carry runs into the exponent as it should.
    const rounded = magnitude + 0xfff + ((magnitude >>> 13) & 1);
    return sign | ((rounded - 0x38000000) >>> 13);
  }
  if (magnitude < 0x33000000) return sign; // below 2⁻²⁵: rounds to zero
  // Subnormal half: the fraction with its hidden bit, in units of 2⁻²⁴.
  const shift = 126 - (magnitude >>> 23); // 14…24
  const fraction = (magnitude & 0x7fffff) | 0x800000;
  const half = 1 << (shift - 1);
  const high = fraction >>> shift;
  const rest = fraction & ((1 << shift) - 1);
  return sign | (rest > half || (rest === half && (high & 1) === 1) ? high + 1 : high);
}

/** The exact value of the 16 bits of a half. */
export function fromHalf(half: number): number {
  const exponent = (half >>> 10) & 0x1f;
  const fraction = half & 0x3ff;
  if (exponent === 0) return (half & 0x8000 ? -1 : 1) * fraction * 2 ** -24;
  // Normal numbers move to the wider exponent's zero; infinities and NaN keep all exponent bits set.
  const wide = exponent === 0x1f ? 0xff : exponent + 112;
  bits[0] = ((half & 0x8000) << 16) | (wide << 23) | (fraction << 13);
  return float[0]!;
}

/** The exact value of the 16 bits of a bfloat16: the upper half of a 32-bit float. */
export function fromBfloat16(value: number): number {
  bits[0] = value << 16;
  return float[0]!;
}

/** `toHalf` of each number. A loop: `Uint16Array.from` with a function is ten times slower. */
export function toHalves(values: Float32Array): Uint16Array {
  const halves = new Uint16Array(values.length);
  for (let i = 0; i < values.length; i++) halves[i] = toHalf(values[i]!);
  return halves;
}

/** The values of 16-bit patterns by `read`, one of the functions above. */
export function widen(patterns: Uint16Array, read: (pattern: number) => number): Float32Array {
  const values = new Float32Array(patterns.length);
  for (let i = 0; i < patterns.length; i++) values[i] = read(patterns[i]!);
  return values;
}
