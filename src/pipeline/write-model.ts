/** Writes a trained or imported model as an artifact folder. */
import { buildModel, type CardOf, type WrittenModel } from './build-model';
import { defined } from './defined';
import { writeArtifactFolder } from './files/artifact-folder';
import { basename, resolve } from './files/disk';
import type { Observer } from './observer';

/** Writes an artifact folder, whose name is the model's, as `buildModel` makes it. */
export async function writeModel<T>(
  out: string,
  model: WrittenModel<T>,
  cardOf: CardOf<T>,
  observer: Observer,
): Promise<void> {
  const artifact = await buildModel(basename(resolve(out)), model, cardOf, observer);
  await writeArtifactFolder(out, artifact, defined({ precision: model.precision }));
}
