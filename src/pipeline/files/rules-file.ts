/** A shop's `rules.json` on disk. */
import { parseJson } from '../../checkpoint/json';
import { checkRules } from '../../checkpoint/rules';
import { RecommenderError } from '../../errors';
import { readInput } from './disk';

/**
 * The rules of a file, as they are written there.
 *
 * @throws RecommenderError `bad-input` that names every wrong rule.
 */
export async function readRulesFile(path: string): Promise<readonly unknown[]> {
  const value = parseJson(await readInput(path), path);
  const { wrong } = checkRules(value);
  if (wrong.length > 0) throw new RecommenderError('bad-input', `${path}: ${wrong.join('; ')}.`);
  return value as readonly unknown[];
}
