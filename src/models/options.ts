/** One call for each configuration key of a model: its default, range, meaning and source. */
import type { OptionSpec } from './model';

type Range = readonly [min: number, max: number];
type Words = Readonly<Record<string, number>>;

/** @param words Names for values: `layersize` for −1. */
export const integer = (standard: number, [min, max]: Range, doc: string, source: string, words?: Words) =>
  ({ type: 'integer', min, max, ...(words && { words }), default: standard, doc, source }) as OptionSpec<number>;

/** @param words Names for values: `auto` for 0. */
export const number = (standard: number, [min, max]: Range, doc: string, source: string, words?: Words) =>
  ({ type: 'number', min, max, ...(words && { words }), default: standard, doc, source }) as OptionSpec<number>;

/** Written 100/100. */
export const integers = (standard: readonly number[], [min, max]: Range, doc: string, source: string) =>
  ({ type: 'integers', min, max, default: standard, doc, source }) as OptionSpec<readonly number[]>;

export const boolean = (standard: boolean, doc: string, source: string) =>
  ({ type: 'boolean', default: standard, doc, source }) as OptionSpec<boolean>;

export const choice = <const T extends string>(
  standard: NoInfer<T>,
  choices: readonly T[],
  doc: string,
  source: string,
) => ({ type: 'choice', choices, default: standard, doc, source }) as OptionSpec<T>;
