/** Where a model finds what it reads beside item ids: in the log's columns, in the catalogue, or in how old items are. */
import { BIRTHS_TENSOR, type CatalogueItem, FEATURE_PREFIX } from '../checkpoint/artifact';
import { prefixed } from '../checkpoint/prefixes';
import { featureNames, featureOf, itemFeatures } from '../checkpoint/product-features';
import { RecommenderError } from '../errors';
import { nearestName } from '../nearest-name';
import { describeClicks, firstClicks } from '../session/click-columns';
import type { ClickLog } from '../session/event-log';
import type { ClickFeatures, NdArray, WantedFeature } from '../types';

/**
 * Finds what a model wants, each name first among the log's columns, then in the catalogue.
 *
 * @param columns Names of all columns of the log's file, for messages; `log` need hold only those that are wanted.
 * @returns What is read of clicks, for the artifact's manifest, and of items, as an artifact keeps it.
 * @throws RecommenderError `bad-config` for a name that neither has; `bad-input` for a cell that is no number.
 */
export function sideInformation(
  wanted: readonly WantedFeature[],
  log: ClickLog,
  columns: readonly string[],
  products: readonly CatalogueItem[],
  itemIds: readonly string[],
): { readonly clicks: ClickFeatures; readonly tensors: Readonly<Record<string, NdArray>> } {
  const known = new Set(itemIds);
  const ofItems = products.filter(({ id }) => known.has(id));
  const hasItems = (name: string) => ofItems.some((product) => featureOf(product, name) !== undefined);
  const clicks: WantedFeature[] = [];
  const items: WantedFeature[] = [];
  let aged: WantedFeature | undefined;
  for (const feature of wanted) {
    const { name, otherwise } = feature;
    if (log.features?.has(name)) clicks.push(feature);
    else if (hasItems(name)) items.push(feature);
    else if (otherwise === 'age') aged = feature;
    else if (otherwise !== 'time') throw absent(name, columns, ofItems);
  }
  const n = itemIds.length;
  const births = aged && firstClicks(log.sessions, n);
  return {
    clicks: describeClicks(aged ? [...clicks, aged] : clicks, log, births ?? []),
    tensors: {
      ...prefixed(FEATURE_PREFIX, itemFeatures(products, itemIds, items.map(ofItem))),
      ...(births && { [BIRTHS_TENSOR]: { data: births, shape: [n + 1] } }),
    },
  };
}

function ofItem({ name, kind }: WantedFeature) {
  if (kind !== 'angle') return { name, kind };
  throw new RecommenderError(
    'bad-config',
    `The feature "${name}" is one of items, and a cyclic one says when a click was. Write ${name}:categorical.`,
  );
}

function absent(name: string, columns: readonly string[], products: readonly CatalogueItem[]): RecommenderError {
  const named = featureNames(products);
  const nearest = nearestName(name, [...columns, ...named, 'hour', 'weekday', 'age']);
  const list = (what: string, names: readonly string[], none: string) =>
    names.length > 0 ? `${what} ${names.join(', ')}` : none;
  return new RecommenderError(
    'bad-config',
    `No click and no item has the feature "${name}"${nearest ? `; the nearest is "${nearest}"` : ''}. ` +
      `${list('Columns of the log are', columns, 'The log has no further columns')}; ` +
      `${list('the catalogue has', named, products.length > 0 ? 'the catalogue has none' : 'there is no catalogue of its items')}; ` +
      'hour, weekday and age need neither. Give `catalogue` a file whose products have it.',
  );
}
