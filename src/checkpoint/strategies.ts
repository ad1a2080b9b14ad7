/**
 * `strategies.json`: what training has counted for strategies that no model is needed for. Items are indices, from 1.
 *
 *     {
 *       "formatVersion": 1,
 *       "boughtTogether": { "of": "purchase", "baskets": 1200, "pairs": { "3": [7, 0.31, 2, 0.12], … } },
 *       "trending": { "until": 1735689600, "items": [7, 4.2, 2, 1.9] }
 *     }
 *
 * A row of `pairs` holds the items that go with one item, each with its score, best first; `items` holds those that trend, likewise. A
 * part is absent if the log does not say it.
 */
import type { Strategies } from './artifact';
import { isRecord } from './json';
import { bad, expected, STRATEGIES } from './manifest';

const VERSION = 1;

/** The content of the file. */
export const encodeStrategies = ({ boughtTogether, trending }: Strategies): string =>
  JSON.stringify({ formatVersion: VERSION, boughtTogether, trending });

/**
 * Checks a parsed `strategies.json`.
 *
 * @param items Number of items of the model.
 * @throws RecommenderError `bad-artifact` that names the field.
 */
export function checkStrategies(value: unknown, items: number): Strategies {
  if (!isRecord(value)) throw bad('must be an object.', STRATEGIES);
  const { formatVersion, ...strategies } = value;
  const { boughtTogether, trending } = strategies;
  if (formatVersion !== VERSION) throw expected('formatVersion', `${VERSION}`, formatVersion, STRATEGIES);
  const isList = (list: unknown): list is number[] =>
    Array.isArray(list) &&
    list.length % 2 === 0 &&
    list.every((entry, at) =>
      at % 2 === 0 ? Number.isInteger(entry) && entry >= 1 && entry <= items : Number.isFinite(entry),
    );
  const list = `a list of item indices 1…${items}, each with its score`;
  if (boughtTogether !== undefined) {
    const { pairs } = isRecord(boughtTogether) ? boughtTogether : {};
    if (!isRecord(pairs)) throw expected('boughtTogether.pairs', 'lists by item index', pairs, STRATEGIES);
    const wrong = Object.entries(pairs).find(([, row]) => !isList(row));
    if (wrong) throw expected(`boughtTogether.pairs[${wrong[0]}]`, list, wrong[1], STRATEGIES);
  }
  if (trending !== undefined && !(isRecord(trending) && isList(trending['items']))) {
    throw expected('trending.items', list, isRecord(trending) ? trending['items'] : trending, STRATEGIES);
  }
  return strategies as Strategies;
}
