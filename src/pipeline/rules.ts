/** A shop's `rules.json`. */
import { parseJson } from '../checkpoint/json';
import { checkRules } from '../checkpoint/rules';
import { RecommenderError } from '../errors';
import type { ConfigurationFiles } from './configuration';

/**
 * The rules of a file, as they are written there.
 *
 * @throws RecommenderError `bad-input` that names every wrong rule.
 */
export async function readRules(
  path: string,
  { readInput }: Pick<ConfigurationFiles, 'readInput'>,
): Promise<readonly unknown[]> {
  const value = parseJson(await readInput(path), path);
  const { wrong } = checkRules(value);
  if (wrong.length > 0) throw new RecommenderError('bad-input', `${path}: ${wrong.join('; ')}.`);
  return value as readonly unknown[];
}
