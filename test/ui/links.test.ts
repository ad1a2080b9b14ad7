/** Where the cards of products lead. */
import { afterEach, expect, test, vi } from 'vitest';
import { linkOf } from '../../src/ui/links';
import type { PageOptions } from '../../src/ui/types';

afterEach(() => void vi.unstubAllGlobals());

test.each([
  ['its id is part of the address', 'red shoe/42', 'https://shop.example/p/red%20shoe%2F42'],
  ['no address can hold the end of its id, half of a letter', 'shoe \ud83d', undefined],
])('a product without an address of its own: %s', (_, id, link) => {
  const origin = 'https://shop.example';
  vi.stubGlobal('document', { baseURI: `${origin}/` });
  vi.stubGlobal('location', { origin });
  const options: Partial<PageOptions> = { allowHosts: [], itemUrl: '/p/{id}' };
  expect(linkOf({ id }, options as PageOptions)).toBe(link);
  expect(linkOf({ id }, { allowHosts: [] } as Partial<PageOptions> as PageOptions)).toBeUndefined();
});
