/** Stable reasons that a page, a script or a test may branch on. The text beside a code may change, a code may not. */
export type ErrorCode =
  /** An events file, catalogue or session that does not follow the contract. */
  | 'bad-input'
  /** An unknown or out-of-range configuration key. */
  | 'bad-config'
  /** An artifact folder that is damaged, incomplete or of another version. */
  | 'bad-artifact'
  /** A tensor with another name, type or shape than the architecture needs. */
  | 'weights-mismatch'
  /** No compute backend could be started. */
  | 'no-backend'
  /** Training produced a loss or weights that are not finite. */
  | 'diverged'
  /** What was learnt on a device is damaged, or of another version. */
  | 'bad-delta'
  /** What was learnt belongs to another model. */
  | 'foreign-delta'
  /** This kind of model does not learn on the device. */
  | 'not-tunable'
  /** There is nothing yet to export. */
  | 'nothing-learnt'
  /** The visitor has paused recording or wants nothing stored, or the page is not to learn now. */
  | 'not-allowed'
  /** A file was sealed with another passphrase. */
  | 'wrong-passphrase'
  /** The page has no cryptography: it is served over plain http. */
  | 'insecure-context'
  /** A model produced scores that are not finite. */
  | 'not-finite'
  /** The caller's signal, or a newer request, ended the work. */
  | 'aborted'
  /** The worker crashed and could not be restarted. */
  | 'engine-lost'
  /** A step that must settle did not within its deadline. */
  | 'timeout'
  /** A call after dispose(). */
  | 'disposed'
  /** The disk or the network refused. */
  | 'io';

/**
 * An error with a stable `code`. The message says what failed, what was expected, what came, and what to do.
 * A wrong argument is a `RangeError` instead, thrown at once.
 */
export class RecommenderError extends Error {
  override readonly name = 'RecommenderError';
  constructor(
    readonly code: ErrorCode,
    message: string,
    options?: ErrorOptions,
  ) {
    super(message, options);
  }
}

/** What an error says; where it says nothing, as Chromium's where the quota is used up, its name. */
export function reasonOf(error: unknown): string {
  const { name = 'Error', message = String(error) } = (error ?? {}) as Partial<Error>;
  return message || name;
}

/** Does work whose failure is reported elsewhere, or costs nothing. Awaits, and never calls `then`, which a page may have replaced. */
export async function quiet(work: () => unknown): Promise<void> {
  try {
    await work();
  } catch {}
}

/** The error of every call that its caller has ended. */
export const abortedError = (): RecommenderError =>
  new RecommenderError('aborted', 'The work was aborted by its signal.');

/** Throws `aborted` if the signal has fired: the one check for every cancellable loop. */
export function throwIfAborted(signal: AbortSignal | undefined): void {
  if (signal?.aborted) throw abortedError();
}
