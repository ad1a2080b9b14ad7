/** Every preset of every architecture; `presets/` has a file for each. */
import { RecommenderError } from '../errors';
import { nearestName } from '../nearest-name';
import { CASER } from './presets/caser';
import { CL4SREC } from './presets/cl4srec';
import { GRU4REC } from './presets/gru4rec';
import { AUTO, NONE, type Preset, type Presets } from './presets/preset';
import { SASREC } from './presets/sasrec';
import { SRGNN } from './presets/srgnn';
import { TRANSFORMERS4REC } from './presets/transformers4rec';

/** By architecture, then by name. */
export const presets: Readonly<Record<string, Presets>> = {
  gru4rec: GRU4REC,
  srgnn: SRGNN,
  sasrec: SASREC,
  caser: CASER,
  cl4srec: CL4SREC,
  transformers4rec: TRANSFORMERS4REC,
};

/** The presets of a model; none where it has none. */
const presetsOf = (model: string): Presets => (Object.hasOwn(presets, model) && presets[model]) || {};

export const hasPresets = (model: string): boolean => Object.keys(presetsOf(model)).length > 0;

/** @throws RecommenderError `bad-config` for a name that the architecture does not have. */
export function presetOf(model: string, name: string): Preset {
  const known = presetsOf(model);
  if (Object.hasOwn(known, name)) return known[name]!;
  const names = Object.keys(known);
  const nearest = nearestName(name, [...names, AUTO, NONE]);
  const all = `it has ${names.join(', ')}, ${AUTO}, which picks one by the log, and ${NONE}`;
  const rest = names.length === 0 ? 'it has none.' : `${all}${nearest ? `; did you mean ${nearest}?` : '.'}`;
  throw new RecommenderError('bad-config', `${model} has no preset "${name}": ${rest}`);
}
