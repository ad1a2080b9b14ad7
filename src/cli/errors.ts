import { CommanderError } from 'commander';
import { type ErrorCode, RecommenderError, reasonOf } from '../errors';

export const EXIT = { done: 0, failed: 1, wrongUse: 2, interrupted: 130 } as const;

/** Wrong use of the command line: arguments that do not go together, or that the input does not allow. Ends with 2. */
export class UsageError extends Error {
  override readonly name = 'UsageError';
}

/** A command that another one ran has failed: the other one ends with the same code. */
export class CommandError extends Error {
  override readonly name = 'CommandError';
  constructor(
    readonly exitCode: number,
    message: string,
  ) {
    super(message);
  }
}

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

/** Exit code of a command that ended with this error. A fault of our own is never taken for the user's. */
export function exitCode(error: unknown): number {
  if (error instanceof CommanderError) return error.exitCode === 0 ? EXIT.done : EXIT.wrongUse;
  if (error instanceof CommandError) return error.exitCode;
  if (error instanceof UsageError) return EXIT.wrongUse;
  if (!(error instanceof RecommenderError)) return EXIT.failed;
  if (error.code === 'aborted') return EXIT.interrupted;
  return USER_ERRORS.has(error.code) ? EXIT.wrongUse : EXIT.failed;
}

/** Follows the sentence of an error whose cause is not what the user passed in. */
export const HINT = ' (--verbose shows where)';

/**
 * The sentence that a person reads of an error.
 *
 * @param verbose Whether `traceOf` follows; where it does not, the sentence says how to see it if it would help.
 * @returns Text without a final newline; empty for errors that commander has printed already.
 */
export function describe(error: unknown, verbose: boolean): string {
  if (error instanceof CommanderError) return '';
  const { code, path } = (error ?? {}) as NodeJS.ErrnoException;
  const system = error instanceof RecommenderError || code === undefined ? undefined : SYSTEM[code];
  const sentence = system ? `${path ? `${path}: ` : ''}${system} (${code}).` : String(reasonOf(error));
  return `aisle: ${sentence}${!verbose && exitCode(error) === EXIT.failed ? HINT : ''}`;
}

/** Where an error comes from: its stack, and that of its cause. Empty where there is none, or the text of commander says all. */
export function traceOf(error: unknown): string {
  if (error instanceof CommanderError || !(error instanceof Error)) return '';
  const cause = error.cause instanceof Error ? `\ncaused by: ${error.cause.stack}` : '';
  return `${error.stack}${cause}`;
}
