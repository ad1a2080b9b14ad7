/** What is searched of a model, and how `--help` shows it. */

import type { Configurable } from '../../models/configuration';
import { defaultOf } from '../../models/configuration';
import type { OptionSpec } from '../../models/model';
import { describeRange, type SearchSpace } from '../../models/search-space';
import { searchSpaces as ofArchitectures } from '../../models/search-spaces';
import { baselines } from '../../neighbours/index';
import { searchSpaces as ofBaselines } from '../../neighbours/search-spaces';
import { unknownModel } from '../../train/learn';
import { architectures } from '../architectures';

const subjects: Readonly<Record<string, Configurable<unknown>>> = { ...architectures, ...baselines };
const spaces: Readonly<Record<string, SearchSpace>> = { ...ofArchitectures, ...ofBaselines };

/**
 * A model and its space, which is empty where none is declared.
 *
 * @throws RecommenderError `bad-config` for a name that no model has.
 */
export function subjectOf(model: string): { readonly subject: Configurable<unknown>; readonly space: SearchSpace } {
  if (!Object.hasOwn(subjects, model)) throw unknownModel(model);
  return { subject: subjects[model]!, space: (Object.hasOwn(spaces, model) && spaces[model]) || {} };
}

/** The end of `--help`: every key that is searched, with its range and its default. */
export function spaceTable(model: string | undefined): string {
  if (model === undefined) {
    const names = Object.keys(subjects).join(' ');
    return `\nModels: ${names}\n"aisle search --model NAME --help" lists what is searched of one.\n`;
  }
  const { subject, space } = subjectOf(model);
  const keys = Object.entries(space);
  if (keys.length === 0) return `\nNothing is declared to search of ${model}; name keys with --range.\n`;
  const width = Math.max(...keys.map(([key]) => key.length)) + 2;
  const options = subject.options as Readonly<Record<string, OptionSpec>>;
  const lines = keys.map(
    ([key, range]) => `  ${key.padEnd(width)}${describeRange(range)}; default ${defaultOf(options[key]!)}`,
  );
  return `\nSearched of ${model}, each fixed by --set and changed by --range:\n${lines.join('\n')}\n`;
}
