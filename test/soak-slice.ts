import { inject } from 'vitest';

/** Whether `npm run soak` runs, which repeats more and leaves nothing out. */
export const isSoak = inject('SOAK') > 0;

/** All cases in `npm run soak`; in `npm test` those that `isFew` picks. */
export const slice = <T>(cases: readonly T[], isFew: (given: T) => boolean): T[] =>
  cases.filter((given) => isSoak || isFew(given));
