/** Numbers as the texts have them, which is alike in English and Korean. */

export const whole = (count: number): string => count.toLocaleString('en');

export const many = (count: number, one: string): string => `${whole(count)} ${count === 1 ? one : `${one}s`}`;

/** How many times likelier. */
export const odds = (evidence: number): string =>
  `${evidence < 10 ? evidence.toFixed(1) : evidence.toPrecision(2)} : 1`;
