/** Addresses, prices and pictures of products, as a page may show them. A catalogue is a file: it can hold anything. */
import type { CatalogueItem } from '../checkpoint/artifact';
import type { PageOptions } from './types';

/**
 * Where a product's link leads; undefined where it has no address that the page allows: http or https, of the page's own
 * origin or a host of `allowHosts`.
 */
export function linkOf(product: CatalogueItem, { allowHosts, itemUrl }: PageOptions): string | undefined {
  // What no address can hold throws: half of a surrogate pair, as a text that was cut in the middle of a letter has.
  const url = webAddress(() => product.url || itemUrl?.replaceAll('{id}', encodeURIComponent(product.id)));
  if (url === undefined) return undefined;
  const isAllowed = (host: string) =>
    host.startsWith('*.') ? url.hostname.endsWith(host.slice(1)) : url.hostname === host || url.host === host;
  return url.origin === location.origin || allowHosts.some(isAllowed) ? url.href : undefined;
}

/**
 * The picture of a product, which `images` has let pass; undefined where it is none that an `<img>` should load.
 *
 * @param base What its address is relative to. Default: the page.
 */
export function pictureOf({ image }: CatalogueItem, base?: string): string | undefined {
  if (image === undefined || /^data:image\//i.test(image)) return image;
  return webAddress(() => image, base)?.href;
}

/** Formats by language and currency: making one takes a browser longer than making a card. */
const formats = new Map<string, Intl.NumberFormat>();

function formatOf(language: string, currency: string): Intl.NumberFormat {
  const key = `${language} ${currency}`;
  const plain = { minimumFractionDigits: 2, maximumFractionDigits: 2 };
  const style = /^[a-z]{3}$/i.test(currency) ? { style: 'currency' as const, currency } : plain;
  const format = formats.get(key) ?? new Intl.NumberFormat(supported(language), style);
  formats.set(key, format);
  return format;
}

/** A `lang` may be empty, or no language: then that of the browser counts. */
function supported(language: string): string | undefined {
  try {
    return Intl.getCanonicalLocales(language)[0];
  } catch {
    return undefined;
  }
}

/** The price in the currency and language, '' for the browser's own; undefined if there is none. */
export function priceOf({ price, currency = '' }: CatalogueItem, language: string): string | undefined {
  return price === undefined || !Number.isFinite(price) ? undefined : formatOf(language, currency).format(price);
}

/** `preorder` and `backorder` in any spelling; undefined if the product is in stock. */
export function delayOf({ availability = '' }: CatalogueItem): 'preorder' | 'backorder' | undefined {
  const [word] = /preorder|backorder/.exec(availability.toLowerCase().replace(/[^a-z]/g, '')) ?? [];
  return word as 'preorder' | 'backorder' | undefined;
}

function webAddress(address: () => string | undefined, base?: string): URL | undefined {
  try {
    const url = new URL(address() ?? 'none:', base ?? document.baseURI);
    return url.protocol === 'https:' || url.protocol === 'http:' ? url : undefined;
  } catch {
    return undefined;
  }
}
