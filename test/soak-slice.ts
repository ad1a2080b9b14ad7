import { inject } from 'vitest';

/** Rounds of the randomised tests in `npm run soak`; 0 in `npm test`. */
const soak = inject('SOAK');

/** Whether `npm run soak` runs, which repeats more and leaves nothing out. */
export const isSoak = soak > 0;

/** Runs of a property: few in `npm test`, as many as SOAK says in `npm run soak`. */
export const runs = (few: number): number => Math.max(few, soak);

/** Options of a test that takes `runs`: minutes rather than seconds where there are many. */
export const PATIENT = { timeout: isSoak ? 3_600_000 : 60_000 };

/** All cases in `npm run soak`; in `npm test` those that `isFew` picks. */
export const slice = <T>(cases: readonly T[], isFew: (given: T) => boolean): T[] =>
  cases.filter((given) => isSoak || isFew(given));
