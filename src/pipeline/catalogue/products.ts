/** The products of a page's file: a catalogue as `readCatalogue` takes it, else a product feed. */
import type { CatalogueItem } from '../../checkpoint/artifact';
import { RecommenderError } from '../../errors';
import { COLUMNS } from '../../session/options';
import { previewText } from '../../session/preview';
import { dialectOf, TABLE } from './dialects';
import { readCatalogue } from './read-catalogue';
import { readFeed } from './read-feed';

/**
 * Reads products by the ids that the file has. Variants and hidden products are left out, and names by which a feed calls a product
 * besides: `aisle catalogue` reads those.
 *
 * @param now Milliseconds since 1970, for sales that are over.
 * @throws RecommenderError `bad-input` that names file and line.
 */
export async function readProducts(
  bytes: Uint8Array,
  path: string,
  idColumn: string = COLUMNS.item,
  now = Date.now(),
): Promise<readonly CatalogueItem[]> {
  if (!isFeed(bytes, path, idColumn)) return readCatalogue(bytes, path, idColumn);
  const products = new Map<string, CatalogueItem>();
  const handlers = {
    dialect: () => {},
    entries(entries: Parameters<Parameters<typeof readFeed>[3]['entries']>[0]) {
      for (const { kind, id, group, item } of entries) {
        if (kind === 'product' && id !== '') products.set(id, { id, ...(group !== undefined && { group }), ...item });
      }
    },
    bad(line: number, what: string, rest: string) {
      throw new RecommenderError('bad-input', `${path}:${line}: ${what}, ${rest}.`);
    },
  };
  async function* content(): AsyncGenerator<Uint8Array> {
    yield bytes;
  }
  await readFeed(content(), path, { now: now / 1000 }, handlers, async () => {});
  return [...products.values()];
}

/** XML, JSON objects one after the other, or a table of a known form. */
function isFeed(bytes: Uint8Array, path: string, idColumn: string): boolean {
  const begin = String.fromCharCode(bytes.find((byte) => byte > 0x20 && byte < 0x80) ?? 0);
  if ('<{'.includes(begin)) return true;
  if (begin === '[') return false;
  const { names } = previewText(bytes.subarray(0, 1 << 16), bytes.length, path);
  if (names.includes(idColumn) || names.includes(COLUMNS.item)) return false;
  return dialectOf(names) !== TABLE;
}
