/** Turns what a user wrote into a checked configuration, for every architecture and baseline. */
import { RecommenderError } from '../errors';
import { nearestName } from '../nearest-name';
import type { ConfigValue, OptionSpec, OptionSpecs, Refuse, RemovedOptions } from './model';

/** What has a name and options: an architecture or a counting baseline. */
export interface Configurable<C> {
  readonly name: string;
  readonly options: OptionSpecs<C>;
  readonly removed?: RemovedOptions;
  check?(config: C, refuse: Refuse): void;
}

/** `dropout_p_embed` → `dropoutPEmbed`: the official spelling is accepted for every key. */
export const camelCase = (key: string): string =>
  key.replace(/_+([a-z0-9])/g, (_, letter: string) => letter.toUpperCase());

/**
 * The configuration of a model: its defaults with the given keys replaced.
 *
 * @param given Values by key; keys in camelCase or in the reference implementation's snake_case; values of the option's
 *   type, or text as the command line has it (`0.5`, `true`, lists as `100/100`). A removed option is left out.
 * @throws RecommenderError `bad-config` for an unknown key (names the nearest known one), a value of the wrong type or
 *   out of range, another value of a removed option than the one that is left, or keys that do not fit together.
 */
export function configure<C>(model: Configurable<C>, given: Readonly<Record<string, unknown>> = {}): C {
  const options = model.options as Readonly<Record<string, OptionSpec>>;
  const config: Record<string, unknown> = {};
  for (const [key, option] of Object.entries(options)) config[key] = option.default;
  for (const [written, value] of Object.entries(given)) {
    const key = Object.hasOwn(options, written) ? written : camelCase(written);
    if (!Object.hasOwn(options, key)) {
      if (isRemoved(model, key, value)) continue;
      const nearest = nearestName(key, Object.keys(options));
      throw new RecommenderError(
        'bad-config',
        `${model.name} has no option "${written}"${nearest ? `; the nearest is "${nearest}"` : ''}. ` +
          `"aisle train --model ${model.name} --help" lists them all.`,
      );
    }
    config[key] = read(model.name, key, options[key]!, value);
  }
  model.check?.(config as C, (sentence) => {
    throw new RecommenderError('bad-config', `${model.name}: ${sentence}`);
  });
  return config as C;
}

/**
 * Whether a key was an option of the model. Configurations that older versions wrote hold it.
 *
 * @throws RecommenderError `bad-config` for another value than the one that is left of it.
 */
export function isRemoved<C>({ name, removed }: Configurable<C>, key: string, value: unknown): boolean {
  if (!removed || !Object.hasOwn(removed, key)) return false;
  const spellings = [removed[key]!].flat();
  if (spellings.some((spelling) => isSpelled(value, spelling))) return true;
  throw new RecommenderError(
    'bad-config',
    `${name}: "${key}" is no longer an option and always ${quoted(spellings[0])}, got ${quoted(value)}. Leave it out.`,
  );
}

/** Whether a value, or a text as the command line has it, is `expected`. */
function isSpelled(value: unknown, expected: number | boolean | string): boolean {
  if (typeof expected === 'boolean') return TRUTHS.get(String(value).toLowerCase()) === expected;
  if (typeof value !== 'string' || typeof expected === 'string') return value === expected;
  return value.trim() !== '' && Number(value) === expected;
}

const quoted = (value: unknown): string =>
  typeof value === 'string' ? `"${value}"` : (JSON.stringify(value) ?? String(value));

const TRUTHS: ReadonlyMap<string, boolean> = new Map([
  ['true', true],
  ['1', true],
  ['false', false],
  ['0', false],
]);

function read(model: string, key: string, option: OptionSpec, value: unknown): ConfigValue {
  const refuse = (): never => {
    throw new RecommenderError('bad-config', `${model}: "${key}" must be ${describe(option)}, got ${quoted(value)}.`);
  };
  const number = (v: unknown): number => {
    const n = typeof v === 'number' ? v : typeof v === 'string' && v.trim() !== '' ? Number(v) : Number.NaN;
    return Number.isFinite(n) ? n : refuse();
  };
  switch (option.type) {
    case 'boolean':
      return TRUTHS.get(String(value).toLowerCase()) ?? refuse();
    case 'choice':
      return option.choices.includes(String(value)) ? String(value) : refuse();
    case 'text':
      return String(value);
    case 'integers': {
      const parts = Array.isArray(value) ? value : String(value).split('/');
      const list = parts.map((part) => inRange(number(part), option, true) ?? refuse());
      return list.length > 0 ? list : refuse();
    }
    default: {
      const { words = {}, type } = option;
      if (typeof value === 'string' && Object.hasOwn(words, value)) return words[value]!;
      const n = number(value);
      // A checked configuration holds the number behind a word, and must stay readable.
      return Object.values(words).includes(n) ? n : (inRange(n, option, type === 'integer') ?? refuse());
    }
  }
}

function inRange(n: number, { min, max }: { min: number; max: number }, whole: boolean): number | undefined {
  return n >= min && n <= max && (!whole || Number.isInteger(n)) ? n : undefined;
}

/** An option's default as it is written: a word for its number, lists as 100/100. */
export function defaultOf(option: OptionSpec): string {
  const words = 'words' in option ? Object.entries(option.words ?? {}) : [];
  const [word] = words.find(([, number]) => number === option.default) ?? [];
  return word ?? (Array.isArray(option.default) ? option.default.join('/') : String(option.default));
}

/** The type and range of an option in words: "a whole number from 1 to 4096". */
export function describe(option: OptionSpec): string {
  const range = (o: { min: number; max: number }) =>
    Number.isFinite(o.max) ? `from ${o.min} to ${o.max}` : `of ${o.min} or more`;
  switch (option.type) {
    case 'boolean':
      return 'true or false';
    case 'text':
      return option.form;
    case 'choice':
      return `one of ${option.choices.join(', ')}`;
    case 'integers':
      return `whole numbers ${range(option)}, written 100/100`;
    default: {
      const words = Object.keys(option.words ?? {}).map((word) => ` or ${word}`);
      return `${option.type === 'integer' ? 'a whole number' : 'a number'} ${range(option)}${words.join('')}`;
    }
  }
}
