/** Faults of a backend, as opposed to mistakes of our own code: only these cost a backend. No tensors. */
import { type ErrorCode, RecommenderError, reasonOf } from '../errors';
import type { BackendName } from './types';

/** One instance of a backend: after a restart there is another one under the same name. */
export interface Device {
  readonly name: BackendName;
  readonly instance: object;
}

export interface FaultOptions {
  readonly cause?: unknown;
  /** The instance that failed; absent if none had started. */
  readonly instance?: object | undefined;
  /** The instance is gone, which says nothing of the next one: its device was lost, or it was abandoned. */
  readonly isGone?: boolean;
}

/**
 * A backend could not start, failed, did not answer, lost its device, or computed wrong numbers. Only `compute/` raises it.
 * Another backend may work.
 */
export class BackendFault extends RecommenderError {
  readonly isGone: boolean;
  /** A method, so that printing or cloning the error does not include a whole backend. */
  readonly #instance: object | undefined;

  constructor(
    code: ErrorCode,
    readonly backend: BackendName,
    message: string,
    { cause, instance, isGone = false }: FaultOptions = {},
  ) {
    super(code, message, { cause });
    this.#instance = instance;
    this.isGone = isGone;
  }

  /** Undefined if none had started. */
  device(): Device | undefined {
    return this.#instance && { name: this.backend, instance: this.#instance };
  }
}

const mistakes = new WeakSet<Error>();

/** An error of our own code inside a kernel: every backend would do the same. */
export function mistake(error: Error): Error {
  mistakes.add(error);
  return error;
}

/** A device computes other numbers than a model's golden ones. */
export const wrongNumbers = (code: 'no-backend' | 'bad-artifact', { name, instance }: Device, message: string) =>
  new BackendFault(code, name, message, { instance });

export const stopped = ({ name, instance }: Device): BackendFault =>
  new BackendFault('engine-lost', name, `The backend "${name}" was stopped.`, { instance, isGone: true });

/** A plan that is missing, damaged, or whose code cannot be fetched: TensorFlow.js computes the model as well. */
export const noPlan = (cause: unknown): BackendFault =>
  cause instanceof BackendFault ? cause : new BackendFault('no-backend', 'plan', reasonOf(cause), { cause });

/** An error that a device raised while it computed: a shader that a driver does not compile, memory that is used up. */
export function deviceFailed({ name, instance }: Device, cause: unknown): Error {
  if (cause instanceof RecommenderError || mistakes.has(cause as Error)) return cause as Error;
  const why = reasonOf(cause).replace(/\.$/, '');
  return new BackendFault('no-backend', name, `The backend "${name}" failed: ${why}.`, { cause, instance });
}
