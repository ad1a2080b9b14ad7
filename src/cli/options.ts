import { type Command, InvalidArgumentError, Option } from 'commander';
import { defined } from '../pipeline/defined';
import type { Mix } from '../pipeline/options';
import { latePart } from '../pipeline/training-parts';
import { COLUMNS, type ColumnName, type ReadOptions, type SessionRule } from '../session/options';
import type { LatePart } from '../session/split';
import { parseTime } from '../session/time';

/** The flags of every command that reads an events file, as commander hands them over. */
export type EventsFlags = Omit<ReadOptions, 'features' | 'featuresIfAny' | 'minItems'>;

/** What `--data` and its like take. */
export const EVENTS_FILES = 'events: file, folder, "glob" or - (TSV, CSV, JSONL, also .gz; Parquet)';

/** Adds the flags that say how an events file is read; all of them keep everything by default. */
export function addEventsOptions(command: Command): Command {
  command
    .option(
      '--columns <list>',
      'other column names: session=…,item=…,time=…,user=…,event=…; fields of objects as item=product.id',
      parseColumns,
    )
    .option('--format <kind>', 'events | sequences (lines "user item item …", no times)', oneOf('events', 'sequences'))
    .option('--time-unit <unit>', 's | ms | iso; default: recognised', oneOf('s', 'ms', 'iso'));
  addSessionsOption(command)
    .option('--events <kinds>', 'keep these kinds of events only, such as view,cart; default: all', parseList)
    .option('--min-support <n>', 'leave out items with fewer events; default: 1', integer(1))
    .option('--min-length <n>', 'leave out sessions with fewer events; default: 2', integer(1))
    .option('--iterative', 'repeat both minima until nothing changes; default: one pass')
    .option('--collapse-repeats', 'count an item clicked several times in a row once');
  return addSkipOption(command);
}

export const addSessionsOption = (command: Command, byDefault = 'id'): Command =>
  command.option('--sessions-by <rule>', `id | gap:MINUTES (per user) | user; default: ${byDefault}`, parseSessionRule);

export const addSkipOption = (command: Command): Command =>
  command.option('--skip-bad-rows <n>', 'tolerate and count up to n bad rows; default: 0', integer(0));

/** How to read an events file, from its flags. */
export function readOptions(flags: EventsFlags): ReadOptions {
  const { columns, format, timeUnit, sessionsBy, events, minSupport, minLength } = flags;
  const { iterative, collapseRepeats, skipBadRows } = flags;
  return defined({
    columns,
    format,
    timeUnit,
    sessionsBy,
    events,
    minSupport,
    minLength,
    iterative,
    collapseRepeats,
    skipBadRows,
  });
}

/** @param more Backends besides those that train. */
export function backendOption(...more: readonly 'plan'[]): Option {
  const names = ['auto', ...more, 'wasm', 'cpu', 'webgpu'];
  return new Option('--backend <name>', names.join(' | ')).argParser(oneOf(...names)).default('auto');
}

export const holdoutOption = (): Option =>
  new Option('--holdout <n>', 'leave the last n events of every session out, for leave-one-out: 2')
    .argParser(integer(0))
    .default(0);

export const seedOption = (): Option =>
  new Option('--seed <n>', 'of everything random').argParser(integer(0)).default(1);

/** A parser for a whole number in a range. */
export function integer(min: number, max = Number.MAX_SAFE_INTEGER): (text: string) => number {
  return (text) => {
    const value = Number(text);
    if (/^-?\d+$/.test(text) && value >= min && value <= max) return value;
    const range = max === Number.MAX_SAFE_INTEGER ? `of ${min} or more` : `from ${min} to ${max}`;
    throw new InvalidArgumentError(`Expected a whole number ${range}.`);
  };
}

/** A parser for a number above 0. */
export function positive(text: string): number {
  const value = Number(text);
  if (value > 0 && Number.isFinite(value)) return value;
  throw new InvalidArgumentError('Expected a number above 0.');
}

/** A parser for one of a few words. */
export function oneOf<T extends string>(...words: readonly T[]): (text: string) => T {
  return (text) => {
    const word = words.find((candidate) => candidate === text);
    if (word !== undefined) return word;
    throw new InvalidArgumentError(`Expected ${words.join(' or ')}.`);
  };
}

/** A list `a,b,c` without empty entries. */
export function parseList(text: string): string[] {
  const words = text.split(',').filter((word) => word !== '');
  if (words.length > 0) return words;
  throw new InvalidArgumentError('Expected a list such as a,b,c.');
}

/** Seconds since 1970 of a date or time as a user types it. */
export function parseDate(text: string): number {
  const isCut = /^(19|20)\d\d(0[1-9]|1[0-2])?$/.test(text); // a year or a month, which would be seconds of 1970
  const seconds = isCut ? Number.NaN : parseTime(text);
  if (!Number.isNaN(seconds)) return seconds;
  throw new InvalidArgumentError('Expected a date such as 2014-04-07, an ISO 8601 time, or seconds since 1970.');
}

/** `last:7d`, `last:12h` or `last:10%`. */
export function parseLast(text: string): Exclude<LatePart, { from: number }> {
  try {
    return latePart(text);
  } catch (error) {
    throw new InvalidArgumentError((error as Error).message);
  }
}

function parseColumns(text: string): Partial<Record<ColumnName, string>> {
  const columns: Partial<Record<ColumnName, string>> = {};
  // A comma ends a name only if another key follows, because names may hold commas.
  for (const part of text.split(/,(?=[a-z]+=)/)) {
    const [key, ...rest] = part.split('=');
    const name = rest.join('=');
    const isNeeded = key === 'session' || key === 'item' || key === 'time';
    if (key === undefined || !Object.hasOwn(COLUMNS, key) || (name === '' && (isNeeded || !part.includes('=')))) {
      const keys = Object.keys(COLUMNS).map((column) => `${column}=…`);
      throw new InvalidArgumentError(`Expected ${keys.join(',')}, got "${part}".`);
    }
    columns[key as ColumnName] = name;
  }
  return columns;
}

function parseSessionRule(text: string): SessionRule {
  if (text === 'id' || text === 'user') return { by: text };
  const minutes = Number(/^gap:(\d+(?:\.\d+)?)$/.exec(text)?.[1]);
  if (minutes > 0) return { by: 'gap', minutes };
  throw new InvalidArgumentError('Expected id, user or gap:MINUTES, such as gap:30.');
}

/** Seconds of `1d` or `12h`. */
export function parseWindow(text: string): number {
  const [, amount, unit] = /^(\d+(?:\.\d+)?)(d|h)$/.exec(text) ?? [];
  const seconds = Number(amount) * (unit === 'd' ? 86_400 : 3600);
  if (seconds >= 60) return seconds;
  throw new InvalidArgumentError('Expected days or hours, such as 1d or 12h.');
}

/** A parser for `--valid`. */
export function parseValid(text: string): string {
  if (text.startsWith('last:')) parseLast(text);
  else if (text === '') throw new InvalidArgumentError('Expected none, last:10%, last:7d, held-out or a file.');
  return text;
}

/** Values of a flag such as `--set`, by key. */
export type Pairs = Readonly<Record<string, string>>;

/** A parser for `--set` and flags like it, which may be given several times. */
export function parseSetting(text: string, before: Pairs = {}): Pairs {
  const at = text.indexOf('=');
  const second = /,\s*(?=[A-Za-z_]\w*=)/.exec(text);
  if (at > 0 && second) {
    const rest = text.slice(second.index + second[0].length);
    throw new InvalidArgumentError(
      `It takes one key=value; repeat it for each: ${text.slice(0, second.index)}, then ${rest}.`,
    );
  }
  if (at > 0) return { ...before, [text.slice(0, at)]: text.slice(at + 1) };
  throw new InvalidArgumentError('Expected key=value, such as layers=100.');
}

/** A parser for `--mix`: `DIR:0.3`, or several weights to choose from. */
export function parseMix(text: string): Mix {
  const [, dir, list] = /^(.+):([\d.,]+)$/.exec(text) ?? [];
  const weights = (list ?? '').split(',').map((weight) => (weight === '' ? Number.NaN : Number(weight)));
  if (dir !== undefined && weights.every((weight) => weight >= 0 && weight <= 1)) return { dir, weights };
  throw new InvalidArgumentError(
    'Expected DIR:WEIGHT with a weight from 0 to 1, or several, such as neighbours:0.1,0.2,0.3.',
  );
}
