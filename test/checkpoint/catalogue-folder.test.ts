import { expect, test } from 'vitest';
import { type CatalogueManifest, filesOfPage, partName, partsOfPage } from '../../src/checkpoint/catalogue-folder';

test.each([
  ['all parts where no model was asked', 30, undefined, 30],
  ['one part more than the model knows', 30, 20_000, 3],
  ['also where the last known part is not full', 30, 20_001, 4],
  ['no more than there are', 2, 20_000, 2],
  ['one for new products where the model knows none', 3, 0, 1],
])('a page reads %s', (_, parts, known, read) => {
  expect(partsOfPage(parts, known)).toBe(read);
});

test('a page refuses a catalogue that is too long for it, and says what makes it shorter', () => {
  const parts = [1, 2, 3].map(partName);
  const entry = { sha256: '0'.repeat(64), bytes: 60_000_000 };
  const manifest: CatalogueManifest = {
    version: '1',
    products: 30_000,
    parts,
    files: Object.fromEntries(parts.map((name) => [name, entry])),
  };
  expect(() => filesOfPage(manifest)).toThrow(
    'catalogue-manifest.json lists 180000000 bytes for a page, which reads at most 134217728. With --artifact,',
  );
  expect(filesOfPage({ ...manifest, known: 10_000 })).toEqual(['catalogue.json', 'catalogue-2.json']);
});
