/** Events in the shop's own data layer, where the shop's own tags and their consent rules apply. Aisle itself sends nothing. */

/**
 * Pushes an event of GA4: as Tag Manager reads it, or, on a page with `gtag.js` alone, as a call of `gtag`.
 *
 * @param name The global that holds the data layer.
 * @param isCommerce Whether the parameters belong under `ecommerce`, which is then cleared before.
 */
export function pushEvent(name: string, event: string, parameters: object, isCommerce = false): void {
  const page = globalThis as unknown as Record<string, unknown[]>;
  page[name] ??= [];
  const layer = page[name];
  const has = (key: string, value?: unknown) =>
    layer.some((entry) => {
      const found = (entry as Record<string, unknown> | null | undefined)?.[key];
      return value === undefined ? found !== undefined : found === value;
    });
  if (has('0', 'config') && !has('gtm.start')) {
    call('event', event, parameters);
    return;
  }
  if (isCommerce) layer.push({ ecommerce: null });
  layer.push(isCommerce ? { event, ecommerce: parameters } : { event, ...parameters });

  /** `gtag.js` knows its calls by their type: only an `arguments` object is one. */
  function call(..._: unknown[]): void {
    // biome-ignore lint/complexity/noArguments: an array would be ignored.
    layer.push(arguments);
  }
}
