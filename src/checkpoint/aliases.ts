/** `aliases.json`: how else pages and feeds call the items. Loaded where an artifact has it. */
import type { Aliases, AliasNames, ItemAliases } from './artifact';
import { isRecord, quote, show } from './json';
import { ALIASES, bad, expected, record } from './manifest';

/**
 * Most aliases of one item: those of all its variants. Shopify allows 2,048 of them, each with a SKU, a barcode and a number. What
 * a file may hold in all is bounded by its length.
 */
export const MAX_ALIASES = 10_000;
/** Most characters of an alias, and of a group. */
export const MAX_ALIAS = 1000;

/**
 * Checks a parsed `aliases.json`: `{ "item id": { "also": ["alias", …], "group": "item_group_id" }, … }`. Unknown fields are
 * dropped.
 *
 * @throws RecommenderError `bad-artifact` that names the item.
 */
export function checkAliases(value: unknown): Aliases {
  if (!isRecord(value)) throw bad(`must be an object with the ids of items as keys, got ${show(value)}.`, ALIASES);
  const isAlias = (text: unknown): boolean => typeof text === 'string' && text !== '' && text.length <= MAX_ALIAS;
  const checked = Object.entries(value).map(([id, entry]): [string, ItemAliases] => {
    const item = `item ${quote(id)}`;
    const { also, group } = record(entry, item, ALIASES);
    if (also !== undefined && !(Array.isArray(also) && also.length <= MAX_ALIASES && also.every(isAlias))) {
      const what = `at most ${MAX_ALIASES} texts of 1 to ${MAX_ALIAS} characters`;
      throw expected(`${item}: also`, what, also, ALIASES);
    }
    if (group !== undefined && !isAlias(group)) {
      throw expected(`${item}: group`, `a text of 1 to ${MAX_ALIAS} characters`, group, ALIASES);
    }
    return [id, { ...(also !== undefined && { also }), ...(group !== undefined && { group: group as string }) }];
  });
  return new Map(checked);
}

/** Only of items that are `known`. */
export function namesOf(aliases: Aliases, known: ReadonlyMap<string, unknown>): AliasNames {
  const also = new Map<string, string | null>();
  const groups = new Map<string, string | null>();
  const add = (names: typeof also, name: string, id: string) =>
    names.set(name, names.has(name) && names.get(name) !== id ? null : id);
  for (const [id, item] of aliases) {
    if (!known.has(id)) continue;
    for (const alias of item.also ?? []) add(also, alias, id);
    if (item.group !== undefined) add(groups, item.group, id);
  }
  return { also, groups };
}
