/** A shop's `rules.json`. */
import { isRecord, parseJson, show } from '../checkpoint/json';
import { checkRules, unknownName } from '../checkpoint/rules';
import { RecommenderError } from '../errors';
import { STRATEGIES } from '../recommender/arguments';
import { parseIso } from '../session/time';
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
  const wrong = [...checkRules(value).wrong];
  for (const [k, rule] of (Array.isArray(value) ? value : []).entries()) {
    const begin = `rule ${k + 1}: `;
    const fault = wrong.some((text) => text.startsWith(begin)) ? undefined : mistakeIn(rule);
    if (fault !== undefined) wrong.push(begin + fault);
  }
  if (wrong.length > 0) throw new RecommenderError('bad-input', `${path}: ${wrong.join('; ')}.`);
  return value as readonly unknown[];
}

/**
 * What a page would take without a word: a place or factor that its rule does not have, a date that JavaScript guesses, a time that
 * never comes, a strategy that is none.
 */
function mistakeIn(rule: unknown): string | undefined {
  if (!isRecord(rule)) return undefined;
  const { do: action, from, until, strategy } = rule;
  for (const [name, user] of Object.entries({ position: 'pin', factor: 'boost' })) {
    if (rule[name] !== undefined && action !== user) return `${name} is for a ${user}, and does nothing in a ${action}`;
  }
  for (const [name, time] of Object.entries({ from, until })) {
    if (time !== undefined && Number.isNaN(parseIso(String(time))))
      return `${name} must be a date in ISO 8601, such as 2026-12-24, got ${show(time)}`;
  }
  if (from !== undefined && until !== undefined && parseIso(String(from)) >= parseIso(String(until)))
    return `from must be before until, got ${show(from)} and ${show(until)}`;
  const names: readonly unknown[] = STRATEGIES;
  if (strategy !== undefined && !names.includes(strategy))
    return `strategy ${unknownName(String(strategy), STRATEGIES).message}`;
  return undefined;
}
