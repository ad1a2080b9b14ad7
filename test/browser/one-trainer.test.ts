/** One tab learns at a time, by the browser's locks. */
import { asOneTrainer } from '../../src/store/one-trainer';
import { testTrainers } from '../store/trainers';

const nothing = { beside: () => Promise.reject(new Error('There are locks: no lease is wanted.')) };

testTrainers((work, options) =>
  asOneTrainer({ store: nothing, now: Date.now, signal: new AbortController().signal, ...options }, work),
);
