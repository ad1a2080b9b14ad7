import { CommanderError } from 'commander';
import { type ErrorCode, RecommenderError } from '../errors';

export const EXIT = { done: 0, failed: 1, wrongUse: 2, interrupted: 130 } as const;

/** Errors whose cause is what the user passed in; every other failure is one of the run. */
const USER_ERRORS: ReadonlySet<ErrorCode> = new Set(['bad-input', 'bad-config', 'bad-artifact', 'weights-mismatch']);

/** What the operating system's codes mean for a person at a terminal. */
const SYSTEM: Readonly<Record<string, string>> = {
  ENOSPC: 'the disk is full',
  EDQUOT: 'the disk quota is used up',
  EACCES: 'permission denied',
  EPERM: 'not permitted',
  EROFS: 'the file system is read-only',
  ENOENT: 'no such file or folder',
  EISDIR: 'this is a folder, not a file',
  ENOTDIR: 'a part of the path is no folder',
  EMFILE: 'too many open files',
  EIO: 'the device reported an error',
};

/** Exit code of a command that ended with this error. */
export function exitCode(error: unknown): number {
  if (error instanceof CommanderError) return error.exitCode === 0 ? EXIT.done : EXIT.wrongUse;
  if (error instanceof RecommenderError) {
    if (error.code === 'aborted') return EXIT.interrupted;
    return USER_ERRORS.has(error.code) ? EXIT.wrongUse : EXIT.failed;
  }
  return error instanceof RangeError ? EXIT.wrongUse : EXIT.failed;
}

/**
 * What a person reads of an error: its sentence, and the stack only if asked for.
 *
 * @returns Text without a final newline; empty for errors that commander has printed already.
 */
export function describe(error: unknown, verbose: boolean): string {
  if (error instanceof CommanderError) return '';
  if (!(error instanceof Error)) return `aisle: ${String(error)}`;
  const { code } = error as NodeJS.ErrnoException;
  const system = code === undefined ? undefined : SYSTEM[code];
  const known = error instanceof RecommenderError || error instanceof RangeError;
  const path = (error as NodeJS.ErrnoException).path;
  const sentence = !known && system ? `${path ? `${path}: ` : ''}${system} (${code}).` : error.message;
  if (!verbose) return `aisle: ${sentence}${known || system ? '' : ' (--verbose shows where)'}`;
  const cause = error.cause instanceof Error ? `\ncaused by: ${error.cause.stack}` : '';
  return `aisle: ${sentence}\n${error.stack}${cause}`;
}
