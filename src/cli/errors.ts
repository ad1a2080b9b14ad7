import { CommanderError } from 'commander';
import { isAborted, isUserError, sentenceOf } from '../pipeline/errors';

export const EXIT = { done: 0, failed: 1, wrongUse: 2, interrupted: 130 } as const;

/** Wrong use of the command line: arguments that do not go together, or that the input does not allow. Ends with 2. */
export class UsageError extends Error {
  override readonly name = 'UsageError';
}

/** Exit code of a command that ended with this error. A fault of our own is never taken for the user's. */
export function exitCode(error: unknown): number {
  if (error instanceof CommanderError) return error.exitCode === 0 ? EXIT.done : EXIT.wrongUse;
  if (isAborted(error)) return EXIT.interrupted;
  return error instanceof UsageError || isUserError(error) ? EXIT.wrongUse : EXIT.failed;
}

/**
 * The sentence that a person reads of an error.
 *
 * @param verbose Whether `traceOf` follows; where it does not, the sentence says how to see it if it would help.
 * @returns Text without a final newline; empty for errors that commander has printed already.
 */
export function describe(error: unknown, verbose: boolean): string {
  if (error instanceof CommanderError) return '';
  const hint = !verbose && exitCode(error) === EXIT.failed ? ' (--verbose shows where)' : '';
  return `aisle: ${sentenceOf(error)}${hint}`;
}

/** Where an error comes from: its stack, and that of its cause. Empty where there is none, or the text of commander says all. */
export function traceOf(error: unknown): string {
  if (error instanceof CommanderError || !(error instanceof Error)) return '';
  const cause = error.cause instanceof Error ? `\ncaused by: ${error.cause.stack}` : '';
  return `${error.stack}${cause}`;
}
