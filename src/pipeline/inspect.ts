/** What an events file, or an artifact folder, holds. */
import { ARTIFACT_FILES, MANIFEST } from '../checkpoint/manifest';
import type { ReadOptions } from '../session/options';
import type { ArtifactSummary } from './artifact-summary';
import { finishReplacing, inspectArtifact, refuseCheckpoint } from './files/artifact-folder';
import { exists, isFolder, join } from './files/disk';
import { hasParts, readEventsFile } from './files/events-file';
import type { Observer } from './observer';
import { type FileSummary, inspectLog } from './read-events';

/**
 * Summarises a log or an artifact. Sessions of one event count, too, unless `read` says otherwise.
 *
 * @throws RecommenderError `bad-input` for a file or folder that is no log; `bad-artifact` for an artifact that is damaged; `aborted`.
 */
export async function inspect(
  path: string,
  options: { readonly read?: ReadOptions } & Observer = {},
): Promise<FileSummary | ArtifactSummary> {
  await finishReplacing(path);
  await refuseCheckpoint(path);
  if ((await isFolder(path)) && (await holdsArtifact(path))) return inspectArtifact(path);
  return inspectLog(await readEventsFile(path, { minLength: 1, minItems: 1, ...options.read }, options), path);
}

/** Whether a folder is an artifact, though its manifest be missing. */
async function holdsArtifact(folder: string): Promise<boolean> {
  const holds = (name: string) => exists(join(folder, name));
  if (await holds(MANIFEST)) return true;
  return !(await hasParts(folder)) && (await Promise.all(ARTIFACT_FILES.map(holds))).includes(true);
}

export const isArtifact = (summary: FileSummary | ArtifactSummary): summary is ArtifactSummary =>
  'architecture' in summary;
