/** The papers of the models. A page loads the specification of one architecture at a time; `architectures.ts` holds them all. */
import { models } from '../models/index';
import { baselines } from '../neighbours/index';

export const ARCHITECTURES: readonly string[] = Object.keys(models);

/** Of an architecture or a counting baseline. */
export const paperOf = async (name: string): Promise<string> =>
  ((await models[name]?.spec()) ?? baselines[name]!).paper;
