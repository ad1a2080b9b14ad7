/** Where a model finds what it reads beside item ids: in the log's columns, in the catalogue, or in how old items are. */
import { BIRTHS_TENSOR, type CatalogueItem } from '../checkpoint/artifact';
import { featureNames, featureOf, itemFeatures, toTensors } from '../checkpoint/item-features';
import { nearestName, RecommenderError } from '../errors';
import { describeClicks, firstClicks } from '../session/click-columns';
import { UNKNOWN_BIRTH } from '../session/click-features';
import type { ClickLog } from '../session/event-log';
import { parseTime } from '../session/time';
import type { ClickFeatures, NdArray, WantedFeature } from '../types';

export interface SideInformation {
  /** Of clicks, for the artifact's manifest. */
  readonly clicks: ClickFeatures;
  /** Of items, as an artifact keeps them. */
  readonly tensors: Readonly<Record<string, NdArray>>;
}

export interface SideInformationOptions {
  readonly log: ClickLog;
  /** Names of all columns of the log's file, for messages; `log` need hold only those that are wanted. */
  readonly columns: readonly string[];
  readonly products: readonly CatalogueItem[];
  readonly itemIds: readonly string[];
}

/**
 * Finds what a model wants, each name first among the log's columns, then in the catalogue.
 *
 * @throws RecommenderError `bad-config` for a name that neither has; `bad-input` for a cell that is no number or date.
 */
export function sideInformation(
  wanted: readonly WantedFeature[],
  { log, columns, products, itemIds }: SideInformationOptions,
): SideInformation {
  const known = new Set(itemIds);
  const ofItems = products.filter(({ id }) => known.has(id));
  const hasItems = (name: string) => ofItems.some((product) => featureOf(product, name) !== undefined);
  const clicks: WantedFeature[] = [];
  const items: WantedFeature[] = [];
  let aged: WantedFeature | undefined;
  for (const feature of wanted) {
    const { name, otherwise, since } = feature;
    if (since !== undefined && !hasItems(since)) throw absent(since, columns, ofItems);
    if (since !== undefined) aged = feature;
    else if (log.features?.has(name)) clicks.push(feature);
    else if (hasItems(name)) items.push(feature);
    else if (otherwise === 'age') aged = feature;
    else if (otherwise !== 'time') throw absent(name, columns, ofItems);
  }
  const n = itemIds.length;
  const births = aged && (aged.since ? datesOf(aged.since, products, itemIds) : firstClicks(log.sessions, n));
  return {
    clicks: describeClicks(aged ? [...clicks, aged] : clicks, log, births ?? []),
    tensors: {
      ...toTensors(itemFeatures(products, itemIds, items.map(ofItem))),
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

/** Dates of a column of the catalogue, in minutes since 1970, `[n + 1]`. */
function datesOf(name: string, products: readonly CatalogueItem[], itemIds: readonly string[]): Int32Array {
  const byId = new Map(products.map((product) => [product.id, product]));
  const births = new Int32Array(itemIds.length + 1).fill(UNKNOWN_BIRTH);
  itemIds.forEach((id, k) => {
    const product = byId.get(id);
    const date = product && featureOf(product, name);
    if (date === undefined) return;
    const seconds = parseTime(String(date));
    if (Number.isNaN(seconds)) {
      throw new RecommenderError(
        'bad-input',
        `The feature "${name}" must be a date, the product "${id}" has "${date}". ` +
          'Write ISO 8601, such as 2024-05-31, or seconds since 1970.',
      );
    }
    births[k + 1] = Math.floor(seconds / 60);
  });
  return births;
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
