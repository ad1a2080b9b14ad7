/** The corpus of shop pages is what it says it is: its size, its rules, its blocks, its expectations. */
import { describe, expect, test } from 'vitest';
import { corpus } from './corpus.ts';
import { scriptOf, TAG_PLACE } from './page.ts';

const pages = corpus();
const kindsOf = (rule: string) =>
  [...new Set(pages.filter((page) => page.rule === rule).map(({ kind }) => kind))].sort();
/** Pages without a product have no late or second spelling to tell apart. */
const WITHOUT_PRODUCT = /^(listing|related products|home page|article|cart and checkout|the embed's own|hostile .*)$/;

/** Contents of the JSON-LD blocks, without a comment or CDATA around them. */
const blocksOf = (html: string): string[] =>
  [...html.matchAll(/<script type="\s*application\/ld\+json[^>]*>(.*?)<\/script>/gis)].map(([, text]) =>
    text!.replace(
      /^\s*(<!--|(\/\/|\/\*)?\s*<!\[CDATA\[\s*(\*\/)?)|((\/\/)?-->|(\/\/|\/\*)?\s*\]\]>\s*(\*\/)?)\s*$/g,
      '',
    ),
  );
const isJson = (text: string): boolean => {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
};

describe('the corpus of shop pages', () => {
  test('has at least 120 pages, each with a name and a content of its own', () => {
    expect(pages.length).toBeGreaterThanOrEqual(120);
    expect(new Set(pages.map(({ name }) => name)).size).toBe(pages.length);
    const contents = pages.map(({ html, steps, url, tag, vocabulary }) =>
      JSON.stringify([html, steps, url, tag, vocabulary]),
    );
    expect(new Set(contents).size).toBe(pages.length);
  });

  test('has every kind of each spelling', () => {
    const spellings = [...new Set(pages.map(({ rule }) => rule))].filter((rule) => !WITHOUT_PRODUCT.test(rule));
    expect(spellings.length).toBeGreaterThan(35);
    for (const rule of spellings) {
      expect([rule, ...kindsOf(rule)]).toEqual([rule, 'contradictory', 'hostile', 'late', 'right', 'twice']);
    }
  });

  test('expects only ids of the vocabulary, whose ids and aliases are unambiguous', () => {
    for (const { name, vocabulary, expected } of pages) {
      const ids = vocabulary.map(({ id }) => id);
      expect(new Set(ids).size, name).toBe(ids.length);
      for (const { id } of expected) expect(ids, name).toContain(id);
    }
    const views = pages.filter(({ expected }) => expected.some(({ event }) => event === 'view'));
    expect(views.length).toBeGreaterThan(pages.length / 2);
    expect(pages.filter(({ expected }) => expected.length === 0).length).toBeGreaterThan(40);
  });

  test('has broken JSON-LD where it says so, and nowhere else', () => {
    for (const { name, html, brokenBlocks } of pages) {
      expect(blocksOf(html).filter((text) => !isJson(text)).length, name).toBe(brokenBlocks);
    }
    expect(pages.some(({ brokenBlocks }) => brokenBlocks > 0)).toBe(true);
  });

  test('has one place for the script, steps in order that are JavaScript, and no request', () => {
    for (const { name, html, steps } of pages) {
      expect(html.split(TAG_PLACE), name).toHaveLength(2);
      const times = steps.map(({ at }) => at);
      expect(times, name).toEqual([...times].sort((a, b) => a - b));
      expect(() => new Function(steps.map(scriptOf).join('\n')), name).not.toThrow();
      const scripts = [...html.matchAll(/<script>(.*?)<\/script>/gs)].map(([, text]) => text);
      expect(() => new Function(scripts.join('\n')), name).not.toThrow();
      expect(html, name).not.toMatch(/\ssrc=|<link rel="(stylesheet|preload)"|url\(/);
    }
  });

  test('is the same each time', () => {
    expect(corpus()).toEqual(pages);
  });
});
