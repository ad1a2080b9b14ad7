/** A log as the model of an artifact reads it: for learning and evaluation, which a page that recommends does without. */

import { USERS_TENSOR } from '../checkpoint/artifact';
import { userFinder } from '../checkpoint/users';
import type { SideOf } from '../ranking/architecture';
import { birthsOf } from '../ranking/births';
import { withFeatures } from '../session/click-columns';
import { type ClickLog, sessionsWithUsers, usersOf } from '../session/event-log';
import type { NdArrays, Sessions } from '../types';

/** The numbers that a model has for the users of logs; undefined for those whom it does not know. */
export async function userNumbers(
  tensors: NdArrays,
  ...logs: readonly ClickLog[]
): Promise<(id: string) => number | undefined> {
  const ids = [...new Set(logs.flatMap(usersOf))];
  const found = await Promise.all(ids.map(userFinder(tensors[USERS_TENSOR])));
  const numbers = new Map(ids.map((id, k) => [id, found[k]]));
  return (id) => numbers.get(id);
}

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
