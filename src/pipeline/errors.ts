/** Descriptions of errors, and which of them are the user's. */
import { type ErrorCode, RecommenderError, reasonOf } from '../errors';

/** The meaning of the operating system's error codes, and advice for files that cannot be written. */
const SYSTEM_ERRORS: Readonly<Record<string, readonly [meaning: string, advice?: string]>> = {
  ENOSPC: ['the disk is full', 'free some space'],
  EDQUOT: ['the disk quota is used up', 'free some space'],
  EROFS: ['the file system is read-only', 'choose another folder'],
  EACCES: ['permission denied', 'choose another folder'],
  EPERM: ['not permitted', 'choose another folder'],
  ENOTDIR: ['a part of the path is no folder', 'choose another folder'],
  ENOENT: ['no such file'],
  EISDIR: ['this is a folder'],
  EMFILE: ['too many open files'],
  EIO: ['the device reported an error'],
};

/** The operating system's code of an error, such as `ENOENT`. */
export function systemCodeOf(error: unknown): string | undefined {
  const code = (error as { code?: unknown } | undefined)?.code;
  return typeof code === 'string' && !(error instanceof RecommenderError) ? code : undefined;
}

/** What the system's code of an error means; undefined for an error of another kind. */
export function systemMeaning(error: unknown): string | undefined {
  return SYSTEM_ERRORS[systemCodeOf(error) ?? '']?.[0];
}

/** The meaning with advice for a file that could not be written; the error's own text if its code is unknown. */
export function systemAdvice(error: unknown): string {
  return SYSTEM_ERRORS[systemCodeOf(error) ?? '']?.join('; ') ?? reasonOf(error);
}

/** An error as one sentence. */
export function sentenceOf(error: unknown): string {
  const meaning = systemMeaning(error);
  if (meaning === undefined) return reasonOf(error);
  const { code, path } = error as { readonly code: string; readonly path?: string };
  return `${path ? `${path}: ` : ''}${meaning} (${code}).`;
}

export function badConfig(message: string): never {
  throw new RecommenderError('bad-config', message);
}

export function badInput(message: string): never {
  throw new RecommenderError('bad-input', message);
}

const USER_ERRORS: ReadonlySet<ErrorCode> = new Set(['bad-input', 'bad-config', 'bad-artifact', 'weights-mismatch']);

/** Whether the user's input caused the error. */
export const isUserError = (error: unknown): error is RecommenderError =>
  error instanceof RecommenderError && USER_ERRORS.has(error.code);

export const isAborted = (error: unknown): error is RecommenderError =>
  error instanceof RecommenderError && error.code === 'aborted';
