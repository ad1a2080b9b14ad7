/** What `--preset auto` may know of a log in a comparison: what is learnt from, never the test part. */
import { selectSessions } from '../../session/event-log';
import { holdOut } from '../../session/hold-out';
import type { LogFacts } from '../../session/log-facts';
import { windowsOf } from '../../session/windows';
import type { Context } from '../context';
import { factsOf } from '../settings';
import type { Parts, PartsFlags } from './parts';

/**
 * @param cut The parts, once they are there; or the seconds of a window: of the incremental protocol only the first window is
 *   never tested.
 * @throws RecommenderError `bad-input` for a log that cannot be read or cut.
 */
export async function factsOfTraining(
  flags: PartsFlags,
  cut: { readonly parts: () => Promise<Parts> } | { readonly seconds: number },
  context: Context,
): Promise<LogFacts> {
  const { data, test, holdout } = flags;
  if ('seconds' in cut) {
    const { seconds } = cut;
    return factsOf(data, flags, context, (log) => selectSessions(log, windowsOf(log, seconds)[0]!.sessions));
  }
  if (holdout !== undefined) return factsOf(data, flags, context, (log) => holdOut(log, holdout));
  if (test !== undefined) return factsOf(data, flags, context);
  // What was cut here is read as it is written.
  return factsOf((await cut.parts()).train, {}, context);
}
