/** What needs the times of a log. Apart from its columns, which pages load for features alone. */
import { RecommenderError } from '../errors';
import type { Sessions } from '../types';

/** Whether a log has times: without, all of them are 0. */
export const hasTimes = ({ times }: Sessions): boolean => times.some((time) => time !== 0);

/** @throws RecommenderError `bad-config` where a feature or an option reads times and the log has none: all of them are 0. */
export function refuseNoTimes(name: string, sessions: Sessions, kind: 'feature' | 'option' = 'feature'): void {
  if (hasTimes(sessions)) return;
  throw new RecommenderError('bad-config', `The ${kind} "${name}" needs times, and the log has none; leave it out.`);
}
