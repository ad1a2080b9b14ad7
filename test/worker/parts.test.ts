import { expect, test } from 'vitest';
import { createParts, type PartFactory, type Parts } from '../../src/worker/parts';

const FILES = {
  one: { file: 'parts/one-1.js', needs: [] },
  two: { file: 'parts/two-2.js', needs: ['one'] },
};
const FACTORIES: Readonly<Record<string, PartFactory>> = {
  one: (exports) => Object.assign(exports, { one: { count: 1 } }),
  two: (exports, require, load) => Object.assign(exports, { one: require('one')['one'], again: () => load('one') }),
};

/** Parts whose scripts are at addresses of a shop's bundler. */
function parts(missing: readonly string[] = []): { readonly registry: Parts; readonly requests: string[] } {
  const requests: string[] = [];
  const registry = createParts(FILES, async (url) => {
    requests.push(url);
    const name = /\/(\w+)-/.exec(url)![1]!;
    if (missing.includes(name)) throw new TypeError('not found');
    registry.define(name, FACTORIES[name]!);
  });
  registry.locate((file) => `https://cdn.example/${file}`);
  return { registry, requests };
}

test('a part is loaded with what it needs, each once', async () => {
  const { registry, requests } = parts();
  const [two, one] = await Promise.all([registry.load('two'), registry.load('one')]);
  expect(two['one']).toBe(one['one']);
  expect(await (two['again'] as () => Promise<unknown>)()).toBe(one);
  expect(new Set(requests)).toEqual(
    new Set(['https://cdn.example/parts/two-2.js', 'https://cdn.example/parts/one-1.js']),
  );
});

test('a part that cannot be loaded is named by its address, with what to do', async () => {
  const { registry } = parts(['one']);
  await expect(registry.load('two')).rejects.toThrow(
    /https:\/\/cdn\.example\/parts\/one-1\.js could not be loaded: not found\. Copy the whole folder/,
  );
});

test('a script that is something else than the part is refused', async () => {
  const registry = createParts(FILES, async () => {});
  await expect(registry.load('one')).rejects.toThrow('it holds something else');
});
