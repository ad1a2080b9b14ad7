import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import { brotliBytes, built, staticScripts } from './built';

/** Sentences of TensorFlow.js that survive minification: where one stands, its tensor code is. */
const TENSOR_CODE = [
  'No backend found in registry',
  'not found in registry',
  'is disposed',
  'tfjs-backend-wasm-threaded',
];

let page: string;
let library: string;

beforeAll(async () => {
  page = await built('page');
  library = await built('lib');
});

function holdsTensorCode(path: string): boolean {
  const text = readFileSync(path, 'utf8');
  return TENSOR_CODE.some((sentence) => text.includes(sentence));
}

describe("the page's own thread", () => {
  test('loads no tensor library by itself', () => {
    const scripts = staticScripts(join(page, 'index.html'));
    expect(scripts.size).toBeGreaterThan(0);
    expect([...scripts].filter(holdsTensorCode)).toEqual([]);
  });

  test('leaves it to the worker, where it would be recognised', () => {
    const assets = join(page, 'assets');
    const worker = readdirSync(assets).find((name) => /^worker-.*\.js$/.test(name));
    expect([...staticScripts(join(assets, worker ?? 'none'))].some(holdsTensorCode)).toBe(true);
  });

  test('stays light: the shop with its recommender is at most 20 kB', () => {
    const scripts = staticScripts(join(page, 'index.html'));
    expect([...scripts].reduce((sum, path) => sum + brotliBytes(path), 0)).toBeLessThanOrEqual(20_000);
  });
});

describe('the library', () => {
  test('loads no tensor library by itself', () => {
    expect([...staticScripts(join(library, 'index.js'))].filter(holdsTensorCode)).toEqual([]);
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
