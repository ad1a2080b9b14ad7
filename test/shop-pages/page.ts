/** What a constructed shop page consists of, and the functions that the rules of `corpus.ts` compose pages from. */

export type Kind = 'right' | 'late' | 'twice' | 'contradictory' | 'hostile';
export type EventName = 'view' | 'cart' | 'remove' | 'purchase';

/** An item that the model knows. */
export interface KnownItem {
  readonly id: string;
  readonly aliases?: readonly string[];
  /** The `item_group_id` of the feed. */
  readonly group?: string;
}

/** What happens `at` milliseconds after the load event. `entry` and `entries` are JavaScript expressions. */
export type Step = { readonly at: number } & (
  | { readonly action: 'push'; readonly entry: string }
  | { readonly action: 'reassign'; readonly entries: string }
  | { readonly action: 'insert'; readonly into: string; readonly html: string }
  | { readonly action: 'replace'; readonly inside: string; readonly html: string }
  | { readonly action: 'navigate'; readonly url: string }
  | { readonly action: 'click'; readonly on: string }
);

export interface ShopPage {
  readonly name: string;
  /** The spelling of a product's identity, or the sort of page that shows no product. */
  readonly rule: string;
  readonly kind: Kind;
  /** Path, query and fragment of the page's address. */
  readonly url: string;
  /** The whole document. `TAG_PLACE` stands where the shop puts the embed's script. */
  readonly html: string;
  /** Attributes of the embed's script, and when a tag manager adds it; 0: it is part of the document. */
  readonly tag: { readonly attributes: string; readonly at: number };
  readonly steps: readonly Step[];
  readonly vocabulary: readonly KnownItem[];
  /** JSON-LD blocks of the document that are not JSON, after a comment or CDATA around them is taken off. */
  readonly brokenBlocks: number;
  /** What must be stored, in order. */
  readonly expected: readonly { readonly event: EventName; readonly id: string }[];
}

export const TAG_PLACE = '<!-- the recommendation script -->';
export const ORIGIN = 'https://shop.example';

/** The statement that carries out a step in the page. */
export function scriptOf(step: Step): string {
  const text = JSON.stringify;
  switch (step.action) {
    case 'push':
      return `(window.dataLayer ||= []).push(${step.entry});`;
    case 'reassign':
      return `window.dataLayer = ${step.entries};`;
    case 'insert':
      return `document.querySelector(${text(step.into)}).insertAdjacentHTML('beforeend', ${text(step.html)});`;
    case 'replace':
      return `document.querySelector(${text(step.inside)}).innerHTML = ${text(step.html)};`;
    case 'navigate':
      return `history.pushState({}, '', ${text(step.url)});`;
    case 'click':
      return `document.querySelector(${text(step.on)}).click();`;
  }
}

export interface Product {
  readonly id: string;
  readonly name: string;
  readonly price: string;
  /** GTIN-13. */
  readonly gtin: string;
  readonly mpn: string;
  readonly brand: string;
  readonly category: string;
}

/** Twelve digits and their check digit: https://www.gs1.org/services/how-calculate-check-digit-manually */
function gtin13(digits: string): string {
  const sum = [...digits].reduce((total, digit, k) => total + Number(digit) * (k % 2 === 0 ? 1 : 3), 0);
  return `${digits}${(10 - (sum % 10)) % 10}`;
}

const NAMES = 'Cake Stand,Glass Lantern,Jumbo Bag,Party Bunting,Tea Towel,Enamel Mug,Wool Blanket,Brass Hook'.split(
  ',',
);
export const STOCK: readonly Product[] = NAMES.map((name, k) => ({
  id: `${name.slice(0, 2).toUpperCase()}-${20719 + 613 * k}`,
  name: `${['Vintage', 'Red', 'Striped', 'Small'][k % 4]} ${name}`,
  price: `${4 + 3 * k}.95`,
  gtin: gtin13(`${500123456780 + 17 * k}`),
  mpn: `M${k}.${880 + k}/B`,
  brand: k % 2 === 0 ? 'Fernhill' : 'Otter & Sons',
  category: k < 4 ? 'Decoration' : 'Kitchen',
}));

export const pathOf = ({ id, name }: Product): string =>
  `/p/${name.toLowerCase().replaceAll(' ', '-')}-${id.slice(3)}.html`;
export const urlOf = (product: Product): string => ORIGIN + pathOf(product);

export const escaped = (text: string): string =>
  text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('"', '&quot;');
/** JSON that may stand inside a script. */
export const json = (value: unknown): string => JSON.stringify(value).replaceAll('<', '\\u003c');

export const block = (text: string, type = 'application/ld+json'): string => `<script type="${type}">${text}</script>`;
export const jsonLd = (thing: unknown, type?: string): string => block(json(thing), type);

export interface Thing {
  readonly [property: string]: unknown;
}
export const schema = (type: string | readonly string[], properties: Thing): Thing => ({
  '@context': 'https://schema.org',
  '@type': type,
  ...properties,
});

export const offer = ({ price }: Product, properties: Thing = {}): Thing => ({
  '@type': 'Offer',
  price,
  priceCurrency: 'EUR',
  availability: 'https://schema.org/InStock',
  ...properties,
});

/** A product of schema.org without an id. */
export const productThing = (
  product: Product,
  properties: Thing,
  type: string | readonly string[] = 'Product',
): Thing =>
  schema(type, {
    name: product.name,
    description: `${product.name} by ${product.brand}`,
    image: [`${ORIGIN}/images/${product.gtin}.jpg`],
    brand: { '@type': 'Brand', name: product.brand },
    offers: offer(product),
    ...properties,
  });

/** One statement of a page about its product, wherever it stands. */
export interface Part {
  readonly head?: string;
  readonly body?: string;
  /** An entry of the data layer. */
  readonly entry?: string;
  /** An attribute of the embed's script. */
  readonly attributes?: string;
}

interface Document {
  readonly title: string;
  readonly head?: string;
  readonly main: string;
  readonly canonical?: string | undefined;
  readonly entries?: readonly string[];
  readonly bodyAttributes?: string;
}

/** The frame that every page of the shop has, with blocks that name no product. */
export function documentOf({ title, head = '', main, canonical, entries = [], bodyAttributes = '' }: Document): string {
  const layer = ["{ event: 'page_data', page_type: 'shop', visitor: 'guest' }", ...entries].join(', ');
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${escaped(title)} – Fernhill &amp; Otter</title>
<meta name="description" content="${escaped(title)}, delivered in two days.">
<meta property="og:site_name" content="Fernhill &amp; Otter">
<meta property="og:title" content="${escaped(title)}">
<link rel="icon" href="data:,">
${canonical === undefined ? '' : `<link rel="canonical" href="${escaped(canonical)}">\n`}<script>
window.dataLayer = window.dataLayer || [];
dataLayer.push(${layer});
</script>
${jsonLd(schema('Organization', { name: 'Fernhill & Otter', url: `${ORIGIN}/`, sameAs: ['https://social.example/fo'] }))}
${head}
${TAG_PLACE}
</head>
<body${bodyAttributes}>
<header><a href="/">Fernhill &amp; Otter</a> <a href="/cart">Cart (<span id="count">0</span>)</a></header>
<main>
${main}
</main>
<footer><a href="/terms">Terms</a> <a href="/returns">Returns</a></footer>
</body>
</html>
`;
}

/** Links to products, without markup for machines. */
export const tiles = (products: readonly Product[]): string =>
  products
    .map((product) => `<a class="tile" href="${pathOf(product)}">${product.name} <b>€${product.price}</b></a>`)
    .join('\n');

/** The content of a product page; the button runs `onAdd`. */
export function productMain(product: Product, body = '', onAdd = ''): string {
  const crumbs = [{ name: 'Home', item: `${ORIGIN}/` }, { name: product.category }].map((crumb, k) => ({
    '@type': 'ListItem',
    position: k + 1,
    ...crumb,
  }));
  return `<nav><a href="/">Home</a> › ${product.category}</nav>
${jsonLd(schema('BreadcrumbList', { itemListElement: crumbs }))}
<h1>${product.name}</h1>
<p class="price">€${product.price} <s>€${Number(product.price) + 5}</s></p>
${body}
<button id="add" type="button" onclick="${escaped(onAdd)}">Add to cart</button>
<section class="related"><h2>Goes well with it</h2>
${tiles(STOCK.filter((other) => other !== product).slice(0, 3))}
</section>
<aisle-recommendations strategy="related"></aisle-recommendations>`;
}

/** The document of a product page that says `parts` from the start. */
export function productPage(
  product: Product,
  parts: readonly Part[],
  {
    canonical = urlOf(product),
    onAdd = '',
    bodyAttributes = '',
  }: { canonical?: string | null; onAdd?: string; bodyAttributes?: string } = {},
): string {
  const joined = (key: 'head' | 'body'): string => parts.map((part) => part[key] ?? '').join('\n');
  return documentOf({
    title: product.name,
    head: joined('head'),
    main: productMain(product, joined('body'), onAdd),
    canonical: canonical ?? undefined,
    entries: parts.flatMap(({ entry }) => entry ?? []),
    bodyAttributes,
  });
}

/** The same part, later. */
export function stepsOf({ head, body, entry }: Part, at: number): Step[] {
  const steps: Step[] = [];
  if (head !== undefined) steps.push({ at, action: 'insert', into: 'head', html: head });
  if (body !== undefined) steps.push({ at, action: 'insert', into: 'main', html: body });
  if (entry !== undefined) steps.push({ at, action: 'push', entry });
  return steps;
}
