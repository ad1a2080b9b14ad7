/** Files written whole or not at all, and the disk's refusals in words. */
import { randomBytes } from 'node:crypto';
import { access, mkdir, open, rename, rm, rmdir } from 'node:fs/promises';
import { basename, dirname, join, resolve } from 'node:path';
import { pipeline, Readable } from 'node:stream';
import { createGzip } from 'node:zlib';
import { RecommenderError } from '../errors';

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

const REASONS: Readonly<Record<string, string>> = {
  ENOSPC: 'the disk is full; free some space',
  EDQUOT: 'the disk quota is used up; free some space',
  EROFS: 'the disk is read-only; choose another folder',
  EACCES: 'permission was denied; choose another folder',
  EPERM: 'permission was denied; choose another folder',
  ENOTDIR: 'a part of its path is a file; choose another folder',
};

/** An error of the file system in words; errors of our own stay. */
export function refused(what: string, error: unknown, changed = false): unknown {
  const code = codeOf(error);
  if (error instanceof RecommenderError || code === undefined) return error;
  const reason = REASONS[code] ?? (error as Error).message;
  return new RecommenderError(
    'io',
    `${what} failed, ${changed ? 'half-way' : 'nothing was changed'}: ${reason} (${code}).`,
    { cause: error },
  );
}

/** Whether there is a file or folder; true too where nobody can tell. */
export const exists = (path: string): Promise<boolean> =>
  access(path).then(
    () => true,
    (error) => codeOf(error) !== 'ENOENT',
  );

export function codeOf(error: unknown): string | undefined {
  const code = (error as { code?: unknown } | undefined)?.code;
  return typeof code === 'string' ? code : undefined;
}
