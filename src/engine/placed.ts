/** A loaded model and its place, as the engine uses it. Types only. */
import type { OpenedArtifact } from '../checkpoint/artifact';
import type { Memory } from '../compute/running';
import type { BackendName } from '../compute/types';
import type { LoadedNetwork } from './frozen-model';
import type { Model } from './model';
import type { ModelItems } from './model-items';
import type { ModelInfo, Moved } from './types';

export interface Placed extends LoadedNetwork {
  readonly artifact: OpenedArtifact;
  readonly items: ModelItems;
  /** Where the model was last. */
  readonly info: ModelInfo;
  /**
   * Runs work with the model, alone, and on another backend if its own fails.
   *
   * @param isLearnt Whether the work scores by what was learnt, which may be why a number is not finite. Default false.
   * @throws BackendFault where all fail; `aborted` if another model has replaced this one.
   */
  run<T>(work: (model: Model) => Promise<T>, signal: AbortSignal | undefined, isLearnt?: boolean): Promise<T>;
  /**
   * Moves the model to another backend, and times it there.
   *
   * @throws BackendFault if that fails; then the model stays where it is.
   */
  move(backend: BackendName, why: string, signal?: AbortSignal): Promise<Moved>;
  /**
   * Leaves the plan, and does not come back: it has its own parameters, and what was learnt has others. After a failure, the
   * next call tries again.
   *
   * @throws BackendFault of the last backend; RecommenderError where code cannot be fetched.
   */
  needTensors(): Promise<void>;
  /** The next session starts afresh. */
  forget(signal?: AbortSignal): Promise<void>;
  /** What the model's device holds. */
  memory(signal?: AbortSignal): Promise<Memory>;
  /** Frees the model, after the work that may be running: it still reads it. @param deadline Seconds. Default: none. */
  dispose(deadline?: number): Promise<void>;
}
