/** What is searched of a model. */
import type { Configurable } from '../../models/configuration';
import type { SearchSpace } from '../../models/search-space';
import { searchSpaces as ofArchitectures } from '../../models/search-spaces';
import { baselines } from '../../neighbours/index';
import { searchSpaces as ofBaselines } from '../../neighbours/search-spaces';
import { unknownModel } from '../../train/train-from-log';
import { architectures } from '../architectures';

type Subject = Configurable<unknown> & { readonly paper: string };

const subjects: Readonly<Record<string, Subject>> = { ...architectures, ...baselines };
const spaces: Readonly<Record<string, SearchSpace>> = { ...ofArchitectures, ...ofBaselines };

/**
 * A model and its space, which is empty where none is declared.
 *
 * @throws RecommenderError `bad-config` for a name that no model has.
 */
export function subjectOf(model: string): { readonly subject: Subject; readonly space: SearchSpace } {
  if (!Object.hasOwn(subjects, model)) throw unknownModel(model);
  return { subject: subjects[model]!, space: (Object.hasOwn(spaces, model) && spaces[model]) || {} };
}
