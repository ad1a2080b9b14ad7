/** Product feeds of one invented shop in every dialect, written by the documentation that `dialects.ts` cites. */

/** A product with two variants. */
interface ShopProduct {
  readonly sku: string;
  readonly handle: string;
  readonly title: string;
  readonly brand: string;
  readonly category: readonly string[];
  readonly price: number;
  readonly isSoldOut: boolean;
  readonly variants: readonly { readonly sku: string; readonly gtin: string; readonly price: number }[];
}

const KINDS = [
  ['Clothes', 'Shirts'],
  ['Clothes', 'Socks'],
  ['Home', 'Kitchen', 'Tea & coffee'],
];

export function product(k: number): ShopProduct {
  const price = 5 + (k % 90) + 0.5;
  return {
    sku: `A${k}`,
    handle: `product-${k}`,
    title: k % 10 === 3 ? `Größe "${k}", <blue>` : `Product ${k}`,
    brand: k % 2 === 0 ? 'Felt & Co' : 'Nord',
    category: KINDS[k % 3]!,
    price,
    isSoldOut: k % 7 === 6,
    variants: ['S', 'M'].map((size, v) => ({
      sku: `A${k}-${size}`,
      gtin: String(4_000_000_000_000 + 10 * k + v),
      price: price + v,
    })),
  };
}

/** The feeds with their file names; each has about `rows` rows. */
export const FEEDS: Readonly<Record<string, (rows: number) => Generator<string>>> = {
  'merchant.tsv': merchantTable,
  'merchant-rss.xml': (rows) => merchantXml(rows, 'rss'),
  'merchant-atom.xml': (rows) => merchantXml(rows, 'atom'),
  'shopify.csv': shopify,
  'woocommerce.csv': woocommerce,
  'magento.csv': magento,
  'catalogue.json': (rows) => json(rows, '[\n', ',\n', '\n]\n'),
  'products.jsonl': (rows) => json(rows, '', '\n', '\n'),
  'table.csv': table,
};

const csv = (cells: readonly (string | number)[]): string =>
  `${cells.map((cell) => (/[",\n;]/.test(`${cell}`) ? `"${`${cell}`.replaceAll('"', '""')}"` : cell)).join(',')}\n`;

const stock = ({ isSoldOut }: ShopProduct): string => (isSoldOut ? 'out_of_stock' : 'in_stock');
const url = ({ handle }: ShopProduct): string => `https://shop.example/products/${handle}`;
const picture = ({ handle }: ShopProduct): string => `https://cdn.shop.example/${handle}.jpg`;

/** Each variant is a row of its own, with its group. */
function merchantCells(p: ShopProduct, v: number): Record<string, string> {
  const { sku, gtin, price } = p.variants[v]!;
  return {
    id: sku,
    title: p.title,
    description: 'Words about it',
    link: `${url(p)}?variant=${v + 1}&utm_source=feed`,
    image_link: picture(p),
    additional_image_link: picture(p),
    availability: stock(p),
    price: `${price.toFixed(2)} EUR`,
    sale_price: '',
    product_type: p.category.join(' > '),
    google_product_category: '2271',
    brand: p.brand,
    gtin,
    mpn: `M-${sku}`,
    item_group_id: p.sku,
    cost_of_goods_sold: '1.00 EUR',
  };
}

function* merchantTable(rows: number): Generator<string> {
  yield `${Object.keys(merchantCells(product(0), 0)).join('\t')}\n`;
  for (let row = 0; row < rows; row++) {
    const cells = Object.values(merchantCells(product(row >> 1), row & 1));
    yield `${cells.map((cell) => (cell.includes('"') ? `"${cell.replaceAll('"', '""')}"` : cell)).join('\t')}\n`;
  }
}

function* merchantXml(rows: number, kind: 'rss' | 'atom'): Generator<string> {
  const escaped = (text: string): string => text.replaceAll('&', '&amp;').replaceAll('<', '&lt;');
  const isRss = kind === 'rss';
  yield '<?xml version="1.0" encoding="UTF-8"?>\n';
  yield isRss
    ? '<rss version="2.0" xmlns:g="http://base.google.com/ns/1.0">\n<channel>\n<title>The shop</title>\n<link>https://shop.example</link>\n'
    : '<feed xmlns="http://www.w3.org/2005/Atom" xmlns:goo="http://base.google.com/ns/1.0">\n<title>The shop</title>\n';
  for (let row = 0; row < rows; row++) {
    const { title, link, ...rest } = merchantCells(product(row >> 1), row & 1);
    yield isRss ? '<item>\n' : `<entry>\n<id>tag:shop.example,2026:${row}</id>\n`;
    yield isRss
      ? `<title><![CDATA[${title}]]></title><link>${escaped(link!)}</link>\n`
      : `<title>${escaped(title!)}</title><link href="${escaped(link!)}"/>\n`;
    const prefix = isRss ? 'g' : 'goo';
    for (const [name, text] of Object.entries(rest)) yield `<${prefix}:${name}>${escaped(text)}</${prefix}:${name}>`;
    yield `<${prefix}:shipping><${prefix}:price>9.99 EUR</${prefix}:price></${prefix}:shipping>\n`;
    yield isRss ? '</item>\n' : '</entry>\n';
  }
  yield isRss ? '</channel>\n</rss>\n' : '</feed>\n';
}

/** The first row of a handle is the product and its first variant, then come the second and a picture. */
function* shopify(rows: number): Generator<string> {
  yield csv([
    ...['Handle', 'Title', 'Body (HTML)', 'Vendor', 'Product Category', 'Type', 'Tags', 'Published'],
    ...['Option1 Name', 'Option1 Value', 'Variant SKU', 'Variant Inventory Tracker', 'Variant Inventory Qty'],
    ...[
      'Variant Inventory Policy',
      'Variant Price',
      'Variant Barcode',
      'Image Src',
      'Image Position',
      'Cost per item',
      'Status',
    ],
  ]);
  for (let row = 0; row < rows; row++) {
    const p = product(Math.floor(row / 3));
    const v = row % 3;
    const first = v === 0;
    if (v === 2) {
      yield csv([p.handle, ...Array(15).fill(''), `${picture(p)}?2`, 2, '', '']);
      continue;
    }
    const { sku, gtin, price } = p.variants[v]!;
    yield csv([
      ...[p.handle, first ? p.title : '', first ? '<p>Words,\nabout it</p>' : '', first ? p.brand : ''],
      ...[first ? p.category.join(' > ') : '', '', first ? 'new, wool' : '', first ? 'true' : ''],
      ...['Size', v === 0 ? 'S' : 'M', sku, 'shopify', p.isSoldOut ? 0 : v, 'deny', price.toFixed(2), gtin],
      ...[first ? picture(p) : '', first ? 1 : '', '1.00', first ? 'active' : ''],
    ]);
  }
}

/** A variable product, then its variations, on sale in June 2026. */
function* woocommerce(rows: number): Generator<string> {
  yield csv([
    ...['ID', 'Type', 'SKU', 'GTIN, UPC, EAN, or ISBN', 'Name', 'Published', 'Is featured?', 'Visibility in catalog'],
    ...['Short description', 'Date sale price starts', 'Date sale price ends', 'In stock?', 'Stock', 'Sale price'],
    ...['Regular price', 'Categories', 'Brands', 'Images', 'Parent', 'Meta: _cost'],
  ]);
  for (let row = 0; row < rows; row++) {
    const p = product(Math.floor(row / 3));
    const id = 100 + row;
    const v = (row % 3) - 1;
    const inStock = p.isSoldOut ? 0 : 1;
    if (v < 0) {
      yield csv([
        ...[id, 'variable', p.sku, '', p.title, 1, 0, 'visible', 'Words', '', '', inStock, '', '', ''],
        ...[`Sale, ${p.category.join(' > ')}`, p.brand, `${picture(p)}, ${picture(p)}?2`, '', '1.00'],
      ]);
      continue;
    }
    const { sku, gtin, price } = p.variants[v]!;
    yield csv([
      ...[id, 'variation', sku, gtin, `${p.title} - ${v}`, 1, 0, 'visible', ''],
      ...['2026-06-01 0:00:00', '2026-06-30 23:59:59', inStock, '', price, price + 1],
      ...['', '', '', v === 0 ? p.sku : `id:${id - 2}`, '1.00'],
    ]);
  }
}

/** Two simple products that are not visible individually, on sale in June 2026, then the configurable one. */
function* magento(rows: number): Generator<string> {
  yield csv([
    ...['sku', 'store_view_code', 'attribute_set_code', 'product_type', 'categories', 'product_websites', 'name'],
    ...['product_online', 'visibility', 'price', 'special_price', 'special_price_from_date', 'special_price_to_date'],
    ...['url_key', 'base_image', 'additional_attributes', 'qty', 'is_in_stock', 'cost', 'configurable_variations'],
  ]);
  for (let row = 0; row < rows; row++) {
    const p = product(Math.floor(row / 3));
    const v = row % 3;
    const inStock = p.isSoldOut ? 0 : 1;
    const categories = `Default Category/Sale,Default Category/${p.category.join('/')}`;
    if (v === 2) {
      const variations = p.variants.map(({ sku }, k) => `sku=${sku},size=${k}`).join('|');
      yield csv([
        ...[p.sku, '', 'Top', 'configurable', categories, 'base', p.title, 1, 'Catalog, Search', '', '', '', ''],
        ...[p.handle, `/p/${p.handle}.jpg`, `manufacturer=${p.brand},has_options=1`, 0, inStock, '', variations],
      ]);
      continue;
    }
    const { sku, price } = p.variants[v]!;
    yield csv([
      ...[sku, '', 'Top', 'simple', categories, 'base', `${p.title} ${v}`, 1, 'Not Visible Individually'],
      ...[
        (price + 1).toFixed(6),
        price.toFixed(6),
        '6/1/26',
        '6/30/26',
        `${p.handle}-${v}`,
        'no_selection',
        `size=${v},color=Red`,
        5,
        inStock,
        '1.00',
        '',
      ],
    ]);
  }
}

/** What `catalogue.json` holds, with further members. */
function* json(rows: number, start: string, between: string, end: string): Generator<string> {
  yield start;
  for (let row = 0; row < rows; row++) {
    const p = product(row);
    const { sku, title, brand, category, price } = p;
    const features = { colour: 'blue', page: row };
    const rest = { availability: stock(p), features, cost: 1, supplier: { name: 'secret' } };
    const text = JSON.stringify({
      id: sku,
      title,
      url: url(p),
      image: picture(p),
      price,
      currency: 'EUR',
      category,
      brand,
      ...rest,
    });
    yield row === 0 ? text : between + text;
  }
  yield end;
}

/** A table whose columns have names of their own. */
function* table(rows: number): Generator<string> {
  yield 'article;name;address;photo;amount;group;maker;stock;cost\n';
  for (let row = 0; row < rows; row++) {
    const p = product(row);
    const amount = p.price.toFixed(2).replace('.', ',');
    const cells = [p.sku, p.title, url(p), picture(p), amount, p.category.join(' > '), p.brand, stock(p), '1,00'];
    yield `${cells.map((cell) => `"${cell.replaceAll('"', '""')}"`).join(';')}\n`;
  }
}

/** The columns of `table.csv`, for `--columns`. */
export const TABLE_COLUMNS = {
  id: 'article',
  title: 'name',
  url: 'address',
  image: 'photo',
  price: 'amount',
  category: 'group',
  brand: 'maker',
  availability: 'stock',
};
