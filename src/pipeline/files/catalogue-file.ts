/** The products of a shop from what `--catalogue` names: `catalogue.json`, a table, a product feed, or a catalogue's folder. */
import { promisify } from 'node:util';
import { gunzip } from 'node:zlib';
import { checkCatalogue } from '../../checkpoint/catalogue-file';
import { RecommenderError } from '../../errors';
import { blamingInput, type Products, readProducts } from '../catalogue/products';
import { isGzip } from '../gzip';
import type { Observer } from '../observer';
import { readCatalogueFolder } from './catalogue-folder';
import { isFolder, readInput } from './disk';

/**
 * Reads a catalogue: the folder that `aisle catalogue` wrote, with its aliases and rules, or what `readProducts` reads, which may
 * be gzip.
 *
 * @throws RecommenderError `bad-input` that names file and line, or product and field.
 */
export async function readCatalogueFile(path: string, idColumn?: string, observer?: Observer): Promise<Products> {
  if (await isFolder(path)) {
    const { products, ...further } = await readCatalogueFolder(path);
    return { products: blamingInput(() => checkCatalogue(products, path)), ...further };
  }
  return readProducts(await unpacked(await readInput(path), path), path, idColumn, observer);
}

async function unpacked(bytes: Uint8Array, path: string): Promise<Uint8Array> {
  if (!isGzip(bytes)) return bytes;
  try {
    return await promisify(gunzip)(bytes);
  } catch (cause) {
    throw new RecommenderError('bad-input', `${path}: the gzip file is damaged or cut off; create it again.`, {
      cause,
    });
  }
}
