/** The messages between the studio's page and its worker: calls, answers and notes. */
import type { ErrorCode } from '../errors';
import type { Note } from './types';
import type { Workbench } from './workbench';

export type Method = {
  [M in keyof Workbench]: Workbench[M] extends (...args: never[]) => unknown ? M : never;
}[keyof Workbench];

/** A call of the page. */
export interface Call {
  readonly id: number;
  readonly method: Method;
  readonly args: readonly unknown[];
}

/** A message of the worker: the result of a call, or a note. */
export type Answer =
  | { readonly id: number; readonly result: unknown }
  | { readonly id: number; readonly error: { readonly message: string; readonly code?: ErrorCode } }
  | { readonly note: Note };

/** The workbench as the page calls it. */
export type Bench = {
  [M in Method]: (...args: Parameters<Workbench[M]>) => Promise<Awaited<ReturnType<Workbench[M]>>>;
};
