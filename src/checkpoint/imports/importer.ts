/** What an import of one reference implementation consists of. */
import { RecommenderError } from '../../errors';
import { nearestName } from '../../nearest-name';
import type { NdArrays } from '../../types';
import type { NameMap } from './name-map';

export type ConfigValue = number | boolean | string | readonly number[];

/** A reference configuration in our words. */
export interface ImportedConfig {
  /** Number of items n, where the configuration says it. */
  readonly items?: number;
  /** Options of our architecture; those not named keep their defaults. */
  readonly config: Readonly<Record<string, ConfigValue>>;
}

export interface Importer {
  /** Our architecture. Default: the reference's name in `imports/index.ts`. */
  readonly architecture?: string;
  /**
   * @param reference The reference implementation's own parameters, by its own names.
   * @throws RecommenderError `bad-config` for a key that is not known or a value that our architecture does not have.
   */
  config(reference: Readonly<Record<string, unknown>>): ImportedConfig;
  /**
   * @param config Our configuration, complete.
   * @param items Number of items n.
   */
  map(config: Readonly<Record<string, unknown>>, items: number): NameMap;
  /**
   * The tensors that `map` reads, where the reference has layers that ours does not and that can be multiplied into others. Default: the
   * state dict itself.
   *
   * @param what What holds the weights, for messages.
   * @throws RecommenderError `weights-mismatch`, as `toOurs`.
   */
  fold?(weights: NdArrays, config: Readonly<Record<string, unknown>>, items: number, what: string): NdArrays;
}

/** What becomes of a reference key: one of ours, the item count, options worked out from its value, or nothing. */
export type KeyRule =
  | string
  | { readonly items: true /** Whether it counts the padding row too. */; readonly withPadding?: true }
  | { readonly ignored: true }
  | { readonly fixed: number }
  | ((value: unknown) => Readonly<Record<string, ConfigValue>>);

/** The rules of keys that say nothing of the model. */
export const ignored = (...keys: readonly string[]): Readonly<Record<string, KeyRule>> =>
  Object.fromEntries(keys.map((key) => [key, { ignored: true as const }]));

/** Applies one rule to each key of a reference configuration. Ranges are checked where the options are known. */
export function translate(
  what: string,
  reference: Readonly<Record<string, unknown>>,
  rules: Readonly<Record<string, KeyRule>>,
): ImportedConfig {
  let items: number | undefined;
  const config: Record<string, ConfigValue> = {};
  for (const [key, value] of Object.entries(reference)) {
    const rule = Object.hasOwn(rules, key) ? rules[key]! : undefined;
    if (rule === undefined) {
      const nearest = nearestName(key, Object.keys(rules));
      throw bad(what, `the key "${key}" is not known${nearest ? `; the nearest is "${nearest}"` : ''}.`);
    }
    if (typeof rule === 'string') config[rule] = plain(what, key, value);
    else if (typeof rule === 'function') Object.assign(config, rule(value));
    else if ('items' in rule) items = rule.withPadding ? count(what, key, value, 2) - 1 : count(what, key, value);
    else if ('fixed' in rule && value !== rule.fixed) {
      throw bad(what, `"${key}" must be ${rule.fixed}, as in the reference code, got ${JSON.stringify(value)}.`);
    }
  }
  return items === undefined ? { config } : { items, config };
}

export function count(what: string, key: string, value: unknown, min = 1): number {
  if (!Number.isSafeInteger(value) || (value as number) < min) {
    throw bad(what, `"${key}" must be a whole number from ${min}, got ${JSON.stringify(value)}.`);
  }
  return value as number;
}

function plain(what: string, key: string, value: unknown): ConfigValue {
  const isPlain = ['number', 'boolean', 'string'].includes(typeof value);
  if (isPlain || (Array.isArray(value) && value.every((x) => typeof x === 'number'))) return value as ConfigValue;
  throw bad(
    what,
    `"${key}" must be a number, a text, true or false, or a list of numbers, got ${JSON.stringify(value)}.`,
  );
}

export function bad(what: string, message: string): RecommenderError {
  return new RecommenderError('bad-config', `${what}: ${message}`);
}
