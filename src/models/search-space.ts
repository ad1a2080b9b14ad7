/** What a random search may try of a model: ranges of its configuration keys, and draws from them. */
import { RecommenderError } from '../errors';
import { nearestName } from '../nearest-name';
import { deriveSeed, type Random, random } from '../session/random';
import { type Configurable, configure } from './configuration';
import type { ConfigValue, OptionSpec } from './model';

/** Values of one key, `from` and `to` included; `log` spreads draws evenly over factors. */
export type SearchRange =
  | { readonly kind: 'log' | 'linear'; readonly from: number; readonly to: number; readonly whole?: boolean }
  | { readonly kind: 'choice'; readonly values: readonly ConfigValue[] };

/** A range that is searched only where other keys, of the configuration or drawn before, have one of these values. */
export type SearchKey = SearchRange & { readonly when?: Readonly<Record<string, readonly ConfigValue[]>> };

/** By key, in the order in which keys are drawn. */
export type SearchSpace = Readonly<Record<string, SearchKey>>;

/** Even over factors from `from` to `to`. */
export const log = (from: number, to: number): SearchRange => ({ kind: 'log', from, to });
/** The same in whole numbers. */
export const wholeLog = (from: number, to: number): SearchRange => ({ kind: 'log', from, to, whole: true });
export const linear = (from: number, to: number): SearchRange => ({ kind: 'linear', from, to });
export const choice = (...values: readonly ConfigValue[]): SearchRange => ({ kind: 'choice', values });
export const only = (range: SearchRange, when: Readonly<Record<string, readonly ConfigValue[]>>): SearchKey => ({
  ...range,
  when,
});

/** Digits of a drawn number: more would tell nothing, and make the line of a trial long. */
const DIGITS = 3;
/** So often a draw that was there before, or whose keys do not go together, is drawn again. */
const ATTEMPTS = 1000;

/** The keys that a trial sets beside the base. */
export type Draw = Readonly<Record<string, ConfigValue>>;

export interface DrawOptions<C> {
  readonly model: Configurable<C>;
  readonly space: SearchSpace;
  /** Keys that every trial starts from, such as a preset's; a draw replaces them. */
  readonly base: Readonly<Record<string, unknown>>;
  /** Keys of the base that are never drawn. */
  readonly fixed: readonly string[];
  readonly seed: number;
}

/**
 * The first `count` configurations to try, each different: the base as it is, then draws. Trial t is the same whatever
 * `count` is, and a key has a stream of its own, so that fixing one moves no other.
 *
 * @returns What each sets beside the base; fewer than `count` where the space holds no more.
 */
export function drawTrials<C>(options: DrawOptions<C>, count: number): Draw[] {
  const draws: Draw[] = [{}];
  const known = new Set([complete(options, {}).text]);
  for (let trial = 1, attempt = 0; draws.length < count && attempt < ATTEMPTS; attempt++) {
    const draw = drawOne(options, deriveSeed(options.seed, 'search', trial, attempt));
    const { text } = complete(options, draw);
    if (known.has(text) || !isTaken(options, draw)) continue;
    known.add(text);
    draws.push(draw);
    trial++;
    attempt = -1;
  }
  return draws;
}

function drawOne<C>(options: DrawOptions<C>, seed: number): Draw {
  const draw: Record<string, ConfigValue> = {};
  const { config } = complete(options, {});
  const known = options.model.options as Readonly<Record<string, OptionSpec>>;
  for (const [key, range] of Object.entries(options.space)) {
    if (options.fixed.includes(key)) continue;
    const holds = (of: (other: string) => unknown) =>
      Object.entries(range.when ?? {}).every(([other, values]) => values.some((value) => same(value, of(other))));
    if (holds((other) => draw[other] ?? config[other])) draw[key] = drawnFrom(range, random(seed, key));
    // What the base has for a case that was drawn away, such as a temperature of cosine scoring, is not for the other.
    else if (Object.hasOwn(options.base, key) && holds((other) => config[other]))
      draw[key] = known[key]!.default as ConfigValue;
  }
  return draw;
}

/** A configuration with its defaults; what the model asks of keys together is not checked. */
function complete<C>({ model, base }: DrawOptions<C>, draw: Draw) {
  const config = configure(keysOf(model), { ...base, ...draw }) as Record<string, unknown>;
  return { config, text: JSON.stringify(config) };
}

/** A model without what it asks of keys together. */
const keysOf = <C>({ check: _, ...keys }: Configurable<C>): Configurable<C> => keys;

/** Whether the model takes the keys together. */
function isTaken<C>({ model, base }: DrawOptions<C>, draw: Draw): boolean {
  try {
    configure(model, { ...base, ...draw });
    return true;
  } catch (error) {
    if (error instanceof RecommenderError && error.code === 'bad-config') return false;
    throw error;
  }
}

function drawnFrom(range: SearchRange, draw: Random): ConfigValue {
  if (range.kind === 'choice') return range.values[draw.integer(range.values.length)]!;
  const { kind, from, to, whole = false } = range;
  const u = draw.uniform();
  const value = kind === 'log' ? from * (to / from) ** u : from + (to - from) * u;
  const rounded = whole ? Math.round(value) : Number(value.toPrecision(DIGITS));
  return Math.min(to, Math.max(from, rounded));
}

const same = (a: unknown, b: unknown): boolean => JSON.stringify(a) === JSON.stringify(b);

/** A range in words: `0.01 to 0.25, log`, `elu | linear; with loss=bpr-max`. */
export function describeRange({ when, ...range }: SearchKey): string {
  const text =
    range.kind === 'choice'
      ? range.values.map(written).join(' | ')
      : `${range.from} to ${range.to}${range.whole ? ', whole' : ''}, ${range.kind}`;
  const needs = Object.entries(when ?? {}).map(([key, values]) => `${key}=${values.map(written).join('|')}`);
  return needs.length > 0 ? `${text}; with ${needs.join(' and ')}` : text;
}

/** A value as `--set` takes it: lists as 100/100. */
export const written = (value: unknown): string => (Array.isArray(value) ? value.join('/') : String(value));

/**
 * A space with ranges that a user wrote, `key=from..to`, `key=from..to:log` or `key=a,b,c`, in the place of its own.
 *
 * @throws RecommenderError `bad-config` for an unknown key, or values that the option does not take.
 */
export function withRanges<C>(
  model: Configurable<C>,
  space: SearchSpace,
  ranges: readonly (readonly [key: string, text: string])[],
): SearchSpace {
  const options = model.options as Readonly<Record<string, OptionSpec>>;
  const mine = ranges.map(([key, text]): [string, SearchRange] => {
    const option = Object.hasOwn(options, key) ? options[key]! : undefined;
    if (!option) {
      const nearest = nearestName(key, Object.keys(options));
      throw new RecommenderError(
        'bad-config',
        `${model.name} has no option "${key}" to search${nearest ? `; the nearest is "${nearest}"` : ''}.`,
      );
    }
    return [key, parseRange(model, key, option, text)];
  });
  const own = Object.fromEntries(mine);
  return { ...own, ...space, ...own }; // drawn first: others may ask for their values
}

function parseRange<C>(model: Configurable<C>, key: string, option: OptionSpec, text: string): SearchRange {
  // An option's own check of one value, apart from what the model asks of keys together.
  const read = (value: string) => (configure(keysOf(model), { [key]: value }) as Record<string, ConfigValue>)[key]!;
  const bounds = /^(\S+?)\.\.([^:\s]+)(?::(log|linear))?$/.exec(text);
  if (!bounds) return choice(...text.split(',').map(read));
  const [from, to] = [read(bounds[1]!), read(bounds[2]!)];
  const kind = (bounds[3] ?? 'linear') as 'log' | 'linear';
  const isNumeric = option.type === 'integer' || option.type === 'number';
  if (!isNumeric || typeof from !== 'number' || typeof to !== 'number' || from > to || (kind === 'log' && from <= 0)) {
    throw new RecommenderError(
      'bad-config',
      `\`ranges\` ${key}=${text}: expected a numeric option and two numbers, the smaller first${kind === 'log' ? ' and above 0' : ''}; ` +
        'write a choice as a,b,c.',
    );
  }
  return { kind, from, to, ...(option.type === 'integer' && { whole: true }) };
}
