/** Artifacts on disk: written whole or not at all, read with every check, summed up for a person. */
import { randomBytes } from 'node:crypto';
import { lstat, mkdir, open, readdir, readFile, rename, rm, stat } from 'node:fs/promises';
import { basename, dirname, join, resolve } from 'node:path';
import type { Artifact, OpenedArtifact } from '../../checkpoint/artifact';
import { parseJson } from '../../checkpoint/json';
import { ARTIFACT_FILES, ITEMS, MANIFEST, README, REPORT, WEIGHTS } from '../../checkpoint/manifest';
import { tooLong } from '../../checkpoint/open';
import type { Precision } from '../../checkpoint/pack-tensors';
import { RecommenderError } from '../../errors';
import { type ArtifactSummary, openWhole, summariseArtifact, type WholeArtifact } from '../artifact-summary';
import { artifactFiles } from '../build-model';
import { defined } from '../defined';
import { systemCodeOf } from '../errors';
import { CHECKPOINT } from '../training-checkpoint';
import { checkWritable, exists, isFolder, realPath, refused, removeEmpty, temporaryPrefix, writeDurably } from './disk';

export interface WriteOptions {
  /** Precision of the weights. Default `f32`. */
  readonly precision?: Precision;
  /** `report.html`. Default: none. */
  readonly report?: string;
  /** Other files that the folder may hold and that the replacement removes, such as a checkpoint. */
  readonly discard?: readonly string[];
  /** Writes and syncs one file. A parameter so that a test can simulate a full disk. */
  readonly write?: (path: string, bytes: Uint8Array) => Promise<void>;
}

/**
 * Writes an artifact folder: first a temporary folder beside it, which is renamed once it is complete and synced. Replaces
 * an artifact that is there; where `dir` is a link, the one that it leads to. If anything fails, the old artifact stays and no temporary file is left.
 *
 * @param dir The folder; missing parents are created. Refused if it holds files that are not an artifact's.
 * @throws RecommenderError `io` if the disk refuses, `bad-input` if `dir` holds something else, and what
 *   `packArtifact` throws.
 */
export async function writeArtifactFolder(dir: string, artifact: Artifact, options: WriteOptions = {}): Promise<void> {
  const { precision = 'f32', report, discard = [], write = writeDurably } = options;
  const folder = await realPath(resolve(dir));
  await checkReplaceable(dir, discard);
  const files = await artifactFiles(artifact, { precision, ...defined({ report }) });
  const [fresh, old] = siblings(folder, randomBytes(6).toString('hex'));
  let made: string | undefined; // the topmost of the parents that had to be made
  try {
    made = await mkdir(dirname(folder), { recursive: true });
    await mkdir(fresh);
    for (const [name, bytes] of files) await write(join(fresh, name), bytes);
    await syncFolder(fresh);
    const replaced = await moveAway(folder, old);
    try {
      await rename(fresh, folder);
    } catch (error) {
      // Another process has completed the replacement between the two renames.
      const isDone = systemCodeOf(error) === 'ENOENT' && (await exists(folder));
      if (replaced && !isDone) await rename(old, folder);
      if (!isDone) throw error;
    }
    await syncFolder(dirname(folder));
  } catch (error) {
    // Report the first error, whatever fails while cleaning up.
    await rm(fresh, { recursive: true, force: true }).catch(() => {});
    if (made !== undefined) await removeEmpty(dirname(folder), made).catch(() => {});
    throw refused(`Writing ${dir}`, error);
  }
  await rm(old, { recursive: true, force: true }).catch(() => {}); // the new folder is in place; a leftover does no harm
}

/** The temporary names of the new and the old folder during a replacement. */
const siblings = (folder: string, tag: string): [fresh: string, old: string] => [
  join(dirname(folder), `.${basename(folder)}.new-${tag}`),
  join(dirname(folder), `.${basename(folder)}.old-${tag}`),
];

/**
 * Completes a replacement whose process was killed between the two renames of `writeArtifactFolder`: the new folder, which is
 * complete and synced, gets its name. Called before any artifact is read or written.
 *
 * @throws RecommenderError `io` if the disk refuses.
 */
export async function finishReplacing(dir: string): Promise<void> {
  const folder = await realPath(resolve(dir));
  if (await exists(folder)) return;
  const names = await readdir(dirname(folder)).catch((): string[] => []);
  const prefix = `.${basename(folder)}.old-`;
  for (const name of names.filter((name) => name.startsWith(prefix))) {
    const [fresh, old] = siblings(folder, name.slice(prefix.length));
    // Without a new folder the replacement was complete, and this is a leftover of the old one.
    if (!names.includes(basename(fresh))) continue;
    try {
      await rename(fresh, folder);
      await syncFolder(dirname(folder));
    } catch (error) {
      throw refused(`Ending the interrupted writing of ${dir}`, error);
    }
    return rm(old, { recursive: true, force: true }).catch(() => {});
  }
}

/**
 * Reads and checks an artifact folder.
 *
 * @throws RecommenderError `bad-artifact` that names the folder, and the file, tensor or field at fault.
 */
export async function readArtifactFolder(dir: string): Promise<OpenedArtifact> {
  return (await readAll(dir)).artifact;
}

/** The item ids of an artifact that has been read and checked before, in the order of their indices. */
export async function readItemIds(dir: string): Promise<readonly string[]> {
  return parseJson(await readFile(join(dir, ITEMS)), ITEMS) as readonly string[];
}

/**
 * Checks an artifact folder and sums it up.
 *
 * @throws RecommenderError as `readArtifactFolder`.
 */
export async function inspectArtifact(dir: string): Promise<ArtifactSummary> {
  return summariseArtifact(await readAll(dir));
}

/**
 * Refuses what an interrupted training has left: a checkpoint and no artifact.
 *
 * @throws RecommenderError `bad-artifact`.
 */
export async function refuseCheckpoint(dir: string): Promise<void> {
  const [isUnfinished, isArtifact] = await Promise.all([CHECKPOINT, MANIFEST].map((name) => exists(join(dir, name))));
  if (!isUnfinished || isArtifact) return;
  throw new RecommenderError(
    'bad-artifact',
    `${dir} holds an unfinished training and no artifact yet: the same "aisle train" with \`resume\` goes on with it, ` +
      'with `resume` and `keepBest` it writes the best epoch so far.',
  );
}

/** The artifact and the files that it was read from. */
async function readAll(dir: string): Promise<WholeArtifact> {
  await finishReplacing(dir);
  await refuseCheckpoint(dir);
  if (!(await isFolder(dir)))
    throw new RecommenderError('bad-artifact', `${dir} is not a folder; name the folder of an artifact.`);
  return openWhole(dir, async (name, maxBytes) => {
    try {
      const path = join(dir, name);
      const found = await stat(path);
      if (found.isFile() && found.size > maxBytes) throw tooLong(name, maxBytes);
      return await readFile(path);
    } catch (error) {
      if (systemCodeOf(error) === 'ENOENT') return undefined;
      throw error;
    }
  });
}

/**
 * Checks that `writeArtifactFolder` may write to a folder. Call it before hours of work.
 *
 * @throws RecommenderError `bad-input` if `dir` is a file, the working directory a link to nothing or inside of a model, or holds anything but an artifact and `discard`.
 */
export async function checkReplaceable(dir: string, discard: readonly string[] = []): Promise<void> {
  await finishReplacing(dir);
  if ((await realPath(resolve(dir))) === process.cwd()) {
    const why = 'is the folder that this runs in, and an artifact replaces a folder as a whole; name another one.';
    throw new RecommenderError('bad-input', `${dir} ${why}`);
  }
  await refuseInsideModel(dir, 'a folder');
  await refuseUnwritable(dir);
  let names: string[];
  try {
    names = await readdir(resolve(dir));
  } catch (error) {
    if (systemCodeOf(error) === 'ENOENT') {
      if (!(await lstat(resolve(dir)).catch(() => undefined))) return;
      throw new RecommenderError('bad-input', `${dir}: this is a link to a folder that is not there; name a folder.`);
    }
    if (systemCodeOf(error) === 'ENOTDIR') throw new RecommenderError('bad-input', `${dir} is a file; name a folder.`);
    throw refused(`Looking into ${dir}`, error);
  }
  const goes = (name: string) => discard.some((known) => name === known || name.startsWith(temporaryPrefix(known)));
  const ours = [...ARTIFACT_FILES, README, REPORT];
  const foreign = names.find((name) => !ours.includes(name) && !goes(name));
  // A web app, too, has a manifest.json beside its README.md.
  const isArtifact =
    (names.includes(MANIFEST) && (names.includes(WEIGHTS) || !names.includes(README))) || names.every(goes);
  if (foreign !== undefined || !isArtifact) {
    const what =
      foreign === undefined
        ? `has no ${names.includes(MANIFEST) ? WEIGHTS : MANIFEST}`
        : `holds ${JSON.stringify(foreign)}`;
    throw new RecommenderError(
      'bad-input',
      `${dir} ${what}, so it is not an artifact and is left alone; name a new or empty folder.`,
    );
  }
}

/** Refuses a folder that none can be written beside, or that another cannot be renamed to. */
async function refuseUnwritable(dir: string): Promise<void> {
  const folder = await realPath(resolve(dir));
  let above = dirname(folder);
  while (!(await exists(above)) && above !== dirname(above)) above = dirname(above); // the others will be made
  const why = await checkWritable(above).catch((error) => error);
  if (why !== undefined) {
    const message = `${dir} cannot be written, because ${above} cannot (${systemCodeOf(why)}); name a folder elsewhere.`;
    throw new RecommenderError('bad-input', message, { cause: why });
  }
  const [own, beside] = await Promise.all([folder, above].map((path) => stat(path).catch(() => undefined)));
  if (own === undefined || own.dev === beside?.dev) return;
  const advice = `name one inside of it, such as ${join(dir, 'model')}.`;
  throw new RecommenderError(
    'bad-input',
    `${dir} is a disk of its own (a mount point), and a model replaces a folder as a whole; ${advice}`,
  );
}

/**
 * Refuses a path in the folder of a model, whose files belong together.
 *
 * @param what What to name instead.
 * @throws RecommenderError `bad-input`.
 */
export async function refuseInsideModel(path: string, what: 'a folder' | 'a file'): Promise<void> {
  const above = dirname(resolve(path));
  const [isArtifact, ...others] = await Promise.all(
    [MANIFEST, WEIGHTS, ITEMS].map((name) => exists(join(above, name))),
  );
  if (isArtifact && others.includes(true))
    throw new RecommenderError('bad-input', `${path} is inside of the model ${above}; name ${what} elsewhere.`);
}

/** Renames a folder; false where there is none. */
async function moveAway(folder: string, to: string): Promise<boolean> {
  try {
    await rename(folder, to);
    return true;
  } catch (error) {
    if (systemCodeOf(error) === 'ENOENT') return false;
    throw error;
  }
}

/** Syncs the entries of a folder to the disk. Windows cannot open folders. */
async function syncFolder(folder: string): Promise<void> {
  if (process.platform === 'win32') return;
  const handle = await open(folder, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}
