/** What an events file, or an artifact folder, holds. */
import type { ReadOptions } from '../session/options';
import type { ArtifactSummary } from './artifact-summary';
import { finishReplacing, inspectArtifact } from './files/artifact-folder';
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
  const isLog = !(await isFolder(path)) || (!(await exists(join(path, 'manifest.json'))) && (await hasParts(path)));
  if (!isLog) return inspectArtifact(path);
  return inspectLog(await readEventsFile(path, { minLength: 1, minItems: 1, ...options.read }, options), path);
}

export const isArtifact = (summary: FileSummary | ArtifactSummary): summary is ArtifactSummary =>
  'architecture' in summary;
