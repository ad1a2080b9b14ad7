import { randomBytes } from 'node:crypto';
import { mkdir, open, rename, rm } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
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
 * Writes a file whole or not at all: under a temporary name first, then renamed over what was there.
 *
 * @throws RecommenderError `io` if the disk refuses; the old file is then still there.
 */
export async function replaceFile(path: string, bytes: Uint8Array, write = writeDurably): Promise<void> {
  const fresh = join(dirname(path), `.${basename(path)}.new-${randomBytes(6).toString('hex')}`);
  try {
    await mkdir(dirname(path), { recursive: true });
    await write(fresh, bytes);
    await rename(fresh, path);
  } catch (error) {
    await rm(fresh, { force: true }).catch(() => {}); // the first error is the one to tell
    throw refused(`Writing ${path}`, error);
  }
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
