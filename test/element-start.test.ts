/** `start` of `aisle/element` in pages that use its name for something else. */
import { runInThisContext } from 'node:vm';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';

beforeEach(() => {
  vi.stubGlobal('document', { querySelectorAll: () => [], baseURI: 'http://shop.example/', readyState: 'complete' });
  vi.stubGlobal('location', new URL('http://shop.example/'));
  vi.stubGlobal('window', globalThis);
  vi.stubGlobal('addEventListener', () => {});
  vi.spyOn(console, 'warn').mockImplementation(() => {});
  vi.resetModules();
});
afterEach(() => {
  Reflect.deleteProperty(globalThis, 'aisle');
  Reflect.deleteProperty(globalThis, Symbol.for('aisle.embed'));
  vi.unstubAllGlobals();
});

test.each([
  ['a frozen array that cannot be replaced', { value: Object.freeze([]), configurable: true }],
  ['a getter', { get: () => ({ id: 'aisle' }), configurable: true }],
  ['nothing', undefined],
])('%s: it throws nothing, and starts', async (_, property) => {
  if (property) Object.defineProperty(globalThis, 'aisle', property);
  const { start } = await import('../src/ui/start');
  const started = start({ modelUrl: '/no-model/' });
  expect(await started).toBeUndefined(); // there is no model
});

test('a constant: it throws nothing, and starts', async () => {
  runInThisContext('const aisle = { floor: 3 }');
  const { start } = await import('../src/ui/start');
  expect(await start({ modelUrl: '/no-model/' })).toBeUndefined();
});
