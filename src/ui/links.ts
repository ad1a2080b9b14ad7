/** Addresses, prices and pictures of products, as a page may show them. A catalogue is a file: it can hold anything. */
import type { CatalogueItem } from '../checkpoint/artifact';
import type { PageOptions } from './options';

/**
 * Where a product's link leads; undefined where it has no address that the page allows: http or https, of the page's own
 * origin or a host of `allowHosts`.
 */
export function linkOf(product: CatalogueItem, { allowHosts, itemUrl }: PageOptions): string | undefined {
  const address = product.url || itemUrl?.replaceAll('{id}', encodeURIComponent(product.id));
  const url = address === undefined ? undefined : webAddress(address);
  if (url === undefined) return undefined;
  const isAllowed = (host: string) =>
    host.startsWith('*.') ? url.hostname.endsWith(host.slice(1)) : url.hostname === host || url.host === host;
  return url.origin === location.origin || allowHosts.some(isAllowed) ? url.href : undefined;
}

/** The picture of a product, which `images` has let pass; undefined where it is none that an `<img>` should load. */
export function pictureOf({ image }: CatalogueItem): string | undefined {
  if (image === undefined || /^data:image\//i.test(image)) return image;
  return webAddress(image)?.href;
}

/** The price in the currency and language; undefined where there is none. */
export function priceOf({ price, currency }: CatalogueItem, language: string): string | undefined {
  if (price === undefined || !Number.isFinite(price)) return undefined;
  const plain = { minimumFractionDigits: 2, maximumFractionDigits: 2 };
  const style = currency !== undefined && /^[a-z]{3}$/i.test(currency) ? { style: 'currency', currency } : plain;
  for (const locale of [language, undefined]) {
    try {
      return new Intl.NumberFormat(locale, style as Intl.NumberFormatOptions).format(price);
    } catch {
      // a `lang` that is no language: that of the browser
    }
  }
  return String(price);
}

/** `preorder` and `backorder` in any spelling; undefined for what is simply in stock. */
export function delayOf({ availability = '' }: CatalogueItem): 'preorder' | 'backorder' | undefined {
  const [word] = /preorder|backorder/.exec(availability.toLowerCase().replace(/[^a-z]/g, '')) ?? [];
  return word as 'preorder' | 'backorder' | undefined;
}

function webAddress(address: string): URL | undefined {
  try {
    const url = new URL(address, document.baseURI);
    return url.protocol === 'https:' || url.protocol === 'http:' ? url : undefined;
  } catch {
    return undefined;
  }
}
