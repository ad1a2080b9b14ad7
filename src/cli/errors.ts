import { CommanderError } from 'commander';
import { isAborted, isUserError, sentenceOf } from '../pipeline/errors';

export const EXIT = { done: 0, failed: 1, wrongUse: 2, notPassed: 3, interrupted: 130 } as const;

/** Wrong use of the command line: arguments that contradict each other or the input. Exit code 2. */
export class UsageError extends Error {
  override readonly name = 'UsageError';
}

/** A check that was asked for has found errors. The result is printed. Exit code 3. */
export class NotPassed extends Error {
  override readonly name = 'NotPassed';
}

/** Exit code of a command that failed with this error. A fault of ours never counts as the user's mistake. */
export function exitCode(error: unknown): number {
  if (error instanceof CommanderError) return error.exitCode === 0 ? EXIT.done : EXIT.wrongUse;
  if (isAborted(error)) return EXIT.interrupted;
  if (error instanceof NotPassed) return EXIT.notPassed;
  return error instanceof UsageError || isUserError(error) ? EXIT.wrongUse : EXIT.failed;
}

/**
 * A text of the pipeline, which names options as `sessionsBy`, with the flags of the command line: --sessions-by. What is in double
 * quotes is the user's own.
 */
export const withFlags = (text: string): string =>
  text.replace(/"(?:[^"\\]|\\.)*"|`([a-zA-Z]+)`/g, (part, option?: string) => {
    if (option === undefined) return part;
    const name = option === 'ranges' ? 'range' : option.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
    return `--${name}`;
  });

/**
 * An error as one sentence.
 *
 * @param verbose Whether `traceOf` follows. If not, the sentence of a fault says how to see the trace.
 * @returns Text without a final newline; empty for errors that commander has printed already.
 */
export function describe(error: unknown, verbose: boolean): string {
  if (error instanceof CommanderError) return '';
  const hint = !verbose && exitCode(error) === EXIT.failed ? ' (--verbose shows where)' : '';
  return `aisle: ${withFlags(sentenceOf(error))}${hint}`;
}

/** The stack of an error and of its cause; empty if it has none, or if commander has printed the error. */
export function traceOf(error: unknown): string {
  if (error instanceof CommanderError || !(error instanceof Error)) return '';
  const cause = error.cause instanceof Error ? `\ncaused by: ${error.cause.stack}` : '';
  return `${error.stack}${cause}`;
}
