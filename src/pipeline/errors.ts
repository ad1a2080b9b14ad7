/** Errors of the pipeline in words, and whose mistake they are. */
import { type ErrorCode, RecommenderError, reasonOf } from '../errors';

/** What the operating system's codes mean, and what helps where a file was to be written. */
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

/** The same with what to do about it where a file could not be written; without a known code, the error's own text. */
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

const USER_ERRORS: ReadonlySet<ErrorCode> = new Set(['bad-input', 'bad-config', 'bad-artifact', 'weights-mismatch']);

/** Whether an error's cause is what the user passed in; every other failure is one of the run. */
export const isUserError = (error: unknown): error is RecommenderError =>
  error instanceof RecommenderError && USER_ERRORS.has(error.code);

export const isAborted = (error: unknown): error is RecommenderError =>
  error instanceof RecommenderError && error.code === 'aborted';
