/** From the weights of a reference implementation to an artifact folder. */
import { importerOf } from '../train/import-weights';
import { checkReplaceable } from './files/artifact-folder';
import { refuseAmong } from './files/events-file';
import { nodeHost } from './files/training-host';
import { type ImportResult, importOn } from './importing';
import type { ImportOptions } from './options';

export type { ImportResult } from './importing';

/**
 * Imports weights and writes an artifact folder.
 *
 * @throws RecommenderError `bad-config` for an unknown reference or parameter; `bad-input`; `weights-mismatch` that names a tensor;
 *   `io` if the disk refuses; `aborted`.
 */
export async function importWeights(options: ImportOptions): Promise<ImportResult> {
  importerOf(options.from); // refuse an unknown name before missing files
  await refuseAmong([options.data], options.out);
  await checkReplaceable(options.out);
  return importOn(nodeHost, options);
}
