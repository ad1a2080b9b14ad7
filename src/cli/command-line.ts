/** Commands as one may type them again. */
import { basename } from 'node:path';
import type { EventsFlags } from './options';

/** The default of `--licence`. */
export const UNLICENSED = 'UNLICENSED';

/** The flags that decide what `aisle train` learns. */
export interface TrainingCommand extends EventsFlags {
  readonly data: string;
  readonly model: string;
  readonly out: string;
  readonly from?: string;
  readonly preset?: string;
  readonly config?: string;
  readonly set: readonly (readonly [string, string])[];
  readonly epochs?: number;
  readonly seed: number;
  readonly valid?: string;
  readonly scale?: number;
  readonly holdout: number;
  readonly catalogue?: string;
  readonly replay: number;
  readonly licence: string;
  readonly backend: string;
  readonly threads?: number;
}

/** A flag and its value; true for a flag alone, undefined where it was not given. */
type Word = readonly [flag: string, value: string | number | true | undefined];

/** The command that makes an artifact again, with file names only: an artifact is public, folders of its maker are not. */
export function trainingCommand(flags: TrainingCommand): string {
  const { data, model, out, from, preset, config, set, epochs, seed, valid, scale, holdout, catalogue, replay } = flags;
  const { licence, backend, threads } = flags;
  const file = (path: string | undefined) => path && basename(path);
  const words: Word[] = [
    ['--data', file(data)],
    ['--model', model],
    ['--out', file(out)],
    ['--from', file(from)],
    ['--preset', preset],
    ['--config', file(config)],
    ...set.map(([key, value]): Word => ['--set', `${key}=${value}`]),
    ['--epochs', epochs],
    ['--valid', valid?.startsWith('last:') ? valid : file(valid)],
    ['--scale', scale],
    ['--holdout', holdout || undefined],
    ['--catalogue', file(catalogue)],
    ['--replay', replay || undefined],
    ...eventsWords(flags),
    ['--licence', licence === UNLICENSED ? undefined : licence],
    ['--backend', backend === 'auto' ? undefined : backend],
    ['--threads', threads],
    ['--seed', seed],
  ];
  return joined('aisle train', words);
}

/** The flags that decide what `aisle search` finds. */
export interface SearchCommand
  extends Omit<TrainingCommand, 'from' | 'replay' | 'licence' | 'scale' | 'threads' | 'valid'> {
  readonly valid: string;
  readonly range: readonly (readonly [string, string])[];
  readonly trials: number;
  readonly metric: string;
}

/** The command that goes on with a search, with paths as they were given. */
export function searchCommand(flags: SearchCommand): string {
  const { data, model, out, preset, config, set, range, trials, epochs, metric, valid, holdout, catalogue, seed } =
    flags;
  return joined('aisle search', [
    ...([
      ['--data', data],
      ['--model', model],
      ['--out', out],
      ['--preset', preset],
      ['--config', config],
    ] as const),
    ...set.map(([key, value]) => ['--set', `${key}=${value}`] as const),
    ...range.map(([key, value]) => ['--range', `${key}=${value}`] as const),
    ...([
      ['--trials', trials],
      ['--epochs', epochs],
      ['--metric', metric],
      ['--valid', valid],
      ['--holdout', holdout || undefined],
    ] as const),
    ...([
      ['--catalogue', catalogue],
      ['--backend', flags.backend],
    ] as const),
    ...eventsWords(flags),
    ['--seed', seed],
  ]);
}

/** The flags of `aisle import` that decide what it writes. */
export interface ImportCommand extends EventsFlags {
  readonly from: string;
  readonly weights: string;
  readonly config: string;
  readonly items: string;
  readonly out: string;
  readonly prefix?: string;
  readonly data?: string;
  readonly licence: string;
}

/** The command that imports an artifact again, with file names only. */
export function importCommand(flags: ImportCommand): string {
  const { from, weights, config, items, out, prefix, data, licence } = flags;
  return joined('aisle import', [
    ['--from', from],
    ['--weights', basename(weights)],
    ['--config', basename(config)],
    ['--items', basename(items)],
    ['--out', basename(out)],
    ['--prefix', prefix],
    ['--data', data && basename(data)],
    ...eventsWords(flags),
    ['--licence', licence === UNLICENSED ? undefined : licence],
  ]);
}

const joined = (command: string, words: readonly Word[]): string =>
  [command, ...argumentsOf(words).map(quoted)].join(' ');

const argumentsOf = (words: readonly Word[]): string[] =>
  words.flatMap(([flag, value]) => (value === undefined ? [] : value === true ? [flag] : [flag, `${value}`]));

/** The flags that say how an events file is read. */
function eventsWords(flags: EventsFlags): Word[] {
  const { columns, format, timeUnit, sessionsBy, events, minSupport, minLength, iterative, collapseRepeats } = flags;
  const names = Object.entries(columns ?? {}).map(([key, name]) => `${key}=${name}`);
  return [
    ['--columns', names.length > 0 ? names.join(',') : undefined],
    ['--format', format],
    ['--time-unit', timeUnit],
    ['--sessions-by', sessionsBy?.by === 'gap' ? `gap:${sessionsBy.minutes}` : sessionsBy?.by],
    ['--events', events?.join(',')],
    ['--min-support', minSupport],
    ['--min-length', minLength],
    ['--iterative', iterative || undefined],
    ['--collapse-repeats', collapseRepeats || undefined],
    ['--skip-bad-rows', flags.skipBadRows],
  ];
}

/** The flags that say how an events file is read, as arguments of another command. */
export const eventsArguments = (flags: EventsFlags): string[] => argumentsOf(eventsWords(flags));

/** A word that a shell hands on as it is. */
export function quoted(word: string): string {
  return /^[\w.,:=/@%+-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`;
}
