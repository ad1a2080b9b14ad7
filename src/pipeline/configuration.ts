/** The configuration of a model from a preset, a file and single keys. */
import { isRecord, parseJson } from '../checkpoint/json';
import { RecommenderError } from '../errors';
import { camelCase } from '../models/configuration';
import { hasPresets, presetOf } from '../models/presets';
import { AUTO, type AutoPreset, autoPreset, NONE } from '../models/presets/auto';
import type { EventLog } from '../session/event-log';
import { holdOut } from '../session/hold-out';
import { type LogFacts, logFacts } from '../session/log-facts';
import type { ReadOptions } from '../session/options';
import { configurationOf } from '../train/train-from-log';
import { defined } from './defined';
import { inform, type Observer } from './observer';
import type { LogReader } from './read-events';

/** Configuration keys by their names in camelCase, or as the reference implementation spells them; values may be texts. */
export type Settings = Readonly<Record<string, unknown>>;

export interface ConfigurationOptions {
  /** Path of the log, which `auto` reads. */
  readonly data: string;
  readonly read?: ReadOptions;
  /** Number of last events of every session to hold out of the training. Default 0. */
  readonly holdout?: number;
  /** Name of an architecture or of a counting model, such as `gru4rec`. */
  readonly model: string;
  /** Name of a preset, `auto`: the one that suits the log, or `none`. */
  readonly preset?: string;
  /** Path of a JSON object of keys, which win over the preset's. */
  readonly configFile?: string;
  /** Keys that win over both. */
  readonly config?: Settings;
}

/** What `configurationFrom` reads. */
export interface ConfigurationFiles {
  readonly readLog: LogReader;
  /** The content of a file that the user named. @throws RecommenderError `bad-input` that names it. */
  readonly readInput: (path: string) => Promise<Uint8Array>;
}

/** Which preset `auto` is, and why. */
export type Auto = Pick<AutoPreset, 'preset' | 'why'>;

export interface Configuration {
  readonly given: Settings;
  /** The part of it that comes from a preset. */
  readonly preset?: Fixed;
  /** Set if the log has chosen the preset. */
  readonly auto?: Auto;
}

/** The settings of a preset, and its name in messages. */
export interface Fixed {
  readonly name: string;
  readonly config: Settings;
}

/**
 * Merges preset, file and single keys; the later ones win, in either spelling. Reports what `auto` has picked, and why.
 *
 * @param known Selects the part of the log that `auto` may use beside `holdout`. Default: all of it.
 * @throws RecommenderError `bad-config`; `bad-input` for a log that `auto` cannot read.
 */
export async function configurationFrom(
  options: ConfigurationOptions,
  files: ConfigurationFiles,
  observer: Observer,
  known: (log: EventLog) => EventLog = (log) => log,
): Promise<Configuration> {
  const { data, read, holdout = 0, model, preset, configFile, config = {} } = options;
  const inFile = configFile === undefined ? {} : await readSettings(files, configFile, 'configuration keys');
  const own = keyed([...Object.entries(inFile), ...Object.entries(config)]);
  if (preset === undefined || preset === NONE) return { given: own };
  const over = (fixed: Fixed) => ({
    given: keyed([...Object.entries(fixed.config), ...Object.entries(own)]),
    preset: unsetOf(fixed, own),
  });
  if (preset !== AUTO) return over({ name: preset, config: presetOf(model, preset).config });
  // A model without presets is refused before a log is read.
  if (!hasPresets(model)) presetOf(model, AUTO);
  const training = (log: EventLog) => (holdout > 0 ? holdOut(known(log), holdout) : known(log));
  const found = autoPreset(model, await factsOf(data, read, files.readLog, observer, training), own);
  const auto = { preset: found.preset, why: found.why };
  informOfAuto(model, auto, observer);
  return { ...over(fixedByLog(found)), auto };
}

export const fixedByLog = ({ preset, config }: AutoPreset): Fixed => ({
  name: `${preset}, picked by the log,`,
  config,
});

/**
 * The checked configuration of a model.
 *
 * @param preset The settings that come from a preset. The error names them if the other settings alone are valid.
 * @throws RecommenderError `bad-config`.
 */
export async function checkedConfiguration(
  model: string,
  given: Settings,
  preset: Fixed | undefined,
): ReturnType<typeof configurationOf> {
  try {
    return await configurationOf(model, given);
  } catch (error) {
    if (!preset) throw error;
    const { message } = error as RecommenderError;
    const isFixed = (key: string) => Object.hasOwn(preset.config, key) && preset.config[key] === given[key];
    const own = Object.entries(given).filter(([key]) => !isFixed(key));
    const alone = await configurationOf(model, Object.fromEntries(own)).catch((error: RecommenderError) => error);
    if (alone instanceof RecommenderError && alone.message === message) throw error;
    const keys = Object.keys(preset.config).filter((key) => isFixed(key) && new RegExp(`\\b${key}\\b`).test(message));
    throw new RecommenderError('bad-config', `${message} ${adviceOn(preset, keys)}`);
  }
}

/** How to resolve a contradiction between a preset and other settings. */
function adviceOn({ name, config }: Fixed, keys: readonly string[]): string {
  if (keys.length === 0)
    return `The preset ${name} does not go with your settings; change them, or take \`preset\` ${NONE}.`;
  const has = keys.map((key) => `${key}=${config[key]}`).join(' and ');
  return `The preset ${name} has ${has}: set ${keys.join(' and ')} too, or take \`preset\` ${NONE}.`;
}

/**
 * The facts of a log for `auto`: those of the whole file, so that a validation part changes nothing.
 *
 * @param known Selects the part that `auto` may use, without test events. Default: all of the log.
 */
export async function factsOf(
  data: string,
  read: ReadOptions | undefined,
  readLog: LogReader,
  { signal, onProgress }: Observer,
  known: (log: EventLog) => EventLog = (log) => log,
): Promise<LogFacts> {
  // Without messages: the same log is reported when it is read for the work itself.
  const log = known(await readLog(data, { minItems: 1, ...read }, defined({ signal, onProgress })));
  return logFacts(log, log.itemIds.length);
}

export const informOfAuto = (model: string, { why }: Auto, observer: Observer): void =>
  inform(observer, `\`preset\` auto, ${model}: ${why}`);

/** A preset without the keys that the user has set, though to the same values. */
export function unsetOf({ name, config }: Fixed, own: Settings): Fixed {
  const set = new Set(Object.keys(own).map(camelCase));
  return { name, config: Object.fromEntries(Object.entries(config).filter(([key]) => !set.has(camelCase(key)))) };
}

/** By key, the later wins. */
function keyed(entries: Iterable<readonly [key: string, value: unknown]>): Record<string, unknown> {
  const given = new Map<string, readonly [key: string, value: unknown]>();
  for (const [key, value] of entries) given.set(camelCase(key), [key, value]);
  return Object.fromEntries(given.values());
}

/**
 * A JSON object in a file.
 *
 * @param what What it holds, for the message.
 * @throws RecommenderError `bad-config` for JSON of another form, `bad-input`.
 */
export async function readSettings(
  { readInput }: Pick<ConfigurationFiles, 'readInput'>,
  path: string,
  what: string,
): Promise<Settings> {
  const value = parseJson(await readInput(path), path);
  if (isRecord(value)) return value;
  throw new RecommenderError('bad-config', `${path}: expected a JSON object of ${what}.`);
}
