/** What a comparison compares: models by name, and variants of them by file. */
import { parseJson } from '../../checkpoint/json';
import { configurationOf } from '../../engine/learn';
import { RecommenderError } from '../../errors';
import { models } from '../../models/index';
import { presetOf } from '../../models/presets';
import { baselines } from '../../neighbours/index';
import { readInput } from '../read-input';
import type { CellPlan } from './cell';
import { parseRetrain, type Retrain } from './windows';

/** A row to be: a model with its configuration. */
export interface Variant extends Pick<CellPlan, 'name' | 'model' | 'preset' | 'config' | 'isNeural'> {
  /** Of the incremental protocol: what each window is trained on. Default by model. */
  readonly retrain?: Retrain;
}

export const everyName = (): string[] => [...Object.keys(baselines), ...Object.keys(models)];

/**
 * The models that are named, all where neither names nor a file are given, then the variants of the file.
 *
 * @throws RecommenderError `bad-config` for a file of another form, an option that a model does not have, or a name twice.
 */
export async function variantsOf(names: readonly string[] | undefined, file: string | undefined): Promise<Variant[]> {
  const plain = (names ?? (file === undefined ? everyName() : [])).map((name) => ({ name, model: name, config: {} }));
  const read = file === undefined ? [] : checkVariants(parseJson(await readInput(file), file), file);
  const all = await Promise.all(
    [...plain, ...read].map(async ({ preset, config, ...rest }: Omit<Variant, 'isNeural'>) => {
      const base = preset === undefined ? {} : presetOf(rest.model, preset).config;
      const { isNeural } = await configurationOf(rest.model, { ...base, ...config });
      return { ...rest, config, isNeural, ...(preset !== undefined && { preset }) };
    }),
  );
  const twice = all.find(({ name }, i) => all.findIndex((other) => other.name === name) < i);
  if (twice) throw new RecommenderError('bad-config', `Two rows are called "${twice.name}"; give each its own name.`);
  return all;
}

function checkVariants(value: unknown, file: string): Omit<Variant, 'isNeural'>[] {
  const refuse = (what: string): never => {
    const form = '[{ "name": "small", "model": "gru4rec", "preset": …, "config": { "layers": "50" } }]';
    throw new RecommenderError('bad-config', `${file}: ${what}; expected a list such as ${form}.`);
  };
  if (!Array.isArray(value)) return refuse('this is no list');
  return value.map((entry: unknown, i) => {
    const isObject = typeof entry === 'object' && entry !== null;
    const { name, model, preset, config = {}, retrain, ...rest } = (isObject ? entry : {}) as Record<string, unknown>;
    if (typeof model !== 'string') return refuse(`entry ${i + 1} names no model`);
    if (preset !== undefined && typeof preset !== 'string') return refuse(`the preset of entry ${i + 1} is no name`);
    if (typeof config !== 'object' || config === null || Array.isArray(config)) {
      return refuse(`the config of entry ${i + 1} is no object`);
    }
    const [unknown] = Object.keys(rest);
    if (unknown !== undefined) return refuse(`entry ${i + 1} has a key "${unknown}"`);
    return {
      ...{ name: typeof name === 'string' ? name : preset ? `${model} ${preset}` : model, model },
      config: config as Record<string, unknown>,
      ...(preset !== undefined && { preset }),
      ...(retrain !== undefined && { retrain: parseRetrain(String(retrain)) }),
    };
  });
}
