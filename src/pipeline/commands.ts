/** Calls of the pipeline as shell commands: artifacts and reports contain the commands that reproduce them. */
import type { ReadOptions } from '../session/options';
import { basename } from './files/disk';
import type { CompareOptions, EvaluateOptions, ImportOptions, SearchOptions, TrainOptions } from './options';

/** The default of `licence`. */
export const UNLICENSED = 'UNLICENSED';

/** A flag and its value: true for a flag without one, undefined to leave it out. */
type Word = readonly [flag: string, value: string | number | true | undefined];

/** How to write a path: as given, or by its name alone in public files, which must not contain private folders. */
type WrittenPath = (path: string) => string;

/** Paths as they were given. */
export const asGiven: WrittenPath = (path) => path;

/** The command that makes an artifact again. */
export function trainCommand(options: TrainOptions, written: WrittenPath = basename): string {
  const { data, read, model, out, from, preset, configFile, config, epochs, seed = 1, valid, scale } = options;
  const { holdout, catalogue, replay, licence = UNLICENSED, backend = 'auto', threads } = options;
  const file = (path: string | undefined) => path && written(path);
  return commandLine('train', [
    ['--data', file(data)],
    ['--model', model],
    ['--out', file(out)],
    ['--from', file(from)],
    ['--preset', preset],
    ['--config', file(configFile)],
    ...pairs('--set', config),
    ['--epochs', epochs],
    ['--valid', valid?.startsWith('last:') ? valid : file(valid)],
    ['--scale', scale],
    ['--holdout', holdout || undefined],
    ['--catalogue', file(catalogue)],
    ['--replay', replay || undefined],
    ...readWords(read),
    ['--licence', licence === UNLICENSED ? undefined : licence],
    ['--backend', backend === 'auto' ? undefined : backend],
    ['--threads', threads],
    ['--seed', seed],
  ]);
}

/** The command that goes on with a search, with paths as they were given. */
export function searchCommand(options: SearchOptions): string {
  const { data, read, model, out, preset, configFile, config, ranges, trials, epochs, metric, valid } = options;
  const { holdout, catalogue, backend, seed = 1 } = options;
  return commandLine('search', [
    ['--data', data],
    ['--model', model],
    ['--out', out],
    ['--preset', preset],
    ['--config', configFile],
    ...pairs('--set', config),
    ...pairs('--range', ranges),
    ['--trials', trials],
    ['--epochs', epochs],
    ['--metric', metric],
    ['--valid', valid],
    ['--holdout', holdout || undefined],
    ['--catalogue', catalogue],
    ['--backend', backend],
    ...readWords(read),
    ['--seed', seed],
  ]);
}

/** The command that imports an artifact again, with file names only. */
export function importCommand(options: ImportOptions): string {
  const { from, weights, config, items, out, prefix, data, read, licence = UNLICENSED } = options;
  return commandLine('import', [
    ['--from', from],
    ['--weights', basename(weights)],
    ['--config', basename(config)],
    ['--items', basename(items)],
    ['--out', basename(out)],
    ['--prefix', prefix],
    ['--data', data && basename(data)],
    ...readWords(read),
    ['--licence', licence === UNLICENSED ? undefined : licence],
  ]);
}

/** The command that evaluates, with paths as they were given. */
export function evaluateCommand(options: EvaluateOptions): string {
  const { artifacts, mix, combine, data, read, protocol, target, ks, seen, ranks, backend } = options;
  return commandLine('evaluate', [
    ...artifacts.map((dir): Word => ['--artifact', dir]),
    ['--mix', mix && `${mix.dir}:${mix.weights.join(',')}`],
    ['--combine', combine],
    ['--data', data],
    ['--protocol', protocol],
    ['--target', target],
    ['--k', ks?.join(',')],
    ['--seen', seen],
    ['--ranks', ranks],
    ['--backend', backend],
    ...readWords(read),
  ]);
}

/** The command that cuts the last part off a log, with paths as they were given. */
export const splitCommand = (data: string, read: ReadOptions | undefined, test: string, out: string): string =>
  commandLine('split', [['--data', data], ['--test', test], ['--out', out], ...readWords(read)]);

/** The command that makes a report again, with paths as they were given. */
export function compareCommand(options: CompareOptions): string {
  const { data, read, test, out, models, preset, variants, catalogue, seeds = 1, epochs, valid, holdout } = options;
  const { protocol = 'events', window, backend = 'auto' } = options;
  return commandLine('compare', [
    ['--data', data],
    ['--test', test],
    ['--out', out],
    ['--models', models?.join(',')],
    ['--preset', preset],
    ['--variants', variants],
    ['--catalogue', catalogue],
    ['--seeds', seeds],
    ['--epochs', epochs],
    ['--valid', valid],
    ['--holdout', holdout],
    ['--protocol', protocol],
    ['--window', window && `${window / 3600}h`],
    ['--backend', backend],
    ...readWords(read),
  ]);
}

/** Values as `--set` and `--range` take them. */
const pairs = (flag: string, values: Readonly<Record<string, unknown>> = {}): Word[] =>
  Object.entries(values).map(([key, value]) => [flag, `${key}=${Array.isArray(value) ? value.join('/') : value}`]);

/** The flags that say how an events file is read. */
function readWords(read: ReadOptions = {}): Word[] {
  const { columns, format, timeUnit, sessionsBy, events, minSupport, minLength, iterative, collapseRepeats } = read;
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
    ['--skip-bad-rows', read.skipBadRows],
  ];
}

/** The command that trains with the result of a search, on the same log. */
export const trainFoundCommand = ({ data, read, model, catalogue }: SearchOptions, configFile: string): string =>
  commandLine('train', [
    ['--data', data],
    ['--model', model],
    ['--out', 'my-model'],
    ['--config', configFile],
    ['--catalogue', catalogue],
    ...readWords(read),
  ]);

const commandLine = (command: string, words: readonly Word[]): string =>
  ['aisle', command, ...words.flatMap(([flag, value]) => argumentsOf(flag, value))].map(quoted).join(' ');

const argumentsOf = (flag: string, value: Word[1]): string[] =>
  value === undefined ? [] : value === true ? [flag] : [flag, `${value}`];

/** Quotes a word for the shell if it needs quotes. */
export function quoted(word: string): string {
  return /^[\w.,:=/@%+-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`;
}
