/** The flags that configure a model, `--preset`, `--config` and `--set`. */
import { InvalidArgumentError } from 'commander';
import { parseJson } from '../checkpoint/json';
import { RecommenderError } from '../errors';
import { camelCase } from '../models/configuration';
import { hasPresets, presetOf } from '../models/presets';
import { AUTO, type AutoPreset, autoPreset } from '../models/presets/auto';
import type { EventLog } from '../session/event-log';
import { holdOut } from '../session/hold-out';
import { type LogFacts, logFacts } from '../session/log-facts';
import { configurationOf } from '../train/learn';
import type { Context } from './context';
import { readEventsFile } from './events-file';
import { type EventsFlags, readOptions } from './options';
import { readInput } from './read-input';

/** One `--set key=value` after the other. */
export type Settings = readonly (readonly [key: string, value: string])[];

export interface ConfigurationFlags extends EventsFlags {
  readonly data: string;
  readonly model: string;
  readonly preset?: string;
  readonly config?: string;
  readonly set: Settings;
  /** Last events of every session that are not learnt from. */
  readonly holdout: number;
}

/** Which preset `auto` is, and why. */
export type Auto = Pick<AutoPreset, 'preset' | 'why'>;

export interface Configuration {
  readonly given: Record<string, unknown>;
  /** What of it a preset gives. */
  readonly preset?: Fixed;
  /** Where the log has chosen the preset. */
  readonly auto?: Auto;
}

/** The settings of a preset, and what to call it. */
export interface Fixed {
  readonly name: string;
  readonly config: Readonly<Record<string, unknown>>;
}

/**
 * Preset, then file, then single keys: the later wins, however it is spelt. What `--preset auto` sees and picks is told.
 *
 * @throws RecommenderError `bad-config`; `bad-input` for a log that `auto` cannot read.
 */
export async function configurationFrom(flags: ConfigurationFlags, context: Context): Promise<Configuration> {
  const { model, preset, config, set } = flags;
  const own = keyed([...(config === undefined ? [] : Object.entries(await fileOf(config))), ...set]);
  if (preset === undefined) return { given: own };
  const over = (fixed: Fixed) => ({
    given: keyed([...Object.entries(fixed.config), ...Object.entries(own)]),
    preset: fixed,
  });
  if (preset !== AUTO) return over({ name: preset, config: presetOf(model, preset).config });
  // A model without presets is told before a log is read.
  if (!hasPresets(model)) presetOf(model, AUTO);
  const { data, holdout } = flags;
  const learnt = (log: EventLog) => (holdout > 0 ? holdOut(log, holdout) : log);
  const found = autoPreset(model, await factsOf(data, flags, context, learnt), own);
  const auto = { preset: found.preset, why: found.why };
  tellAuto(model, auto, context);
  return { ...over(fixedByLog(found)), auto };
}

export const fixedByLog = ({ preset, config }: AutoPreset): Fixed => ({
  name: `${preset}, picked by the log,`,
  config,
});

/**
 * The checked configuration of a model.
 *
 * @param preset What of the settings comes from a preset: it is named where they would do without it.
 * @throws RecommenderError `bad-config`.
 */
export async function checkedConfiguration(
  model: string,
  given: Readonly<Record<string, unknown>>,
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
    throw new RecommenderError('bad-config', `${message} ${toldOf(preset, keys)}`);
  }
}

/** What a preset fixes that does not go with other settings. */
function toldOf({ name, config }: Fixed, keys: readonly string[]): string {
  if (keys.length === 0) return `The preset ${name} does not go with your settings; change them, or leave it out.`;
  const has = keys.map((key) => `${key}=${config[key]}`).join(' and ');
  return `The preset ${name} has ${has}: set ${keys.join(' and ')} too, or leave the preset out.`;
}

/**
 * What `auto` goes by of a log: all of its file, so that a part held back for validation changes nothing.
 *
 * @param known What of the log it may go by: not what is a test. Default: all.
 */
export async function factsOf(
  data: string,
  flags: EventsFlags,
  context: Context,
  known: (log: EventLog) => EventLog = (log) => log,
): Promise<LogFacts> {
  // Its remarks are told when it is read for good.
  const quiet = { ...context, stderr: { write() {} } };
  const log = known(await readEventsFile(data, { minItems: 1, ...readOptions(flags) }, quiet));
  return logFacts(log, log.itemIds.length);
}

export const tellAuto = (model: string, { why }: Auto, { stderr }: Pick<Context, 'stderr'>): void =>
  void stderr.write(`--preset auto, ${model}: ${why}\n`);

/** By key, the later wins. */
function keyed(entries: Iterable<readonly [key: string, value: unknown]>): Record<string, unknown> {
  const given = new Map<string, readonly [key: string, value: unknown]>();
  for (const [key, value] of entries) given.set(camelCase(key), [key, value]);
  return Object.fromEntries(given.values());
}

async function fileOf(path: string): Promise<object> {
  const value = parseJson(await readInput(path), path);
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value;
  throw new RecommenderError('bad-config', `${path}: expected a JSON object of configuration keys.`);
}

/** A parser for `--set` and flags like it, which may be given several times. */
export function parseSetting(text: string, before: Settings): Settings {
  const at = text.indexOf('=');
  const second = /,\s*(?=[A-Za-z_]\w*=)/.exec(text);
  if (at > 0 && second) {
    const rest = text.slice(second.index + second[0].length);
    throw new InvalidArgumentError(
      `It takes one key=value; repeat it for each: ${text.slice(0, second.index)}, then ${rest}.`,
    );
  }
  if (at > 0) return [...before, [text.slice(0, at), text.slice(at + 1)]];
  throw new InvalidArgumentError('Expected key=value, such as layers=100.');
}
