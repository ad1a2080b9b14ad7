import { randomBytes } from 'node:crypto';
import { mkdir, open, rename, rm, rmdir } from 'node:fs/promises';
import { basename, dirname, join, resolve } from 'node:path';
import { RecommenderError } from '../errors';

/** Writes a new file and brings it to the disk. */
export async function writeDurably(path: string, bytes: Uint8Array): Promise<void> {
  const file = await open(path, 'wx');
  try {
    await file.writeFile(bytes);
    await file.sync();
  } finally {
    await file.close();
  }
}

/**
 * Writes a file whole or not at all: under a temporary name first (`.NAME.new-…`), then renamed over what was there.
 *
 * @throws RecommenderError `io` if the disk refuses; the old file is then still there.
 */
export async function replaceFile(path: string, bytes: Uint8Array, write = writeDurably): Promise<void> {
  const folder = resolve(dirname(path));
  const fresh = join(folder, `${temporaryPrefix(basename(path))}${randomBytes(6).toString('hex')}`);
  let made: string | undefined;
  try {
    made = await mkdir(folder, { recursive: true });
    await write(fresh, bytes);
    await rename(fresh, path);
  } catch (error) {
    // Whatever goes wrong from here on: the first error is the one to tell.
    await rm(fresh, { force: true }).catch(() => {});
    if (made !== undefined) await removeEmpty(folder, made).catch(() => {});
    throw refused(`Writing ${path}`, error);
  }
}

/** How the temporary names of `replaceFile` begin: a process that was killed may leave one. */
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
export function refused(what: string, error: unknown): unknown {
  const code = codeOf(error);
  if (error instanceof RecommenderError || code === undefined) return error;
  const reason = REASONS[code] ?? (error as Error).message;
  return new RecommenderError('io', `${what} failed, nothing was changed: ${reason} (${code}).`, { cause: error });
}

export function codeOf(error: unknown): string | undefined {
  const code = (error as { code?: unknown } | undefined)?.code;
  return typeof code === 'string' ? code : undefined;
}
