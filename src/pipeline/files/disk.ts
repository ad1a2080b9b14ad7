/** Files on disk: read whole, written whole or not at all; and a cache of results. */
import { createHash, randomBytes } from 'node:crypto';
import { constants } from 'node:fs';
import {
  access,
  lstat,
  mkdir,
  mkdtemp,
  open,
  readdir,
  readFile,
  realpath,
  rename,
  rm,
  rmdir,
  stat,
} from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, dirname, join, resolve } from 'node:path';
import { pipeline, Readable } from 'node:stream';
import { createGzip } from 'node:zlib';
import { MANIFEST } from '../../checkpoint/manifest';
import { RecommenderError } from '../../errors';
import { systemAdvice, systemCodeOf, systemMeaning } from '../errors';

// For the rest of the pipeline, which imports nothing of Node.
export { basename, dirname, join, resolve } from 'node:path';

/**
 * Reads a file that the user named.
 *
 * @throws RecommenderError `bad-input` that names the file.
 */
export async function readInput(path: string): Promise<Uint8Array> {
  try {
    return await readFile(path);
  } catch (cause) {
    const why = systemMeaning(cause) ?? 'it is unreadable';
    throw new RecommenderError('bad-input', `${path} cannot be read: ${why} (${systemCodeOf(cause)}).`, { cause });
  }
}

/** The content of a file, or a function that opens a stream of it. */
export type Content = string | Uint8Array | (() => Readable);

/** A stream of pieces that are produced as they are written, compressed if `gzip` is set. An aborted signal stops it. */
export function pieces(
  source: Iterable<string | Uint8Array> | AsyncIterable<string | Uint8Array>,
  options: { readonly gzip?: boolean; readonly signal?: AbortSignal | undefined } = {},
): () => Readable {
  const { gzip = false, signal } = options;
  const read = () => Readable.from(source, signal ? { signal } : {});
  // The reader of the last stream gets the first error of either.
  return gzip ? () => pipeline(read(), createGzip(), () => {}) : read;
}

/** Writes and syncs a new file. */
export async function writeDurably(path: string, content: Content): Promise<void> {
  const file = await open(path, 'wx');
  try {
    // Node 20 takes streams here; its types leave them out.
    await file.writeFile((typeof content === 'function' ? content() : content) as Uint8Array);
    await file.sync();
  } finally {
    await file.close();
  }
}

/**
 * Writes a file whole or not at all, as `replaceFiles` does; where the path is a link, the file that it leads to.
 *
 * @throws RecommenderError `io` if the disk refuses; the old file is then still there. `bad-input` as `replaceable` and
 *   `replaceFiles`.
 */
export async function replaceFile(path: string, content: Content, write = writeDurably): Promise<void> {
  const file = await replaceable(path);
  await replaceFiles(dirname(file), { [basename(file)]: content }, { what: path, write });
}

/**
 * Checks that nothing but a file would be replaced, such as a device.
 *
 * @returns The path, without links if the file is there.
 * @throws RecommenderError `bad-input`.
 */
export async function replaceable(path: string): Promise<string> {
  const found = await stat(path).catch((error) => {
    if (systemCodeOf(error) === 'ENOTDIR') throw cannotBeMade(path, error);
    return undefined;
  });
  if (found?.isFile()) return realpath(path);
  const isLink = !found && (await lstat(path).catch(() => undefined));
  if (!found && !isLink) return path;
  const what = isLink ? 'a link to a file that is not there' : found?.isDirectory() ? 'a folder' : 'a pipe or a device';
  throw new RecommenderError('bad-input', `${path}: this is ${what}; name a file to write.`);
}

/**
 * Writes files into one folder, which is created if missing: first all of them under temporary names (`.NAME.new-…`), then
 * renames them one after the other.
 *
 * @param files Content by name, in the order of renaming; a file without content is removed.
 * @param options.what Name for messages. Default: the folder.
 * @throws RecommenderError `bad-input` if the folder cannot be made; `io` if the disk refuses; errors of a content's own as they are. No temporary file is left,
 *   nor a folder that had to be made.
 */
export async function replaceFiles(
  folder: string,
  files: Readonly<Record<string, Content | undefined>>,
  { what = folder, write = writeDurably }: { readonly what?: string; readonly write?: typeof writeDurably } = {},
): Promise<void> {
  const tag = randomBytes(6).toString('hex');
  const fresh = (name: string): string => join(folder, `${temporaryPrefix(name)}${tag}`);
  let made: string | undefined;
  let changed = false;
  try {
    made = await mkdir(folder, { recursive: true });
    for (const [name, content] of Object.entries(files)) if (content !== undefined) await write(fresh(name), content);
    for (const [name, content] of Object.entries(files)) {
      if (content === undefined) await rm(join(folder, name), { force: true });
      else await rename(fresh(name), join(folder, name));
      changed = true;
    }
  } catch (error) {
    // Report the first error, whatever fails while cleaning up.
    for (const name of Object.keys(files)) await rm(fresh(name), { force: true }).catch(() => {});
    if (made !== undefined) await removeEmpty(resolve(folder), resolve(made)).catch(() => {});
    const isMaking = (error as NodeJS.ErrnoException).syscall === 'mkdir' && systemCodeOf(error) !== 'ENOSPC';
    throw isMaking ? cannotBeMade(folder, error) : refused(`Writing ${what}`, error, changed);
  }
}

/** The beginning of the temporary names of `replaceFiles`: a killed process may leave such files. */
export const temporaryPrefix = (name: string): string => `.${name}.new-`;

/**
 * Removes empty folders from `from` up to `last`, the topmost that `mkdir` created; rejects at the first that is not empty.
 */
export async function removeEmpty(from: string, last: string): Promise<void> {
  await rmdir(from);
  if (from !== last) await removeEmpty(dirname(from), last);
}

/** For a folder to write into: the path is the user's to change. */
function cannotBeMade(folder: string, cause: unknown): RecommenderError {
  const code = systemCodeOf(cause)!;
  const isFile = code === 'ENOTDIR' || code === 'EEXIST';
  const why = isFile ? 'a part of the path is a file; choose another folder' : systemAdvice(cause);
  return new RecommenderError('bad-input', `${folder}: the folder cannot be made (${code}): ${why}.`, { cause });
}

/** Describes an error of the file system; other errors stay as they are. */
export function refused(what: string, error: unknown, changed = false): unknown {
  const code = systemCodeOf(error);
  if (code === undefined) return error;
  const state = changed ? 'half-way' : 'nothing was changed';
  return new RecommenderError('io', `${what} failed, ${state}: ${systemAdvice(error)} (${code}).`, { cause: error });
}

export const readText = (path: string): Promise<string> => readFile(path, 'utf8');

/** Whether there is a file or folder; true if that cannot be determined. */
export const exists = (path: string): Promise<boolean> =>
  access(path).then(
    () => true,
    (error) => !['ENOENT', 'ENOTDIR'].includes(systemCodeOf(error) ?? ''),
  );

/** The path without links; as it is where nothing is there. */
export const realPath = (path: string): Promise<string> => realpath(path).catch(() => path);

export const isFolder = (path: string): Promise<boolean> =>
  stat(path).then(
    (found) => found.isDirectory(),
    () => false,
  );

/** Fails with the system's error where files cannot be made in a folder. */
export const checkWritable = (folder: string): Promise<void> => access(`${folder}/.`, constants.W_OK | constants.X_OK); // with `/.`, because a file passes as writable

const isFile = (path: string): Promise<boolean> =>
  stat(path).then(
    (found) => found.isFile(),
    () => false,
  );

/**
 * What a folder holds; nothing where there is none.
 *
 * @throws RecommenderError `bad-input` for a file, or what would be below one; `io` if the disk refuses.
 */
export async function namesIn(folder: string): Promise<string[]> {
  try {
    return await readdir(folder);
  } catch (error) {
    if (await isFile(folder)) throw new RecommenderError('bad-input', `${folder} is a file; name a folder.`);
    if (systemCodeOf(error) === 'ENOTDIR') throw cannotBeMade(folder, error);
    if (systemCodeOf(error) === 'ENOENT') return [];
    throw refused(`Looking into ${folder}`, error);
  }
}

/**
 * Refuses a folder with the files of a model, or with such as would be replaced, unless it has what their writer keeps beside them.
 *
 * @param writer `comparison`, in the message.
 * @throws RecommenderError `bad-input`.
 */
export async function refuseForeign(
  folder: string,
  { writer, kept, files }: { readonly writer: string; readonly kept: string; readonly files: readonly string[] },
): Promise<void> {
  const names = await namesIn(folder);
  const foreign = [MANIFEST, ...(names.includes(kept) ? [] : files)].find((name) => names.includes(name));
  if (foreign === undefined) return;
  throw new RecommenderError(
    'bad-input',
    `${folder} holds ${foreign}, which no ${writer} wrote, and is left alone; name a new or empty folder.`,
  );
}

/** Removes a file or folder with its content, if there is one. */
export const remove = (path: string): Promise<void> => rm(path, { recursive: true, force: true });

/** Creates a folder and its parents if they are missing. */
export const makeFolder = async (path: string): Promise<void> => void (await mkdir(path, { recursive: true }));

/** Creates a folder for temporary files. */
export const temporaryFolder = (name: string): Promise<string> => mkdtemp(join(tmpdir(), `${name}-`));

/** A hash of 12 digits for the names of folders. */
export const shortHash = (value: unknown): string => hashOf(JSON.stringify(value)).slice(0, 12);

export const hashOf = (text: string): string => createHash('sha256').update(text).digest('hex');

/**
 * Writes a result as JSON with a checksum.
 *
 * @throws RecommenderError `io` if the disk refuses.
 */
export async function writeCache(path: string, value: object): Promise<void> {
  const checksum = hashOf(JSON.stringify(value));
  await replaceFile(path, `${JSON.stringify({ ...value, checksum }, null, 2)}\n`);
}

/** Reads a result that `writeCache` wrote; undefined if there is none, or if it is damaged. */
export async function readCache<T extends object>(path: string): Promise<T | undefined> {
  try {
    const { checksum, ...value } = JSON.parse(await readFile(path, 'utf8'));
    return checksum === hashOf(JSON.stringify(value)) ? value : undefined;
  } catch {
    return undefined;
  }
}
