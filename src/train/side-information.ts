/** Where a model finds what it reads beside item ids: in the log's columns, in the catalogue, or in how old items are. */
import { BIRTHS_TENSOR, type CatalogueItem, FEATURE_PREFIX } from '../checkpoint/artifact';
import { prefixed } from '../checkpoint/prefixes';
import { RecommenderError } from '../errors';
import { nearestName } from '../nearest-name';
import { describeClicks, firstClicks } from '../session/click-columns';
import type { ClickLog } from '../session/event-log';
import { refuseNoTimes } from '../session/times';
import type { ClickFeatures, NdArray, WantedFeature } from '../types';
import { describeItems, featureNames, featureOf, itemFeatures } from './item-features';

/** What a model that a training continues reads: its numbers stay what its weights know. */
export interface KnownSide {
  readonly tensors: Readonly<Record<string, NdArray>>;
  /** Of clicks: numbers of values, and spreads. */
  readonly features?: ClickFeatures;
  /** The same of items. */
  readonly itemFeatures?: ClickFeatures;
}

/**
 * Finds what a model wants, each name first among the log's columns, then in the catalogue; where a model continues, each where that
 * reads it.
 *
 * @param columns Names of all columns of the log's file, for messages; `log` need hold only those that are wanted.
 * @returns How what is read of clicks and of items is numbered, and that of items, as an artifact keeps it.
 * @throws RecommenderError `bad-config` for a name that neither has; `bad-input` for a cell that is no number, or a value of items that
 *   the model to go on from does not know; `weights-mismatch` if that does not say how it numbers what it reads of items.
 */
export function sideInformation(
  wanted: readonly WantedFeature[],
  log: ClickLog,
  columns: readonly string[],
  products: readonly CatalogueItem[],
  itemIds: readonly string[],
  from?: KnownSide,
): {
  readonly clicks: ClickFeatures;
  readonly items: ClickFeatures;
  readonly tensors: Readonly<Record<string, NdArray>>;
} {
  const known = new Set(itemIds);
  const ofItems = products.filter(({ id }) => known.has(id));
  const hasItems = (name: string) => ofItems.some((product) => featureOf(product, name) !== undefined);
  const clicks: WantedFeature[] = [];
  const items: WantedFeature[] = [];
  let aged: WantedFeature | undefined;
  const isKnown = (known: ClickFeatures = {}, name: string) =>
    Object.hasOwn(known, name) && known[name]!.kind !== 'age';
  for (const feature of wanted) {
    const { name, otherwise } = feature;
    const [inLog, inCatalogue] = [from?.features, from?.itemFeatures].map((known) => !from || isKnown(known, name));
    if (!inCatalogue && from?.tensors[FEATURE_PREFIX + name]) throw unnumbered(name);
    if (log.features?.has(name) && inLog) clicks.push(feature);
    else if (hasItems(name) && inCatalogue) items.push(feature);
    else if (otherwise === 'age') aged = feature;
    else if (otherwise === 'time') refuseNoTimes(name, log.sessions);
    else throw absent(name, columns, ofItems);
  }
  const n = itemIds.length;
  const births = aged && firstClicks(log.sessions, n, from?.tensors[BIRTHS_TENSOR]?.data);
  const ofClicks = describeClicks(aged ? [...clicks, aged] : clicks, log, births ?? []);
  const described = describeItems(products, itemIds, items, from?.itemFeatures);
  return {
    clicks: from ? (from.features ?? {}) : ofClicks,
    items: described,
    tensors: {
      ...prefixed(FEATURE_PREFIX, itemFeatures(products, itemIds, described)),
      ...(births && { [BIRTHS_TENSOR]: { data: births, shape: [n + 1] } }),
    },
  };
}

const unnumbered = (name: string): RecommenderError =>
  new RecommenderError(
    'weights-mismatch',
    `The model to go on from does not say how it numbers the feature "${name}" of items, as those of earlier releases do not. ` +
      'Train once without `from`.',
  );

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
