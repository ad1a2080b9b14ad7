/**
 * Product pages and event flows of shops, made by rule from the public documentation that stands above each rule.
 *
 * It imports nothing of `src/`, so that the readers are compared with the formats, not with themselves. What is expected:
 * the page's main entity wins, that is the selected variant (address, offer, `view_item`), else its group, else the one
 * product that the model knows, else none. Ids are trimmed; other spellings match only through aliases. A page view has
 * one product, whichever source speaks first. Listed and related products are never viewed.
 *
 * Absolute addresses begin with `ORIGIN`: serve the pages there, or replace it in `html`, `steps` and `vocabulary`.
 */
import {
  block,
  documentOf,
  type EventName,
  escaped,
  json,
  jsonLd,
  type Kind,
  type KnownItem,
  ORIGIN,
  offer,
  type Part,
  type Product,
  pathOf,
  productMain,
  productPage,
  productThing,
  type ShopPage,
  STOCK,
  type Step,
  schema,
  stepsOf,
  type Thing,
  tiles,
  urlOf,
} from './page.ts';

const KINDS: readonly Kind[] = ['right', 'late', 'twice', 'contradictory', 'hostile'];
const stock = (k: number): Product => STOCK[k % STOCK.length]!;
const [A, B, C, D] = [stock(0), stock(1), stock(2), stock(3)];
const KNOWN: readonly KnownItem[] = STOCK.map(({ id }) => ({ id }));

type Fields = Pick<ShopPage, 'rule' | 'kind' | 'html'> & { readonly what: string } & Partial<ShopPage>;
/** A page of the product A that stores nothing, where the fields do not say otherwise. */
const page = ({ what, ...fields }: Fields): ShopPage => ({
  name: `${fields.rule}: ${what}`,
  url: pathOf(A),
  tag: { attributes: '', at: 0 },
  steps: [],
  vocabulary: KNOWN,
  brokenBlocks: 0,
  expected: [],
  ...fields,
});
const events = (event: EventName, ...ids: string[]): { event: EventName; id: string }[] =>
  ids.map((id) => ({ event, id }));
const viewed = (id: string): { event: EventName; id: string }[] => events('view', id);

/** How a data layer spells an event: an expression that makes its entry. */
type Dialect = (event: EventName, ids: readonly unknown[], transaction?: string) => string;
const GA4 = { view: 'view_item', cart: 'add_to_cart', remove: 'remove_from_cart', purchase: 'purchase' } as const;
const ACTION = { view: 'detail', cart: 'add', remove: 'remove', purchase: 'purchase' } as const;

const itemsOf = (key: 'item_id' | 'id', ids: readonly unknown[]): unknown[] =>
  ids.map((id, index) => ({ [key]: id, price: 9.95, quantity: 1, index }));
const parameters =
  (key: 'item_id' | 'id'): ((...said: Parameters<Dialect>) => Thing) =>
  (event, ids, transaction = 'T-1001') => ({
    currency: 'EUR',
    value: 9.95,
    ...(event === 'purchase' && { transaction_id: transaction, tax: 1.9, shipping: 0 }),
    items: itemsOf(key, ids),
  });
const [withItemId, withId] = [parameters('item_id'), parameters('id')];
const gtag = (event: EventName, content: Thing): string =>
  `(function () { return arguments; })('event', '${GA4[event]}', ${json(content)})`;
const universal: (...said: Parameters<Dialect>) => Thing = (event, ids, transaction = 'T-1001') => ({
  currencyCode: 'EUR',
  [ACTION[event]]: {
    ...(event === 'purchase' && { actionField: { id: transaction, revenue: '19.90' } }),
    products: itemsOf('id', ids),
  },
});

const DIALECTS: Readonly<Record<string, Dialect>> = {
  // https://developers.google.com/analytics/devguides/collection/ga4/ecommerce?client_type=gtm
  'GA4 ecommerce.items with item_id': (event, ...said) =>
    json({ event: GA4[event], ecommerce: withItemId(event, ...said) }),
  // Items as before GA4, in its place: https://developers.google.com/analytics/devguides/collection/upgrade/ga4/gtm-ga4-to-ua
  'GA4 ecommerce.items with id': (event, ...said) => json({ event: GA4[event], ecommerce: withId(event, ...said) }),
  // Variables stand at the top level of an entry: https://developers.google.com/tag-platform/tag-manager/datalayer
  'GA4 items at the top level': (event, ...said) => json({ event: GA4[event], ...withItemId(event, ...said) }),
  // gtag() pushes its arguments object: https://developers.google.com/tag-platform/gtagjs/reference
  'gtag() with item_id': (event, ...said) => gtag(event, withItemId(event, ...said)),
  // https://developers.google.com/analytics/devguides/collection/gtagjs/enhanced-ecommerce
  'gtag() with id': (event, ...said) => gtag(event, withId(event, ...said)),
  // One custom event for all, its name a variable: https://developers.google.com/tag-platform/tag-manager/datalayer
  'wrapper event with event_name': (event, ...said) =>
    json({ event: 'ecommerce_event', event_name: GA4[event], ecommerce: withItemId(event, ...said) }),
  // Prefixed names around UA's actions: https://docs.getelevar.com/docs/headless-implementing-the-data-layer
  'wrapper event with a prefix': (event, ...said) =>
    json({ event: `dl_${GA4[event]}`, event_id: 'e-1', ecommerce: universal(event, ...said) }),
  // https://developers.google.com/analytics/devguides/collection/ua/gtm/enhanced-ecommerce
  'Universal Analytics': (event, ...said) =>
    json({ ...(event !== 'view' && { event: `eec.${ACTION[event]}` }), ecommerce: universal(event, ...said) }),
};
const ga4 = DIALECTS['GA4 ecommerce.items with item_id']!;

/** A way to say which product a page shows. */
interface Spelling {
  readonly rule: string;
  /** What the page says of a product. */
  readonly said: (product: Product) => string;
  /** The model's item; the id that is said, by default. */
  readonly item?: (product: Product) => KnownItem;
  /** @param value The id that is said, or what a hostile page has in its place. @param k Index of the kind. */
  readonly say: (value: unknown, product: Product, k: number) => Part;
  readonly brokenBlocks?: number;
  readonly noCanonical?: boolean;
}

const idOf = ({ id }: Product): string => id;
type Write = (thing: Thing, k: number) => string;
const inJsonLd = (
  rule: string,
  thing: (value: unknown, product: Product, k: number) => Thing,
  { write = (content) => jsonLd(content), said = idOf, ...rest }: Partial<Spelling> & { write?: Write } = {},
): Spelling => ({
  rule,
  said,
  say: (value, product, k) => ({ [k % 2 === 0 ? 'head' : 'body']: write(thing(value, product, k), k) }),
  ...rest,
});
const withSku = (value: unknown, product: Product): Thing => productThing(product, { sku: value });
const graph = (...things: Thing[]): string => jsonLd({ '@context': 'https://schema.org', '@graph': things });
const listOf = (things: readonly Thing[]): Thing =>
  schema('ItemList', { itemListElement: things.map((item, k) => ({ '@type': 'ListItem', position: k + 1, item })) });

/** Blocks that no JSON parser takes: a comma too many, a line break in a text, the end cut off. */
const BROKEN = ['{"@type": "Product", "sku": "X-1",}', '{"@type": "Product", "name": "two\nlines"}', '{"@type": "Prod'];
const TYPES = [
  'application/ld+json; charset=utf-8',
  'application/ld+json;charset=UTF-8',
  'Application/LD+JSON',
  'application/ld+json; charset="utf-8"',
  ' application/ld+json ',
];

const microdata = (product: Product, content: string): string => `<div itemscope itemtype="https://schema.org/Product">
<span itemprop="name">${product.name}</span>
${content}
<div itemprop="brand" itemscope itemtype="https://schema.org/Brand"><meta itemprop="name" content="${escaped(product.brand)}"></div>
<div itemprop="offers" itemscope itemtype="https://schema.org/Offer">
<meta itemprop="priceCurrency" content="EUR"><span itemprop="price" content="${product.price}">€${product.price}</span>
<link itemprop="availability" href="https://schema.org/InStock">
</div>
</div>`;
const meta = (property: string, value: unknown): string =>
  `<meta property="${property}" content="${escaped(String(value))}">`;
const itemprop = (name: string, value: unknown): string =>
  `<meta itemprop="${name}" content="${escaped(String(value))}">`;

const SPELLINGS: readonly Spelling[] = [
  // The embed's own attribute, on its script: the table of attributes in docs/embed.md.
  { rule: 'data-item', said: idOf, say: (value) => ({ attributes: `data-item="${escaped(String(value))}"` }) },
  // https://schema.org/sku, https://developers.google.com/search/docs/appearance/structured-data/merchant-listing
  inJsonLd('JSON-LD sku', withSku),
  // https://schema.org/productID
  inJsonLd('JSON-LD productID', (value, product) =>
    productThing(product, { productID: value, sku: `W${product.id.slice(3)}` }),
  ),
  // https://schema.org/gtin13, https://schema.org/gtin
  inJsonLd('JSON-LD gtin13', (value, product, k) => productThing(product, { [k % 2 ? 'gtin' : 'gtin13']: value }), {
    said: ({ gtin }) => gtin,
  }),
  // https://schema.org/gtin14: a GTIN-13 with a leading zero. The model has it in that spelling.
  inJsonLd('JSON-LD gtin14', (value, product) => productThing(product, { gtin14: value, sku: `W${product.id}` }), {
    said: ({ gtin }) => `0${gtin}`,
  }),
  // https://schema.org/mpn
  inJsonLd('JSON-LD mpn', (value, product) => productThing(product, { mpn: value }), { said: ({ mpn }) => mpn }),
  // Node identifiers: https://www.w3.org/TR/json-ld11/#node-identifiers
  inJsonLd('JSON-LD @id', (value, product) => productThing(product, { '@id': value }), {
    said: (product) => `${ORIGIN}/id/${product.id}`,
  }),
  // https://schema.org/Offer has a sku of its own.
  inJsonLd('JSON-LD offers with sku', (value, product, k) => {
    const offers = offer(product, { sku: value, seller: { '@type': 'Organization', name: 'Fernhill & Otter' } });
    return productThing(product, { offers: k % 2 === 0 ? offers : [offers] });
  }),
  // https://developers.google.com/search/docs/appearance/structured-data/product-variants: the model knows the groups.
  inJsonLd('JSON-LD ProductGroup', (value, product) =>
    schema('ProductGroup', {
      name: product.name,
      productGroupID: value,
      variesBy: ['https://schema.org/size'],
      hasVariant: ['S', 'L'].map((size) => productThing(product, { size, sku: `${product.gtin}-${size}` })),
    }),
  ),
  // The same page, for shops that have one page for each variant.
  inJsonLd('JSON-LD variant of a group', (value, product, k) =>
    productThing(product, {
      sku: `${product.gtin}-S`,
      ...(k % 2 === 0
        ? { inProductGroupWithID: value }
        : { isVariantOf: { '@type': 'ProductGroup', name: product.name, productGroupID: value } }),
    }),
  ),
  // https://schema.org/Vehicle, https://developers.google.com/search/docs/appearance/structured-data/vehicle-listing
  inJsonLd('JSON-LD Vehicle', (value, product, k) =>
    productThing(
      product,
      { sku: value, vehicleIdentificationNumber: `WVW${product.gtin}X`, vehicleModelDate: '2021' },
      k % 2 === 0 ? 'Vehicle' : ['Product', 'Car'],
    ),
  ),
  // https://schema.org/IndividualProduct and https://schema.org/ProductModel are products.
  inJsonLd('JSON-LD subtypes of Product', (value, product, k) =>
    productThing(product, { sku: value }, k % 2 === 0 ? 'IndividualProduct' : 'ProductModel'),
  ),
  // A type is an IRI, of which the name is the short form: https://www.w3.org/TR/json-ld11/#specifying-the-type
  inJsonLd('JSON-LD full type name', (value, product, k) =>
    productThing(
      product,
      { sku: value },
      ['https://schema.org/Product', 'http://schema.org/Product', 'schema:Product'][k % 3]!,
    ),
  ),
  // https://www.w3.org/TR/json-ld11/#graph-containers; the page points to its product, or the product stands there alone.
  inJsonLd('JSON-LD @graph', (value, product) => productThing(product, { sku: value, '@id': '#product' }), {
    write: (thing, k) =>
      graph(
        schema('ItemPage', { '@id': '#page', ...(k % 2 === 0 && { mainEntity: { '@id': '#product' } }) }),
        schema('WebSite', { name: 'F&O' }),
        thing,
      ),
  }),
  // https://schema.org/mainEntity
  inJsonLd('JSON-LD mainEntity', (value, product) => schema('ItemPage', { mainEntity: withSku(value, product) })),
  // A document may be an array: https://www.w3.org/TR/json-ld11/#json-ld-grammar
  inJsonLd('JSON-LD top-level array', withSku, {
    write: (thing, k) => jsonLd(k % 2 === 0 ? [thing] : [schema('WebSite', { name: 'F&O' }), thing]),
  }),
  // Media types are case-insensitive and have parameters: https://www.rfc-editor.org/rfc/rfc9110#section-8.3.1
  inJsonLd('JSON-LD type with charset', withSku, { write: (thing, k) => jsonLd(thing, TYPES[k]) }),
  // Comments around a script's content, from HTML 4: https://www.w3.org/TR/html401/interact/scripts.html#h-18.3.2
  inJsonLd('JSON-LD in a comment', withSku, {
    write: (thing, k) => block(k % 2 === 0 ? `<!--\n${json(thing)}\n-->` : `\n<!-- ${json(thing)} //-->\n`),
  }),
  // CDATA around a script's content, from XHTML: https://www.w3.org/TR/xhtml1/#h-4.8
  inJsonLd('JSON-LD in CDATA', withSku, {
    write: (thing, k) =>
      block(
        [`//<![CDATA[\n${json(thing)}\n//]]>`, `/* <![CDATA[ */${json(thing)}/* ]]> */`, `<![CDATA[${json(thing)}]]>`][
          k % 3
        ]!,
      ),
  }),
  // Each script is a document of its own: https://www.w3.org/TR/json-ld11/#embedding-json-ld-in-html-documents
  inJsonLd('JSON-LD next to a broken block', withSku, {
    write: (thing, k) => block(BROKEN[k % 3]!) + jsonLd(thing),
    brokenBlocks: 1,
  }),
  // https://html.spec.whatwg.org/multipage/microdata.html: the value is the text, or the `content` of a `meta`.
  {
    rule: 'microdata sku',
    said: idOf,
    say: (value, product, k) => ({
      body: microdata(
        product,
        k % 2 === 0 ? `<b>SKU</b> <span itemprop="sku">${escaped(String(value))}</span>` : itemprop('sku', value),
      ),
    }),
  },
  {
    rule: 'microdata productID and gtin13',
    said: ({ gtin }) => gtin,
    say: (value, product, k) => ({ body: microdata(product, itemprop(k % 2 === 0 ? 'productID' : 'gtin13', value)) }),
  },
  // https://developers.facebook.com/docs/marketing-api/catalog/guides/microdata-tags
  {
    rule: 'Open Graph product:retailer_item_id',
    said: idOf,
    say: (value, { price }) => ({
      head: [
        meta('og:type', 'product'),
        meta('product:price:amount', price),
        meta('product:price:currency', 'EUR'),
        meta('product:retailer_item_id', value),
      ].join('\n'),
    }),
  },
  // https://www.rfc-editor.org/rfc/rfc6596; the feed's link is an alias: https://support.google.com/merchants/answer/6324416
  {
    rule: 'canonical URL',
    said: urlOf,
    item: (product) => ({ id: product.id, aliases: [urlOf(product)] }),
    say: (value) => ({ head: `<link rel="canonical" href="${escaped(String(value))}">` }),
    noCanonical: true,
  },
  // Another spelling of the id in the feed: https://support.google.com/merchants/answer/6324405
  inJsonLd('alias', withSku, {
    said: ({ id }) => id.toLowerCase(),
    item: ({ id, gtin }) => ({ id, aliases: [id.toLowerCase(), gtin] }),
  }),
  ...Object.entries(DIALECTS).map(
    ([rule, dialect]): Spelling => ({ rule, said: idOf, say: (value) => ({ entry: dialect('view', [value]) }) }),
  ),
];

/** What a hostile or careless page has in the place of an id; only the first still says it. */
const BAD: readonly (readonly [string, (id: string) => unknown])[] = [
  ['white space around the id', (id) => `\n\t ${id}\u00a0 `],
  ['another case or a leading zero', (id) => (id.toLowerCase() === id ? `0${id}` : id.toLowerCase())],
  ['a name of Object.prototype', () => '__proto__'],
  ['an id of 20 kB', (id) => id + 'x'.repeat(20_000)],
  ['an object instead of an id', (id) => ({ value: id })],
  ['an empty id', () => ' '],
  ['true instead of an id', () => true],
  ['a method name', () => 'constructor'],
  ['null instead of an id', () => null],
];

/** The five kinds of one spelling, each about another product. */
function pagesOf(spelling: Spelling, index: number): ShopPage[] {
  const { rule, said, say, item = (product) => ({ id: said(product) }), brokenBlocks = 0, noCanonical } = spelling;
  const canonical = noCanonical ? { canonical: null } : {};
  const vocabulary = STOCK.map(item);
  return KINDS.map((kind, k) => {
    const product = stock(index + k);
    const id = said(product);
    const part = say(id, product, k);
    const make = (what: string, parts: readonly Part[], fields: Partial<ShopPage> = {}): ShopPage =>
      page({
        rule,
        kind,
        what: `${kind}, ${what}`,
        url: pathOf(product) + ['', '?utm_source=mail', '#reviews'][(index + k) % 3]!,
        html: productPage(product, parts, canonical),
        tag: { attributes: parts.map(({ attributes = '' }) => attributes).join(''), at: 0 },
        vocabulary,
        brokenBlocks: parts.includes(part) ? brokenBlocks : 0,
        expected: viewed(item(product).id),
        ...fields,
      });
    const [other, third] = [said(stock(index + k + 1)), said(stock(index + k + 2))];
    const list = jsonLd(listOf([other, third].map((sku) => schema('Product', { name: 'Product', sku, url: sku }))));
    const rivalThing = productThing(product, {
      sku: part.attributes === undefined ? `OLD-${id}` : other,
      isRelatedTo: schema('Product', { sku: third }),
    });
    const sameElsewhere: Part =
      part.entry === undefined ? { entry: ga4('view', [id]) } : { head: jsonLd(withSku(id, product)) };
    const [bad, spoil] = BAD[index % BAD.length]!;
    switch (kind) {
      case 'right':
        return make('from the start', [part]);
      case 'late': {
        const at = [300, 700, 1200][index % 3]!;
        if (part.attributes !== undefined)
          return make('by a tag manager', [], { tag: { attributes: part.attributes, at } });
        if (part.entry === undefined || index % 2 === 0)
          return make(`after ${at} ms`, [], { steps: stepsOf(part, at) });
        const reassign: Step = { at, action: 'reassign', entries: `[{ event: 'gtm.js' }, ${part.entry}]` };
        return make('in a reassigned data layer', [], { steps: [reassign] });
      }
      case 'twice':
        return make('by itself and by another source', [part, sameElsewhere], { steps: stepsOf(part, 600) });
      case 'contradictory': {
        const dataLayerRival = part.entry === undefined && part.attributes === undefined;
        const rival: Part = { head: list, ...(dataLayerRival && { entry: ga4('view', [`OLD-${id}`]) }) };
        const parts = dataLayerRival ? [rival] : [{ head: jsonLd(rivalThing) + list }];
        const late = index % 2 === 0 && part.attributes === undefined;
        return late
          ? make('after another source with an id of old', parts, { steps: stepsOf(part, 500) })
          : make('next to another source', [part, ...parts]);
      }
      default:
        return make(bad, [say(spoil(id), product, k)], {
          brokenBlocks,
          ...(index % BAD.length !== 0 && { expected: [] }),
        });
    }
  });
}

type Rest = Partial<ShopPage>;
/** Pages of one rule about the product A: kind, what it is, the id that is viewed, what the page says, and more. */
const pagesAbout =
  (rule: string, common: Rest = {}, options: Parameters<typeof productPage>[2] = {}) =>
  (kind: Kind, what: string, id: string | undefined, parts: Part[], rest: Rest = {}): ShopPage => {
    const expected = id === undefined ? [] : viewed(id);
    return page({ rule, kind, what, html: productPage(A, parts, options), expected, ...common, ...rest });
  };
const later = (part: Part, at = 600): Rest => ({ steps: stepsOf(part, at) });
const viewItem = (id: string): Part => ({ entry: ga4('view', [id]) });
const skuLd = (product: Product): string => jsonLd(withSku(product.id, product));
const skuMicrodata = (product: Product): string => microdata(product, itemprop('sku', product.id));
const retailerId = (id: string): Part => ({ head: meta('product:retailer_item_id', id) });

/**
 * Events after the view, by dialect: from the product page to the order.
 *
 * @see https://developers.google.com/analytics/devguides/collection/ga4/ecommerce
 * @see https://support.google.com/analytics/answer/12313109 on `transaction_id`
 */
function eventPages(rule: string, dialect: Dialect, index: number): ShopPage[] {
  const view: Part = { entry: dialect('view', [A.id]) };
  const push = (at: number, ...said: Parameters<Dialect>): Step => ({ at, action: 'push', entry: dialect(...said) });
  const add: Step = { at: 300, action: 'click', on: '#add' };
  const onAdd = `dataLayer.push({ ecommerce: null }); dataLayer.push(${dialect('cart', [A.id])})`;
  const main = '<h1>Thank you</h1><p>Order T-1001</p>';
  const done = {
    url: '/checkout/done',
    html: documentOf({ title: 'Order', main, entries: [dialect('purchase', [A.id, B.id])] }),
  };
  const toOrder: Step[] = [
    add,
    push(500, 'remove', [A.id]),
    { at: 700, action: 'navigate', url: done.url },
    { at: 720, action: 'replace', inside: 'main', html: main },
    push(800, 'purchase', [A.id, B.id]),
  ];
  const orders = [push(400, 'purchase', [A.id, B.id]), push(700, 'purchase', [B.id], 'T-1002')];
  const reassign: Step = { at: 200, action: 'reassign', entries: '[]' };
  const bad = push(400, 'cart', [null, { id: B.id }, '__proto__', [B.id], ` ${A.id} `, '']);
  const [added, bought] = [[...viewed(A.id), ...events('cart', A.id)], events('purchase', A.id, B.id)];
  const tag = { attributes: '', at: 700 };
  const open = pagesAbout(rule, {}, { onAdd });
  const others = [
    open('late', 'the script comes after the events', A.id, [view], { steps: [add], tag, expected: added }),
    open('twice', 'one order pushed twice, then another order', A.id, [], {
      ...done,
      steps: orders,
      expected: [...bought, ...events('purchase', B.id)],
    }),
    open('contradictory', 'a related product and an unknown one are added', A.id, [view], {
      steps: [push(300, 'cart', [B.id]), push(500, 'cart', ['OLD-1'])],
      expected: [...viewed(A.id), ...events('cart', B.id)],
    }),
    open('hostile', 'bad ids in a cart', A.id, [view], { steps: [reassign, bad], expected: added }),
  ];
  return [
    open('right', 'viewed, added, removed, bought', A.id, [view], {
      steps: toOrder,
      expected: [...added, ...events('remove', A.id), ...bought],
    }),
    ...others.filter((_, k) => (k + index) % 2 === 0),
  ];
}

/**
 * A group with variants that have addresses of their own.
 *
 * @see https://developers.google.com/search/docs/appearance/structured-data/product-variants
 */
function variantPages(): ShopPage[] {
  const [red, blue, green] = ['red', 'blue', 'green'].map((color) => `${pathOf(A)}?color=${color}`) as [
    string,
    string,
    string,
  ];
  const [RED, BLUE] = [`${A.id}-RED`, `${A.id}-BLUE`];
  const variant = (sku: string, url: string): Thing =>
    productThing(A, { sku, offers: offer(A, { url: ORIGIN + url }) });
  const thing = schema('ProductGroup', {
    name: A.name,
    url: urlOf(A),
    productGroupID: A.id,
    variesBy: ['https://schema.org/color'],
    hasVariant: [variant(RED, red), variant(BLUE, blue)],
  });
  const group: Part = { head: jsonLd(thing) };
  const isVariantOf = { '@type': 'ProductGroup', name: A.name, productGroupID: A.id };
  const alone: Part = { head: jsonLd({ ...variant(BLUE, blue), isVariantOf }) };
  const offers = (...skus: string[]): Part => ({
    body: jsonLd(productThing(A, { sku: A.id, offers: skus.map((sku) => offer(A, { sku })) })),
  });
  const nested = { '@type': 'Product', hasVariant: [{ sku: RED }], sku: {} };
  const weird: Part = { head: jsonLd({ ...thing, hasVariant: [null, 'text', 7, [], { '@type': 'Product' }, nested] }) };
  const both: KnownItem[] = [RED, BLUE].map((id) => ({ id, group: A.id }));
  const all = { vocabulary: [...both, ...KNOWN] };
  const open = pagesAbout('selected variant', { vocabulary: both });
  return [
    open('right', 'by the address', BLUE, [group], { url: blue }),
    open('right', 'on a page of its own', BLUE, [alone], all),
    open('right', 'unknown, so the group', A.id, [group], { url: green, vocabulary: [{ id: A.id }] }),
    open('right', 'none selected, one known', BLUE, [group], { vocabulary: [{ id: BLUE, group: A.id }] }),
    open('late', 'by view_item', BLUE, [group], later(viewItem(BLUE))),
    open('late', 'the group after view_item', BLUE, [viewItem(BLUE)], { ...all, ...later(group) }),
    open('twice', 'by the address, the group and view_item', BLUE, [group, viewItem(BLUE)], { url: blue }),
    open('contradictory', 'view_item and a group that is known too', BLUE, [group, viewItem(BLUE)], all),
    open('contradictory', 'the one offer and a sku that is known too', RED, [offers(RED)], all),
    open('contradictory', 'two offers and a sku that is known too', A.id, [offers(RED, BLUE)], all),
    open('contradictory', 'the address and Open Graph', BLUE, [group, retailerId(A.id)], { ...all, url: blue }),
    open('contradictory', 'none selected, two known', undefined, [group]),
    open('hostile', 'variants that are none', A.id, [weird], { ...all, url: `${pathOf(A)}?variant=__proto__` }),
  ];
}

/**
 * Navigation without a new document.
 *
 * @see https://developer.mozilla.org/docs/Web/API/History/pushState
 * @see https://developers.google.com/analytics/devguides/collection/ga4/single-page-applications
 */
function singlePages(): ShopPage[] {
  const go = (at: number, url: string): Step => ({ at, action: 'navigate', url });
  const show = (at: number, html: string): Step => ({ at, action: 'replace', inside: 'main', html });
  const toB = (of: (product: Product) => string, delay = 0): Step[] => [
    go(500, pathOf(B)),
    show(500 + delay, productMain(B, of(B))),
  ];
  const expected = [...viewed(A.id), ...viewed(B.id)];
  const open = pagesAbout('single-page navigation', {}, { canonical: null });
  const [ld, micro, layer]: [Part, Part, Part] = [{ body: skuLd(A) }, { body: skuMicrodata(A) }, viewItem(A.id)];
  const sayB = stepsOf(viewItem(B.id), 600);
  const back = [...toB(skuLd), go(1000, pathOf(A)), show(1000, productMain(A, skuLd(A)))];
  const often = Array.from({ length: 20 }, (_, k) => go(300 + k, pathOf(A)));
  return [
    open('right', 'JSON-LD in the content', A.id, [ld], { steps: toB(skuLd), expected }),
    open('right', 'view_item of each', A.id, [layer], { steps: [go(500, pathOf(B)), ...sayB], expected }),
    open('late', 'JSON-LD, the old stays for 500 ms', A.id, [ld], { steps: toB(skuLd, 500), expected }),
    open('late', 'microdata, the old stays for 500 ms', A.id, [micro], { steps: toB(skuMicrodata, 500), expected }),
    open('twice', 'there and back', A.id, [ld], { steps: back, expected: [...expected, ...viewed(A.id)] }),
    open('twice', 'a fragment of the same page', A.id, [ld], { steps: [go(400, `${pathOf(A)}#reviews`)] }),
    open('contradictory', 'JSON-LD of the first product stays', A.id, [{ head: skuLd(A) }], {
      steps: [...toB(() => ''), ...sayB],
      expected,
    }),
    open('contradictory', 'to a listing', A.id, [layer], { steps: [go(500, '/c/kitchen'), show(500, tiles(STOCK))] }),
    open('hostile', 'the same address many times', A.id, [layer], { steps: often }),
  ];
}

/** https://shopify.dev/docs/api/liquid/filters/structured_data and https://shopify.dev/docs/storefronts/themes/product-merchandising/variants */
function shopifyPages(): ShopPage[] {
  const [P, V1, V2] = ['7011223344', '40112233441', '40112233442'];
  const path = '/products/cake-stand';
  const group = schema('ProductGroup', {
    '@id': `${path}#product`,
    name: A.name,
    productGroupID: P,
    url: ORIGIN + path,
    hasVariant: [V1, V2].map((id, k) => ({
      '@id': `${path}?variant=${id}#variant`,
      '@type': 'Product',
      name: `${A.name} - ${k}`,
      sku: `CAKE-${k}`,
      offers: offer(A, { '@id': `${path}?variant=${id}#offer`, url: `${ORIGIN}${path}?variant=${id}` }),
    })),
  });
  const hidden = (name: string, value: string): string => `<input type="hidden" name="${name}" value="${value}">`;
  const form = (id: string): Part => ({
    body: `<form action="/cart/add">${hidden('id', id)}${hidden('product-id', P)}</form>`,
  });
  const ld: Part = { head: jsonLd(group) + meta('og:type', 'product') };
  // The ids of the Google channel: https://matrixify.app/documentation/shopify-google-shopping-data-feed-export/
  const [F1, F2] = [`shopify_US_${P}_${V1}`, `shopify_US_${P}_${V2}`];
  const feed = [
    { id: F1, aliases: [V1, 'CAKE-0'], group: P },
    { id: F2, aliases: [V2, 'CAKE-1'], group: P },
  ];
  const url = `${path}?variant=${V2}`;
  const variants: KnownItem[] = [V1, V2].map((id) => ({ id, group: P }));
  const skus = { vocabulary: [{ id: 'CAKE-0' }, { id: 'CAKE-1' }] };
  const open = pagesAbout('Shopify', { url, vocabulary: variants }, { canonical: ORIGIN + path });
  return [
    open('right', 'variant ids, variant in the address', V2, [ld, form(V2)]),
    open('right', 'product ids', P, [ld, form(V1)], { url: path, vocabulary: [{ id: P }] }),
    open('right', "the Google channel's ids, variant in the address", F2, [ld, form(V2)], { vocabulary: feed }),
    open('right', 'SKUs, variant in the address', 'CAKE-1', [ld, form(V2)], skus),
    open('late', "view_item with the Google channel's id", F2, [], {
      url: path,
      vocabulary: feed,
      ...later(viewItem(F2)),
    }),
    open('twice', 'address, JSON-LD and view_item', F2, [ld, form(V2), viewItem(F2)], { vocabulary: feed }),
    open('contradictory', 'Open Graph has the first variant', V2, [ld, retailerId(V1)]),
    open('hostile', 'a variant that does not exist', P, [ld], {
      url: `${path}?variant=__proto__`,
      vocabulary: [...variants, { id: P }],
    }),
  ];
}

/** Body and title of the product layout carry microdata: https://developer.adobe.com/commerce/frontend-core/guide/layouts/ */
function magentoPages(): ShopPage[] {
  const upsell = [B, C].map(({ id }) => `<form data-role="tocart-form" data-product-sku="${id}"></form>`).join('');
  const body = (sku: string): Part => ({
    body: `<div class="product attribute sku">SKU <div class="value" itemprop="sku">${sku}</div></div>
<form id="product_addtocart_form" data-product-sku="${escaped(sku.trim())}"></form><section class="upsell">${upsell}</section>`,
  });
  const bodyAttributes = ' class="catalog-product-view" itemscope itemtype="http://schema.org/Product"';
  const open = pagesAbout('Magento', {}, { bodyAttributes });
  return [
    open('right', 'microdata of the body', A.id, [body(A.id)]),
    open('late', 'view_item of the configured product', A.id, [body('PARENT-1')], later(viewItem(A.id))),
    open('twice', 'microdata and view_item', A.id, [body(A.id), viewItem(A.id)]),
    open('contradictory', 'only the upsell products are known', undefined, [body('PARENT-1')]),
    open('hostile', 'white space', A.id, [body(`\n   ${A.id}\u00a0\n`)]),
  ];
}

/** Slashes escaped, the post's id without a sku: https://github.com/woocommerce/woocommerce/wiki/Structured-data-for-products */
function wooPages(): ShopPage[] {
  const form: Part = {
    body: '<form class="cart" data-product_id="4711"><button name="add-to-cart" value="4711">Buy</button></form>',
  };
  const ld = (sku: string | number): Part => {
    const thing = productThing(A, { '@id': `${urlOf(A)}#product`, url: urlOf(A), sku });
    return { body: graph(schema('BreadcrumbList', {}), thing).replace(/>.*</s, (text) => text.replaceAll('/', '\\/')) };
  };
  // https://github.com/woocommerce/google-listings-and-ads: the feed's ids have a prefix.
  const gla: Part = { entry: DIALECTS['gtag() with id']!('view', ['gla_4711']) };
  const known = (id: string, more: Partial<KnownItem> = {}): Rest => ({
    vocabulary: [{ id, ...more }, ...KNOWN.slice(1)],
  });
  const markup = '"><b>7 & Ø</b>';
  const open = pagesAbout('WooCommerce');
  const cake = known('cake-1', { aliases: ['gla_4711', '4711'] });
  return [
    open('right', 'sku in a graph with escaped slashes', 'cake/1', [ld('cake/1'), form], known('cake/1')),
    open('right', "the post's id as a number", '4711', [ld(4711), form], known('4711')),
    open('late', "gtag() with the feed's id", 'cake-1', [form], { ...cake, ...later(gla) }),
    open('twice', 'JSON-LD and gtag()', 'cake-1', [ld('cake-1'), form, gla], cake),
    open('contradictory', 'the chosen variation and its parent', 'cake-1-b', [ld('cake-1'), form], {
      ...known('cake-1-b', { group: 'cake-1' }),
      ...later(viewItem('cake-1-b')),
    }),
    open('hostile', 'a sku like markup', markup, [ld(markup), form], known(markup)),
  ];
}

/** Rich snippets: https://developer.shopware.com/docs/guides/development/testing/store/seo-and-structured-data.html */
function shopwarePages(): ShopPage[] {
  const [uuid, number] = ['018f83ff5a987155b3eab55e7f1d4452', 'SW10178'];
  const detail = (said: string): Part => ({
    body: microdata(
      A,
      `<span class="product-detail-ordernumber" itemprop="sku">\n  ${said}\n</span>${itemprop('productID', uuid)}
<form><input type="hidden" name="lineItems[${uuid}][id]" value="${uuid}"></form>`,
    ),
  });
  const others = [B, C].map((product) => `<div itemprop="itemListElement">${skuMicrodata(product)}</div>`).join('');
  const crossSelling: Part = { body: `<div itemscope itemtype="https://schema.org/ItemList">${others}</div>` };
  const open = pagesAbout('Shopware', { vocabulary: [...KNOWN.slice(1), { id: number }] });
  return [
    open('right', 'product number', number, [detail(number)]),
    open('right', 'id of the entity', uuid, [detail('SW-X')], { vocabulary: [{ id: uuid }] }),
    open('late', 'the buy box comes later', number, [], later(detail(number), 900)),
    open('twice', 'microdata and view_item', number, [detail(number), viewItem(number)]),
    open('contradictory', 'cross-selling with microdata', number, [crossSelling, detail(number)]),
    open('hostile', 'a variant number that begins like a known one', undefined, [detail(`${number}.2`)]),
  ];
}

/** Reference, combinations and ids: https://devdocs.prestashop-project.org/9/themes/reference/templates/ */
function prestaShopPages(): ShopPage[] {
  const [S, M, reference] = ['demo_12-S', 'demo_12-M', 'demo_12'];
  const said = (sku: string): Part => {
    const offers = [S, M].map((combination) => offer(A, { sku: combination, mpn: combination, url: urlOf(A) }));
    const details = escaped(json({ id_product: 12, id_product_attribute: 45, reference: sku }));
    const ld = jsonLd(productThing(A, { sku, mpn: sku, gtin13: A.gtin, offers }));
    return { body: `${ld}<div class="js-product-details" data-product="${details}"></div>` };
  };
  const combinations: KnownItem[] = [
    { id: S, aliases: ['12-44'], group: '12' },
    { id: M, aliases: ['12-45'], group: '12' },
  ];
  const url = '/12-45-cake-stand.html#/1-size-m';
  const open = pagesAbout('PrestaShop', { url }, { canonical: `${ORIGIN}/12-cake-stand.html` });
  const withAlias = { vocabulary: [{ id: reference, aliases: ['12-45'] }] };
  return [
    open('right', 'reference', reference, [said(reference)], { vocabulary: [{ id: reference }] }),
    open('late', 'view_item with product and combination', M, [said(reference)], {
      vocabulary: combinations,
      ...later(viewItem('12-45')),
    }),
    open('twice', 'JSON-LD and view_item', reference, [said(reference), viewItem('12-45')], withAlias),
    open('contradictory', 'combinations are known too, none is selected', reference, [said(reference)], {
      vocabulary: [{ id: S }, { id: M }, { id: reference }],
    }),
    open('hostile', 'an empty reference', A.gtin, [said('')], { vocabulary: [{ id: A.gtin }] }),
  ];
}

/** Pages that show no product, most of which name some that the model knows. */
function otherPages(): ShopPage[] {
  const pagesOn =
    (rule: string, common: Rest = {}) =>
    (what: string, main: string, entries: readonly string[] = [], rest: Rest = {}): ShopPage => {
      const { url = '/c/decoration?page=2' } = common;
      const html = documentOf({ title: what, main, entries, canonical: ORIGIN + url.replace(/[?#].*/, '') });
      return page({ rule, kind: 'contradictory', what, html, url, ...common, ...rest });
    };
  const three = [A, B, C];
  const ids = three.map(idOf);
  const grid = tiles(STOCK);
  const thingOf = (product: Product): Thing => productThing(product, { sku: product.id, url: urlOf(product) });
  const things = three.map(thingOf);
  const carousel = three.map(skuMicrodata).join('');
  const catalogue = schema('OfferCatalog', {
    itemListElement: three.map((product) => offer(product, { sku: product.id })),
  });
  const named = (event: string, said: readonly string[] = ids): string =>
    json({ event, ecommerce: { item_list_id: 'new', items: itemsOf('item_id', said) } });
  const impressions = json({ ecommerce: { impressions: itemsOf('id', ids), currencyCode: 'EUR' } });
  const promotion = json({ event: 'promotionClick', ecommerce: { promoClick: { promotions: [{ id: A.id }] } } });
  const click = json({ event: 'productClick', ecommerce: { click: { products: itemsOf('id', [A.id]) } } });
  const mentions = schema('BlogPosting', { headline: 'Tea', mentions: things });
  const similar = `<div itemprop="isSimilarTo" itemscope itemtype="https://schema.org/Product">${itemprop('sku', B.id)}</div>`;
  const links = ids.map((id) => `<a data-product-id="${id}" data-sku="${id}" data-item="${id}">${id}</a>`).join('');
  const cards = ids.map((id) => `<li><a href="/p/${id}" data-item-id="${id}">${id}</a></li>`).join('');
  const slot = `<aisle-recommendations><ul>${cards}</ul></aisle-recommendations>`;
  const listing = pagesOn('listing');
  const related = pagesOn('related products', { url: '/p/old-7.html' });
  const home = pagesOn('home page', { url: '/?utm_source=mail' });
  const article = pagesOn('article', { url: '/blog/tea' });
  const checkout = pagesOn('cart and checkout', { url: '/cart' });
  const own = pagesOn("the embed's own");
  const steps = ['view_cart', 'begin_checkout', 'add_payment_info', 'refund', 'add_to_wishlist'];
  return [
    // https://developers.google.com/search/docs/appearance/structured-data/carousel, https://schema.org/ItemList
    listing('ItemList of products', jsonLd(listOf(things)) + grid),
    listing('ItemList with one product', jsonLd(listOf([thingOf(A)])) + grid),
    listing('ItemList in a graph', graph(schema('CollectionPage', { mainEntity: listOf(things) })) + grid),
    listing('ItemList that comes later', grid, [], { kind: 'late', ...later({ body: jsonLd(listOf(things)) }) }),
    listing('products in JSON-LD, side by side', three.map(skuLd).join('')),
    listing('products in microdata, side by side', carousel),
    listing('OfferCatalog of a search', jsonLd(schema('SearchResultsPage', { mainEntity: catalogue }))),
    // https://developers.google.com/analytics/devguides/collection/ga4/ecommerce#view_an_item_list
    listing('view_item_list and select_item', grid, [named('view_item_list'), named('select_item', [A.id])]),
    listing('several items in one view_item', grid, [named('view_item')]),
    listing(
      'one known among several items of view_item',
      grid,
      [],
      later({ entry: named('view_item', [A.id, 'OLD-1']) }),
    ),
    // https://developers.google.com/analytics/devguides/collection/ua/gtm/enhanced-ecommerce
    listing('impressions, clicks and promotions of Universal Analytics', grid, [impressions, promotion, click]),
    listing('one is added to the cart', grid, [ga4('cart', [B.id])], { expected: events('cart', B.id) }),
    // https://schema.org/isRelatedTo, https://schema.org/isSimilarTo, https://schema.org/isAccessoryOrSparePartFor
    ...['isRelatedTo', 'isSimilarTo', 'isAccessoryOrSparePartFor', 'isConsumableFor'].map((relation) =>
      related(relation, productMain(D, jsonLd(productThing(D, { sku: 'OLD-7', [relation]: [B, C].map(thingOf) })))),
    ),
    related('microdata isSimilarTo', microdata(D, similar)),
    related('attributes of links', links),
    // https://schema.org/WebSite, https://schema.org/hasPart
    home('a carousel in microdata', carousel + grid),
    home('WebSite with parts', jsonLd(schema('WebSite', { url: ORIGIN, hasPart: things })) + grid),
    // https://schema.org/BlogPosting, https://schema.org/mentions
    article('products that are mentioned', jsonLd(mentions) + grid),
    article('ids in its text', `<p>${ids.join(', ')} and <code>{"@type":"Product","sku":"${A.id}"}</code></p>`),
    // https://developers.google.com/analytics/devguides/collection/ga4/reference/events: events that are not stored
    checkout(
      'steps to the order',
      grid,
      steps.map((event) => named(event)),
    ),
    checkout('view_cart with one item', grid, [named('view_cart', [A.id])]),
    // What the embed itself shows and pushes.
    own('its slots, rendered by the server', slot + grid),
    own('its lists and clicks', slot, [named('view_item_list', [A.id]), named('select_item', [A.id])]),
  ];
}

/**
 * Data layers and blocks that break a careless reader; A is named by a good entry, too, where something is expected.
 *
 * @see https://tc39.es/ecma262/#sec-object.prototype.__proto__
 * @see https://developers.google.com/tag-platform/tag-manager/datalayer
 */
function hostilePages(): ShopPage[] {
  const throwing = (name: string, object: string): string =>
    `Object.defineProperty(${object}, '${name}', { enumerable: true, get() { throw new Error('of the page'); } })`;
  const itemSaid = (item: string, event = 'view_item'): string =>
    `{ event: '${event}', ecommerce: { items: [${item}] } }`;
  const open = pagesAbout('hostile data layer');
  const layer = (what: string, entry: string): ShopPage => open('hostile', what, A.id, [{ entry }, viewItem(A.id)]);
  const refused = (what: string, entry: string): ShopPage => open('hostile', what, undefined, [{ entry }]);
  const inTwoTerms = { ...universal('cart', [A.id]), items: itemsOf('item_id', [A.id]) };
  const circle = '(() => { const e = { event: "view_item" }; e.ecommerce = e; e.items = e; return e; })()';
  const circularItem = `(() => { const i = { item_id: '${A.id}' }; i.item = i; i.items = [i]; return i; })()`;
  const revoked = '(() => { const p = Proxy.revocable({}, {}); p.revoke(); return p.proxy; })()';
  const nothing = "null, undefined, 7, 'view_item', [], [['event', 'view_item']], () => {}, Symbol('event')";
  const wrapper =
    'const push = dataLayer.push; dataLayer.push = function () { return push.apply(dataLayer, arguments); };';
  const replaced: Step = { at: 200, action: 'reassign', entries: '{ push() { return 0; } }' };

  const markup = pagesAbout('hostile markup');
  const good = skuLd(A);
  const blocks = (what: string, head: string, id?: string, rest: Rest = {}): ShopPage =>
    markup('hostile', what, id, [{ head }], rest);
  const pointers = [
    { '@id': '#a', mainEntity: { '@id': '#b' } },
    { '@id': '#b', mainEntity: { '@id': '#a' } },
  ];
  const wrongTypes = [
    { '@type': { a: 1 }, sku: B.id },
    { '@type': ['constructor', null], sku: C.id },
  ];
  const nothings = ['null', '7', '"Product"', '[[[]]]', '{}'].map((text) => block(text)).join('');
  const deep = block(`${'{"@graph":['.repeat(2000)}${']}'.repeat(2000)}`);
  const ofPrototype = block(`{"@context":"https://schema.org","@type":"Product","__proto__":{"sku":"${B.id}"}}`);
  const known = (...vocabulary: KnownItem[]): Rest => ({ vocabulary });
  return [
    layer('a getter of the event throws', throwing('event', '{}')),
    layer('a getter of ecommerce throws', throwing('ecommerce', "{ event: 'view_item' }")),
    layer('a getter of items throws', `{ event: 'view_item', ecommerce: ${throwing('items', '{}')} }`),
    layer('a getter of an id throws', itemSaid(throwing('item_id', '{}'), 'add_to_cart')),
    layer('an entry that contains itself', circle),
    layer('an item that contains itself', itemSaid(circularItem)),
    layer('a revoked proxy', revoked),
    layer('toString of an id throws', itemSaid('{ item_id: { toString() { throw 1; } } }', 'add_to_cart')),
    refused('toString of an id names a known one', itemSaid(`{ item_id: { toString: () => '${B.id}' } }`)),
    refused(
      'an object like an array',
      `{ event: 'view_item', ecommerce: { items: { 0: { item_id: '${B.id}' }, length: 1 } } }`,
    ),
    layer('no objects at all', nothing),
    open(
      'hostile',
      'push is wrapped by another tag',
      A.id,
      [{ head: `<script>{ ${wrapper} }</script>` }],
      later(viewItem(A.id)),
    ),
    open('late', 'replaced by an object, JSON-LD comes later', A.id, [], {
      steps: [replaced, ...stepsOf({ body: good }, 600)],
    }),
    open('twice', 'one entry in the terms of GA4 and of Universal Analytics', A.id, [viewItem(A.id)], {
      ...later({ entry: json({ event: 'add_to_cart', ecommerce: inTwoTerms }) }),
      expected: [...viewed(A.id), ...events('cart', A.id)],
    }),
    blocks('a key __proto__ in JSON-LD', ofPrototype),
    blocks('JSON-LD of 2,000 levels next to a good block', deep + good, A.id),
    blocks('things that point at each other', graph(...pointers) + good, A.id),
    blocks('JSON-LD that is no thing', nothings + good, A.id),
    blocks('types that are none', jsonLd(wrongTypes) + good, A.id),
    blocks(
      'the model knows the id "constructor"',
      jsonLd(withSku('constructor', A)),
      'constructor',
      known({ id: 'constructor' }),
    ),
    blocks('an id that is an alias of another item', good, A.id, known({ id: B.id, aliases: [A.id] }, { id: A.id })),
    blocks('a canonical URL that is none', '<link rel="canonical" href="http://[">'),
  ];
}

/** Every page, always the same and in the same order. */
export function corpus(): readonly ShopPage[] {
  return [
    ...SPELLINGS.flatMap(pagesOf),
    ...Object.entries(DIALECTS).flatMap(([rule, dialect], index) => eventPages(rule, dialect, index)),
    ...variantPages(),
    ...singlePages(),
    // Pages built like those of well-known platforms, not taken from them.
    ...shopifyPages(),
    ...magentoPages(),
    ...wooPages(),
    ...shopwarePages(),
    ...prestaShopPages(),
    ...otherPages(),
    ...hostilePages(),
  ];
}
