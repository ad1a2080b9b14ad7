/**
 * The score of what must get no probability. A softmax gives it exactly 0 against any real score, and unlike −∞ or −1e9
 * it is finite in 16-bit floats too, so that a fully masked row stays finite.
 */
export const MASKED = -6e4;
