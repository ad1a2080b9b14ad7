/** The flags that configure a model, `--preset`, `--config` and `--set`. */
import { InvalidArgumentError } from 'commander';
import { parseJson } from '../checkpoint/json';
import { RecommenderError } from '../errors';
import { camelCase } from '../models/configuration';
import { presetOf } from '../models/presets';
import { readInput } from './read-input';

/** One `--set key=value` after the other. */
export type Settings = readonly (readonly [key: string, value: string])[];

export interface ConfigurationFlags {
  readonly model: string;
  readonly preset?: string;
  readonly config?: string;
  readonly set: Settings;
}

/** Preset, then file, then single keys: the later wins, however it is spelt. */
export async function configurationFrom(flags: ConfigurationFlags): Promise<Record<string, unknown>> {
  const { model, preset, config, set } = flags;
  const given = new Map<string, readonly [key: string, value: unknown]>();
  const take = (entries: Iterable<readonly [string, unknown]>) => {
    for (const [key, value] of entries) given.set(camelCase(key), [key, value]);
  };
  if (preset !== undefined) take(Object.entries(presetOf(model, preset).config));
  if (config !== undefined) {
    const value = parseJson(await readInput(config), config);
    if (typeof value !== 'object' || value === null || Array.isArray(value)) {
      throw new RecommenderError('bad-config', `${config}: expected a JSON object of configuration keys.`);
    }
    take(Object.entries(value));
  }
  take(set);
  return Object.fromEntries(given.values());
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
