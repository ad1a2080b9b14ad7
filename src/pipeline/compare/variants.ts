/** What a comparison compares: models by name, and variants of them by file. */
import type { ArtifactInfo } from '../../checkpoint/artifact';
import { isRecord, parseJson } from '../../checkpoint/json';
import { RecommenderError } from '../../errors';
import { models as architectures } from '../../models/index';
import { hasPresets, presetOf, presets } from '../../models/presets';
import { AUTO, autoPreset, NONE } from '../../models/presets/auto';
import { nearestName } from '../../nearest-name';
import { baselines } from '../../neighbours/index';
import { SCALES } from '../../ranking/combine';
import type { LogFacts } from '../../session/log-facts';
import { checkedConfiguration, type Fixed, fixedByLog, readSettings, type Settings, unsetOf } from '../configuration';
import { dirname, readInput, resolve } from '../files/disk';
import type { CompareOptions } from '../options';
import type { Ensemble } from './ensemble';
import { isTaken, type RunPlan } from './run';
import { parseRetrain, type Retrain } from './windows';

/** A row of the report: a model with its configuration. */
export interface Variant
  extends Pick<RunPlan, 'name' | 'model' | 'preset' | 'auto' | 'config' | 'isNeural' | 'catalogue'> {
  /** Of the incremental protocol: what each window is trained on. Default by model. */
  readonly retrain?: Retrain;
}

export interface VariantsOptions extends Pick<CompareOptions, 'models' | 'preset' | 'variants' | 'catalogue'> {
  /** The model that networks of its architecture go on from. */
  readonly start?: Pick<ArtifactInfo, 'architecture' | 'config'>;
  /** Called once if a row has the preset `auto`. */
  readonly facts: () => Promise<LogFacts>;
}

/** The rows of a comparison: models, and models that are evaluated together. */
export interface Planned {
  readonly variants: readonly Variant[];
  readonly ensembles: readonly Ensemble[];
  /** Names of the features that any row reads. */
  readonly features: readonly string[];
}

export const everyName = (): string[] => [...Object.keys(baselines), ...Object.keys(architectures)];

/**
 * The models that are named, then the variants of the file.
 *
 * @throws RecommenderError `bad-config` for a file of another form, an option or preset that no model has, or a name twice.
 */
export async function variantsOf(options: VariantsOptions): Promise<Planned> {
  const { models, preset, variants, start, catalogue } = options;
  const names = models ?? (variants === undefined ? everyName() : []);
  if (preset !== undefined) checkPreset(preset, names);
  const plain = names.map((name) => ({
    name,
    model: name,
    config: {},
    ...(preset !== undefined && hasPreset(name, preset) && { preset }),
  }));
  const { read, ensembles } = variants === undefined ? NOTHING : await readVariants(variants);
  const planned: Omit<Variant, 'isNeural'>[] = [...plain, ...read];
  const facts = planned.some(({ preset }) => preset === AUTO) ? await options.facts() : undefined;
  const features = new Set<string>();
  const all = await Promise.all(
    planned.map(async (row) => {
      const { fixed, ...rest } = withPreset(row, facts);
      const before = start?.architecture === row.model ? start.config : {};
      const given = { ...before, ...fixed?.config, ...row.config };
      const { isNeural, wanted } = await checkedConfiguration(row.model, given, fixed && unsetOf(fixed, row.config));
      for (const { name } of wanted) features.add(name);
      return {
        ...rest,
        isNeural,
        ...(catalogue !== undefined && wanted.length > 0 && { catalogue }),
      };
    }),
  );
  const rows = [...all, ...ensembles];
  const twice = rows.find(({ name }, i) => rows.findIndex((other) => other.name === name) < i);
  if (twice) throw new RecommenderError('bad-config', `Two rows are called "${twice.name}"; give each its own name.`);
  const taken = rows.find(({ name }) => isTaken(name));
  if (taken) {
    const message = `No row can be called "${taken.name}": its folder holds a file of this name. Give it another.`;
    throw new RecommenderError('bad-config', message);
  }
  for (const { name, of, with: other = of } of ensembles) {
    const missing = [of, other].find((part) => !all.some((row) => row.name === part));
    if (missing !== undefined)
      throw new RecommenderError('bad-config', `"${name}" is of "${missing}", which is no row.`);
  }
  return { variants: all, ensembles, features: [...features] };
}

const NOTHING = { read: [], ensembles: [] };

/** Models with settings, and models that are evaluated together. */
async function readVariants(file: string) {
  const entries = checkList(parseJson(await readInput(file), file), file);
  const isEnsemble = ({ ensemble, mix }: Record<string, unknown>) => ensemble !== undefined || mix !== undefined;
  return {
    read: await checkVariants(
      entries.filter((entry) => !isEnsemble(entry)),
      file,
    ),
    ensembles: entries.filter(isEnsemble).map((entry) => checkEnsemble(entry, file)),
  };
}

function checkEnsemble(entry: Record<string, unknown>, file: string): Ensemble {
  const { name, ensemble, mix, weight, combine = 'probabilities', ...rest } = entry;
  const form =
    '{ "name": "three seeds", "ensemble": "sasrec" } or { "name": "with neighbours", "mix": ["sasrec", "v-sknn"] }';
  const refuse = (what: string): never => {
    throw new RecommenderError('bad-config', `${file}: ${what}; expected ${form}.`);
  };
  const [unknown] = Object.keys(rest);
  if (unknown !== undefined) return refuse(`"${name}" has a key "${unknown}"`);
  if (typeof name !== 'string') return refuse('a row of several models has no name');
  const scale = SCALES.find((known) => known === combine) ?? refuse(`"${name}" combines by "${combine}"`);
  if (typeof ensemble === 'string' && mix === undefined && weight === undefined) {
    return { name, of: ensemble, combine: scale };
  }
  const [of, other, ...more] = Array.isArray(mix) ? mix : [];
  if (ensemble !== undefined || typeof of !== 'string' || typeof other !== 'string' || more.length > 0) {
    return refuse(`"${name}" is neither of one row nor of two`);
  }
  if (weight !== undefined && !(typeof weight === 'number' && weight >= 0 && weight <= 1)) {
    return refuse(`the weight of "${name}" is not from 0 to 1`);
  }
  return { name, of, with: other, combine: scale, ...(weight !== undefined && { weight }) };
}

/** A row with the settings of its preset. `auto` is replaced by its settings on this log, which identify the runs. */
function withPreset(
  row: Omit<Variant, 'isNeural'>,
  facts: LogFacts | undefined,
): Omit<Variant, 'isNeural'> & { readonly fixed?: Fixed } {
  const { preset, ...rest } = row;
  if (preset === undefined || preset === NONE) return rest;
  if (!facts || preset !== AUTO) return { ...row, fixed: { name: preset, config: presetOf(row.model, preset).config } };
  const found = autoPreset(row.model, facts, row.config);
  const auto = { preset: found.preset, why: found.why };
  return { ...rest, auto, config: { ...found.config, ...row.config }, fixed: fixedByLog(found) };
}

const hasPreset = (model: string, name: string): boolean =>
  hasPresets(model) && (name === AUTO || name === NONE || Object.hasOwn(presets[model]!, name));

function checkPreset(name: string, models: readonly string[]): void {
  if (models.some((model) => hasPreset(model, name))) return;
  const known = [...new Set(models.flatMap((model) => Object.keys(presets[model] ?? {})))];
  if (known.length > 0) known.push(AUTO);
  const nearest = nearestName(name, known);
  const rest = nearest === undefined ? `they have ${known.join(', ') || 'none'}.` : `did you mean ${nearest}?`;
  throw new RecommenderError('bad-config', `No model of \`models\` has a preset "${name}": ${rest}`);
}

function refuseVariants(file: string, what: string): never {
  const form = '[{ "name": "small", "model": "gru4rec", "preset": …, "config": { "layers": "50" } }]';
  throw new RecommenderError('bad-config', `${file}: ${what}; expected a list such as ${form}.`);
}

/** The entries of the list; one that is no object becomes an empty one, which is refused later. */
function checkList(value: unknown, file: string): Record<string, unknown>[] {
  if (!Array.isArray(value)) return refuseVariants(file, 'this is no list');
  return value.map((entry: unknown) => (typeof entry === 'object' && entry !== null ? { ...entry } : {}));
}

function checkVariants(
  entries: readonly Record<string, unknown>[],
  file: string,
): Promise<Omit<Variant, 'isNeural'>[]> {
  const refuse = (what: string): never => refuseVariants(file, what);
  const settings = async (config: unknown, entry: number): Promise<Settings> => {
    if (isRecord(config)) return config;
    if (typeof config !== 'string')
      return refuse(`the config of entry ${entry} is neither an object nor the path of one`);
    return readSettings({ readInput }, resolve(dirname(file), config), 'configuration keys');
  };
  const checked = entries.map(async (entry, i) => {
    const { name, model, preset, config = {}, retrain, ...rest } = entry;
    if (typeof model !== 'string') return refuse(`entry ${i + 1} names no model`);
    if (preset !== undefined && typeof preset !== 'string') return refuse(`the preset of entry ${i + 1} is no name`);
    const [unknown] = Object.keys(rest);
    if (unknown !== undefined) return refuse(`entry ${i + 1} has a key "${unknown}"`);
    return {
      name: typeof name === 'string' ? name : preset ? `${model} ${preset}` : model,
      model,
      config: await settings(config, i + 1),
      ...(preset !== undefined && { preset }),
      ...(retrain !== undefined && { retrain: parseRetrain(String(retrain)) }),
    };
  });
  return Promise.all(checked);
}
