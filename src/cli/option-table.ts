import { defaultOf, describe } from '../models/configuration';
import type { OptionSpec } from '../models/model';
import { presets } from '../models/presets';
import { baselines } from '../neighbours/index';
import { unknownModel } from '../train/learn';
import { architectures } from './architectures';

/** Every configuration key of a model with type, range, default and source, and its presets: the end of `--help`. */
export function optionTable(name: string | undefined): string {
  if (name === undefined) {
    const names = [...Object.keys(architectures), ...Object.keys(baselines)];
    return `\nModels: ${names.join(' ')}\n"aisle train --model NAME --help" lists the options of one.\n`;
  }
  const subjects = { ...architectures, ...baselines };
  if (!Object.hasOwn(subjects, name)) throw unknownModel(name);
  const { paper, options } = subjects[name]!;
  const lines = ['', `${name}: ${paper}`, '', 'Options, for --set key=value:'];
  for (const [key, option] of Object.entries(options as Readonly<Record<string, OptionSpec>>)) {
    const value = defaultOf(option);
    lines.push(`  ${key}=${value}`, `      ${option.doc}`, `      ${describe(option)}; default: ${option.source}`);
  }
  const named = Object.entries(presets[name] ?? {});
  if (named.length > 0) lines.push('', 'Presets, for --preset name; auto picks one by the log:');
  for (const [preset, { doc }] of named) lines.push(`  ${preset.padEnd(16)}${doc}`);
  return `${lines.join('\n')}\n`;
}
