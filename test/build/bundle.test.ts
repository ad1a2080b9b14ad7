import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import { brotliBytes, built, holdsTensorCode, ROOT, staticScripts } from './built';
import { DEMO_MODEL, EMBED, READERS } from './limits';

let page: string;
let library: string;
let embed: string;

beforeAll(async () => {
  page = built('page');
  library = built('lib');
  embed = built('embed');
});

const total = (paths: Iterable<string>): number => [...paths].reduce((sum, path) => sum + brotliBytes(path), 0);

describe("the page's own thread", () => {
  test('loads no tensor library by itself', () => {
    const scripts = staticScripts(join(page, 'index.html'));
    expect(scripts.size).toBeGreaterThan(0);
    expect([...scripts].filter(holdsTensorCode)).toEqual([]);
  });

  test('leaves it to a part of the worker, where it is recognised; the script of the worker has none', () => {
    const assets = join(page, 'assets');
    const holding = readdirSync(assets).filter(
      (name) => name.startsWith('worker-') && holdsTensorCode(join(assets, name)),
    );
    expect(holding).toContainEqual(expect.stringMatching(/^worker-tensorflow-/));
    expect(holding).not.toContainEqual(expect.stringMatching(/^worker-[0-9a-f]{8}\.js$/));
  });

  test('stays light: the shop itself is at most 16 kB', () => {
    expect(total(staticScripts(join(page, 'index.html')))).toBeLessThanOrEqual(16_000);
  });

  test('stays light: loader, element, recommender, store and identity are at most 24 kB, beside what reads the page', () => {
    const shop = staticScripts(join(page, 'index.html'));
    const embed = new Set(['embed', 'page', 'slots'].flatMap(scriptsOf).filter((path) => !shop.has(path)));
    expect(embed.size).toBeGreaterThan(2);
    expect(total(embed)).toBeLessThanOrEqual(24_000 + READERS);
  });

  /** The script of the built page whose name begins so, and what it imports by itself. */
  function scriptsOf(name: string): string[] {
    const assets = join(page, 'assets');
    const file = readdirSync(assets).find((other) => other.startsWith(`${name}-`) && other.endsWith('.js'));
    const path = join(assets, file ?? 'none');
    return [path, ...staticScripts(path)];
  }
});

describe('the library', () => {
  test('loads no tensor library by itself', () => {
    expect([...staticScripts(join(library, 'index.js'))].filter(holdsTensorCode)).toEqual([]);
  });

  test('stays light: what a page loads of it at first, storage included, is at most 20 kB', () => {
    const scripts = staticScripts(join(library, 'index.js'));
    expect([...scripts].reduce((sum, path) => sum + brotliBytes(path), 0)).toBeLessThanOrEqual(20_000);
  });

  test('names every file relative to itself, so that a shop can put it anywhere', () => {
    const folder = library;
    const scripts = readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter((name) => name.endsWith('.js'));
    for (const name of scripts) expect(readFileSync(join(folder, name), 'utf8')).not.toMatch(/["'`]\/assets\//);
  });

  test('has its worker under a stable name', () => {
    expect(readdirSync(library)).toContain('worker.js');
  });
});

describe('the script to embed', () => {
  /** The scripts that a script loads later, when they are wanted. */
  const later = (path: string): string[] =>
    [...readFileSync(path, 'utf8').matchAll(/\bimport\(\s*["'`](\.[^"'`]+\.js)["'`]\s*\)/g)].map(([, name]) =>
      join(path, '..', name!),
    );

  test('is one small file: at most 5 kB, and nothing that it waits for', () => {
    expect([...staticScripts(join(embed, 'embed.js'))]).toEqual([join(embed, 'embed.js')]);
    expect(brotliBytes(join(embed, 'embed.js'))).toBeLessThanOrEqual(EMBED);
  });

  test('stays light with the widget, the recommender, its storage and identity: at most 24 kB, beside what reads the page', () => {
    const [rest, ...others] = later(join(embed, 'embed.js'));
    expect(others).toEqual([]);
    const slots = later(rest!).find((path) => path.includes('slots-'))!;
    const scripts = new Set([join(embed, 'embed.js'), ...staticScripts(rest!), ...staticScripts(slots)]);
    expect(scripts.size).toBe(3); // a page waits for no file of helpers
    expect([...scripts].reduce((sum, path) => sum + brotliBytes(path), 0)).toBeLessThanOrEqual(24_000 + READERS);
    expect([...scripts].filter(holdsTensorCode)).toEqual([]);
  });

  test('starts WASM without asking whether it runs in Node', () => {
    const scripts = readdirSync(embed).filter((name) => /^(worker-)?wasm-[\da-f]+\.js$/.test(name));
    expect(scripts).toHaveLength(2);
    for (const name of scripts) {
      expect(readFileSync(join(embed, name), 'utf8')).not.toMatch(/typeof process|\brequire\(/);
    }
  });

  test('is loaded by nothing beside it: under an address with a version it would run twice', () => {
    const scripts = readdirSync(embed, { recursive: true, encoding: 'utf8' }).filter((name) => name.endsWith('.js'));
    for (const name of scripts) {
      const imported = [...staticScripts(join(embed, name))].filter((path) => path !== join(embed, name));
      expect(imported, name).not.toContain(join(embed, 'embed.js'));
    }
  });

  test('writes text only: no markup is ever parsed', () => {
    const [rest] = later(join(embed, 'embed.js'));
    const slots = later(rest!).find((path) => path.includes('slots-'))!;
    for (const path of [join(embed, 'embed.js'), ...staticScripts(rest!), ...staticScripts(slots)]) {
      expect(readFileSync(path, 'utf8')).not.toMatch(
        /innerHTML|outerHTML|insertAdjacentHTML|document\.write|DOMParser|setHTML|createContextualFragment|\beval\(|new Function/,
      );
    }
  });

  test('has its worker under a stable name, and names every file relative to itself', () => {
    expect(readdirSync(embed)).toContain('worker.js');
    const scripts = readdirSync(embed, { recursive: true, encoding: 'utf8' }).filter((name) => name.endsWith('.js'));
    for (const name of scripts) expect(readFileSync(join(embed, name), 'utf8')).not.toMatch(/["'`]\/assets\//);
  });
});

test('the demo model with its catalogue and pictures is under 1 MB, and at most 165 kB over the wire', () => {
  const folder = join(ROOT, 'public/models/demo');
  const paths = readdirSync(folder).map((name) => join(folder, name));
  expect(paths.reduce((sum, path) => sum + statSync(path).size, 0)).toBeLessThan(1_000_000);
  expect(paths.reduce((sum, path) => sum + brotliBytes(path), 0)).toBeLessThanOrEqual(DEMO_MODEL);
});
