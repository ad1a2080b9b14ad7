/** Which backend is the fastest on this device, measured on the model itself, and how long that is remembered. */
import type { Artifact } from '../checkpoint/artifact';
import type { BackendName } from './engine';
import type { Model } from './ready-model';

/** A choice that was measured. */
export interface MeasuredBackend {
  readonly backend: BackendName;
  /** What was measured, in words. */
  readonly why: string;
  /** Milliseconds since 1970 after which it is to be measured again: drivers and browsers change. */
  readonly until: number;
}

/** Where choices are kept, by model and version. The place belongs to one device. */
export interface MeasuredBackends {
  read(key: string): Promise<MeasuredBackend | undefined>;
  write(key: string, choice: MeasuredBackend): Promise<void>;
}

/** Keeps choices as long as the thread lives. */
export function inMemory(): MeasuredBackends {
  const choices = new Map<string, MeasuredBackend>();
  return {
    read: async (key) => choices.get(key),
    write: async (key, choice) => void choices.set(key, choice),
  };
}

/** Time after which a choice is measured again: a week. */
export const VALID_FOR = 7 * 24 * 3600 * 1000;

export const keyOf = ({ info }: Artifact): string => JSON.stringify([info.architecture, info.name, info.version]);

/** Whoever is not faster by this factor does not replace what runs. */
export const WORTH_A_CHANGE = 0.9;

/** Inferences per measurement; the first, the golden check, has compiled and uploaded everything. */
const RUNS = 5;

/**
 * Milliseconds of one inference of the artifact's golden session, read back: the median of several.
 *
 * @throws DeviceLost
 */
export async function timed(model: Model, clock: () => number): Promise<number> {
  const { session, artifact } = model;
  const items = artifact.info.golden.session;
  const times: number[] = [];
  for (let run = 0; run < RUNS; run++) {
    session.forget();
    const from = clock();
    await model.unlessLost(() => session.score({ items }));
    times.push(clock() - from);
  }
  session.forget();
  return times.sort((a, b) => a - b)[RUNS >> 1]!;
}

/** `webgl 1.4 ms, wasm 2.1 ms`, fastest first. */
export const inWords = (times: ReadonlyMap<BackendName, number>): string =>
  [...times]
    .sort(([, a], [, b]) => a - b)
    .map(([backend, time]) => `${backend} ${time.toFixed(1)} ms`)
    .join(', ');
