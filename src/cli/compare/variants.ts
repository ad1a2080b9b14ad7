/** What a comparison compares: models by name, and variants of them by file. */
import { parseJson } from '../../checkpoint/json';
import { configurationOf } from '../../engine/learn';
import { nearestName, RecommenderError } from '../../errors';
import { models as architectures } from '../../models/index';
import { hasPresets, presetOf, presets } from '../../models/presets';
import { AUTO, autoPreset } from '../../models/presets/auto';
import { baselines } from '../../neighbours/index';
import type { LogFacts } from '../../session/log-facts';
import { readInput } from '../read-input';
import type { CellPlan } from './cell';
import { parseRetrain, type Retrain } from './windows';

/** A row to be: a model with its configuration. */
export interface Variant
  extends Pick<CellPlan, 'name' | 'model' | 'preset' | 'auto' | 'config' | 'isNeural' | 'catalogue'> {
  /** Of the incremental protocol: what each window is trained on. Default by model. */
  readonly retrain?: Retrain;
}

export interface VariantsOptions {
  /** Models to compare as they are; default: all where no file is given. */
  readonly models?: readonly string[];
  /** Configuration of those of `models` that have one of that name. */
  readonly preset?: string;
  /** The file of variants. */
  readonly variants?: string;
  /** What is known of the items: for those that read it. */
  readonly catalogue?: string;
  /** Asked once if a row has the preset `auto`. */
  readonly facts: () => Promise<LogFacts>;
}

export const everyName = (): string[] => [...Object.keys(baselines), ...Object.keys(architectures)];

/**
 * The models that are named, then the variants of the file.
 *
 * @throws RecommenderError `bad-config` for a file of another form, an option or preset that no model has, or a name twice.
 */
export async function variantsOf(options: VariantsOptions): Promise<Variant[]> {
  const { models, preset, variants, catalogue } = options;
  const names = models ?? (variants === undefined ? everyName() : []);
  if (preset !== undefined) checkPreset(preset, names);
  const plain = names.map((name) => ({
    ...{ name, model: name, config: {} },
    ...(preset !== undefined && hasPreset(name, preset) && { preset }),
  }));
  const read = variants === undefined ? [] : checkVariants(parseJson(await readInput(variants), variants), variants);
  const planned: Omit<Variant, 'isNeural'>[] = [...plain, ...read];
  const facts = planned.some(({ preset }) => preset === AUTO) ? await options.facts() : undefined;
  const all = await Promise.all(
    planned.map(async (row) => {
      const { preset, config, ...rest } = facts && row.preset === AUTO ? resolved(row, facts) : row;
      const base = preset === undefined ? {} : presetOf(rest.model, preset).config;
      const { isNeural, wanted } = await configurationOf(rest.model, { ...base, ...config });
      return {
        ...{ ...rest, config, isNeural },
        ...(preset !== undefined && { preset }),
        ...(catalogue !== undefined && wanted.length > 0 && { catalogue }),
      };
    }),
  );
  const twice = all.find(({ name }, i) => all.findIndex((other) => other.name === name) < i);
  if (twice) throw new RecommenderError('bad-config', `Two rows are called "${twice.name}"; give each its own name.`);
  return all;
}

/** What `auto` is on this log, key by key: what its cells follow from. */
function resolved(
  { preset: _, config, ...rest }: Omit<Variant, 'isNeural'>,
  facts: LogFacts,
): Omit<Variant, 'isNeural'> {
  const { config: found, ...auto } = autoPreset(rest.model, facts, config);
  return { ...rest, auto, config: { ...found, ...config } };
}

const hasPreset = (model: string, name: string): boolean =>
  hasPresets(model) && (name === AUTO || Object.hasOwn(presets[model]!, name));

function checkPreset(name: string, models: readonly string[]): void {
  if (models.some((model) => hasPreset(model, name))) return;
  const known = [...new Set(models.flatMap((model) => Object.keys(presets[model] ?? {})))];
  const nearest = nearestName(name, known);
  const rest = nearest === undefined ? `they have ${known.join(', ') || 'none'}.` : `did you mean ${nearest}?`;
  throw new RecommenderError('bad-config', `No model of --models has a preset "${name}": ${rest}`);
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
