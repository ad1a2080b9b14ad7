/** The options of a page's embed: those of the library, and a few that only a page has. */
import { keysOf } from '../captured';
import type { CatalogueItem } from '../checkpoint/artifact';
import { isListOf } from '../limits';
import { type Checks, calls, checked, ITEM, isText, OPTIONS, oneOf } from '../recommender/arguments';
import type { RecommenderOptions } from '../recommender/types';
import type { EmbedOptions, PageOptions } from './types';

const ALL: Checks<EmbedOptions> = {
  ...OPTIONS,
  track: oneOf('auto', 'manual'),
  item: [ITEM[0], isText],
  allowHosts: ['host names', (value) => isText(value) || isListOf(value, isText)],
  itemUrl: ['an address with {id} in it', (value) => isText(value) && (value as string).includes('{id}')],
  product: calls('a function of a product'),
  analytics: oneOf('ga4'),
  variants: ['variants', isText],
};
/** Functions, which a tag cannot carry. */
const NO_TAG = ['now', 'product'];
export const NAMES = keysOf(ALL);
const NUMBERS = ['sessionGap', 'startDeadline', 'retention', 'maxModelBytes'];

/** Whether a tag carries an option of this name. */
export const isOfTag = (name: string): boolean => NAMES.includes(name) && !NO_TAG.includes(name);

/** The options that a tag carries. Other tools keep data on it too. */
export function optionsOfTag({ dataset }: Pick<HTMLElement, 'dataset'>): EmbedOptions {
  const given = Object.entries(dataset).filter(([name]) => isOfTag(name));
  const options = given.map(([name, value]) => [name, NUMBERS.includes(name) ? Number(value) : value]);
  return Object.fromEntries(options) as EmbedOptions;
}

/**
 * Parts the options, checks those of the page, and completes them.
 *
 * @throws RangeError for a wrong or unknown one, naming the nearest.
 */
export function partOptions(options: EmbedOptions): { recommender: RecommenderOptions; page: PageOptions } {
  const {
    track = 'auto',
    item,
    allowHosts = [],
    itemUrl,
    analytics,
    variants,
    product = (known: CatalogueItem) => known,
    ...given
  } = checked('start', options, ALL);
  const recommender = { learn: 'auto' as const, dataLayer: 'dataLayer', ...given };
  const hosts = typeof allowHosts === 'string' ? allowHosts.split(/[\s,]+/).filter(Boolean) : allowHosts;
  const { dataLayer } = recommender;
  const own = { track, item: item || undefined, dataLayer, allowHosts: hosts, itemUrl, product, analytics, variants };
  return { recommender, page: { ...own, recommender } };
}
