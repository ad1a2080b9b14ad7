import { describe, expect, test } from 'vitest';
import { BRANDS } from '../../../src/pipeline/simulate/brands';
import { catalogueText } from '../../../src/pipeline/simulate/files';
import { PALETTES } from '../../../src/pipeline/simulate/palettes';
import { picture, type ShapeName } from '../../../src/pipeline/simulate/pictures';
import { catalogueItem } from '../../../src/pipeline/simulate/products';
import { SHAPES } from '../../../src/pipeline/simulate/shapes';
import { DEFAULT_OPTIONS, simulate } from '../../../src/pipeline/simulate/simulate';
import { KINDS } from '../../../src/pipeline/simulate/taxonomy';

const SHAPE_NAMES = Object.keys(SHAPES) as ShapeName[];

const { shop } = simulate({ ...DEFAULT_OPTIONS, sessions: 10, visitors: 10 });
const catalogue = shop.products.map(catalogueItem);

describe('the catalogue', () => {
  test('has at least 600 products, each with its own id and title', () => {
    expect(catalogue.length).toBeGreaterThanOrEqual(600);
    expect(new Set(catalogue.map(({ id }) => id)).size).toBe(catalogue.length);
    expect(new Set(catalogue.map(({ title }) => title)).size).toBe(catalogue.length);
  });

  test('follows the contract in every field', () => {
    for (const item of catalogue) {
      expect(item.title).toMatch(/^[A-Z0-9].+, [a-z]+$/);
      expect(item.url).toBe(`#/product/${item.id}`);
      expect(item.price).toBeGreaterThan(0);
      expect(Number.isInteger(Math.round(item.price! * 1e4) / 100)).toBe(true);
      expect(item.currency).toBe('EUR');
      expect(item.category).toHaveLength(3);
      expect(BRANDS.map(({ name }) => name)).toContain(item.brand);
      expect(['in stock', 'out of stock', 'backorder', 'discontinued']).toContain(item.availability);
      expect(item.features!.since).toMatch(/^\d{4}-\d\d-\d\d$/);
    }
  });

  test('has a tree of three levels in which every kind has products', () => {
    const paths = new Set(catalogue.map(({ category }) => category!.join(' > ')));
    expect(paths.size).toBe(KINDS.length);
    expect(new Set(catalogue.map(({ category }) => category![0])).size).toBe(8);
  });

  test('is one product a line, and small enough to ship', () => {
    const text = catalogueText({ shop } as Parameters<typeof catalogueText>[0]);
    expect(JSON.parse(text)).toEqual(catalogue);
    expect(text.length).toBeLessThan(1_000_000);
  });

  test('names only kinds that exist as companions', () => {
    const names = new Set(KINDS.map(({ name }) => name));
    expect(names.size).toBe(KINDS.length);
    expect(KINDS.flatMap(({ goesWith }) => goesWith).filter((name) => !names.has(name as ShapeName))).toEqual([]);
  });

  test('names only pictures, palettes and seasons that exist', () => {
    for (const { name, palette, season } of KINDS) {
      expect(SHAPE_NAMES).toContain(name);
      expect(Object.keys(PALETTES)).toContain(palette);
      expect(['all', 'spring', 'summer', 'autumn', 'winter']).toContain(season);
    }
  });
});

describe('pictures', () => {
  test('come in at least 30 shapes, no two alike', () => {
    expect(SHAPE_NAMES.length).toBeGreaterThanOrEqual(30);
    expect(new Set(SHAPE_NAMES.map((shape) => picture(shape, '#336699', '#ffffff', '#eeeeee'))).size).toBe(
      SHAPE_NAMES.length,
    );
  });

  test.each(SHAPE_NAMES)('%s is well-formed, safe and small', (shape) => {
    const address = picture(shape, '#336699', '#f2c14e', '#fbf1e0');
    expect(address.startsWith('data:image/svg+xml,')).toBe(true);
    expect(address.length).toBeLessThan(1200);
    const svg = decodeURIComponent(address.slice('data:image/svg+xml,'.length));
    checkXml(svg);
    expect(svg).not.toMatch(/undefined|NaN|script|href|url\(|\son\w+=|&/i);
    // Paths hold commands and numbers only.
    for (const [, path] of svg.matchAll(/ d='([^']*)'/g)) expect(path).toMatch(/^[MmLlHhVvQqTtCcSsAaZz\d .-]+$/);
  });

  test('take about 700 bytes', () => {
    const sizes = catalogue.map(({ image }) => image!.length).sort((a, b) => a - b);
    expect(sizes[sizes.length >> 1]).toBeLessThanOrEqual(700);
  });
});

/** Tags nest and close, attributes are quoted and stand once: all of XML that these pictures use. */
function checkXml(svg: string): void {
  const open: string[] = [];
  let rest = svg;
  while (rest !== '') {
    const tag = /^<(\/?)(\w+)((?: [\w-]+='[^'<>&]*')*)(\/?)>/.exec(rest);
    expect(tag, rest.slice(0, 60)).not.toBeNull();
    const [whole, closing, name, attributes, empty] = tag!;
    const names = [...attributes!.matchAll(/ ([\w-]+)=/g)].map(([, attribute]) => attribute);
    expect(new Set(names).size).toBe(names.length);
    if (closing) expect(open.pop()).toBe(name);
    else if (!empty) open.push(name!);
    rest = rest.slice(whole.length);
    if (open.length === 0) expect(rest).toBe('');
  }
}
