/** The archives of models: those that the studio has written, and those made elsewhere. */
import { RecommenderError } from '../errors';
import { type ArtifactSummary, openWhole, summariseArtifact } from '../pipeline/artifact-summary';
import type { NamedBlob } from '../pipeline/blob-source';
import { readZip } from '../pipeline/zip';
import type { StudioFiles } from './files';
import { SERVED } from './places';
import { archiveOf } from './training-host';

/** An artifact of an archive that was opened. */
export interface OpenedArchive {
  readonly summary: ArtifactSummary;
  readonly hasReport: boolean;
}

/** Where the service worker finds the files of the model that the demo shop tries. */
const servedOf = (run: string, file: string): string => `${SERVED}/${run}/${file}`;

/** The archive of a run. @throws RecommenderError `io` for one that is gone. */
export async function readArchive(files: StudioFiles, run: string): Promise<Blob> {
  const archive = await files.read(archiveOf(run));
  if (archive) return archive;
  throw new RecommenderError('io', `The model ${run} is not in the browser’s storage any more. Train it again.`);
}

/** @param name For messages. */
export async function openArchive(archive: Blob, name: string) {
  const files = await filesOf(archive, name);
  return openWhole(name, async (file) => files.get(file));
}

/** With every check. */
export async function inspectArchive({ name, blob }: NamedBlob): Promise<OpenedArchive> {
  const files = await filesOf(blob, name);
  return { summary: summariseArtifact(await openArchive(blob, name)), hasReport: files.has('report.html') };
}

/** A file of an archive; undefined where it has none of that name. */
export async function textIn(archive: Blob, run: string, name: string): Promise<string | undefined> {
  const bytes = (await readZip(archive, run)).get(name);
  return bytes && new TextDecoder().decode(bytes);
}

/** Puts the files of a model where the service worker finds them: of an archive, or else of a run. */
export async function serveArchive(files: StudioFiles, run: string, archive?: Blob): Promise<void> {
  await files.remove(SERVED);
  for (const [name, bytes] of await filesOf(archive ?? (await readArchive(files, run)), run)) {
    if (name.includes('/')) continue; // no file of an artifact
    if (await files.write(servedOf(run, name), bytes as Uint8Array<ArrayBuffer>)) continue;
    const why = 'The browser stores no files for this page, or has no room left for them';
    throw new RecommenderError('io', `${why}, so the demo shop cannot find the model. Take the archive home instead.`);
  }
}

/** The files of an artifact, which may be at the top of the archive, or in a folder there. */
async function filesOf(archive: Blob, name: string): Promise<ReadonlyMap<string, Uint8Array>> {
  const files = await readZip(archive, name);
  const manifest = [...files.keys()].filter((path) => /(^|\/)manifest\.json$/.test(path)).sort()[0];
  const folder = manifest?.slice(0, -'manifest.json'.length) ?? '';
  const own = [...files].filter(([path]) => path.startsWith(folder));
  return new Map(own.map(([path, bytes]) => [path.slice(folder.length), bytes]));
}
