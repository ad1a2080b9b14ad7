/** Files on disk: read whole, written whole or not at all, and results that long work keeps for its next run. */
import { createHash, randomBytes } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { access, mkdir, mkdtemp, open, readFile, rename, rm, rmdir, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, dirname, join, resolve } from 'node:path';
import { pipeline, Readable } from 'node:stream';
import { createGzip } from 'node:zlib';
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

/** What a file is to hold: all of it, or a stream that is opened when its turn comes. */
export type Content = string | Uint8Array | (() => Readable);

/** Pieces of a file, made as they are written; compressed where `gzip` is set. An aborted signal ends the writing. */
export function pieces(
  source: Iterable<string | Uint8Array>,
  options: { readonly gzip?: boolean; readonly signal?: AbortSignal | undefined } = {},
): () => Readable {
  const { gzip = false, signal } = options;
  const read = () => Readable.from(source, signal ? { signal } : {});
  // The first error of either stream is thrown to whoever reads the last.
  return gzip ? () => pipeline(read(), createGzip(), () => {}) : read;
}

/** Writes a new file and brings it to the disk. */
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
 * Writes a file whole or not at all, as `replaceFiles` does.
 *
 * @throws RecommenderError `io` if the disk refuses; the old file is then still there.
 */
export async function replaceFile(path: string, content: Content, write = writeDurably): Promise<void> {
  await replaceFiles(dirname(path), { [basename(path)]: content }, { what: path, write });
}

/**
 * Writes files into one folder, made where it is missing: all of them under temporary names first (`.NAME.new-…`), then
 * renamed one after the other over what was there.
 *
 * @param files Content by name, in the order in which they take their places; one without content is removed in its turn.
 * @param options.what What to call it all in a message; default: the folder.
 * @throws RecommenderError `io` if the disk refuses; errors of a content's own as they are. No temporary file is left,
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
    // Whatever goes wrong from here on: the first error is the one to tell.
    for (const name of Object.keys(files)) await rm(fresh(name), { force: true }).catch(() => {});
    if (made !== undefined) await removeEmpty(resolve(folder), resolve(made)).catch(() => {});
    throw refused(`Writing ${what}`, error, changed);
  }
}

/** How the temporary names of `replaceFiles` begin: a process that was killed may leave one. */
export const temporaryPrefix = (name: string): string => `.${name}.new-`;

/**
 * Removes empty folders from `from` up to `last`, the topmost that `mkdir` had to make; rejects at the first that is not
 * empty.
 */
export async function removeEmpty(from: string, last: string): Promise<void> {
  await rmdir(from);
  if (from !== last) await removeEmpty(dirname(from), last);
}

/** An error of the file system in words; errors of our own stay. */
export function refused(what: string, error: unknown, changed = false): unknown {
  const code = systemCodeOf(error);
  if (code === undefined) return error;
  const state = changed ? 'half-way' : 'nothing was changed';
  return new RecommenderError('io', `${what} failed, ${state}: ${systemAdvice(error)} (${code}).`, { cause: error });
}

export const readText = (path: string): Promise<string> => readFile(path, 'utf8');

/** Whether there is a file or folder; true too where nobody can tell. */
export const exists = (path: string): Promise<boolean> =>
  access(path).then(
    () => true,
    (error) => systemCodeOf(error) !== 'ENOENT',
  );

export const isFolder = (path: string): Promise<boolean> =>
  stat(path).then(
    (found) => found.isDirectory(),
    () => false,
  );

/** Removes a file or folder, if there is one, with all that is in it. */
export const remove = (path: string): Promise<void> => rm(path, { recursive: true, force: true });

/** Makes a folder and its parents where they are missing. */
export const makeFolder = async (path: string): Promise<void> => void (await mkdir(path, { recursive: true }));

/** A new folder for files that nobody keeps. */
export const temporaryFolder = (name: string): Promise<string> => mkdtemp(join(tmpdir(), `${name}-`));

/** Twelve digits that change with a value, for the names of folders. */
export const shortHash = (value: unknown): string => hashOf(JSON.stringify(value)).slice(0, 12);

export const hashOf = (text: string): string => createHash('sha256').update(text).digest('hex');

/** The SHA-256 of what a file holds. */
export async function contentHash(path: string): Promise<string> {
  const hash = createHash('sha256');
  for await (const piece of createReadStream(path)) hash.update(piece as Buffer);
  return hash.digest('hex');
}

/**
 * Keeps a result in JSON, with a checksum.
 *
 * @throws RecommenderError `io` if the disk refuses.
 */
export async function writeCache(path: string, value: object): Promise<void> {
  const checksum = hashOf(JSON.stringify(value));
  await replaceFile(path, `${JSON.stringify({ ...value, checksum }, null, 2)}\n`);
}

/** What `writeCache` has kept; nothing where there is nothing, or it is damaged: the work is then done again. */
export async function readCache<T extends object>(path: string): Promise<T | undefined> {
  try {
    const { checksum, ...value } = JSON.parse(await readFile(path, 'utf8'));
    return checksum === hashOf(JSON.stringify(value)) ? value : undefined;
  } catch {
    return undefined;
  }
}
