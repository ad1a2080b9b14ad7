/** How a caller follows work of the pipeline, and stops it. */
import type { EpochResult } from '../train/fit';
import { defined } from './defined';

/** What every function of the pipeline takes beside its own options, to be followed and stopped. */
export interface Observer {
  /** Stops the work, which then rejects with `aborted`. What is worth keeping is on the disk by then. */
  readonly signal?: AbortSignal;
  /** As a task begins, while it runs, and as it ends. */
  readonly onProgress?: (progress: Progress) => void;
  /** Notes and warnings for a person. */
  readonly onMessage?: (message: Message) => void;
  /** After every epoch of a training. */
  readonly onEpoch?: (epoch: TrainingEpoch) => void;
}

export interface TrainingEpoch extends EpochResult {
  /** Whether it is of the training on everything, which has no validation. */
  readonly refit?: true;
}

/** How far one task is. The first report of a task has `done: 0`, the last one `isFinished`. */
export interface Progress extends Task {
  /** Of `total`, in `unit`. */
  readonly done: number;
  /** Shown beside it, such as a loss. */
  readonly note?: string;
  /** Whether the task has ended, complete or not. */
  readonly isFinished: boolean;
}

export interface Task {
  /** What is done, such as `Reading events.tsv`; tasks that run at the same time have different labels. */
  readonly label: string;
  /** How much there is to do. */
  readonly total: number;
  /** What is counted, such as `steps`; absent for bytes of a file. */
  readonly unit?: string;
  /** Which of at most how many like tasks this is, such as the epochs of a training. */
  readonly part?: readonly [number: number, total: number];
}

/** One sentence or line for a person. */
export interface Message {
  readonly level: 'info' | 'warning';
  readonly text: string;
}

export const inform = ({ onMessage }: Observer, text: string): void => onMessage?.({ level: 'info', text });

export const warn = ({ onMessage }: Observer, text: string): void => onMessage?.({ level: 'warning', text });

/** Only what an observer has, of options that hold more. */
export const observerOf = ({ signal, onProgress, onMessage, onEpoch }: Observer): Observer =>
  defined({ signal, onProgress, onMessage, onEpoch });

/** Reports a task to an observer, from now to `finish`. */
export function startTask({ onProgress }: Observer, task: Task) {
  let done = 0;
  const report = (isFinished: boolean, note?: string): void =>
    onProgress?.({ ...task, done, isFinished, ...(note !== undefined && { note }) });
  report(false);
  return {
    update(value: number, note?: string): void {
      done = value;
      report(false, note);
    },
    finish: (): void => report(true),
  };
}
