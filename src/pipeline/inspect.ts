/** What an events file, or an artifact folder, holds. */
import type { ReadReport } from '../session/event-log';
import type { ReadOptions } from '../session/options';
import { type LogSummary, summarise } from '../session/summary';
import { type ArtifactSummary, finishReplacing, inspectArtifact } from './files/artifact-folder';
import { isFolder } from './files/disk';
import { readEventsFile } from './files/events-file';
import type { Observer } from './observer';

export interface FileSummary
  extends LogSummary,
    Pick<ReadReport, 'rows' | 'badRows' | 'timeUnit' | 'otherColumns' | 'dropped'> {
  readonly file: string;
}

/**
 * Summarises a log or an artifact. Sessions of one event count, too, unless `read` says otherwise.
 *
 * @throws RecommenderError `bad-input` for a file that is no log; `bad-artifact` for a folder that is no artifact; `aborted`.
 */
export async function inspect(
  path: string,
  options: { readonly read?: ReadOptions } & Observer = {},
): Promise<FileSummary | ArtifactSummary> {
  await finishReplacing(path);
  if (await isFolder(path)) return inspectArtifact(path);
  const log = await readEventsFile(path, { minLength: 1, minItems: 1, ...options.read }, options);
  const { rows, badRows, timeUnit, otherColumns, dropped } = log.report;
  return { file: path, rows, badRows, ...(timeUnit && { timeUnit }), otherColumns, ...summarise(log), dropped };
}

export const isArtifact = (summary: FileSummary | ArtifactSummary): summary is ArtifactSummary =>
  'architecture' in summary;
