/** The options of a page's embed: those of the library, and a few that only a page has. */
import { nearestName } from '../errors';
import { type Checks, calls, checked, ITEM, isText, OPTIONS, oneOf } from '../recommender/arguments';
import type { RecommenderOptions } from '../recommender/types';
import type { EmbedOptions, Host, PageOptions } from './types';

const ALL: Checks<EmbedOptions> = {
  ...OPTIONS,
  track: oneOf('auto', 'manual'),
  item: [ITEM[0], isText],
  allowHosts: ['host names', (value) => isText(value) || (Array.isArray(value) && value.every(isText))],
  itemUrl: ['an address with {id} in it', (value) => isText(value) && (value as string).includes('{id}')],
  product: calls('a function of a product'),
  analytics: oneOf('ga4'),
  variants: ['variants', isText],
};
/** Functions, which a tag cannot carry. */
const NO_TAG: ReadonlySet<string> = new Set(['now', 'product']);
const NAMES = Object.keys(ALL);
const NUMBERS: ReadonlySet<string> = new Set(['sessionGap', 'startDeadline', 'retention', 'maxModelBytes']);

/** The options that a tag carries. Other tools keep data on it too: only what looks misspelt is worth a warning. */
export function optionsOfTag(script: Pick<HTMLElement, 'dataset'>, host: Pick<Host, 'warn'>): EmbedOptions {
  const options: Record<string, unknown> = {};
  for (const [name, value] of Object.entries(script.dataset)) {
    if (NAMES.includes(name) && !NO_TAG.has(name)) {
      options[name] = NUMBERS.has(name) ? Number(value) : value;
      continue;
    }
    const near = misspelt(name, NAMES);
    if (near !== undefined) host.warn(`data-${kebab(name)} is no option; did you mean data-${kebab(near)}?`);
  }
  return options as unknown as EmbedOptions;
}

/** The name that another one is likely to stand for; undefined for what may be of another tool. */
export function misspelt(name: string, names: readonly string[]): string | undefined {
  const near = nearestName(name, names);
  return near !== undefined && near.length > 4 && name.slice(0, 3) === near.slice(0, 3) ? near : undefined;
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
    ...others
  } = checked('start', options, ALL);
  const { product = (known) => known, learn = 'auto', ...given } = others;
  const recommender = { ...given, learn };
  const hosts = typeof allowHosts === 'string' ? allowHosts.split(/[\s,]+/).filter(Boolean) : allowHosts;
  const { dataLayer = 'dataLayer' } = recommender;
  const own = { track, item: item || undefined, dataLayer, allowHosts: hosts, itemUrl, product, analytics, variants };
  return { recommender, page: { ...own, recommender } };
}

function kebab(name: string): string {
  return name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
}
