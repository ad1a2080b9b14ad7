/** Personalisation, loaded on demand: when a call needs it, or when something may be learnt. */

import { quiet, reasonOf } from '../../errors';
import { loaded } from '../../loaded';
import { sleep } from '../../store/waiting';
import type { LearningCalls } from '../learning-types';
import type { FineTuning, FineTuningParts } from '../parts';

/** Milliseconds that a recommendation waits for the adapter. */
const PATIENCE = 500;

export interface PersonalisationParts extends FineTuningParts {
  /** Throws `disposed`. */
  readonly assertAlive: () => void;
}

export function createLazyPersonalisation(parts: PersonalisationParts) {
  let loading: Promise<FineTuning> | undefined;
  /** Settles when the stored adapter has been read. */
  let looking: Promise<unknown> | undefined;

  function load(): Promise<FineTuning> {
    loading ??= loaded(import('./fine-tuning')).then(({ createFineTuning }) => {
      parts.mend('learning-failed');
      return createFineTuning(parts);
    });
    loading.catch(() => {
      loading = undefined; // the next call tries again
    });
    return loading;
  }
  /** A call that loads the code first. */
  const whenLoaded =
    <A extends unknown[], T>(call: (learning: FineTuning) => (...args: A) => Promise<T>) =>
    async (...args: A): Promise<T> => {
      parts.assertAlive();
      return call(await load())(...args);
    };
  /** Calls the loaded code; does nothing if it is not loaded. Never rejects. */
  const ifLoaded = <T>(call: (learning: FineTuning) => T): Promise<Awaited<T> | undefined> =>
    Promise.resolve(loading?.then(call)).catch(() => undefined) as Promise<Awaited<T> | undefined>;

  function look(mayHaveChanged: boolean): void {
    // The page may forbid reporting it.
    looking = quiet(async () => {
      try {
        await (await load()).look(mayHaveChanged);
      } catch (error) {
        parts.degrade('learning-failed', `Nothing learnt counts. ${reasonOf(error)}`);
      }
    });
  }

  const calls: LearningCalls = {
    fineTune: whenLoaded((learning) => learning.fineTune),
    explain: whenLoaded((learning) => learning.explain),
    taste: {
      export: whenLoaded(({ taste }) => taste.export),
      import: whenLoaded(({ taste }) => taste.import),
      forget: whenLoaded(({ taste }) => taste.forget),
    },
  };
  return {
    calls,
    ifLoaded,
    /**
     * Reads the stored adapter. The code is loaded even if there is none, so that the requests of a page do not reveal whether
     * the visitor has learnt something.
     */
    look: () => look(false),
    /**
     * The model or the stored adapter has changed.
     *
     * @param mayHaveChanged Whether the stored one may be another.
     */
    lookAgain: (mayHaveChanged: boolean) => loading && look(mayHaveChanged),
    /** There was an answer. Code that could not be loaded is tried again. */
    wake: () => (looking && !loading ? look(true) : void ifLoaded((learning) => learning.wake())),
    /** Settles when the adapter is set, or after a short wait. */
    settled: () => Promise.race([looking, sleep(PATIENCE).over]),
  };
}
