import { expect, test } from 'vitest';
import { createParts, type PartFactory, type Parts } from '../../src/worker/parts';

const FILES = { one: '1', two: '2 one', three: '3 two' };
const FACTORIES: Readonly<Record<string, PartFactory>> = {
  one: (exports) => Object.assign(exports, { one: { count: 1 } }),
  two: (exports, require, load) => Object.assign(exports, { one: require('one')['one'], again: () => load('one') }),
  three: (exports, require) => Object.assign(exports, require('two')),
};

/** Parts whose scripts are at addresses of a shop's bundler. */
function parts(missing: readonly string[] = []): { readonly registry: Parts; readonly requests: string[] } {
  const requests: string[] = [];
  const registry = createParts(FILES, async (url) => {
    requests.push(url);
    const name = /\/worker-(\w+)-/.exec(url)![1]!;
    if (missing.includes(name)) throw new TypeError('not found');
    registry.define(name, FACTORIES[name]!);
  });
  registry.locate((file) => `https://cdn.example/${file}`);
  return { registry, requests };
}

test('a part is loaded with all that it needs, each once', async () => {
  const { registry, requests } = parts();
  const [three, one] = await Promise.all([registry.load('three'), registry.load('one')]);
  expect(three['one']).toBe(one['one']);
  expect(await (three['again'] as () => Promise<unknown>)()).toBe(one);
  const files = ['worker-three-3.js', 'worker-two-2.js', 'worker-one-1.js'];
  expect(requests).toEqual(files.map((file) => `https://cdn.example/${file}`)); // side by side
});

test('a part that cannot be loaded is named by its address, with what to do', async () => {
  const { registry } = parts(['one']);
  await expect(registry.load('two')).rejects.toThrow(
    /https:\/\/cdn\.example\/worker-one-1\.js could not be loaded: not found\. Copy the whole folder/,
  );
});

test('a script that is something else than the part is refused', async () => {
  const registry = createParts(FILES, async () => {});
  await expect(registry.load('one')).rejects.toThrow('it holds something else');
});
