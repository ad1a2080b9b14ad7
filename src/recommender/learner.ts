/** Learning as the page asks for it: its code is loaded where something is to be learnt, or was learnt before. */
import { sleep } from '../store/waiting';
import { loaded } from './loaded';
import type { Learning, LearningCalls, LearningParts } from './types';

/** Milliseconds that an answer waits for what was learnt. */
const PATIENCE = 500;

export interface LearnerParts extends LearningParts {
  /** Throws `disposed`. */
  readonly assertAlive: () => void;
}

export function createLearner(parts: LearnerParts) {
  let loading: Promise<Learning> | undefined;
  /** Settles when what is stored of what was learnt has been read. */
  let looking: Promise<unknown> | undefined;

  function load(): Promise<Learning> {
    loading ??= loaded(import('./learning')).then(({ createLearning }) => {
      parts.mend('learning-failed');
      return createLearning(parts);
    });
    loading.catch(() => {
      loading = undefined; // the next call tries again
    });
    return loading;
  }
  /** A call that loads what answers it. */
  const asked =
    <A extends unknown[], T>(call: (learning: Learning) => (...args: A) => Promise<T>) =>
    async (...args: A): Promise<T> => {
      parts.assertAlive();
      return call(await load())(...args);
    };
  /** Nothing where nothing is loaded. Never rejects. */
  const tell = <T>(call: (learning: Learning) => T): Promise<Awaited<T> | undefined> =>
    Promise.resolve(loading?.then(call)).catch(() => undefined) as Promise<Awaited<T> | undefined>;

  function look(): void {
    looking = load()
      .then((learning) => learning.look())
      .catch((error) => {
        const message = 'Nothing is learnt, and what was learnt before does not count: its code could not be loaded.';
        parts.degrade('learning-failed', `${message} ${error.message}`);
      })
      .catch(() => {}); // a page in which nothing can be told
  }

  const calls: LearningCalls = {
    fineTune: asked((learning) => learning.fineTune),
    explain: asked((learning) => learning.explain),
    taste: {
      export: asked(({ taste }) => taste.export),
      import: asked(({ taste }) => taste.import),
      forget: asked(({ taste }) => taste.forget),
    },
  };
  return {
    calls,
    tell,
    /**
     * Something may be learnt, or storing is allowed, so that what was learnt may be on the device. The code is loaded whether
     * or not there is any: what a page requests does not tell.
     */
    look,
    /** The model, or what is stored of what was learnt, is news to this page. */
    lookAgain: () => loading && look(),
    /** Settles when what was learnt can answer, unless that would keep the visitor waiting. */
    settled: () => Promise.race([looking, sleep(PATIENCE).over]),
  };
}
