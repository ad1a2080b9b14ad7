/** Calls of the pipeline as shell commands: artifacts and reports contain the commands that reproduce them. */
import { hasPresets } from '../models/presets';
import { NONE } from '../models/presets/preset';
import { quoted } from '../session/columns';
import type { ReadOptions } from '../session/options';
import { baseName } from './format';
import type {
  CompareOptions,
  EvaluateOptions,
  ImportOptions,
  PackOptions,
  SearchOptions,
  TrainOptions,
} from './options';
import { isFile } from './training-parts';

/** The default of `licence`. */
export const UNLICENSED = 'UNLICENSED';

/** A flag and its value: true for a flag without one; undefined and false leave it out. */
type Word = readonly [flag: string, value: string | number | boolean | undefined];

/** How to write a path: as given, or by its name alone in public files, which must not contain private folders. */
type WrittenPath = (path: string) => string;

/** Paths as they were given. */
export const asGiven: WrittenPath = (path) => path;

/** The command that makes an artifact again. */
export const trainCommand = (options: TrainOptions, written: WrittenPath = baseName): string =>
  commandLine('train', trainWords(options, written));

/** Flags of a training, each with its value, and files by name. */
export interface TrainFlags {
  /** Those that may change what an epoch learns. */
  readonly learning: readonly string[];
  /** Those that change no epoch. */
  readonly writing: readonly string[];
}

/** The flags of a training but `--out`, and `--backend`, which may be `auto`. */
export function trainFlags({ licence, rules, replay, scale, refit, log, ...options }: TrainOptions): TrainFlags {
  const learning = trainWords({ ...options, backend: 'auto' }, baseName).filter(([flag]) => flag !== '--out');
  const file = (path: string | undefined) => path && baseName(path);
  const writing = words({
    licence,
    rules: file(rules),
    replay: replay || undefined,
    scale,
    refit,
    log: file(log),
  });
  const inWords = (word: Word) =>
    argumentsOf(...word)
      .map(quoted)
      .join(' ') || [];
  return { learning: learning.flatMap(inWords), writing: writing.flatMap(inWords) };
}

function trainWords(options: TrainOptions, written: WrittenPath): Word[] {
  const { data, read, model, out, from, preset, configFile, config, epochs, seed = 1, valid, scale } = options;
  const { holdout, sampleSessions, refit, catalogue, rules, replay, licence, backend, threads } = options;
  const file = (path: string | undefined) => path && written(path);
  return [
    ...words({ data: file(data), model, out: file(out), from: file(from), preset, config: file(configFile) }),
    ...pairs('--set', config),
    ...words({ epochs, valid: valid?.startsWith('last:') ? valid : file(valid), scale, holdout: holdout || undefined }),
    ...words({ sampleSessions, refit, catalogue: file(catalogue), rules: file(rules), replay: replay || undefined }),
    ...readWords(read),
    ...words({ licence, backend: unless(backend, 'auto'), threads, seed }),
  ];
}

/** The command that continues a search, with paths as they were given. */
export function searchCommand(options: SearchOptions): string {
  const { data, read, model, out, preset, configFile, config, ranges, trials, epochs, metric, valid } = options;
  const { holdout, catalogue, backend, seed = 1 } = options;
  return commandLine('search', [
    ...words({ data, model, out, preset, config: configFile }),
    ...pairs('--set', config),
    ...pairs('--range', ranges),
    ...words({ trials, epochs, metric, valid, holdout: holdout || undefined, catalogue, backend }),
    ...readWords(read),
    ...words({ seed }),
  ]);
}

/** The command that imports an artifact again, with file names only. */
export function importCommand(options: ImportOptions): string {
  const { from, weights, config, items, out, prefix, data, read, licence } = options;
  return commandLine('import', [
    ...words({ from, weights: baseName(weights), config: baseName(config), items: baseName(items) }),
    ...words({ out: baseName(out), prefix, data: data && baseName(data) }),
    ...readWords(read),
    ...words({ licence: unless(licence, UNLICENSED) }),
  ]);
}

/** The command that packs an artifact again, with the names of folders only. */
export const packCommand = ({ artifact, precision, topItems, mix, out }: PackOptions): string =>
  commandLine(
    'pack',
    words({
      artifact: baseName(artifact),
      precision,
      topItems,
      mix: mix && `${baseName(mix.dir)}:${mix.weights.join(',')}`,
      out: baseName(out),
    }),
  );

/** The command that evaluates, with paths as they were given. */
export function evaluateCommand(options: EvaluateOptions): string {
  const { artifacts, mix, combine, data, read, protocol, target, ks, seen, ranks, backend } = options;
  return commandLine('evaluate', [
    ...artifacts.flatMap((artifact) => words({ artifact })),
    ...words({ mix: mix && `${mix.dir}:${mix.weights.join(',')}`, combine, data, protocol, target }),
    ...words({ k: ks?.join(','), seen, ranks, backend }),
    ...readWords(read),
  ]);
}

/** The command that cuts the last part off a log, with paths as they were given. */
export const splitCommand = (data: string, read: ReadOptions | undefined, test: string, out: string): string =>
  commandLine('split', [...words({ data, test, out }), ...readWords(read)]);

/** The command that makes a report again, with paths as they were given. */
export function compareCommand(options: CompareOptions): string {
  const {
    data,
    read,
    test,
    out,
    models,
    preset,
    variants,
    from,
    catalogue,
    seeds = 1,
    epochs,
    valid,
    holdout,
  } = options;
  const { protocol = 'events', window, backend = 'auto', atLeast } = options;
  return commandLine('compare', [
    ...words({
      data,
      test,
      out,
      models: models?.join(','),
      preset,
      variants,
      from,
      catalogue,
      seeds,
      epochs,
      valid,
      holdout,
      atLeast,
    }),
    ...words({ protocol, window: window && `${window / 3600}h`, backend }),
    ...readWords(read),
  ]);
}

/** The command that trains with the result of a search, on the same log. */
export function trainFoundCommand(options: SearchOptions, config: string): string {
  const { data, read, model, catalogue, valid, holdout } = options;
  // Of what the search left out, the test's events are not learnt now, those of a file are. Counting has nothing to validate.
  const isApart = valid !== undefined && (valid === 'held-out' || isFile(valid));
  const network = hasPresets(model) && { preset: NONE, valid: isApart ? valid : undefined };
  return commandLine('train', [
    ...words({ data, model, out: 'my-model', ...network, config, holdout: holdout || undefined, catalogue }),
    ...readWords(read),
  ]);
}

/** Flags by their names in camelCase. */
const words = (values: Readonly<Record<string, Word[1]>>): Word[] =>
  Object.entries(values).map(([key, value]) => [`--${key.replace(/[A-Z]/g, (c) => `-${c.toLowerCase()}`)}`, value]);

/** Values as `--set` and `--range` take them. */
const pairs = (flag: string, values: Readonly<Record<string, unknown>> = {}): Word[] =>
  Object.entries(values).map(([key, value]) => [flag, `${key}=${Array.isArray(value) ? value.join('/') : value}`]);

const unless = (value: string | undefined, usual: string) => (value === usual ? undefined : value);

/** The flags that say how an events file is read. */
function readWords(read: ReadOptions = {}): Word[] {
  const { columns = {}, format, timeUnit, sessionsBy, events, minSupport, minLength } = read;
  const { iterative, collapseRepeats, skipBadRows } = read;
  const names = Object.entries(columns).map(([key, name]) => `${key}=${name}`);
  const by = sessionsBy?.by === 'gap' ? `gap:${sessionsBy.minutes}` : sessionsBy?.by;
  return words({
    columns: names.length > 0 ? names.join(',') : undefined,
    format,
    timeUnit,
    sessionsBy: by,
    events: events?.join(','),
    minSupport,
    minLength,
    iterative,
    collapseRepeats,
    skipBadRows,
  });
}

const commandLine = (command: string, flags: readonly Word[]): string =>
  ['aisle', command, ...flags.flatMap(([flag, value]) => argumentsOf(flag, value))].map(quoted).join(' ');

function argumentsOf(flag: string, value: Word[1]): string[] {
  if (value === undefined || value === false) return [];
  return value === true ? [flag] : [flag, `${value}`];
}
