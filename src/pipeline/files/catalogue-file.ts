/** The products of a shop from what `--catalogue` names: `catalogue.json`, a table with a header, or a catalogue's folder. */
import { promisify } from 'node:util';
import { gunzip } from 'node:zlib';
import type { CatalogueItem } from '../../checkpoint/artifact';
import { checkCatalogue } from '../../checkpoint/catalogue-file';
import { RecommenderError } from '../../errors';
import { blamingInput, readCatalogue } from '../catalogue/read-catalogue';
import { isGzip } from '../gzip';
import { readCatalogueFolder } from './catalogue-folder';
import { isFolder, readInput } from './disk';

/**
 * Reads a catalogue: the folder that `aisle catalogue` wrote, or what `readCatalogue` reads, which may be gzip.
 *
 * @throws RecommenderError `bad-input` that names file and line, or product and field.
 */
export async function readCatalogueFile(path: string, idColumn?: string): Promise<readonly CatalogueItem[]> {
  if (await isFolder(path)) {
    const products = await readCatalogueFolder(path);
    return blamingInput(() => checkCatalogue(products, path));
  }
  return readCatalogue(await unpacked(await readInput(path), path), path, idColumn);
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
