/** A log as the model of an artifact reads it: for learning and evaluation, which a page that recommends does without. */

import type { SideOf } from '../ranking/architecture';
import { birthsOf } from '../ranking/births';
import { withFeatures } from '../session/click-columns';
import { type ClickLog, sessionsWithUsers } from '../session/event-log';
import type { Sessions } from '../types';

/**
 * The sessions of a log, in the artifact's item indices, with what its model reads of clicks and users.
 *
 * @param visitors Numbers of the visitors of other logs, so that both have the same; new ones are added.
 */
export function readClicks(
  side: SideOf,
  log: ClickLog,
  userNumber: (id: string) => number | undefined,
  visitors?: Map<string, number>,
): Sessions {
  const sessions = sessionsWithUsers(log, userNumber, visitors);
  return withFeatures({ ...log, sessions }, side.info.features ?? {}, birthsOf(side));
}
