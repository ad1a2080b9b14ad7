/** What `--help` says of the models. */
import { defaultOf, describe } from '../models/configuration';
import type { OptionSpec } from '../models/model';
import { presets } from '../models/presets';
import { describeRange } from '../models/search-space';
import { subjectOf } from '../pipeline/search/space';
import { modelNames } from '../train/train-from-log';

const NAMES = modelNames.join(' ');

/** Every configuration key of a model with type, range, default and source, and its presets: the end of `--help`. */
export function optionTable(name: string | undefined): string {
  if (name === undefined) {
    return `\nModels: ${NAMES}\n"aisle train --model NAME --help" lists the options of one.\n`;
  }
  const { paper, options } = subjectOf(name).subject;
  const lines = ['', `${name}: ${paper}`, '', 'Options, for --set key=value:'];
  for (const [key, option] of Object.entries(options as Readonly<Record<string, OptionSpec>>)) {
    const value = defaultOf(option);
    lines.push(`  ${key}=${value}`, `      ${option.doc}`, `      ${describe(option)}; source: ${option.source}`);
  }
  const named = Object.entries(presets[name] ?? {});
  if (named.length > 0)
    lines.push('', 'Presets, for --preset name; auto picks one by the log, none leaves the defaults:');
  for (const [preset, { doc }] of named) lines.push(`  ${preset.padEnd(16)}${doc}`);
  return `${lines.join('\n')}\n`;
}

/** The end of `--help`: every key that is searched, with its range and its default. */
export function spaceTable(model: string | undefined): string {
  if (model === undefined) {
    return `\nModels: ${NAMES}\n"aisle search --model NAME --help" lists what is searched of one.\n`;
  }
  const { subject, space } = subjectOf(model);
  const keys = Object.entries(space);
  if (keys.length === 0) return `\nNothing is declared to search of ${model}; name keys with --range.\n`;
  const width = Math.max(...keys.map(([key]) => key.length)) + 2;
  const options = subject.options as Readonly<Record<string, OptionSpec>>;
  const lines = keys.map(
    ([key, range]) => `  ${key.padEnd(width)}${describeRange(range)}; default: ${defaultOf(options[key]!)}`,
  );
  return `\nSearched of ${model}, each fixed by --set and changed by --range:\n${lines.join('\n')}\n`;
}
