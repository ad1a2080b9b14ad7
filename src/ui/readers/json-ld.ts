/**
 * What a page says of itself in JSON-LD: the product that it shows.
 *
 * @see https://schema.org/Product, https://developers.google.com/search/docs/appearance/structured-data/product
 */

/**
 * The id of the one product that the page is about: the `sku` of a top-level `Product`, or its `productID`, or of a
 * `ProductGroup` its `productGroupID`. Undefined where there is none, or more than one: a listing is no product page.
 */
export function productOfPage(root: ParentNode): string | undefined {
  const found = new Set<string>();
  for (const script of root.querySelectorAll('script[type="application/ld+json"]')) {
    for (const thing of topLevel(parsed(script.textContent ?? ''))) {
      const id = idOf(thing);
      if (id !== undefined) found.add(id);
    }
  }
  const [id] = found;
  return found.size === 1 ? id : undefined;
}

type Thing = Readonly<Record<string, unknown>>;

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined; // invalid JSON of the page
  }
}

/** The things of a script: itself, its list, its `@graph`, or what a page says that it is mainly about. */
function topLevel(value: unknown): Thing[] {
  if (Array.isArray(value)) return value.flatMap(topLevel);
  if (typeof value !== 'object' || value === null) return [];
  const thing = value as Thing;
  return [thing, ...topLevel(thing['@graph']), ...topLevel(thing['mainEntity'])];
}

function idOf(thing: Thing): string | undefined {
  const types = [thing['@type']].flat();
  const is = (name: string) => types.some((type) => typeof type === 'string' && type.split(/[/:#]/).at(-1) === name);
  const ids = is('Product') || is('IndividualProduct') || is('ProductModel') ? [thing['sku'], thing['productID']] : [];
  if (is('ProductGroup')) ids.push(thing['productGroupID'], thing['sku']);
  const id = ids.find((value) => (typeof value === 'string' && value !== '') || typeof value === 'number');
  return id === undefined ? undefined : String(id);
}
